"""A stack of layers, and its network once the input shape is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from statewise.errors import ConfigurationError, LifecycleError, unknown_name
from statewise.foundation.shapes import Shape, describe
from statewise.layers import Embedding, Layer
from statewise.layers.nodes import NetworkInput, NetworkOutput, Node, Written, name_layers, nodes_of_chain
from statewise.layers.residual import Residual, Stacked
from statewise.layers.signals import symbols_of
from statewise.layers.tensors import Tensors
from statewise.network import Network


@dataclass(frozen=True)
class LayerStack:
    """Layers in order, as a value."""

    layers: tuple[Layer, ...] = ()
    network: Network | None = None  # None until the input shape is known
    skips: Mapping[int, int] = field(default_factory=dict)  # for each Add of a Residual, the place of what it adds

    @classmethod
    def of_graph(cls, given: Tensors, made: Tensors, written: Written) -> LayerStack:
        """Returns the layers between inputs and outputs, with their network.

        Raises:
            ConfigurationError: the outputs are not made of those inputs alone, or names do not fit.
            ShapeError: a layer does not fit.
        """
        nodes, places = written.nodes, [written.places[tensor.number] for tensor in made.tensors]
        layers = list({id(node.layer): node.layer for node in nodes}.values())
        for place, layer in enumerate(layers):
            check_not_shared(layers[:place], layer)
        inputs = name_inputs(given, [node.name for node in nodes])
        outputs = tuple(
            NetworkOutput(nodes[place].name if key is None else key, place)
            for key, place in zip(made.names, places, strict=True)
        )
        return cls.of_network(Network(nodes, inputs, outputs).checked().free_in_steps())

    @classmethod
    def of_network(cls, network: Network) -> LayerStack:
        """Returns the layers of a network, with it."""
        joining = ((place, node) for place, node in enumerate(network.nodes) if len(node.sources) == 2)
        skips = {place: node.sources[0] for place, node in joining if node.sources[1] == place - 1}
        return cls(network.layers, network, skips)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each layer, the same as of its node in the network."""
        return name_layers(self.layers) if self.network is None else self.network.names

    @property
    def named_layers(self) -> list[Layer]:
        """The layers, each once and with its name."""
        named: dict[int, Layer] = {}
        for layer, name in zip(self.layers, self.names, strict=True):
            named.setdefault(id(layer), replace(layer, name=name))
        return list(named.values())

    @property
    def reads_symbols(self) -> bool:
        """Whether the input is integers, which have no feature axis."""
        if self.network is not None:
            return self.network.symbols is not None
        return any(isinstance(layer, Embedding) for layer in self.layers[:1])

    def with_part(self, part: Stacked) -> LayerStack:
        """Returns the stack with one more layer, or with those of a Residual; errors as in `with_layer`."""
        if not isinstance(part, Residual):
            return self.with_layer(part)
        stack, before = self, len(self.layers) - 1
        for inner in part.layers:
            stack = stack.with_part(inner)
        skips = {**stack.skips, len(stack.layers): before}
        return replace(stack, skips=skips).with_layer(part.add)

    def with_layer(self, layer: Layer) -> LayerStack:
        """Returns the stack with one more layer.

        Raises:
            ConfigurationError: it is not a layer, has an input_shape but is not the first, or is inside a layer of the
                stack. A layer that is in the stack already has its weights there once, and another state.
            ShapeError: it does not fit the layer before it.
        """
        if not isinstance(layer, Layer):
            raise ConfigurationError(f"expected a layer such as LSTM(32), got {layer!r}")
        if layer.parts_of_output:
            raise ConfigurationError(
                f"{type(layer).__name__}(merge_mode=None): expected one output, got two, which only sw.Model can give "
                "to other layers; write merge_mode='concat'"
            )
        if not any(layer is other for other in self.layers):
            check_not_shared(self.layers, layer)
        if self.layers and layer.input_shape is not None and layer is not self.layers[0]:
            raise ConfigurationError("only the first layer takes input_shape; the shapes of the others follow from it")
        layers = (*self.layers, layer)
        name_layers(layers)  # raises if a name is taken
        shape = layers[0].input_shape  # may include the number of steps, which the network omits
        if shape is None and self.network is not None:
            shape = self.network.input_shape
        _check_returned_states(layers[:-1])
        network = None if shape is None else _chain(nodes_of_chain(layers, self.skips), shape)
        return LayerStack(layers, network, self.skips)

    def with_trainable(self, names: Collection[str], trainable: bool) -> LayerStack:
        """Returns the stack whose layers of these names are `trainable` or not; weights and states stay the same."""
        changed = {
            id(layer): replace(layer, trainable=trainable)
            for name, layer in zip(self.names, self.layers, strict=True)
            if name in names
        }
        layers = tuple(changed.get(id(layer), layer) for layer in self.layers)
        if self.network is None:
            return replace(self, layers=layers)
        pairs = zip(self.network.nodes, layers, strict=True)
        nodes = tuple(node._replace(layer=layer) for node, layer in pairs)
        return replace(self, layers=layers, network=replace(self.network, nodes=nodes))

    def built_for(self, input_shape: Shape) -> LayerStack:
        """Returns the stack with its network for an input shape, given without the batch axis.

        Raises:
            LifecycleError: there are no layers, or the network is already built for another shape.
            ShapeError: a layer does not fit.
        """
        if not self.layers:
            raise LifecycleError("the model has no layers; model.add(LSTM(32)) adds one")
        network = _chain(nodes_of_chain(self.layers, self.skips), input_shape)
        if self.network is None:
            return replace(self, network=network)
        if network.input_shape != self.network.input_shape:
            raise LifecycleError(
                f"the model is built for {describe(self.network.input_shape)}, got {describe(network.input_shape)}; "
                "make a new Sequential for another input"
            )
        return self


