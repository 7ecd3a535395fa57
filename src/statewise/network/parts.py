"""Parts of a network."""

from __future__ import annotations

from collections.abc import Mapping

from statewise.errors import ConfigurationError
from statewise.layers.nodes import NetworkInput, NetworkOutput, place_of_input
from statewise.network.network import Network


def split_at_memory(network: Network) -> tuple[Network, Network]:
    """Returns what is between the inputs and where memory begins, or values are joined, and the rest.

    The rest has inputs, and the first part has outputs, of the inputs' names; those that the rest reads as they are,
    are no outputs.
    """
    given = {entry.name: place_of_input(number) for number, entry in enumerate(network.inputs)}
    reached = {name: _before_memory(network, place) for name, place in given.items()}
    front = between(network, given, {name: place for name, place in reached.items() if place >= 0})
    return front, between(network, reached, {output.name: output.place for output in network.outputs})


def _before_memory(network: Network, place: int) -> int:
    """Returns the place of the last value that is made of one alone, without memory, and that all else is made of."""
    outputs = [output.place for output in network.outputs]
    while True:
        users = [at for at, node in enumerate(network.nodes) if place in (*node.sources, *node.start)]
        node = network.nodes[users[0]]
        if len(users) > 1 or users[0] in outputs or node.layer.has_memory or node.sources != (place,):
            return place
        place = users[0]


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
