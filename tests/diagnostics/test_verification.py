"""`model.verify`: it passes for every network, and fails, on the right lines, for every way of being wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from mistakes import STORY, case, refused, story, table
from networks import CASES, Case, random_weights, random_x
from statewise.diagnostics import verification
from statewise.diagnostics.verification import TOLERANCE, Check, Verification
from statewise.errors import ConfigurationError, ShapeError
from statewise.inference.forward import forward_of

CHUNKS = ("chunks of 6 steps", "chunks of 3 steps", "single steps")
ROW, ORDER, COPIES = "each row by itself", "rows in another order", "copies of rows, states forked"
LEFT, RIGHT = "padded on the left, masked", "padded on the right, masked"
RESET, SAVED, STREAM = "rows reset", "saved and loaded", "streaming runtime"
LINES = (*CHUNKS, ROW, ORDER, COPIES, LEFT, RIGHT, RESET, SAVED, STREAM)


def made(case: Case) -> sw.Model:
    model = case.model(seed=1)
    random_weights(model)
    return model


def flags(batch: int, steps: int) -> dict[str, Any]:
    """Returns random resets and masks."""
    rng = np.random.default_rng(5)
    return {"reset": rng.random((batch, steps)) < 0.2, "mask": rng.random((batch, steps)) < 0.8}


def failed(found: Verification) -> set[str]:
    return {check.name for check in found.checks if not check.passed}


# --------------------------------------------------------------------------------------------- passes


BOTH_ENDS = Case(
    "both-ends", lambda: [sw.Bidirectional(sw.LSTM(3, return_sequences=True)), sw.Dense(2)], looks_ahead=True
)
QUICK = ("lstm-last", "embedding", "gru", "mask-zero", "learnt-starts", "both-ends")
"""A network of each kind; to verify the others too takes a minute, most of it compilation."""
NETWORKS = [
    pytest.param(case, id=case.name, marks=[] if case.name in QUICK else pytest.mark.slow)
    for case in [*CASES, BOTH_ENDS]
]


@pytest.mark.slow
@pytest.mark.parametrize("case", NETWORKS)
def test_every_network_is_verified(case: Case) -> None:
    """With resets and masks inside."""
    found = made(case).verify(random_x(case, 2, 5), **flags(2, 5))
    assert found.passed, f"\n{found}"
    assert tuple(check.name for check in found.checks) == ("chunks of 2 steps", *LINES[1:])
    assert (found.rows, found.steps) == (2, 5)
    apart = {check.name for check in found.checks if check.difference is None}
    assert apart == ({"chunks of 2 steps", *CHUNKS[1:], STREAM} if case.looks_ahead else set())
    assert all("both ends" in check.reason for check in found.checks if check.difference is None)


@cache
def subject() -> sw.Model:
    return made(CASES[0])


@cache
def tagger() -> sw.Model:
    return made(Case("tagger", lambda: [sw.LSTM(4, return_sequences=True), sw.Dense(2)]))


def data(batch: int = 3, steps: int = 12) -> np.ndarray[Any, np.dtype[Any]]:
    return random_x(CASES[0], batch, steps)


@pytest.mark.parametrize(("batch", "steps"), [(1, 1), (1, 3), (2, 2)], ids=str)
def test_few_rows_and_steps_are_verified_too(batch: int, steps: int) -> None:
    found = subject().verify(data(batch, steps))
    assert found.passed
    short = [check for check in found.checks if check.name == "chunks of 3 steps"]
    assert [(check.difference, check.reason) for check in short] == [(None, "too few steps")]


def test_no_more_rows_and_steps_are_looked_at_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (verification.ROWS, verification.STEPS) == (8, 200)
    monkeypatch.setattr(verification, "ROWS", 3)
    monkeypatch.setattr(verification, "STEPS", 12)
    found = subject().verify(data(4, 13))
    assert (found.rows, found.steps) == (3, 12)


def test_rows_of_different_lengths_are_verified() -> None:
    rows = data()
    assert subject().verify([rows[0], rows[1, :7], rows[2, :1]]).passed


def test_a_text_model_is_verified_by_a_text() -> None:
    assert story().verify(STORY).passed


def test_streams_of_networks_with_names_are_verified() -> None:
    """Several inputs, one of them without steps, and several outputs, with resets and masks; and what stays out."""
    a, b, row = sw.Input((None, 2), name="a"), sw.Input((None, 1), name="b", axis="a"), sw.Input((2,), name="row")
    h = sw.LSTM(3, return_sequences=True)(sw.Concatenate()([a, b, sw.RepeatLike()([row, a])]))
    model = sw.Model({"a": a, "b": b, "row": row}, [sw.Dense(1)(h), sw.GRU(2)(h)], seed=1)
    random_weights(model)
    rng = np.random.default_rng(3)
    shapes = {"a": (2, 5, 2), "b": (2, 5, 1), "row": (2, 2)}
    x = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    found = model.verify(x, **flags(2, 5))
    assert found.passed, f"\n{found}"
    assert all(check.difference is not None for check in found.checks)
    other = sw.Input((None, 1), name="other")
    apart = sw.Model([a, other], sw.Add()([sw.LSTM(3)(a), sw.LSTM(3)(other)]), seed=1)
    found = apart.verify({"a": x["a"], "other": x["b"][:, :4]})
    assert found.passed, f"\n{found}"
    assert [check.reason for check in found.checks if check.name == STREAM] == [
        "not possible: a stream has one time axis"
    ]


def test_a_reset_at_a_last_step_that_is_skipped_is_no_failure() -> None:
    """The stream answered before that reset, and has nothing to answer after it; its state is right."""
    model = made(next(case for case in CASES if case.name == "lstm-last"))
    last = np.zeros((2, 5), bool)
    last[:, -1] = True
    found = model.verify(random_x(CASES[0], 2, 5), reset=last, mask=~last)
    assert found.passed, f"\n{found}"


def test_verifying_changes_nothing() -> None:
    model = made(CASES[0])
    before = model.get_weights(), model.state
    model.verify(data())
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before[0], strict=True))
    assert model.state is before[1] is None


# ---------------------------------------------------------------------------------------------- fails

Forward = Callable[..., tuple[Any, Any]]
Patch = pytest.MonkeyPatch


def _wrong_pass(change: Callable[[Forward, Any, Any, Any, dict[str, Any]], tuple[Any, Any]]) -> Callable[[Patch], None]:
    """Returns what makes the pass over a sequence something else."""

    def sabotage(patch: Patch) -> None:
        def wrong_of(network: Any) -> Forward:
            forward = forward_of(network)
            return lambda params, x, states, **flags: change(forward, params, x, states, flags)

        patch.setattr("statewise.models.predicting.forward_of", wrong_of)

    return sabotage


def _answers(change: Callable[[Any], Any]) -> Callable[[Patch], None]:
    """Returns what changes the answers `[B, T, V]`."""

    def changed(forward: Forward, params: Any, x: Any, states: Any, flags: dict[str, Any]) -> tuple[Any, Any]:
        y, after = forward(params, x, states, **flags)
        return change(y), after

    return _wrong_pass(changed)


def _states(change: Callable[[Any], Any]) -> Callable[[Patch], None]:
    """Returns what changes each array of the states after a pass."""

    def changed(forward: Forward, params: Any, x: Any, states: Any, flags: dict[str, Any]) -> tuple[Any, Any]:
        y, after = forward(params, x, states, **flags)
        return y, {name: type(state)(*map(change, state)) if state else state for name, state in after.items()}

    return _wrong_pass(changed)


def _without(flag: str) -> Callable[[Patch], None]:
    """Returns what makes the pass ignore one of its flags."""
    return _wrong_pass(lambda forward, params, x, states, flags: forward(params, x, states, **{**flags, flag: None}))


def _stateless(forward: Forward, params: Any, x: Any, states: Any, flags: dict[str, Any]) -> tuple[Any, Any]:
    zeros = {name: type(state)(*(0 * part for part in state)) if state else state for name, state in states.items()}
    return forward(params, x, zeros, **flags)


def _forgetful_stream(patch: Patch) -> None:
    push = sw.Stream.push
    patch.setattr(sw.Stream, "push", lambda this, x: 1.001 * push(this, x))


def _stream_that_stands(patch: Patch) -> None:
    push = sw.Stream.push

    def standing(this: sw.Stream, x: Any) -> Any:
        before = this.snapshot()
        y = push(this, x)
        this.restore(before)
        return y

    patch.setattr(sw.Stream, "push", standing)


def _lossy_file(patch: Patch) -> None:
    read = sw.Sequential.from_artifact.__func__  # type: ignore[attr-defined]

    def lossy(cls: Any, artifact: Any) -> Any:
        model = read(cls, artifact)
        first, *others = model.get_weights()
        first[0, 0] *= 1 + 1e-6
        model.set_weights([first, *others])
        return model

    patch.setattr(sw.Sequential, "from_artifact", classmethod(lossy))


def _lossy_state(patch: Patch) -> None:
    load = sw.State.load
    patch.setattr(sw.State, "load", lambda path: load(path).reset([0]))


def _tiled_forks(patch: Patch) -> None:
    patch.setattr(sw.State, "fork", lambda this, n: sw.State.concat([this] * n))


def _row_numbers(y: Any) -> Any:
    return jnp.arange(len(y)).reshape(-1, *[1] * (y.ndim - 1))


WRONG: dict[str, tuple[Callable[[Patch], None], Iterable[str]]] = {
    "mask-ignored": (_without("mask"), (LEFT, RIGHT)),
    "reset-ignored": (_without("reset"), (RESET,)),
    "state-ignored": (_wrong_pass(_stateless), (*CHUNKS, STREAM)),
    "state-off": (_states(lambda part: part + 1e-3), (*CHUNKS, STREAM)),
    "last-step-off": (_answers(lambda y: y.at[:, -1].add(1e-3)), (*CHUNKS, RIGHT, STREAM)),
    "first-step-off": (_answers(lambda y: y.at[:, 0].add(1e-3)), (*CHUNKS, LEFT, STREAM)),
    "rows-mixed": (_answers(lambda y: y + 1e-3 * y.mean(0)), (ROW, STREAM)),
    "rows-by-number": (_answers(lambda y: y + 1e-3 * _row_numbers(y)), (ROW, ORDER, COPIES, STREAM)),
    "rows-off-if-many": (_answers(lambda y: y + 1e-3 * (len(y) > 3)), (COPIES,)),
    "forks-tiled": (_tiled_forks, (COPIES,)),
    "weights-lost": (_lossy_file, (SAVED,)),
    "state-lost": (_lossy_state, (SAVED,)),
    "stream-off": (_forgetful_stream, (STREAM,)),
    "stream-stands": (_stream_that_stands, (STREAM,)),
    "nan": (_answers(lambda y: y.at[0, 4].set(jnp.nan)), LINES),
}


@pytest.mark.parametrize(("sabotage", "lines"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_fails_on_its_lines_and_no_others(
    sabotage: Callable[[Patch], None], lines: Iterable[str], monkeypatch: Patch
) -> None:
    model = tagger()
    sabotage(monkeypatch)
    found = model.verify(data())
    assert failed(found) == set(lines), f"\n{found}"
    assert not found.passed
    marked = [line for line in str(found).splitlines() if line.endswith("  FAILED")]
    assert len(marked) == len(set(lines))
    assert all(any(line.startswith(name) for line in marked) for name in lines)


def test_every_line_fails_for_something() -> None:
    assert {line for name, (_, lines) in WRONG.items() if name != "nan" for line in lines} == set(LINES)


def test_a_mask_that_is_given_and_ignored_shows_in_a_stream(monkeypatch: Patch) -> None:
    model = tagger()
    _without("mask")(monkeypatch)
    assert STREAM in failed(model.verify(data(), mask=flags(3, 12)["mask"]))


@pytest.mark.parametrize("sabotage", [_without("mask"), _without("reset"), _wrong_pass(_stateless), _lossy_file])
def test_a_network_with_one_answer_a_row_cannot_hide_it(sabotage: Callable[[Patch], None], monkeypatch: Patch) -> None:
    model = made(next(case for case in CASES if case.name == "lstm-last"))
    sabotage(monkeypatch)
    assert not model.verify(data()).passed


# ------------------------------------------------------------------------------------------ tolerance


def test_a_tolerance_of_zero_asks_for_the_same_bits_and_a_large_one_for_nothing() -> None:
    x = data(3, 40)
    strict, loose = subject().verify(x, tolerance=0), subject().verify(x, tolerance=1e9)
    assert [check.difference for check in strict.checks] == [check.difference for check in loose.checks]
    assert failed(strict) == {check.name for check in strict.checks if check.difference}
    assert STREAM in failed(strict)
    assert loose.passed
    assert {check.tolerance for check in loose.checks if check.name != SAVED} == {1e9}
    assert [check.tolerance for check in loose.checks if check.name == SAVED] == [0.0]


def test_a_difference_within_its_tolerance_passes_and_nan_does_not() -> None:
    assert Check("", 1e-5, 1e-5).passed
    assert not Check("", 1.1e-5, 1e-5).passed
    assert not Check("", math.nan, math.inf).passed
    assert Check("", None, 0.0).passed
    assert Verification(1, 1, (Check("", 0.0, 0.0), Check("", math.nan, 1.0))).passed is False


def test_differences_are_relative_to_what_is_large(monkeypatch: Patch) -> None:
    """Off by one in a million where answers are of millions; a small answer may be off by as little as a large one."""
    model = made(Case("dense", lambda: [sw.LSTM(3, return_sequences=True), sw.Dense(2)]))
    *memory, kernel, bias = model.get_weights()
    model.set_weights([*memory, 1e6 * kernel, bias])
    assert model.verify(data()).passed
    _answers(lambda y: 1.001 * y if len(y) == 1 else y)(monkeypatch)
    found = model.verify(data())
    assert failed(found) == {ROW}
    assert next(c.difference for c in found.checks if c.name == ROW) == pytest.approx(1e-3, rel=0.01)


# ---------------------------------------------------------------------------------------------- table


def test_the_table_shows_every_comparison(monkeypatch: Patch) -> None:
    lines = str(subject().verify(data())).splitlines()
    assert lines[0] == "the whole pass over 3 row(s) of 12 step(s), compared with"
    assert lines[2].split() == ["largest", "difference", "tolerance"]
    assert lines[-1] == "all within tolerance"
    rows = lines[3:-2]
    assert len(rows) == len(LINES)
    for name, row in zip(LINES, rows, strict=True):
        assert re.fullmatch(re.escape(name) + r" +\d\.\de[-+]\d\d +(1e-05|0e\+00)", row)
    assert len({row.rindex("e") for row in rows}) == 1  # columns line up
    _tiled_forks(monkeypatch)
    assert str(subject().verify(data())).splitlines()[-1] == f"1 of {len(LINES)} FAILED"


def test_the_table_says_what_is_not_possible() -> None:
    found = Verification(
        2, 3, (Check("a", None, TOLERANCE, "not possible"), Check("long name", 1.0, TOLERANCE), Check("c", 0.0, 0.0))
    )
    assert str(found).splitlines()[3:] == [
        "a                           -  not possible",
        "long name             1.0e+00      1e-05  FAILED",
        "c                     0.0e+00      0e+00",
        "",
        "1 of 2 FAILED",
    ]


# -------------------------------------------------------------------------------------------- mistakes

OUT = "expected a number >= 0"


def tolerating(value: Any) -> Any:
    """A tolerance that is refused."""
    return case(f"{value!r}", lambda: subject().verify(data(), tolerance=value), ConfigurationError, OUT, repr(value))


@table(
    *map(tolerating, [-1e-9, math.nan, None, "0", True]),
    case("features", lambda: subject().verify(np.zeros((2, 3, 5))), ShapeError, "[B, T, 3]"),
    case("mask", lambda: subject().verify(data(), mask=np.ones((3, 5), bool)), ShapeError, "mask", "[3, 12]"),
)
def test_what_cannot_be_verified_is_refused(action: Any, error: Any, words: Any) -> None:
    refused(action, error, words)


def test_a_network_without_a_time_axis_is_refused() -> None:
    """There is nothing in its input to cut or to pad."""
    model = sw.Sequential([sw.Dense(2)], seed=1)
    x = np.random.default_rng(3).normal(size=(4, 3)).astype(np.float32)
    refused(lambda: model.verify(x), ShapeError, ["time axis", "[4, 3]"])
