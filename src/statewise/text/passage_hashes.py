"""Hashes of sampled passages of the texts a model was trained on, which recognize even parts of a text.

Of all passages of a text, one starting at each symbol, those with the smallest hashes are kept (a bottom-k sketch). So
two texts sample the same passages, and the share of sampled passages in common estimates the share of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from statewise.foundation.shapes import Array

LENGTH = {"char": 64, "word": 16}
"""Symbols in a passage, a power of 2: long enough that texts rarely share one by chance."""

MAX_HASHES = 8192
"""The maximum number of hashes: 64 kB."""

EVERY = np.iinfo(np.uint64).max


@dataclass(frozen=True)
class PassageHashes:
    """Hashes of passages of all texts a model was trained on.

    >>> learned = PassageHashes.of(np.arange(200), "char")
    >>> round(learned.share_of(np.arange(100, 300), "char"), 2)
    0.27
    """

    hashes: Array  # uint64 [P], sorted

    @classmethod
    def none(cls) -> Self:
        """Returns the hashes of no text."""
        return cls(np.zeros(0, np.uint64))

    @classmethod
    def of(cls, ids: Array, tokens: str, held_out: Array | None = None) -> Self:
        """Returns the hashes of a text, except those also in its held-out text, which prove nothing."""
        found = np.unique(_hashes(ids, LENGTH[tokens]))
        if held_out is not None:
            found = np.setdiff1d(found, _hashes(held_out, LENGTH[tokens]))
        return cls(found[:MAX_HASHES])

    def and_of(self, other: Self) -> Self:
        """Returns the union of two sets of hashes."""
        return type(self)(np.union1d(self.hashes, other.hashes)[:MAX_HASHES])

    def share_of(self, ids: Array, tokens: str) -> float:
        """Returns an estimate of the share of a text's passages among these; 0 if it is shorter than a passage."""
        found = _hashes(ids, LENGTH[tokens])
        sampled = found[found <= (self.hashes[-1] if len(self.hashes) == MAX_HASHES else EVERY)]
        return float(np.isin(sampled, self.hashes).mean()) if len(sampled) else 0.0


def _hashes(ids: Array, length: int) -> Array:
    """Returns a uint64 hash of each passage of `ids [N]` without unknown symbols (-1).

    Files store these hashes, so they must not change.
    """
    hashes, span = _mixed(ids.astype(np.uint64)), 1
    while span < length and len(hashes) > span:
        hashes = _mixed(hashes[:-span] * np.uint64(0x9E3779B97F4A7C15) + hashes[span:])
        span *= 2
    if span < length:
        return hashes[:0]
    unknown = np.concatenate([[0], np.cumsum(ids < 0)])
    return hashes[unknown[length:] == unknown[:-length]]


def _mixed(hashes: Array) -> Array:
    """Returns 64 well-mixed bits per number (splitmix64; Steele, Lea and Flood 2014)."""
    hashes = hashes + np.uint64(0x9E3779B97F4A7C15)
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))
