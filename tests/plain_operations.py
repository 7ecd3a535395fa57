"""An oracle for operations: small lists of them drawn at random, and their values in scalar Python.

A list is made of `Op`, each referring to earlier ones by number: 0 is a step's x, 1 and 2 are the parts of the state.
Nothing here imports statewise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Row = list[float]

SKIPPED = -1.0
"""Steps all of whose numbers are this are skipped, or symbol 0, where the list says so."""

SIZES = (1, 3, 16, 18)


@dataclass
class Op:
    """One operation: its kind, what it reads, and what else it has."""

    kind: str
    reads: tuple[int, ...]
    size: int
    more: Any = None


@dataclass
class Drawn:
    """A list of operations; `after` are the numbers of the new parts of the state."""

    ops: list[Op]
    symbols: int | None
    skips: bool
    after: tuple[int, int] = (0, 0)
    bounded: list[int] = field(default_factory=list)  # of which products may be made, lest they grow

    @property
    def answer(self) -> int:
        return len(self.ops) - 1


def _softmax(row: Row) -> Row:
    powers = [math.exp(x - max(row)) for x in row]
    return [power / sum(powers) for power in powers]


FUNCTIONS: dict[str, Callable[[Row], Row]] = {
    "tanh": lambda row: [math.tanh(x) for x in row],
    "sigmoid": lambda row: [1 / (1 + math.exp(-x)) for x in row],
    "softmax": _softmax,
    "relu": lambda row: [max(x, 0.0) for x in row],
    "linear": list,
}
BOUNDED = ("tanh", "sigmoid", "softmax")
PAIRWISE: dict[str, Callable[[float, float], float]] = {
    "Add": lambda x, y: x + y,
    "Subtract": lambda x, y: x - y,
    "Multiply": lambda x, y: x * y,
    "Maximum": max,
    "Minimum": min,
}
KINDS = ("Affine", "Affine", "Affine", "Apply", "Apply", "Where", "Joined", "Constant", "Normalize", "Slice", *PAIRWISE)
EPSILON = 0.1


def draw(seed: int, count: int = 14) -> Drawn:
    """Returns a list of about `count` operations."""
    rng = np.random.default_rng(seed)
    symbols = 5 if rng.random() < 0.3 else None
    x = Op("Input", (), 1 if symbols else int(rng.choice(SIZES)))
    parts = [Op("Input", (), int(rng.choice(SIZES))) for _ in "hc"]
    drawn = Drawn([x, *parts], symbols, bool(rng.random() < 0.5))
    if symbols:
        size = int(rng.choice(SIZES))
        drawn.ops.append(Op("LookUp", (0,), size, rng.normal(size=(symbols, size)).astype(np.float32)))
    first = 1 if symbols else 0
    for number in range(count):
        kind = rng.choice(KINDS)
        if number == count // 2:  # what comes after may read the first part as it is after the step
            drawn.after = (_kept(drawn, rng, first, 1), 0)
        _add(drawn, rng, first, str(kind))
    drawn.after = (drawn.after[0], _kept(drawn, rng, first, 2))
    _affine(drawn, rng, first, int(rng.choice(SIZES)))
    return drawn


def _add(drawn: Drawn, rng: np.random.Generator, first: int, kind: str) -> None:
    ops = drawn.ops
    one = int(rng.integers(first, len(ops)))
    if kind == "Affine":
        _affine(drawn, rng, first, int(rng.choice(SIZES)))
    elif kind == "Apply":
        function = str(rng.choice(list(FUNCTIONS)))
        ops.append(Op(kind, (one,), ops[one].size, function))
        if function in BOUNDED:
            drawn.bounded.append(len(ops) - 1)
    elif kind == "Where":
        ops.append(Op(kind, (one,), ops[one].size))
    elif kind == "Joined":
        reads = (one, *(int(other) for other in rng.integers(first, len(ops), int(rng.integers(1, 3)))))
        ops.append(Op(kind, reads, sum(ops[read].size for read in reads)))
    elif kind == "Slice":
        start, end = sorted(int(place) for place in rng.choice(ops[one].size + 1, 2, replace=False))
        ops.append(Op(kind, (one,), end - start, (start, end - start)))
    elif kind == "Normalize":
        ops.append(Op(kind, (one,), ops[one].size, EPSILON))
        drawn.bounded.append(len(ops) - 1)
    elif kind == "Constant":
        ops.append(Op(kind, (), ops[one].size, rng.normal(size=ops[one].size).astype(np.float32)))
        drawn.bounded.append(len(ops) - 1)
    else:
        others = drawn.bounded if kind == "Multiply" else range(first, len(ops))
        fitting = [other for other in others if ops[other].size == ops[one].size]
        if fitting:
            ops.append(Op(kind, (one, int(rng.choice(fitting))), ops[one].size))


def _affine(drawn: Drawn, rng: np.random.Generator, first: int, size: int) -> int:
    reads = tuple(int(read) for read in rng.integers(first, len(drawn.ops), int(rng.integers(1, 4))))
    if rng.random() < 0.5:
        reads = (1, 2)[: len(reads)]  # often the same, so that they can be one product
    rows = sum(drawn.ops[read].size for read in reads)
    weights = rng.normal(size=(rows, size)) / np.sqrt(rows)
    drawn.ops.append(Op("Affine", reads, size, (weights.astype(np.float32), rng.normal(size=size).astype(np.float32))))
    return len(drawn.ops) - 1


def _kept(drawn: Drawn, rng: np.random.Generator, first: int, part: int) -> int:
    new = _affine(drawn, rng, first, drawn.ops[part].size)
    drawn.ops.append(Op("Kept", (new, part), drawn.ops[part].size))
    return len(drawn.ops) - 1


def evaluate(drawn: Drawn, x: Row, state: tuple[Row, Row]) -> tuple[Row, tuple[Row, Row]]:
    """Returns the answer to one step of one sequence, and the state after it."""
    differs = any(value != (0 if drawn.symbols else SKIPPED) for value in x)
    values: list[Row] = [x, *state]
    for op in drawn.ops[3:]:
        read = [values[number] for number in op.reads]
        if op.kind == "Affine":
            weights, bias = op.more
            joined = [value for row in read for value in row]
            values.append(
                [
                    float(bias[column]) + sum(value * float(weights[row, column]) for row, value in enumerate(joined))
                    for column in range(op.size)
                ]
            )
        elif op.kind == "Apply":
            values.append(FUNCTIONS[op.more](read[0]))
        elif op.kind == "LookUp":
            values.append([float(value) for value in op.more[int(x[0])]])
        elif op.kind == "Joined":
            values.append([value for row in read for value in row])
        elif op.kind == "Slice":
            values.append(read[0][op.more[0] : op.more[0] + op.size])
        elif op.kind == "Normalize":
            mean = sum(read[0]) / op.size
            variance = sum((value - mean) ** 2 for value in read[0]) / op.size
            values.append([(value - mean) / math.sqrt(variance + op.more) for value in read[0]])
        elif op.kind == "Constant":
            values.append([float(value) for value in op.more])
        elif op.kind == "Where":
            values.append(read[0] if differs else [0.0] * op.size)
        elif op.kind == "Kept":
            values.append(read[0] if differs or not drawn.skips else read[1])
        else:
            values.append([PAIRWISE[op.kind](left, right) for left, right in zip(*read, strict=True)])
    return values[drawn.answer], (values[drawn.after[0]], values[drawn.after[1]])
