"""What a text model has to beat: the frequencies of symbols, and of symbols after one another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b

import numpy as np

from statewise.foundation.shapes import Array

COUNTS = ("unigrams", "pairs", "pair_counts")
"""What was counted."""


@dataclass(frozen=True)
class Baselines:
    """Unigram and bigram models of the texts that were learned, each counted once.

    Unigrams are counted with one added to each (Laplace). Bigrams back off to them as if each first symbol had been
    seen once more, followed by whatever the unigrams say (a Dirichlet prior of weight 1; MacKay and Peto 1995).
    """

    unigrams: Array  # [V] how often each symbol came
    pairs: Array  # [P, 2] the pairs that came
    pair_counts: Array  # [P] how often each did
    texts: tuple[str, ...] = ()  # a checksum of each text that was counted; empty if a file did not keep them

    @classmethod
    def of(cls, ids: Array, symbols: int) -> Baselines:
        """Returns the counts of a training text with `symbols` different symbols."""
        pairs, counts = np.unique(np.stack([ids[:-1], ids[1:]], axis=1), axis=0, return_counts=True)
        return cls(np.bincount(ids, minlength=symbols), pairs.astype(np.int32), counts, (checksum(ids),))

    def and_of(self, ids: Array, symbols: int) -> Baselines:
        """Returns the counts with those of another text, with `symbols` symbols by now; a text counts only once."""
        wider = replace(self, unigrams=np.pad(self.unigrams, (0, symbols - len(self.unigrams))))
        more = Baselines.of(ids, symbols)
        if not self.texts and wider._counts_as(more):  # a file from before there were checksums
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
        """Returns the loss in nats of each symbol `[N]`, and whether the most frequent symbol is it."""
        return -np.log(self._unigram_probabilities[target]), target == self.unigrams.argmax()

    def bigram(self, previous: Array, target: Array) -> tuple[Array, Array]:
        """Returns the loss in nats of each symbol after the one before it, and whether the likeliest is it."""
        symbols = len(self.unigrams)
        keys = self.pairs[:, 0].astype(np.int64) * symbols + self.pairs[:, 1]
        wanted = previous.astype(np.int64) * symbols + target
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        counts = np.where(keys[place] == wanted, self.pair_counts[place], 0)
        firsts = np.bincount(self.pairs[:, 0], self.pair_counts, minlength=symbols)[previous]
        probabilities = (counts + self._unigram_probabilities[target]) / (firsts + 1)
        return -np.log(probabilities), target == self._likeliest[previous]

    @cached_property
    def _likeliest(self) -> Array:
        likeliest = np.full(len(self.unigrams), self.unigrams.argmax())
        # The last one written is the most frequent; of equals, the one that the unigrams hold for likelier.
        order = np.lexsort((self.unigrams[self.pairs[:, 1]], self.pair_counts))
        likeliest[self.pairs[order, 0]] = self.pairs[order, 1]
        return likeliest


def checksum(ids: Array) -> str:
    """Returns by what the same text is known again, also once the vocabulary has grown."""
    return blake2b(ids.astype("<i4").tobytes(), digest_size=16).hexdigest()
