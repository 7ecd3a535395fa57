"""Growing the vocabulary of a trained network: rows for more symbols, and all that was learned kept bit for bit.

A softmax over V symbols gets more of them. What it makes of the old ones must hardly change, whatever was read. So the
logit of a new symbol starts as the mean of the old ones less the logarithm of V: its column and its bias are the means
of theirs. The geometric mean of probabilities is at most 1 / V, hence a new symbol's is at most 1 / V^2, and far less
where the network is sure of something. The rows of the embedding are drawn, from the model's seed.
"""

from __future__ import annotations

from copy import deepcopy
from math import log
from typing import Any

import numpy as np
import optax

from statewise.foundation.random import fold_in, key_of
from statewise.foundation.shapes import Array
from statewise.models.sequential import Sequential
from statewise.models.settings import Settings
from statewise.network import Network, NetworkParams, network_from_config
from statewise.optimizers.optimizer import Optimizer
from statewise.storage.artifact import Artifact
from statewise.storage.pytrees import name_leaves


def grow(
    model: Sequential,
    symbols: int,
    optimizer: Optimizer | optax.GradientTransformation,
    loss: str,
    metrics: list[str],
) -> Sequential:
    """Returns a trained model for so many symbols: the first ones, and all else, are those of `model`, bit for bit.

    Args:
        model: from an Embedding to a Dense, both of its V symbols.
        symbols: how many it is to know, more than V.
        optimizer: that of `model`; where it kept something of a weight, it starts with that of the new rows.
        loss: that of `model`.
        metrics: those of `model`.
    """
    old, settings = model.to_artifact(), Settings.of(optimizer, loss, metrics)
    network = network_from_config(_config_for(old.header["network"], symbols))
    params: NetworkParams = network.init(fold_in(key_of(model.seed), 0))
    fresh = name_leaves("params", params) | name_leaves("optimizer", settings.optimizer_state(network, params, {}))
    arrays = {name: _kept_in(array, old.arrays.get(name)) for name, array in fresh.items()}
    arrays |= {name: array for name, array in old.arrays.items() if name.startswith("state")}
    _start_unlikely(network, arrays, known=model.network.symbols or 0)
    header = {**old.header, "network": network.config(), "compiled": settings.config(), "logs": None}
    grown = Sequential.from_artifact(Artifact(old.kind, header, arrays))
    grown.recompile(optimizer, loss, metrics, continues=True)
    return grown


def _config_for(network: dict[str, Any], symbols: int) -> dict[str, Any]:
    config = deepcopy(network)
    config["layers"][0]["input_dim"] = config["layers"][-1]["units"] = symbols
    return config


def _kept_in(fresh: Array, old: Array | None) -> Array:
    """Returns `fresh` with `old`, which has fewer rows or columns or as many, where it was."""
    grown = np.array(fresh)
    if old is not None:
        grown[tuple(slice(size) for size in old.shape)] = old
    return grown


def _start_unlikely(network: Network, arrays: dict[str, Array], known: int) -> None:
    """Sets the output's columns and biases from `known` on."""
    kernel, bias = (arrays[f"params[{network.names[-1]!r}][{name!r}]"] for name in ("kernel", "bias"))
    kernel[:, known:] = kernel[:, :known].mean(axis=1, keepdims=True)
    bias[known:] = bias[:known].mean() - log(max(known, len(bias) - known))
