"""The oracle itself: its gradients against finite differences, LSTM against PyTorch, updates by hand."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import oracle

BATCH, STEPS, FEATURES, UNITS = 3, 5, 2, 3
GOLDEN = Path(__file__).parent / "golden" / "torch_lstm.json"
Nested = Any  # a float, or a list of Nested; Any, because mypy cannot index the honest type

Flags = list[list[bool]]
RESET: Flags = [
    [False, False, True, False, False],
    [True, False, False, False, True],  # the first step and the last
    [False, True, True, False, False],  # twice in a row
]
MASK: Flags = [
    [True, True, False, True, True],  # skipped where RESET resets: both flags on one step
    [False, True, True, True, False],  # likewise, first and last
    [True, False, True, False, False],  # the last two
]
NOTHING: Flags = [[False] * STEPS for _ in range(BATCH)]
EVERYTHING: Flags = [[True] * STEPS for _ in range(BATCH)]

FLAG_CASES = [
    pytest.param(None, None, id="plain"),
    pytest.param(RESET, None, id="reset"),
    pytest.param(None, MASK, id="mask"),
    pytest.param(RESET, MASK, id="reset-and-mask"),
    pytest.param(EVERYTHING, None, id="reset-everywhere"),
    pytest.param(None, NOTHING, id="masked-everywhere"),
    pytest.param(EVERYTHING, NOTHING, id="reset-and-masked-everywhere"),
]


def draw(rng: random.Random, *shape: int) -> Nested:
    """Return normal numbers in nested lists of this shape."""
    if not shape:
        return rng.gauss(0, 1)
    return [draw(rng, *shape[1:]) for _ in range(shape[0])]


def inputs(seed: int, steps: int = STEPS) -> dict[str, Nested]:
    """Return random arguments of `lstm`: h0 and c0 are neither zero nor equal."""
    rng = random.Random(seed)
    return {
        "x": draw(rng, BATCH, steps, FEATURES),
        "kernel": draw(rng, FEATURES, 4 * UNITS),
        "recurrent_kernel": draw(rng, UNITS, 4 * UNITS),
        "bias": draw(rng, 4 * UNITS),
        "h0": draw(rng, BATCH, UNITS),
        "c0": draw(rng, BATCH, UNITS),
    }


def output_gradients(seed: int) -> dict[str, Nested]:
    rng = random.Random(seed)
    return {
        "d_y": draw(rng, BATCH, STEPS, UNITS),
        "d_h": draw(rng, BATCH, UNITS),
        "d_c": draw(rng, BATCH, UNITS),
    }


def leaves(nested: Nested, where: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield (index, number) of every number in nested lists."""
    if not isinstance(nested, list):
        yield where, nested
        return
    for n, item in enumerate(nested):
        yield from leaves(item, (*where, n))


def assert_close(actual: Nested, expected: Nested, tolerance: float, what: str) -> None:
    """Fail with the largest difference and its place, if one exceeds `tolerance * max(1, |expected|)`."""
    got, want = dict(leaves(actual)), dict(leaves(expected))
    assert got.keys() == want.keys(), f"{what}: the shapes differ"
    assert all(map(math.isfinite, [*got.values(), *want.values()])), f"{what}: not everything is finite"
    errors = {at: abs(got[at] - want[at]) / max(1.0, abs(want[at])) for at in want}
    worst = max(errors, key=errors.__getitem__, default=None)
    if worst is not None and errors[worst] > tolerance:
        raise AssertionError(
            f"{what}{list(worst)}: {got[worst]!r}, expected {want[worst]!r}, "
            f"off by {errors[worst]:.1e} (tolerance {tolerance:.0e})"
        )


def dot(a: Nested, b: Nested) -> float:
    there = dict(leaves(b))
    return math.fsum(number * there[at] for at, number in leaves(a))


def finite_differences(loss: Callable[[], float], argument: Nested) -> Nested:
    """Return the central differences of the loss by each number of an argument, moved and put back."""
    if isinstance(argument[0], list):
        return [finite_differences(loss, part) for part in argument]
    return [central_difference(loss, argument, n) for n in range(len(argument))]


def central_difference(loss: Callable[[], float], numbers: list[float], n: int, step: float = 1e-5) -> float:
    here = numbers[n]
    numbers[n] = here + step
    above = loss()
    numbers[n] = here - step
    below = loss()
    numbers[n] = here
    return (above - below) / (2 * step)


# ------------------------------------------------------------------------------------------ gradients


@pytest.mark.parametrize("name", ["x", "kernel", "recurrent_kernel", "bias", "h0", "c0"])
@pytest.mark.parametrize(("reset", "mask"), FLAG_CASES)
def test_gradients_equal_finite_differences(name: str, reset: Flags | None, mask: Flags | None) -> None:
    given, wanted = inputs(seed=1), output_gradients(seed=2)

    def loss() -> float:
        run = oracle.lstm(**given, reset=reset, mask=mask)
        return dot(wanted["d_y"], run.y) + dot(wanted["d_h"], run.h) + dot(wanted["d_c"], run.c)

    analytic = oracle.lstm_gradients(**given, **wanted, reset=reset, mask=mask)
    numeric = finite_differences(loss, given[name])
    assert_close(getattr(analytic, name), numeric, 1e-8, f"gradient by {name}")


