"""Scores equal one long pass over the sequence, and every symbol has one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import statewise as sw
from statewise.text import scoring
from statewise.text.scoring import Scores, score_sequence
from texts import WINDOW, Array, probabilities, reader, symbols, windowed_probabilities
from tolerances import TOLERANCES, assert_close

ROUNDING = TOLERANCES["float32"]
"""Lanes warmed up by 256 symbols differ from one long pass by rounding only.

Measured on the network below: 7e-7 nats a symbol at most after 256 symbols or 64, 5e-3 after 32, 1.8 after 1. On a
network trained on a fable (64 units, 60 epochs): 7e-7 after 256, 8e-5 after 128, 2e-2 after 64, 1.3 after 1.
"""


@pytest.fixture(scope="module")
def model() -> sw.Sequential:
    return reader()


@pytest.fixture(scope="module")
def windowed() -> sw.Sequential:
    return reader(window=True)


def score(model: sw.Sequential, ids: Array, window: int | None = None) -> Scores:
    return score_sequence(model.network, model.params, ids, window)[0]


def by_hand(model: sw.Sequential, ids: Array) -> Scores:
    """Returns the scores from one pass; unknown symbols are masked, so that the state passes them unchanged."""
    p = probabilities(model, np.maximum(ids[:-1], 0), mask=ids[:-1] >= 0)
    return _scores(p, ids, first=1)


def by_hand_from_windows(model: sw.Sequential, ids: Array) -> Scores:
    p = windowed_probabilities(model, np.maximum(ids[:-1], 0))
    scores = _scores(p, ids, first=WINDOW)
    known = np.array([(ids[at - WINDOW : at] >= 0).all() for at in scores.position])
    return Scores(*(part[known] for part in scores))


def _scores(p: Array, ids: Array, first: int) -> Scores:
    position = np.array([at for at in range(first, len(ids)) if ids[at] >= 0])
    rows = p[position - first]
    loss = -np.log(rows[np.arange(len(rows)), ids[position]])
    return Scores(position, loss, rows.argmax(axis=-1) == ids[position])


def assert_scores(found: Scores, expected: Scores, tolerance: float = ROUNDING) -> None:
    np.testing.assert_array_equal(found.position, expected.position)
    assert_close(found.loss, expected.loss, "loss", tolerance)
    np.testing.assert_array_equal(found.hit, expected.hit)


# ------------------------------------------------------------------------------------------- one lane


@pytest.mark.parametrize("count", [2, 3, 257, 258, 500])
def test_a_short_sequence_is_scored_in_one_pass(model: sw.Sequential, count: int) -> None:
    ids = symbols(count)
    scores = score(model, ids)
    assert scores.position.tolist() == list(range(1, count))
    assert_scores(scores, by_hand(model, ids))


def test_one_lane_over_many_dispatches(model: sw.Sequential, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "MAX_ROWS", 1)
    ids = symbols(1500)
    assert_scores(score(model, ids), by_hand(model, ids))


# --------------------------------------------------------------------------------------------- lanes


@pytest.mark.parametrize("count", [514, 1500])
def test_warm_lanes_agree_with_one_pass(model: sw.Sequential, count: int) -> None:
    ids = symbols(count)
    scores = score(model, ids)
    assert scores.position.tolist() == list(range(1, count))
    assert_scores(scores, by_hand(model, ids))


def test_cold_lanes_do_not_agree(model: sw.Sequential, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards the test above: on this network the state matters, and a state is warm after far fewer symbols."""
    ids, differences = symbols(1500), {}
    expected = by_hand(model, ids)
    for warmup in (1, 64):
        monkeypatch.setattr(scoring, "WARMUP", warmup)
        scores = score(model, ids)
        np.testing.assert_array_equal(scores.position, expected.position)
        differences[warmup] = float(np.abs(scores.loss - expected.loss).max())
    assert differences[1] > 1.0
    assert differences[64] < ROUNDING


@pytest.mark.parametrize(("lanes", "warmup", "steps"), [(32, 2, 4), (5, 3, 7), (2, 10, 256), (32, 1, 1)])
@pytest.mark.parametrize("count", [2, 5, 41, 64, 97])
def test_every_symbol_is_scored_once_however_it_is_cut(
    model: sw.Sequential, lanes: int, warmup: int, steps: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network is replaced by one that answers with its inputs: each symbol meets the one before it."""
    for name, value in (("MAX_ROWS", lanes), ("WARMUP", warmup), ("STEPS", steps)):
        monkeypatch.setattr(scoring, name, value)
    seen = np.zeros(count, int)

    def look(_: Any, __: Any, states: Any, x: Array, y: Array, mask: Array) -> tuple[Array, Array, Any]:
        assert (y - x == 1)[mask].all()
        np.add.at(seen, x[mask], 1)
        return y * 1.0, y % 2 == 0, states

    monkeypatch.setattr(scoring, "_score_rows", look)
    scores = score(model, np.arange(count))
    assert scores.position.tolist() == list(range(1, count))
    assert scores.loss.tolist() == list(range(1, count))
    assert (seen[:-1] >= 1).all()


# ------------------------------------------------------------------------------------------- unknown


@pytest.mark.parametrize(
    "unknown",
    [[0], [1], [499], [100, 101, 102], [0, 1, 2, 498, 499], list(range(3, 500, 7))],
    ids=["first", "second", "last", "in-a-row", "both-ends", "many"],
)
def test_unknown_symbols_are_skipped_and_not_scored(model: sw.Sequential, unknown: list[int]) -> None:
    ids = symbols(500)
    ids[unknown] = -1
    scores = score(model, ids)
    assert scores.position.tolist() == [at for at in range(1, 500) if at not in unknown]
    assert_scores(scores, by_hand(model, ids))


def test_an_unknown_symbol_might_as_well_be_absent(model: sw.Sequential) -> None:
    ids = symbols(300)
    with_unknown = np.insert(ids, [10, 150, 150], -1)
    assert_close(score(model, with_unknown).loss, score(model, ids).loss, "loss", ROUNDING)


def test_unknown_symbols_where_lanes_meet(model: sw.Sequential) -> None:
    ids = symbols(1500)
    ids[495:505] = ids[999:1001] = -1
    assert_scores(score(model, ids), by_hand(model, ids))


# ------------------------------------------------------------------------------------------- windows


@pytest.mark.parametrize("count", [WINDOW + 1, 256 + WINDOW, 256 + WINDOW + 1, 600])
def test_windows_are_scored_one_by_one(windowed: sw.Sequential, count: int) -> None:
    ids = symbols(count)
    scores = score(windowed, ids, WINDOW)
    assert scores.position.tolist() == list(range(WINDOW, count))
    assert_scores(scores, by_hand_from_windows(windowed, ids))


def test_windows_with_unknown_symbols_are_left_out(windowed: sw.Sequential) -> None:
    ids = symbols(60)
    ids[[0, 20, 41, 59]] = -1
    scores = score(windowed, ids, WINDOW)
    expected = by_hand_from_windows(windowed, ids)
    assert 0 < len(expected.loss) < 60 - WINDOW
    assert_scores(scores, expected)
