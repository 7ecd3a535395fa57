"""The fable with two layers, as the first tip suggests.

Question. Does a second LSTM layer on top of the first learn the fable better?

Framing. As in "story": three words as numbers, one feature per step, and the next word as the answer. The first layer
passes its output at each of the three steps to the second, whose last output is read.

Expect. Better than one layer after the same number of steps, in about three times the time: the second layer alone
has twice the weights of the first, which reads a single number. The gain is not a longer memory, which three words do
not need, but a finer cut of the line of numbers: the second layer reads 512 features of a word where the first reads
one.

Beyond. Nothing: it memorized. The last tenth of the fable, left out of a second training with a tenth of the steps,
is not predicted: more layers cannot know what was never shown.
"""

from __future__ import annotations

import statewise as sw
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Published, Recipe, Trial
from statewise.recipes.story.fable import FABLE, LEFT_OUT, PROMPTS, SCRIPT, codes, percent_right, picture_of_codes, tell
from statewise.recipes.story.numbering import Numbering
from statewise.recipes.story.single_steps import network_of_codes, train_as_published


def framing() -> Framing:
    """Returns the picture of the data."""
    return picture_of_codes()


def model(seed: int) -> sw.Sequential:
    """Returns the network: two layers of 512 units, and a probability for each word."""
    return network_of_codes(seed, layers=2)


def trial(seed: int, *, units: int = 512, steps: int = 50_000) -> Trial:
    """Runs the experiment once."""
    names = Numbering.of(FABLE, seed)
    x, y = codes(names)
    network = network_of_codes(seed, units=units, layers=2)
    losses, accuracies = train_as_published(network, x, y, seed, steps)
    other = network_of_codes(seed, units=units, layers=2)
    train_as_published(other, x[:-LEFT_OUT], y[:-LEFT_OUT], seed, steps // 10)
    return Trial(
        figures={
            "accuracy": accuracies[-1],
            "loss": losses[-1],
            "windows": percent_right(network, x, y),
            "left_out": percent_right(other, x[-LEFT_OUT:], y[-LEFT_OUT:]),
        },
        answers={prompt: tell(network, names, prompt, x) for prompt in PROMPTS},
        curves={"loss by thousand steps": losses, "accuracy by thousand steps": accuracies},
    )


RECIPE = Recipe(
    name="story-deeper-layers",
    figures=(
        Figure(
            "accuracy",
            "right answers in the last 1,000 of 50,000 training steps",
            published=Published(95.2, SCRIPT, note="in a comment of the script"),
        ),
        Figure("loss", "loss in those steps", "nats", falls=True),
        Figure("windows", "right answers on all 201 windows afterwards, of which 199 can be known"),
        Figure("left_out", "right answers on the last 20 words, left out of a second, shorter training", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=600.0,
    short={"units": 32, "steps": 2_000},
)
