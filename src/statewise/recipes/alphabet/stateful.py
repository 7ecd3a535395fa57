"""The alphabet in order, with a carried state.

Question. Can a network recite the alphabet if its state is carried from letter to letter?

Framing. The pairs of alphabet-naive, one time step each, in order and in batches of one. The state is carried from
each sample to the next and starts fresh in each epoch. Gradients do not reach back from one sample to another: the
network may use what it remembers but is never taught what to remember.

Expect. Everything, in every run; fed its own answers it continues from A to Z. Started at K with a fresh state it
says B, C, D, E, F, as published, and at any other letter it says B. What it has learned is to count. The state alone
tells how many letters have gone by, and it is quicker to learn to answer by that than to tell apart numbers that
differ by 1/26. The letters need not be read at all, and are not.

Beyond. Nothing. Letters in random order still get the answers B to Z; only those that happen to follow their letter
are right. 100 % means one sequence memorized by position; see alphabet-variable for a network that has to read.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.alphabet.letters import (
    ALPHABET,
    SOURCE,
    following,
    letter_of,
    likeliest,
    listen,
    numbers,
    one_hot,
    percent,
    runs,
)
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Published, Recipe, Trial

LETTERS, ANSWERS = runs(1)
FROM_K = "BCDEF"


def data() -> tuple[Array, Array]:
    """Returns the letters A to Y `[25, 1, 1]`, and what follows each `[25, 26]`."""
    return numbers("".join(LETTERS)).reshape(-1, 1, 1), one_hot(ANSWERS)


def framing() -> Framing:
    """Returns the picture of the data."""
    note = "A is read as 0/26, B as 1/26, ..."
    return Framing.of(*data(), lambda step: letter_of(step[0]), likeliest, note=note, carried=1)


def model(seed: int) -> sw.Sequential:
    """Returns the network: 50 units that see one number, and a probability for each letter."""
    return sw.Sequential([sw.LSTM(50, input_shape=(None, 1)), sw.Dense(26, activation="softmax")], seed=seed)


def recite(network: sw.Sequential, first: str, count: int) -> str:
    """Returns what the network says after a letter, fed its own answers."""
    told, state = first, None
    while len(told) <= count:
        y, state = network(numbers(told[-1]).reshape(1, 1, 1), state)
        told += likeliest(y)
    return told[1:]


def trial(seed: int, *, epochs: int = 300) -> Trial:
    """Runs the experiment once."""
    x, y = data()
    network = model(seed)
    network.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    history = network.fit(x, y, epochs=epochs, batch_size=1, state="carry", verbose=0)
    cold = likeliest(network(x[1:])[0])  # B to Y, each from a fresh state
    mixed = "".join(np.random.default_rng(seed).permutation(LETTERS))
    heard, recited, from_k = listen(network, mixed), recite(network, "A", 25), recite(network, "K", len(FROM_K))
    return Trial(
        figures={
            "accuracy": percent(listen(network, ALPHABET[:-1]), ANSWERS),
            "recited": percent(recited, ANSWERS),
            "from_k": percent(from_k, FROM_K),
            "cold": percent(cold, ANSWERS[1:]),
            "mixed": percent(heard, following(list(mixed))),
            "counted": percent(heard, ANSWERS),
        },
        answers={"from A": recited, "from K": from_k, "B to Y, each from a fresh state": cold, mixed: heard},
        curves={"loss by epoch": history.history["loss"]},
    )


RECIPE = Recipe(
    name="alphabet-stateful",
    figures=(
        Figure(
            "accuracy",
            "right answers on A to Y in order, the state carried",
            published=Published(100.0, SOURCE),
            solved=100.0,
        ),
        Figure("recited", "right answers from A to Z, fed its own", published=Published(100.0, SOURCE), solved=100.0),
        Figure(
            "from_k",
            "answers that are B, C, D, E, F when started at K with a fresh state",
            published=Published(100.0, SOURCE, note="the next letters would be L, M, N, O, P"),
        ),
        Figure("cold", "right answers on B to Y, each from a fresh state", unseen=True),
        Figure("mixed", "right answers on A to Y in random order, the state carried", unseen=True),
        Figure("counted", "of those answers, B to Z in order regardless of the letters", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=0.4,
)
