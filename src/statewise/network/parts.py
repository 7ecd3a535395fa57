"""Parts of a network."""

from __future__ import annotations

from dataclasses import replace

from statewise.layers.nodes import INPUT
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
