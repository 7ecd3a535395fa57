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
    moved = tuple(
        node._replace(sources=tuple(max(source - count, INPUT) for source in node.sources))
        for node in network.nodes[count:]
    )
    return replace(network, nodes=network.nodes[:count]), replace(network, nodes=moved, input_shape=shape)
