"""The Numba step: an interpreter of instructions, for any network. Importing this module imports Numba.

One function is compiled, once per machine, for all networks. It works on addresses because passing arrays to Numba is
slow. Sequences advance in groups, so that weights are read once for several of them; each has its own workspace.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statewise.streaming import instructions as code
from statewise.streaming.numba_activations import activate
from statewise.streaming.numba_intrinsics import (
    add,
    doubles_at,
    floats_at,
    ints_at,
    move,
    multiply,
    multiply_add,
    numba_jit,
    product_of,
    subtract,
)

LARGEST = np.finfo(np.float32).max
ZERO, ONE = np.float32(0), np.float32(1)

_one_wide, _one_narrow, _group_wide, _group_narrow = (
    product_of(rows, columns) for rows, columns in ((1, 4), (1, 1), (code.GROUP, 2), (code.GROUP, 1))
)


@numba_jit
def _copy(target: Any, at: Any, source: Any, start: Any, count: Any) -> None:
    """Copies whole vectors."""
    for k in range(0, count, code.SIMD_WIDTH):
        move(target, at + k, source, start + k)


@numba_jit
def _add_product(a: Any, stride: Any, group: Any, at: Any, width: Any, start: Any, m: Any, w: Any, first: Any) -> None:
    """Adds the product of `a[start : start + m]` and the matrix at `w[first:]` to `a[at:]`, for the whole group."""
    column = 0
    if group == 1:
        while column + 4 * code.SIMD_WIDTH <= width:
            _one_wide(a, at + column, stride, start, w, first + column, width, m)
            column += 4 * code.SIMD_WIDTH
        while column < width:
            _one_narrow(a, at + column, stride, start, w, first + column, width, m)
            column += code.SIMD_WIDTH
    else:
        while column + 2 * code.SIMD_WIDTH <= width:
            _group_wide(a, at + column, stride, start, w, first + column, width, m)
            column += 2 * code.SIMD_WIDTH
        while column < width:
            _group_narrow(a, at + column, stride, start, w, first + column, width, m)
            column += code.SIMD_WIDTH


@numba_jit
def _multiply(a: Any, stride: Any, group: Any, at: Any, width: Any, start: Any, m: Any, w: Any, first: Any) -> None:
    """Writes bias plus product to `a[at:]`; the bias precedes the matrix."""
    for i in range(group):
        _copy(a, i * stride + at, w, first, width)
    _add_product(a, stride, group, at, width, start, m, w, first + width)


# -- instructions ----------------------------------------------------------------------------------------------------


@numba_jit
def _pairwise(kind: Any, a: Any, target: Any, x: Any, y: Any, count: Any) -> None:
    if kind == code.MULTIPLY:
        for k in range(0, count, code.SIMD_WIDTH):
            multiply(a, target + k, (x + k, y + k))
    elif kind == code.ADD:
        for k in range(0, count, code.SIMD_WIDTH):
            add(a, target + k, (x + k, y + k))
    else:
        for k in range(0, count, code.SIMD_WIDTH):
            subtract(a, target + k, (x + k, y + k))


@numba_jit
def _differs(a: Any, start: Any, size: Any, value: Any) -> Any:
    for k in range(start, start + size):
        if a[k] != value:
            return ONE
    return ZERO


@numba_jit
def _choose(a: Any, target: Any, condition: Any, then: Any, otherwise: Any, count: Any) -> None:
    _copy(a, target, a, then if a[condition] != ZERO else otherwise, count)


@numba_jit
def _advance(  # noqa: PLR0912 - a branch for each instruction
    program: Any, count: Any, group: Any, a: Any, stride: Any, w: Any, states: Any, slots: Any, row: Any
) -> None:
    """Advances a group of sequences by one step; each workspace begins with the step's input."""
    end = group * stride
    for place in range(0, count * code.WIDTH, code.WIDTH):
        kind, at, p = program[place], program[place + 1], program[place + 2]
        q, r, s = program[place + 3], program[place + 4], program[place + 5]
        if kind == code.PRODUCT:
            _multiply(a, stride, group, at, s, p, q, w, r)
        elif kind == code.ACTIVATE:
            for i in range(0, end, stride):
                activate(p, a, i + at, q, r)
        elif kind == code.MULTIPLY_ADD:
            for i in range(0, end, stride):
                for k in range(i, i + s, code.SIMD_WIDTH):
                    multiply_add(a, at + k, (p + k, q + k, r + k))
        elif code.MULTIPLY <= kind <= code.SUBTRACT:
            for i in range(0, end, stride):
                _pairwise(kind, a, i + at, i + p, i + q, r)
        elif kind == code.READ:
            for i in range(group):
                _copy(a, i * stride + at, states, slots[i] * row + p, q)
        elif kind == code.WRITE:
            for i in range(group):
                _copy(states, slots[i] * row + at, a, i * stride + p, q)
        elif kind == code.COPY:
            for i in range(0, end, stride):
                _copy(a, i + at, a, i + p, q)
        elif kind == code.DIFFERS:
            for i in range(0, end, stride):
                a[i + at] = _differs(a, i + p, q, w[r])
        elif kind == code.CHOOSE:
            for i in range(0, end, stride):
                _choose(a, i + at, i + p, i + q, i + r, s)
        elif kind == code.LOOK_UP:
            for i in range(0, end, stride):
                _copy(a, i + at, w, q + np.int64(a[i + p]) * r, r)
        else:
            raise NotImplementedError("unknown instruction")


def run(handle: int) -> int:
    """Advances n sequences by one step, increments `DONE`, and returns 0; on an error, changes nothing.

    Returns `BAD_INPUT` if x is outside the range of float32, `BAD_SLOT` if a slot is outside the store.

    Args:
        handle: address of the table.
    """
    t = ints_at(handle)
    x, y, a = doubles_at(t[code.X]), floats_at(t[code.Y]), floats_at(t[code.WORKSPACE])
    program, count = ints_at(t[code.INSTRUCTIONS]), t[code.COUNT]
    weights, states, stride, row = (
        floats_at(t[code.WEIGHTS]),
        floats_at(t[code.STORE]),
        t[code.WORKSPACE_SIZE],
        t[code.ROW_SIZE],
    )
    n, features, answer, answers = t[code.N], t[code.FEATURES], t[code.ANSWER], t[code.ANSWER_SIZE]
    for k in range(n * features):
        if not abs(np.float32(x[k])) <= LARGEST:
            return code.BAD_INPUT
    slots = ints_at(t[code.SLOTS])
    for i in range(n):
        if not 0 <= slots[i] < t[code.ROWS]:
            return code.BAD_SLOT
    done = 0
    while done < n:
        group = code.GROUP if n - done >= code.GROUP else 1
        for i in range(group):
            for k in range(features):
                a[i * stride + k] = np.float32(x[(done + i) * features + k])
        _advance(program, count, group, a, stride, weights, states, ints_at(t[code.SLOTS] + 8 * done), row)
        for i in range(group):
            for k in range(answers):
                y[(done + i) * answers + k] = a[i * stride + answer + k]
        done += group
    t[code.DONE] += 1
    return 0
