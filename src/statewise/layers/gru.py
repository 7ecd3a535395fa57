"""The gated recurrent unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from statewise.kernels.gru import GRU_GATES, GRUWeights, gru
from statewise.kernels.gru_fast import fast_gru
from statewise.kernels.states import GRUState, RecurrentState
from statewise.layers.base import Params
from statewise.layers.gated import Gated


@dataclass(frozen=True)
class GRU(Gated):
    """Gated recurrent unit (Cho et al. 2014), as Keras has it.

    Input `[B, T, F]`; output `[B, H]`, the last step's, or `[B, T, H]` with `return_sequences`. Its state is
    `h [B, H]`. Weights as in Keras: `kernel [F, 3H]` glorot-uniform, `recurrent_kernel [H, 3H]` orthogonal,
    `bias [2, 3H]` zero; gates in the order z, r, h.

    Its options are those of `LSTM`, and one more.

    Args:
        units: H, the size of the state.
        activation: of the candidate.
        recurrent_activation: of the gates z and r.
        return_state: as in `LSTM`; `predict` returns `[y, h]`.
        learn_initial_state: as in `LSTM`; the weight is `initial_h`.
        reset_after: whether r acts after the product with the recurrent kernel, as in Keras 2 and 3, cuDNN and
            PyTorch; False is the variant of the paper and of Keras 1, with `bias [3H]`.

    >>> GRU(32).output_shape((10, 3))
    (32,)
    """

    reset_after: bool = field(default=True, kw_only=True)

    state_kind = GRUState
    gates = GRU_GATES
    blocks = len(GRU_GATES)
    candidate = "h"

    @property
    def bias_shape(self) -> tuple[int, ...]:
        return (2, *super().bias_shape) if self.reset_after else super().bias_shape

    def run(
        self,
        params: Params,
        x: jax.Array,
        state: Any,
        reset: jax.Array | None,
        mask: jax.Array | None,
        initial: Any,
        noise: jax.Array | None = None,
    ) -> tuple[jax.Array, RecurrentState]:
        bias = params["bias"] if self.use_bias else jnp.asarray(self.fresh_bias(), x.dtype)
        weights = GRUWeights(params["kernel"], params["recurrent_kernel"], bias)
        flags: dict[str, Any] = {"reset": reset, "mask": mask, "initial": initial}
        if self._fits_fast_kernel(noise) and self.reset_after:
            return fast_gru(weights, x, state, **flags)
        options = {**self._reference_options, "reset_after": self.reset_after}
        return gru(weights, x, state, **flags, **options, noise=noise)
