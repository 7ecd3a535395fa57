"""Every step of every series is in the lanes once, and rows go on from batch to batch."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np
import pytest

from mistakes import Action, Error, case, each, refused, table
from notebooks import Shown
from statewise.data.lanes import SHOWN, Lanes, lanes
from statewise.errors import ConfigurationError, DataError, ShapeError
from statewise.foundation.shapes import Array


class Case(NamedTuple):
    """How many values each series has, rows, steps; features (0: no such axis); how the targets come about."""

    lengths: list[int]
    batch_size: int
    steps: int
    features: int = 0
    horizon: int = 1
    given: bool = False

    @property
    def series(self) -> list[Array]:
        """Series of 1, 2, 3, ... through all of them: no two values are equal, and zeros can only be padding."""
        shape = (sum(self.lengths), self.features) if self.features else (sum(self.lengths),)
        values = np.arange(1, 1 + math.prod(shape), dtype=np.int32).reshape(shape)
        return np.split(values, np.cumsum(self.lengths)[:-1])

    @property
    def targets(self) -> list[Array]:
        """Targets with two outputs each, for the cases where they are given."""
        return [np.stack([-values.reshape(len(values), -1)[:, 0]] * 2, axis=1) for values in self.series]

    @property
    def lanes(self) -> Lanes:
        """One series is passed as it is, several as a list."""
        series: Any = self.series if len(self.lengths) > 1 else self.series[0]
        if not self.given:
            return lanes(series, batch_size=self.batch_size, steps=self.steps, horizon=self.horizon)
        y: Any = self.targets if len(self.lengths) > 1 else self.targets[0]
        return lanes(series, y, batch_size=self.batch_size, steps=self.steps)


CASES = [
    Case([9], 2, 2),  # fits exactly
    Case([2], 1, 1),  # the shortest
    Case([2], 1, 5),  # one transition, more steps
    Case([10], 3, 4),  # fits in rows, not in steps
    Case([11], 3, 4),  # a short last row
    Case([14], 6, 2),  # rows so short that the last one is empty
    Case([101], 7, 5),
    Case([65], 32, 64),  # one batch
    Case([12], 2, 3, given=True),
    Case([23], 3, 4, features=2, given=True),
    Case([23], 3, 4, features=1, horizon=5),
    Case([5, 5], 2, 2),  # each series starts a row
    Case([5, 5], 1, 4),  # each series starts a batch
    Case([4, 2, 9, 3], 2, 5),  # several in one row
    Case([2, 2, 2, 2, 2, 2, 2], 2, 3),  # of one step each
    Case([30, 7, 19], 4, 6, features=3),
    Case([30, 7, 19], 4, 6, features=2, horizon=6),
    Case([6, 1, 13], 3, 4, given=True),  # one step is enough where targets are given
    Case([60, 1, 1, 30], 5, 3, features=2, given=True),
]
cases = pytest.mark.parametrize("case_", CASES, ids=str)


class Step(NamedTuple):
    """One step of a series."""

    x: Any
    y: Any
    new: bool


def steps_of(case_: Case) -> list[Step]:
    """Returns all steps in their order, by loops over single values."""
    found = []
    for values, targets in zip(case_.series, case_.targets, strict=True):
        xs = values.tolist()
        ys = targets.tolist() if case_.given else xs[case_.horizon :]
        found += [Step(x, y, at == 0) for at, (x, y) in enumerate(zip(xs, ys, strict=False))]
    return found


def by_row(array: Array, case_: Case) -> Array:
    """Returns `[B, K T, ...]`: what each row reads from batch to batch."""
    cut = array.reshape(-1, case_.batch_size, *array.shape[1:]).swapaxes(0, 1)
    return cut.reshape(case_.batch_size, -1, *array.shape[2:])


def mask_of(framed: Lanes) -> Array:
    return np.ones(framed.x.shape[:2], bool) if framed.mask is None else framed.mask


@cases
def test_lanes_are_those_of_plain_loops(case_: Case) -> None:
    framed, steps = case_.lanes, steps_of(case_)
    length = -(-len(steps) // case_.batch_size)
    batches = -(-length // case_.steps)
    assert (framed.batches, framed.steps, framed.batch_size) == (batches, case_.steps, case_.batch_size)
    assert len(framed.x) == len(framed.y) == batches * case_.batch_size
    for batch in range(batches):
        for row in range(case_.batch_size):
            index = batch * case_.batch_size + row
            for step in range(case_.steps):
                within = batch * case_.steps + step
                at = row * length + within
                real = within < length and at < len(steps)
                assert mask_of(framed)[index, step] == real
                expected = (
                    steps[at] if real else Step(np.zeros_like(framed.x[0, 0]), np.zeros_like(framed.y[0, 0]), False)
                )
                np.testing.assert_array_equal(framed.x[index, step], expected.x)
                np.testing.assert_array_equal(framed.y[index, step], expected.y)
                if framed.reset is not None:
                    assert framed.reset[index, step] == expected.new


@cases
def test_each_step_comes_exactly_once(case_: Case) -> None:
    framed = case_.lanes
    real = mask_of(framed)
    seen = sorted(zip(framed.x[real].tolist(), framed.y[real].tolist(), strict=True))
    assert seen == sorted((step.x, step.y) for step in steps_of(case_))


@cases
def test_row_r_of_a_batch_goes_on_from_row_r_of_the_one_before(case_: Case) -> None:
    framed = case_.lanes
    order = {str(step.x): at for at, step in enumerate(steps_of(case_))}
    for row, real in zip(by_row(framed.x, case_), by_row(mask_of(framed), case_), strict=True):
        taken = [order[str(x)] for x in row[real].tolist()]
        assert np.diff(taken).tolist() == [1] * (len(taken) - 1)
        assert real[: len(taken)].all(), "padding comes before the end of a row"


@cases
def test_rows_are_balanced(case_: Case) -> None:
    framed = case_.lanes
    held = by_row(mask_of(framed), case_).sum(axis=1)
    total = len(steps_of(case_))
    longest = -(-total // case_.batch_size)
    assert held.tolist() == [min(longest, max(0, total - row * longest)) for row in range(case_.batch_size)]


@cases
def test_reset_is_exactly_where_a_series_starts(case_: Case) -> None:
    framed = case_.lanes
    firsts = {str(values[0].tolist()) for values in case_.series}
    starts = np.array([[str(x) in firsts for x in row] for row in framed.x.tolist()])
    if framed.reset is not None:
        assert framed.reset.dtype == bool
        np.testing.assert_array_equal(framed.reset, starts)
    starts[: case_.batch_size, 0] = False
    assert (framed.reset is None) == (not starts.any())


@cases
def test_a_mask_is_there_only_if_something_is_filled_up(case_: Case) -> None:
    mask = case_.lanes.mask
    assert mask is None or not mask.all()


@pytest.mark.parametrize(
    ("series", "dtype"),
    [
        (np.arange(9, dtype=np.int64), np.int32),
        (np.arange(9, dtype=np.uint8), np.int32),
        (np.linspace(0, 1, 9), np.float32),
        (np.arange(9) > 4, bool),
        ([0.5, 1, 2], np.float32),
        ([np.arange(4), np.linspace(0, 1, 4)], np.float32),
    ],
)
def test_dtypes_are_those_of_as_array(series: Any, dtype: Any) -> None:
    framed = lanes(series, batch_size=1, steps=2)
    assert framed.x.dtype == framed.y.dtype == dtype


def test_a_list_of_one_series_is_that_series() -> None:
    alone, listed = (lanes(series, batch_size=2, steps=3) for series in (np.arange(9), [np.arange(9)]))
    np.testing.assert_array_equal(alone.x, listed.x)
    np.testing.assert_array_equal(alone.y, listed.y)
    assert alone.reset is None
    assert listed.reset is None


def test_targets_of_one_series_may_be_a_list() -> None:
    framed = lanes(np.arange(4), [[0, 1], [1, 0], [1, 1], [0, 0]], batch_size=2, steps=2)
    assert framed.y.tolist() == [[[0, 1], [1, 0]], [[1, 1], [0, 0]]]


# ---------------------------------------------------------------------------------------- explain


def table_of(framed: Lanes, limit: int = 10_000) -> list[list[str]]:
    """Returns the cells of each line below the heading."""
    return [re.split(r"\s{2,}", line) for line in framed.explain(limit).splitlines()[1:]]


def test_explain_says_what_each_row_holds() -> None:
    framed = lanes([np.arange(8), np.arange(2), np.arange(5)], batch_size=2, steps=4)
    heading = "12 steps of 3 series, read with state='carry' in 2 batches of 2 rows of 4 steps; all counted from 1"
    assert framed.explain().splitlines()[0] == heading
    assert table_of(framed) == [
        ["batch", "row", "state", "holds", "padded"],
        ["1", "1", "starts fresh", "series 1, steps 1-4"],
        ["1", "2", "starts fresh", "series 1, step 7; fresh: series 2, step 1; fresh: series 3, steps 1-2"],
        ["2", "1", "continues from batch 1, row 1", "series 1, steps 5-6", "2 steps, masked"],
        ["2", "2", "continues from batch 1, row 2", "series 3, steps 3-4", "2 steps, masked"],
    ]


def test_explain_tells_a_series_that_starts_with_a_batch() -> None:
    assert table_of(lanes([np.arange(5), np.arange(5)], batch_size=1, steps=4))[1:] == [
        ["1", "1", "starts fresh", "series 1, steps 1-4"],
        ["2", "1", "starts fresh", "series 2, steps 1-4"],
    ]


def test_explain_is_cut_at_its_limit() -> None:
    framed = lanes(np.arange(101), batch_size=4, steps=5)
    *lines, last = table_of(framed, limit=3)
    assert last == ["... and 17 more"]
    assert lines == table_of(framed, limit=20)[: 1 + 3]
    assert "more" not in framed.explain(limit=20)
    assert framed.explain().count("\n") == 1 + 20


def test_explain_of_a_row_with_many_series_names_the_first() -> None:
    text = lanes([np.arange(2)] * 9, batch_size=1, steps=9).explain()
    assert "series 3, step 1; fresh: 6 more series" in text


PIECE = re.compile(r"series (\d+), steps? (\d+)(?:-(\d+))?")


@cases
def test_explain_accounts_for_every_step(case_: Case) -> None:
    framed = case_.lanes
    given = [values.tolist()[: len(values) - (0 if case_.given else case_.horizon)] for values in case_.series]
    _, *lines = table_of(framed)
    assert [line[:2] for line in lines] == [
        [str(batch), str(row)] for batch in range(1, framed.batches + 1) for row in range(1, case_.batch_size + 1)
    ]
    for (_, _, _, holds, *filled), x, real in zip(lines, framed.x, mask_of(framed), strict=True):
        pieces = [(int(of), int(first), int(last or first)) for of, first, last in PIECE.findall(holds)]
        assert (holds == "nothing") == (not real.any())
        assert [value for of, first, last in pieces for value in given[of - 1][first - 1 : last]] == x[real].tolist()
        missing = int((~real).sum())
        assert filled == ([f"{missing} step{'s' if missing > 1 else ''}, masked"] if missing else [])


# --------------------------------------------------------------------------------------- refusals

SERIES = np.arange(9)
HOLED = np.where(SERIES == 4, np.nan, SERIES)


def cut(series: Any = SERIES, y: Any = None, batch_size: Any = 2, steps: Any = 2, **options: Any) -> Lanes:
    return lanes(series, y, batch_size=batch_size, steps=steps, **options)


@table(
    *each("batch_size", lambda value: cut(batch_size=value), ConfigurationError, ">= 1", of=(0, -1, 2.0, None)),
    *each("steps", lambda value: cut(steps=value), ConfigurationError, ">= 1", of=(0, "3", True)),
    *each("horizon", lambda value: cut(horizon=value), ConfigurationError, ">= 1", of=(0, 1.5)),
    case(
        "rows", lambda: cut(batch_size=9), ConfigurationError, "batch_size: expected at most 8", "got 9", "batch_size=8"
    ),
    case("empty-list", lambda: cut([]), DataError, "series:", "at least one step", "[0]"),
    case("empty-array", lambda: cut(np.zeros((0, 2))), DataError, "series:", "at least one step", "[0, 2]"),
    case("no-features", lambda: cut(np.zeros((4, 0))), DataError, "series:", "[4, 0]"),
    case("empty-one", lambda: cut([SERIES, []]), DataError, "series[1]", "at least one step", "leave it out"),
    case("one-value", lambda: cut([7]), DataError, "series:", "at least 2 steps (horizon + 1), got 1", "a longer one"),
    case(
        "not-longer-than-the-horizon",
        lambda: cut([SERIES, SERIES[:4]], horizon=4),
        DataError,
        "series[1]",
        "at least 5 steps (horizon + 1), got 4",
        "leave this series out",
    ),
    case("features", lambda: cut([np.ones((4, 2)), np.ones((5, 3))]), ShapeError, "series[1]", "[4, 2]", "[5, 3]"),
    case("axes-differ", lambda: cut([np.ones((4, 2)), np.ones(5)]), ShapeError, "series[1]", "[4, 2]", "got [5]"),
    case("three-axes", lambda: cut(np.ones((3, 4, 2))), ShapeError, "[L] or [L, F]", "[3, 4, 2]", "as a list"),
    case("one-number", lambda: cut(3), ShapeError, "series:", "time axis", "the single number 3"),
    case("a-number-among-them", lambda: cut([SERIES, 3]), ShapeError, "series[1]", "the single number 3"),
    case("nan", lambda: cut(HOLED), DataError, "series", "NaN", "[4]", "fill them"),
    case("nan-in-one", lambda: cut([SERIES, HOLED]), DataError, "series[1]", "NaN", "[4]"),
    case("text", lambda: cut("to be or not"), DataError, "series", "'to be or not'", "encode"),
    case("texts", lambda: cut(["to", "be"]), DataError, "series", "'to'", "encode"),
    case(
        "y-length", lambda: cut(y=SERIES[1:]), ShapeError, "y: expected 9 step(s), as series has", "got 8", "per step"
    ),
    case("y-length-of-one", lambda: cut([SERIES] * 2, [SERIES, [1]]), ShapeError, "y[1]", "as series[1] has", "got 1"),
    case("y-count", lambda: cut([SERIES] * 2, [SERIES]), ShapeError, "list of 2 array(s)", "one for each", "got 1"),
    case("y-no-list", lambda: cut([SERIES], SERIES), ShapeError, "y: expected a list of 1 array(s)", "got ndarray"),
    case("y-nan", lambda: cut(y=HOLED), DataError, "y has 1 NaN", "[4]"),
    case("y-axes", lambda: cut(y=np.ones((9, 2, 2))), ShapeError, "y:", "[9, 2, 2]"),
    case("y-and-horizon", lambda: cut(y=SERIES, horizon=2), ConfigurationError, "horizon=2", "omit one of them"),
    *each("limit", lambda value: cut().explain(value), ConfigurationError, ">= 1", of=(0, 1.5)),
)
def test_refusals(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


def test_a_notebook_shows_the_beginning_of_explain() -> None:
    framed = lanes([np.arange(200.0), np.arange(7.0)], batch_size=4, steps=3)
    shown = Shown(framed)
    cells = iter(shown.words("td"))
    lines = framed.explain(SHOWN).splitlines()
    assert lines[0].startswith(repr(framed)[len("Lanes(") :].partition(" in ")[0])
    for line in lines[2:-1]:
        row = [next(cells) for _ in range(5)]
        assert re.split(r"\s{2,}", line) == [word for word in row if word]
    assert next(cells, None) is None
    assert lines[-1] in shown.words("p")[-1]
