"""The arithmetic of rounds: medians, quartiles, and ratios round by round."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of some rounds, and the quartiles around it."""

    median: float
    lower: float
    upper: float


def spread(values: Sequence[float]) -> Spread:
    """Returns median and quartiles; one value is all three.

    >>> spread([3.0, 1.0, 2.0, 5.0, 4.0])
    Spread(median=3.0, lower=2.0, upper=4.0)
    """
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, lower, upper)


def ratios(theirs: Sequence[float], ours: Sequence[float]) -> list[float]:
    """Returns theirs over ours, round by round: what slows the machine for a while slows both sides of a round."""
    return [their / our for their, our in zip(theirs, ours, strict=True)]
