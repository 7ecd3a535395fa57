"""The parts of a network: its inputs, its outputs, and its nodes, which are uses of layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from statewise.errors import ConfigurationError, FileError
from statewise.foundation.shapes import Shape
from statewise.layers.attention import AttentionScores
from statewise.layers.base import Layer
from statewise.layers.final_state import FinalState
from statewise.layers.registry import layer_from_config, layer_to_config
from statewise.layers.tensors import Tensor

INPUT = -1
"""The place of a network's first input, as a source; those of the others are -2, -3, ..."""


class Node(NamedTuple):
    """A use of a layer. Nodes are in an order in which each reads only what is before it."""

    name: str
    layer: Layer
    sources: tuple[int, ...]  # places of the nodes or inputs that it reads
    weights: str  # the name of the first node of the same layer, by which the weights go
    start: tuple[int, ...] = ()  # places of what its state starts in, a value for each part; empty: as its layer says


class NetworkInput(NamedTuple):
    """What a network is given, by name."""

    name: str
    shape: Shape  # without batch axis
    axis: str  # the name of its time axis, if it has steps: those of equal axis have the same steps


class NetworkOutput(NamedTuple):
    """What a network answers, by name."""

    name: str
    place: int  # of the node


def place_of_input(number: int) -> int:
    """Returns the place of a network's input by its number, from 0."""
    return INPUT - number


def nodes_of_chain(layers: Sequence[Layer], skips: Mapping[int, int] = MappingProxyType({})) -> tuple[Node, ...]:
    """Returns a node for each layer, which reads the one before it; a layer that occurs twice has its weights once.

    `skips` has, for layers that join two values, the place of the other that they read, which comes first.
    """
    before = ((place - 1,) for place in range(len(layers)))
    return _nodes(layers, [(skips[place], *read) if place in skips else read for place, read in enumerate(before)])


class Written(NamedTuple):
    """A graph as it was written."""

    nodes: tuple[Node, ...]
    places: dict[int, int]  # of all its tensors, by their numbers


def nodes_of_graph(
    inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Mapping[int, str] = MappingProxyType({})
) -> Written:
    """Returns the nodes between inputs and outputs, in the order in which they were written.

    `known` has the names of layers that have one in another model, by their ids.

    Raises:
        ConfigurationError: the outputs do not come from those inputs, or from others, too.
    """
    found: dict[int, Tensor] = {}
    todo = list(outputs)
    while todo:
        tensor = todo.pop()
        if tensor.number not in found:
            found[tensor.number] = tensor
            todo += () if any(tensor is x for x in inputs) else (*tensor.sources, *tensor.start)
    tensors = [found[number] for number in sorted(found)]
    places = {x: place_of_input(number) for number, x in enumerate(inputs)}
    if others := [tensor for tensor in tensors if tensor.layer is None and tensor not in places]:
        raise ConfigurationError(
            f"Model: the output is made of {others[0]!r}, which is not among the inputs given, "
            f"{', '.join(map(repr, inputs))}; give it, too, or leave out the layers that read it"
        )
    if unread := [x for x in inputs if x not in tensors]:
        raise ConfigurationError(
            f"Model: no output is made of the input {unread[0]!r}; layers must lead from one to the other"
        )
    if passed := [tensor for tensor in outputs if tensor in places]:
        raise ConfigurationError(
            f"Model: expected at least one layer between input and output, got {passed[0]!r} as both"
        )
    written = [tensor for tensor in tensors if tensor not in places]
    places |= {tensor: place for place, tensor in enumerate(written)}
    made = _nodes(
        [tensor.layer for tensor in written],
        [tuple(places[source] for source in tensor.sources) for tensor in written],
        [tuple(places[source] for source in tensor.start) for tensor in written],
        known,
    )
    return Written(_name_others(made), {tensor.number: place for tensor, place in places.items()})


