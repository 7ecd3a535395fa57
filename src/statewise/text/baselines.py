"""Baselines for text models: unigram and bigram frequencies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b

import numpy as np

from statewise.foundation.shapes import Array

COUNTS = ("unigrams", "pairs", "pair_counts")
"""The arrays of counts."""


@dataclass(frozen=True)
class Baselines:
    """Unigram and bigram models of the learned texts, each counted once.

    Unigrams use add-one (Laplace) smoothing. Bigrams are smoothed with the unigrams as a Dirichlet prior of weight 1
    (MacKay and Peto 1995).
    """

    unigrams: Array  # [V] count of each symbol
    pairs: Array  # [P, 2] pairs that occur
    pair_counts: Array  # [P] count of each pair
    texts: tuple[str, ...] = ()  # checksums of the counted texts; empty if read from a file without them

    @classmethod
    def of(cls, ids: Array, symbols: int) -> Baselines:
        """Returns the counts of a training text, for a vocabulary of `symbols`."""
        pairs, counts = np.unique(np.stack([ids[:-1], ids[1:]], axis=1), axis=0, return_counts=True)
        return cls(np.bincount(ids, minlength=symbols), pairs.astype(np.int32), counts, (checksum(ids),))

    def and_of(self, ids: Array, symbols: int) -> Baselines:
        """Returns these counts plus those of another text, for a vocabulary of `symbols`; a text counts only once."""
        wider = replace(self, unigrams=np.pad(self.unigrams, (0, symbols - len(self.unigrams))))
        more = Baselines.of(ids, symbols)
        if not self.texts and wider._counts_as(more):  # read from a file without checksums
            return replace(wider, texts=more.texts)
        return wider if more.texts[0] in self.texts else wider._plus(more)

    def _counts_as(self, other: Baselines) -> bool:
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in COUNTS)

    def _plus(self, more: Baselines) -> Baselines:
        both = np.concatenate([self.pairs, more.pairs])
        pairs, place = np.unique(both, axis=0, return_inverse=True)
        counts = np.zeros(len(pairs), self.pair_counts.dtype)
        np.add.at(counts, place.reshape(-1), np.concatenate([self.pair_counts, more.pair_counts]))
        return Baselines(self.unigrams + more.unigrams, pairs, counts, self.texts + more.texts)

    @cached_property
    def _unigram_probabilities(self) -> Array:
        return (self.unigrams + 1) / (self.unigrams.sum() + len(self.unigrams))

    def unigram(self, target: Array) -> tuple[Array, Array]:
        """Returns the loss in nats of each symbol `[N]`, and whether it is the most frequent one."""
        return -np.log(self._unigram_probabilities[target]), target == self.unigrams.argmax()

    def bigram(self, previous: Array, target: Array) -> tuple[Array, Array]:
        """Returns the loss in nats of each symbol given the one before it, and whether it is the most likely one."""
        symbols = len(self.unigrams)
        keys = self.pairs[:, 0].astype(np.int64) * symbols + self.pairs[:, 1]
        wanted = previous.astype(np.int64) * symbols + target
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        counts = np.where(keys[place] == wanted, self.pair_counts[place], 0)
        firsts = np.bincount(self.pairs[:, 0], self.pair_counts, minlength=symbols)[previous]
        probabilities = (counts + self._unigram_probabilities[target]) / (firsts + 1)
        return -np.log(probabilities), target == self._most_likely[previous]

    @cached_property
    def _most_likely(self) -> Array:
        most_likely = np.full(len(self.unigrams), self.unigrams.argmax())
        # The last write wins: the most frequent pair; among equals, the one whose second symbol is more frequent.
        order = np.lexsort((self.unigrams[self.pairs[:, 1]], self.pair_counts))
        most_likely[self.pairs[order, 0]] = self.pairs[order, 1]
        return most_likely


def checksum(ids: Array) -> str:
    """Returns a checksum that identifies a text, and stays the same when the vocabulary grows."""
    return blake2b(ids.astype("<i4").tobytes(), digest_size=16).hexdigest()
