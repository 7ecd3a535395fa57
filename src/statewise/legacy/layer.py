"""What all layers have in common: Keras's arguments outside, a statewise layer inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

import statewise as sw
from statewise.errors import LifecycleError, ShapeError
from statewise.foundation.shapes import Array, Shape
from statewise.legacy.errors import FUNCTIONAL, TRAINABLE, not_there, unsupported
from statewise.legacy.initializers import Initializer
from statewise.legacy.names import fresh_name
from statewise.legacy.spellings import note
from statewise.phrasebook.reasons import FLOAT32


class Model(Protocol):
    """What a layer asks of the model that it is in."""

    layers: list[Layer]

    @property
    def core(self) -> sw.Sequential:
        """The statewise model that does the work."""

    @property
    def input_shape(self) -> Shape:
        """The shape of the input, batch axis included."""


class Layer:
    """A layer with Keras's arguments; `core` is statewise's.

    Args:
        input_shape: shape of a row of the network's input, on the first layer only.
        batch_input_shape: the same, preceded by the batch size.
        input_dim: the last size of `input_shape`.
        input_length: the first one.
        batch_size: rows of a batch.
        name: the layer's name.
        trainable: False is not supported.
        dtype: `float32`, the only one.
        weights: initial weights, as `get_weights` returns them.
    """

    core: sw.layers.Layer
    options: dict[str, Any]
    """What it was made with, in Keras 2's words."""
    stateful = False

    def __init__(
        self,
        *,
        input_shape: Sequence[int | None] | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
        input_dim: int | None = None,
        input_length: int | None = None,
        batch_size: int | None = None,
        name: str | None = None,
        trainable: bool = True,
        dtype: object = None,
        weights: Sequence[Array] | None = None,
    ) -> None:
        kind = type(self).__name__
        if not trainable:
            raise unsupported(f"{kind}(trainable=False)", TRAINABLE)
        if not _is_supported(dtype):
            raise unsupported(f"{kind}(dtype={dtype!r})", FLOAT32.said())
        self.given_name, self.name = name, name or fresh_name(kind)
        self.start_weights, self.model = weights, None
        self.batch_size, self.row_shape = batch_size, None if input_shape is None else tuple(input_shape)
        if batch_input_shape is not None:
            self.batch_size, *rest = batch_input_shape
            self.row_shape = tuple(rest)
            if self.batch_size is not None:
                note("batch_input_shape=(b, t, f)", "input_shape=(t, f) here, and model.fit(..., batch_size=b)")
        elif input_dim is not None:
            note("input_dim=", "input_shape=(t, f)")
            self.row_shape = self._shape_of_features(input_dim, input_length)
        elif input_length is not None and self.row_shape is None:
            self.row_shape = (input_length,)
        self.initial: dict[str, Initializer | None] = {}

    batch_size: int | None
    row_shape: Shape | None
    model: Model | None

    def _shape_of_features(self, features: int, steps: int | None) -> Shape:
        return (features,) if steps is None else (steps, features)

    # -- what a script may ask of a layer ----------------------------------------------------------------------

    @property
    def states(self) -> list[Array]:
        """The state of a stateful layer: h, and c of an LSTM, each `[B, H]`; empty before the first batch."""
        core, place = self._in_core()
        return [] if core.state is None else [np.asarray(part) for part in core.state[core.network.names[place]]]

    def get_weights(self) -> list[Array]:
        """Returns copies of the layer's weights."""
        core, place = self._in_core()
        return core.get_weights()[_places(core, place)]

    def set_weights(self, weights: Sequence[Array]) -> None:
        """Replaces the layer's weights."""
        core, place = self._in_core()
        found, places = core.get_weights(), _places(core, place)
        if len(weights) != places.stop - places.start:
            raise ShapeError(f"weights of {self.name!r}: expected {places.stop - places.start}, got {len(weights)}")
        found[places] = [np.asarray(weight) for weight in weights]
        core.set_weights(found)

    def count_params(self) -> int:
        """Returns the number of weights."""
        return sum(weight.size for weight in self.get_weights())

    @property
    def weights(self) -> list[Array]:
        """Copies of the layer's weights."""
        return self.get_weights()

    @property
    def input_shape(self) -> Shape:
        """The shape of what comes in, the batch axis included."""
        return self._shape_at(0)

    @property
    def output_shape(self) -> Shape:
        """The shape of what comes out, the batch axis included."""
        return self._shape_at(1)

    def _shape_at(self, end: int) -> Shape:
        """Returns the shape of what comes in (0) or out (1)."""
        core, place = self._in_core()
        batch, *row = self._in_model().input_shape
        given = core.network.inputs[0]._replace(shape=tuple(row))
        network = replace(core.network, inputs=(given,))
        return (batch, *(network.signals[place].shape if end else network.read_shape(network.nodes[place])))

    def get_config(self) -> dict[str, Any]:
        """Returns the layer's options in Keras 2's words, as JSON holds them."""
        config = {name: plain(value) for name, value in self.options.items()}
        if self.row_shape is not None:
            config |= {"batch_input_shape": plain([self.batch_size, *self.row_shape])}
        return config | {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """Returns the layer that `get_config` described."""
        return cls(**config)

    def __getattr__(self, name: str) -> Any:
        if name in vars(self).get("options", ()):
            return self.options[name]
        if name in vars(vars(self).get("core", self)):  # an option that was not given
            return getattr(self.core, name)
        raise not_there(name, f"{type(self).__name__}(...).{name}", "docs/legacy.md lists what a layer has")

    def _in_model(self) -> Model:
        if self.model is None:
            raise LifecycleError(f"{type(self).__name__} is not in a model yet; call model.add(layer) first")
        return self.model

    def _in_core(self) -> tuple[sw.Sequential, int]:
        """Returns the model of statewise's that the layer works in, and its place there."""
        model = self._in_model()
        return model.core, model.layers.index(self)

    @property
    def trainable(self) -> bool:
        """True: all weights are trained."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not value:
            raise unsupported("layer.trainable = False", TRAINABLE)

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Raises UnsupportedError: that is how the functional Model(inputs, outputs) is made."""
        raise unsupported(f"{type(self).__name__}(...)(x)", FUNCTIONAL)


def _places(core: sw.Sequential, place: int) -> slice:
    """Returns which of all weights are those of the layer at `place`."""
    counts = [len(layer.weight_names) for layer in core.network.layers]
    return slice(sum(counts[:place]), sum(counts[: place + 1]))


def _is_supported(dtype: Any) -> bool:
    try:
        return dtype is None or np.dtype(dtype).name in ("float32", "int32", "int64")
    except TypeError:
        return False


def described(layer: Layer) -> dict[str, Any]:
    """Returns a layer's class and options, as JSON holds them."""
    return {"class_name": type(layer).__name__, "config": layer.get_config()}


def plain(value: Any) -> Any:
    """Returns an option as JSON holds it."""
    if isinstance(value, Layer):
        return described(value)
    if isinstance(value, Initializer | sw.L1L2):
        config = value.get_config() if isinstance(value, Initializer) else value.config()
        return {"class_name": type(value).__name__, "config": plain(config)}
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        return value.item()
    return value.__name__ if callable(value) else value
