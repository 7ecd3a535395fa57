"""What a score does not say: whether the model knows the text's symbols, and whether it was trained on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statewise.cli.reading import name_of
from statewise.errors import DataError
from statewise.foundation.words import plural

if TYPE_CHECKING:
    from statewise.data.codecs import Vocabulary
    from statewise.text import TextModel

NOUNS = {"char": "character", "word": "word"}
"""What messages call a token."""

MOST_UNKNOWN = 0.5
"""A text with a larger share of unknown symbols is not one that the model can say much about."""

LEAST_LEARNED = 0.05
"""A smaller share of passages that were trained on is what texts of one kind have in common."""


def count_unknown(vocabulary: Vocabulary, text: str) -> tuple[int, int]:
    """Returns how many of a text's tokens are not in the vocabulary, and how many there are in all."""
    ids = vocabulary.encode_known(text)
    return int((ids < 0).sum()), len(ids)


def unknown_caution(vocabulary: Vocabulary, text: str) -> str | None:
    """Returns what to say before a score of a text whose symbols are mostly unknown; None of others."""
    unknown, count = count_unknown(vocabulary, text)
    if unknown <= MOST_UNKNOWN * count:
        return None
    return (
        f"{unknown:,} of {plural(count, NOUNS[vocabulary.tokens])} are unknown to the model; the score is that of the "
        "others alone"
    )


def learned_caution(share: float) -> str | None:
    """Returns what to say before a score of a text of which the model was trained on a share; None if on hardly any."""
    if share < LEAST_LEARNED:
        return None
    how_much = "all" if share > 0.995 else f"about {100 * share:.0f} %"
    return f"the model was trained on {how_much} of this text; the score shows what it memorized, not what it learned"


def check_known(model: TextModel, text: str, path: str) -> int:
    """Returns how many of a text's symbols the model does not know, which a check of it leaves out.

    Raises:
        DataError: they are most of it, so that the rest would show little.
    """
    unknown, count = count_unknown(model.vocabulary, text)
    if unknown > MOST_UNKNOWN * count:
        raise DataError(
            f"{name_of(path)}: {unknown:,} of {plural(count, NOUNS[model.tokens])} are unknown to the model, and the "
            "rest shows little; expected a text like those that it was trained on"
        )
    return unknown


def say_left_out(unknown: int, model: TextModel) -> str:
    """Returns the line that says what a check leaves out."""
    return f"{plural(unknown, f'unknown {NOUNS[model.tokens]}')} left out"
