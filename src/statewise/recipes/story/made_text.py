"""A generated text of any number of words, in which each word is mostly followed by its one successor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array

ROWS, STEPS = 32, 16
UPDATES = 20
"""How many updates read one piece of the text."""

FAITHFUL = 0.7
"""How often a word is followed by its successor."""


@dataclass(frozen=True, eq=False)
class Source:
    """What the text is drawn from."""

    chance: Array  # [V] how likely each word is where no successor comes
    successor: Array  # [V] what mostly follows each
    frequency: Array  # [V] how often each word comes, from frequent to rare

    @classmethod
    def of(cls, words: int, rng: np.random.Generator) -> Source:
        """Returns a source of `words` words, numbered from frequent to rare."""
        share = 1 / np.arange(1, words + 1)
        chance = share / share.sum()
        successor = rng.choice(words, words, p=chance)
        frequency = chance
        for _ in range(50):  # what comes of it: a word is as frequent as those that it mostly follows make it
            followed = np.bincount(successor, frequency, minlength=words)
            frequency = (1 - FAITHFUL) * chance + FAITHFUL * followed
        ranked = np.argsort(-frequency)
        return cls(chance[ranked], np.argsort(ranked)[successor[ranked]], frequency[ranked])

    def text(self, length: int, rng: np.random.Generator) -> Array:
        """Returns the numbers of `length` words."""
        drawn = rng.choice(len(self.chance), length, p=self.chance).tolist()
        faithful, successor = (rng.random(length) < FAITHFUL).tolist(), self.successor.tolist()
        told = drawn[:1]
        for keeps, other in zip(faithful[1:], drawn[1:], strict=True):
            told.append(successor[told[-1]] if keeps else other)
        return np.array(told, np.int32)

    def pieces(self, rng: np.random.Generator) -> Iterator[sw.Lanes]:
        """Yields pieces of text without end, each in rows that continue from batch to batch."""
        while True:
            yield sw.lanes(self.text(ROWS * STEPS * UPDATES + 1, rng), batch_size=ROWS, steps=STEPS)

    def best(self, piece: sw.Lanes) -> float:
        """Returns the lowest possible loss, that of knowing the source."""
        likely = (1 - FAITHFUL) * self.chance[piece.y] + FAITHFUL * (self.successor[piece.x] == piece.y)
        return -float(np.log(likely).mean())
