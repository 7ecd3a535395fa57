"""The fast GRU against its reference, the reference against the oracle and PyTorch: outputs, states, gradients."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import gru_oracle
from networks import quick_compilation
from statewise.kernels import products
from statewise.kernels.gru import GRU_GATES, GRUWeights, gru
from statewise.kernels.gru_fast import fast_gru
from statewise.kernels.states import GRUState
from tolerances import assert_close

Array = Any  # of NumPy or of JAX: kernels take either
Kernel = Callable[..., tuple[jax.Array, GRUState]]
Size = tuple[int, int, int, int]  # B, T, F, H

ONE_STEP: Size = (3, 1, 2, 4)
ONE_ROW: Size = (1, 4, 3, 2)
SMALL: Size = (2, 5, 3, 2)
WIDE: Size = (16, 2, 3, 2)  # rows enough to be multiplied in two halves
LARGE: Size = (4, 3, 3, 74)  # B H 3H above the threshold: not unrolled

FLAGS = ["plain", "reset", "mask", "both", "initial"]
CASES = [
    (ONE_STEP, "both"),
    (ONE_ROW, "initial"),
    *((SMALL, flags) for flags in FLAGS),
    (WIDE, "initial"),
    (LARGE, "initial"),
]
KERNELS: dict[str, Kernel] = {"fast": fast_gru, "reference": gru}
NAMES = ("kernel", "recurrent_kernel", "bias", "x", "h0", "initial")
GOLDEN = Path(__file__).parent.parent / "golden" / "torch_gru.json"


class Inputs(NamedTuple):
    """What a kernel is given, in float64, and the gradients that come back to its outputs."""

    weights: GRUWeights
    x: Array
    state: GRUState
    initial: GRUState | None
    reset: Array | None
    mask: Array | None
    d_y: Array
    d_h: Array


def draw(size: Size, flags: str = "plain", seed: int = 0, *, reset_after: bool = True) -> Inputs:
    """Returns random inputs, biases and states included; "initial" has all that there is."""
    B, T, F, H = size
    rng = np.random.default_rng(seed)
    scale = 1 / np.sqrt(max(F, H))  # keeps the gates of large layers away from saturation
    bias = rng.normal(size=(2, 3 * H) if reset_after else 3 * H)
    weights: Any = (rng.normal(size=(F, 3 * H)), scale * rng.normal(size=(H, 3 * H)), bias)
    return Inputs(
        weights=GRUWeights(*weights),
        x=rng.normal(size=(B, T, F)),
        state=GRUState(rng.normal(size=(B, H))),
        initial=GRUState(rng.normal(size=H)) if flags == "initial" else None,
        reset=rng.random((B, T)) < 0.4 if flags in ("reset", "both", "initial") else None,
        mask=rng.random((B, T)) < 0.6 if flags in ("mask", "both", "initial") else None,
        d_y=rng.normal(size=(B, T, H)),
        d_h=rng.normal(size=(B, H)),
    )


def arrays(given: Inputs, dtype: str = "float64") -> Inputs:
    """Returns the inputs as arrays of JAX."""
    return jax.tree.map(lambda a: jnp.asarray(a, bool if a.dtype == bool else dtype), given)


@lru_cache
def program_of(names: tuple[str, ...], _dtype: str, _unroll: int) -> Any:
    """Returns the compiled outputs and gradients of kernels by name; one for each dtype and unrolling."""

    def one(kernel: Kernel, given: Inputs) -> dict[str, jax.Array]:
        def bare(*arguments: Any) -> tuple[jax.Array, GRUState]:
            weights, x, state, initial = arguments
            return kernel(weights, x, state, reset=given.reset, mask=given.mask, initial=initial)

        (y, last), pull_back = jax.vjp(bare, *given[:4])
        d_weights, d_x, d_state, d_initial = pull_back((given.d_y, GRUState(given.d_h)))
        gradients = dict(zip(NAMES, (*d_weights, d_x, *d_state, *(d_initial or ())), strict=False))
        return {"y": y, "h": last.h} | {f"d_{name}": gradient for name, gradient in gradients.items()}

    return jax.jit(lambda given: {name: one(KERNELS[name], given) for name in names})


def run(given: Inputs, dtype: str, *names: str) -> dict[str, dict[str, Array]]:
    """Returns y, h and the gradients by all inputs for each kernel, from one compiled program."""
    out: dict[str, dict[str, Array]] = jax.tree.map(
        np.asarray, program_of(names, dtype, products.UNROLL)(arrays(given, dtype))
    )
    return out


def by_oracle(given: Inputs) -> dict[str, Array]:
    """Returns y and h from the oracle's plain loops."""
    bias = given.weights.bias
    reset_after = bias.ndim == 2
    both = bias if reset_after else np.stack([bias, np.zeros_like(bias)])
    parts: list[Any] = [a.tolist() for a in (given.x, *given.weights[:2], *both, given.state.h)]
    flags: dict[str, Any] = {
        name: None if flag is None else flag.tolist()
        for name, flag in (
            ("reset", given.reset),
            ("mask", given.mask),
            ("initial", None if given.initial is None else given.initial.h),
        )
    }
    outputs = asdict(gru_oracle.gru(*parts, reset_after=reset_after, **flags))
    return {name: np.array(value) for name, value in outputs.items()}


