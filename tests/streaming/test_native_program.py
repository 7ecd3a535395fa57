"""The check of a native program: exactly those pass whose instructions stay within the program's arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import statewise as sw
from networks import FEATURES
from statewise.foundation.shapes import Array
from statewise.layers import Activation, Dense, Embedding, Masking
from statewise.streaming import instructions as code
from statewise.streaming.assembler import Program
from statewise.streaming.engines import MAX_SYMBOLS
from statewise.streaming.native_states import SingleCall
from statewise.streaming.native_table import checked
from streamed import built, gru, lstm, needs_native, runtime_of

pytestmark = needs_native

NETWORKS: dict[str, Any] = {
    "numbers": ([Masking(-1.0), lstm(), gru(reset_after=False), Activation("selu"), Dense(2)], (None, FEATURES)),
    "symbols": ([Embedding(5, 3, mask_zero=True), lstm(), Dense(2, activation="softmax")], (None,)),
    "large table": ([Embedding(70_000, 3, mask_zero=True), lstm(learn_initial_state=True)], (None,)),
}
"""Between them they have every instruction."""

HUGE = (-(2**63), -(2**40), -1, 0, 1, 3, 16, 2**24, 2**24 + 1, 2**40, 2**62, 2**63 - 1)


def program_of(name: str) -> Program:
    program = runtime_of(built(*NETWORKS[name]), "native").program
    assert program is not None
    return program


def reach(numbers: list[int]) -> list[tuple[str, int, int]] | None:
    """Returns which numbers an instruction reads and writes: the array, the first, and how many; None if it is none."""
    kind, at, p, q, r, s = numbers
    own = [("workspace", start, count) for start, count in {
        code.ADD_PRODUCT: [(at, s), (p, q)],
        code.ACTIVATE: [(at, q * -(-r // 16) * 16)],
        code.MULTIPLY_ADD: [(at, s), (p, s), (q, s), (r, s)],
        code.MULTIPLY: [(at, r), (p, r), (q, r)],
        code.ADD: [(at, r), (p, r), (q, r)],
        code.SUBTRACT: [(at, r), (p, r), (q, r)],
        code.MAXIMUM: [(at, r), (p, r), (q, r)],
        code.MINIMUM: [(at, r), (p, r), (q, r)],
        code.READ: [(at, q)],
        code.WRITE: [(p, q)],
        code.COPY: [(at, q), (p, q)],
        code.DIFFERS: [(at, 1), (p, q)],
        code.CHOOSE: [(at, s), (p, 1), (q, s), (r, s)],
        code.LOOK_UP: [(at, r), (p, 1)],
        code.BIAS: [(at, q)],
        code.NORMALIZE: [(at, q), (p, q)],
    }.get(kind, [])]  # fmt: skip
    elsewhere = {
        code.ADD_PRODUCT: [("weights", r, q * s)],
        code.READ: [("row", p, q)],
        code.WRITE: [("row", at, q)],
        code.DIFFERS: [("weights", r, 1)],
        code.LOOK_UP: [("weights", q, s * r)],
        code.BIAS: [("weights", p, q)],
        code.NORMALIZE: [("weights", r, 1)],
    }.get(kind, [])
    return own + elsewhere if own else None


def is_whole(numbers: list[int]) -> bool:
    """Whether what is taken by whole vectors is whole, no factor is negative, and functions and symbols exist."""
    kind, _, p, q, r, s = numbers
    if kind == code.ACTIVATE:
        return 0 <= p < 15 and q >= 0 and r > 0
    if kind == code.NORMALIZE:
        return q > 0
    if kind == code.DIFFERS:
        return True
    if kind in (code.ADD_PRODUCT, code.MULTIPLY_ADD, code.CHOOSE):
        return s % 16 == 0 and (kind != code.ADD_PRODUCT or q >= 0)
    if kind in (code.MULTIPLY, code.ADD, code.SUBTRACT, code.MAXIMUM, code.MINIMUM, code.LOOK_UP):
        return r % 16 == 0 and (kind != code.LOOK_UP or 0 < s <= MAX_SYMBOLS)
    return q % 16 == 0


def stays_within(program: Program, numbers: list[int]) -> bool:
    sizes = {"workspace": program.workspace_size, "weights": program.weights.size, "row": program.row.size}
    parts = reach(numbers)
    return (
        parts is not None
        and is_whole(numbers)
        and all(start >= 0 and count >= 0 and start + count <= sizes[array] for array, start, count in parts)
    )


def is_accepted(program: Program) -> bool:
    try:
        checked(program)
    except NotImplementedError:
        return False
    return True


def with_number(program: Program, line: int, place: int, number: int) -> Program:
    instructions = program.instructions.copy()
    instructions[line, place] = number
    return program._replace(instructions=instructions)


def changed(program: Program, rng: np.random.Generator) -> tuple[Program, int]:
    """Returns the program with another number in an instruction, mostly a little beside what is right, and its line."""
    line, place = int(rng.integers(len(program.instructions))), int(rng.integers(code.WIDTH))
    sizes = (program.workspace_size, program.weights.size, program.row.size)
    near = [int(size) + beside for size in (*sizes, *program.instructions[line]) for beside in (-32, -16, -1, 0, 1, 16)]
    return with_number(program, line, place, int(rng.choice([*HUGE, *near, *range(17)]))), line


@pytest.mark.parametrize("name", NETWORKS)
def test_programs_pass_exactly_if_they_stay_within_their_arrays(name: str) -> None:
    program, rng, accepted = program_of(name), np.random.default_rng(1), 0
    assert all(stays_within(program, numbers) for numbers in program.instructions.tolist())
    for _ in range(3000):
        other, line = changed(program, rng)
        numbers = other.instructions[line].tolist()
        assert is_accepted(other) == stays_within(program, numbers), numbers
        accepted += stays_within(program, numbers)
    assert 300 < accepted < 2700


@pytest.mark.parametrize("name", NETWORKS)
def test_whatever_passes_changes_no_other_row(name: str) -> None:
    """With AddressSanitizer (make native-check) it is also seen to read and write nothing outside of its arrays."""
    runtime, rng = runtime_of(built(*NETWORKS[name]), "native"), np.random.default_rng(2)
    program, x = runtime.program, 3 if runtime.symbols else [0.5, -1.0, 2.0]
    assert program is not None
    for _ in range(300):
        other, _ = changed(program, rng)
        if is_accepted(other):
            runtime.program = other
            store: Array = np.full((3, program.row.size), 0.25, np.float32)
            SingleCall(runtime, store).prepare(1, x, None).run()
            assert (store[[0, 2]] == 0.25).all()


def test_a_step_or_an_answer_outside_the_workspace_is_refused() -> None:
    program = program_of("numbers")
    end = program.workspace_size
    assert is_accepted(program._replace(answer=program.answer._replace(start=end - 2)))
    assert is_accepted(program._replace(features=end))
    for other in (
        program._replace(answer=program.answer._replace(start=end - 1)),
        program._replace(answer=program.answer._replace(start=-1)),
        program._replace(features=end + 1),
    ):
        assert not is_accepted(other)


def test_the_message_tells_the_instruction() -> None:
    program = with_number(program_of("numbers"), 2, 1, 10**9)
    with pytest.raises(NotImplementedError, match=r"cannot run instruction 2 of this network: \[\d+, 1000000000, "):
        checked(program)


def test_a_checked_program_cannot_be_changed() -> None:
    program = program_of("numbers")
    for array in (program.instructions, program.weights):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize("slot", [-1, 3, 2**62])
def test_a_slot_outside_the_store_is_refused(slot: int) -> None:
    runtime = runtime_of(built([lstm(), Dense(2)], (None, FEATURES)), "native")
    assert runtime.program is not None
    store: Array = np.full((3, runtime.program.row.size), 0.25, np.float32)
    call = SingleCall(runtime, store)
    with pytest.raises(IndexError, match="outside the store"):
        call.prepare(slot, [0.5, 1.0, 2.0], None).run()
    assert not call.done()
    assert (store == 0.25).all()


def test_symbols_of_any_kind_are_numbered_alike() -> None:
    """An int is read as a double, a NumPy integer and an array by `read_step`."""
    stream = sw.Stream(runtime_of(built([Embedding(5, 3), lstm(), Dense(2)], (None,)), "native"))
    start = stream.state
    answers = []
    for symbol in (4, np.int32(4), np.int64(4), np.array(4), 4.0):
        stream.restore(start)
        answers.append(stream.push(symbol))
    assert all((answer == answers[0]).all() for answer in answers)
