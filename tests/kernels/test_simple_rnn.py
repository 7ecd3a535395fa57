"""The SimpleRNN's kernel against its oracle; and the noise of h, which all kernels that are written to be read take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import simple_oracle
from networks import quick_compilation
from statewise.kernels.gru import GRUWeights, gru
from statewise.kernels.lstm import LSTMWeights, lstm
from statewise.kernels.simple_rnn import SimpleWeights, simple
from statewise.kernels.states import GRUState, LSTMState, SimpleState
from tolerances import assert_close

B, T, F, H = 2, 5, 3, 2
RNG = np.random.default_rng(7)
X = RNG.normal(size=(B, T, F))
WEIGHTS = (RNG.normal(size=(F, H)), RNG.normal(size=(H, H)), RNG.normal(size=H))
H0, INITIAL = RNG.normal(size=(B, H)), RNG.normal(size=H)
RESET, MASK = RNG.random((B, T)) < 0.4, RNG.random((B, T)) < 0.6
NOISE = np.array([[0.0, 1.6], [1.6, 0.4]])


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    with jax.enable_x64(True), quick_compilation():
        yield


FLAGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "reset": {"reset": RESET},
    "mask": {"mask": MASK},
    "all": {"reset": RESET, "mask": MASK, "initial": INITIAL, "noise": NOISE},
}


@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
def test_the_kernel_equals_the_oracle(flags: dict[str, Any]) -> None:
    given: dict[str, Any] = {name: jnp.asarray(flag) for name, flag in flags.items()}
    if "initial" in given:
        given["initial"] = SimpleState(given["initial"])
    y, state = simple(SimpleWeights(*map(jnp.asarray, WEIGHTS)), jnp.asarray(X), SimpleState(jnp.asarray(H0)), **given)
    arrays: list[Any] = [array.tolist() for array in (X, *WEIGHTS, H0)]
    lists = {name: flag.tolist() for name, flag in flags.items()}
    expected = asdict(simple_oracle.simple(*arrays, **lists))
    assert_close({"y": y, "h": state.h}, {name: np.array(value) for name, value in expected.items()}, "run")


def test_one_row_of_one_step_by_hand() -> None:
    """h = tanh(2 * 0.5 + 0.25 * -1 + 0.1) where x = 2 and h = 0.25 before."""
    weights = SimpleWeights(jnp.array([[0.5]]), jnp.array([[-1.0]]), jnp.array([0.1]))
    y, state = simple(weights, jnp.array([[[2.0]]]), SimpleState(jnp.array([[0.25]])))
    assert_close(y, np.tanh([[[0.85]]]), "y")
    assert_close(state.h, np.tanh([[0.85]]), "h")


NOISY: dict[str, tuple[Callable[..., Any], type[Any], type[Any], tuple[int, ...]]] = {
    "lstm": (lstm, LSTMWeights, LSTMState, (4 * H,)),
    "gru": (gru, GRUWeights, GRUState, (2, 3 * H)),
    "gru-reset-before": (partial(gru, reset_after=False), GRUWeights, GRUState, (3 * H,)),
    "simple": (simple, SimpleWeights, SimpleState, (H,)),
}


@pytest.mark.parametrize("name", NOISY)
def test_noise_of_a_row_is_a_scale_of_the_recurrent_kernels_rows(name: str) -> None:
    kernel, kind, state_kind, bias = NOISY[name]
    W, U = (jnp.asarray(RNG.normal(size=(size, bias[-1]))) for size in (F, H))
    b, x = jnp.asarray(RNG.normal(size=bias)), jnp.asarray(X)
    state = state_kind(*(jnp.asarray(RNG.normal(size=(B, H))) for _ in state_kind._fields))
    y, after = kernel(kind(W, U, b), x, state, noise=jnp.asarray(NOISE))
    for row in range(B):
        alone = jax.tree.map(lambda part: part[row : row + 1], state)  # noqa: B023 - used at once
        expected = kernel(kind(W, U * NOISE[row][:, None], b), x[row : row + 1], alone)
        found = y[row : row + 1], jax.tree.map(lambda part: part[row : row + 1], after)  # noqa: B023 - used at once
        assert_close(found, expected, f"row {row}")
