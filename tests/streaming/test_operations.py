"""Operations in both engines: any list of them is computed as a plain evaluation does, and no other passes for one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import refused
from plain_operations import SKIPPED, Drawn, Op, draw, evaluate
from statewise import operations as o
from statewise.errors import ConfigurationError, ShapeError
from statewise.foundation.shapes import Array
from statewise.kernels.states import LSTMState
from statewise.streaming import Runtime, Stream, Streams
from statewise.streaming.assembler import assemble
from statewise.streaming.composition import Composed, Part
from statewise.streaming.fused_products import Product, plan
from statewise.streaming.instructions import ACTIVATE, ADD_PRODUCT, LOOK_UP, READ
from statewise.streaming.numpy_step import write_step
from streamed import ENGINES, needs_native
from tolerances import assert_close

ROWS, STEPS = 6, 3  # a group, and two more one by one


def described(drawn: Drawn) -> Composed:
    """Returns the operations that `drawn` tells of."""
    x: Any = o.Input(drawn.ops[0].size) if drawn.symbols is None else o.Symbol(drawn.symbols)
    before = LSTMState(*(o.Input(op.size) for op in drawn.ops[1:3]))
    differs = o.Differs(x, SKIPPED if drawn.symbols is None else 0)
    values: list[Any] = [x, *before]
    for op in drawn.ops[3:]:
        values.append(operation(op, [values[number] for number in op.reads], differs))
    after = LSTMState(*(values[number] for number in drawn.after))
    counts = differs if drawn.skips else None
    step = o.NetworkStep(x, values[drawn.answer], {"own": before}, {"own": after}, counts)
    return Composed(
        step, (drawn.ops[0].size,) if drawn.symbols is None else (), drawn.symbols, {}, (), (Part("y", 0, None),)
    )


def operation(op: Op, read: list[Any], differs: o.Differs) -> o.Value:
    if op.kind == "Affine":
        return o.Affine(read, *op.more)
    if op.kind == "Apply":
        return o.Apply(op.more, *read)
    if op.kind == "Where":
        return o.Where(differs, *read)
    own = op.more if op.kind == "Slice" else (op.more,)
    made: dict[str, Any] = {"Constant": own, "Joined": (read,)}
    made |= dict.fromkeys(("LookUp", "Normalize", "Slice"), (*read, *own))
    kind: Any = getattr(o, op.kind)
    found: o.Value = kind(*made.get(op.kind, read))
    return found


def input_of(drawn: Drawn, rng: np.random.Generator) -> Array:
    if drawn.symbols is not None:
        return rng.integers(0, drawn.symbols, (STEPS, ROWS))
    x = rng.normal(size=(STEPS, ROWS, drawn.ops[0].size)).astype(np.float32)
    x[rng.random((STEPS, ROWS)) < 0.3] = SKIPPED
    return x


@pytest.mark.parametrize("seed", [*range(30), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(30, 400))])
def test_both_engines_compute_what_a_plain_evaluation_does(seed: int) -> None:
    drawn, rng = draw(seed), np.random.default_rng(seed + 1)
    x, sizes = input_of(drawn, rng), [op.size for op in drawn.ops[1:3]]
    start = LSTMState(*(rng.normal(size=(ROWS, size)).astype(np.float32) for size in sizes))
    states: list[Any] = [tuple(part[row].tolist() for part in start) for row in range(ROWS)]
    streams = [Streams(Runtime(described(drawn), engine)) for engine in ENGINES]
    for one in streams:
        one.restore((list(range(ROWS)), sw.State({"own": start})))
    for step in x:
        both = [evaluate(drawn, np.atleast_1d(step[row]).tolist(), states[row]) for row in range(ROWS)]
        states = [state for _, state in both]
        for one in streams:
            scale = max(1.0, *(abs(value) for answer, _ in both for value in answer))
            y = one.push_rows(range(ROWS), step)
            assert_close(y / scale, np.array([answer for answer, _ in both]) / scale, f"y in {one.engine}")
    for one in streams:
        for place, part in enumerate(("h", "c")):
            expected = np.array([state[place] for state in states])
            scale = max(1.0, float(np.abs(expected).max()))
            found = np.asarray(getattr(one.snapshot().state["own"], part))
            assert_close(found / scale, expected / scale, f"{part} in {one.engine}")


def test_gates_of_any_cell_are_one_product() -> None:
    """What makes an LSTM's step one product and one tanh serves whatever reads the same."""
    x, h = o.Input(3), o.Input(4)
    weights, bias = np.zeros((7, 8), np.float32), np.zeros(8, np.float32)
    gate, other = (o.apply("sigmoid", z) for z in o.affine_blocks((x, h), weights, bias, 2))
    less = o.apply("tanh", o.Affine((h,), weights[3:, :4], bias[:4]))
    later = o.Affine((gate * h,), weights[3:, :4], bias[:4])
    operations = plan(o.NetworkStep(x, gate * other + less + later))
    columns = [len(operation.columns) for operation in operations if isinstance(operation, Product)]
    assert columns == [3, 1]


