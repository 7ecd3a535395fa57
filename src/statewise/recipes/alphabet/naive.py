"""One letter in, the next letter out.

Question. Can an LSTM learn the alphabet pair by pair: B follows A, C follows B?

Framing. Each pair is a separate sample with one time step and one feature, the letter's number divided by 26. The
answer is one of 26 classes. Samples are shuffled and each starts from a fresh state, so a letter has no past.

Expect. Not all of it: about 83 %. With one time step there is nothing to remember. The LSTM acts as an ordinary
network that has to cut the line from 0 to 1 into 25 pieces, one for each letter, and 500 epochs are too few for the
last of them. Memory is not what helps: the same network learns all pairs in 5,000 epochs, or in 20 if each letter is
a one-hot vector, so that letters need not be told apart by differences of 1/26.

Beyond. Nothing. Five pairs are left out of a second training. Their answers never occur as answers, so no network
could give them. What it gets right here is memorized.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.alphabet.letters import (
    LEFT_OUT,
    SOURCE,
    letter_of,
    likeliest,
    numbers,
    one_hot,
    percent_right,
    runs,
    train_one_by_one,
    without,
)
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Published, Recipe, Trial

LETTERS, ANSWERS = runs(1)


def data() -> tuple[Array, Array]:
    """Returns the letters A to Y `[25, 1, 1]`, and what follows each `[25, 26]`."""
    return numbers("".join(LETTERS)).reshape(-1, 1, 1), one_hot(ANSWERS)


def framing() -> Framing:
    """Returns the picture of the data."""
    return Framing.of(*data(), lambda step: letter_of(step[0]), likeliest, note="A is read as 0/26, B as 1/26, ...")


def model(seed: int) -> sw.Sequential:
    """Returns the network: 32 units that see one number, and a probability for each letter."""
    return sw.Sequential([sw.LSTM(32, input_shape=(1, 1)), sw.Dense(26, activation="softmax")], seed=seed)


def trial(seed: int, *, epochs: int = 500) -> Trial:
    """Runs the experiment once."""
    x, y = data()
    network, other = model(seed), model(seed)
    history = train_one_by_one(network, x, y, epochs)
    left_out = np.random.default_rng(seed).choice(len(x), LEFT_OUT, replace=False)
    train_one_by_one(other, *without(left_out, x, y), epochs)
    return Trial(
        figures={
            "accuracy": percent_right(network, x, ANSWERS),
            "left_out": percent_right(other, x[left_out], likeliest(y[left_out])),
        },
        answers={"A to Y, each asked for the next letter": likeliest(network.predict(x))},
        curves={"loss by epoch": history.history["loss"]},
    )


RECIPE = Recipe(
    name="alphabet-naive",
    figures=(
        Figure(
            "accuracy",
            "right answers on the 25 learned pairs",
            published=Published(84.0, SOURCE, note="76.00 % in an older version"),
            solved=100.0,
        ),
        Figure("left_out", f"right answers on {LEFT_OUT} pairs left out of a second training", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=0.2,
)
