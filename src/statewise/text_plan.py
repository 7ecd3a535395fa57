"""How a text is gone through: rows, steps, epochs, and the learning rate over them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from statewise.errors import ConfigurationError, DataError
from statewise.optimizers import CosineDecay, Optimizer, get_optimizer_class
from statewise.shapes import check_whole

UPDATES = 3000
"""About how many updates `fit` makes where the number of epochs is left to it."""

EPOCHS = (6, 200)
"""The fewest and the most epochs that it chooses."""

WARMUP_UPDATES = 200
FINAL_RATE = 0.02
"""The learning rate climbs for `WARMUP_UPDATES` updates, then falls along a cosine to this share of itself."""

ROWS = 32
"""The most rows that are read side by side where that is left open."""


@dataclass(frozen=True)
class Plan:
    """How a text of so many tokens is gone through: rows side by side, steps in a batch, batches, epochs."""

    tokens: int
    batch_size: int
    steps: int
    batches: int
    epochs: int

    @classmethod
    def of(cls, tokens: int, window: int | None, batch_size: int | None, steps: int, epochs: int | None) -> Plan:
        """Returns the plan, with what is None filled in.

        Raises:
            DataError: the text is too short.
            ConfigurationError: an option out of its range.
        """
        check_whole("steps", steps)
        samples = tokens - (window or 1)
        if samples < 1:
            raise DataError(f"the text has {tokens} token(s), the window is {window}; expected more tokens than that")
        widest = samples if window is not None else max(1, samples // (2 * steps))
        size = min(ROWS, widest) if batch_size is None else check_whole("batch_size", batch_size)
        if size > samples:
            raise ConfigurationError(f"batch_size: expected at most {samples}, the steps in this text; got {size}")
        rounds = math.ceil(samples / size)
        steps = min(steps, rounds) if window is None else window
        batches = math.ceil(rounds / steps) if window is None else rounds
        fewest, most = EPOCHS
        chosen = min(max(round(UPDATES / batches), fewest), most)
        return cls(tokens, size, steps, batches, chosen if epochs is None else check_whole("epochs", epochs))

    @property
    def updates(self) -> int:
        """Updates of the weights in all epochs."""
        return self.batches * self.epochs


def scheduled_optimizer(name: str, learning_rate: float, updates: int) -> Optimizer:
    """Returns the optimiser of that name with clipped gradients and a rate that climbs, then falls along a cosine.

    Raises:
        ConfigurationError: there is none of that name, or the rate is out of its range.
    """
    kind = get_optimizer_class(name)
    kind(learning_rate=learning_rate)  # refuses a rate out of its range in the user's words
    warmup = min(WARMUP_UPDATES, updates // 10)
    schedule = CosineDecay(
        initial_learning_rate=learning_rate / 10,
        decay_steps=max(1, updates - warmup),
        alpha=FINAL_RATE,
        warmup_target=learning_rate,
        warmup_steps=warmup,
    )
    return kind(learning_rate=schedule, global_clipnorm=1.0)
