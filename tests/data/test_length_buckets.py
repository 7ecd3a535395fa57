"""Rows of different lengths in batches: every row once, padded to few lengths, in an order that the epoch decides."""

from __future__ import annotations

from itertools import chain, combinations, pairwise
from typing import Any

import numpy as np
import pytest

from statewise.data import length_buckets as buckets
from statewise.data.batches import Samples
from statewise.data.length_buckets import LengthBuckets, bucket_by_length, few_lengths
from statewise.data.ragged_rows import RaggedRows
from statewise.foundation.random import key_of

RNG = np.random.default_rng(19)
LENGTHS = np.concatenate([RNG.integers(1, 12, 12), RNG.integers(400, 600, 21), RNG.integers(1, 12, 12)])
N, B = len(LENGTHS), 4
STEPS = np.arange(1, LENGTHS.sum() + 1)  # no two are equal, and none is what fills up
ROWS = RaggedRows(LENGTHS, {"x": STEPS[:, None], "y": -STEPS}, {"weight": np.arange(N)}, (np.arange(N)[:, None],))
BY_HAND = np.split(STEPS, np.cumsum(LENGTHS)[:-1])


def arranged(rows: RaggedRows = ROWS, **options: Any) -> LengthBuckets:
    found = bucket_by_length(rows, B, **{"sort": True} | options)
    assert isinstance(found, LengthBuckets)
    return found


def numbers(batches: list[Samples]) -> list[list[int]]:
    """Returns which rows each run of batches holds."""
    return [[] if batch.weight is None else batch.weight.tolist() for batch in batches]


@pytest.mark.parametrize("options", [{}, {"key": key_of(5)}, {"sort": False}], ids=str)
def test_every_row_is_in_one_batch_with_all_that_is_known_of_it(options: dict[str, Any]) -> None:
    batches = list(arranged(**options).epoch(3))
    for batch in batches:
        assert batch.mask is not None
        assert batch.weight is not None
        assert batch.initial is not None
        for row, number in enumerate(batch.weight):
            real, steps = batch.mask[row], BY_HAND[number]
            assert real.tolist() == [True] * len(steps) + [False] * (batch.steps - len(steps))
            assert batch.x[row, real, 0].tolist() == steps.tolist() == (-batch.y[row, real]).tolist()
            assert not batch.x[row, ~real].any()
            assert batch.initial[0][row].tolist() == [number]
    assert sorted(chain(*numbers(batches))) == list(range(N))
    assert sum(-(-batch.rows // B) for batch in batches) == -(-N // B)  # no batch but the last is short
    assert B < max(batch.rows for batch in batches) <= buckets.MOST_TOGETHER * B
    assert len({batch.steps for batch in batches}) <= buckets.MOST_LENGTHS


def test_the_few_longest_rows_are_not_filled_up() -> None:
    batches = arranged(key=key_of(5))
    (short,) = [run for run in batches.epoch(0) if run.rows < B]
    assert (short.rows, batches.room(short)) == (N % B, N % B)
    assert short.steps == LENGTHS.max()
    in_order = arranged(sort=False)
    *_, last = in_order.epoch(0)
    assert in_order.room(last) % B == 0  # a carried state has B rows


def test_like_lengths_take_few_steps_more_than_there_are() -> None:
    assert arranged().padded_to.sum() * B < 1.3 * LENGTHS.sum() < 0.6 * N * LENGTHS.max()


def test_rows_that_are_not_brought_together_keep_their_order() -> None:
    rows = RaggedRows(np.sort(LENGTHS), ROWS.by_step, ROWS.by_row)
    assert list(chain(*numbers(list(arranged(rows, sort=False).epoch(0))))) == list(range(N))


def test_an_epochs_number_and_the_key_decide_its_order() -> None:
    drawn = [arranged(key=key_of(key)) for key in (1, 1, 2)]
    first, again, other = (numbers(list(batches.epoch(7))) for batches in drawn)
    assert first == again
    done = sum(-(-len(rows) // B) for rows in first[:2])
    assert first[2:] == numbers([*drawn[0].epoch(7, first=done)])
    following = numbers(list(drawn[0].epoch(8)))
    for different in (other, following):
        assert different != first  # another order of batches
        assert {frozenset(rows) for rows in different} != {frozenset(rows) for rows in first}  # and other company


def test_a_batch_may_need_steps_that_its_rows_lack() -> None:
    assert arranged(least=20).padded_to.min() >= 20


@pytest.mark.parametrize("lengths", [np.full(99, 300), np.arange(1, 40), RNG.integers(1, 6, 4000)], ids=len)
def test_rows_are_padded_to_the_longest_where_that_is_cheaper(lengths: Any) -> None:
    rows = RaggedRows(lengths, {"x": np.ones((lengths.sum(), 1)), "y": np.ones(lengths.sum())})
    found = bucket_by_length(rows, B, sort=True)
    assert isinstance(found, Samples)
    assert found.x.shape == (len(lengths), lengths.max(), 1)
    assert found.mask is not None
    assert found.mask.sum(axis=1).tolist() == lengths.tolist()


@pytest.mark.parametrize("seed", range(20))
def test_few_lengths_are_the_best_there_are(seed: int) -> None:
    """Against all choices; fewer are taken only if that costs next to nothing."""
    longest = np.random.default_rng(seed).integers(1, 60, 12)
    found = few_lengths(longest)

    def steps(lengths: Any) -> int:
        return int(np.asarray(lengths)[np.searchsorted(lengths, longest)].sum())

    different = np.unique(longest)
    best = {
        count: min(steps((*shorter, different[-1])) for shorter in combinations(different[:-1], count - 1))
        for count in (len(found) - 1, len(found), min(buckets.MOST_LENGTHS, len(different)))
        if count > 0
    }
    assert all(a < b for a, b in pairwise(found))
    assert steps(found) == best[len(found)] <= buckets.NEAR * min(best.values())
    if len(found) > 1:
        assert best[len(found) - 1] > buckets.NEAR * min(best.values())


def test_of_many_lengths_not_all_are_considered() -> None:
    longest = np.arange(1, 5000)
    found = few_lengths(longest)
    assert found[-1] == 4999
    assert found[np.searchsorted(found, longest)].sum() < 1.25 * longest.sum()


def test_the_last_share_of_ragged_rows_is_split_off() -> None:
    first, last = ROWS.split(0.25)
    assert (first.rows, last.rows) == (33, 12)
    for part, numbers_of in ((first, range(33)), (last, range(33, N))):
        padded = part.padded()
        assert padded.weight is not None
        assert padded.mask is not None
        assert padded.weight.tolist() == list(numbers_of)
        assert padded.x[padded.mask][:, 0].tolist() == np.concatenate([BY_HAND[n] for n in numbers_of]).tolist()
