"""The fable with word vectors that were learned elsewhere.

Question. Does it help to start from word vectors, such as word2vec's, that know which words are similar?

Framing. As in "story-deeper-embedding": three words as symbols with a vector each, the next word as the answer, the
last tenth left out. The vectors start from a file in word2vec's format. Ours was made from Shakespeare's plays and
has 108 of the 112 words; the nearest to "mouse" is "cat", and those nearest to "could" are "thought", "i", "would"
and "should". For comparison, one network starts from fresh vectors, and one from the same vectors assigned to the
wrong words.

Expect. Starting from the file is far ahead in the first thousands of steps, and so is starting from vectors assigned
to the wrong words. It is not what they say about words that helps here: fresh vectors lie within 0.05 of 0, too close
together to be told apart until they have grown, and those from the file lie far apart. To memorize a text it is
enough that no two words look the same.

Beyond. What words have in common could help with words in places where they never occurred, which is what such
vectors are for; the last tenth of one fable, in which nine of the 20 words occur nowhere else, is too little to show
it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial
from statewise.recipes.story.fable import LEFT_OUT, PROMPTS, SHOWN, percent_right, picture_of_symbols, symbols, tell
from statewise.recipes.story.single_steps import network_of_symbols, train_as_published

VECTORS = Path(__file__).parent / "fable_vectors.bin"


def framing() -> Framing:
    """Returns the picture of the data."""
    return picture_of_symbols()


def from_file(seed: int) -> Array:
    """Returns a vector for each word, that of the file where it has one."""
    matrix, _ = sw.read_word_vectors(VECTORS).embedding(SHOWN.symbols, seed=seed)
    return matrix


def started(seed: int, vectors: Array) -> sw.Sequential:
    """Returns a network whose Embedding, the first of its weights, starts from these vectors."""
    network = network_of_symbols(seed)
    network.set_weights([vectors, *network.get_weights()[1:]])
    return network


def model(seed: int) -> sw.Sequential:
    """Returns the network: the file's vector for each word, 128 units, and a probability for each word."""
    return started(seed, from_file(seed))


def trial(seed: int, *, steps: int = 5_000) -> Trial:
    """Runs the experiment once."""
    x, y = symbols(SHOWN)
    known, asked = (x[:-LEFT_OUT], y[:-LEFT_OUT]), (x[-LEFT_OUT:], y[-LEFT_OUT:])
    dealt = np.random.default_rng(seed).permutation(from_file(seed))
    networks = {"vectors": model(seed), "dealt": started(seed, dealt), "fresh": network_of_symbols(seed)}
    accuracies = {name: train_as_published(network, *known, seed, steps)[1] for name, network in networks.items()}
    return Trial(
        figures={
            **{name: of_thousands[1] for name, of_thousands in accuracies.items()},
            "windows": percent_right(networks["vectors"], *known),
            **{f"left_out_{name}": percent_right(network, *asked) for name, network in networks.items()},
        },
        answers={prompt: tell(networks["vectors"], SHOWN, prompt, x) for prompt in PROMPTS},
        curves={f"accuracy by thousand steps, {name}": values for name, values in accuracies.items()},
    )


RECIPE = Recipe(
    name="story-deeper-vectors",
    figures=(
        Figure("vectors", "right answers in the second 1,000 training steps, started from word vectors"),
        Figure("dealt", "the same, started from those vectors assigned to the wrong words"),
        Figure("fresh", "the same, started from fresh vectors"),
        Figure("windows", "from word vectors: right answers on the 181 learned windows; 179 can be known"),
        Figure("left_out_vectors", "from word vectors: right answers on the last 20 words, never seen", unseen=True),
        Figure("left_out_dealt", "the same, from those assigned to the wrong words", unseen=True),
        Figure("left_out_fresh", "the same, from fresh vectors", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=3.0,
    short={"steps": 2_000},
)
