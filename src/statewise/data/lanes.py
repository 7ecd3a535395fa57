"""Lanes: series laid end to end and cut into contiguous rows whose state is carried from batch to batch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from statewise.data.ragged import check_long_enough
from statewise.data.series import check_targets_given, read_inputs, read_targets
from statewise.errors import ConfigurationError
from statewise.foundation import notebook
from statewise.foundation.markup import text_table
from statewise.foundation.named_values import arrays_of, each
from statewise.foundation.shapes import Array, check_whole, filled
from statewise.phrasebook.guard import guarded

SHOWN = 12
"""The maximum number of rows that a notebook shows."""

REPEAT = (
    "all inputs of lanes have the same steps, since a lane may run from one series into the next; repeat one without "
    "steps at each step, as np.repeat([row], steps, axis=0) does"
)
"""What is said of an input that has other steps."""

PIECES = 3
"""The maximum number of pieces of series that `explain` names in a row."""


@dataclass(frozen=True, eq=False)
class Lanes:
    """Series cut into B contiguous rows, and these into K batches of T steps, for `fit(..., state="carry")`.

    Row r of batch k is `x[k * B + r]`. Row r of batch k+1 continues where row r of batch k ended.
    """

    x: Any  # [K B, T] or [K B, T, F]; a dict of these by input if the series were one
    y: Any  # [K B, T] or [K B, T, V]; a dict of these by output if the targets were one
    mask: Array | None  # bool [K B, T]; False where rows are padded with zeros; None if they are full
    reset: Array | None  # bool [K B, T]; True where a series starts; None if all start where the first batch does
    batch_size: int  # B
    lengths: Array  # [S] how many steps each series contributes

    @property
    def batches(self) -> int:
        """K."""
        return self._count // self.batch_size

    @property
    def steps(self) -> int:
        """T."""
        return arrays_of(self.x)[0].shape[1]

    @property
    def _count(self) -> int:
        """K B."""
        return len(arrays_of(self.x)[0])

    def explain(self, limit: int = 40) -> str:
        """Returns a table in words: what each row of each batch holds, and where its state comes from.

        Args:
            limit: the maximum number of rows shown.

        Raises:
            ConfigurationError: `limit` is not an integer of at least 1.

        >>> print(lanes([np.arange(8), np.arange(4)], batch_size=2, steps=3).explain())
        10 steps of 2 series, read with state='carry' in 2 batches of 2 rows of 3 steps; all counted from 1
        batch  row  state                          holds                                         padded
        1      1    starts fresh                   series 1, steps 1-3
        1      2    starts fresh                   series 1, steps 6-7; fresh: series 2, step 1
        2      1    continues from batch 1, row 1  series 1, steps 4-5                           1 step, masked
        2      2    continues from batch 1, row 2  series 2, steps 2-3                           1 step, masked
        """
        rows = self._rows(check_whole("limit", limit))
        summary = f"{self._held}, read with state='carry' in {self._cut}; all counted from 1"
        return "\n".join([summary, *_aligned([_COLUMNS, *rows]), *self._more(len(rows))])

    def __repr__(self) -> str:
        return f"Lanes({self._held} in {self._cut})"

    def _repr_html_(self) -> str:
        """Returns what notebooks show: the beginning of `explain`."""
        rows = self._rows(SHOWN)
        caption = f"Read with state='carry' in {self._cut}; all counted from 1"
        more = "".join(f'<p class="quiet">{line}; explain(limit=...) shows them</p>' for line in self._more(len(rows)))
        return notebook.output(f"Lanes of {self._held}", text_table(caption, _COLUMNS, rows, len(_COLUMNS)), more)

    @property
    def _held(self) -> str:
        return f"{_count(int(self.lengths.sum()), 'step')} of {len(self.lengths)} series"

    @property
    def _cut(self) -> str:
        rows, steps = _count(self.batch_size, "row"), _count(self.steps, "step")
        return f"{_count(self.batches, 'batch', 'es')} of {rows} of {steps}"

    def _rows(self, limit: int) -> list[tuple[str, ...]]:
        return [self._explained(*divmod(index, self.batch_size)) for index in range(min(limit, self._count))]

    def _more(self, shown: int) -> list[str]:
        return [f"... and {self._count - shown} more"] if shown < self._count else []

    def _explained(self, batch: int, row: int) -> tuple[str, ...]:
        total = int(self.lengths.sum())
        length = math.ceil(total / self.batch_size)
        begin = row * length + batch * self.steps
        end = max(begin, min(begin + self.steps, (row + 1) * length, total))
        pieces, filled = _pieces(begin, end, self.lengths), self.steps - (end - begin)
        return (
            str(batch + 1),
            str(row + 1),
            _origin(batch, row, pieces),
            _held(pieces),
            f"{_count(filled, 'step')}, masked" if filled else "",
        )


@guarded
def lanes(series: Any, y: Any = None, *, batch_size: int, steps: int, horizon: int = 1) -> Lanes:
    """Returns every step of one or many series once, in rows that continue from batch to batch.

    All series are laid end to end and cut into rows of equal length, so a row may start in the middle of a series (with
    a fresh state), and run from one series into the next (`reset` is True there).

    Args:
        series: one array `[L]` (symbols, or one value a step) or `[L, F]`; or many, a list of such arrays or lists. For
            a model with several inputs on one time axis, a dict of these by name, all of the same lengths.
        y: the targets, an array `[L]` or `[L, V]` for each series; a dict of these by output if there are several. By
            default, the target of a step is the value `horizon` steps later in the same series, and a series
            contributes L - horizon steps.
        batch_size: B, rows per batch.
        steps: T, steps per batch: how far back gradients reach.
        horizon: how many steps ahead the target lies, if there is no `y`.

    Raises:
        ConfigurationError: an option is out of range, or there are more rows than steps.
        DataError: a series has no steps or is no longer than `horizon`, NaN, or values other than numbers.
        ShapeError: wrong axes, series that differ in more than length, or a `y` or an input of other lengths.

    >>> framed = lanes(np.arange(9), batch_size=2, steps=2)
    >>> framed
    Lanes(8 steps of 1 series in 2 batches of 2 rows of 2 steps)
    >>> framed.x.tolist()
    [[0, 1], [4, 5], [2, 3], [6, 7]]
    >>> framed.y[:2].tolist()
    [[1, 2], [5, 6]]
    >>> framed = lanes([[1, 2, 3, 4], [8, 9]], batch_size=1, steps=4)
    >>> framed.x.tolist(), framed.reset.tolist()
    ([[1, 2, 3, 8]], [[True, False, False, True]])
    >>> pump = {"readings": np.zeros((9, 8)), "weather": np.zeros((9, 2))}
    >>> framed = lanes(pump, {"load": np.ones(9), "alarm": np.zeros((9, 1))}, batch_size=2, steps=3)
    >>> framed.x["weather"].shape, framed.y["load"].shape
    ((4, 3, 2), (4, 3))
    """
    for name, value in (("batch_size", batch_size), ("steps", steps), ("horizon", horizon)):
        check_whole(name, value)
    x, targets = _with_later_targets(series, horizon) if y is None else _with_given_targets(series, y, horizon)
    lengths = np.array([len(values) for values in arrays_of(x)[0]])
    total = int(lengths.sum())
    if batch_size > total:
        raise ConfigurationError(
            f"batch_size: expected at most {total}, the steps in these series; got {batch_size}; write "
            f"batch_size={total} or less"
        )
    x, targets = (each(lambda parts: _cut(np.concatenate(parts), batch_size, steps), given) for given in (x, targets))
    mask = _cut(np.ones(total, bool), batch_size, steps)
    starts = np.zeros(total, bool)
    starts[np.cumsum(lengths) - lengths] = True
    reset = _cut(starts, batch_size, steps)
    later = reset.sum() > reset[:batch_size, 0].sum()
    return Lanes(x, targets, None if mask.all() else mask, reset if later else None, batch_size, lengths)


def _with_later_targets(series: Any, horizon: int) -> tuple[Any, Any]:
    """Returns the steps of each series and their targets, the values `horizon` steps later."""
    read = read_inputs(series, REPEAT)
    check_targets_given(read)
    check_long_enough(read.first, horizon + 1, "horizon + 1")
    return [values[:-horizon] for values in read.values], [values[horizon:] for values in read.values]


def _with_given_targets(series: Any, y: Any, horizon: int) -> tuple[Any, Any]:
    """Returns the steps of each series and the targets given for them."""
    if horizon != 1:
        raise ConfigurationError(f"horizon: y already gives the targets, got horizon={horizon}; omit one of them")
    read = read_inputs(series, REPEAT)
    return read.values, read_targets(y, read)


def _cut(flat: Array, batch_size: int, steps: int) -> Array:
    """Returns `[L, ...]` as `[K B, T, ...]`, padded with zeros."""
    length = math.ceil(len(flat) / batch_size)
    batches, rest = math.ceil(length / steps), flat.shape[1:]
    rows = filled(flat, 0, batch_size * length).reshape(batch_size, length, *rest)
    cut = filled(rows, 1, batches * steps).reshape(batch_size, batches, steps, *rest)
    return cut.swapaxes(0, 1).reshape(batches * batch_size, steps, *rest)


# -- words -------------------------------------------------------------------------------------------------------------

_COLUMNS = ("batch", "row", "state", "holds", "padded")


class _Piece(NamedTuple):
    """Steps of one series; all of it counted from 1."""

    series: int
    first: int
    last: int


def _pieces(begin: int, end: int, lengths: Array) -> list[_Piece]:
    """Returns the pieces of series that steps `begin` .. `end` - 1 are, counted through all series."""
    ends = np.cumsum(lengths)
    number = int(np.searchsorted(ends, begin, side="right"))
    pieces = []
    while begin < end:
        start, upto = int(ends[number] - lengths[number]), min(end, int(ends[number]))
        pieces.append(_Piece(number + 1, begin - start + 1, upto - start))
        begin, number = upto, number + 1
    return pieces


def _origin(batch: int, row: int, pieces: list[_Piece]) -> str:
    """Returns where the state of a row comes from."""
    if batch == 0 or (pieces and pieces[0].first == 1):
        return "starts fresh"
    return f"continues from batch {batch}, row {row + 1}"


def _held(pieces: list[_Piece]) -> str:
    shown = [
        f"series {piece.series}, "
        + (f"steps {piece.first}-{piece.last}" if piece.last > piece.first else f"step {piece.first}")
        for piece in pieces[:PIECES]
    ]
    more = [f"{len(pieces) - PIECES} more series"] if len(pieces) > PIECES else []
    return "; fresh: ".join(shown + more) or "nothing"


def _count(number: int, word: str, ending: str = "s") -> str:
    return f"{number} {word}{'' if number == 1 else ending}"


def _aligned(table: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in table]
