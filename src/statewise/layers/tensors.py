"""Symbolic values, with which a graph of layers is written: `h = LSTM(32)(x)`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from statewise.errors import ConfigurationError
from statewise.foundation.shapes import Shape, check_sizes, describe
from statewise.phrasebook.guard import guard_making

_numbers = count()


class Tensor:
    """What an input or a layer will have once there are data. Made by `sw.Input` and by calling a layer.

    It holds no numbers, only how they come about; `sw.Model(x, y)` makes a model of that. `a + b`, `a - b` and `a * b`
    stand for `Add`, `Subtract` and `Multiply` of two tensors. Tensors are compared by identity.

    Attributes:
        row_shape: the shape without batch axis; None stands for any number of steps.
        layer: the `Layer` whose output it is; None for an input.
        sources: what that layer reads.
        name: of an input.

    >>> import statewise as sw
    >>> x = sw.Input((None, 8))
    >>> h = sw.LSTM(32, return_sequences=True)(x)
    >>> h.shape
    (None, None, 32)
    """

    __slots__ = ("layer", "name", "number", "row_shape", "sources")

    def __init__(self, row_shape: Shape, layer: Any = None, sources: tuple[Tensor, ...] = (), name: str = "") -> None:
        self.row_shape, self.layer, self.sources, self.name = row_shape, layer, sources, name
        self.number = next(_numbers)  # a tensor's sources have lower ones

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape with batch axis, as Keras writes it."""
        return (None, *self.row_shape)

    def __repr__(self) -> str:
        made = f"Input {self.name!r}" if self.layer is None else f"output of {type(self.layer).__name__}"
        return f"<{made}: {describe(self.row_shape)}>"

    def __add__(self, other: object) -> Tensor:
        return self._joined("Add", other)

    def __sub__(self, other: object) -> Tensor:
        return self._joined("Subtract", other)

    def __mul__(self, other: object) -> Tensor:
        return self._joined("Multiply", other)

    def _joined(self, kind: str, other: object) -> Tensor:
        """Returns what a layer of that kind makes of two tensors, as `kind()([self, other])` does."""
        if not isinstance(other, Tensor):
            raise self._no_numbers()
        from statewise import layers

        joined: Tensor = getattr(layers, kind)()([self, other])
        return joined

    def __getitem__(self, _: object) -> Any:
        raise self._no_numbers()

    def __bool__(self) -> bool:
        raise self._no_numbers()

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise self._no_numbers()

    def __iter__(self) -> Any:
        raise self._no_numbers()

    def _no_numbers(self) -> ConfigurationError:
        return ConfigurationError(
            f"{self!r} is symbolic and has no numbers: write layers such as sw.Add()([a, b]) around it, make "
            "model = sw.Model(x, y), and call model(data)"
        )


@guard_making
class Input(Tensor):
    """The input of a graph, for `sw.Model`.

    Args:
        shape: of a row: `(T, F)`, T often None for any number of steps; `(None,)` for symbols, which an `Embedding`
            reads; `(F,)` for rows without steps.
        name: what errors, drawings and files call it.

    >>> import statewise as sw
    >>> sw.Input((None, 8), name="readings")
    <Input 'readings': [B, T, 8]>

    Raises:
        ConfigurationError: that is not a shape, or not a name.
    """

    __slots__ = ()

    def __init__(self, shape: Sequence[int | None], *, name: str = "input") -> None:
        if not isinstance(name, str) or not name or "/" in name:
            raise ConfigurationError(f"Input name: expected text without '/', got {name!r}")
        super().__init__(check_sizes("Input shape", shape), name=name)


def one_tensor(what: str, given: object) -> Tensor:
    """Returns `given`, an input or output of a model, after checking that it is one symbolic tensor."""
    if isinstance(given, Tensor):
        return given
    if isinstance(given, list | tuple | dict) and any(isinstance(value, Tensor) for value in _values(given)):
        raise ConfigurationError(
            f"Model {what}: expected one tensor, got a {type(given).__name__} of {len(given)}; models with several "
            "inputs or outputs are not supported yet"
        )
    raise ConfigurationError(
        f"Model {what}: expected what sw.Input(shape) or a layer returned, got {type(given).__name__}; a list of "
        "layers makes sw.Sequential([...])"
    )


def _values(given: list[Any] | tuple[Any, ...] | dict[Any, Any]) -> list[Any]:
    return list(given.values() if isinstance(given, dict) else given)


def output_of(layer: Any, given: object) -> Tensor:
    """Returns what `layer` will output for a tensor, or for a list of those that a layer such as `Add` joins.

    Raises:
        ConfigurationError: something else was given, or another number of tensors.
        ShapeError: the layer cannot read them.
    """
    kind = type(layer).__name__
    sources = (given,) if isinstance(given, Tensor) else tuple(given) if isinstance(given, list | tuple) else ()
    if not sources or not all(isinstance(source, Tensor) for source in sources):
        raise ConfigurationError(
            f"{kind}: a layer is called with what sw.Input(shape) or another layer returned, to write a graph for "
            f"sw.Model(x, y), got {type(given).__name__}; for numbers make a model and call y, state = model(x)"
        )
    if layer.joins and isinstance(given, Tensor):
        raise ConfigurationError(f"{kind}: expected a list of tensors to join, as in {kind}()([a, b]), got one tensor")
    if not layer.joins and not isinstance(given, Tensor):
        raise ConfigurationError(
            f"{kind}: expected one tensor, got a list of {len(sources)}; sw.Concatenate()([a, b]) joins them"
        )
    if layer.input_shape is not None:
        raise ConfigurationError(f"{kind}: input_shape is that of the tensor it is called with; leave it out")
    return Tensor(layer.output_shape(*(source.row_shape for source in sources)), layer, sources)
