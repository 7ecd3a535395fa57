"""Lanes and windows of several inputs and targets: each is cut as it would be alone, and all in the same places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mistakes import Action, Error, case, refused, table
from statewise.data.lanes import Lanes, lanes
from statewise.data.windows import Windows, windows
from statewise.errors import ConfigurationError, DataError, ShapeError
from tolerances import assert_same

LENGTHS = {"one": [13], "many": [9, 6, 14]}
WIDTHS = {"readings": (3,), "weather": (2,), "words": (), "load": (1,), "alarm": ()}
several = pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)


def series_of(name: str, lengths: list[int]) -> Any:
    """Random series; one is passed as it is, several as a list."""
    rng = np.random.default_rng(len(name))
    made = [rng.normal(size=(length, *WIDTHS[name])).astype(np.float32) for length in lengths]
    if name == "words":
        made = [rng.integers(0, 9, length).astype(np.int32) for length in lengths]
    return made if len(made) > 1 else made[0]


def by_name(lengths: list[int], *names: str) -> dict[str, Any]:
    return {name: series_of(name, lengths) for name in names}


INPUTS, TARGETS = ("readings", "weather", "words"), ("load", "alarm")


@several
def test_lanes_of_each_are_those_of_it_alone(lengths: list[int]) -> None:
    options: dict[str, Any] = {"batch_size": 3, "steps": 4}
    framed = lanes(by_name(lengths, *INPUTS), by_name(lengths, *TARGETS), **options)
    assert (list(framed.x), list(framed.y)) == (list(INPUTS), list(TARGETS))
    for x, y in ((x, y) for x in INPUTS for y in TARGETS):
        alone = lanes(series_of(x, lengths), series_of(y, lengths), **options)
        assert_same((framed.x[x], framed.y[y]), (alone.x, alone.y), f"{x} and {y}")
        assert_same((framed.mask, framed.reset, framed.lengths), (alone.mask, alone.reset, alone.lengths))
        assert (framed.batches, framed.steps) == (alone.batches, alone.steps)
        assert (framed.explain(), framed.explain(2), repr(framed)) == (alone.explain(), alone.explain(2), repr(alone))
        assert framed._repr_html_() == alone._repr_html_()


@several
def test_windows_of_each_are_those_of_it_alone(lengths: list[int]) -> None:
    """The values that follow are of the targets' series."""
    options: dict[str, Any] = {"stride": 2, "horizon": 2, "gap": 1}
    found = windows(by_name(lengths, *INPUTS), 3, y=by_name(lengths, *TARGETS), **options)
    for name in INPUTS:
        alone = windows(series_of(name, lengths), 3, **options)
        assert_same(found.x[name], alone.x, name)
        assert_same((found.start, found.series, found.span), (alone.start, alone.series, alone.span))
    for name in TARGETS:
        assert_same(found.y[name], windows(series_of(name, lengths), 3, **options).y, name)
    single = windows(series_of("readings", lengths), 3, y=series_of("load", lengths))
    assert_same(single.y, windows(series_of("load", lengths), 3).y, "y of one input")


@several
def test_each_window_has_the_static_row_of_its_series(lengths: list[int]) -> None:
    rows = np.arange(2.0 * len(lengths)).reshape(-1, 2).astype(np.float32)
    static = {"plant": rows, "age": list(range(len(lengths)))}
    found = windows(by_name(lengths, "readings"), 3, y=series_of("load", lengths), static=static)
    assert list(found.x) == ["readings", "plant", "age"]
    assert_same(found.x["plant"], rows[found.series], "plant")
    assert found.x["age"].tolist() == found.series[:, None].tolist()


