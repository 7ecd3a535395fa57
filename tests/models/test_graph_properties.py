"""The properties of graphs that one call shows, over a table of graphs, from random states, resets and masks.

Programs of few shapes serve all tests: instead of leaving steps out, many tests mask them. `test_graph_training` has
the properties of training.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from graph_oracle import Row
from graphs import (
    ROWS,
    STEPS,
    Named,
    Subject,
    applying,
    as_given,
    axis_of,
    parts,
    random_flags,
    random_state,
    random_x,
)
from networks import copied
from tolerances import assert_close, assert_same, differ

ORDER = np.array([2, 0, 1])


def each_of(number: int) -> pytest.MarkDecorator:
    """Runs a test for the graphs that a property applies to; those that are like others are slow, but for the first."""
    slow = [pytest.mark.slow] if number > 1 else []
    cases = [pytest.param(case, id=case.name, marks=slow if case.like else []) for case in applying(number)]
    return pytest.mark.parametrize("subject", cases, indirect=True, scope="module")


@pytest.fixture(scope="module")
def subject(request: pytest.FixtureRequest) -> Subject:
    return Subject.of(request.param)


def chosen(by_name: Named, rows: Any) -> Named:
    return {name: array[rows] for name, array in by_name.items()}


# ---------------------------------------------------------------------------------------------- 1: equations


@each_of(1)
@pytest.mark.parametrize("seed", [None, 21, 22])
def test_a_graph_is_its_equations(subject: Subject, seed: int | None) -> None:
    """In float64, row by row, against plain NumPy; with resets and masks on each axis."""
    model = subject.model
    reset, mask = (subject.reset, subject.mask) if seed is None else random_flags(model, seed)
    flags = [flag if len(model.network.axes) > 1 else as_given(flag) for flag in (reset, mask)]
    with jax.enable_x64(True):
        params, x, states = jax.tree.map(in_float64, (model.params, subject.x, dict(subject.start.layers)))
        states = {name: states.get(name, ()) for name in model.network.names}
        y, after = jax.jit(model.network.apply)(params, as_given(x), states, reset=flags[0], mask=flags[1])
        y, end = copied(y), parts(sw.State(after))
    names = [output.name for output in model.network.outputs]
    y = y if len(names) > 1 else {names[0]: y}
    start = parts(subject.start)
    for row in range(ROWS):
        before = {name: {part: a[row].astype("float64") for part, a in own.items()} for name, own in start.items()}
        own_x, own_reset, own_mask = (chosen(given, row) for given in (subject.x, reset, mask))
        expected = Row(model.network, model.params, own_x, own_reset, own_mask, before)
        for name in names:
            assert_close(y[name][row], np.asarray(expected.y[name]), f"{name} of row {row}")
        assert set(end) == set(expected.after)
        for name, own in expected.after.items():
            for part, array in own.items():
                assert_close(end[name][part][row], array, f"{name} {part} of row {row}")


def in_float64(array: Any) -> Any:
    return jnp.asarray(array, array.dtype if array.dtype.kind == "i" else "float64")


# ------------------------------------------------------------------------------------------------- 2: pieces


def in_pieces(subject: Subject, sizes: Callable[[str], list[int]]) -> tuple[Named, sw.State]:
    """Returns what one axis after the other gives, each in pieces of these sizes."""
    state, answers = subject.start, dict[str, list[Any]]()
    axes = axis_of(subject.model)
    for axis in subject.model.network.axes:
        first = 0
        for size in sizes(axis):
            part = slice(first, first + size)
            x = {
                name: array if axes[name] is None else array[:, part]
                for name, array in subject.x.items()
                if axes[name] in (None, axis)
            }
            reset, mask = ({axis: flag[axis][:, part]} for flag in (subject.reset, subject.mask))
            y, state = subject.run(x, state, reset, mask)
            for name, array in y.items():
                answers.setdefault(name, []).append(array)
            first += size
    each = {name: subject.each_step(name) for name in answers}
    return {name: np.concatenate(a, axis=1) if each[name] else a[-1] for name, a in answers.items()}, state


@each_of(2)
@pytest.mark.parametrize("seed", range(4))
def test_pieces_equal_the_whole(subject: Subject, seed: int) -> None:
    """The encoder in pieces, then the decoder in pieces, cut at random places."""
    rng = np.random.default_rng(seed)

    def cut(axis: str) -> list[int]:
        first = int(rng.choice([2, STEPS[axis] - 2]) if axis != "target" else rng.choice([1, 3]))
        return [first, STEPS[axis] - first]

    y, end = in_pieces(subject, cut)
    whole, last = subject.whole()
    assert_close(y, whole, "y")
    assert_close(end, last, "state")


@each_of(2)
def test_single_steps_equal_the_whole(subject: Subject) -> None:
    y, end = in_pieces(subject, lambda axis: [1] * STEPS[axis])
    whole, last = subject.whole()
    assert_close(y, whole, "y")
    assert_close(end, last, "state")


@each_of(2)
def test_the_state_matters(subject: Subject) -> None:
    """Guards the tests above, which would all pass if states were ignored."""
    y, end = subject.whole()
    other, other_end = subject.run(subject.x, None, subject.reset, subject.mask)
    assert differ(y, other)
    assert differ(end, other_end)


# ------------------------------------------------------------------------------------- 3, 4: step by step


def step_of(subject: Subject, row: int, step: int) -> Any:
    """Returns what a stream is given for a step of a row."""
    axes = axis_of(subject.model)
    return as_given({name: a[row] if axes[name] is None else a[row, step] for name, a in subject.x.items()})


def assert_answers(subject: Subject, answers: list[Any], y: Named, row: int) -> None:
    """Each output is that of every step, or that of the last one."""
    names = [output.name for output in subject.model.network.outputs]
    for name in names:
        found = np.stack([answer[name] if len(names) > 1 else answer for answer in answers])
        each_step = subject.each_step(name) is not None
        assert_close(found if each_step else found[-1], y[name][row], f"{name} of row {row}")


def steps_of(subject: Subject) -> int:
    axes = axis_of(subject.model)
    return next(a.shape[1] for name, a in subject.x.items() if axes[name] is not None)


@each_of(3)
@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_one_push_at_a_time_equals_the_whole(subject: Subject, engine: str) -> None:
    y, end = subject.run(subject.x, subject.start, {}, {})
    for row in range(ROWS):
        stream = subject.model.stream(engine=engine)
        stream.restore(subject.start.rows(row))
        answers = [stream.push(step_of(subject, row, step)) for step in range(steps_of(subject))]
        assert_answers(subject, answers, y, row)
        assert_close(parts(stream.snapshot()), parts(end.rows([row])), f"state of row {row}")


@each_of(3)
@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_many_streams_at_a_time_equal_the_whole(subject: Subject, engine: str) -> None:
    """One of them starts again after two steps."""
    reset = np.zeros((ROWS, steps_of(subject)), bool)
    reset[1, 2] = True
    y, end = subject.run(subject.x, None, {subject.model.network.axes[0]: reset}, {})
    streams = subject.model.streams(engine=engine)
    answers = []
    for step in range(steps_of(subject)):
        if step == 2:
            streams.drop(1)
        answers.append(streams.push({row: step_of(subject, row, step) for row in range(ROWS)}))
    for row in range(ROWS):
        assert_answers(subject, [answer[row] for answer in answers], y, row)
        assert_close(parts(streams.state(row)), parts(end.rows([row])), f"state of row {row}")


@each_of(4)
def test_generating_after_a_prefix_equals_generating_step_by_step(subject: Subject) -> None:
    """An answer is the next input; all but the axis that it is on are read before, as a whole."""
    axes = axis_of(subject.model)
    output = subject.model.network.outputs[0].name
    fed = next(name for name in reversed(subject.x) if subject.x[name].ndim == 3 and name in STEPS)
    beside = [name for name in subject.x if name != fed and axes[name] == axes[fed]]
    before = {name: array for name, array in subject.x.items() if axes[name] != axes[fed]}
    state = subject.start
    if any(axes[name] for name in before):
        _, state = subject.run(before, state, {}, {})
    rows = {name: array for name, array in before.items() if axes[name] is None}

    def generated(pieces: list[int]) -> tuple[list[Any], sw.State]:
        answers: list[Any] = []
        after, first = state, 0
        for size in pieces:
            x = {name: subject.x[name][:, first : first + size] for name in (fed, *beside)}
            if first >= 2:
                x[fed] = answers[-1]
            y, after = subject.run(rows | x, after, {}, {})
            answers.append(y[output][:, -1:])
            first += size
        return answers[-2:], after

    assert_close(generated([2, 1, 1]), generated([1, 1, 1, 1]), "generated")


# -------------------------------------------------------------------------------------------------- 5: reset


@each_of(5)
@pytest.mark.parametrize("seed", range(3))
def test_after_a_reset_a_row_is_a_fresh_sequence(subject: Subject, seed: int) -> None:
    """From its last reset on each axis, a row equals a fresh one that reads no step before it."""
    reset, mask = random_flags(subject.model, seed, resets=0.4)
    for flag in reset.values():
        flag[:, 2] |= ~flag.any(axis=1)  # a reset in each row
    since = {axis: np.cumsum(flag, axis=1) == flag.sum(axis=1, keepdims=True) for axis, flag in reset.items()}
    y, end = subject.run(subject.x, subject.start, reset, mask)
    fresh, fresh_end = subject.run(subject.x, None, {}, {axis: mask[axis] & since[axis] for axis in mask})
    for name, array in y.items():
        axis = subject.each_step(name)
        own = slice(None) if axis is None else since[axis] & mask[axis]
        assert_close(array[own], fresh[name][own], name)
    assert_close(end, fresh_end, "state")


@each_of(5)
def test_a_row_that_is_reset_leaves_the_others(subject: Subject) -> None:
    reset = {axis: flag.copy() for axis, flag in subject.reset.items()}
    for flag in reset.values():
        flag[2] = [False] * (flag.shape[1] - 1) + [True]
    y, end = subject.run(subject.x, subject.start, reset, subject.mask)
    whole, last = subject.whole()
    assert_same(chosen(y, slice(2)), chosen(whole, slice(2)), "y")
    assert_same(parts(end.rows([0, 1])), parts(last.rows([0, 1])), "state")


# --------------------------------------------------------------------------------------------------- 6: rows


@each_of(6)
def test_permuting_rows_permutes_outputs_and_states(subject: Subject) -> None:
    given = (chosen(by_name, ORDER) for by_name in (subject.x, subject.reset, subject.mask))
    x, reset, mask = given
    y, end = subject.run(x, subject.start.rows(ORDER), reset, mask)
    whole, last = subject.whole()
    assert_close(y, chosen(whole, ORDER), "y")
    assert_close(end, last.rows(ORDER), "state")


@each_of(6)
def test_rows_do_not_depend_on_those_beside(subject: Subject) -> None:
    """One row alone, and one among others, with other states and flags."""
    whole, last = subject.whole()
    x, reset, mask = (chosen(by_name, [1]) for by_name in (subject.x, subject.reset, subject.mask))
    y, end = subject.run(x, subject.start.rows([1]), reset, mask)
    assert_close(y, chosen(whole, [1]), "y")
    assert_close(end, last.rows([1]), "state")
    others = random_state(subject.model, seed=77)
    state = sw.State.concat([others.rows([0]), subject.start.rows([1]), others.rows([2])])
    other_reset, other_mask = random_flags(subject.model, seed=78)
    for axis in reset:
        other_reset[axis][1], other_mask[axis][1] = reset[axis], mask[axis]
    x = random_x(subject.model, seed=79)
    for name in x:
        x[name][1] = subject.x[name][1]
    y, end = subject.run(x, state, other_reset, other_mask)
    assert_same(chosen(y, [1]), chosen(whole, [1]), "y beside others")
    assert_same(parts(end.rows([1])), parts(last.rows([1])), "state beside others")


# -------------------------------------------------------------------------------------------------- 10: masks


@each_of(10)
def test_what_is_in_a_masked_step_changes_nothing(subject: Subject) -> None:
    whole, last = subject.whole()
    other, axes = random_x(subject.model, seed=80), axis_of(subject.model)
    x = {
        name: np.where(subject.mask[axes[name]][(...,) + (None,) * (array.ndim - 2)], array, other[name])
        if axes[name]
        else array
        for name, array in subject.x.items()
    }
    y, end = subject.run(x, subject.start, subject.reset, subject.mask)
    for name, array in y.items():
        axis = subject.each_step(name)
        own = slice(None) if axis is None else subject.mask[axis]
        assert_close(array[own], whole[name][own], name)
    assert_close(end, last, "state")


@each_of(10)
def test_where_masked_steps_lie_changes_nothing(subject: Subject) -> None:
    """The steps that count are moved to the end of each row."""
    mask, axes = random_flags(subject.model, seed=81)[1], axis_of(subject.model)
    y, end = subject.run(subject.x, subject.start, {}, mask)
    order = {axis: np.argsort(flag, axis=1, kind="stable") for axis, flag in mask.items()}
    x = {n: array[np.arange(ROWS)[:, None], order[axes[n]]] if axes[n] else array for n, array in subject.x.items()}
    moved_mask = {axis: np.sort(flag, axis=1) for axis, flag in mask.items()}
    moved, moved_end = subject.run(x, subject.start, {}, moved_mask)
    for name, array in y.items():
        axis = subject.each_step(name)
        if axis is None:
            assert_close(moved[name], array, name)
        else:
            assert_close(moved[name][moved_mask[axis]], array[mask[axis]], name)
    assert_close(moved_end, end, "state")


@each_of(10)
@pytest.mark.parametrize("resets", [False, True])
def test_a_call_whose_steps_are_all_masked_changes_nothing(subject: Subject, resets: bool) -> None:
    """Bit for bit, also whether a row has started; a reset in such a call makes the row fresh."""
    mask = {axis: np.zeros((ROWS, STEPS[axis]), bool) for axis in subject.model.network.axes}
    reset = {axis: np.zeros_like(flag) for axis, flag in mask.items()}
    for flag in reset.values():
        flag[1, -1] = resets
    _, end = subject.run(subject.x, subject.start, reset, mask)
    expected = subject.start.reset([False, True, False]) if resets else subject.start
    assert_same(parts(end), parts(expected), "state")


# ---------------------------------------------------------------------------------------- axes that layers make


def test_a_row_is_skipped_on_a_made_axis_if_it_was_on_all_that_it_is_made_of() -> None:
    """Two encoders end in one row, which is repeated: a reset on either makes it fresh, a mask on both skips it."""
    one, two = sw.Input((None, 3), name="source"), sw.Input((None, 3), name="target")
    ends = sw.Concatenate()([sw.GRU(2, name="encoder")(one), sw.GRU(2)(two)])
    made = sw.LSTM(3, return_sequences=True, name="made")(sw.RepeatVector(3)(ends))
    model = sw.Model([one, two], sw.Dense(2)(made))
    rng = np.random.default_rng(15)
    x = {name: rng.normal(size=(ROWS, STEPS[name], 3)).astype("float32") for name in ("source", "target")}
    none = {"source": np.ones((ROWS, 5), bool)}
    none["source"][:2] = False  # two rows take no step there
    y, end = model(x, mask=none)
    assert (np.abs(np.asarray(end["made"].h)).max(axis=1) > 0).all()  # the target was read
    both = {**none, "target": np.ones((ROWS, 4), bool)}
    both["target"][1:] = False
    y, end = model(x, mask=both)
    assert (np.abs(np.asarray(end["made"].h)).max(axis=1) > 0).tolist() == [True, False, True]
    assert differ(np.asarray(y)[0], np.asarray(y)[1])
    state, reset = random_state(model), {axis: np.zeros((ROWS, STEPS[axis]), bool) for axis in x}
    reset["target"][0, 2] = True
    y, _ = model(x, state, reset=reset)
    cleared = state.reset([True, False, False])
    mask = {"target": np.cumsum(reset["target"], axis=1) == reset["target"].sum(axis=1, keepdims=True)}
    begun = {name: (state if name == "encoder" else cleared)[name] for name in state}  # the source was not reset
    fresh, _ = model(x, sw.State(begun), mask=mask)
    assert_close(np.asarray(y), np.asarray(fresh), "y")
