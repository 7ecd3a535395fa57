"""What characters are: line ends, marks, letters in other forms, and commands to a terminal."""

from __future__ import annotations

import re
import unicodedata

ZERO_WIDTH_JOINERS = "\u200c\u200d"
"""They shape the letters or the emoji around them."""


def clean_lines(text: str) -> str:
    r"""Returns a text whose lines end with \n, without the byte-order marks of the files that it came from.

    >>> clean_lines("\ufeffone\r\ntwo\rthree")
    'one\ntwo\nthree'
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\ufeff", "")


def compose(text: str) -> str:
    r"""Returns a text in Unicode's normal form C: a letter and its marks are one character where there is one.

    >>> compose("e\u0301") == "\xe9"
    True
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def is_mark(character: str) -> bool:
    """Returns whether a character belongs to the one before it: an accent, a vowel sign, a zero-width joiner.

    The categories of marks are Mn, Mc and Me.
    """
    return character in ZERO_WIDTH_JOINERS or unicodedata.category(character).startswith("M")


def fold(text: str) -> str:
    r"""Returns what letters have in common with those of another case, width, or with other marks.

    >>> fold("\xc9t\xe9")
    'ete'
    """
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


def is_wide(character: str) -> bool:
    """Returns whether a character is as wide as two, as those of Chinese, Japanese and Korean are."""
    return unicodedata.east_asian_width(character) in "WF"


CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that command a terminal instead of being shown by it; all of category Cc but tab and line feed."""


def show_controls(text: str) -> str:
    r"""Returns a text with control characters written as \u001b, which also JSON reads as them.

    >>> print(show_controls("\x1b[2J"))
    \u001b[2J
    """
    return CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
