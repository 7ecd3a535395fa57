"""Say the number shown one step ago, given five steps of context.

Question. Can an LSTM learn to repeat what is no longer there? Every number is needed once, one step later, and must
not be confused with the one shown then.

Framing. 2,000 sequences of 25 random numbers from 0 to 99. A sample is five numbers, one-hot, the last of them the
one shown now; the answer is the second to last. The next sample starts one number later. There are 20 per sequence,
in batches of 5, with one update per batch. The state is carried from row r of a batch to row r of the next, and
starts fresh with each sequence. Rows of five steps in batches of five are a lucky choice: the sample five places
later begins exactly where this one ends, so each row of the batch reads its sequence without a gap.

Expect. Nearly all of it. The answer lies inside the sample, so its gradient flows back through one step and can teach
the gates what to keep. After 2,000 sequences it has not quite converged: about 99.7 % of new answers are right. A run
that is tested on only 20 of them, as published, mostly gives 100 %; a single wrong one makes it 95 %. Unlike in the
recipe without context, training taught the network what to keep in its state.

Beyond. Each test is on random sequences that were never shown. Two are harder. Of 10,000 pairs of numbers, some 80
happen never to follow one another in training: the network answers those pairs as well as others, so it learned the
rule, not the pairs. And it never saw more than 25 numbers from a fresh start: on a stream of 1,000, one at a time and
never reset, it echoes as well as before. It owes that to the carried state; see echo-extensions-fresh.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.echo.numbers import (
    NOTE,
    NUMBERS,
    SOURCE,
    in_words,
    likeliest,
    name_of,
    network,
    one_hot,
    percent,
    percent_of_stream,
    sequences,
)
from statewise.recipes.echo.windows import BATCH, SAMPLES, STEPS, learn, samples, told, windows
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Published, Recipe, Trial

SEQUENCES, NEW, STREAM = 2000, 100, 1000


def framing() -> Framing:
    """Returns the picture of the data."""
    x, y = samples(sequences(np.random.default_rng(0), SEQUENCES))
    return Framing.of(x, y, name_of, str, note=NOTE, rows=6, carried=BATCH)


def model(seed: int) -> sw.Sequential:
    """Returns the network: 50 units, and a probability for each number."""
    return network(seed)


def never_shown(numbers: Array, random: np.random.Generator) -> tuple[Array, Array]:
    """Returns each pair that never occurred in the sequences, with three random numbers before it, and its echo."""
    shown = np.zeros((NUMBERS, NUMBERS), bool)
    shown[numbers[:, :-1], numbers[:, 1:]] = True
    pairs = np.argwhere(~shown)
    return one_hot(np.hstack([sequences(random, len(pairs), STEPS - 2), pairs])), pairs[:, 0]


def trial(seed: int, *, count: int = SEQUENCES) -> Trial:
    """Runs the experiment once."""
    random = np.random.default_rng(seed)
    shown, new, long = sequences(random, count), sequences(random, NEW), sequences(random, 1, STREAM)[0]
    echo = model(seed)
    learn(echo, shown)
    answers, said = windows(new)[1], told(echo, new)
    x, befores = never_shown(shown, random)
    return Trial(
        figures={
            "accuracy": percent(said[:SAMPLES], answers[:SAMPLES]),
            "new": percent(said, answers),
            "new_pairs": percent(likeliest(echo.predict(x)), befores),
            "stream": percent_of_stream(echo, long),
        },
        answers={
            "one step ago, in a new sequence": in_words(answers[:SAMPLES]),
            "what the network says": in_words(said[:SAMPLES]),
            "pairs that training never showed": f"{len(befores):,} of {NUMBERS**2:,}",
        },
    )


RECIPE = Recipe(
    name="echo-lag",
    figures=(
        Figure(
            "accuracy",
            f"right answers on a new sequence, {SAMPLES} of them",
            published=Published(
                95.0, SOURCE, to=100.0, note="100 % when tested, 95 to 100 % in the last sequences trained on"
            ),
            solved=100.0,
            unseen=True,
        ),
        Figure("new", f"right answers on {NEW} new sequences", unseen=True),
        Figure("new_pairs", "right answers for pairs of numbers that training never showed", unseen=True),
        Figure("stream", f"right answers on a stream of {STREAM:,} numbers, never reset", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=1.6,
    short={"count": 1500},
)
