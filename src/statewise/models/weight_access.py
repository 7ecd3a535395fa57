"""A model's weights: as arrays in order, and taken from another model by the layers' names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statewise.errors import ConfigurationError, FileError, ShapeError
from statewise.foundation.engine import on_device
from statewise.foundation.shapes import Array
from statewise.models.interface import AnyModel
from statewise.models.layer_stack import matching
from statewise.network import NetworkParams
from statewise.storage.artifact import read_artifact
from statewise.storage.header import weights_by_layer


def weights(model: AnyModel) -> list[jax.Array]:
    """All weights in Keras's order, as immutable arrays; `params` has them by name."""
    params = model.params
    return [params[layer][weight] for layer, weight in model.network.weight_names]


def statistics(model: AnyModel) -> NetworkParams:
    """What layers such as BatchNormalization know of their input, by layer and name; others may be set.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.BatchNormalization(input_shape=(None, 2)), sw.LSTM(4)])
    >>> {name: array.tolist() for name, array in model.statistics["batchnormalization"].items()}
    {'moving_mean': [0.0, 0.0], 'moving_variance': [1.0, 1.0]}
    """
    return model.train_state.statistics


def set_statistics(model: AnyModel, statistics: NetworkParams) -> None:
    """Replaces the statistics.

    Raises:
        ShapeError: they have other names or shapes.
    """
    both = (model.train_state.statistics, statistics)
    expected, found = (jax.tree.map(lambda a: tuple(np.shape(a)), each) for each in both)
    if found != expected:
        raise ShapeError(f"statistics: expected {expected!r:.200}, as model.statistics has them, got {found!r:.200}")
    taken = jax.tree.map(lambda a: on_device(np.asarray(a, np.float32)), statistics)
    model.train_state = replace(model.train_state, statistics=taken)


def get_weights(model: AnyModel) -> list[Array]:
    """Returns copies of all weights in Keras's order: for LSTM kernel, recurrent_kernel, bias."""
    return model.train_state.weights_in_order(model.network)


def set_weights(model: AnyModel, weights: Sequence[object]) -> None:
    """Replaces all weights, in the order and with the shapes of `get_weights`.

    Raises:
        ShapeError: another number of arrays, or other shapes.
        DataError: NaN among them.
    """
    model.train_state = model.train_state.with_weights(model.network, weights)


def load_weights(model: AnyModel, source: str | Path | AnyModel, *patterns: str) -> list[str]:
    """Takes over the weights of layers that another model has under the same names; returns those names.

    The other model may be of any kind: what a network learned on one task can begin another, often with these layers
    frozen at first. Optimizer, state and epochs stay.

    Args:
        source: another model, or the file of a model or text model.
        patterns: names of layers, where `*` and `?` stand for any characters; without any, all that both have.

    >>> import statewise as sw
    >>> first = sw.Sequential([sw.LSTM(8, input_shape=(None, 2)), sw.Dense(3)], seed=1)
    >>> second = sw.Sequential([sw.LSTM(8, input_shape=(None, 2)), sw.Dense(1, name="price")], seed=2)
    >>> second.load_weights(first)
    ['lstm']

    Raises:
        LifecycleError: the model does not know its input yet.
        ConfigurationError: it has no layer of such a name, or shares none with the other.
        ShapeError: a layer's weights have other shapes there.
        FileError: the file is missing, damaged, or holds something else.
    """
    own = model.params
    theirs_of = _weights_in(source) if isinstance(source, str | Path) else source.train_state.known
    theirs = {name: weights for name, weights in theirs_of.items() if "/" not in name}
    names = [name for name in own if own[name]]
    wanted = matching(names, patterns) if patterns else set(names) & {name for name in theirs if theirs[name]}
    lacking = sorted(name for name in wanted if name not in theirs)
    if lacking or not wanted:
        known = ", ".join(sorted(name for name in theirs if theirs[name])) or "none"
        raise ConfigurationError(
            f"load_weights: expected layers of the same names, {', '.join(lacking or names)}, but the other model has "
            f"{known}; name layers alike, as in LSTM(32, name='encoder')"
        )
    for name in wanted:
        expected, found = ({w: list(jnp.shape(a)) for w, a in both[name].items()} for both in (own, theirs))
        if expected != found:
            raise ShapeError(f"load_weights: layer {name!r} has weights {expected}, there {found}")
    taken: dict[str, Any] = {name: theirs[name] if name in wanted else own[name] for name in own}
    counted: dict[str, Any] = {
        name: theirs_of[f"{name}/statistics"] if name in wanted and f"{name}/statistics" in theirs_of else values
        for name, values in model.train_state.statistics.items()
    }
    model.params = taken
    model.train_state = replace(model.train_state, statistics=counted)
    return [name for name in dict.fromkeys(layer for layer, _ in model.network.weight_names) if name in wanted]


def _weights_in(path: str | Path) -> Mapping[str, Mapping[str, Array | Any]]:
    artifact = read_artifact(path)
    if "network" not in artifact.header:
        raise FileError(f"{path} holds a {artifact.kind!r}; expected a model, as model.save(path) writes one")
    return weights_by_layer(artifact.header["network"], artifact.arrays)
