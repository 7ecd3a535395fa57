"""Layers stacked one on another, and the network that they are once the shape of the input is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from statewise.errors import ConfigurationError, LifecycleError
from statewise.foundation.shapes import Shape, describe
from statewise.layers import Embedding, Layer
from statewise.network import Network, name_layers


@dataclass(frozen=True)
class Stack:
    """Layers in their order, as a value."""

    layers: tuple[Layer, ...] = ()
    network: Network | None = None  # None until the shape of the input is known

    @property
    def named_layers(self) -> list[Layer]:
        """The layers, each with its name."""
        return [replace(layer, name=name) for layer, name in zip(self.layers, name_layers(self.layers), strict=True)]

    @property
    def reads_symbols(self) -> bool:
        """Whether the input is whole numbers, which have no axis of features."""
        return any(isinstance(layer, Embedding) for layer in self.layers[:1])

    def with_layer(self, layer: Layer) -> Stack:
        """Returns the stack with one more layer on top.

        Raises:
            ConfigurationError: it is no layer, names an input though it is not the first, or is in the stack already,
                by itself or inside another.
            ShapeError: it does not fit the layer below it.
        """
        if not isinstance(layer, Layer):
            raise ConfigurationError(f"expected a layer such as LSTM(32), got {layer!r}")
        check_not_shared(self.layers, layer)
        if self.layers and layer.input_shape is not None:
            raise ConfigurationError("only the first layer takes input_shape; the others follow from it")
        layers = (*self.layers, layer)
        name_layers(layers)  # refuses a name that is taken
        shape = layers[0].input_shape  # the network may have forgotten its number of steps
        if shape is None and self.network is not None:
            shape = self.network.input_shape
        return Stack(layers, None if shape is None else _network(layers, shape))

    def built_for(self, input_shape: Shape) -> Stack:
        """Returns the stack with its network for input of that shape, given without the batch axis.

        Raises:
            LifecycleError: there are no layers, or the network is built already, for another shape.
            ShapeError: a layer does not fit.
        """
        if not self.layers:
            raise LifecycleError("the model has no layers; model.add(LSTM(32)) adds one")
        network = _network(self.layers, input_shape)
        if self.network is None:
            return replace(self, network=network)
        if network.input_shape != self.network.input_shape:
            raise LifecycleError(
                f"the model is built for {describe(self.network.input_shape)}, got {describe(network.input_shape)}; "
                "make a new Sequential for another input"
            )
        return self


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


def _network(layers: tuple[Layer, ...], input_shape: Shape) -> Network:
    """Returns the network, free in its number of steps if that can be: T may differ from call to call."""
    steps_first = len(input_shape) == 2 or isinstance(layers[0], Embedding)
    if steps_first and any(layer.needs_steps for layer in layers):
        return Network.of(layers, input_shape).free_in_steps()
    return Network.of(layers, (None, *input_shape[1:]) if steps_first else input_shape)