def numeric_gradients(given: Inputs, step: float = 1e-5) -> dict[str, Array]:
    """Returns the oracle's gradients by all inputs, as central differences."""

    def loss(numbers: Array) -> float:
        moved = given._replace(**dict(zip(Inputs._fields[:4], jax.tree.map(np.asarray, restore(numbers)), strict=True)))
        outputs = by_oracle(moved)
        return float(np.sum(given.d_y * outputs["y"]) + np.sum(given.d_h * outputs["h"]))

    flat, restore = ravel_pytree(arrays(given)[:4])
    here = np.asarray(flat)
    slopes = [(loss(here + move) - loss(here - move)) / (2 * step) for move in step * np.eye(here.size)]
    gradients = jax.tree.leaves(restore(jnp.asarray(slopes)))
    return {f"d_{name}": np.asarray(gradient) for name, gradient in zip(NAMES, gradients, strict=False)}


@pytest.fixture
def float64() -> Iterator[None]:
    with jax.enable_x64(True), quick_compilation():
        yield


# ---------------------------------------------------------------------------- against other computations


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("size", "flags"), CASES, ids=str)
def test_fast_kernel_equals_reference_and_oracle_in_float64(size: Size, flags: str) -> None:
    given = draw(size, flags)
    results = run(given, "float64", "fast", "reference")
    assert results["fast"]["y"].dtype == np.float64
    assert_close(results["fast"], results["reference"], "fast")
    assert_close({name: results["reference"][name] for name in ("y", "h")}, by_oracle(given), "reference")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("flags", ["plain", "both", "initial"])
def test_gradients_equal_the_numeric_ones_of_the_oracle(flags: str) -> None:
    given = draw((2, 3, 2, 2), flags, seed=4)
    result = run(given, "float64", "fast")["fast"]
    gradients = {name: value for name, value in result.items() if name not in ("y", "h")}
    assert_close(gradients, numeric_gradients(given), "fast", tolerance=1e-8)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("flags", ["plain", "initial"])
@pytest.mark.parametrize("size", [ONE_STEP, SMALL], ids=str)
def test_the_reset_gate_before_the_product_equals_the_oracle(size: Size, flags: str) -> None:
    given = draw(size, flags, seed=5, reset_after=False)
    weights, x, state, initial, reset, mask, *_ = arrays(given)
    y, last = gru(weights, x, state, reset=reset, mask=mask, initial=initial, reset_after=False)
    assert_close({"y": y, "h": last.h}, by_oracle(given), "reference")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", KERNELS)
