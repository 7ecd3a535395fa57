"""The gated recurrent unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from statewise.foundation.shapes import Array
from statewise.kernels.states import GRUState, RecurrentState
from statewise.layers.base import Params
from statewise.layers.gated import Gated
from statewise.operations import Affine, Vector, affine_blocks, apply
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


@guard_making
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
    blocks = 3  # z, r, h

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
        import jax.numpy as jnp

        from statewise.kernels.gru import GRUWeights, gru
        from statewise.kernels.gru_fast import fast_gru
        from statewise.kernels.native import native_gru, serves

        bias = params["bias"] if self.use_bias else jnp.asarray(self.fresh_bias(), x.dtype)
        weights = GRUWeights(params["kernel"], params["recurrent_kernel"], bias)
        flags: dict[str, Any] = {"reset": reset, "mask": mask, "initial": initial}
        if self._has_usual_functions and self.reset_after:
            if serves(weights, x, state, flags):
                return native_gru(weights, x, state, **flags, noise=noise)
            if noise is None:
                return fast_gru(weights, x, state, **flags)
        options = {**self._reference_options, "reset_after": self.reset_after}
        return gru(weights, x, state, **flags, **options, noise=noise)

    def advance(self, x: Vector, state: Any, weights: Mapping[str, Array]) -> tuple[GRUState, dict[str, Vector]]:
        h, b = state.h, self._bias(weights)
        b, d = b if self.reset_after else (b, np.zeros_like(b))
        W, U, split = weights["kernel"], weights["recurrent_kernel"], 2 * self.units
        sums = affine_blocks((x, h), np.concatenate([W, U])[:, :split], (b + d)[:split], 2)
        z, r = (self._gate(part) for part in sums)
        remembered = Affine((h if self.reset_after else r * h,), U[:, split:], d[split:])
        candidate = Affine((x,), W[:, split:], b[split:]) + (r * remembered if self.reset_after else remembered)
        g = apply(self.activation, candidate)
        return GRUState(g + z * (h - g)), {"z": z, "r": r}
