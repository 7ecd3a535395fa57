"""Parts of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from statewise.errors import ConfigurationError
from statewise.layers.nodes import INPUT, NetworkInput, NetworkOutput, place_of_input
from statewise.network.network import Network


def split_at_memory(network: Network) -> tuple[Network, Network]:
    """Returns the first layers, which all that follows reads and that have no memory, and the rest."""
    count = 0
    for node in network.nodes:
        users = sum(count - 1 in other.sources for other in network.nodes)
        if node.sources != (count - 1,) or users > 1 or node.layer.has_memory:
            break
        count += 1
    shape = network.signals[count - 1].shape if count else network.input_shape
    given, output = network.inputs[0]._replace(shape=shape), network.outputs[0]
    moved = tuple(
        node._replace(sources=tuple(max(source - count, INPUT) for source in node.sources))
        for node in network.nodes[count:]
    )
    front = replace(network, nodes=network.nodes[:count], outputs=(output._replace(place=count - 1),))
    rest = replace(network, nodes=moved, inputs=(given,), outputs=(output._replace(place=output.place - count),))
    return front, rest


def between(network: Network, inputs: Mapping[str, int], outputs: Mapping[str, int]) -> Network:
    """Returns the part of a network between some of its values, given by name and place.

    Raises:
        ConfigurationError: an output is made of other inputs, too, or is one of the inputs.
    """
    cut = set(inputs.values())
    if passed := [name for name, place in outputs.items() if place in cut or place < 0]:
        raise ConfigurationError(f"submodel: expected at least one layer between inputs and the output {passed[0]!r}")
    needed, todo = set[int](), list(outputs.values())
    while todo:
        place = todo.pop()
        if place in cut or place in needed:
            continue
        if place < 0:
            raise ConfigurationError(
                f"submodel: the outputs are made of the input {network.name_of(place)!r}, too; give it, too"
            )
        needed.add(place)
        todo += (*network.nodes[place].sources, *network.nodes[place].start)
    places = {place: place_of_input(number) for number, place in enumerate(inputs.values())}
    places |= {place: number for number, place in enumerate(sorted(needed))}
    nodes = [network.nodes[place] for place in sorted(needed)]
    moved = tuple(
        node._replace(
            sources=tuple(places[source] for source in node.sources),
            start=tuple(places[source] for source in node.start),
        )
        for node in nodes
    )
    given = tuple(_as_input(network, name, place) for name, place in inputs.items())
    made = tuple(NetworkOutput(name, places[place]) for name, place in outputs.items())
    return Network(moved, given, made).checked()


def _as_input(network: Network, name: str, place: int) -> NetworkInput:
    """Returns a value of a network as an input of a part of it."""
    signal = network.signal(place)
    axis = network.name_of(signal.axis) if isinstance(signal.axis, int) else signal.axis
    shape = signal.shape if signal.axis is None else (None, *signal.shape[1:])
    return NetworkInput(name, shape, name if axis is None else axis)
