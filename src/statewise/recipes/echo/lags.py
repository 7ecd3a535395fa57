"""Echo what was shown one, two, three or four steps ago.

Question. Does the network that echoes one step ago learn to echo further back as well? The tutorial left this as an
exercise and expected that it does.

Framing. As in echo-lag: windows of five random numbers, one-hot, in batches of 5, the state carried through each
sequence. The answer is the number one, two, three or four steps before the last, which always lies inside the window.

Expect. Not with the same amount of training: about 99.7, 49, 30 and 27 %. To keep echoing a number from four steps
ago, the network has to hold four numbers at any time and give out the oldest. It finds something easier first: at lag
4 it says the first number after a fresh start, which is right in the first of the four batches of each sequence, and
hardly ever after that. Start each sample from a fresh state, and that is right every time: 100 %. Size also helps: at
lag 2, 150 units reach about 97 % where 50 reach 49 %, with nearly five times the weights.

Beyond. All answers are for new sequences, but only a stream of 1,000 numbers, one at a time and never reset, shows
which network echoes. At lag 4 neither does: carried or fresh, it gets almost nothing right. At lags 2 and 3 the
carried one gets about 43 and 21 % right. For an echo that lasts, ask at each step: echo-extensions-sequence.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.echo.numbers import NOTE, name_of, network, percent, percent_of_stream, sequences
from statewise.recipes.echo.windows import BATCH, learn, samples, told, windows
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial

SEQUENCES, LAGS, WIDE, NEW, STREAM = 2000, (1, 2, 3, 4), 150, 100, 1000


def framing() -> Framing:
    """Returns the picture of the data, of the largest lag."""
    shown = sequences(np.random.default_rng(0), SEQUENCES)
    return Framing.of(
        *samples(shown, LAGS[-1]), name_of, str, note=f"{NOTE}; lag {LAGS[-1]} is shown", rows=6, carried=BATCH
    )


def model(seed: int, units: int = 50) -> sw.Sequential:
    """Returns the network: 50 units, or more, and a probability for each number."""
    return network(seed, units)


def trained(seed: int, numbers: Array, lag: int, *, state: str = "carry", units: int = 50) -> sw.Sequential:
    """Returns a network that has learned from the sequences, one after another."""
    echo = model(seed, units)
    learn(echo, numbers, lag, state=state)
    return echo


def trial(seed: int, *, count: int = SEQUENCES, wide: int = WIDE) -> Trial:
    """Runs the experiment once."""
    random = np.random.default_rng(seed)
    shown, new, long = sequences(random, count), sequences(random, NEW), sequences(random, 1, STREAM)[0]
    figures, streams = {}, {}
    for lag in LAGS:
        echo = trained(seed, shown, lag)
        right = told(echo, new) == windows(new, lag)[1]
        figures[f"lag_{lag}"] = 100.0 * float(right.mean())
        streams[f"lag_{lag}_stream"] = percent_of_stream(echo, long, lag)
    large, fresh = trained(seed, shown, 2, units=wide), trained(seed, shown, LAGS[-1], state="fresh")
    figures["wide_2"] = percent(told(large, new), windows(new, 2)[1])
    figures["fresh_4"] = percent(told(fresh, new, state="fresh"), windows(new, LAGS[-1])[1])
    streams["fresh_4_stream"] = percent_of_stream(fresh, long, LAGS[-1])
    batches = right.reshape(NEW, -1, BATCH).mean(axis=(0, 2))
    return Trial(
        figures | streams,
        answers={"lag 4, right in each batch of a sequence": ", ".join(f"{share:.0%}" for share in batches)},
    )


RECIPE = Recipe(
    name="echo-extensions-lags",
    figures=(
        *(Figure(f"lag_{lag}", f"lag {lag}: right answers on {NEW} new sequences", unseen=True) for lag in LAGS),
        Figure("wide_2", f"lag 2 with {WIDE} units: right answers on {NEW} new sequences", unseen=True),
        Figure("fresh_4", f"lag 4, each sample fresh: right answers on {NEW} new sequences", unseen=True),
        *(
            Figure(f"lag_{lag}_stream", f"lag {lag}: right answers on a stream of {STREAM:,} numbers", unseen=True)
            for lag in LAGS
        ),
        Figure("fresh_4_stream", f"lag 4, each sample fresh: right answers on a stream of {STREAM:,}", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=20.0,
    short={"count": 400, "wide": 50},
)
