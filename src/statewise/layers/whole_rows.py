"""What layers that read rows as wholes, and not in pieces, have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from statewise.foundation.shapes import Array
from statewise.kernels.states import LayerState
from statewise.layers.base import MemorylessLayer, Params
from statewise.layers.step_windows import since_last_reset
from statewise.operations import Step, Vector

if TYPE_CHECKING:
    import jax


class WholeRows(MemorylessLayer):
    """A layer that reads a row from its last reset on, and whose output has no step of the input."""

    @property
    def keeps_steps(self) -> bool:
        return False

    @abstractmethod
    def read_rows(self, x: jax.Array, real: jax.Array | None) -> jax.Array:
        """Returns the output for `x [B, T, F]`, of whose steps those that are `real [B, T]` are there, or all."""

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        return self.read_rows(x, None)

    def apply(
        self,
        params: Params,
        x: jax.Array,
        state: LayerState,
        *,
        reset: jax.Array | None = None,
        mask: jax.Array | None = None,
        rng: jax.Array | None = None,
    ) -> tuple[jax.Array, LayerState]:
        return self.read_rows(x, since_last_reset(reset, mask)), state

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        raise self._unanswerable(
            f": {type(self).__name__} reads whole rows, and a stream sees one step at a time; give whole sequences to "
            "model.predict(x)"
        )
