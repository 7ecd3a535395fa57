"""Whether two contenders did the same work: their results are the same numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any


def numbers(result: Any) -> list[float]:
    """Returns all numbers of a result, which may be nested lists or arrays, in order."""
    return list(_each(result.tolist() if hasattr(result, "tolist") else result))


def _each(result: Any) -> Iterator[float]:
    if isinstance(result, list | tuple):
        for part in result:
            yield from _each(part.tolist() if hasattr(part, "tolist") else part)
    else:
        yield float(result)


def difference(theirs: list[float], ours: list[float]) -> float:
    """Returns the largest difference, relative to the largest of our numbers; infinite where the counts differ.

    >>> difference([1.0, 2.2], [1.0, 2.0])
    0.1...
    """
    if len(theirs) != len(ours) or not ours:
        return float("inf")
    largest = max(map(abs, ours)) or 1.0
    apart = [abs(a - b) for a, b in zip(theirs, ours, strict=True)]
    return float("inf") if any(map(math.isnan, apart)) else max(apart) / largest
