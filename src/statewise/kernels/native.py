"""The native kernels: LSTM and GRU over all steps in C++ (`native/` of the repository), differentiable by JAX.

They compute what `lstm.lstm` and `gru.gru` do for tanh, sigmoid and `reset_after`, in float32 on a CPU. Elsewhere, the
kernels of `lstm_fast` and `gru_fast` do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

from statewise.kernels.gru import GRUWeights
from statewise.kernels.lstm import LSTMWeights
from statewise.kernels.states import GRUState, LSTMState
from statewise.native import ffi

Weights = LSTMWeights | GRUWeights


ENOUGH = 10
"""From so many steps of rows on, it pays to copy the weights into the order of the native kernels."""


def serves(weights: Weights, x: jax.Array, state: LSTMState | GRUState, flags: Mapping[str, Any]) -> bool:
    """Returns whether the native kernels are there, can compute this (float32 on a CPU), and are faster than XLA's.

    They return rows to one initial state, `[H]`, and not to one for each row.
    """
    rows, steps, features = x.shape
    initial = None if flags["reset"] is None else flags["initial"]
    return (
        steps > 1
        and (initial is None or initial.h.ndim == 1)
        and rows * steps >= ENOUGH
        and features > 0
        and all(array.dtype == jnp.float32 for array in (x, *weights, *state))
        and ffi.is_registered()
    )


def native_lstm(
    weights: LSTMWeights,
    x: jax.Array,
    state: LSTMState,
    *,
    reset: jax.Array | None = None,
    mask: jax.Array | None = None,
    initial: LSTMState | None = None,
    noise: jax.Array | None = None,
) -> tuple[jax.Array, LSTMState]:
    """Returns the same as `lstm.lstm` for tanh and sigmoid; arguments as there."""
    return _LSTM.run(weights, x, state, None if reset is None else initial, _Marks(reset, mask, noise))


def native_gru(
    weights: GRUWeights,
    x: jax.Array,
    state: GRUState,
    *,
    reset: jax.Array | None = None,
    mask: jax.Array | None = None,
    initial: GRUState | None = None,
    noise: jax.Array | None = None,
) -> tuple[jax.Array, GRUState]:
    """Returns the same as `gru.gru` for tanh, sigmoid and `reset_after`; arguments as there."""
    return _GRU.run(weights, x, state, None if reset is None else initial, _Marks(reset, mask, noise))


class _Marks(NamedTuple):
    """What has no gradient: resets and mask, bool `[B, T]`, and the noise `[B, H]` of h; each may be None."""

    reset: jax.Array | None
    mask: jax.Array | None
    noise: jax.Array | None


class _Saved(NamedTuple):
    """What the backward pass needs from the forward pass."""

    weights: Any
    x: jax.Array
    h: jax.Array  # [B, H] at the start
    initial: Any
    marks: _Marks
    y: jax.Array
    tape: jax.Array
    x_has_gradient: tuple[()] | None  # () for yes: a value that is known when the program is made


@dataclass(frozen=True)
class _Cell:
    """The two passes of one cell: `name` in the library, and the kind of state and weights it has."""

    name: str
    state: Callable[..., Any]
    weights: Callable[..., Any]

    @cached_property
    def run(self) -> Callable[..., Any]:
        """Returns `(y, state)` of `(weights, x, state, initial, marks)`."""

        def primal(*arguments: Any) -> Any:
            return self._forward(*arguments, save=False)[0]

        run = jax.custom_vjp(primal)
        run.defvjp(self._forward_saving, self._backward, symbolic_zeros=True)
        return run

    def _forward(
        self, weights: Weights, x: jax.Array, state: Any, initial: Any, marks: _Marks, *, save: bool
    ) -> tuple[tuple[jax.Array, Any], jax.Array]:
        rows, steps, features = x.shape
        units = state.h.shape[-1]
        tape = ffi.tape_size(self.name, rows, steps, features, units) if save else 0
        cell = units if len(state) > 1 else 0
        y, h, c, tape = _call(
            f"{self.name}_forward",
            [(rows, steps, units), (rows, units), (rows, cell) if cell else (0,), (tape,)],
            [x, *weights, *_two(state), *_all(marks), *_two(initial)],
        )
        return (y, self.state(*(h, c)[: len(state)])), tape

    def _forward_saving(self, *arguments: Any) -> tuple[tuple[jax.Array, Any], _Saved]:
        x_needed = () if arguments[1].perturbed else None
        weights, x, state, initial, marks = jax.tree.map(lambda primal: primal.value, arguments, is_leaf=_is_primal)
        result, tape = self._forward(weights, x, state, initial, marks, save=True)
        return result, _Saved(weights, x, state.h, initial, marks, result[0], tape, x_needed)

    def _backward(self, saved: _Saved, gradients: tuple[Any, Any]) -> tuple[Any, ...]:
        d_y, d_state = jax.tree.map(_zeros, gradients, is_leaf=lambda leaf: isinstance(leaf, SymbolicZero))
        (kernel, recurrent_kernel, bias), x, h, marks = saved.weights, saved.x, saved.h, saved.marks
        cell, fresh = len(d_state) > 1, marks.reset is not None
        outputs = [array.shape for array in (kernel, recurrent_kernel, bias, h)]
        outputs += [h.shape if wanted else (0,) for wanted in (cell, fresh, fresh and cell)]
        outputs += [x.shape if saved.x_has_gradient == () else (0,)]
        outputs += [(ffi.panels_size(*x.shape, h.shape[-1]),)]
        fresh_h, _ = _two(saved.initial)
        *d_weights, d_h, d_c, d_fresh_h, d_fresh_c, d_x, _ = _call(
            f"{self.name}_backward",
            outputs,
            [x, kernel, recurrent_kernel, h, *_all(marks), fresh_h, saved.y, saved.tape, d_y, *_two(d_state)],
        )
        parts = len(d_state)
        d_initial = None if saved.initial is None else self.state(*(d.sum(0) for d in (d_fresh_h, d_fresh_c)[:parts]))
        return (
            self.weights(*d_weights),
            d_x if saved.x_has_gradient == () else jnp.zeros_like(x),
            self.state(*(d_h, d_c)[:parts]),
            d_initial,
            _Marks(None, None, None),
        )


_LSTM = _Cell("lstm", LSTMState, LSTMWeights)
_GRU = _Cell("gru", GRUState, GRUWeights)


def _call(name: str, outputs: list[tuple[int, ...]], arguments: list[Any]) -> Any:
    shapes = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in outputs]
    return jax.ffi.ffi_call(ffi.target(name), shapes, vmap_method="sequential")(*arguments)


def _or_nothing(array: Any, dtype: type = np.float32) -> Any:
    return np.zeros(0, dtype) if array is None else array


def _two(state: Any) -> tuple[Any, Any]:
    """Returns h and c of a state, empty where there is none."""
    h, c = (None, None) if state is None else (*state, None)[:2]
    return _or_nothing(h), _or_nothing(c)


def _all(marks: _Marks) -> tuple[Any, Any, Any]:
    return _or_nothing(marks.reset, bool), _or_nothing(marks.mask, bool), _or_nothing(marks.noise)


def _zeros(gradient: Any) -> Any:
    return jnp.zeros(gradient.shape, gradient.dtype) if isinstance(gradient, SymbolicZero) else gradient


def _is_primal(leaf: Any) -> bool:
    return hasattr(leaf, "perturbed")
