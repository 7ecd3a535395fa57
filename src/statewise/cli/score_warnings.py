"""Warnings about scores: the text has mostly unknown symbols, or the model was trained on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statewise.cli.reading import name_of
from statewise.errors import DataError
from statewise.foundation.words import plural

if TYPE_CHECKING:
    from statewise.data.codecs import Vocabulary
    from statewise.text import TextModel

NOUNS = {"char": "character", "word": "word"}
"""The word for a token in messages."""

MOST_UNKNOWN = 0.5
"""Above this share of unknown symbols, a score says little."""

LEAST_LEARNED = 0.05
"""Below this share, passages seen in training are those that similar texts have in common."""


def count_unknown(vocabulary: Vocabulary, text: str) -> tuple[int, int]:
    """Returns the number of a text's tokens that are not in the vocabulary, and the number of all tokens."""
    ids = vocabulary.encode_known(text)
    return int((ids < 0).sum()), len(ids)


def unknown_warning(vocabulary: Vocabulary, text: str) -> str | None:
    """Returns the warning for a text whose symbols are mostly unknown, otherwise None."""
    unknown, count = count_unknown(vocabulary, text)
    if unknown <= MOST_UNKNOWN * count:
        return None
    return (
        f"{unknown:,} of {plural(count, NOUNS[vocabulary.tokens])} are unknown to the model; the score covers "
        "only the others"
    )


def learned_warning(share: float) -> str | None:
    """Returns the warning for a text that the model was partly trained on; None below `LEAST_LEARNED`."""
    if share < LEAST_LEARNED:
        return None
    how_much = "all" if share > 0.995 else f"about {100 * share:.0f} %"
    return f"the model was trained on {how_much} of this text; the score shows what it memorized, not what it learned"


def check_known(model: TextModel, text: str, path: str) -> int:
    """Returns the number of symbols in a text that the model does not know and a check skips.

    Raises:
        DataError: most symbols are unknown.
    """
    unknown, count = count_unknown(model.vocabulary, text)
    if unknown > MOST_UNKNOWN * count:
        raise DataError(
            f"{name_of(path)}: {unknown:,} of {plural(count, NOUNS[model.tokens])} are unknown to the model, "
            "too many for a meaningful result; expected a text like those it was trained on"
        )
    return unknown


def say_left_out(unknown: int, model: TextModel) -> str:
    """Returns the line that reports the symbols skipped by a check."""
    return f"{plural(unknown, f'unknown {NOUNS[model.tokens]}')} left out"