@several
def test_named_windows_are_split_like_others(lengths: list[int]) -> None:
    static = {"plant": np.eye(len(lengths))}
    found = windows(by_name(lengths, *INPUTS), 2, y=by_name(lengths, *TARGETS), static=static)
    sides, alone = found.split(0.4), windows(series_of("readings", lengths), 2).split(0.4)
    for side, other in zip(sides, alone, strict=True):
        assert_same(side.x["readings"], other.x, "x")
        assert_same((side.start, side.series), (other.start, other.series))
        assert side.x["plant"].argmax(axis=1).tolist() == other.series.tolist()
        assert {len(array) for array in (*side.x.values(), *side.y.values())} == {len(other.x)}


def test_windows_say_the_shape_of_each() -> None:
    found = windows(by_name([9], "readings", "words"), 3, y=by_name([9], "load"))
    assert repr(found) == "Windows(x 'readings' [6, 3, 3] and 'words' [6, 3], y 'load' [6, 1], 1 series)"


# --------------------------------------------------------------------------------------- refusals

A, B = np.zeros((9, 2)), np.zeros((7, 1))


def cut(series: Any, y: Any = None, **options: Any) -> Lanes:
    return lanes(series, y, batch_size=2, steps=2, **options)


def framed(series: Any, y: Any = A, **options: Any) -> Windows:
    return windows(series, 2, y=y, **options)


@table(
    case("lanes-length", lambda: cut({"a": A, "b": B}, A), ShapeError, "series 'b'", "expected 9", "repeat", "got 7"),
    case("lanes-static", lambda: cut({"a": [A, A], "row": np.eye(2)}, [A, A]), ShapeError, "series 'row'", "list of 2"),
    case("length-of-one", lambda: cut({"a": [A, B[:, :1]], "b": [A, A]}, [A, A]), ShapeError, "series 'a'"),
    case("lanes-no-y", lambda: cut({"a": A}), ConfigurationError, "y: expected the targets", "by output"),
    case("lanes-y-length", lambda: cut({"a": A}, {"load": B}), ShapeError, "y 'load'", "9 step(s)", "series 'a'"),
    case("lanes-y-count", lambda: cut({"a": [A, A]}, {"load": [A]}), ShapeError, "y 'load'", "list of 2", "got 1"),
    case("lanes-horizon", lambda: cut({"a": A}, A, horizon=2), ConfigurationError, "horizon=2"),
    case("lanes-nothing", lambda: cut({}, A), DataError, "series", "a dict by name"),
    case("lanes-keys", lambda: cut({1: A}, A), DataError, "series", "a dict by name", "[1]"),
    case("lanes-nan", lambda: cut({"a": A, "b": A * np.nan}, A), DataError, "series 'b'", "NaN"),
    case("windows-no-y", lambda: framed({"a": A}, None), ConfigurationError, "y: expected the targets"),
    case("windows-length", lambda: framed({"a": A, "b": B}), ShapeError, "series 'b'", "static={name: rows}"),
    case("windows-y-length", lambda: framed({"a": A}, B), ShapeError, "y:", "9 step(s)", "got 7"),
    case("windows-y-keys", lambda: framed({"a": A}, {}), DataError, "y", "a dict by name"),
    case("too-short", lambda: framed({"a": A[:2], "b": B[:2]}, A[:2]), DataError, "series 'a'", "at least 3"),
    case("static-beside-one", lambda: framed(A, static={"row": [[1]]}), ConfigurationError, "static", "a dict"),
    case("static-no-dict", lambda: framed({"a": A}, static=[[1]]), ConfigurationError, "static", "a dict"),
    case("static-rows", lambda: framed({"a": A}, static={"row": np.eye(2)}), ShapeError, "'row'", "[1, F]", "[2, 2]"),
    case("static-axes", lambda: framed({"a": A}, static={"row": 3.0}), ShapeError, "static 'row'", "[1, F]", "[]"),
    case("static-nan", lambda: framed({"a": A}, static={"row": [[np.nan]]}), DataError, "static 'row'", "NaN"),
    case("static-twice", lambda: framed({"a": A}, static={"a": [[1]]}), ConfigurationError, "'a'", "leave it out"),
)
def test_series_that_do_not_belong_together(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)
