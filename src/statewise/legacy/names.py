"""Keras's names for unnamed layers: their kind, with a number that keeps counting from model to model."""

from __future__ import annotations

import re
from collections import Counter

from statewise.legacy.dialect import current

_made: Counter[str] = Counter()


def fresh_name(kind: str) -> str:
    """Returns the next name of a layer of that class: `lstm_1`, `lstm_2`; since TensorFlow 2 `lstm`, `lstm_1`.

    >>> forget_names()
    >>> fresh_name("TimeDistributed"), fresh_name("LSTM"), fresh_name("LSTM")
    ('time_distributed', 'lstm', 'lstm_1')
    """
    base = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).lower()
    _made[base] += 1
    number = _made[base] - current().as_written
    return f"{base}_{number}" if number else base


def forget_names() -> None:
    """Starts counting again, as `keras.backend.clear_session` did."""
    _made.clear()
