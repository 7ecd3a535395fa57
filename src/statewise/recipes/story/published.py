"""A fable word by word, as published.

Question. Can an LSTM memorize a fable of 204 words, and continue it from any three of its words?

Framing. Three words are three time steps of one feature, the word's number itself, 0 for the most frequent up to 111;
the answer is the next word, one of 112. Each training step takes a single window and starts from a fresh state; the
next step takes the window four words later, and at the end of the fable the steps start again near its beginning.

Expect. Most of it, and never all: "up and said" is followed by "he" and by "that", and "the cat ." by "some" and by
"by", so from three words at most 199 of the 201 windows can be answered correctly. A number is a poor name for a
word: 17 and 18 are as similar as words can be here, though they have nothing in common, and the network has to cut a
line into 112 pieces. With a batch of one window and a learning rate that never falls, each step undoes part of what
the network knew, so its accuracy goes up and down from one thousand steps to the next.

Beyond. Nothing that deserves the name: it memorized. A second training, with a fifth of the steps, leaves out the
last tenth of the fable and is then tested on it. Nine of those 20 words occur nowhere else in the fable, so no
training could produce them; from "mouse mouse mouse" it produces pieces of the fable, since it knows nothing else.
"""

from __future__ import annotations

import statewise as sw
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Published, Recipe, Trial
from statewise.recipes.story.fable import FABLE, LEFT_OUT, PROMPTS, SOURCE, codes, percent_right, picture_of_codes, tell
from statewise.recipes.story.numbering import Numbering
from statewise.recipes.story.single_steps import network_of_codes, train_as_published


def framing() -> Framing:
    """Returns the picture of the data."""
    return picture_of_codes()


def model(seed: int) -> sw.Sequential:
    """Returns the network: 512 units that see one number a step, and a probability for each word."""
    return network_of_codes(seed)


def trial(seed: int, *, units: int = 512, steps: int = 50_000) -> Trial:
    """Runs the experiment once."""
    names = Numbering.of(FABLE, seed)
    x, y = codes(names)
    network = network_of_codes(seed, units=units)
    losses, accuracies = train_as_published(network, x, y, seed, steps)
    other = network_of_codes(seed, units=units)
    train_as_published(other, x[:-LEFT_OUT], y[:-LEFT_OUT], seed, steps // 5)
    return Trial(
        figures={
            "accuracy": accuracies[-1],
            "loss": losses[-1],
            "earlier": accuracies[-2],
            "earlier_loss": losses[-2],
            "windows": percent_right(network, x, y),
            "left_out": percent_right(other, x[-LEFT_OUT:], y[-LEFT_OUT:]),
        },
        answers={prompt: tell(network, names, prompt, x) for prompt in PROMPTS},
        curves={"loss by thousand steps": losses, "accuracy by thousand steps": accuracies},
    )


RECIPE = Recipe(
    name="story",
    figures=(
        Figure(
            "accuracy",
            "right answers in the last 1,000 of 50,000 training steps",
            published=Published(91.2, SOURCE, note="90.60 % in the comments of its script"),
        ),
        Figure("loss", "loss in those steps", "nats", published=Published(0.4158, SOURCE), falls=True),
        Figure("earlier", "right answers in the 1,000 steps before", published=Published(88.5, SOURCE)),
        Figure("earlier_loss", "loss in those", "nats", published=Published(0.5287, SOURCE), falls=True),
        Figure("windows", "right answers on all 201 windows afterwards, of which 199 can be known"),
        Figure("left_out", "right answers on the last 20 words, left out of a second, shorter training", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=190.0,
    short={"units": 64, "steps": 3_000},
)
