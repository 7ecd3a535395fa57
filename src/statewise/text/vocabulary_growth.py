"""Growing the vocabulary of a trained network: rows for more symbols, and everything learned kept bit for bit.

When a softmax over V symbols gets more of them, the probabilities of the old ones must hardly change for any input.
So the logit of a new symbol starts as the mean of the old logits minus log V: its column and bias are their means.
The geometric mean of the probabilities is at most 1 / V, so a new symbol's probability is at most 1 / V^2, and far
less where the network is confident. The new rows of the embedding are random, derived from the model's seed.
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


def grow_vocabulary(
    model: Sequential,
    symbols: int,
    optimizer: Optimizer | optax.GradientTransformation,
    loss: str,
    metrics: list[str],
) -> Sequential:
    """Returns a copy of a trained model with more symbols; everything else is unchanged, bit for bit.

    Args:
        model: from an Embedding to a Dense, both of its V symbols.
        symbols: the new number of symbols, more than V.
        optimizer: the one of `model`; its state is kept, and starts fresh for the new rows.
        loss: the one of `model`.
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
    """Returns `fresh` with `old`, which has at most as many rows and columns, in its upper left corner."""
    grown = np.array(fresh)
    if old is not None:
        grown[tuple(slice(size) for size in old.shape)] = old
    return grown


def _start_unlikely(network: Network, arrays: dict[str, Array], known: int) -> None:
    """Sets the output layer's columns and biases of the new symbols, which start at `known`."""
    kernel, bias = (arrays[f"params[{network.names[-1]!r}][{name!r}]"] for name in ("kernel", "bias"))
    kernel[:, known:] = kernel[:, :known].mean(axis=1, keepdims=True)
    bias[known:] = bias[:known].mean() - log(max(known, len(bias) - known))
