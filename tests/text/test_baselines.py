"""Baselines against counting in plain loops."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from statewise.text.baselines import Baselines
from tolerances import assert_close

V = 6
# Symbol 5 comes last and only once, so that nothing ever follows it; symbol 4 never comes.
TRAINING = [*np.random.default_rng(1).choice([0, 1, 2, 3], 60, p=[0.5, 0.3, 0.1, 0.1]).tolist(), 5]
EVERY_PAIR = [(a, b) for a in range(V) for b in range(V)]


def unigram(target: int) -> float:
    return (sum(symbol == target for symbol in TRAINING) + 1) / (len(TRAINING) + V)


def bigram(previous: int, target: int) -> float:
    came = seen = 0
    for first, second in pairwise(TRAINING):
        seen += first == previous
        came += (first, second) == (previous, target)
    return (came + unigram(target)) / (seen + 1)


def arrays(pairs: list[tuple[int, int]]) -> tuple[Any, Any]:
    return np.array([a for a, _ in pairs], np.int32), np.array([b for _, b in pairs], np.int32)


@pytest.fixture(scope="module")
def baselines() -> Baselines:
    return Baselines.of(np.array(TRAINING, np.int32), V)


def test_unigrams(baselines: Baselines) -> None:
    loss, hit = baselines.unigram(np.arange(V))
    assert_close(loss, np.array([-math.log(unigram(symbol)) for symbol in range(V)]), "loss")
    assert hit.tolist() == [symbol == 0 for symbol in range(V)]


def test_bigrams(baselines: Baselines) -> None:
    """All pairs, those that never came included, and those after a symbol that nothing followed."""
    loss, _ = baselines.bigram(*arrays(EVERY_PAIR))
    assert_close(loss, np.array([-math.log(bigram(a, b)) for a, b in EVERY_PAIR]), "loss")


def test_the_likeliest_successor_is_that_of_the_highest_probability(baselines: Baselines) -> None:
    _, hit = baselines.bigram(*arrays(EVERY_PAIR))
    likeliest = [int(np.argmax([bigram(a, b) for b in range(V)])) for a in range(V)]
    expected = [b == likeliest[a] for a, b in EVERY_PAIR]
    assert hit.tolist() == expected


def test_successors_that_came_equally_often_are_told_apart_by_their_frequency() -> None:
    """After 2 came 0 once and 1 once; 0 is the more frequent, so that bigrams hold it for the likelier."""
    baselines = Baselines.of(np.array([2, 0, 0, 0, 2, 1]), 3)
    losses, hit = baselines.bigram(np.array([2, 2]), np.array([0, 1]))
    assert losses[0] < losses[1]
    assert hit.tolist() == [True, False]


@pytest.mark.parametrize("previous", range(V))
def test_probabilities_add_up_to_one(baselines: Baselines, previous: int) -> None:
    losses, _ = baselines.bigram(np.full(V, previous), np.arange(V))
    assert np.exp(-losses).sum() == pytest.approx(1.0, abs=1e-12)
    assert np.exp(-baselines.unigram(np.arange(V))[0]).sum() == pytest.approx(1.0, abs=1e-12)
