"""The fable as this library would learn it: read from beginning to end, with the state carried.

Question. What does it take to memorize the whole fable, instead of nine words in ten, and in a tenth of the time?

Framing. The fable is read from its first word to its last in rows of 17 steps, each of which starts from the state in
which the row before it ended. A word is a symbol with a learned vector, and the next word is predicted at every step,
so an update learns from 17 words where the published one learns from one.

Expect. All of it. No word is ambiguous any more: "up and said" is followed by "he" and by "that", but the state knows
which of the mice got up. The time is compared with that of the published training, some of whose 50,000 steps are
timed in the same run. Neither time includes compiling.

Beyond. Nothing: it memorized, and better than the published network did. The last tenth of the fable, left out of a
second training, is not predicted by it either. Asked to continue the fable's first three words it recites the whole
fable, and from "had a general", with which no text ever began, it mostly finds its way; from "mouse mouse mouse" it
produces pieces of the fable, since it knows nothing else.
"""

from __future__ import annotations

import time

import numpy as np

import statewise as sw
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial
from statewise.recipes.story.carrying import picture_of_rows, predicted, read_through, reader, told_on
from statewise.recipes.story.fable import FABLE, LEFT_OUT, PROMPTS, SHOWN, codes
from statewise.recipes.story.single_steps import RECORD, network_of_codes, train_as_published

NUMBERS = SHOWN.numbers(FABLE)
PUBLISHED_STEPS = 50_000
OPENING = 3
"""How many words of the fable are given when the network recites it."""


def framing() -> Framing:
    """Returns the picture of the data."""
    return picture_of_rows(NUMBERS, SHOWN.text, note="a word is a symbol with a learned vector")


def model(seed: int) -> sw.Sequential:
    """Returns the network: a vector for each word, 128 units that carry their state, an answer at every step."""
    return reader(seed, len(SHOWN))


def published_seconds(seed: int, units: int) -> float:
    """Returns how long the published training would take here, from 1,000 of its steps, without compiling."""
    network = network_of_codes(seed, units=units)
    train_as_published(network, *codes(SHOWN), seed, RECORD)
    began = time.perf_counter()
    train_as_published(network, *codes(SHOWN), seed, RECORD)
    return (time.perf_counter() - began) * PUBLISHED_STEPS / RECORD


def words_told(network: sw.Sequential) -> int:
    """Returns how many words of the fable it gets right after the first three, before the first wrong one."""
    told = told_on(network, NUMBERS[:OPENING], len(NUMBERS) - OPENING)
    return int(np.cumprod(told == NUMBERS[OPENING:]).sum())


def trial(seed: int, *, epochs: int = 40, units: int = 512) -> Trial:
    """Runs the experiment once."""
    read_through(model(seed), NUMBERS, 1)  # compiles
    network = model(seed)
    began = time.perf_counter()
    history = read_through(network, NUMBERS, epochs).history
    seconds = time.perf_counter() - began
    other = model(seed)
    read_through(other, NUMBERS[:-LEFT_OUT], epochs)
    return Trial(
        figures={
            "accuracy": 100.0 * float(predicted(network, NUMBERS).mean()),
            "told": words_told(network),
            "time": 100.0 * seconds / published_seconds(seed, units),
            "left_out": 100.0 * float(predicted(other, NUMBERS)[-LEFT_OUT:].mean()),
        },
        answers={
            " ".join(FABLE[:OPENING]): SHOWN.text(told_on(network, NUMBERS[:OPENING], 32)),
            **{prompt: SHOWN.text(told_on(network, SHOWN.numbers(prompt.split()), 32)) for prompt in PROMPTS},
        },
        curves={"loss by epoch": history["loss"], "accuracy by epoch": [100.0 * a for a in history["accuracy"]]},
    )


RECIPE = Recipe(
    name="story-carried",
    figures=(
        Figure("accuracy", "right answers on the 203 words that follow others", solved=99.0),
        Figure("told", "words right after the fable's first three, before one is wrong, of 201", "", solved=201.0),
        Figure("time", "time taken, as a share of the published training's", solved=10.0, falls=True),
        Figure("left_out", "right answers on the last 20 words, left out of a second training", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=10.0,
    short={"units": 32},
)
