"""A stack of layers, and its network once the input shape is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from statewise.errors import ConfigurationError, LifecycleError
from statewise.foundation.shapes import Shape, describe
from statewise.layers import Embedding, Layer
from statewise.network import Network, name_layers


@dataclass(frozen=True)
class LayerStack:
    """Layers in order, as a value."""

    layers: tuple[Layer, ...] = ()
    network: Network | None = None  # None until the input shape is known

    @property
    def named_layers(self) -> list[Layer]:
        """The layers, each with its name."""
        return [replace(layer, name=name) for layer, name in zip(self.layers, name_layers(self.layers), strict=True)]

    @property
    def reads_symbols(self) -> bool:
        """Whether the input is integers, which have no feature axis."""
        return any(isinstance(layer, Embedding) for layer in self.layers[:1])

    def with_layer(self, layer: Layer) -> LayerStack:
        """Returns the stack with one more layer.

        Raises:
            ConfigurationError: it is not a layer, has an input_shape but is not the first, or is already in the stack,
                by itself or inside another layer.
            ShapeError: it does not fit the layer before it.
        """
        if not isinstance(layer, Layer):
            raise ConfigurationError(f"expected a layer such as LSTM(32), got {layer!r}")
        check_not_shared(self.layers, layer)
        if self.layers and layer.input_shape is not None:
            raise ConfigurationError("only the first layer takes input_shape; the shapes of the others follow from it")
        layers = (*self.layers, layer)
        name_layers(layers)  # raises if a name is taken
        shape = layers[0].input_shape  # may include the number of steps, which the network omits
        if shape is None and self.network is not None:
            shape = self.network.input_shape
        return LayerStack(layers, None if shape is None else _network(layers, shape))

    def built_for(self, input_shape: Shape) -> LayerStack:
        """Returns the stack with its network for an input shape, given without the batch axis.

        Raises:
            LifecycleError: there are no layers, or the network is already built for another shape.
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
    """Raises ConfigurationError if `layer`, or a layer inside it, is the same object as one in `layers`.

    Equal but separate objects are separate layers.
    """
    existing = {id(part) for other in layers for part in other.parts}
    shared = next((part for part in layer.parts if id(part) in existing), None)
    if shared is not None:
        kind = type(shared).__name__
        raise ConfigurationError(
            f"{kind}: expected a separate layer for each position, got one object in two positions of the model; "
            f"sharing weights is not supported yet; write {kind}(...) again for the second position"
        )


def _network(layers: tuple[Layer, ...], input_shape: Shape) -> Network:
    """Returns the network, with a variable number of steps if possible: T may differ between calls."""
    steps_first = len(input_shape) == 2 or isinstance(layers[0], Embedding)
    if steps_first and any(layer.needs_steps for layer in layers):
        return Network.of(layers, input_shape).free_in_steps()
    return Network.of(layers, (None, *input_shape[1:]) if steps_first else input_shape)
