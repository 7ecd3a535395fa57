"""The fable by 3, 4, 5 and 8 words, as the second tip suggests.

Question. How many words does a network have to see to know the next one?

Framing. Windows of 3, 4, 5 and 8 words as numbers, one feature per step; the next word is the answer. The steps go
through the fable as in "story", from one window to the next that shares no answer with it. The network has 128 units
instead of 512 and takes 30,000 steps, so that four trainings take only seconds.

Expect. The more words the better, for two reasons. Some runs of three, four and five words are followed by one word
here and by another there ("mouse got up and said" by "he" and by "that"), so not all can be known; of six or more
words none is. And two words that a network cannot tell apart by their numbers seldom have the same neighbors, all the
more seldom the more neighbors it sees: this is why four words already help far more than the single ambiguity that
they resolve.

Beyond. Nothing: it memorized. The last tenth of the fable was left out, and no window length helps there: the longer
a run of words, the less often it has been seen before.
"""

from __future__ import annotations

import statewise as sw
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial
from statewise.recipes.story.fable import FABLE, LEFT_OUT, codes, percent_right, picture_of_codes
from statewise.recipes.story.numbering import Numbering
from statewise.recipes.story.single_steps import network_of_codes, train_as_published

LENGTHS = (3, 4, 5, 8)


def framing() -> Framing:
    """Returns the picture of the data for windows of eight words."""
    return picture_of_codes(8, LEFT_OUT)


def model(seed: int) -> sw.Sequential:
    """Returns the network for windows of eight words."""
    return network_of_codes(seed, units=128, length=8)


def trial(seed: int, *, units: int = 128, steps: int = 30_000) -> Trial:
    """Runs the experiment once."""
    names = Numbering.of(FABLE, seed)
    by_heart, left_out, curves = {}, {}, {}
    for length in LENGTHS:
        x, y = codes(names, length)
        network = network_of_codes(seed, units=units, length=length)
        _, accuracies = train_as_published(network, x[:-LEFT_OUT], y[:-LEFT_OUT], seed, steps)
        by_heart[f"{length}_words"] = percent_right(network, x[:-LEFT_OUT], y[:-LEFT_OUT])
        left_out[f"left_out_of_{length}"] = percent_right(network, x[-LEFT_OUT:], y[-LEFT_OUT:])
        curves[f"accuracy by thousand steps, {length} words"] = accuracies
    return Trial(figures=by_heart | left_out, curves=curves)


RECIPE = Recipe(
    name="story-deeper-windows",
    figures=(
        Figure("3_words", "right answers on the learned windows of 3 words; 98.90 % can be known"),
        Figure("4_words", "of 4 words; 99.44 % can be known"),
        Figure("5_words", "of 5 words; 99.44 % can be known"),
        Figure("8_words", "of 8 words; 100 % can be known"),
        *(
            Figure(f"left_out_of_{length}", f"right answers on the last 20 words by {length} words", unseen=True)
            for length in LENGTHS
        ),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=24.0,
    short={"units": 64, "steps": 2_000},
)
