"""A network as a table: its layers, their output shapes and weights."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp

from statewise.foundation.shapes import describe
from statewise.layers.base import Params
from statewise.layers.nodes import Node
from statewise.network.network import Network, NetworkParams


def count_weights(params: Params) -> int:
    """Returns how many numbers a layer's weights have."""
    return sum(int(jnp.size(weight)) for weight in params.values())


class LayerRow(NamedTuple):
    """A node of a network, as text."""

    layer: str  # its name
    kind: str
    output: str
    weights: str  # how many; "as NAME" if they are those of an earlier node
    reads: str  # what it reads


def layer_rows(network: Network, params: NetworkParams) -> list[LayerRow]:
    """Returns a row for each node of a network."""
    return [
        LayerRow(
            node.name,
            f"{type(node.layer).__name__}{', frozen' if node.layer.frozen and node.layer.weight_names else ''}",
            describe(signal.shape),
            f"{count_weights(params[node.name]):,}" if node.weights == node.name else f"as {node.weights}",
            _reads(network, node),
        )
        for node, signal in zip(network.nodes, network.signals, strict=True)
    ]


def _reads(network: Network, node: Node) -> str:
    read = ", ".join(map(network.name_of, node.sources))
    return f"{read}; starts in {', '.join(map(network.name_of, node.start))}" if node.start else read


def describe_inputs(network: Network) -> str:
    """Returns the shapes of the inputs, with their names unless the network is a chain."""
    if network.is_chain:
        return describe(network.input_shape)
    return ", ".join(
        f"{given.name!r} {describe(given.shape)}"
        + (f" on {given.axis!r}" if given.axis != given.name and signal.axis is not None else "")
        for given, signal in zip(network.inputs, network.given, strict=True)
    )


def shown_columns(network: Network) -> tuple[str, ...]:
    """Returns the columns to show: what a node reads only if that is not always the one before it."""
    return ("layer", "kind", "output", "weights") if network.is_chain else LayerRow._fields


def summarize(network: Network, params: NetworkParams) -> str:
    """Returns a table of layers, output shapes and weights, as `model.summary` prints it."""
    columns = shown_columns(network)
    cells = [list(columns)]
    cells += [[getattr(row, column) for column in columns] for row in layer_rows(network, params)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if column == "weights" else cell.ljust(width)
            for column, cell, width in zip(columns, row, widths, strict=True)
        ).rstrip()
        for row in cells
    ]
    total = sum(count_weights(weights) for weights in params.values())
    frozen = sum(count_weights(params[node.name]) for node in network.owners if node.layer.frozen)
    lines.insert(1, "-" * max(map(len, lines)))
    of_them = f", {frozen:,} of them frozen" if frozen else ""
    first = f"input{'s' if len(network.inputs) > 1 else ''} {describe_inputs(network)}"
    made = ", ".join(f"{output.name!r} from {network.nodes[output.place].name}" for output in network.outputs)
    answered = [f"outputs {made}"] if len(network.outputs) > 1 else []
    return "\n".join([first, *lines, *answered, f"{total:,} weights in all{of_them}"])
