"""What layers whose memory has gates have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from statewise.layers.activations import ACTIVATIONS, check_activation
from statewise.layers.base import Params
from statewise.layers.recurrent import Recurrent


@dataclass(frozen=True)
class Gated(Recurrent):
    """What LSTM and GRU have in common beyond `Recurrent`: gates, and their activation."""

    recurrent_activation: str = field(default="sigmoid", kw_only=True)

    gates: ClassVar[tuple[str, ...]]
    candidate: ClassVar[str]
    """The one of `gates` that is not a gate but the candidate."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_activation(self.recurrent_activation)

    def gate_values(
        self, params: Params, x: jax.Array, state: Any, reset: jax.Array | None, mask: jax.Array | None
    ) -> dict[str, jax.Array]:
        """Returns how far each gate is open at each step, `[B, T, H]` by the gate's name."""
        y, _ = self.run(params, x, state, reset, mask, self.learned_state(params) or None)
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
        """The fast kernels know only the derivatives of tanh and sigmoid, and apply no noise to h."""
        return (self.activation, self.recurrent_activation) == ("tanh", "sigmoid") and noise is None

    @property
    def _reference_options(self) -> dict[str, Any]:
        return {
            "activation": ACTIVATIONS[self.activation],
            "recurrent_activation": ACTIVATIONS[self.recurrent_activation],
        }
