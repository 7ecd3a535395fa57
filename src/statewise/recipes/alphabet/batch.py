"""All pairs in one batch, five thousand times.

Question. Can a network half the size of the one in alphabet-naive learn all the pairs if it gets the alphabet as one
batch, in order?

Framing. The pairs of alphabet-naive: one time step with one feature. All 25 form one batch, which is not shuffled.

Expect. All of it, in every run; letters asked for in random order, one at a time, are answered just as well. This has
been attributed to state that passes from one letter to the next within the batch. None does: the rows of a batch are
read side by side, each from a fresh state, and the gradient is a mean over them, whatever their order. The right
answers to letters in random order confirm that. What helps is 5,000 passes through the alphabet instead of 500: as
many passes in batches of one do it too, while 500 passes in one batch, each a single update, reach only about 22 %.

Beyond. Nothing. Five pairs left out of a second training are never answered correctly, for the reason given in
alphabet-naive. 100 % means that 25 answers are memorized.
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
    without,
)
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Published, Recipe, Trial

LETTERS, ANSWERS = runs(1)
ASKED = 20


def data() -> tuple[Array, Array]:
    """Returns the letters A to Y `[25, 1, 1]`, and what follows each `[25, 26]`."""
    return numbers("".join(LETTERS)).reshape(-1, 1, 1), one_hot(ANSWERS)


def framing() -> Framing:
    """Returns the picture of the data."""
    return Framing.of(*data(), lambda step: letter_of(step[0]), likeliest, note="A is read as 0/26, B as 1/26, ...")


def model(seed: int) -> sw.Sequential:
    """Returns the network: 16 units that see one number, and a probability for each letter."""
    return sw.Sequential([sw.LSTM(16, input_shape=(1, 1)), sw.Dense(26, activation="softmax")], seed=seed)


def trained(seed: int, x: Array, y: Array, epochs: int) -> tuple[sw.Sequential, sw.History]:
    """Returns a network that has learned all pairs at once, one update per epoch, and its history."""
    network = model(seed)
    network.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return network, network.fit(x, y, epochs=epochs, batch_size=len(x), shuffle=False, verbose=0)


def trial(seed: int, *, epochs: int = 5000) -> Trial:
    """Runs the experiment once."""
    x, y = data()
    network, history = trained(seed, x, y, epochs)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(x), size=ASKED)
    asked, told = likeliest(y[drawn]), likeliest(network.predict(x[drawn], batch_size=1))
    left_out = rng.choice(len(x), LEFT_OUT, replace=False)
    other, _ = trained(seed, *without(left_out, x, y), epochs)
    return Trial(
        figures={
            "accuracy": percent_right(network, x, ANSWERS),
            "random": percent(told, asked),
            "left_out": percent_right(other, x[left_out], likeliest(y[left_out])),
        },
        answers={" ".join(LETTERS[index] for index in drawn): " ".join(told)},
        curves={"loss by epoch": history.history["loss"]},
    )


RECIPE = Recipe(
    name="alphabet-batch",
    figures=(
        Figure("accuracy", "right answers on the 25 learned pairs", published=Published(100.0, SOURCE), solved=100.0),
        Figure("random", f"right answers on {ASKED} letters in random order", published=Published(100.0, SOURCE)),
        Figure("left_out", f"right answers on {LEFT_OUT} pairs left out of a second training", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=0.4,
)
