"""The fast kernel against the reference and the oracle: outputs, states, every gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import oracle
from networks import quick_compilation
from statewise.kernels import lstm, lstm_fast, products
from statewise.kernels.lstm import GATES, LSTMWeights
from statewise.kernels.states import LSTMState
from tolerances import assert_close

Array = Any  # of NumPy or of JAX: kernels take either
Kernel = Callable[..., tuple[jax.Array, LSTMState]]

Size = tuple[int, int, int, int]  # B, T, F, H

ONE_STEP: Size = (3, 1, 2, 4)
ONE_ROW: Size = (1, 4, 3, 2)
SMALL: Size = (2, 5, 3, 2)
WIDE: Size = (16, 2, 3, 2)  # rows enough to be multiplied in two halves
LARGE: Size = (4, 3, 3, 64)  # B H 4H at the threshold: not unrolled

FLAGS = ["plain", "reset", "mask", "both", "initial"]
CASES = [
    (ONE_STEP, "both"),
    (ONE_ROW, "initial"),
    *((SMALL, flags) for flags in FLAGS),
    (WIDE, "initial"),
    (LARGE, "initial"),
]
KERNELS: dict[str, Kernel] = {"scan": lstm_fast.fast_lstm, "reference": lstm.lstm}
NAMES = ("kernel", "recurrent_kernel", "bias", "x", "h0", "c0", "initial_h", "initial_c")


class Inputs(NamedTuple):
    """What a kernel is given, in float64, and the gradients that come back to its outputs."""

    weights: tuple[Array, Array, Array]
    x: Array
    state: tuple[Array, Array]
    reset: Array | None
    mask: Array | None
    d_y: Array
    d_state: tuple[Array, Array]
    initial: tuple[Array, Array] | None


def draw(size: Size, flags: str = "plain", seed: int = 0) -> Inputs:
    """Returns random inputs: h and c differ and are not zero, neither are biases; "initial" has all that there is."""
    B, T, F, H = size
    rng = np.random.default_rng(seed)
    scale = 1 / np.sqrt(max(F, H))  # keeps the gates of large layers away from saturation
    return Inputs(
        weights=(rng.normal(size=(F, 4 * H)), scale * rng.normal(size=(H, 4 * H)), rng.normal(size=4 * H)),
        x=rng.normal(size=(B, T, F)),
        state=(rng.normal(size=(B, H)), rng.normal(size=(B, H))),
        reset=rng.random((B, T)) < 0.3 if flags in ("reset", "both", "initial") else None,
        mask=rng.random((B, T)) < 0.6 if flags in ("mask", "both", "initial") else None,
        d_y=rng.normal(size=(B, T, H)),
        d_state=(rng.normal(size=(B, H)), rng.normal(size=(B, H))),
        initial=(rng.normal(size=H), rng.normal(size=H)) if flags == "initial" else None,
    )


def arguments_of(given: Inputs) -> tuple[LSTMWeights, Array, LSTMState, LSTMState | None]:
    """Returns what a gradient is taken by: weights, x, the state and the initial state."""
    initial = None if given.initial is None else LSTMState(*given.initial)
    return LSTMWeights(*given.weights), given.x, LSTMState(*given.state), initial


@lru_cache
def program_of(names: tuple[str, ...], _dtype: str, _unroll: int) -> Any:
    """Returns the compiled outputs and gradients of kernels by name; one for each dtype and unrolling."""

    def one(kernel: Kernel, given: Inputs) -> dict[str, jax.Array]:
        def bare(*arguments: Any) -> tuple[jax.Array, LSTMState]:
            weights, x, state, initial = arguments
            return kernel(weights, x, state, reset=given.reset, mask=given.mask, initial=initial)

        (y, last), pull_back = jax.vjp(bare, *arguments_of(given))
        d_weights, d_x, d_state, d_initial = pull_back((given.d_y, LSTMState(*given.d_state)))
        gradients = dict(zip(NAMES, (*d_weights, d_x, *d_state, *(d_initial or ())), strict=False))
        return {"y": y, "h": last.h, "c": last.c, **gradients}

    return jax.jit(lambda given: {name: one(KERNELS[name], given) for name in names})


def run(given: Inputs, dtype: str, *names: str) -> dict[str, dict[str, Array]]:
    """Returns y, h, c and the gradients by all inputs for each kernel, from one compiled program."""
    as_dtype = jax.tree.map(lambda a: jnp.asarray(a, bool if a.dtype == bool else dtype), given)
    out: dict[str, dict[str, Array]] = jax.tree.map(np.asarray, program_of(names, dtype, products.UNROLL)(as_dtype))
    return out


def by_oracle(given: Inputs) -> dict[str, Array]:
    """Returns the same from the oracle's plain loops."""
    names = ("x", "kernel", "recurrent_kernel", "bias", "h0", "c0")
    initial: Any = None if given.initial is None else tuple(part.tolist() for part in given.initial)
    values = (given.x, *given.weights, *given.state)
    inputs: dict[str, Any] = {name: value.tolist() for name, value in zip(names, values, strict=True)}
    flags: dict[str, Any] = {
        name: None if flag is None else flag.tolist() for name, flag in (("reset", given.reset), ("mask", given.mask))
    }
    outputs = asdict(oracle.lstm(**inputs, **flags, initial=initial))
    wanted: dict[str, Any] = {
        name: value.tolist() for name, value in zip(("d_y", "d_h", "d_c"), (given.d_y, *given.d_state), strict=True)
    }
    gradients = asdict(oracle.lstm_gradients(**inputs, **wanted, **flags, initial=initial))
    if initial is None:
        del gradients["initial_h"], gradients["initial_c"]
    return {name: np.array(value) for name, value in (outputs | gradients).items()}


