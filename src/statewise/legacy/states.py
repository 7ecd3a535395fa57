"""Stateful layers: the `state=` of statewise with which a batch continues where it did in Keras 2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from statewise.errors import ConfigurationError
from statewise.foundation.shapes import Array, check_whole
from statewise.legacy.stack import Stack

BATCH_SIZE = 32
"""The default batch size."""


def word(model: Stack) -> str:
    """Returns statewise's `state=` argument."""
    return "continue" if model.stateful else "fresh"


def mixed(model: Stack) -> bool:
    """Returns whether some recurrent layers keep their state and others do not; then each batch needs attention."""
    return model.stateful and bool(_forgetful(model))


def _forgetful(model: Stack) -> list[str]:
    network = model.core.network
    return [
        name
        for name, layer in zip(network.names, model.layers, strict=True)
        if name in network.memory and not layer.stateful
    ]


def forget(model: Stack) -> None:
    """Resets the layers that do not keep their state, next to others that do."""
    core = model.core
    if mixed(model) and core.state is not None:
        zeros = core.zero_state(core.state.batch)
        for name in _forgetful(model):
            core.state = core.state.replace(name, **zeros[name]._asdict())


def check_rows(model: Stack, rows: int, batch_size: int | None) -> int:
    """Returns the batch size for `rows` rows.

    Raises:
        ConfigurationError: the first layer fixes another size, or the rows are not a multiple of it.
    """
    fixed = model.batch_size
    if fixed is None:
        if model.stateful:
            raise ConfigurationError(
                "a stateful layer needs to know the batch size: give the first layer batch_input_shape=(b, t, f)"
            )
        return BATCH_SIZE if batch_size is None else check_whole("batch_size", batch_size)
    if batch_size not in (None, fixed):
        raise ConfigurationError(
            f"batch_size: the first layer's batch_input_shape says {fixed}, got {batch_size}; make them agree, or "
            "copy the weights to a model made for the other: other.set_weights(model.get_weights())"
        )
    if rows % fixed:
        raise ConfigurationError(
            f"batches of {fixed} rows, as the first layer's batch_input_shape says, cannot be cut from {rows} "
            f"row(s): pass a multiple of {fixed}, or copy the weights to a model made for another batch size: "
            "other.set_weights(model.get_weights())"
        )
    return fixed


def check_batch(model: Stack, rows: int) -> None:
    """Raises ConfigurationError unless `rows` rows can be one batch."""
    check_rows(model, rows, None if model.batch_size is None else rows)


def predict(model: Stack, x: Array, size: int) -> Any:
    """Returns the outputs of all rows."""
    core, start = model.core, word(model)
    if not mixed(model):
        return core.predict(x, batch_size=size, state=start)
    return np.concatenate([core.predict(part, batch_size=size, state=start) for part in _parts(model, x, size)])


def _parts(model: Stack, x: Array, size: int) -> Iterator[Array]:
    for first in range(0, len(x), size):
        forget(model)
        yield x[first : first + size]
