"""The compiled step: instructions in, answers out, for a network of any sizes. Importing it imports Numba.

One function is compiled, once per machine, for all networks. It works on addresses: each array that Numba is handed
costs time. Sequences advance in groups, so that weights are read once for several of them; each has a workspace.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statewise.streaming.functions import activate
from statewise.streaming.instructions import (
    ACTIVATE,
    ANSWER,
    ANSWERS,
    COUNT,
    DENSE,
    DONE,
    FEATURES,
    GROUP,
    GRU,
    INSTRUCTIONS,
    LANES,
    LOOK_UP,
    LSTM,
    MASK,
    NO_NUMBER,
    OUTSIDE,
    ROOM,
    ROW,
    ROWS,
    SIMPLE,
    SLOTS,
    STORE,
    WEIGHTS,
    WIDTH,
    WORKSPACE,
    N,
    X,
    Y,
)
from statewise.streaming.vectors import doubles_at, floats_at, product_of, quick, wholes_at

LARGEST = np.finfo(np.float32).max
ZERO = np.float32(0)

_one_wide, _one_narrow, _group_wide, _group_narrow = (
    product_of(rows, columns) for rows, columns in ((1, 4), (1, 1), (GROUP, 2), (GROUP, 1))
)


@quick
def _lanes(units: Any) -> Any:
    return (units + LANES - 1) // LANES * LANES


@quick
def _copy(target: Any, at: Any, source: Any, start: Any, count: Any) -> None:
    for k in range(count):
        target[at + k] = source[start + k]


@quick
def _add_product(a: Any, room: Any, group: Any, at: Any, width: Any, start: Any, m: Any, w: Any, first: Any) -> None:
    """Adds to `a[at:]` the product of `a[start:]`, m numbers, and the matrix at `w[first:]`, for each of the group."""
    column = 0
    if group == 1:
        while column + 4 * LANES <= width:
            _one_wide(a, at + column, room, start, w, first + column, width, m)
            column += 4 * LANES
        while column < width:
            _one_narrow(a, at + column, room, start, w, first + column, width, m)
            column += LANES
    else:
        while column + 2 * LANES <= width:
            _group_wide(a, at + column, room, start, w, first + column, width, m)
            column += 2 * LANES
        while column < width:
            _group_narrow(a, at + column, room, start, w, first + column, width, m)
            column += LANES


@quick
def _begin(a: Any, room: Any, group: Any, at: Any, width: Any, start: Any, m: Any, w: Any, first: Any) -> None:
    """Puts bias and product where `_add_product` adds the product; the bias lies before the matrix."""
    for i in range(group):
        _copy(a, i * room + at, w, first, width)
    _add_product(a, room, group, at, width, start, m, w, first + width)


# -- layers with memory ----------------------------------------------------------------------------------------------


@quick
def _lstm(z: Any, at: Any, units: Any, s: Any, memory: Any, activation: Any, gate: Any) -> None:
    """The gates i, f, o and the candidate g lie in `z[at:]`; h and then c in `s[memory:]`."""
    lanes = _lanes(units)
    f, o, g, c = at + lanes, at + 2 * lanes, at + 3 * lanes, memory + lanes
    activate(gate, z, at, 3, units)
    activate(activation, z, g, 1, units)
    for k in range(lanes):
        s[c + k] = z[f + k] * s[c + k] + z[at + k] * z[g + k]
        z[g + k] = s[c + k]
    activate(activation, z, g, 1, units)
    for k in range(lanes):
        s[memory + k] = z[o + k] * z[g + k]


@quick
def _gru_gates(z: Any, at: Any, units: Any, s: Any, memory: Any, gate: Any, apart: Any) -> None:
    """The gates z and r, the input's part of the candidate, and with `reset_after` the state's lie in `z[at:]`.

    Without it, what the state's part is yet to be made of, r h, takes the place of r.
    """
    lanes = _lanes(units)
    r, g, other = at + lanes, at + 2 * lanes, at + 3 * lanes
    activate(gate, z, at, 2, units)
    if apart < 0:
        for k in range(lanes):
            z[g + k] += z[r + k] * z[other + k]
    else:
        for k in range(lanes):
            z[r + k] *= s[memory + k]


@quick
def _gru_end(z: Any, at: Any, units: Any, s: Any, memory: Any, activation: Any) -> None:
    lanes = _lanes(units)
    g = at + 2 * lanes
    activate(activation, z, g, 1, units)
    for k in range(lanes):
        s[memory + k] = z[g + k] + z[at + k] * (s[memory + k] - z[g + k])


@quick
def _end(kind: Any, a: Any, at: Any, units: Any, states: Any, memory: Any, activation: Any, gate: Any) -> None:
    """Makes the state after the step of what lies in `a[at:]`."""
    if kind == LSTM:
        _lstm(a, at, units, states, memory, activation, gate)
    elif kind == GRU:
        _gru_end(a, at, units, states, memory, activation)
    else:
        activate(activation, a, at, 1, units)
        _copy(states, memory, a, at, _lanes(units))


@quick
def _recur(
    code: Any, place: Any, group: Any, a: Any, room: Any, w: Any, states: Any, slots: Any, row: Any, counts: Any
) -> None:
    """Takes a layer with memory one step on; where a step does not count, its state stays, and so does its answer."""
    kind, source, size, target, units, first, memory, activation, gate, apart = (
        code[place], code[place + 1], code[place + 2], code[place + 3], code[place + 4], code[place + 5],
        code[place + 6], code[place + 7], code[place + 8], code[place + 9],
    )  # fmt: skip
    lanes = _lanes(units)
    width = lanes if kind == SIMPLE else 4 * lanes if kind == LSTM or apart < 0 else 3 * lanes
    v, at = target + lanes, target + lanes + _lanes(size + units)
    for i in range(group):
        _copy(a, i * room + v, a, i * room + source, size)
        _copy(a, i * room + v + size, states, slots[i] * row + memory, units)
    _begin(a, room, group, at, width, v, size + units, w, first)
    if kind == GRU:
        for i in range(group):
            _gru_gates(a, i * room + at, units, states, slots[i] * row + memory, gate, apart)
        if apart >= 0:
            _add_product(a, room, group, at + 2 * lanes, lanes, at + lanes, units, w, apart)
    for i in range(group):
        if counts >> i & 1:
            _end(kind, a, i * room + at, units, states, slots[i] * row + memory, activation, gate)
        _copy(a, i * room + target, states, slots[i] * row + memory, lanes)


# -- layers without --------------------------------------------------------------------------------------------------


@quick
def _look_up(a: Any, source: Any, target: Any, units: Any, w: Any, first: Any) -> Any:
    """Returns whether the symbol is any but 0, and fetches its vector."""
    symbol = np.int64(a[source])
    _copy(a, target, w, first + symbol * _lanes(units), units)
    return symbol != 0


@quick
def _mask(a: Any, start: Any, size: Any, value: Any) -> Any:
    """Returns whether any of a step's features differs from `value`; those of a step to skip become zeros."""
    counts = False
    for k in range(start, start + size):
        if a[k] != value:
            counts = True
    if not counts:
        for k in range(start, start + size):
            a[k] = ZERO
    return counts