@pytest.fixture
def float64() -> Iterator[None]:
    with jax.enable_x64(True), quick_compilation():
        yield


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("size", "flags"), CASES, ids=str)
def test_fast_kernel_equals_reference_and_oracle_in_float64(size: Size, flags: str) -> None:
    given = draw(size, flags)
    results = run(given, "float64", "scan", "reference")
    assert results["scan"]["y"].dtype == np.float64
    assert_close(results["scan"], results["reference"], "scan")
    assert_close(results["reference"], by_oracle(given), "reference")


@pytest.mark.usefixtures("float64")
def test_more_steps_than_are_unrolled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "UNROLL", 2)
    monkeypatch.setattr(products, "UNROLL_ALL", 4)  # twice two steps, and one that is left over
    given = draw(SMALL, "initial", seed=7)
    assert_close(run(given, "float64", "scan")["scan"], by_oracle(given), "scan")


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=str)
def test_fast_kernel_equals_oracle_in_float32(size: Size) -> None:
    given = draw(size, "both", seed=1)
    results = run(given, "float32", "scan")["scan"]
    assert results["y"].dtype == np.float32
    assert_close(results, by_oracle(given), "scan")
    assert given.mask is not None
    np.testing.assert_array_equal(np.any(results["x"] != 0, axis=-1), given.mask)  # exactly zero where masked


def test_the_sizes_lie_on_both_sides_of_the_unrolling_threshold() -> None:
    sizes = (ONE_STEP, SMALL, LARGE, (2, 99, 3, 63))
    counts = {(B, T, F, H): products.unrolled(T, B, H, 4 * H) for B, T, F, H in sizes}
    assert counts == {ONE_STEP: 1, SMALL: 5, LARGE: 1, (2, 99, 3, 63): products.UNROLL}
    assert ONE_ROW[0] * ONE_ROW[1] <= products.FEW < SMALL[0] * SMALL[1]
    assert SMALL[0] < products.HALVED_FROM <= WIDE[0]


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("mask", [True, False], ids=["taken", "masked"])
@pytest.mark.parametrize("reset", [True, False], ids=["reset-everywhere", "never-reset"])
def test_flags_that_are_the_same_everywhere(reset: bool, mask: bool) -> None:
    B, T, _, _ = SMALL
    given = draw(SMALL, seed=2)._replace(reset=np.full((B, T), reset), mask=np.full((B, T), mask))
    results = run(given, "float64", "scan", "reference")
    assert_close(results["scan"], by_oracle(given), "scan")
    assert_close(results["reference"], results["scan"], "reference")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", KERNELS)
