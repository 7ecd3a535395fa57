"""What a model is before it learns: layers, their weights, and the seed that all randomness derives from."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import numpy as np

from statewise.errors import ConfigurationError, LifecycleError, ShapeError
from statewise.foundation.engine import keep_compiled_programs, on_device
from statewise.foundation.random import fold_in, key_of
from statewise.foundation.shapes import Array, Shape, as_array, check_finite, check_seed, check_sizes, describe
from statewise.layers import Embedding, Layer
from statewise.network import Network, NetworkParams, name_layers, summarize


class Definition:
    """A stack of layers, built as soon as the input's shape is known."""

    def __init__(self, layers: Iterable[Layer], seed: int) -> None:
        keep_compiled_programs()
        self.seed = check_seed(seed)
        self._layers: list[Layer] = []
        self._network: Network | None = None
        self._params: NetworkParams = {}
        self._trained = False  # whether the weights are other than random
        if not isinstance(layers, Iterable):
            raise ConfigurationError(f"layers: expected a list such as [LSTM(32), Dense(1)], got {layers!r}")
        for layer in layers:
            self.add(layer)

    def add(self, layer: Layer) -> None:
        """Appends a layer.

        Raises:
            ConfigurationError: it is no layer, names an input though it is not the first, or is in the model already,
                by itself or inside another.
            LifecycleError: the model is trained already.
            ShapeError: it does not fit the layer before it.
        """
        if not isinstance(layer, Layer):
            raise ConfigurationError(f"expected a layer such as LSTM(32), got {layer!r}")
        if self._trained:
            raise LifecycleError("layers are added before training; make a new Sequential")
        check_not_shared(self._layers, layer)
        if self._layers and layer.input_shape is not None:
            raise ConfigurationError("only the first layer takes input_shape; the others follow from it")
        name_layers([*self._layers, layer])  # refuses a name that is taken
        shape = (self._layers or [layer])[0].input_shape  # a network may have forgotten its number of steps
        if shape is None and self._network is not None:
            shape = self._network.input_shape
        network = None if shape is None else _network([*self._layers, layer], shape)
        self._layers.append(layer)
        if network is not None:
            self._adopt(network)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for input of a shape given with its batch axis, as in Keras: `(None, T, F)`.

        Raises:
            ConfigurationError: that is no shape.
            LifecycleError: there are no layers, or the weights are there already, for another shape.
            ShapeError: a layer does not fit.
        """
        shape = check_sizes("input_shape", input_shape)[1:]
        if not self._layers:
            raise LifecycleError("the model has no layers; model.add(LSTM(32)) adds one")
        network = _network(self._layers, shape)
        if self._network is None:
            self._adopt(network)
        elif network.input_shape != self._network.input_shape:
            raise LifecycleError(
                f"the model is built for {describe(self._network.input_shape)}, got {describe(network.input_shape)}; "
                "make a new Sequential for another input"
            )

    def _adopt(self, network: Network) -> None:
        self._network = network
        self._params = network.init(fold_in(key_of(self.seed), 0))

    @property
    def network(self) -> Network:
        """The layers with their names and shapes.

        Raises:
            LifecycleError: the model does not know its input yet.
        """
        if self._network is None:
            raise LifecycleError(
                "the model does not know its input yet: fit it, call model.build((None, T, F)), or give the first "
                "layer input_shape=(T, F)"
            )
        return self._network

    @property
    def params(self) -> NetworkParams:
        """Weights by layer and name, as arrays that cannot be changed."""
        self.network  # noqa: B018 - raises where there are no weights yet
        return self._params

    def summary(self) -> None:
        """Prints layers, output shapes and numbers of weights."""
        sys.stdout.write(summarize(self.network, self.params) + "\n")

    def get_weights(self) -> list[Array]:
        """Returns copies of all weights in Keras's order: for LSTM kernel, recurrent_kernel, bias."""
        return [np.array(self.params[layer][weight]) for layer, weight in self._weight_names()]

    def set_weights(self, weights: Sequence[object]) -> None:
        """Replaces all weights by those of `weights`, ordered and shaped as `get_weights` returns them.

        Raises:
            ShapeError: another number of arrays, or other shapes.
            DataError: NaN among them.
        """
        names = self._weight_names()
        if not isinstance(weights, list | tuple):
            raise ShapeError(f"weights: expected a list of {len(names)} arrays, got {type(weights).__name__}")
        arrays = [as_array("weights", weight).astype(np.float32) for weight in weights]
        expected = [self.params[layer][weight].shape for layer, weight in names]
        if [array.shape for array in arrays] != expected:
            raise ShapeError(
                f"weights: expected shapes {[list(shape) for shape in expected]}, "
                f"got {[list(array.shape) for array in arrays]}"
            )
        for (layer, weight), array in zip(names, arrays, strict=True):
            check_finite(f"weights of {layer}/{weight}", array)
        params: NetworkParams = {name: {} for name in self.network.names}
        for (layer, weight), array in zip(names, arrays, strict=True):
            params[layer][weight] = on_device(array)
        self._params, self._trained = params, True

    def _weight_names(self) -> list[tuple[str, str]]:
        parts = zip(self.network.names, self.network.layers, strict=True)
        return [(name, weight) for name, layer in parts for weight in layer.weight_names]


def check_not_shared(layers: Iterable[Layer], layer: Layer) -> None:
    """Raises ConfigurationError if `layer`, or one inside it, is the very object that is among `layers` already.

    Two layers that are equal are two layers.
    """
    there = {id(part) for other in layers for part in other.parts}
    twice = next((part for part in layer.parts if id(part) in there), None)
    if twice is not None:
        kind = type(twice).__name__
        raise ConfigurationError(
            f"{kind}: expected a layer of its own for each place, got one object in two places of the model, which do "
            f"not share weights yet; write {kind}(...) once more for the second place"
        )


def _network(layers: Sequence[Layer], input_shape: Shape) -> Network:
    """Returns the network, free in its number of steps if that can be: T may differ from call to call."""
    steps_first = len(input_shape) == 2 or isinstance(layers[0], Embedding)
    if steps_first and any(layer.needs_steps for layer in layers):
        return Network.of(layers, input_shape).free_in_steps()
    return Network.of(layers, (None, *input_shape[1:]) if steps_first else input_shape)
