"""A model as a pure function of its weights, too, for training loops of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from statewise.errors import ShapeError
from statewise.foundation.forks import check_process
from statewise.foundation.shapes import check_input
from statewise.models.answers import in_form
from statewise.models.interface import AnyModel
from statewise.network import Network, NetworkParams, with_statistics
from statewise.network.passing import by_axis
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
    statistics: NetworkParams | None = None,
    return_statistics: bool = False,
) -> Any:
    """Returns `(y, state)` with the weights `params`: a pure function, for `jax.jit`, `grad`, `vmap` and `lax.scan`.

    It computes what `model(x, state)` does, and reads nothing of the model but its layers. `state` is a pytree, so it
    can be carried through a scan, and gradients flow through it.

    Args:
        params: weights, such as `model.params`.
        x: `[B, T, F]`, symbols `[B, T]`, or rows without steps; an array of JAX or NumPy, or a dict of several inputs.
        state: where the rows start; None is the initial state that `params` describe.
        reset: bool `[B, T]`; True resets that row to the initial state before that step; for several time axes a dict.
        mask: bool `[B, T]`; False skips that step.
        rng: a key of `jax.random`, in training only: for dropout, and so that a `BatchNormalization` normalizes by the
            batch.
        statistics: those of such layers, such as `model.statistics`, which they are by default.
        return_statistics: whether `(y, state, statistics)` is returned, those after this call.

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
    given = _arrays(network, x)
    rows = next(iter(given.values())).shape[0]
    states = network.initial_state(params, rows) if state is None else network.check_state(state, rows)
    flags = {name: _flags(network, name, flag, given) for name, flag in (("reset", reset), ("mask", mask))}
    x = given if len(network.inputs) > 1 else next(iter(given.values()))
    before = model.train_state.statistics if statistics is None else statistics
    y, after, changed = network.train(with_statistics(params, before), x, states, rng=rng, **flags)
    if return_statistics:
        return in_form(model, y), network.state_of(params, after), {**before, **changed}
    return in_form(model, y), network.state_of(params, after)


def _arrays(network: Network, x: Any) -> dict[str, jax.Array]:
    """Returns each input's array, checked."""
    names = [entry.name for entry in network.inputs]
    if not isinstance(x, Mapping):
        x = dict(zip(names, x, strict=False)) if len(names) > 1 and isinstance(x, list | tuple) else {names[0]: x}
    if unknown := [name for name in x if name not in names]:
        raise ShapeError(f"x: there is no input {unknown[0]!r}; expected {', '.join(map(repr, names))}")
    arrays = {}
    for entry, symbols in zip(network.inputs, network.symbols_by_input, strict=True):
        if entry.name in x:
            array = x[entry.name] if isinstance(x[entry.name], jax.Array) else jnp.asarray(x[entry.name])
            if symbols is None and not jnp.issubdtype(array.dtype, jnp.floating):
                array = array.astype(jnp.float32)
            check_input(array, entry.shape)  # type: ignore[arg-type]  # it reads the shape only
            arrays[entry.name] = array
    return arrays


def _flags(network: Network, name: str, given: Any, x: Mapping[str, jax.Array]) -> Any:
    """Returns flags in the form that networks read, checked."""
    found = {}
    for axis, flags in by_axis(network, given).items():
        shape = next(
            (x[entry.name].shape[:2] for entry in network.inputs if entry.axis == axis and entry.name in x), None
        )
        flag = jnp.asarray(flags)
        if shape is None:
            listed = ", ".join(map(repr, network.axes))
            raise ShapeError(f"{name}: expected flags of the time axes given, of {listed}, got some of {axis!r}")
        if flag.dtype != bool or flag.shape != shape:
            raise ShapeError(f"{name}: expected bool {list(shape)}, got {flag.dtype} {list(flag.shape)}")
        found[axis] = flag
    return found if len(network.axes) > 1 else next(iter(found.values()), None)


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
