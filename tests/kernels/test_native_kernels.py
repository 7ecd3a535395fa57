"""The native kernels against the reference in float64: outputs, states, every gradient, whatever they are given."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from networks import quick_compilation
from statewise.kernels.gru import GRUWeights, gru
from statewise.kernels.lstm import LSTMWeights, lstm
from statewise.kernels.native import native_gru, native_lstm, serves
from statewise.kernels.states import GRUState, LSTMState
from statewise.native import ffi
from statewise.native.library import library
from statewise.native.self_check import inputs, shapes
from tolerances import assert_close

pytestmark = pytest.mark.skipif(library() is None, reason="the native library is not built")

Size = tuple[int, int, int, int]  # B, T, F, H

TOLERANCE = 2e-6


class Cell(NamedTuple):
    """One cell's kernels, and how its weights and states are made."""

    native: Callable[..., Any]
    reference: Callable[..., Any]
    weights: Callable[..., Any]
    state: Callable[..., Any]
    gates: int


CELLS = {
    "lstm": Cell(native_lstm, lstm, LSTMWeights, LSTMState, 4),
    "gru": Cell(native_gru, gru, GRUWeights, GRUState, 3),
}

# Every pair of: one row, few, a tile and one more, many on two threads; one block of units, a part of one, several;
# dense input and one-hot; and what marks there are.
CASES: list[tuple[Size, str, bool]] = [
    ((1, 5, 3, 4), "plain", False),
    ((1, 9, 3, 70), "all", False),
    ((1, 2, 20, 16), "reset", True),
    ((2, 4, 3, 17), "all", False),
    ((3, 4, 20, 33), "all", True),
    ((4, 3, 2, 1), "mask", False),
    ((5, 6, 1, 50), "noise", False),
    ((7, 5, 16, 16), "initial", True),
    ((8, 7, 33, 64), "plain", True),
    ((13, 3, 5, 48), "all", False),
    ((33, 9, 70, 130), "all", False),
    ((32, 20, 65, 128), "all", True),
    ((16, 8, 64, 96), "plain", False),
]


class Given(NamedTuple):
    """What a kernel is given; `weights`, `x`, `state` and `initial` have gradients."""

    weights: Any
    x: Any
    state: Any
    initial: Any
    reset: Any
    mask: Any
    noise: Any


def draw(cell: Cell, size: Size, marks: str, one_hot: bool, seed: int = 0) -> tuple[Given, tuple[Any, Any]]:
    """Returns random inputs in float32, and the gradients that come back to y and the state."""
    B, T, F, H = size
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> Any:
        return rng.normal(size=shape).astype(np.float32)

    def state(*shape: int) -> Any:
        return cell.state(*(normal(*shape) for _ in cell.state._fields))  # type: ignore[attr-defined]

    scale, width = np.float32(1 / np.sqrt(max(F, H))), cell.gates * H
    bias = normal(2, width) if cell.gates == 3 else normal(width)
    x = np.eye(F, dtype=np.float32)[rng.integers(F, size=(B, T))] if one_hot else normal(B, T, F)
    given = Given(
        weights=cell.weights(2 * scale * normal(F, width), scale * normal(H, width), bias),
        x=x,
        state=state(B, H),
        initial=state(H) if marks in ("initial", "all") else None,
        reset=rng.random((B, T)) < 0.3 if marks in ("reset", "initial", "all") else None,
        mask=rng.random((B, T)) < 0.6 if marks in ("mask", "all") else None,
        noise=(rng.random((B, H)) < 0.7).astype(np.float32) / np.float32(0.7) if marks in ("noise", "all") else None,
    )
    return given, (normal(B, T, H), state(B, H))


def outcome(kernel: Callable[..., Any], given: Given, wanted: tuple[Any, Any]) -> Any:
    """Returns y, the last state, and the gradients by weights, x, state and initial state."""

    def bare(weights: Any, x: Any, state: Any, initial: Any) -> Any:
        return kernel(weights, x, state, reset=given.reset, mask=given.mask, initial=initial, noise=given.noise)

    result, back = jax.vjp(bare, *given[:4])
    return result, back(wanted)