def test_outputs_and_gradients_equal_torch(name: str) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    inputs, d = (
        {key: np.array(value) for key, value in golden[part].items()} for part in ("inputs", "output_gradients")
    )
    weights: Any = (inputs[key] for key in GRUWeights._fields)
    given = Inputs(GRUWeights(*weights), inputs["x"], GRUState(inputs["h0"]), None, None, None, **d)
    gradients = {f"d_{key}": np.array(value) for key, value in golden["gradients"].items()}
    outputs = {key: np.array(value) for key, value in golden["outputs"].items()}
    assert_close(run(given, "float64", name)[name], outputs | gradients, name)
    assert_close(by_oracle(given), outputs, "oracle", tolerance=1e-12)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=str)
def test_fast_kernel_equals_oracle_in_float32(size: Size) -> None:
    given = draw(size, "initial", seed=1)
    result = run(given, "float32", "fast")["fast"]
    assert result["y"].dtype == np.float32
    assert_close({name: result[name] for name in ("y", "h")}, by_oracle(given), "fast")
    assert given.mask is not None
    np.testing.assert_array_equal(np.any(result["d_x"] != 0, axis=-1), given.mask)  # exactly zero where masked


@pytest.mark.usefixtures("float64")
def test_more_steps_than_are_unrolled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "UNROLL", 2)
    monkeypatch.setattr(products, "UNROLL_ALL", 4)  # twice two steps, and one that is left over
    results = run(draw(SMALL, "initial", seed=7), "float64", "fast", "reference")
    assert_close(results["fast"], results["reference"], "fast")


def test_the_sizes_lie_on_both_sides_of_the_unrolling_threshold() -> None:
    counts = {(B, T, F, H): products.unrolled(T, B, H, 3 * H) for B, T, F, H in (SMALL, LARGE)}
    assert counts == {SMALL: 5, LARGE: 1}


# ------------------------------------------------------------------------------- chunks, resets and masks


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", KERNELS)
def test_chunks_equal_the_whole(name: str) -> None:
    weights, x, state, initial, reset, mask, *_ = arrays(draw(SMALL, "initial", seed=8))
    assert reset is not None
    assert mask is not None
    kernel = KERNELS[name]
    y, last = kernel(weights, x, state, reset=reset, mask=mask, initial=initial)
    pieces = []
    for part in (slice(0, 1), slice(1, 3), slice(3, 5)):
        piece, state = kernel(weights, x[:, part], state, reset=reset[:, part], mask=mask[:, part], initial=initial)
        pieces.append(piece)
    assert_close(jnp.concatenate(pieces, axis=1), y, "y")
    assert_close(state, last, "state")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", KERNELS)
def test_a_masked_step_changes_nothing(name: str) -> None:
    weights, x, state, *_ = arrays(draw(SMALL, seed=9))
    mask = jnp.ones(x.shape[:2], bool).at[0, 0].set(False).at[1, 2].set(False)
    y, last = KERNELS[name](weights, x, state, mask=mask)
    np.testing.assert_array_equal(y[0, 0], state.h[0])
    np.testing.assert_array_equal(y[1, 2], y[1, 1])
    for row, taken in ((0, [1, 2, 3, 4]), (1, [0, 1, 3, 4])):
        short_y, short_last = KERNELS[name](
            weights, x[row : row + 1, jnp.array(taken)], GRUState(state.h[row : row + 1])
        )
        assert_close(y[row, jnp.array(taken)], short_y[0], f"y of row {row}")
        assert_close(last.h[row], short_last.h[0], f"state of row {row}")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("begun", [True, False], ids=["initial", "zeros"])
@pytest.mark.parametrize("name", KERNELS)
def test_after_a_reset_a_row_is_a_fresh_sequence(name: str, begun: bool) -> None:
    weights, x, state, initial, *_ = arrays(draw(SMALL, "initial", seed=10))
    assert initial is not None
    reset, kernel = jnp.zeros(x.shape[:2], bool).at[1, 2].set(True), KERNELS[name]
    y, last = kernel(weights, x, state, reset=reset, initial=initial if begun else None)
    start = GRUState(initial.h[None] if begun else jnp.zeros_like(initial.h)[None])
    fresh_y, fresh_last = kernel(weights, x[1:, 2:], start)
    assert_close(y[1, 2:], fresh_y[0], "y")
    assert_close(last.h[1:], fresh_last.h, "state")
    untouched, _ = kernel(weights, x, state)
    assert_close(y[0], untouched[0], "y of the row that is not reset")
    assert_close(y[1, :2], untouched[1, :2], "y before the reset")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", KERNELS)
