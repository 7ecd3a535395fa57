"""The fable for 150,000 steps, as the third tip suggests.

Question. Does three times as much training learn the fable better?

Framing. As in "story": three words as numbers, and the next word as the answer. The last tenth of the fable is left
out, so that one training shows both what is gained by memorizing and what is gained elsewhere. It is reduced in one
way: 128 units instead of 512, which learn the fable just as well.

Expect. A few more words, but it does not settle: the learning rate stays constant, each step fits a single window,
and what it changes for that window is at the expense of others. The accuracy goes up and down to the last step; a
falling learning rate or a larger batch would end that, more training does not.

Beyond. Nothing: it memorized. The last tenth of the fable is predicted no better after 150,000 steps than after
50,000.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial
from statewise.recipes.story.fable import FABLE, LEFT_OUT, PROMPTS, codes, percent_right, picture_of_codes, tell
from statewise.recipes.story.numbering import Numbering
from statewise.recipes.story.single_steps import (
    compile_as_published,
    fit_single_steps,
    network_of_codes,
    published_order,
)

UNITS = 128


def framing() -> Framing:
    """Returns the picture of the data."""
    return picture_of_codes(left_out=LEFT_OUT)


def model(seed: int) -> sw.Sequential:
    """Returns the network: 128 units that see one number a step, and a probability for each word."""
    return network_of_codes(seed, units=UNITS)


def trial(seed: int, *, units: int = UNITS, steps: int = 150_000) -> Trial:
    """Runs the experiment once."""
    names = Numbering.of(FABLE, seed)
    x, y = codes(names)
    known = x[:-LEFT_OUT], y[:-LEFT_OUT]
    unknown = x[-LEFT_OUT:], y[-LEFT_OUT:]
    network = network_of_codes(seed, units=units)
    order = published_order(np.random.default_rng(seed), steps, len(known[0]), x.shape[1])
    compile_as_published(network)
    losses, accuracies = fit_single_steps(network, *known, order[: steps // 3])
    after_a_third = percent_right(network, *known), percent_right(network, *unknown)
    later_losses, later_accuracies = fit_single_steps(network, *known, order[steps // 3 :])
    return Trial(
        figures={
            "accuracy": later_accuracies[-1],
            "accuracy_after_a_third": accuracies[-1],
            "windows": percent_right(network, *known),
            "windows_after_a_third": after_a_third[0],
            "left_out": percent_right(network, *unknown),
            "left_out_after_a_third": after_a_third[1],
        },
        answers={prompt: tell(network, names, prompt, x) for prompt in PROMPTS},
        curves={
            "loss by thousand steps": losses + later_losses,
            "accuracy by thousand steps": accuracies + later_accuracies,
        },
    )


RECIPE = Recipe(
    name="story-deeper-longer",
    figures=(
        Figure("accuracy", "right answers in the last 1,000 of 150,000 training steps"),
        Figure("accuracy_after_a_third", "right answers in the last 1,000 of the first 50,000 steps"),
        Figure("windows", "right answers on the 181 learned windows, of which 179 can be known"),
        Figure("windows_after_a_third", "the same after 50,000 steps"),
        Figure("left_out", "right answers on the last 20 words, which it never saw", unseen=True),
        Figure("left_out_after_a_third", "the same after 50,000 steps", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=24.0,
    short={"steps": 3_000},
)
