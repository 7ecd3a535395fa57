"""Layers composed into one pure state machine: `y, states = network.apply(params, x, states)`."""

from statewise.network.drawing import draw
from statewise.network.network import Head, Network, NetworkParams, network_from_config, with_statistics
from statewise.network.table import count_weights, describe_inputs, layer_rows, shown_columns, summarize

__all__ = [
    "Head",
    "Network",
    "NetworkParams",
    "count_weights",
    "describe_inputs",
    "draw",
    "layer_rows",
    "network_from_config",
    "shown_columns",
    "summarize",
    "with_statistics",
]
