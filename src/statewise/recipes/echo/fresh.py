"""Echo with and without a carried state: what does the state between samples contribute?

Question. Five steps of context contain everything that is needed to say the previous number. Does it help to carry
the state from one sample to the next? The tutorial left this as an exercise.

Framing. As in echo-lag: windows of five random numbers, one-hot, in batches of 5; the answer is the second to last.
One network learns with the state carried through each sequence, the other starts each sample from a fresh state.

Expect. On windows it does not help but costs a little: with a fresh state all new answers are right, with a carried
one about 99.7 %. A sample that always has five steps from a fresh start is the easier problem. The network need not
keep the previous number at each step, only the fourth of five: it can count.

Beyond. The difference shows as soon as something else is asked. On a stream of 1,000 numbers the network with the
carried state keeps echoing, while the other repeats about 3 % correctly. The curves show why: trained with a fresh
state, it is right at the fifth step, hardly ever before, and seldom after. A test set that is framed like the
training set does not reveal that, however unseen its data are. If a network is to run on a stream, carry the state in
training too.
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
    note = f"{NOTE}; in a second training the state is carried as in echo-lag"
    return Framing.of(x, y, name_of, str, note=note)


def model(seed: int) -> sw.Sequential:
    """Returns the network: 50 units, and a probability for each number."""
    return network(seed)


def trained(seed: int, numbers: Array, state: str) -> sw.Sequential:
    """Returns a network that has learned from the sequences with a state "carry" or "fresh"."""
    echo = model(seed)
    learn(echo, numbers, state=state)
    return echo


def by_step(echo: sw.Sequential, numbers: Array) -> list[float]:
    """Returns how many answers are right, in percent, at the 2nd, 3rd, ... step after a fresh start."""
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
            "trained fresh: % right at the 2nd, 3rd, ... step of a sequence": by_step(fresh, new),
            "trained carried: % right at the 2nd, 3rd, ... step of a sequence": by_step(carried, new),
        },
    )


RECIPE = Recipe(
    name="echo-extensions-fresh",
    figures=(
        Figure("fresh", f"right answers on {NEW} new sequences, each sample fresh", solved=100.0, unseen=True),
        Figure("carried", "the same, the state carried in training and test", unseen=True),
        Figure("fresh_stream", f"trained fresh: right answers on a stream of {STREAM:,} numbers", unseen=True),
        Figure("carried_stream", f"trained carried: right answers on a stream of {STREAM:,} numbers", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=3.5,
    short={"count": 1000},
)