def matching(names: Sequence[str], patterns: Sequence[str]) -> set[str]:
    """Returns the names that match one of the patterns, in which `*` and `?` stand for any characters.

    Raises:
        ConfigurationError: a pattern matches none, or there are no patterns.
    """
    if not patterns:
        raise ConfigurationError(f"expected names of layers, such as {names[0]!r}; '*' means all")
    found: set[str] = set()
    for pattern in patterns:
        fitting = {name for name in names if isinstance(pattern, str) and fnmatchcase(name, pattern)}
        if not fitting:
            raise unknown_name("layer", pattern, names)
        found |= fitting
    return found


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
            f"sharing weights is not supported here; write {kind}(...) again for the second position"
        )


def name_inputs(given: Tensors, taken: Collection[str]) -> tuple[NetworkInput, ...]:
    """Returns the inputs of a graph with their names: their own, a dict's keys, or "input", "input_1", ...

    Raises:
        ConfigurationError: two have one name, or that of a layer, or an input has another one than its key.
    """
    named = [tensor.name for tensor in given.tensors if getattr(tensor, "named", True) and tensor.name]
    inputs: list[NetworkInput] = []
    for tensor, key in zip(given.tensors, given.names, strict=True):
        own = tensor.name if getattr(tensor, "named", True) and tensor.name else None
        if key is not None and own not in (None, key):
            raise ConfigurationError(
                f"Model inputs: the key {key!r} is given to {tensor!r}; call both the same, as in "
                f"{{{own!r}: sw.Input(shape, name={own!r})}}"
            )
        name = key or own or _free("input", {*named, *(given.name for given in inputs)})
        if name in [other.name for other in inputs]:
            raise ConfigurationError(
                f"Model inputs: two are called {name!r}; name them, as in sw.Input(shape, name='x')"
            )
        if name in taken:
            raise ConfigurationError(
                f"Model: the input and a layer are both called {name!r}; name the input, as in "
                "sw.Input(shape, name='x')"
            )
        inputs.append(NetworkInput(name, tensor.row_shape, getattr(tensor, "axis", None) or name))
    return tuple(inputs)


def _free(base: str, taken: Collection[str]) -> str:
    """Returns `base`, or the first of `base_1`, `base_2`, ... that is not taken."""
    numbered = (base, *(f"{base}_{number}" for number in range(1, len(taken) + 1)))
    return next(name for name in numbered if name not in taken)


def _check_returned_states(layers: Sequence[Layer]) -> None:
    """Raises ConfigurationError if a layer of a stack that is not the last returns its state."""
    for layer in layers:
        if layer.returns_state:
            raise ConfigurationError(
                f"{type(layer).__name__}(return_state=True): expected on the last layer only; every layer's state "
                "comes out of y, state = model(x), and sw.Model can give it to other layers"
            )


def _chain(nodes: tuple[Node, ...], input_shape: Shape) -> Network:
    """Returns the network, with a variable number of steps if possible: T may differ between calls."""
    has_steps = len(input_shape) == 2 or symbols_of(nodes) is not None
    if has_steps and any(node.layer.needs_steps for node in nodes):
        return Network.of_nodes(nodes, input_shape).free_in_steps()
    return Network.of_nodes(nodes, (None, *input_shape[1:]) if has_steps else input_shape)