def _name_others(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Returns the nodes with what else layers give called after them, as `encoder_h`, where that name is free."""
    named = list(nodes)
    for place, node in enumerate(nodes):
        if isinstance(node.layer, FinalState | AttentionScores) and node.layer.name is None:
            part = node.layer.part.replace(".", "_") if isinstance(node.layer, FinalState) else "scores"
            name = f"{named[node.sources[0]].name}_{part}"
            if name not in [other.name for other in named]:
                named[place] = node._replace(name=name, weights=name)
    return tuple(named)


def _nodes(
    layers: Sequence[Layer],
    sources: Sequence[tuple[int, ...]],
    starts: Sequence[tuple[int, ...]] | None = None,
    known: Mapping[int, str] = MappingProxyType({}),
) -> tuple[Node, ...]:
    owners: dict[int, str] = {}
    starts = [()] * len(layers) if starts is None else starts
    return tuple(
        Node(name, layer, read, owners.setdefault(id(layer), name), start)
        for name, layer, read, start in zip(name_layers(layers, known), layers, sources, starts, strict=True)
    )


def name_layers(layers: Sequence[Layer], known: Mapping[int, str] = MappingProxyType({})) -> tuple[str, ...]:
    """Returns a name for each layer: its own, or its kind's with a number from the second on, as Keras does.

    A layer that occurs again gets a number, too, since its state there is another. Names in `known`, by the layers'
    ids, come first.
    """
    own = {id(layer): known.get(id(layer), layer.name) for layer in layers}
    given = [name for name in own.values() if name is not None]
    if twice := [name for name, count in Counter(given).items() if count > 1]:
        raise ConfigurationError(f"two layers are called {twice[0]!r}; give them different names")
    seen: Counter[str] = Counter()
    names: list[str] = []
    for layer in layers:
        name = None if own[id(layer)] in names else own[id(layer)]
        base = own[id(layer)] or type(layer).__name__.lower()
        while name is None:
            candidate = f"{base}_{seen[base]}" if seen[base] else base
            seen[base] += 1
            name = None if candidate in given or candidate in names else candidate
        names.append(name)
    return tuple(names)


# -- in files ----------------------------------------------------------------------------------------------------------


def nodes_to_config(nodes: Sequence[Node], inputs: Sequence[NetworkInput]) -> list[dict[str, Any]]:
    """Returns nodes as JSON holds them: `sources` and `weights` only where they are not those of a chain.

    Raises:
        ConfigurationError: a layer is of a custom class.
    """
    names = {place_of_input(number): given.name for number, given in enumerate(inputs)}
    names |= {place: node.name for place, node in enumerate(nodes)}
    entries = []
    for place, node in enumerate(nodes):
        entry = {**layer_to_config(node.name, node.layer), "name": node.name, "input_shape": None}
        if node.sources != (place - 1,):
            entry["sources"] = [names[source] for source in node.sources]
        if node.start:
            entry["start"] = [names[source] for source in node.start]
        if node.weights != node.name:
            entry["weights"] = node.weights
        entries.append(entry)
    return entries


def nodes_from_config(entries: Sequence[Mapping[str, Any]], inputs: Sequence[str]) -> tuple[Node, ...]:
    """Returns the nodes that `nodes_to_config` described, for inputs of these names.

    Raises:
        FileError: there is no such layer, or a node reads something that is not before it.
        ConfigurationError: an option of a layer is out of its range.
    """
    places = {name: place_of_input(number) for number, name in enumerate(inputs)}
    owners: dict[str, Layer] = {}
    nodes: list[Node] = []
    for place, entry in enumerate(entries):
        options = {name: value for name, value in entry.items() if name not in ("sources", "start", "weights")}
        name = entry["name"]
        sources = _places(entry, "sources", places) if "sources" in entry else (place - 1,)
        start = _places(entry, "start", places) if "start" in entry else ()
        weights = entry.get("weights", name)
        if weights == name:
            owners[name] = layer_from_config(options)
        elif weights not in owners:
            raise FileError(f"layer {name!r} has the weights of {weights!r}: expected a layer before it")
        nodes.append(Node(name, owners[weights], sources, weights, start))
        places[name] = place
    return tuple(nodes)


def inputs_from_config(config: Mapping[str, Any]) -> tuple[NetworkInput, ...]:
    """Returns the inputs of the network that `Graph.config` described."""
    if "inputs" not in config:
        name = config.get("input_name", "input")
        return (NetworkInput(name, tuple(config["input_shape"]), name),)
    return tuple(NetworkInput(x["name"], tuple(x["shape"]), x["axis"]) for x in config["inputs"])


def outputs_from_config(config: Mapping[str, Any], nodes: Sequence[Node]) -> tuple[NetworkOutput, ...]:
    """Returns the outputs of the network that `Graph.config` described.

    Raises:
        FileError: an output is not made by a layer, or two inputs or two outputs have one name.
    """
    if "outputs" not in config:
        return (NetworkOutput(nodes[-1].name, len(nodes) - 1),)
    places = {node.name: place for place, node in enumerate(nodes)}
    if unknown := [y["layer"] for y in config["outputs"] if y["layer"] not in places]:
        raise FileError(f"outputs: expected names of layers, got {unknown[0]!r:.60}")
    names = [[part["name"] for part in config[field]] for field in ("inputs", "outputs")]
    if not all(found and len(set(found)) == len(found) for found in names):
        raise FileError(f"inputs, outputs: expected different names, got {names!r:.100}")
    return tuple(NetworkOutput(y["name"], places[y["layer"]]) for y in config["outputs"])


def _places(entry: Mapping[str, Any], field: str, places: Mapping[str, int]) -> tuple[int, ...]:
    unknown = [source for source in entry[field] if source not in places]
    if unknown or not entry[field]:
        raise FileError(f"layer {entry['name']!r} reads {entry[field]!r:.60}: expected what is before it")
    return tuple(places[source] for source in entry[field])
