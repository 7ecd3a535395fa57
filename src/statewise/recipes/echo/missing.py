"""Echo with missing numbers: marked -1, or masked.

Question. The first windows of a sequence have no five numbers to hold, and echo-lag leaves those out. Can an LSTM learn
from them too, with -1 where nothing was shown yet, or with those steps masked? It was left as an exercise.

Framing. 24 windows of five steps a sequence, in batches of 6, the state carried through each sequence: the first ends
with the second number, and has three steps missing. Marked, a missing step is read as 100 times -1. Masked, it is
skipped: the state passes through it unchanged.

Expect. Both learn them: more than 99 % of new answers are right, of windows with missing steps as of those without. To
mask and to start each sample afresh is another matter: then about 40 % of the answers with missing steps are right.
Skipped steps make a sample shorter, and a network that starts each sample afresh learns to count to the fifth step
(echo-extensions-fresh shows it), which is true of 21 samples in 24.

Beyond. All answers are of new sequences. None had a hole in its middle in training. With the second or third of five
numbers missing both networks answer as well as before, about 99.7 %: the carried state has taught them to echo at any
step, so that it does not matter what came before the number that is asked for.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.recipes.echo.numbers import (
    LENGTH,
    MISSING,
    NOTE,
    likeliest,
    name_of,
    network,
    one_hot,
    percent,
    sequences,
    starts,
)
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial
from statewise.shapes import Array

SEQUENCES, STEPS, SAMPLES, BATCH, NEW = 2000, 5, LENGTH - 1, 6, 100


def windows(numbers: Array) -> tuple[Array, Array]:
    """Returns the five numbers `[N, 5]` up to each from the second on, -1 where there are none, and the one before."""
    padded = np.pad(numbers, [(0, 0), (STEPS - 1, 0)], constant_values=MISSING)
    found = np.lib.stride_tricks.sliding_window_view(padded, STEPS, axis=1)[:, 1:]
    return found.reshape(-1, STEPS), found[..., -2].reshape(-1)


def framing() -> Framing:
    """Returns the picture of the data."""
    inputs, answers = windows(sequences(np.random.default_rng(0), SEQUENCES))
    note = f"{NOTE}; ? is a row of -1, or skipped"
    return Framing.of(one_hot(inputs), answers, name_of, str, note=note, rows=5)


def model(seed: int, *, masked: bool = True) -> sw.Sequential:
    """Returns the network: 50 units that skip missing steps or not, and a probability for each number."""
    return network(seed, masked=masked)


def trained(seed: int, numbers: Array, *, masked: bool, state: str = "carry") -> sw.Sequential:
    """Returns a network that has learnt from the sequences, one after another."""
    echo, (inputs, answers) = model(seed, masked=masked), windows(numbers)
    reset = starts(len(inputs), STEPS, SAMPLES, BATCH)
    echo.fit(one_hot(inputs), answers, batch_size=BATCH, state=state, reset=reset, shuffle=False, verbose=0)
    return echo


def right(echo: sw.Sequential, numbers: Array, *, state: str = "carry") -> tuple[float, float]:
    """Returns how many answers are right, in per cent: to the windows that are whole, and to the others."""
    inputs, answers = windows(numbers)
    reset = starts(len(inputs), STEPS, SAMPLES, BATCH)
    start = echo.initial_state(BATCH) if state == "carry" else "fresh"
    told = likeliest(echo.predict(one_hot(inputs), batch_size=BATCH, state=start, reset=reset))
    whole = (inputs != MISSING).all(axis=1)
    return percent(told[whole], answers[whole]), percent(told[~whole], answers[~whole])


def with_a_hole(numbers: Array, random: np.random.Generator) -> tuple[Array, Array]:
    """Returns sequences of five `[N, 5]` with the second or third number missing, and the answers."""
    inputs = numbers.copy()
    inputs[np.arange(len(inputs)), random.integers(1, STEPS - 2, len(inputs))] = MISSING
    return inputs, inputs[:, -2]


def trial(seed: int, *, count: int = SEQUENCES) -> Trial:
    """Runs the experiment once."""
    random = np.random.default_rng(seed)
    shown, new = sequences(random, count), sequences(random, NEW)
    marked, masked = trained(seed, shown, masked=False), trained(seed, shown, masked=True)
    afresh = trained(seed, shown, masked=True, state="fresh")
    holes, befores = with_a_hole(sequences(random, 1000, STEPS), random)
    figures = {}
    for name, echo, state in (("masked", masked, "carry"), ("marked", marked, "carry"), ("afresh", afresh, "fresh")):
        figures[name], figures[f"{name}_missing"] = right(echo, new, state=state)
    figures["masked_hole"] = percent(likeliest(masked.predict(one_hot(holes))), befores)
    figures["marked_hole"] = percent(likeliest(marked.predict(one_hot(holes))), befores)
    return Trial(figures)


RECIPE = Recipe(
    name="echo-extensions-missing",
    figures=(
        Figure(
            "masked", f"missing steps masked: right on {NEW} new sequences, whole windows", solved=99.0, unseen=True
        ),
        Figure("masked_missing", "masked, windows with missing steps", unseen=True),
        Figure("marked", "missing steps marked -1: whole windows", unseen=True),
        Figure("marked_missing", "marked, windows with missing steps", unseen=True),
        Figure("afresh", "masked, each sample afresh: whole windows", unseen=True),
        Figure("afresh_missing", "masked, each sample afresh, windows with missing steps", unseen=True),
        Figure("masked_hole", "masked, windows with a hole in the middle, which training never had", unseen=True),
        Figure("marked_hole", "marked, windows with a hole in the middle, which training never had", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=5.0,
    short={"count": 1500},
)