def by_native(cell: Cell, given: Given, wanted: tuple[Any, Any]) -> Any:
    return jax.tree.map(np.asarray, jax.jit(lambda *both: outcome(cell.native, *both))(given, wanted))


def by_reference(cell: Cell, given: Given, wanted: tuple[Any, Any]) -> Any:
    with jax.enable_x64(True), quick_compilation():
        doubled = jax.tree.map(lambda a: jnp.asarray(a, bool if a.dtype == bool else jnp.float64), (given, wanted))
        return jax.tree.map(np.asarray, jax.jit(lambda *both: outcome(cell.reference, *both))(*doubled))


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("size", "marks", "one_hot"), CASES, ids=str)
def test_native_kernels_equal_the_reference_in_float64(size: Size, marks: str, one_hot: bool, name: str) -> None:
    cell = CELLS[name]
    given, wanted = draw(cell, size, marks, one_hot)
    native, reference = by_native(cell, given, wanted), by_reference(cell, given, wanted)
    # Sums of many terms of either sign: what counts is the size of the terms, not what is left of them.
    sizes = jax.tree.map(lambda a: max(1.0, float(np.abs(a).max())), reference)
    native, reference = (jax.tree.map(np.divide, result, sizes) for result in (native, reference))
    assert_close(native, reference, name, tolerance=TOLERANCE)


@pytest.mark.parametrize("name", CELLS)
def test_what_a_mask_skips_has_no_gradient_at_all(name: str) -> None:
    given, wanted = draw(CELLS[name], (3, 6, 4, 5), "mask", one_hot=False)
    _, (_, d_x, _, _) = by_native(CELLS[name], given, wanted)
    np.testing.assert_array_equal(np.any(d_x != 0, axis=-1), given.mask)


@pytest.mark.parametrize("name", CELLS)
def test_a_pass_without_gradients_gives_the_same_numbers(name: str) -> None:
    cell = CELLS[name]
    given, wanted = draw(cell, (5, 4, 3, 20), "all", one_hot=False)
    (y, last), _ = by_native(cell, given, wanted)
    flags = {"reset": given.reset, "mask": given.mask, "initial": given.initial, "noise": given.noise}
    alone = jax.jit(lambda given: cell.native(given.weights, given.x, given.state, **flags))(given)
    assert_close(alone, (y, last), name, tolerance=TOLERANCE)


@pytest.mark.parametrize("name", CELLS)
def test_not_a_number_stays_in_its_row(name: str) -> None:
    cell = CELLS[name]
    given, _ = draw(cell, (6, 4, 3, 20), "plain", one_hot=False)
    given.x[2, 1, 0] = np.nan
    y, _ = cell.native(given.weights, given.x, given.state)
    bad = ~np.isfinite(np.asarray(y)).all(axis=-1)
    expected = np.zeros((6, 4), bool)
    expected[2, 1:] = True
    np.testing.assert_array_equal(bad, expected)


@pytest.mark.parametrize("name", CELLS)
def test_large_sums_saturate(name: str) -> None:
    """As far from 0 as a float goes: gates are 0 or 1, and nothing overflows."""
    cell = CELLS[name]
    given, wanted = draw(cell, (5, 3, 2, 20), "plain", one_hot=False)
    given = given._replace(x=given.x * np.float32(1e30))
    result = by_native(cell, given, wanted)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(result))
    (y, _), _ = result
    assert np.abs(y).max() <= max(1.0, np.abs(given.state.h).max()) + 1e-6


@pytest.mark.parametrize("name", CELLS)
def test_rows_do_not_depend_on_the_rows_beside_them(name: str) -> None:
    """Bit for bit, whichever tile and thread they are in."""
    cell = CELLS[name]
    given, _ = draw(cell, (40, 12, 30, 40), "plain", one_hot=False)
    together, _ = cell.native(given.weights, given.x, given.state)
    part = slice(17, 24)
    apart, _ = cell.native(given.weights, given.x[part], jax.tree.map(lambda a: a[part], given.state))
    np.testing.assert_array_equal(apart, together[part])


