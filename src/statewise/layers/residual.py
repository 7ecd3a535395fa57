"""A skip connection around some layers of a stack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias, Union

from statewise.errors import ConfigurationError
from statewise.layers.base import Layer
from statewise.layers.merging import Add
from statewise.layers.tensors import Tensor
from statewise.phrasebook.guard import guard_making

Stacked: TypeAlias = Union[Layer, "Residual"]
"""What a stack is made of."""


@guard_making
class Residual:
    """Layers whose output is added to their input: `x + layers(x)` (He et al. 2016).

    Not a layer itself, but a way to write several: in `Sequential`, the layers and an `Add` after them. They must
    output what they read: the same features and, with `return_sequences=True`, the same steps.

    Args:
        layers: the layers that the connection goes around; may hold further `Residual`s.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.Dense(8), sw.Residual([sw.LSTM(8, return_sequences=True)]), sw.LSTM(8)])
    >>> [layer.name for layer in model.layers]
    ['dense', 'lstm', 'add', 'lstm_1']

    Raises:
        ConfigurationError: something else than layers, or none.
    """

    def __init__(self, layers: Iterable[Stacked]) -> None:
        self.layers = tuple(layers) if isinstance(layers, Iterable) else ()
        if not self.layers or not all(isinstance(layer, Layer | Residual) for layer in self.layers):
            raise ConfigurationError(f"Residual: expected a list of layers such as [LSTM(32)], got {layers!r}")
        self.add = Add()

    def __repr__(self) -> str:
        return f"Residual({list(self.layers)!r})"

    def __call__(self, given: Tensor) -> Tensor:
        """Returns the symbolic output for symbolic input, as a layer does."""
        inner = given
        for layer in self.layers:
            inner = layer(inner)
        return self.add([given, inner])