def test_no_gradient_crosses_a_reset() -> None:
    gradients = oracle.lstm_gradients(**inputs(seed=3), **output_gradients(seed=4), reset=RESET)
    assert gradients.h0[1] == gradients.c0[1] == [0.0] * UNITS  # row 1 is reset at its first step
    assert all(d != 0 for d in gradients.h0[0] + gradients.c0[0])


def test_a_masked_step_has_no_gradient_by_its_input() -> None:
    gradients = oracle.lstm_gradients(**inputs(seed=3), **output_gradients(seed=4), mask=MASK)
    for b in range(BATCH):
        for t in range(STEPS):
            assert any(gradients.x[b][t]) == MASK[b][t]


# -------------------------------------------------------------------------------------------- PyTorch


@pytest.fixture(scope="module")
def golden() -> dict[str, Nested]:
    loaded: dict[str, Nested] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("name", ["y", "h", "c"])
def test_outputs_equal_torch(golden: dict[str, Nested], name: str) -> None:
    run = asdict(oracle.lstm(**golden["inputs"]))
    assert_close(run[name], golden["outputs"][name], 1e-12, name)


@pytest.mark.parametrize("name", ["x", "kernel", "recurrent_kernel", "bias", "h0", "c0"])
def test_gradients_equal_torch(golden: dict[str, Nested], name: str) -> None:
    gradients = asdict(oracle.lstm_gradients(**golden["inputs"], **golden["output_gradients"]))
    assert_close(gradients[name], golden["gradients"][name], 1e-12, f"gradient by {name}")


# ------------------------------------------------------------------------------------- reset and mask


def row(given: dict[str, Nested], b: int, steps: list[int]) -> dict[str, Nested]:
    """Return the arguments of a run of row b alone, over these steps alone."""
    only = {name: [given[name][b]] for name in ("h0", "c0")}
    return {**given, **only, "x": [[given["x"][b][t] for t in steps]]}


def test_after_a_reset_a_row_is_a_fresh_sequence() -> None:
    given = inputs(seed=5)
    run = oracle.lstm(**given, reset=RESET)
    zeros = {"h0": [[0.0] * UNITS], "c0": [[0.0] * UNITS]}
    fresh = oracle.lstm(**{**row(given, 0, [2, 3, 4]), **zeros})
    assert run.y[0][2:] == fresh.y[0]
    assert (run.h[0], run.c[0]) == (fresh.h[0], fresh.c[0])


def test_before_a_reset_a_row_is_untouched() -> None:
    given = inputs(seed=5)
    assert oracle.lstm(**given, reset=RESET).y[0][:2] == oracle.lstm(**given).y[0][:2]


def test_masked_steps_might_as_well_be_absent() -> None:
    given = inputs(seed=6)
    run = oracle.lstm(**given, mask=MASK)
    for b in range(BATCH):
        taken = [t for t in range(STEPS) if MASK[b][t]]
        short = oracle.lstm(**row(given, b, taken))
        assert [run.y[b][t] for t in taken] == short.y[0]
        assert (run.h[b], run.c[b]) == (short.h[0], short.c[0])


def test_masked_steps_repeat_the_output_before_them() -> None:
    given = inputs(seed=6)
    run = oracle.lstm(**given, mask=MASK)
    assert run.y[0][2] == run.y[0][1]
    assert run.y[1][0] == given["h0"][1]
    assert run.y[2][4] == run.y[2][3] == run.y[2][2]


def test_a_step_both_reset_and_masked_leaves_the_row_at_zero() -> None:
    run = oracle.lstm(**inputs(seed=7), reset=RESET, mask=MASK)
    assert run.y[0][2] == run.y[1][0] == run.y[1][4] == [0.0] * UNITS
    assert run.h[1] == run.c[1] == [0.0] * UNITS


@pytest.mark.parametrize("cut", range(STEPS + 1))
def test_two_parts_equal_the_whole(cut: int) -> None:
    given = inputs(seed=8)
    whole = oracle.lstm(**given)
    first = oracle.lstm(**{**given, "x": [x[:cut] for x in given["x"]]})
    second = oracle.lstm(**{**given, "x": [x[cut:] for x in given["x"]], "h0": first.h, "c0": first.c})
    assert [first.y[b] + second.y[b] for b in range(BATCH)] == whole.y
    assert (second.h, second.c) == (whole.h, whole.c)


