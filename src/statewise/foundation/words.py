"""Wording that messages and reports share."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """Returns a number with its noun in the right form.

    >>> plural(1, "epoch"), plural(1200, "epoch")
    ('1 epoch', '1,200 epochs')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
