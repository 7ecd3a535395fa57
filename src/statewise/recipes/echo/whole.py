"""Echo with everything so far as context.

Question. Five steps of context are more than an echo of one step ago needs. What if each sample contains the whole
sequence so far? The tutorial left this as an exercise.

Framing. 2,000 sequences of 25 random numbers from 0 to 99 give 24 samples each: the first two numbers, the first
three, and so on up to all 25. They are padded on the left to 25 steps; the padding is masked, that is, skipped. The
answer is the second-to-last number. Batches of 6, each sample from a fresh state.

Expect. As good as five steps, about 99.9 % of new answers, but from six times as many steps: 24 samples of 25 per
sequence instead of 20 of 5, since each number is read again in every later sample. It is the long way to what
echo-extensions-sequence does in one pass.

Beyond. All answers are for new sequences. Although no state is ever carried in training, the network echoes a stream
of 1,000 numbers, 40 times as long as anything it saw, as well as a new sequence. Samples of 2 to 25 steps cannot be
answered by counting to the fourth step, which is what samples of five steps from a fresh state teach
(echo-extensions-fresh).
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.echo.numbers import (
    LENGTH,
    MISSING,
    NOTE,
    likeliest,
    name_of,
    network,
    one_hot,
    percent,
    percent_of_stream,
    sequences,
)
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial

SEQUENCES, SAMPLES, BATCH, NEW, STREAM = 2000, LENGTH - 1, 6, 40, 1000

TOGETHER = 500
"""For how many sequences the one-hot samples are built at once: 120 MB."""


def prefixes(numbers: Array) -> tuple[Array, Array]:
    """Returns each beginning of sequences `[N, 25]`, on the right of `[24 N, 25]`, and its last number but one.

    >>> inputs, answers = prefixes(np.arange(4)[None])
    >>> inputs.tolist(), answers.tolist()
    ([[-1, -1, 0, 1], [-1, 0, 1, 2], [0, 1, 2, 3]], [0, 1, 2])
    """
    count, length = numbers.shape
    padded = np.pad(numbers, [(0, 0), (length - 1, 0)], constant_values=MISSING)
    found = np.lib.stride_tricks.sliding_window_view(padded, length, axis=1)[:, 1:]
    return found.reshape(count * (length - 1), length), found[..., -2].reshape(-1)


def framing() -> Framing:
    """Returns the picture of the data, with sequences of 6 numbers instead of 25."""
    inputs, answers = prefixes(sequences(np.random.default_rng(0), SEQUENCES, 6))
    note = f"{NOTE}; shown are sequences of 6 numbers instead of {LENGTH}"
    return Framing.of(one_hot(inputs), answers, name_of, str, note=note, rows=6, mask=inputs != MISSING)


def model(seed: int) -> sw.Sequential:
    """Returns the network: 50 units that skip missing steps, and a probability for each number."""
    return network(seed, masked=True)


def trial(seed: int, *, count: int = SEQUENCES) -> Trial:
    """Runs the experiment once."""
    random = np.random.default_rng(seed)
    shown, new, long = sequences(random, count), sequences(random, NEW), sequences(random, 1, STREAM)[0]
    echo = model(seed)
    for first in range(0, count, TOGETHER):
        inputs, answers = prefixes(shown[first : first + TOGETHER])
        echo.fit(one_hot(inputs), answers, batch_size=BATCH, shuffle=False, verbose=0)
    inputs, answers = prefixes(new)
    return Trial(
        {
            "new": percent(likeliest(echo.predict(one_hot(inputs))), answers),
            "stream": percent_of_stream(echo, long),
        }
    )


RECIPE = Recipe(
    name="echo-extensions-whole",
    figures=(
        Figure("new", f"right answers on {NEW} new sequences, {SAMPLES} of each", solved=99.0, unseen=True),
        Figure("stream", f"right answers on a stream of {STREAM:,} numbers, never reset", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=6.0,
    short={"count": 500},
)
