"""Runs of one to five letters, drawn at random.

Question. Can a network continue any piece of the alphabet, wherever it begins?

Framing. 1,000 runs of one to five letters, drawn at random as published, padded on the left with zeros to five time
steps. No state is carried. Of 115 runs, 114 can be drawn (Y alone cannot), and nearly always are.

Expect. Nearly all of it after 500 epochs, about 98.5 %. Runs begin everywhere, so counting no longer works, and
single letters are the hardest, as in alphabet-naive.

Beyond. Little, as published. If 20 runs are never drawn, the network knows the others as well as before and gets
nearly all of the 20 wrong, mostly by one letter, although each of their answers occurred after longer or shorter runs
with the same last letter. It has learned roughly where a run leads and where, among the runs it saw, one answer gives
way to the next, but not that the last letter decides. Runs of ten letters are too long for it. With letters as
one-hot vectors, 26 features instead of one number, 20 epochs are enough for nearly all of the 20 and for runs of ten
letters. How well a network generalizes depends on how its inputs are encoded.
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
    lettered,
    likeliest,
    one_hot,
    padded,
    percent_right,
    train_one_by_one,
)
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Published, Recipe, Trial

STEPS, DRAWN, HELD = 5, 1000, 20
LONGER = [ALPHABET[start : start + 10] for start in range(16)]


def draw(rng: np.random.Generator, never: frozenset[str] = frozenset()) -> list[str]:
    """Returns 1,000 runs drawn as published: where each begins, then where it ends; those in `never` are redrawn."""
    drawn: list[str] = []
    while len(drawn) < DRAWN:
        start = int(rng.integers(len(ALPHABET) - 2))
        end = int(rng.integers(start, min(start + STEPS, len(ALPHABET) - 1)))
        run = ALPHABET[start : end + 1]
        drawn += [run] if run not in never else []
    return drawn


def held_out(rng: np.random.Generator) -> list[str]:
    """Returns 20 runs that are never drawn, none starting with A or B: AB, zero-padded, is the same input as B."""
    runs = [ALPHABET[start:end] for start in range(2, 24) for end in range(start + 1, min(start + STEPS, 25) + 1)]
    return [runs[index] for index in rng.choice(len(runs), HELD, replace=False)]


def filled_one_hot(runs: list[str], steps: int) -> Array:
    """Returns runs as one-hot letters `[N, steps, 26]`, zeros on the left of the shorter ones."""
    return np.stack([np.pad(one_hot(run), ((steps - len(run), 0), (0, 0))) for run in runs])


def framing() -> Framing:
    """Returns the picture of the data."""
    runs = draw(np.random.default_rng(0))
    return Framing.of(
        padded(runs, STEPS),
        one_hot(following(runs)),
        lambda step: letter_of(step[0]),
        likeliest,
        note="A is read as 0/26, B as 1/26, ...; - is a zero, which A is as well",
        mask=lettered(runs, STEPS),
    )


def model(seed: int, features: int = 1) -> sw.Sequential:
    """Returns the network: 32 units that read any number of steps, and a probability for each letter."""
    return sw.Sequential([sw.LSTM(32, input_shape=(None, features)), sw.Dense(26, activation="softmax")], seed=seed)


def trained(seed: int, x: Array, runs: list[str], epochs: int) -> tuple[sw.Sequential, sw.History]:
    """Returns a network that has learned the runs one by one, and its history."""
    network = model(seed, x.shape[-1])
    return network, train_one_by_one(network, x, one_hot(following(runs)), epochs)


def trial(seed: int, *, epochs: int = 500, one_hot_epochs: int = 20) -> Trial:
    """Runs the experiment once."""
    rng = np.random.default_rng(seed)
    held, runs = held_out(rng), draw(rng)
    rest = draw(rng, frozenset(held))
    x = padded(runs, STEPS)
    network, history = trained(seed, x, runs, epochs)
    other, _ = trained(seed, padded(rest, STEPS), rest, epochs)
    distinct, _ = trained(seed, filled_one_hot(rest, STEPS), rest, one_hot_epochs)
    return Trial(
        figures={
            "accuracy": percent_right(network, x, following(runs)),
            "held_out": percent_right(other, padded(held, STEPS), following(held)),
            "longer": percent_right(network, padded(LONGER, 10), following(LONGER)),
            "one_hot_held_out": percent_right(distinct, filled_one_hot(held, STEPS), following(held)),
            "one_hot_longer": percent_right(distinct, filled_one_hot(LONGER, 10), following(LONGER)),
        },
        answers={" ".join(held): " ".join(likeliest(other.predict(padded(held, STEPS))))},
        curves={"loss by epoch": history.history["loss"]},
    )


RECIPE = Recipe(
    name="alphabet-variable",
    figures=(
        Figure("accuracy", "right answers on the learned runs", published=Published(98.9, SOURCE), solved=100.0),
        Figure("held_out", f"right answers on {HELD} runs never drawn in a second training", unseen=True),
        Figure("longer", "right answers on the 16 runs of ten letters", unseen=True),
        Figure("one_hot_held_out", f"the {HELD} runs again, letters as one-hot vectors", unseen=True),
        Figure("one_hot_longer", "runs of ten letters again, letters as one-hot vectors", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=11.0,
    short={"epochs": 5, "one_hot_epochs": 10},
)
