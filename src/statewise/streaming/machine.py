"""The compiled step: instructions in, answers out, for a network of any sizes. Importing it imports Numba.

One function is compiled, once per machine, for all networks. It works on addresses: each array that Numba is handed
costs time. Sequences advance in groups, so that weights are read once for several of them; each has a workspace.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statewise.streaming import instructions as code
from statewise.streaming.functions import activate
from statewise.streaming.vectors import (
    add,
    doubles_at,
    floats_at,
    move,
    multiply,
    multiply_add,
    product_of,
    quick,
    subtract,
    wholes_at,
)

LARGEST = np.finfo(np.float32).max
ZERO, ONE = np.float32(0), np.float32(1)

_one_wide, _one_narrow, _group_wide, _group_narrow = (
    product_of(rows, columns) for rows, columns in ((1, 4), (1, 1), (code.GROUP, 2), (code.GROUP, 1))
)


@quick
def _copy(target: Any, at: Any, source: Any, start: Any, count: Any) -> None:
    """Copies whole vectors."""
    for k in range(0, count, code.LANES):
        move(target, at + k, source, start + k)


@quick
def _add_product(a: Any, room: Any, group: Any, at: Any, width: Any, start: Any, m: Any, w: Any, first: Any) -> None:
    """Adds to `a[at:]` the product of `a[start:]`, m numbers, and the matrix at `w[first:]`, for each of the group."""
    column = 0
    if group == 1:
        while column + 4 * code.LANES <= width:
            _one_wide(a, at + column, room, start, w, first + column, width, m)
            column += 4 * code.LANES
        while column < width:
            _one_narrow(a, at + column, room, start, w, first + column, width, m)
            column += code.LANES
    else:
        while column + 2 * code.LANES <= width:
            _group_wide(a, at + column, room, start, w, first + column, width, m)
            column += 2 * code.LANES
        while column < width:
            _group_narrow(a, at + column, room, start, w, first + column, width, m)
            column += code.LANES


@quick
def _multiply(a: Any, room: Any, group: Any, at: Any, width: Any, start: Any, m: Any, w: Any, first: Any) -> None:
    """Puts bias and product where `_add_product` adds the product; the bias lies before the matrix."""
    for i in range(group):
        _copy(a, i * room + at, w, first, width)
    _add_product(a, room, group, at, width, start, m, w, first + width)


# -- instructions ----------------------------------------------------------------------------------------------------


@quick
def _pairwise(kind: Any, a: Any, target: Any, x: Any, y: Any, count: Any) -> None:
    if kind == code.MULTIPLY:
        for k in range(0, count, code.LANES):
            multiply(a, target + k, (x + k, y + k))
    elif kind == code.ADD:
        for k in range(0, count, code.LANES):
            add(a, target + k, (x + k, y + k))
    else:
        for k in range(0, count, code.LANES):
            subtract(a, target + k, (x + k, y + k))


@quick
def _differs(a: Any, start: Any, size: Any, value: Any) -> Any:
    for k in range(start, start + size):
        if a[k] != value:
            return ONE
    return ZERO


@quick
def _choose(a: Any, target: Any, condition: Any, then: Any, otherwise: Any, count: Any) -> None:
    _copy(a, target, a, then if a[condition] != ZERO else otherwise, count)


@quick
def _advance(  # noqa: PLR0912 - a branch for each instruction
    program: Any, count: Any, group: Any, a: Any, room: Any, w: Any, states: Any, slots: Any, row: Any
) -> None:
    """Takes a group of sequences one step on: each step lies at the beginning of a workspace."""
    end = group * room
    for place in range(0, count * code.WIDTH, code.WIDTH):
        kind, at, p = program[place], program[place + 1], program[place + 2]
        q, r, s = program[place + 3], program[place + 4], program[place + 5]
        if kind == code.PRODUCT:
            _multiply(a, room, group, at, s, p, q, w, r)
        elif kind == code.ACTIVATE:
            for i in range(0, end, room):
                activate(p, a, i + at, q, r)
        elif kind == code.MULTIPLY_ADD:
            for i in range(0, end, room):
                for k in range(i, i + s, code.LANES):
                    multiply_add(a, at + k, (p + k, q + k, r + k))
        elif code.MULTIPLY <= kind <= code.SUBTRACT:
            for i in range(0, end, room):
                _pairwise(kind, a, i + at, i + p, i + q, r)
        elif kind == code.READ:
            for i in range(group):
                _copy(a, i * room + at, states, slots[i] * row + p, q)
        elif kind == code.WRITE:
            for i in range(group):
                _copy(states, slots[i] * row + at, a, i * room + p, q)
        elif kind == code.COPY:
            for i in range(0, end, room):
                _copy(a, i + at, a, i + p, q)
        elif kind == code.DIFFERS:
            for i in range(0, end, room):
                a[i + at] = _differs(a, i + p, q, w[r])
        elif kind == code.CHOOSE:
            for i in range(0, end, room):
                _choose(a, i + at, i + p, i + q, i + r, s)
        elif kind == code.LOOK_UP:
            for i in range(0, end, room):
                _copy(a, i + at, w, q + np.int64(a[i + p]) * r, r)
        else:
            raise NotImplementedError("unknown instruction")


def run(handle: int) -> int:
    """Takes n sequences one step on, counts that in `DONE`, and returns 0; what cannot be done changes nothing.

    It is refused by `NO_NUMBER` if x is not within float32, by `OUTSIDE` if a slot lies outside the store.

    Args:
        handle: address of the table.
    """
    t = wholes_at(handle)
    x, y, a = doubles_at(t[code.X]), floats_at(t[code.Y]), floats_at(t[code.WORKSPACE])
    program, count = wholes_at(t[code.INSTRUCTIONS]), t[code.COUNT]
    weights, states, room, row = floats_at(t[code.WEIGHTS]), floats_at(t[code.STORE]), t[code.ROOM], t[code.ROW]
    n, features, answer, answers = t[code.N], t[code.FEATURES], t[code.ANSWER], t[code.ANSWERS]
    for k in range(n * features):
        if not abs(np.float32(x[k])) <= LARGEST:
            return code.NO_NUMBER
    slots = wholes_at(t[code.SLOTS])
    for i in range(n):
        if not 0 <= slots[i] < t[code.ROWS]:
            return code.OUTSIDE
    done = 0
    while done < n:
        group = code.GROUP if n - done >= code.GROUP else 1
        for i in range(group):
            for k in range(features):
                a[i * room + k] = np.float32(x[(done + i) * features + k])
        _advance(program, count, group, a, room, weights, states, wholes_at(t[code.SLOTS] + 8 * done), row)
        for i in range(group):
            for k in range(answers):
                y[(done + i) * answers + k] = a[i * room + answer + k]
        done += group
    t[code.DONE] += 1
    return 0