def test_a_sum_that_waits_for_another_does_not_join_its_product() -> None:
    h = o.Input(2)
    narrow = o.Affine((h,), np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
    wide = o.Affine((o.apply("tanh", narrow), h), np.ones((4, 2), np.float32), np.zeros(2, np.float32))
    operations = plan(o.NetworkStep(h, wide + narrow))
    assert [len(operation.columns) for operation in operations if isinstance(operation, Product)] == [1, 1]


# ------------------------------------------------------------------------------------------------- mistakes


class Power(o.Pairwise):
    """An operation that no engine knows."""


class Sum(o.Add):
    """Another, which a careless engine would take for one that it knows."""


@pytest.mark.parametrize("kind", [Power, Sum])
def test_an_unknown_operation_is_an_error_in_each_engine(kind: type[o.Pairwise]) -> None:
    x = o.Input(2)
    step = o.NetworkStep(x, o.apply("tanh", kind(x, x)))
    for make in (lambda: write_step(step), lambda: assemble(step, {})):
        refused(make, ConfigurationError, [f"unknown operation {kind.__name__!r}"])


def test_a_row_that_a_product_has_in_its_own_table_is_not_looked_up_as_well() -> None:
    symbol, h = o.Symbol(5), o.Input(3)
    row = o.LookUp(symbol, np.ones((5, 2), np.float32))
    answer = o.Affine([row, h], np.ones((5, 4), np.float32), np.ones(4, np.float32))
    step = o.NetworkStep(symbol, answer, {"own": LSTMState(h, o.Input(3))})
    program = assemble(step, {"own": LSTMState(np.zeros((1, 3)), np.zeros((1, 3)))})
    assert program.instructions[:, 0].tolist() == [LOOK_UP, READ, ADD_PRODUCT]


@needs_native
@pytest.mark.parametrize(("place", "what"), [(0, "instruction"), (2, "function")])
def test_the_compiled_step_refuses_what_it_does_not_know(place: int, what: str) -> None:
    """Whoever adds an instruction may forget to say there what it does; no state has changed then."""
    h, x = o.Input(2), o.Input(2)
    after = LSTMState(o.Kept(o.apply("tanh", x + h), h), h)
    step = o.NetworkStep(x, after.h, {"own": LSTMState(h, o.Input(2))}, {"own": after})
    stream = Stream(runtime := Runtime(Composed(step, (2,), None, {}, (), (Part("y", 0, None),)), ENGINES[0]))
    stream.push([0.5, 1.0])
    before = stream.state
    assert runtime.program is not None
    runtime.program.instructions.flags.writeable = True  # after its check, which would refuse it
    runtime.program.instructions[runtime.program.instructions[:, 0] == ACTIVATE, place] = 99
    with pytest.raises(NotImplementedError, match=f"unknown {what}"):
        stream.push([0.5, 1.0])
    assert stream.state == before


def test_operations_that_do_not_fit_are_refused() -> None:
    two, three, symbol = o.Input(2), o.Input(3), o.Symbol(4)
    weights, bias = np.zeros((2, 5), np.float32), np.zeros(5, np.float32)
    refused(lambda: two + three, ShapeError, ["Add", "the same size", "2 and 3"])
    refused(lambda: o.Affine((three,), weights, bias), ShapeError, ["Affine", "[3, N]", "[2, 5]"])
    refused(lambda: o.LookUp(symbol, weights), ShapeError, ["LookUp", "[4, N]", "[2, 5]"])
    refused(lambda: o.apply("tahn", two), ConfigurationError, ["unknown activation 'tahn'", "'tanh'"])
