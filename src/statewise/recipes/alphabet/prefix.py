"""The whole alphabet so far, instead of a carried state.

Question. Does a network without a carried state learn as much if each sample contains all the letters so far?

Framing. 25 samples, A to A...Y, each padded on the left to 25 time steps. Each starts from a fresh state. The padding
is either read as zeros, as was proposed, or skipped by a mask. Zero is also the number of A, so without a mask A and
the padding look the same.

Expect. With a mask, all of it. A masked step does not change the state, so reading the prefix is exactly the
computation of alphabet-stateful, all at once: the network trained here answers letter by letter with a carried state
just as well. Only training differs, since gradients now reach back to A. With zeros, not all of it in the same number
of epochs: mostly 80 to 88 %, and far less in some runs, whose loss jumps just before they end. There are 25 steps
whatever the prefix, and A and the padding look the same, so the numbers have to be told apart after all.

Beyond. Nothing. Runs that begin in the middle of the alphabet, from K alone to B...Y, are answered by their length if
the padding is masked, which is always wrong; if it is read, the answers are right now and then. Gradients that reach
all letters do not make a network read them: each position has only one letter, so counting positions is enough.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.alphabet.letters import (
    ALPHABET,
    following,
    letter_of,
    lettered,
    likeliest,
    listen,
    one_hot,
    padded,
    percent,
    percent_right,
    train_one_by_one,
)
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial

STEPS = 25
PREFIXES = [ALPHABET[:length] for length in range(1, STEPS + 1)]
MIDDLE = [ALPHABET[start:end] for start in range(1, STEPS) for end in range(start + 1, STEPS + 1)]


def data() -> tuple[Array, Array]:
    """Returns the prefixes A to A...Y `[25, 25, 1]`, and what follows each `[25, 26]`."""
    return padded(PREFIXES, STEPS), one_hot(following(PREFIXES))


def framing() -> Framing:
    """Returns the picture of the data."""
    note = "A is read as 0/26, B as 1/26, ...; - is a zero, or skipped"
    mask = lettered(PREFIXES, STEPS)
    return Framing.of(*data(), lambda step: letter_of(step[0]), likeliest, note=note, mask=mask)


def model(seed: int) -> sw.Sequential:
    """Returns the network of alphabet-stateful."""
    return sw.Sequential([sw.LSTM(50, input_shape=(None, 1)), sw.Dense(26, activation="softmax")], seed=seed)


def trained(seed: int, mask: Array, epochs: int) -> tuple[sw.Sequential, sw.History]:
    """Returns a network that has learned all prefixes, and its history; where `mask` is False it skips a step."""
    network = model(seed)
    return network, train_one_by_one(network, *data(), epochs, mask=mask)


def trial(seed: int, *, epochs: int = 300) -> Trial:
    """Runs the experiment once."""
    x, middle, right = padded(PREFIXES, STEPS), padded(MIDDLE, STEPS), following(MIDDLE)
    mask, everything = lettered(PREFIXES, STEPS), np.ones((len(PREFIXES), STEPS), bool)
    reading, read = trained(seed, everything, epochs)
    skipping, skipped = trained(seed, mask, epochs)
    streamed = listen(skipping, ALPHABET[:STEPS])
    return Trial(
        figures={
            "zeros": percent_right(reading, x, following(PREFIXES)),
            "masked": percent_right(skipping, x, following(PREFIXES), mask=mask),
            "streamed": percent(streamed, following(PREFIXES)),
            "zeros_middle": percent_right(reading, middle, right),
            "masked_middle": percent_right(skipping, middle, right, mask=lettered(MIDDLE, STEPS)),
        },
        answers={"A to Y, the state carried": streamed, "K, from a fresh state": listen(skipping, "K")},
        curves={"loss by epoch, zeros": read.history["loss"], "loss by epoch, masked": skipped.history["loss"]},
    )


RECIPE = Recipe(
    name="alphabet-prefix",
    figures=(
        Figure("zeros", "right answers on the 25 prefixes, padded with zeros that are read", solved=100.0),
        Figure("masked", "right answers on the 25 prefixes, padded with steps that are skipped", solved=100.0),
        Figure("streamed", "right answers of the latter network letter by letter, the state carried", solved=100.0),
        Figure("zeros_middle", "right answers on the 300 runs that do not begin with A, zeros read", unseen=True),
        Figure("masked_middle", "right answers on the same runs, padding skipped", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=3.0,
    short={"epochs": 100},
)
