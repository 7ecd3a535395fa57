"""The fable with a learned vector for each word instead of its number.

Question. How much of the published network's trouble comes from numbers that stand for words?

Framing. Three words as symbols, whose vectors of 32 features are learned with the rest; the next word is the answer.
Everything else is as in "story", and a network that reads the numbers themselves is trained for comparison, in the
same order. Both have 128 units instead of 512 and take 10,000 steps instead of 50,000; the last tenth of the fable is
left out.

Expect. Nearly all of it. A vector is a name that a word shares with no other, and each step changes only the vectors
of the words that it saw. What remains out of reach is what three words leave open: "up and said" is followed by "he"
and by "that".

Beyond. Nothing: it memorized faster. A vector is learned from the places where its word occurs, and words that occur
only in the last tenth have vectors that were never updated.
"""

from __future__ import annotations

import statewise as sw
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial
from statewise.recipes.story.fable import (
    FABLE,
    LEFT_OUT,
    PROMPTS,
    codes,
    percent_right,
    picture_of_symbols,
    symbols,
    tell,
)
from statewise.recipes.story.numbering import Numbering
from statewise.recipes.story.single_steps import network_of_codes, network_of_symbols, train_as_published


def framing() -> Framing:
    """Returns the picture of the data."""
    return picture_of_symbols()


def model(seed: int) -> sw.Sequential:
    """Returns the network: a vector for each word, 128 units, and a probability for each word."""
    return network_of_symbols(seed)


def trial(seed: int, *, units: int = 128, steps: int = 10_000) -> Trial:
    """Runs the experiment once."""
    names = Numbering.of(FABLE, seed)
    (x, y), (x_codes, _) = symbols(names), codes(names)
    network, other = network_of_symbols(seed, units=units), network_of_codes(seed, units=units)
    losses, accuracies = train_as_published(network, x[:-LEFT_OUT], y[:-LEFT_OUT], seed, steps)
    _, of_codes = train_as_published(other, x_codes[:-LEFT_OUT], y[:-LEFT_OUT], seed, steps)
    return Trial(
        figures={
            "windows": percent_right(network, x[:-LEFT_OUT], y[:-LEFT_OUT]),
            "windows_of_codes": percent_right(other, x_codes[:-LEFT_OUT], y[:-LEFT_OUT]),
            "left_out": percent_right(network, x[-LEFT_OUT:], y[-LEFT_OUT:]),
        },
        answers={prompt: tell(network, names, prompt, x) for prompt in PROMPTS},
        curves={
            "loss by thousand steps": losses,
            "accuracy by thousand steps": accuracies,
            "accuracy by thousand steps, codes": of_codes,
        },
    )


RECIPE = Recipe(
    name="story-deeper-embedding",
    figures=(
        Figure("windows", "right answers on the 181 learned windows, of which 179 can be known", solved=98.0),
        Figure("windows_of_codes", "the same, of a network that reads the words' numbers"),
        Figure("left_out", "right answers on the last 20 words, which it never saw", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=3.5,
    short={"steps": 2_000},
)
