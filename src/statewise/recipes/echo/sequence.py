"""Echo a whole sequence, some steps behind.

Question. Why cut a sequence into windows at all? A network can read it once and answer at each step. The tutorial
left this as an exercise: echo a lagged sequence, with the output layer applied at each step (TimeDistributed).

Framing. 8,000 sequences of 25 random numbers from 0 to 99, one-hot, one at a time: a sample is a whole sequence. The
answer to each step is the number 1, 2 or 4 steps before; the first steps have none, and do not count in the loss.

Expect. More than the windows of echo-extensions-lags give with the same number of updates, 8,000, and of steps read,
200,000: at lags 1, 2 and 4 about 100, 89 and 36 %, compared with 99.7, 49 and 27 %. Windows read a number up to five
times and ask for it once; here it is read once and asked for once, with up to 24 answers per update instead of 5. Lag
4 is not learned in that time either.

Beyond. All answers are for new sequences. On a stream of 1,000 numbers, 40 times as long as any in training, each
network does nearly as well as on sequences of 25. Since it is asked at each step, it cannot treat any step as
special.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.echo.numbers import (
    LENGTH,
    NOTE,
    NUMBERS,
    likeliest,
    name_of,
    one_hot,
    percent,
    percent_of_stream,
    sequences,
)
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial

SEQUENCES, LAGS, NEW, STREAM = 8000, (1, 2, 4), 100, 1000


def data(numbers: Array, lag: int) -> tuple[Array, Array, Array]:
    """Returns sequences `[N, 25, 100]`, what to answer at each step `[N, 25]`, and whether it counts `[N, 25]`."""
    answers = np.pad(numbers, [(0, 0), (lag, 0)])[:, : numbers.shape[1]]
    counts = np.broadcast_to(np.arange(numbers.shape[1]) >= lag, numbers.shape)
    return one_hot(numbers), answers, counts.astype(np.float32)


def framing() -> Framing:
    """Returns the picture of the data at lag 2, with sequences of 6 numbers instead of 25."""
    x, answers, counts = data(sequences(np.random.default_rng(0), SEQUENCES, 6), 2)
    asked = np.where(counts > 0, answers, -1)
    note = f"{NOTE}; shown is lag 2, with sequences of 6 numbers instead of {LENGTH}"
    return Framing.of(x, asked, name_of, lambda n: "" if n < 0 else str(n), note=note, rows=2, each_step=True)


def model(seed: int) -> sw.Sequential:
    """Returns the network: 50 units, and at each step a probability for each number."""
    answer = sw.TimeDistributed(sw.Dense(NUMBERS, activation="softmax"))
    return sw.Sequential([sw.LSTM(50, return_sequences=True, input_shape=(None, NUMBERS)), answer], seed=seed)


def trained(seed: int, numbers: Array, lag: int) -> sw.Sequential:
    """Returns a network that has learned to echo `lag` steps later."""
    echo = model(seed)
    echo.compile("adam", "sparse_categorical_crossentropy")
    x, y, counts = data(numbers, lag)
    echo.fit(x, y, sample_weight=counts, batch_size=1, verbose=0)
    return echo


def trial(seed: int, *, count: int = SEQUENCES) -> Trial:
    """Runs the experiment once."""
    random = np.random.default_rng(seed)
    shown, new, long = sequences(random, count), sequences(random, NEW), sequences(random, 1, STREAM)[0]
    figures, streams = {}, {}
    for lag in LAGS:
        echo = trained(seed, shown, lag)
        told = likeliest(echo.predict(one_hot(new)))
        figures[f"lag_{lag}"] = percent(told[:, lag:], new[:, :-lag])
        streams[f"lag_{lag}_stream"] = percent_of_stream(echo, long, lag)
    return Trial(figures | streams)


RECIPE = Recipe(
    name="echo-extensions-sequence",
    figures=(
        *(Figure(f"lag_{lag}", f"lag {lag}: right answers on {NEW} new sequences", unseen=True) for lag in LAGS),
        *(
            Figure(f"lag_{lag}_stream", f"lag {lag}: right answers on a stream of {STREAM:,} numbers", unseen=True)
            for lag in LAGS
        ),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=12.0,
    short={"count": 1000},
)
