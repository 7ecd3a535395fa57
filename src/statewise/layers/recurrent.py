"""Layers with memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
from jax.nn import initializers

from statewise.errors import StateError
from statewise.kernels import reference, scan
from statewise.kernels.reference import GATES, LSTMWeights
from statewise.kernels.states import LSTMState
from statewise.layers.activations import ACTIVATIONS, check_activation
from statewise.layers.base import Layer, LayerState, Params, check_layer
from statewise.shapes import Shape, check_whole


@dataclass(frozen=True)
class LSTM(Layer):
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

    >>> LSTM(32).output_shape((10, 3))
    (32,)
    >>> LSTM(32, return_sequences=True).output_shape((10, 3))
    (10, 32)
    """

    units: int
    activation: str = field(default="tanh", kw_only=True)
    recurrent_activation: str = field(default="sigmoid", kw_only=True)
    use_bias: bool = field(default=True, kw_only=True)
    return_sequences: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        check_layer(self)
        check_whole("LSTM units", self.units)
        check_activation(self.activation)
        check_activation(self.recurrent_activation)

    @property
    def weight_names(self) -> tuple[str, ...]:
        return ("kernel", "recurrent_kernel", "bias") if self.use_bias else ("kernel", "recurrent_kernel")

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
        features, gates = shape[-1], len(GATES) * self.units
        params = {
            "kernel": initializers.glorot_uniform()(kernel_key, (features, gates), jnp.float32),
            "recurrent_kernel": initializers.orthogonal()(recurrent_key, (self.units, gates), jnp.float32),
        }
        if self.use_bias:
            forget = jnp.repeat(jnp.array([gate == "f" for gate in GATES]), self.units)
            params["bias"] = forget.astype(jnp.float32)
        return params

    def zero_state(self, batch: int) -> LSTMState:
        # Two arrays, not one twice: a buffer that is donated to a compiled program may be given only once.
        return LSTMState(jnp.zeros((batch, self.units)), jnp.zeros((batch, self.units)))

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
        if not isinstance(state, LSTMState):
            raise StateError(f"LSTM needs a state (h, c), got {state!r}; start from model.zero_state(batch)")
        bias = params["bias"] if self.use_bias else jnp.zeros(len(GATES) * self.units, x.dtype)
        weights = LSTMWeights(params["kernel"], params["recurrent_kernel"], bias)
        if (self.activation, self.recurrent_activation) == ("tanh", "sigmoid"):
            y, state = scan.lstm(weights, x, state, reset=reset, mask=mask)
        else:  # the fast kernel knows the derivatives of tanh and sigmoid only
            y, state = reference.lstm(
                weights,
                x,
                state,
                reset=reset,
                mask=mask,
                activation=ACTIVATIONS[self.activation],
                recurrent_activation=ACTIVATIONS[self.recurrent_activation],
            )
        return (y if self.return_sequences else state.h), state
