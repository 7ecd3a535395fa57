"""How a text is divided into rows, steps and epochs, and the learning rate over them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import optax

from statewise.data.lanes import Lanes, lanes
from statewise.data.windows import Windows, windows
from statewise.errors import ConfigurationError, DataError
from statewise.foundation.shapes import Array, check_whole
from statewise.layers import LSTM, Dense, Dropout, Embedding, Layer
from statewise.optimizers.optimizer import Optimizer, get_optimizer, get_optimizer_class
from statewise.optimizers.schedules import CosineDecay

UPDATES = 3000
"""The approximate number of updates in `fit` if the number of epochs is not given."""

EPOCHS = (6, 200)
"""The minimum and maximum number of epochs chosen by default."""

WARMUP_UPDATES = 200
FINAL_RATE = 0.02
"""The learning rate rises for `WARMUP_UPDATES` updates, then decays along a cosine to this fraction of its peak."""

ROWS = 32
"""The maximum default batch size."""


@dataclass(frozen=True)
class Plan:
    """How a text of `tokens` tokens is divided: rows and steps per batch, batches, and epochs."""

    tokens: int
    batch_size: int
    steps: int
    batches: int
    epochs: int

    @classmethod
    def of(cls, tokens: int, window: int | None, batch_size: int | None, steps: int, epochs: int | None) -> Plan:
        """Returns the plan, with defaults for what is None.

        Raises:
            DataError: the text is too short.
            ConfigurationError: an option is out of range.
        """
        check_whole("steps", steps)
        samples = tokens - (window or 1)
        if samples < 1:
            raise DataError(f"the text has {tokens} token(s) and the window is {window}; expected more tokens")
        widest = samples if window is not None else max(1, samples // (2 * steps))
        size = min(ROWS, widest) if batch_size is None else check_whole("batch_size", batch_size)
        if size > samples:
            raise ConfigurationError(
                f"batch_size: expected at most {samples}, the number of steps in this text, got {size}"
            )
        rounds = math.ceil(samples / size)
        steps = min(steps, rounds) if window is None else window
        batches = math.ceil(rounds / steps) if window is None else rounds
        fewest, most = EPOCHS
        chosen = min(max(round(UPDATES / batches), fewest), most)
        return cls(tokens, size, steps, batches, chosen if epochs is None else check_whole("epochs", epochs))

    @property
    def updates(self) -> int:
        """The number of weight updates in all epochs."""
        return self.batches * self.epochs

    def optimizer(self, optimizer: str | Optimizer, learning_rate: float) -> Optimizer | optax.GradientTransformation:
        """Returns the optimizer of that name with a schedule for these updates, or a configured one unchanged."""
        if isinstance(optimizer, str):
            return scheduled_optimizer(optimizer, learning_rate, self.updates)
        return get_optimizer(optimizer)


def scheduled_optimizer(name: str, learning_rate: float, updates: int) -> Optimizer:
    """Returns the optimizer of that name with clipped gradients, and a learning rate with warmup and cosine decay.

    Raises:
        ConfigurationError: there is no such optimizer, or the rate is out of range.
    """
    kind = get_optimizer_class(name)
    kind(learning_rate=learning_rate)  # checks the user's rate before it is scaled
    warmup = min(WARMUP_UPDATES, updates // 10)
    schedule = CosineDecay(
        initial_learning_rate=learning_rate / 10,
        decay_steps=max(1, updates - warmup),
        alpha=FINAL_RATE,
        warmup_target=learning_rate,
        warmup_steps=warmup,
    )
    return kind(learning_rate=schedule, global_clipnorm=1.0)


def text_layers(
    symbols: int, embedding: int, units: int, layers: int, dropout: float, *, each_step: bool
) -> list[Layer]:
    """Returns layers that predict the next symbol, after each step or, for windows, once at the end."""
    same_each_step = (None, 1, None)
    stack: list[Layer] = [Embedding(symbols, embedding, input_shape=(None,))]
    for number in range(layers):
        sequences = each_step or number < layers - 1
        stack.append(LSTM(units, return_sequences=sequences))
        if dropout:
            stack.append(Dropout(dropout, noise_shape=same_each_step if sequences else None))
    return [*stack, Dense(symbols, activation="softmax")]


def frame(ids: Array, window: int | None, batch_size: int, steps: int) -> Lanes | Windows:
    """Returns the symbols as windows, or as lanes whose state is carried."""
    return lanes(ids, batch_size=batch_size, steps=steps) if window is None else windows(ids, window)
