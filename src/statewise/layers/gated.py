"""Layers whose memory has gates: LSTM and GRU."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from statewise.kernels import gru, gru_scan, reference, scan
from statewise.kernels.gru import GRU_GATES, GRUWeights
from statewise.kernels.reference import GATES, LSTMWeights
from statewise.kernels.states import GRUState, LSTMState, RecurrentState
from statewise.layers.activations import ACTIVATIONS, check_activation
from statewise.layers.base import Params
from statewise.layers.recurrent import Recurrent
from statewise.shapes import Array


@dataclass(frozen=True)
class Gated(Recurrent):
    """What LSTM and GRU have in common beyond `Recurrent`: gates, and their activation."""

    recurrent_activation: str = field(default="sigmoid", kw_only=True)

    gates: ClassVar[tuple[str, ...]]
    candidate: ClassVar[str]
    """The one of `gates` that is no gate but what may be written."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_activation(self.recurrent_activation)

    def gate_values(
        self, params: Params, x: jax.Array, state: Any, reset: jax.Array | None, mask: jax.Array | None
    ) -> dict[str, jax.Array]:
        """Returns how far each gate is open at each step, `[B, T, H]` by the gate's name."""
        y, _ = self.run(params, x, state, reset, mask, self.learnt_state(params) or None)
        before = jnp.concatenate([state.h[:, None], y[:, :-1]], axis=1)
        if reset is not None:
            start = params["initial_h"] if self.learn_initial_state else 0.0
            before = jnp.where(reset[:, :, None], start, before)
        z = x @ params["kernel"] + before @ params["recurrent_kernel"]
        if self.use_bias:
            z = z + params["bias"].reshape(-1, z.shape[-1]).sum(axis=0)
        parts = zip(self.gates, jnp.split(z, len(self.gates), axis=-1), strict=True)
        opened = ACTIVATIONS[self.recurrent_activation]
        return {gate: opened(part) for gate, part in parts if gate != self.candidate}

    def _fits_fast_kernel(self, noise: jax.Array | None) -> bool:
        """The fast kernels know the derivatives of tanh and sigmoid only, and multiply h by nothing else."""
        return (self.activation, self.recurrent_activation) == ("tanh", "sigmoid") and noise is None

    @property
    def _reference_options(self) -> dict[str, Any]:
        return {
            "activation": ACTIVATIONS[self.activation],
            "recurrent_activation": ACTIVATIONS[self.recurrent_activation],
        }


@dataclass(frozen=True)
class LSTM(Gated):
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    Input `[B, T, F]`; output `[B, H]`, the last step's, or `[B, T, H]` with `return_sequences`. Its state is
    `h` and `c`, both `[B, H]`. Weights as in Keras: `kernel [F, 4H]` glorot-uniform, `recurrent_kernel [H, 4H]`
    orthogonal, `bias [4H]` zero with ones for the forget gate; gates in the order i, f, g, o.

    Args:
        units: H, the size of the state.
        activation: of the cell's input and output.
        recurrent_activation: of the gates i, f and o.
        use_bias: whether there is a `bias`.
        return_sequences: whether every step's output comes out, as a further recurrent layer needs it.
        return_state: whether `predict` returns `[y, h, c]`, as in Keras; on the last layer only.
        learn_initial_state: whether sequences start from weights `initial_h` and `initial_c` `[H]`, learnt with the
            others from zeros on, instead of from zeros. What only settles a state (a warm-up, steps that `tbptt` leaves
            out) learns nothing of it.
        go_backwards: whether steps are read from the end; with `return_sequences` they come out in the order read. Such
            a layer looks ahead: its input can come neither in pieces nor as a stream.
        dropout: share of the input's features that are zeroed in training, the same at all steps of a row, and the
            rest scaled up by 1 / (1 - dropout) (Gal and Ghahramani 2016).
        recurrent_dropout: as `dropout`, of h where it meets the recurrent kernel, the same for all gates. Training is
            slower with it.
        kernel_regularizer: an `L1L2` for `kernel`.
        recurrent_regularizer: an `L1L2` for `recurrent_kernel`.
        bias_regularizer: an `L1L2` for `bias`.

    >>> LSTM(32).output_shape((10, 3))
    (32,)
    >>> LSTM(32, return_sequences=True).output_shape((10, 3))
    (10, 32)
    """

    state_kind = LSTMState
    gates = GATES
    blocks = len(GATES)
    candidate = "g"

    def fresh_bias(self) -> Array:
        return np.repeat(np.array([gate == "f" for gate in GATES], np.float32), self.units)

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
        bias = params["bias"] if self.use_bias else jnp.zeros(len(GATES) * self.units, x.dtype)
        weights = LSTMWeights(params["kernel"], params["recurrent_kernel"], bias)
        flags: dict[str, Any] = {"reset": reset, "mask": mask, "initial": initial}
        if self._fits_fast_kernel(noise):
            return scan.lstm(weights, x, state, **flags)
        return reference.lstm(weights, x, state, **flags, **self._reference_options, noise=noise)


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
            PyTorch; False is the paper's and Keras 1's, with `bias [3H]`.

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
            return gru_scan.fast_gru(weights, x, state, **flags)
        options = {**self._reference_options, "reset_after": self.reset_after}
        return gru.gru(weights, x, state, **flags, **options, noise=noise)