def test_no_argument_is_changed() -> None:
    given, wanted = inputs(seed=9), output_gradients(seed=10)
    before = json.dumps([given, wanted])
    oracle.lstm(**given, reset=RESET, mask=MASK)
    oracle.lstm_gradients(**given, **wanted, reset=RESET, mask=MASK)
    assert json.dumps([given, wanted]) == before


def test_no_list_is_shared() -> None:
    given = inputs(seed=9)
    run = oracle.lstm(**given, mask=NOTHING)  # where nothing happens, sharing is most tempting
    vectors = [*given["h0"], *given["c0"], *run.h, *run.c, *(y_t for y in run.y for y_t in y)]
    assert len({id(vector) for vector in vectors}) == len(vectors)


@pytest.mark.parametrize("name", ["kernel", "recurrent_kernel"])
def test_a_kernel_of_another_height_is_refused(name: str) -> None:
    given = inputs(seed=11)
    given[name] = given[name] + [given[name][0]]
    with pytest.raises(ValueError, match="argument"):
        oracle.lstm(**given)


# ------------------------------------------------------------------------------------ small functions


def test_sigmoid_neither_overflows_nor_loses_its_symmetry() -> None:
    assert oracle.sigmoid(0.0) == 0.5
    assert (oracle.sigmoid(-1000.0), oracle.sigmoid(1000.0)) == (0.0, 1.0)
    assert oracle.sigmoid(math.log(3)) == pytest.approx(0.75, abs=1e-15)
    assert oracle.sigmoid(-math.log(3)) == pytest.approx(0.25, abs=1e-15)


def test_dense() -> None:
    kernel = [[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]]
    assert oracle.dense([2.0, -1.0], kernel, [10.0, 20.0, 30.0]) == [8.0, 19.0, 29.0]


def test_softmax() -> None:
    expected = [0.125, 0.25, 0.625]
    for shift in (0.0, 1000.0, -1000.0):
        z = [shift + math.log(p) for p in expected]
        assert oracle.softmax(z) == pytest.approx(expected, abs=1e-12)


def test_cross_entropy() -> None:
    assert oracle.cross_entropy([0.5, 0.25, 0.25], 0) == pytest.approx(math.log(2), abs=1e-15)
    assert oracle.cross_entropy([0.5, 0.375, 0.125], 2) == pytest.approx(math.log(8), abs=1e-15)


# ----------------------------------------------------------------------------------------- optimisers


def test_sgd() -> None:
    assert oracle.sgd(1.0, 2.0, 0.0, learning_rate=0.25) == (0.5, -0.5)
    # velocity 0.5 * 4 - 0.25 * 2 = 1.5; Nesterov looks ahead by 0.5 * 1.5 - 0.25 * 2 = 0.25
    assert oracle.sgd(1.0, 2.0, 4.0, learning_rate=0.25, momentum=0.5) == (2.5, 1.5)
    assert oracle.sgd(1.0, 2.0, 4.0, learning_rate=0.25, momentum=0.5, nesterov=True) == (1.25, 1.5)


def test_rmsprop() -> None:
    # v = 0.5 * 2 + 0.5 * 16 = 9, and 9 + 7 of epsilon has the root 4
    plain = oracle.rmsprop(1.0, 4.0, 2.0, 3.0, 0.5, learning_rate=0.5, rho=0.5, epsilon=7.0)
    assert plain == (0.5, 9.0, 3.0, 0.5)
    moving = oracle.rmsprop(1.0, 4.0, 2.0, 3.0, 0.5, learning_rate=0.5, rho=0.5, epsilon=7.0, momentum=0.5)
    assert moving == (0.25, 9.0, 3.0, 0.75)
    # mean_g = 0.5 * -2 + 0.5 * 4 = 1, so 9 - 1 + 8 of epsilon has the root 4
    centered = oracle.rmsprop(1.0, 4.0, 2.0, -2.0, 0.5, learning_rate=0.5, rho=0.5, epsilon=8.0, centered=True)
    assert centered == (0.5, 9.0, 1.0, 0.5)


def test_adam() -> None:
    # m = 0.5 * 2 + 0.5 * 4 = 3; v = 0.75 * 0 + 0.25 * 16 = 4; rate = sqrt(1 - 0.75^2) / (1 - 0.5^2)
    w, m, v = oracle.adam(1.0, 4.0, 2.0, 0.0, 2, learning_rate=1.0, beta_1=0.5, beta_2=0.75, epsilon=1.0)
    assert (m, v) == (3.0, 4.0)
    assert w == pytest.approx(1.0 - math.sqrt(0.4375) / 0.75 * 3.0 / (2.0 + 1.0), abs=1e-15)


@pytest.mark.parametrize("g", [-3.0, 1e-3, 50.0])
def test_adams_first_step_is_the_learning_rate(g: float) -> None:
    w, _, _ = oracle.adam(0.0, g, 0.0, 0.0, 1, epsilon=0.0)
    assert w == pytest.approx(-math.copysign(0.001, g), rel=1e-12)
