"""Wording that messages and reports share."""

from __future__ import annotations

from collections.abc import Iterable


def plural(count: int, noun: str) -> str:
    """Returns a number with its noun in the right form.

    >>> plural(1, "epoch"), plural(1200, "epoch")
    ('1 epoch', '1,200 epochs')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def known_name(name: object, known: Iterable[str]) -> str | None:
    """Returns which of the `known` names is meant: that one, or one that differs in case and in what parts words.

    >>> known_name("MSE", ["mse", "mae"]), known_name("LeakyReLU", ["relu", "leaky_relu"])
    ('mse', 'leaky_relu')
    """
    if not isinstance(name, str):
        return None
    names = list(known)
    return name if name in names else next((entry for entry in names if _letters(entry) == _letters(name)), None)


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter not in "_- ")
