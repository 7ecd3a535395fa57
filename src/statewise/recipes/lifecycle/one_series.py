"""One series into [samples, time steps, features].

Question. How does one series become the three axes that an LSTM reads? And does the network predict the next value
better than repeating the last one, which costs nothing and is often hard to beat?

Framing. Ten values in a row can be one sample of ten time steps with one feature, `series.reshape(1, 10, 1)`. One
sample is too few to learn from: `sw.windows(series, 10)` makes one of each run of ten, `[N, 10]`, with the value
after it as the answer, `[N]`; the feature axis is added at the end. Each window starts from a fresh state, so its ten
steps are all that it knows. `split` cuts at a point in time, so that no value lies on both sides; otherwise the test
would not be one.

Expect. A typical error of about 0.13, compared with 0.41 for repeating the last value; no forecast can be below the
noise, 0.1. But a weighted sum of the ten values, found without any training, has about 0.12: sines are easy for it,
and an LSTM is not always what a series needs. Always try both. `sw.plot_history(history, "history.png")` draws the
training and the held-out loss; while both fall, more epochs help.

Beyond. The held-out quarter lies later in time, but its values are of the same kind. If they were 2 higher, the error
would be about 1.6, and that of repeating the last value still 0.41: the network knows only the range it was shown.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.framing import Framing
from statewise.recipes.lifecycle.reading import by_epoch, number, typical_error
from statewise.recipes.recipe import Figure, Recipe, Trial

LENGTH, STEPS = 400, 10
NOISE = 0.1


def series(seed: int) -> Array:
    """Returns two sines of different periods and noise: 400 values."""
    time = np.arange(LENGTH)
    swing = np.sin(2 * np.pi * time / 20) + 0.5 * np.sin(2 * np.pi * time / 7)
    return (swing + NOISE * np.random.default_rng(seed).normal(size=LENGTH)).astype(np.float32)


def data(values: Array) -> tuple[Array, Array, Array, Array]:
    """Returns samples `[N, 10, 1]` and answers `[N, 1]`, then those of the last quarter of the time."""
    training, held_out = sw.windows(values, STEPS).split(0.25)
    return training.x[:, :, None], training.y[:, None], held_out.x[:, :, None], held_out.y[:, None]


def framing() -> Framing:
    """Returns the picture of the training part."""
    x, y, _, _ = data(series(0))
    return Framing.of(x, y, number, number, note="values as they are; the next sample is one step later")


def model(seed: int) -> sw.Sequential:
    """Returns the network: 16 units that see one value a step, and after the last a number."""
    return sw.Sequential([sw.LSTM(16, input_shape=(STEPS, 1)), sw.Dense(1)], seed=seed)


def by_a_straight_rule(x: Array, y: Array, held_out_x: Array) -> Array:
    """Returns the answers `[N, 1]` of the best weighted sum of the ten values (least squares)."""
    columns = np.pad(x[:, :, 0], ((0, 0), (0, 1)), constant_values=1)
    weights, *_ = np.linalg.lstsq(columns, y)
    return np.asarray(np.pad(held_out_x[:, :, 0], ((0, 0), (0, 1)), constant_values=1) @ weights)


def trial(seed: int, *, epochs: int = 60) -> Trial:
    """Runs the experiment once."""
    x, y, held_out_x, held_out_y = data(series(seed))
    # 1. define
    network = model(seed)
    # 2. compile
    network.compile(sw.Adam(0.01), "mean_squared_error")
    # 3. fit
    history = network.fit(x, y, epochs=epochs, batch_size=32, validation_data=(held_out_x, held_out_y), verbose=0)
    # 4. evaluate
    loss = network.evaluate(held_out_x, held_out_y, return_dict=True)["loss"]
    # 5. predict
    answers = network.predict(held_out_x)
    return Trial(
        figures={
            "error": float(np.sqrt(loss)),
            "last_value": typical_error(held_out_x[:, -1], held_out_y),
            "straight_rule": typical_error(by_a_straight_rule(x, y, held_out_x), held_out_y),
            "lifted": typical_error(network.predict(held_out_x + 2), held_out_y + 2),
        },
        answers={
            f"step {LENGTH - len(answers) + index + 1}": f"{answers[index, 0]:.2f}, it was {held_out_y[index, 0]:.2f}"
            for index in range(5)
        },
        curves=by_epoch(history),
    )


RECIPE = Recipe(
    name="lifecycle-one-series",
    figures=(
        Figure(
            "error", "typical (root mean square) error on the last quarter", "", solved=0.2, falls=True, unseen=True
        ),
        Figure("last_value", "error of repeating the last value", "", falls=True, unseen=True),
        Figure("straight_rule", "error of the best weighted sum of the ten values", "", falls=True, unseen=True),
        Figure("lifted", "error of the network, where the last quarter is 2 higher", "", falls=True, unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=0.2,
)
