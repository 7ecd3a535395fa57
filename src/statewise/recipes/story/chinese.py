"""Another story in another language: how Yu Gong moved the mountains.

Question. Does it work in another language, in which no spaces separate the words?

Framing. The story from the Liezi, of about the fourth century, is read by character: 385 of them, punctuation
included, 185 different ones. As in "story-carried" it is read from beginning to end in rows of 17 steps, each of
which continues the one before; as in "story-deeper-embedding" a second network sees three characters at a time, each
as a learned vector.

Expect. Nothing here depends on a language: what a network learns is which number follows which. Three characters say
less than three words, so at most 366 of 382 windows can be known; the carried state knows them all.

Beyond. Nothing: it memorized. The last tenth of the story, left out of another training, is hardly predicted: what it
gets right are commas and the like.
"""

from __future__ import annotations

from pathlib import Path

import statewise as sw
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial
from statewise.recipes.story.carrying import picture_of_rows, predicted, read_through, reader, told_on
from statewise.recipes.story.fable import percent_right
from statewise.recipes.story.numbering import Numbering
from statewise.recipes.story.single_steps import network_of_symbols, train_as_published

STORY = "".join((Path(__file__).parent / "yugong.txt").read_text(encoding="utf-8").split())
CHARACTERS = Numbering.of(STORY)
NUMBERS = CHARACTERS.numbers(STORY)
LEFT_OUT = len(STORY) // 10
PROMPTS = ("太行、", "北山愚公")


def text(numbers: object) -> str:
    """Returns the characters that the numbers, of any shape, stand for."""
    return CHARACTERS.text(numbers, between="")


def framing() -> Framing:
    """Returns the picture of the data."""
    return picture_of_rows(NUMBERS, text, note="a character is a symbol with a learned vector")


def model(seed: int) -> sw.Sequential:
    """Returns the network: a vector for each character, 128 units that carry their state, an answer at every step."""
    return reader(seed, len(CHARACTERS))


def trial(seed: int, *, epochs: int = 40, steps: int = 20_000) -> Trial:
    """Runs the experiment once."""
    network, other = model(seed), model(seed)
    history = read_through(network, NUMBERS, epochs).history
    read_through(other, NUMBERS[:-LEFT_OUT], epochs)
    windows = sw.windows(NUMBERS, 3)
    seer = network_of_symbols(seed, classes=len(CHARACTERS))
    train_as_published(seer, windows.x, windows.y, seed, steps)
    return Trial(
        figures={
            "accuracy": 100.0 * float(predicted(network, NUMBERS).mean()),
            "windows": percent_right(seer, windows.x, windows.y),
            "left_out": 100.0 * float(predicted(other, NUMBERS)[-LEFT_OUT:].mean()),
        },
        answers={prompt: text(told_on(network, CHARACTERS.numbers(prompt), 32)) for prompt in PROMPTS},
        curves={"loss by epoch": history["loss"], "accuracy by epoch": [100.0 * a for a in history["accuracy"]]},
    )


RECIPE = Recipe(
    name="story-deeper-chinese",
    figures=(
        Figure("accuracy", "right answers on the 384 characters that follow others", solved=99.0),
        Figure("windows", "right answers of the network that sees three; 95.81 % can be known"),
        Figure("left_out", f"right answers on the last {LEFT_OUT}, left out of a second training", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=5.0,
    short={"steps": 1_000},
)