def test_a_step_both_reset_and_masked_leaves_the_row_at_the_initial_state(name: str) -> None:
    weights, x, state, initial, *_ = arrays(draw(SMALL, "initial", seed=11))
    assert initial is not None
    everywhere = jnp.ones(x.shape[:2], bool)
    y, last = KERNELS[name](weights, x, state, reset=everywhere, mask=~everywhere, initial=initial)
    np.testing.assert_array_equal(y, jnp.broadcast_to(initial.h, y.shape))
    np.testing.assert_array_equal(last.h, y[:, -1])


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", KERNELS)
def test_without_a_reset_the_initial_state_is_not_felt(name: str) -> None:
    given = draw(SMALL, "initial", seed=12)._replace(reset=None)
    result = run(given, "float64", name)[name]
    assert not result.pop("d_initial").any()
    assert_close({key: result[key] for key in ("y", "h")}, by_oracle(given._replace(initial=None)), name)


# ----------------------------------------------------------------------------------- the gates, one by one


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize(("gate", "expected"), [("z", 0.0), ("r", 0.15), ("h", -0.35)])
def test_each_gate_has_its_place(gate: str, expected: float, name: str) -> None:
    """A bias of -40 shuts one gate fully; what that does follows from the equations by hand.

    Otherwise z = r = 1/2 and g = tanh(r 0): with h = 0.3, h' = 0.15.
    """
    bias = jnp.zeros((2, 3)).at[0, GRU_GATES.index(gate)].set(-40.0)
    weights = GRUWeights(jnp.zeros((1, 3)), jnp.zeros((1, 3)), bias)
    _, last = KERNELS[name](weights, jnp.ones((1, 1, 1)), GRUState(jnp.array([[0.3]])))
    assert_close(np.asarray(last.h), np.array([[expected]], np.float32), "h")


def test_the_reset_gate_scales_the_recurrent_bias_too() -> None:
    bias = jnp.array([[-40.0, -40.0, 0.2], [0.0, 0.0, 5.0]])  # z and r shut: h' = tanh(0.2), without the 5
    weights = GRUWeights(jnp.zeros((1, 3)), jnp.ones((1, 3)), bias)
    _, last = fast_gru(weights, jnp.ones((1, 1, 1)), GRUState(jnp.array([[0.3]])))
    assert_close(np.asarray(last.h), np.tanh([[np.float32(0.2)]]), "h")


@pytest.mark.parametrize("reset_after", [True, False])
def test_reference_takes_other_activations(reset_after: bool) -> None:
    given = draw((2, 3, 3, 2), seed=6, reset_after=reset_after)
    (kernel, recurrent_kernel, bias), h = given.weights, given.state.h
    b, d = bias if reset_after else (bias, np.zeros_like(bias))
    weights, x, state, *_ = arrays(given, "float32")
    relu, hard_sigmoid = jax.nn.relu, jax.nn.hard_sigmoid
    y, last = gru(weights, x, state, activation=relu, recurrent_activation=hard_sigmoid, reset_after=reset_after)
    expected = []
    for t in range(3):
        a, u = np.split(given.x[:, t] @ kernel + b, 3, axis=-1), np.split(h @ recurrent_kernel + d, 3, axis=-1)
        z, r = (np.clip((a[n] + u[n]) / 6 + 0.5, 0, 1) for n in (0, 1))
        u_h = r * u[2] if reset_after else (r * h) @ recurrent_kernel[:, 4:]
        h = z * h + (1 - z) * np.maximum(a[2] + u_h, 0)
        expected.append(h)
    assert_close(np.asarray(y), np.stack(expected, axis=1), "y")
    assert_close(np.asarray(last.h), h, "h")
