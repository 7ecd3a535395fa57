"""A model as a pure function of its weights, too, for training loops of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from statewise.errors import ShapeError
from statewise.foundation.forks import check_process
from statewise.foundation.shapes import check_input
from statewise.models.interface import AnyModel
from statewise.network import Network, NetworkParams
from statewise.state import State


def apply(
    model: AnyModel,
    params: NetworkParams,
    x: Any,
    state: State | None = None,
    *,
    reset: Any = None,
    mask: Any = None,
    rng: jax.Array | None = None,
) -> tuple[jax.Array, State]:
    """Returns `(y, state)` with the weights `params`: a pure function, for `jax.jit`, `grad`, `vmap` and `lax.scan`.

    It computes what `model(x, state)` does, and reads nothing of the model but its layers. `state` is a pytree, so it
    can be carried through a scan, and gradients flow through it.

    Args:
        params: weights, such as `model.params`.
        x: `[B, T, F]`, symbols `[B, T]`, or rows without steps; an array of JAX or NumPy.
        state: where the rows start; None is the initial state that `params` describe.
        reset: bool `[B, T]`; True resets that row to the initial state before that step.
        mask: bool `[B, T]`; False skips that step.
        rng: a key of `jax.random`, in training only: for dropout.

    >>> import jax
    >>> import numpy as np
    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
    >>> x = np.ones((3, 5, 2), "float32")
    >>> y, state = jax.jit(model.apply)(model.params, x)
    >>> gradient = jax.grad(lambda params: (model.apply(params, x, state)[0] ** 2).sum())(model.params)
    >>> y.shape, gradient["lstm"]["kernel"].shape
    ((3, 1), (2, 16))

    Raises:
        ShapeError: x does not fit the model, or `params` are not its weights.
        StateError: the state belongs to another network, or has another number of rows.
    """
    check_process()
    network = model.network
    check_params(network, params)
    array = x if isinstance(x, jax.Array) else jnp.asarray(x)
    if network.symbols is None and not jnp.issubdtype(array.dtype, jnp.floating):
        array = array.astype(jnp.float32)
    check_input(array, network.input_shape)  # type: ignore[arg-type]  # it reads the shape only
    rows = array.shape[0]
    states = network.initial_state(params, rows) if state is None else network.check_state(state, rows)
    flags = {"reset": _flag("reset", reset, array), "mask": _flag("mask", mask, array)}
    y, after = network.apply(params, array, states, rng=rng, **flags)
    return y, network.state_of(params, after)


def _flag(name: str, given: Any, x: jax.Array) -> jax.Array | None:
    if given is None:
        return None
    flag = jnp.asarray(given)
    if flag.dtype != bool or flag.shape != x.shape[:2]:
        raise ShapeError(f"{name}: expected bool {list(x.shape[:2])}, got {flag.dtype} {list(flag.shape)}")
    return flag


def check_params(network: Network, params: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises ShapeError unless `params` have the names and shapes of the network's weights."""
    expected = {name: {w: a.shape for w, a in weights.items()} for name, weights in network.weight_shapes().items()}
    found = (
        {name: {w: jnp.shape(a) for w, a in weights.items()} for name, weights in params.items()}
        if isinstance(params, Mapping)
        else params
    )
    if found != expected:
        raise ShapeError(f"params: expected weights {expected!r:.200}, as model.params has them, got {found!r:.200}")
