"""Write `fable_vectors.bin`: a vector for each word of the fable that some other text has, in word2vec's binary format.

Run it with the text, here the plays of Shakespeare of char-rnn's `tinyshakespeare/input.txt`, which are in the public
domain: `python tests/recipes/make_fable_vectors.py input.txt`.
The vectors factor the positive pointwise mutual information of words and the words around them, as those of word2vec
do nearly (Levy and Goldberg 2014), by singular values; so that one text gives one file.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np

import statewise as sw
from statewise.recipes.story import fable

FEATURES = 32
AROUND = 3
"""Words before and after a word that count as its company."""

COMPANY = 2000
"""How many of the most frequent words count as company."""


def counts_of(tokens: list[str], words: list[str], company: list[str]) -> np.ndarray:
    """Return how often each word stood near each word of its company, `[words, company]`."""
    rows = {word: row for row, word in enumerate(words)}
    columns = {word: column for column, word in enumerate(company)}
    counts = np.zeros((len(words), len(company)))
    for place, token in enumerate(tokens):
        if token in rows:
            near = tokens[max(0, place - AROUND) : place] + tokens[place + 1 : place + 1 + AROUND]
            for other in near:
                if other in columns:
                    counts[rows[token], columns[other]] += 1
    return counts


def factored(counts: np.ndarray) -> np.ndarray:
    """Return `[words, FEATURES]`, of unit variance: left singular vectors by the root of their values."""
    expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
    information = np.log(np.maximum(counts, 1e-12) / np.maximum(expected, 1e-12))
    left, values, _ = np.linalg.svd(np.maximum(information, 0), full_matrices=False)
    vectors = left[:, :FEATURES] * np.sqrt(values[:FEATURES])
    return (vectors / vectors.std()).astype(np.float32)


def main() -> None:
    """Write the file beside the fable."""
    tokens = re.findall(r"\w+|[^\w\s]", Path(sys.argv[1]).read_text(encoding="utf-8").lower())
    frequent = [word for word, _ in Counter(tokens).most_common(COMPANY)]
    wanted = sorted(set(fable.FABLE) & set(tokens))
    words = list(dict.fromkeys([*wanted, *frequent]))
    vectors = factored(counts_of(tokens, words, frequent))[: len(wanted)]
    sw.WordVectors(tuple(wanted), vectors).save(Path(fable.__file__).with_name("fable_vectors.bin"), binary=True)


if __name__ == "__main__":
    main()