@quick
def _advance(code: Any, count: Any, group: Any, a: Any, room: Any, w: Any, states: Any, slots: Any, row: Any) -> None:
    """Takes a group of sequences one step on: each step lies at the beginning of a workspace."""
    counts = (1 << group) - 1  # a bit for each sequence
    for place in range(0, count * WIDTH, WIDTH):
        kind, source, size, target = code[place], code[place + 1], code[place + 2], code[place + 3]
        units, first, function = code[place + 4], code[place + 5], code[place + 7]
        if kind == DENSE:
            _begin(a, room, group, target, _lanes(units), source, size, w, first)
            for i in range(group):
                activate(function, a, i * room + target, 1, units)
        elif kind == LOOK_UP:
            for i in range(group):
                if not _look_up(a, i * room + source, i * room + target, units, w, first) and function:
                    counts &= ~(1 << i)
        elif kind == ACTIVATE:
            for i in range(group):
                activate(function, a, i * room + target, 1, units)
        elif kind == MASK:
            for i in range(group):
                if not _mask(a, i * room + source, size, w[first]) and function:
                    counts &= ~(1 << i)
        else:
            _recur(code, place, group, a, room, w, states, slots, row, counts)


def run(handle: int) -> int:
    """Takes n sequences one step on, counts that in `DONE`, and returns 0; what cannot be done changes nothing.

    It is refused by `NO_NUMBER` if x is not within float32, by `OUTSIDE` if a slot lies outside the store.

    Args:
        handle: address of the table.
    """
    t = wholes_at(handle)
    x, y, a, code = doubles_at(t[X]), floats_at(t[Y]), floats_at(t[WORKSPACE]), wholes_at(t[INSTRUCTIONS])
    weights, states, room, row = floats_at(t[WEIGHTS]), floats_at(t[STORE]), t[ROOM], t[ROW]
    n, features, answer, answers = t[N], t[FEATURES], t[ANSWER], t[ANSWERS]
    for k in range(n * features):
        if not abs(np.float32(x[k])) <= LARGEST:
            return NO_NUMBER
    slots = wholes_at(t[SLOTS])
    for i in range(n):
        if not 0 <= slots[i] < t[ROWS]:
            return OUTSIDE
    done = 0
    while done < n:
        group = GROUP if n - done >= GROUP else 1
        for i in range(group):
            for k in range(features):
                a[i * room + k] = np.float32(x[(done + i) * features + k])
        _advance(code, t[COUNT], group, a, room, weights, states, wholes_at(t[SLOTS] + 8 * done), row)
        for i in range(group):
            _copy(y, (done + i) * answers, a, i * room + answer, answers)
        done += group
    t[DONE] += 1
    return 0
