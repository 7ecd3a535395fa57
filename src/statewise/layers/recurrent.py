"""Layers with memory: LSTM and GRU."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax.nn import initializers

from statewise.errors import ConfigurationError, StateError
from statewise.kernels import gru, gru_scan, reference, scan
from statewise.kernels.gru import GRU_GATES, GRUWeights
from statewise.kernels.reference import GATES, LSTMWeights
from statewise.kernels.states import GRUState, LayerState, LSTMState
from statewise.layers.activations import ACTIVATIONS, check_activation
from statewise.layers.base import Layer, Params, check_layer
from statewise.shapes import Shape, check_whole


@dataclass(frozen=True)
class Recurrent(Layer):
    """What LSTM and GRU have in common: their options, the shapes of their weights, where a sequence starts."""

    units: int
    activation: str = field(default="tanh", kw_only=True)
    recurrent_activation: str = field(default="sigmoid", kw_only=True)
    use_bias: bool = field(default=True, kw_only=True)
    return_sequences: bool = field(default=False, kw_only=True)
    return_state: bool = field(default=False, kw_only=True)
    learn_initial_state: bool = field(default=False, kw_only=True)

    state_kind: ClassVar[type[LSTMState] | type[GRUState]]
    gates: ClassVar[tuple[str, ...]]
    candidate: ClassVar[str]
    """The one of `gates` that is no gate but what may be written."""

    def __post_init__(self) -> None:
        check_layer(self)
        check_whole(f"{type(self).__name__} units", self.units)
        check_activation(self.activation)
        check_activation(self.recurrent_activation)

    @property
    def weight_names(self) -> tuple[str, ...]:
        bias = ("bias",) if self.use_bias else ()
        learnt = tuple(f"initial_{part}" for part in self.state_kind._fields) if self.learn_initial_state else ()
        return ("kernel", "recurrent_kernel", *bias, *learnt)

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 2 or shape[-1] is None:
            raise self._refuse(
                "[B, T, F]",
                shape,
                "give the layer before it return_sequences=True",
                as_first="give x three axes, rows, steps and features: for one feature a step x[..., None]",
            )
        return (shape[0], self.units) if self.return_sequences else (self.units,)

    def init(self, key: jax.Array, shape: Shape) -> Params:
        kernel_key, recurrent_key = jax.random.split(key)
        features, width = shape[-1], len(self.gates) * self.units
        params = {
            "kernel": initializers.glorot_uniform()(kernel_key, (features, width), jnp.float32),
            "recurrent_kernel": initializers.orthogonal()(recurrent_key, (self.units, width), jnp.float32),
        }
        if self.use_bias:
            params["bias"] = self.fresh_bias()
        if self.learn_initial_state:
            params |= {f"initial_{part}": jnp.zeros(self.units) for part in self.state_kind._fields}
        return params

    @abstractmethod
    def fresh_bias(self) -> jax.Array:
        """Returns the bias that training starts from."""

    @abstractmethod
    def run(
        self,
        params: Params,
        x: jax.Array,
        state: Any,
        reset: jax.Array | None,
        mask: jax.Array | None,
        initial: Any,
    ) -> tuple[jax.Array, LSTMState | GRUState]:
        """Returns the outputs of all steps `[B, T, H]`, and the state after the last."""

    def zero_state(self, batch: int) -> LSTMState | GRUState:
        # An array for each part: a buffer that is donated to a compiled program may be given only once.
        return self.state_kind(*(jnp.zeros((batch, self.units)) for _ in self.state_kind._fields))

    def learnt_state(self, params: Params) -> LayerState:
        if not self.learn_initial_state:
            return ()
        return self.state_kind(*(params[f"initial_{part}"] for part in self.state_kind._fields))

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
        if not isinstance(state, self.state_kind):
            parts = ", ".join(self.state_kind._fields)
            raise StateError(
                f"{type(self).__name__} needs a state ({parts}), got {state!r}; start from model.initial_state(batch)"
            )
        y, after = self.run(params, x, state, reset, mask, self.learnt_state(params) or None)
        return (y if self.return_sequences else after.h), after

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

    @property
    def _has_fast_kernel(self) -> bool:
        """The fast kernels know the derivatives of tanh and sigmoid only."""
        return (self.activation, self.recurrent_activation) == ("tanh", "sigmoid")


@dataclass(frozen=True)
class LSTM(Recurrent):
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

    >>> LSTM(32).output_shape((10, 3))
    (32,)
    >>> LSTM(32, return_sequences=True).output_shape((10, 3))
    (10, 32)
    """

    state_kind = LSTMState
    gates = GATES
    candidate = "g"

    def fresh_bias(self) -> jax.Array:
        return jnp.repeat(jnp.array([gate == "f" for gate in GATES], jnp.float32), self.units)

    def run(
        self,
        params: Params,
        x: jax.Array,
        state: Any,
        reset: jax.Array | None,
        mask: jax.Array | None,
        initial: Any,
    ) -> tuple[jax.Array, LSTMState | GRUState]:
        bias = params["bias"] if self.use_bias else jnp.zeros(len(GATES) * self.units, x.dtype)
        weights = LSTMWeights(params["kernel"], params["recurrent_kernel"], bias)
        flags: dict[str, Any] = {"reset": reset, "mask": mask, "initial": initial}
        if self._has_fast_kernel:
            return scan.lstm(weights, x, state, **flags)
        return reference.lstm(
            weights,
            x,
            state,
            **flags,
            activation=ACTIVATIONS[self.activation],
            recurrent_activation=ACTIVATIONS[self.recurrent_activation],
        )


@dataclass(frozen=True)
class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014), as Keras has it.

    Input `[B, T, F]`; output `[B, H]`, the last step's, or `[B, T, H]` with `return_sequences`. Its state is
    `h [B, H]`. Weights as in Keras: `kernel [F, 3H]` glorot-uniform, `recurrent_kernel [H, 3H]` orthogonal,
    `bias [2, 3H]` zero; gates in the order z, r, h.

    Args:
        units: H, the size of the state.
        activation: of the candidate.
        recurrent_activation: of the gates z and r.
        use_bias: whether there is a `bias`.
        return_sequences: as in `LSTM`.
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
    candidate = "h"

    def fresh_bias(self) -> jax.Array:
        width = len(self.gates) * self.units
        return jnp.zeros((2, width) if self.reset_after else width)

    def run(
        self,
        params: Params,
        x: jax.Array,
        state: Any,
        reset: jax.Array | None,
        mask: jax.Array | None,
        initial: Any,
    ) -> tuple[jax.Array, LSTMState | GRUState]:
        bias = params["bias"] if self.use_bias else self.fresh_bias().astype(x.dtype)
        weights = GRUWeights(params["kernel"], params["recurrent_kernel"], bias)
        flags: dict[str, Any] = {"reset": reset, "mask": mask, "initial": initial}
        if self._has_fast_kernel and self.reset_after:
            return gru_scan.fast_gru(weights, x, state, **flags)
        return gru.gru(
            weights,
            x,
            state,
            **flags,
            activation=ACTIVATIONS[self.activation],
            recurrent_activation=ACTIVATIONS[self.recurrent_activation],
            reset_after=self.reset_after,
        )


def check_return_state(layers: tuple[Layer, ...]) -> None:
    """Raises ConfigurationError if a layer other than the last is to return its state."""
    for layer in layers[:-1]:
        if isinstance(layer, Recurrent) and layer.return_state:
            raise ConfigurationError(
                f"{type(layer).__name__}(return_state=True): expected on the last layer only; every layer's state "
                "comes out of y, state = model(x)"
            )
