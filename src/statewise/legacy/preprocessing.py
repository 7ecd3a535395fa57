"""keras.preprocessing: `sequence` and `text` below it."""

from __future__ import annotations

from statewise.legacy import sequence, text
from statewise.legacy.errors import lacking

__all__ = [
    "sequence",
    "text",
]

__getattr__ = lacking("keras.preprocessing", __all__)
