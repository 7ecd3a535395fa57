"""Two parallel series into [samples, time steps, features].

Question. How do two parallel series become the three axes that an LSTM reads? And what does the second contribute, if
the first is to be predicted?

Framing. Ten steps of two series are one sample of ten time steps with two features, `pair.reshape(1, 10, 2)`: a
feature is a series, not an earlier step. The two are stacked, `np.stack([driver, reaction], axis=1)`, `[L, 2]`, and
`sw.windows(pair, 10)` makes a sample `[10, 2]` of each run of ten. The answer is the reaction at the next step. The
driver is +1 or -1 at random; the reaction keeps 0.6 of itself, adds half of the driver's value three steps before,
and noise of 0.1.

Expect. A typical error of about 0.12 with both, near the noise of 0.1 that no forecast can beat. From the reaction
alone it could be about 0.51, that of predicting 0.6 times the last value: no more can be known, because nothing in
the reaction reveals the driver of the next step. The network's is about 0.58, no less than that of repeating the last
value, since it overfits. The curves show it, as `sw.plot_history(history, "history.png")` draws them: with both
series, training and held-out loss fall together; with the reaction alone the first keeps falling while the second, in
nearly every run, turns and rises: what is left to learn is chance, and the network memorizes it.

Beyond. The held-out quarter lies later in time, and its driver was drawn independently, so nothing of it can be
memorized.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.framing import Framing
from statewise.recipes.lifecycle.reading import by_epoch, number, typical_error
from statewise.recipes.recipe import Figure, Recipe, Trial

LENGTH, STEPS, DELAY = 600, 10, 3
KEPT, NOISE = 0.6, 0.1
DRIVER, REACTION = 0, 1


def series(seed: int) -> Array:
    """Returns the driver and the reaction side by side `[600, 2]`."""
    random = np.random.default_rng(seed)
    driver, noise = random.choice([-1.0, 1.0], LENGTH), NOISE * random.normal(size=LENGTH)
    reaction = np.zeros(LENGTH)
    for time in range(DELAY, LENGTH):
        reaction[time] = KEPT * reaction[time - 1] + 0.5 * driver[time - DELAY] + noise[time]
    return np.stack([driver, reaction], axis=1).astype(np.float32)


def data(pair: Array, features: list[int]) -> tuple[Array, Array, Array, Array]:
    """Returns samples `[N, 10, F]` of these features and answers `[N, 1]`, then those of the last quarter of time."""
    training, held_out = sw.windows(pair, STEPS).split(0.25)
    return (
        training.x[:, :, features],
        training.y[:, [REACTION]],
        held_out.x[:, :, features],
        held_out.y[:, [REACTION]],
    )


def framing() -> Framing:
    """Returns the picture of the training part."""
    x, y, _, _ = data(series(0), [DRIVER, REACTION])
    note = "a step holds the driver and the reaction; the answer is the next reaction"
    return Framing.of(x, y, lambda step: f"{step[DRIVER]:+.0f}, {step[REACTION]:.2f}", number, note=note)


def model(seed: int, features: int = 2) -> sw.Sequential:
    """Returns the network: 16 units that see `features` features per step, and after the last a number."""
    return sw.Sequential([sw.LSTM(16, input_shape=(STEPS, features)), sw.Dense(1)], seed=seed)


def lived(seed: int, pair: Array, features: list[int], epochs: int) -> tuple[float, Array, sw.History]:
    """Returns the typical error of a network that sees these features, its held-out answers, and its history."""
    x, y, held_out_x, held_out_y = data(pair, features)
    # 1. define
    network = model(seed, len(features))
    # 2. compile
    network.compile(sw.Adam(0.01), "mean_squared_error")
    # 3. fit
    history = network.fit(x, y, epochs=epochs, batch_size=32, validation_data=(held_out_x, held_out_y), verbose=0)
    # 4. evaluate
    loss = network.evaluate(held_out_x, held_out_y, return_dict=True)["loss"]
    # 5. predict
    return float(np.sqrt(loss)), network.predict(held_out_x), history


def trial(seed: int, *, epochs: int = 60) -> Trial:
    """Runs the experiment once."""
    pair = series(seed)
    error, answers, history = lived(seed, pair, [DRIVER, REACTION], epochs)
    alone, _, alone_history = lived(seed, pair, [REACTION], epochs)
    _, _, held_out_x, held_out_y = data(pair, [REACTION])
    return Trial(
        figures={
            "error": error,
            "alone": alone,
            "last_value": typical_error(held_out_x[:, -1], held_out_y),
            "kept": typical_error(KEPT * held_out_x[:, -1], held_out_y),
        },
        answers={
            f"step {LENGTH - len(answers) + index + 1}": f"{answers[index, 0]:.2f}, it was {held_out_y[index, 0]:.2f}"
            for index in range(5)
        },
        curves={**by_epoch(history), **by_epoch(alone_history, ", reaction alone")},
    )


RECIPE = Recipe(
    name="lifecycle-two-series",
    figures=(
        Figure(
            "error", "typical (root mean square) error on the last quarter", "", solved=0.2, falls=True, unseen=True
        ),
        Figure("alone", "error of a network that sees the reaction alone", "", falls=True, unseen=True),
        Figure("last_value", "error of repeating the last value", "", falls=True, unseen=True),
        Figure("kept", "error of predicting 0.6 times the last value", "", falls=True, unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=0.7,
)
