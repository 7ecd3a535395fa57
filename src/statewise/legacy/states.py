"""Stateful layers: what statewise's `state=` has to be for a batch to go on where Keras 2 went on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import statewise as sw
from statewise.errors import ConfigurationError, StateError
from statewise.foundation.shapes import Array, check_whole
from statewise.legacy.layer import Layer

if TYPE_CHECKING:
    from statewise.legacy.model import Sequential

BATCH_SIZE = 32
"""Rows of a batch where nothing is said."""


class States:
    """The states of one model's layers."""

    def __init__(self, model: Sequential) -> None:
        self._model = model

    @property
    def word(self) -> str:
        """Statewise's word for where rows start."""
        return "continue" if self._model.stateful else "fresh"

    @property
    def mixed(self) -> bool:
        """Whether some layers with memory keep their state and others do not, so that it takes a look at each batch."""
        return self._model.stateful and bool(self._forgetful())

    def _forgetful(self) -> list[str]:
        model = self._model
        memory = model.core.network.memory
        return [
            name
            for name, layer in zip(model.core.network.names, model.layers, strict=True)
            if name in memory and not layer.stateful
        ]

    def forget(self) -> None:
        """Starts those layers afresh, beside others that keep their state, that do not keep theirs."""
        core = self._model.core
        if self.mixed and core.state is not None:
            zeros = core.zero_state(core.state.batch)
            for name in self._forgetful():
                core.state = core.state.replace(name, **zeros[name]._asdict())

    def of(self, layer: Layer) -> list[Array]:
        """Returns the parts of one layer's state."""
        core = self._model.core
        return [] if core.state is None else [np.asarray(part) for part in core.state[self._model.core_name(layer)]]

    def reset(self, layer: Layer, states: Any) -> None:
        """Starts one layer afresh, or from `states`: h, or h and c, each `[B, H]`.

        Raises:
            StateError: the layer is not stateful, or has other parts.
        """
        core, name = self._model.core, self._model.core_name(layer)
        if not layer.stateful:
            raise StateError(f"layer {layer.name!r} keeps no state: expected LSTM(..., stateful=True)")
        state = core.state or core.zero_state(check_whole("batch_size of the first layer", self._model.batch_size))
        zeros = core.zero_state(state.batch)[name]
        given = zeros if states is None else states if isinstance(states, list | tuple) else [states]
        if len(given) != len(zeros):
            expected = " and ".join(zeros._fields)
            raise StateError(f"states of {layer.name!r}: expected {expected}, got {len(given)} array(s)")
        core.state = state.replace(name, **dict(zip(zeros._fields, map(np.asarray, given), strict=True)))

    def check(self, rows: int, batch_size: int | None) -> int:
        """Returns how many rows make a batch, of so many rows in all.

        Raises:
            ConfigurationError: the first layer says otherwise, or the rows cannot be cut so.
        """
        fixed = self._model.batch_size
        if fixed is None:
            if self._model.stateful:
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

    def check_batch(self, rows: int) -> None:
        """Raises ConfigurationError unless so many rows may be one batch."""
        self.check(rows, None if self._model.batch_size is None else rows)

    def predict(self, core: sw.Sequential, x: Array, size: int) -> Any:
        """Returns the outputs of all rows."""
        if not self.mixed:
            return core.predict(x, batch_size=size, state=self.word)
        return np.concatenate([core.predict(part, batch_size=size, state=self.word) for part in self._parts(x, size)])

    def _parts(self, x: Array, size: int) -> Iterator[Array]:
        for first in range(0, len(x), size):
            self.forget()
            yield x[first : first + size]