def test_the_gradient_of_every_single_input_equals_the_numeric_one(name: str) -> None:
    given = draw((2, 3, 2, 2), "initial", seed=4)
    reset, mask = jnp.asarray(given.reset), jnp.asarray(given.mask)
    flat, restore = ravel_pytree(jax.tree.map(jnp.asarray, arguments_of(given)))

    def loss(numbers: jax.Array) -> jax.Array:
        weights, x, state, initial = restore(numbers)
        y, last = KERNELS[name](weights, x, state, reset=reset, mask=mask, initial=initial)
        return jnp.sum(given.d_y * y) + jnp.sum(given.d_state[0] * last.h) + jnp.sum(given.d_state[1] * last.c)

    step = 1e-5
    moves = step * jnp.eye(flat.size)
    numeric = jax.jit(jax.vmap(lambda move: (loss(flat + move) - loss(flat - move)) / (2 * step)))(moves)
    assert_close(jax.jit(jax.grad(loss))(flat), numeric, "gradient", tolerance=1e-8)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", KERNELS)
def test_after_a_reset_a_row_is_a_fresh_sequence_from_the_initial_state(name: str) -> None:
    given, kernel = jax.tree.map(jnp.asarray, draw(SMALL, "initial", seed=8)), KERNELS[name]
    weights, x, state, initial = arguments_of(given)
    assert initial is not None
    reset = jnp.zeros(x.shape[:2], bool).at[1, 2].set(True)
    y, last = kernel(weights, x, state, reset=reset, initial=initial)
    fresh_y, fresh_last = kernel(weights, x[1:, 2:], LSTMState(*(part[None] for part in initial)))
    assert_close(y[1, 2:], fresh_y[0], "y")
    assert_close(jax.tree.map(lambda a: a[1:], last), fresh_last, "state")
    untouched, _ = kernel(weights, x, state)
    assert_close(y[0], untouched[0], "y of the row that is not reset")
    assert_close(y[1, :2], untouched[1, :2], "y before the reset")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", KERNELS)
def test_without_a_reset_the_initial_state_is_not_felt(name: str) -> None:
    given = jax.tree.map(jnp.asarray, draw(SMALL, "initial", seed=9)._replace(reset=None))
    assert given.initial is not None
    result = jax.tree.map(np.asarray, program_of((name,), "float64", products.UNROLL)(given))[name]
    assert not result.pop("initial_h").any()
    assert not result.pop("initial_c").any()
    assert_close(result, by_oracle(given._replace(initial=None)), name)


@pytest.mark.parametrize("gate", GATES)
def test_each_gate_has_its_place(gate: str) -> None:
    """A bias of +-40 opens or shuts one gate fully; what that does follows from the equations by hand."""
    weights = LSTMWeights(jnp.zeros((1, 4)), jnp.zeros((1, 4)), jnp.zeros(4).at[GATES.index(gate)].set(-40.0))
    state = LSTMState(jnp.array([[0.3]]), jnp.array([[0.8]]))
    _, (h, c) = lstm_fast.fast_lstm(weights, jnp.ones((1, 1, 1)), state)
    i, f, g, o = (0.0 if name == gate else 0.5 for name in "ifgo")
    g = -1.0 if gate == "g" else 0.0
    expected_c = f * 0.8 + i * g
    assert_close(np.asarray(c), np.array([[expected_c]], np.float32), "c")
    assert_close(np.asarray(h), np.array([[o * np.tanh(expected_c)]], np.float32), "h")


def test_reference_takes_other_activations() -> None:
    given = draw((2, 3, 3, 2), seed=6)
    (kernel, recurrent_kernel, bias), (h, c) = given.weights, given.state
    weights, state = LSTMWeights(*given.weights), LSTMState(*given.state)
    y, last = lstm.lstm(
        jax.tree.map(jnp.asarray, weights),
        jnp.asarray(given.x),
        jax.tree.map(jnp.asarray, state),
        activation=jax.nn.relu,
        recurrent_activation=jax.nn.hard_sigmoid,
    )
    expected = []
    for t in range(3):
        i, f, g, o = np.split(given.x[:, t] @ kernel + h @ recurrent_kernel + bias, 4, axis=-1)
        i, f, o = (np.clip(z / 6 + 0.5, 0, 1) for z in (i, f, o))
        c = f * c + i * np.maximum(g, 0)
        h = o * np.maximum(c, 0)
        expected.append(h)
    assert_close(np.asarray(y), np.stack(expected, axis=1), "y")
    assert_close(np.asarray(last.c), c, "c")
