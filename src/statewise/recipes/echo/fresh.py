"""Echo with and without carried state: what does the state between samples bring?

Question. Five steps of context hold all that is needed to say the number before. Is anything gained if the state is
carried from one sample to the next? It was left as an exercise.

Framing. As in echo-lag: windows of five random numbers, one-hot, in batches of 5; the answer is the last but one. One
network learns with the state carried through each sequence, the other starts each sample afresh.

Expect. On windows nothing is gained, a little is lost: with a fresh state all new answers are right, about 99.7 % with
a carried one. A sample that always has five steps from a fresh start is the easier problem. The network need not keep
the number before at each step, only the fourth of five: it can count.

Beyond. That shows as soon as something else is asked. On a stream of 1,000 numbers the network that was carried echoes
on and on, the other gets about 3 % back. The curves tell why: learnt afresh, it is right at the fifth step, hardly ever
before, and seldom after. A test set that is framed as the training set is, however unseen, does not find that out. If a
network is to run on a stream, carry the state in training too.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.echo.numbers import (
    NOTE,
    likeliest,
    name_of,
    network,
    one_hot,
    percent,
    percent_of_stream,
    sequences,
)
from statewise.recipes.echo.windows import learn, samples, told, windows
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial

SEQUENCES, NEW, STREAM = 2000, 100, 1000


def framing() -> Framing:
    """Returns the picture of the data."""
    x, y = samples(sequences(np.random.default_rng(0), SEQUENCES))
    note = f"{NOTE}; in a second training the state goes on as in echo-lag"
    return Framing.of(x, y, name_of, str, note=note)


def model(seed: int) -> sw.Sequential:
    """Returns the network: 50 units, and a probability for each number."""
    return network(seed)


def trained(seed: int, numbers: Array, state: str) -> sw.Sequential:
    """Returns a network that has learnt from the sequences with a state "carry" or "fresh"."""
    echo = model(seed)
    learn(echo, numbers, state=state)
    return echo


def by_step(echo: sw.Sequential, numbers: Array) -> list[float]:
    """Returns how many answers are right, in per cent, at the 2nd, 3rd, ... step after a fresh start."""
    asked_always = network(0, each_step=True)
    asked_always.set_weights(echo.get_weights())
    right = likeliest(asked_always.predict(one_hot(numbers)))[:, 1:] == numbers[:, :-1]
    return [100.0 * float(share) for share in right.mean(axis=0)]


def trial(seed: int, *, count: int = SEQUENCES) -> Trial:
    """Runs the experiment once."""
    random = np.random.default_rng(seed)
    shown, new, long = sequences(random, count), sequences(random, NEW), sequences(random, 1, STREAM)[0]
    _, answers = windows(new)
    fresh, carried = trained(seed, shown, "fresh"), trained(seed, shown, "carry")
    return Trial(
        figures={
            "fresh": percent(told(fresh, new, state="fresh"), answers),
            "carried": percent(told(carried, new), answers),
            "fresh_stream": percent_of_stream(fresh, long),
            "carried_stream": percent_of_stream(carried, long),
        },
        curves={
            "learnt afresh: % right at the 2nd, 3rd, ... step of a sequence": by_step(fresh, new),
            "learnt carried: % right at the 2nd, 3rd, ... step of a sequence": by_step(carried, new),
        },
    )


RECIPE = Recipe(
    name="echo-extensions-fresh",
    figures=(
        Figure("fresh", f"right answers on {NEW} new sequences, each sample afresh", solved=100.0, unseen=True),
        Figure("carried", "the same, the state carried in training and test", unseen=True),
        Figure("fresh_stream", f"learnt afresh: right answers on a stream of {STREAM:,} numbers", unseen=True),
        Figure("carried_stream", f"learnt carried: right answers on a stream of {STREAM:,} numbers", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=3.5,
    short={"count": 1000},
)
