"""Three letters as three time steps.

Question. Does it help to show the same three letters one after another: A, then B, then C, and then to ask for D?

Framing. Each window is a sample of three time steps with one feature. The LSTM reads a letter, keeps what it makes of
it in its state, and reads the next; its answer is for the whole window. Each sample starts from a fresh state.

Expect. All of it, or all but one window. The reason, however, is not that three letters say more than one: a second
training, in which each window is its first letter repeated three times, does as well. Three steps apply the LSTM
three times to its own state. That makes a deeper network than the one step of alphabet-window, whose answer can
change more sharply along the line of letters.

Beyond. Nothing. The windows are memorized. Those left out of a training get a wrong answer, since no other window has
theirs. Most single letters and pairs get a wrong answer too: the network has only ever answered after three steps. A
window read backwards, CBA, is answered with F, as if it were CDE: the first letter outweighs the others.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.alphabet.letters import (
    LEFT_OUT,
    SOURCE,
    letter_of,
    likeliest,
    numbers,
    one_hot,
    percent,
    percent_right,
    runs,
    train_one_by_one,
    without,
)
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Published, Recipe, Trial

WINDOWS, ANSWERS = runs(3)


def data() -> tuple[Array, Array]:
    """Returns the windows ABC to WXY `[23, 3, 1]`, and what follows each `[23, 26]`."""
    return numbers("".join(WINDOWS)).reshape(-1, 3, 1), one_hot(ANSWERS)


def framing() -> Framing:
    """Returns the picture of the data."""
    return Framing.of(*data(), lambda step: letter_of(step[0]), likeliest, note="A is read as 0/26, B as 1/26, ...")


def model(seed: int) -> sw.Sequential:
    """Returns the network: 32 units that read any number of steps, and a probability for each letter."""
    return sw.Sequential([sw.LSTM(32, input_shape=(None, 1)), sw.Dense(26, activation="softmax")], seed=seed)


def trial(seed: int, *, epochs: int = 500) -> Trial:
    """Runs the experiment once."""
    x, y = data()
    network, other, single = model(seed), model(seed), model(seed)
    history = train_one_by_one(network, x, y, epochs)
    thrice = np.repeat(x[:, :1], 3, axis=1)
    train_one_by_one(single, thrice, y, epochs)
    backwards = likeliest(network.predict(x[:, ::-1]))
    left_out = np.random.default_rng(seed).choice(len(x), LEFT_OUT, replace=False)
    train_one_by_one(other, *without(left_out, x, y), epochs)
    shorter = [(numbers("".join(asked)).reshape(len(asked), -1, 1), right) for asked, right in (runs(1), runs(2))]
    return Trial(
        figures={
            "accuracy": percent_right(network, x, ANSWERS),
            "one_letter": percent_right(single, thrice, ANSWERS),
            "left_out": percent_right(other, x[left_out], likeliest(y[left_out])),
            "shorter": float(np.mean([percent_right(network, *asked) for asked in shorter])),
            "backwards": percent(backwards[:-2], ANSWERS[2:]),
        },
        answers={
            "ABC to WXY, each asked for the next letter": likeliest(network.predict(x)),
            "CBA to YXW": backwards,
        },
        curves={"loss by epoch": history.history["loss"]},
    )


RECIPE = Recipe(
    name="alphabet-timesteps",
    figures=(
        Figure("accuracy", "right answers on the 23 learned windows", published=Published(100.0, SOURCE), solved=100.0),
        Figure("one_letter", "the same, with each window its first letter repeated three times", solved=100.0),
        Figure("left_out", f"right answers on {LEFT_OUT} windows left out of a third training", unseen=True),
        Figure("shorter", "right answers on single letters and on pairs, which it never read", unseen=True),
        Figure("backwards", "windows read backwards, CBA to WVU, answered as CDE to WXY are", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=0.3,
)
