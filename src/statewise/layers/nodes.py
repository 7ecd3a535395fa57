"""The nodes of a network: uses of layers, what each of them reads, and whose weights it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from statewise.errors import ConfigurationError, FileError
from statewise.layers.base import Layer
from statewise.layers.registry import layer_from_config, layer_to_config
from statewise.layers.tensors import Tensor

INPUT = -1
"""The network's input, as a source."""


class Node(NamedTuple):
    """A use of a layer. Nodes are in an order in which each reads only what is before it."""

    name: str
    layer: Layer
    sources: tuple[int, ...]  # places of the nodes it reads, or INPUT
    weights: str  # the name of the first node of the same layer, by which the weights go


def nodes_of_chain(layers: Sequence[Layer], skips: Mapping[int, int] = MappingProxyType({})) -> tuple[Node, ...]:
    """Returns a node for each layer, which reads the one before it; a layer that occurs twice has its weights once.

    `skips` has, for layers that join two values, the place of the other that they read, which comes first.
    """
    before = ((place - 1,) for place in range(len(layers)))
    return _nodes(layers, [(skips[place], *read) if place in skips else read for place, read in enumerate(before)])


def nodes_of_graph(x: Tensor, y: Tensor) -> tuple[Node, ...]:
    """Returns the nodes between an input and an output, in the order in which they were written.

    Raises:
        ConfigurationError: the output does not come from that input, or from another one, too.
    """
    found: dict[int, Tensor] = {}
    todo = [y]
    while todo:
        tensor = todo.pop()
        if tensor.number not in found:
            found[tensor.number] = tensor
            todo += tensor.sources
    tensors = [found[number] for number in sorted(found)]
    if others := [tensor for tensor in tensors if tensor.layer is None and tensor is not x]:
        raise ConfigurationError(
            f"Model: the output is made of {others[0]!r}, which is not the input given, {x!r}; a model reads one input"
        )
    if x not in tensors:
        raise ConfigurationError(
            f"Model: the output is not made of the input {x!r}; layers must lead from one to the other"
        )
    if y is x:
        raise ConfigurationError("Model: expected at least one layer between input and output")
    written = [tensor for tensor in tensors if tensor.layer is not None]
    places = {x: INPUT} | {tensor: place for place, tensor in enumerate(written)}
    layers = [tensor.layer for tensor in written if tensor.layer is not None]
    nodes = _nodes(layers, [tuple(places[source] for source in tensor.sources) for tensor in written])
    if x.name in [node.name for node in nodes]:
        raise ConfigurationError(
            f"Model: the input and a layer are both called {x.name!r}; name the input, as in sw.Input(shape, name='x')"
        )
    return nodes


def _nodes(layers: Sequence[Layer], sources: Sequence[tuple[int, ...]]) -> tuple[Node, ...]:
    owners: dict[int, str] = {}
    return tuple(
        Node(name, layer, read, owners.setdefault(id(layer), name))
        for name, layer, read in zip(name_layers(layers), layers, sources, strict=True)
    )


def name_layers(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Returns a name for each layer: its own, or its kind's with a number from the second on, as Keras does.

    A layer that occurs again gets a number, too, since its state there is another.
    """
    given = [layer.name for layer in {id(layer): layer for layer in layers}.values() if layer.name is not None]
    if twice := [name for name, count in Counter(given).items() if count > 1]:
        raise ConfigurationError(f"two layers are called {twice[0]!r}; give them different names")
    seen: Counter[str] = Counter()
    names: list[str] = []
    for layer in layers:
        name = None if layer.name in names else layer.name
        base = layer.name or type(layer).__name__.lower()
        while name is None:
            candidate = f"{base}_{seen[base]}" if seen[base] else base
            seen[base] += 1
            name = None if candidate in given or candidate in names else candidate
        names.append(name)
    return tuple(names)


# -- in files ----------------------------------------------------------------------------------------------------------


def nodes_to_config(nodes: Sequence[Node], input_name: str) -> list[dict[str, Any]]:
    """Returns nodes as JSON holds them: `sources` and `weights` only where they are not those of a chain.

    Raises:
        ConfigurationError: a layer is of a custom class.
    """
    entries = []
    for place, node in enumerate(nodes):
        entry = {**layer_to_config(node.name, node.layer), "name": node.name, "input_shape": None}
        if node.sources != (place - 1,):
            entry["sources"] = [input_name if source == INPUT else nodes[source].name for source in node.sources]
        if node.weights != node.name:
            entry["weights"] = node.weights
        entries.append(entry)
    return entries


def nodes_from_config(entries: Sequence[Mapping[str, Any]], input_name: str) -> tuple[Node, ...]:
    """Returns the nodes that `nodes_to_config` described.

    Raises:
        FileError: there is no such layer, or a node reads something that is not before it.
        ConfigurationError: an option of a layer is out of its range.
    """
    places = {input_name: INPUT}
    owners: dict[str, Layer] = {}
    nodes: list[Node] = []
    for place, entry in enumerate(entries):
        options = {name: value for name, value in entry.items() if name not in ("sources", "weights")}
        name = entry["name"]
        sources: tuple[int, ...] = (place - 1,)
        if "sources" in entry:
            unknown = [source for source in entry["sources"] if source not in places]
            if unknown or not entry["sources"]:
                raise FileError(f"layer {name!r} reads {entry['sources']!r:.60}: expected what is before it")
            sources = tuple(places[source] for source in entry["sources"])
        weights = entry.get("weights", name)
        if weights == name:
            owners[name] = layer_from_config(options)
        elif weights not in owners:
            raise FileError(f"layer {name!r} has the weights of {weights!r}: expected a layer before it")
        nodes.append(Node(name, owners[weights], sources, weights))
        places[name] = place
    return tuple(nodes)
