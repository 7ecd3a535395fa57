"""Say the number that is shown now.

Question. Can an LSTM learn to repeat its input? This is the easiest echo. It shows that data, network and training
fit together before there is anything to remember.

Framing. 500 sequences of 25 random numbers from 0 to 99. Each number is a separate sample: one time step with 100
features, one-hot. The answer is the number itself, one of 100 classes. Each sample starts from a fresh state.

Expect. All of it. Nothing has to be remembered, so the recurrent weights of the LSTM are multiplied by zeros and
never learn: it is an ordinary network that has to give each of 100 inputs its own output, and 12,500 updates show it
each number about 125 times. statewise warns that there is only one step.

Beyond. New sequences are unseen, but the numbers in them are not: there are only 100 inputs, and the network is
tested on each. To say that it "echoes" would be too much. Each one-hot number has its own weights, which learn
nothing from the others: of five numbers that a second training never shows, the network repeats none. It has
memorized a table, not learned a rule.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.echo.numbers import (
    LENGTH,
    NOTE,
    NUMBERS,
    SOURCE,
    in_words,
    likeliest,
    name_of,
    network,
    one_hot,
    percent,
    sequences,
)
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Published, Recipe, Trial

SEQUENCES, UNITS, LEFT_OUT = 500, 15, 5


def data(numbers: Array) -> tuple[Array, Array]:
    """Returns the numbers as samples of one step `[N, 1, 100]`, and themselves as answers `[N]`."""
    return one_hot(numbers.reshape(-1, 1)), numbers.reshape(-1)


def framing() -> Framing:
    """Returns the picture of the data."""
    return Framing.of(*data(sequences(np.random.default_rng(0), SEQUENCES)), name_of, str, note=NOTE)


def model(seed: int) -> sw.Sequential:
    """Returns the network: 15 units, and a probability for each number."""
    return network(seed, UNITS)


def trained(seed: int, numbers: Array) -> tuple[sw.Sequential, sw.History]:
    """Returns a network that has learned from sequences `[N, 25]`, sample by sample, and its history."""
    echo = model(seed)
    return echo, echo.fit(*data(numbers), batch_size=1, shuffle=False, verbose=0)


def trial(seed: int, *, count: int = SEQUENCES) -> Trial:
    """Runs the experiment once."""
    random = np.random.default_rng(seed)
    shown, new = sequences(random, count), sequences(random, 1)
    echo, _ = trained(seed, shown)
    shuffled = random.permutation(NUMBERS)
    left_out, kept = shuffled[:LEFT_OUT], shuffled[LEFT_OUT:]
    other, _ = trained(seed, random.choice(kept, shown.shape))
    x, answers = data(new)
    told = likeliest(echo.predict(x))
    return Trial(
        figures={
            "accuracy": percent(told, answers),
            "each_number": percent(likeliest(echo.predict(data(np.arange(NUMBERS))[0])), np.arange(NUMBERS)),
            "left_out": percent(likeliest(other.predict(data(left_out)[0])), left_out),
        },
        answers={"a new sequence": in_words(answers), "its echo": in_words(told)},
    )


RECIPE = Recipe(
    name="echo-now",
    figures=(
        Figure(
            "accuracy",
            f"right answers on a new sequence of {LENGTH}",
            published=Published(100.0, SOURCE),
            solved=100.0,
            unseen=True,
        ),
        Figure("each_number", f"right answers for all {NUMBERS} numbers"),
        Figure("left_out", f"right answers for {LEFT_OUT} numbers that a second training never shows", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=0.3,
    short={"count": 300},
)
