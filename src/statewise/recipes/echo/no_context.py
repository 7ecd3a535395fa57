"""Say the number shown one step ago, given only the current one: the beginner's mistake.

Question. An LSTM has a memory. Is it enough to show it one number at a time, carry its state along, and ask for the
previous number?

Framing. 2,000 sequences of 25 random numbers from 0 to 99. A sample is one number, one-hot, from the second on; the
answer is the number before it. There are 24 samples per sequence, in order, in batches of 6, with one update per
batch. The state is carried from row r of a batch to row r of the next, and starts fresh with each sequence.

Expect. No better than guessing, 1 %, for two reasons, each of which is bad enough. First, the number asked for is not
in the state. Row 3 of the second batch continues from row 3 of the first: its state has seen the number 6 steps ago,
never the previous one, which is in row 2 of its own batch. Second, even where it is there, nothing teaches the
network to keep it. Gradients end where a sample ends, so the network gets no signal about what it will need later. To
see this effect alone, let each row read its own sequence, with an update per step (tbptt=1). The previous number has
now passed through the state, and about 7.5 % of the answers are right. That is less than if the LSTM keeps its
initial weights and only the output layer learns (about 17 %): random weights keep a little of everything, and
training that sees only one step has no reason to preserve it. One more step of gradient, tbptt=(1, 2), with the same
data and number of updates, gives about 88 %.

Beyond. All figures are for new random sequences. The memory reports among the answers say the same about the trained
networks: the loss of the published one gets no worse if its past is swapped for another row's, so it uses only its
last step. The one whose gradients reached two steps uses two.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.echo.numbers import (
    LENGTH,
    NOTE,
    NUMBERS,
    SOURCE,
    in_words,
    likeliest,
    name_of,
    network,
    one_hot,
    percent,
    sequences,
    starts,
)
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Published, Recipe, Trial

SEQUENCES, SAMPLES, BATCH, UNITS = 2000, LENGTH - 1, 6, 50
NEW, REPORTED = 100, 60


def rows(numbers: Array) -> tuple[Array, Array]:
    """Returns sequences `[N, 25]` as rows of all their steps `[N, 24, 100]`, and the number before each `[N, 24]`."""
    return one_hot(numbers[:, 1:]), numbers[:, :-1]


def data(numbers: Array) -> tuple[Array, Array]:
    """Returns the steps of all sequences as samples of their own: `[24 N, 1, 100]`, and the answers `[24 N, 1]`."""
    x, y = rows(numbers)
    return x.reshape(-1, 1, NUMBERS), y.reshape(-1, 1)


def framing() -> Framing:
    """Returns the picture of the data."""
    x, y = data(sequences(np.random.default_rng(0), SEQUENCES))
    return Framing.of(x, y[:, 0], name_of, str, note=NOTE, rows=7, carried=BATCH)


def model(seed: int) -> sw.Sequential:
    """Returns the network: 50 units, and a probability for each number at each step."""
    return network(seed, UNITS, each_step=True)


def as_published(seed: int, numbers: Array) -> sw.Sequential:
    """Returns a network that has learned from samples of one step, six steps of a sequence side by side."""
    echo, (x, y) = model(seed), data(numbers)
    echo.fit(x, y, batch_size=BATCH, state="carry", reset=starts(len(x), 1, SAMPLES, BATCH), verbose=0)
    return echo


def in_a_row(seed: int, numbers: Array, tbptt: int | tuple[int, int]) -> sw.Sequential:
    """Returns a network that has learned from six sequences side by side, with an update per step."""
    echo = model(seed)
    echo.fit(*rows(numbers), batch_size=BATCH, tbptt=tbptt, verbose=0)
    return echo


def answers_learned_only(seed: int, shown: Array, new: Array) -> Array:
    """Returns the answers of a Dense layer that reads the states of an untrained LSTM, for new sequences."""
    untrained = sw.Sequential([sw.LSTM(UNITS, return_sequences=True, input_shape=(None, NUMBERS))], seed=seed)
    reader = sw.Sequential([sw.Dense(NUMBERS, activation="softmax")], seed=seed)
    reader.compile("adam", "sparse_categorical_crossentropy")
    states, later = (np.asarray(untrained(rows(numbers)[0])[0]) for numbers in (shown, new))
    reader.fit(states.reshape(-1, UNITS), shown[:, :-1].reshape(-1), batch_size=BATCH, verbose=0)
    return likeliest(reader.predict(later.reshape(-1, UNITS))).reshape(len(new), SAMPLES)


def trial(seed: int, *, count: int = SEQUENCES) -> Trial:
    """Runs the experiment once."""
    random = np.random.default_rng(seed)
    shown, new = sequences(random, count), sequences(random, NEW)
    x, befores = rows(new)
    echo = as_published(seed, shown)
    samples, _ = data(new)
    reset = starts(len(samples), 1, SAMPLES, BATCH)
    said = likeliest(echo.predict(samples, batch_size=BATCH, state=echo.initial_state(BATCH), reset=reset))
    said = said.reshape(befores.shape)
    present, reached = in_a_row(seed, shown, 1), in_a_row(seed, shown, (1, 2))
    return Trial(
        figures={
            "accuracy": percent(said[0], befores[0]),
            "new": percent(said, befores),
            "present": percent(likeliest(present.predict(x))[:, 1:], befores[:, 1:]),
            "left_as_it_began": percent(answers_learned_only(seed, shown, new)[:, 1:], befores[:, 1:]),
            "reached": percent(likeliest(reached.predict(x))[:, 1:], befores[:, 1:]),
        },
        answers={
            "one step ago, in a new sequence": in_words(befores[0]),
            "what the network says": in_words(said[0]),
            "memory report, as published": echo.memory_report(x[:REPORTED], befores[:REPORTED]).conclusion,
            "memory report, gradients over two steps": reached.memory_report(
                x[:REPORTED], befores[:REPORTED]
            ).conclusion,
        },
    )


RECIPE = Recipe(
    name="echo-lag-no-context",
    figures=(
        Figure(
            "accuracy",
            f"right answers on a new sequence, {SAMPLES} of them",
            published=Published(0.0, SOURCE),
            unseen=True,
        ),
        Figure("new", f"right answers on {NEW} new sequences", unseen=True),
        Figure("present", "the same if the number asked for has passed through the state", unseen=True),
        Figure("left_as_it_began", "the same if only the output layer learns, not the LSTM", unseen=True),
        Figure("reached", "the same if gradients reach that number", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=4.5,
    short={"count": 600},
)