@pytest.mark.parametrize("name", CELLS)
def test_results_do_not_depend_on_the_number_of_threads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`statewise_check` computes on one thread, XLA's handlers on those of its pool."""
    from statewise.native import self_check

    for dimension, value in {"ROWS": 24, "STEPS": 8, "FEATURES": 30, "UNITS": 90}.items():
        monkeypatch.setattr(self_check, dimension, value)
    cell, given = CELLS[name], inputs(name)
    weights = cell.weights(given["kernel"], given["recurrent_kernel"], given["bias"])
    state = cell.state(*(given[part] for part in ("h", "c")[: len(cell.state._fields)]))  # type: ignore[attr-defined]
    (y, _), back = jax.vjp(cell.native, weights, given["x"], state)
    d_weights, d_x, _ = back((given["d_y"], jax.tree.map(jnp.zeros_like, state)))

    flat = np.concatenate([array.ravel() for array in given.values()])
    wanted = shapes(name)[1]
    results = np.zeros(sum(int(np.prod(shape)) for shape in wanted.values()), np.float32)
    found: Any = library()
    found.statewise_check.argtypes = [ctypes.c_long] * 5 + [ctypes.c_void_p] * 2
    found.statewise_check(list(CELLS).index(name), 24, 8, 30, 90, flat.ctypes.data, results.ctypes.data)
    ends = np.cumsum([int(np.prod(shape)) for shape in wanted.values()])[:-1]
    alone = dict(zip(wanted, np.split(results, ends), strict=True))
    assert 4 * 24 * 8 * 90 * 120 > 1e6  # enough work for several threads
    np.testing.assert_array_equal(np.ravel(y), alone["y"])
    for part, gradient in zip(("kernel", "recurrent_kernel", "bias"), d_weights, strict=True):
        np.testing.assert_array_equal(np.ravel(gradient), alone[f"d_{part}"], part)
    np.testing.assert_array_equal(np.ravel(d_x), alone["d_x"])


@pytest.mark.parametrize("name", CELLS)
def test_mapped_over_weights(name: str) -> None:
    cell = CELLS[name]
    given, _ = draw(cell, (3, 4, 3, 5), "plain", one_hot=False)
    both = jax.tree.map(lambda a: np.stack([a, 2 * a]), given.weights)
    mapped, _ = jax.jit(jax.vmap(lambda weights: cell.native(weights, given.x, given.state)))(both)
    for number, weights in enumerate((given.weights, jax.tree.map(lambda a: 2 * a, given.weights))):
        one, _ = cell.native(weights, given.x, given.state)
        np.testing.assert_array_equal(mapped[number], one)


def test_arrays_of_wrong_sizes_are_refused_by_the_library_itself() -> None:
    given, _ = draw(CELLS["lstm"], (3, 4, 3, 5), "plain", one_hot=False)
    nothing, marks = np.zeros(0, np.float32), np.zeros(0, bool)
    arguments = [given.x, *given.weights, *given.state, marks, marks, nothing, nothing, nothing]
    outputs = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((3, 4, 5), (3, 5), (3, 5), (0,))]
    call = jax.ffi.ffi_call(ffi.target("lstm_forward"), outputs)
    np.testing.assert_array_equal(call(*arguments)[0], native_lstm(given.weights, given.x, given.state)[0])
    for place in range(6):
        wrong = [array[..., :-1] if number == place else array for number, array in enumerate(arguments)]
        with pytest.raises(jax.errors.JaxRuntimeError, match="other sizes than expected"):
            call(*wrong)


def test_they_serve_where_they_can_and_are_faster() -> None:
    if not ffi.is_registered():
        pytest.skip("this JAX cannot use the library")
    cell = CELLS["lstm"]

    def served(size: Size, dtype: Any = np.float32) -> bool:
        given, _ = draw(cell, size, "plain", one_hot=False)
        weights, x, state = jax.tree.map(lambda a: a.astype(dtype), given[:3])
        return serves(weights, x, state, {"reset": None})

    assert served((5, 2, 1, 4))
    assert not served((3, 3, 1, 4))  # too few
    assert not served((50, 1, 1, 4))  # a single step
    assert not served((5, 2, 1, 4), np.float16)
