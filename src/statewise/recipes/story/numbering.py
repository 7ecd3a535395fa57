"""The different words of a text by number: from frequent to rare, as the published script numbers them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from statewise.foundation.shapes import Array


@dataclass(frozen=True)
class Numbering:
    """Words (or characters) and their numbers: the place of each in `symbols`."""

    symbols: tuple[str, ...]

    @classmethod
    def of(cls, tokens: Sequence[str], seed: int = 0) -> Numbering:
        """Returns the numbering of a text from frequent to rare, equally frequent ones in an order drawn from the seed.

        They have no natural order: the Python of that time used that of its hash table, a different one in each run.
        In the order of the text, which Python has used since, neighbors would have neighboring numbers.

        >>> Numbering.of("the mice and the cat".split()).symbols
        ('the', 'mice', 'and', 'cat')
        """
        counts = Counter(tokens)
        drawn = np.random.default_rng(seed).permutation(len(counts))
        places = dict(zip(counts, drawn.tolist(), strict=True))
        return cls(tuple(sorted(counts, key=lambda symbol: (-counts[symbol], places[symbol]))))

    def __len__(self) -> int:
        return len(self.symbols)

    def numbers(self, tokens: Sequence[str]) -> Array:
        """Returns the number of each token, int32 `[N]`."""
        places = {symbol: place for place, symbol in enumerate(self.symbols)}
        return np.array([places[token] for token in tokens], np.int32)

    def text(self, numbers: object, between: str = " ") -> str:
        """Returns the text that the numbers, of any shape, stand for."""
        return between.join(self.symbols[int(number)] for number in np.ravel(np.asarray(numbers)))
