"""Echo with missing numbers: marked -1, or masked.

Question. The first windows of a sequence do not have five numbers yet, and echo-lag leaves them out. Can an LSTM
learn from them too, with -1 where nothing was shown yet, or with those steps masked? The tutorial left this as an
exercise.

Framing. 24 windows of five steps per sequence, in batches of 6, the state carried through each sequence: the first
ends with the second number, and has three steps missing. Marked, a missing step is read as 100 times -1. Masked, it
is skipped: the state passes through it unchanged. The rows of echo-lag have no gap; these, in batches of six windows
of five, do: the sample six places later begins two numbers after this one ends, so each row skips one number whenever
its state is passed on. No answer needs it, because the number asked for lies inside the sample.

Expect. Both learn them: more than 99 % of new answers are right, for windows with missing steps as for those without.
Masking with a fresh state for each sample is another matter: then about 40 % of the answers with missing steps are
right. Skipped steps make a sample shorter, and a network that starts each sample from a fresh state learns to count
to the fifth step (echo-extensions-fresh shows it), which is right for 21 samples in 24.

Beyond. All answers are for new sequences. No window had a gap in its middle in training. With the second or third of
five numbers missing, both networks answer as well as before, more than 99.5 %: the carried state has taught them to
echo at any step, so it does not matter what came before the number asked for.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.echo.numbers import (
    MISSING,
    NOTE,
    likeliest,
    name_of,
    network,
    one_hot,
    percent,
    sequences,
)
from statewise.recipes.echo.windows import STEPS, learn, samples, told, windows
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial

SEQUENCES, BATCH, NEW = 2000, 6, 100


def filled(numbers: Array) -> Array:
    """Returns sequences `[N, 29]` that begin with four missing numbers, so that 24 windows end with one of `[N, 25]`.

    >>> windows(filled(np.arange(3)[None]))[0].tolist()
    [[-1, -1, -1, 0, 1], [-1, -1, 0, 1, 2]]
    """
    return np.pad(numbers, [(0, 0), (STEPS - 1, 0)], constant_values=MISSING)


def framing() -> Framing:
    """Returns the picture of the data."""
    x, y = samples(filled(sequences(np.random.default_rng(0), SEQUENCES)))
    note = f"{NOTE}; ? is a row of -1, or skipped"
    return Framing.of(x, y, name_of, str, note=note, rows=7, carried=BATCH)


def model(seed: int, *, masked: bool = True) -> sw.Sequential:
    """Returns the network: 50 units that skip missing steps or not, and a probability for each number."""
    return network(seed, masked=masked)


def trained(seed: int, numbers: Array, *, masked: bool, state: str = "carry") -> sw.Sequential:
    """Returns a network that has learned from the sequences, one after another."""
    echo = model(seed, masked=masked)
    learn(echo, filled(numbers), state=state, batch=BATCH)
    return echo


def right(echo: sw.Sequential, numbers: Array, *, state: str = "carry") -> tuple[float, float]:
    """Returns how many answers are right, in percent: for the windows that are whole, and for the others."""
    inputs, answers = windows(filled(numbers))
    said = told(echo, filled(numbers), state=state, batch=BATCH)
    whole = (inputs != MISSING).all(axis=1)
    return percent(said[whole], answers[whole]), percent(said[~whole], answers[~whole])


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
        Figure("afresh", "masked, each sample fresh: whole windows", unseen=True),
        Figure("afresh_missing", "masked, each sample fresh, windows with missing steps", unseen=True),
        Figure("masked_hole", "masked, windows with a gap in the middle, which training never had", unseen=True),
        Figure("marked_hole", "marked, windows with a gap in the middle, which training never had", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=9.0,
    short={"count": 1000},
)
