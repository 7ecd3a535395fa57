"""Three letters as three features of one time step.

Question. Does it help to show three letters at once: ABC, then D?

Framing. Each window of three letters is one time step with three features. That is how an ordinary network reads a
window, and the LSTM is no more than that here: it sees a single step, so its memory is never read.

Expect. Hardly more than with one letter, about 85 %. The three numbers always rise together, so the second and the
third say nothing that the first does not: the network still cuts one line into 23 pieces, with somewhat more weight
on it. Features have no order either: nearly all windows read backwards, CBA instead of ABC, get the same answer as
forwards.

Beyond. Nothing. Each answer belongs to a single window; leave that window out of the training and no network can give
its answer. What it gets right here is memorized.
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
    percent,
    percent_right,
    runs,
    train_one_by_one,
    without,
)
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Published, Recipe, Trial

WINDOWS, ANSWERS = runs(3)


def data() -> tuple[Array, Array]:
    """Returns the windows ABC to WXY `[23, 1, 3]`, and what follows each `[23, 26]`."""
    return numbers("".join(WINDOWS)).reshape(-1, 1, 3), one_hot(ANSWERS)


def framing() -> Framing:
    """Returns the picture of the data."""
    return Framing.of(*data(), lambda step: " ".join(map(letter_of, step)), likeliest, note="A is read as 0/26, ...")


def model(seed: int) -> sw.Sequential:
    """Returns the network: 32 units that see three numbers at once, and a probability for each letter."""
    return sw.Sequential([sw.LSTM(32, input_shape=(1, 3)), sw.Dense(26, activation="softmax")], seed=seed)


def trial(seed: int, *, epochs: int = 500) -> Trial:
    """Runs the experiment once."""
    x, y = data()
    network, other = model(seed), model(seed)
    history = train_one_by_one(network, x, y, epochs)
    told, backwards = likeliest(network.predict(x)), likeliest(network.predict(x[..., ::-1]))
    left_out = np.random.default_rng(seed).choice(len(x), LEFT_OUT, replace=False)
    train_one_by_one(other, *without(left_out, x, y), epochs)
    return Trial(
        figures={
            "accuracy": percent(told, ANSWERS),
            "backwards": percent(backwards, told),
            "left_out": percent_right(other, x[left_out], likeliest(y[left_out])),
        },
        answers={"ABC to WXY, each asked for the next letter": told, "CBA to YXW": backwards},
        curves={"loss by epoch": history.history["loss"]},
    )


RECIPE = Recipe(
    name="alphabet-window",
    figures=(
        Figure("accuracy", "right answers on the 23 learned windows", published=Published(86.96, SOURCE), solved=100.0),
        Figure("backwards", "windows that get the same answer when read backwards", unseen=True),
        Figure("left_out", f"right answers on {LEFT_OUT} windows left out of a second training", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=0.2,
)
