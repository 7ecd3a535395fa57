"""Which texts a model was trained on, by hashes of a sample of their passages, so that a part of one is recognized.

Of all passages of a text, one beginning at each symbol, those with the smallest hashes are kept (a bottom-k sketch). So
two texts sample the same passages, and the share of one text's sampled passages that the other has estimates the share
of all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from statewise.foundation.shapes import Array

LENGTH = {"char": 64, "word": 16}
"""Symbols in a passage, a power of 2: long enough that two texts hardly share one by chance."""

MOST = 8192
"""The most hashes that are kept: 64 kB."""

EVERY = np.iinfo(np.uint64).max


@dataclass(frozen=True)
class Passages:
    """Hashes of passages of all texts that a model was trained on.

    >>> learned = Passages.of(np.arange(200), "char")
    >>> round(learned.share_of(np.arange(100, 300), "char"), 2)
    0.27
    """

    hashes: Array  # uint64 [P], sorted

    @classmethod
    def none(cls) -> Self:
        """Returns those of no text."""
        return cls(np.zeros(0, np.uint64))

    @classmethod
    def of(cls, ids: Array, tokens: str, held_out: Array | None = None) -> Self:
        """Returns those of a text, without the ones that the text held out from it has too: they prove nothing."""
        found = np.unique(_hashes(ids, LENGTH[tokens]))
        if held_out is not None:
            found = np.setdiff1d(found, _hashes(held_out, LENGTH[tokens]))
        return cls(found[:MOST])

    def and_of(self, other: Self) -> Self:
        """Returns these and others."""
        return type(self)(np.union1d(self.hashes, other.hashes)[:MOST])

    def share_of(self, ids: Array, tokens: str) -> float:
        """Returns about which share of the passages of a text is among these; 0 if it is shorter than a passage."""
        found = _hashes(ids, LENGTH[tokens])
        sampled = found[found <= (self.hashes[-1] if len(self.hashes) == MOST else EVERY)]
        return float(np.isin(sampled, self.hashes).mean()) if len(sampled) else 0.0


def _hashes(ids: Array, length: int) -> Array:
    """Returns a hash, uint64, of each passage of `ids [N]` that has no unknown symbol (-1) in it.

    Files hold these numbers: they must stay what they are.
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
    """Returns 64 well-mixed bits for each number (splitmix64; Steele, Lea and Flood 2014)."""
    hashes = hashes + np.uint64(0x9E3779B97F4A7C15)
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))
