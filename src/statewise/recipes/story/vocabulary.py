"""A vocabulary of 20,000 words, and an output that does not compute them all.

Question. What does a sampled softmax save where the fable's 112 words are 20,000, and what does it cost?

Framing. A text is made from the seed: a word is followed in seven cases of ten by the one successor that the seed gave
it, else by any, a few of which are frequent and most rare. It is read as symbols in 32 rows, 16 steps at a time, with
an answer at each step; the output's bias starts from how often each word comes. One network learns from the
probabilities of all words, and one from the right word among 2,000 others that `sw.SampledSoftmax` draws for each
update. Both see the same text in the same order, the state carried, and both are evaluated with all words.

Expect. After as many updates both know the same, and an update with sampled words takes a small part of the time: the
products with the output's 20,000 columns, forwards and backwards, are almost all that a step costs. So in as many
seconds the sampled one is far ahead. How large the part is depends on the machine, and so does what is learnt in as
many seconds: those two figures are not the same each time. Words must be numbered from frequent to rare, since
frequent numbers are drawn most often: a frequent word with a high number is seldom among those that are told from the
right one, and becomes too likely everywhere.

Beyond. The losses are of text that no network saw, made by the same source, so that they show what was learnt of the
successors. This is not memorised, for each piece of text is read only once; one who knows the source has the least
loss.
"""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import islice

import numpy as np

import statewise as sw
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial
from statewise.recipes.story.made_text import ROWS, STEPS, Source

WORDS, SAMPLES = 20_000, 2_000


def word(number: object) -> str:
    """Returns the name of a word: the number of its rank."""
    return f"#{int(np.asarray(number)) + 1}"


def framing() -> Framing:
    """Returns the picture of the first steps of a piece of the text."""
    rng = np.random.default_rng(0)
    piece = next(Source.of(WORDS, rng).pieces(rng))
    note = "the first 4 of 16 steps; a word is a symbol, #1 the most frequent"
    shown = Framing.of(piece.x[:, :4], piece.y[:, :4], word, word, note=note, rows=2, each_step=True, carried=ROWS)
    return replace(shown, x_shape=piece.x.shape, y_shape=piece.y.shape)


def network_over(source: Source, seed: int) -> sw.Sequential:
    """Returns vectors, 64 units that carry their state, and a probability for each word, at first its frequency."""
    words = len(source.frequency)
    layers = [sw.Embedding(words, 32), sw.LSTM(64, return_sequences=True), sw.Dense(words, activation="softmax")]
    network = sw.Sequential(layers, seed=seed)
    network.build((ROWS, STEPS))
    network.set_weights([*network.get_weights()[:-1], np.log(source.frequency)])
    return network


def model(seed: int) -> sw.Sequential:
    """Returns the network for the source of a seed."""
    return network_over(Source.of(WORDS, np.random.default_rng(seed)), seed)


def seconds_of(network: sw.Sequential, piece: sw.Lanes) -> float:
    """Trains the network on a piece of the text and returns how long it took."""
    began = time.perf_counter()
    network.fit(piece, state="carry", verbose=0)
    return time.perf_counter() - began


def loss_on(network: sw.Sequential, piece: sw.Lanes) -> float:
    """Returns the exact loss: whatever the network was trained with, it is evaluated with all words, state carried."""
    return network.evaluate(piece, state=network.initial_state(ROWS), return_dict=True)["loss"]


def trial(seed: int, *, words: int = WORDS, samples: int = SAMPLES, pieces: int = 4) -> Trial:
    """Runs the experiment once."""
    rng = np.random.default_rng(seed)
    source = Source.of(words, rng)
    held_out = next(source.pieces(rng))
    full, sampled = network_over(source, seed), network_over(source, seed)
    full.compile("adam", "sparse_categorical_crossentropy")
    sampled.compile("adam", sw.SampledSoftmax(samples))
    text, same_text = (source.pieces(np.random.default_rng([seed, 1])) for _ in range(2))
    full_seconds = [seconds_of(full, piece) for piece in islice(text, pieces)]
    seconds = [seconds_of(sampled, piece) for piece in islice(same_text, pieces)]
    ratio = sum(full_seconds[1:]) / sum(seconds[1:])  # what compiles is the first piece
    after_equal_steps = loss_on(sampled, held_out)
    while sum(seconds[1:]) < sum(full_seconds[1:]):
        seconds.append(seconds_of(sampled, next(same_text)))
    return Trial(
        figures={
            "ratio": ratio,
            "full": loss_on(full, held_out),
            "sampled": after_equal_steps,
            "sampled_as_long": loss_on(sampled, held_out),
            "best": source.best(held_out),
        }
    )


RECIPE = Recipe(
    name="story-deeper-vocabulary",
    figures=(
        Figure("ratio", "how many times as long an update takes with all words", "", solved=2.0),
        Figure("full", "loss on text it never saw, all words, 80 updates", "nats", falls=True, unseen=True),
        Figure("sampled", "the same, sampled words, 80 updates", "nats", falls=True, unseen=True),
        Figure("sampled_as_long", "the same, sampled words, in as many seconds", "nats", falls=True, unseen=True),
        Figure("best", "loss of one who knows how the text was made", "nats", falls=True, unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=32.0,
    short={"words": 3_000, "samples": 300, "pieces": 2},
)
