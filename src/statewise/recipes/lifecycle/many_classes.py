"""The five steps, with one of several classes as the answer.

Question. What are the five steps when the answer is one of many classes? The task: is this a sine, a square wave or a
sawtooth? Each wave has its own period and phase, and noise, so no single value gives it away.

Framing. A wave is a sample of 16 time steps with one feature; the answer is one-hot, a 1 in one of three places. For
many classes, the last layer has one unit per class with a softmax, which outputs a probability for each, and the loss
is the categorical cross-entropy. (If the answers are numbers, `[N]`, it is the sparse categorical cross-entropy;
nothing else changes.)

Expect. About 99 % of new waves right. Training and held-out loss fall together; in the end the first is near 0 and
the second stays a little above: the gap between what was memorized and what was understood. `sw.plot_history(history,
"history.png")` draws both.

Beyond. All new waves are unseen, but have the same periods: 6 to 12 steps. Of waves slower than any in training, with
periods of 12 to 24, about 89 % are still right, and of faster ones, with periods of 3 to 6, about 84 %: the network
learned the shapes more than the periods.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.framing import Framing
from statewise.recipes.lifecycle.reading import by_epoch, number
from statewise.recipes.recipe import Figure, Recipe, Trial

KINDS = ("sine", "square", "saw")
STEPS = 16
NOISE = 0.2


def data(seed: int, part: int, periods: tuple[float, float] = (6.0, 12.0)) -> tuple[Array, Array]:
    """Returns 500 waves `[500, 16, 1]` whose periods lie between two, and what each is, one-hot `[500, 3]`."""
    random = np.random.default_rng([seed, part])
    kinds = random.integers(len(KINDS), size=500)
    phase = (np.arange(STEPS) / random.uniform(*periods, (500, 1)) + random.uniform(0, 1, (500, 1))) % 1
    shapes = np.stack([np.sin(2 * np.pi * phase), np.where(phase < 0.5, 1.0, -1.0), 2 * phase - 1])
    waves = shapes[kinds, np.arange(500)] + NOISE * random.normal(size=(500, STEPS))
    return waves[:, :, None].astype(np.float32), np.eye(len(KINDS), dtype=np.float32)[kinds]


def kind_of(probabilities: Array) -> str:
    """Returns the name of the likeliest kind."""
    return KINDS[int(probabilities.argmax())]


def framing() -> Framing:
    """Returns the picture of the data."""
    return Framing.of(*data(0, 0), number, kind_of, note="sine is 1 0 0, square is 0 1 0, saw is 0 0 1")


def model(seed: int) -> sw.Sequential:
    """Returns the network: 20 units that see one value a step, and after the last a probability for each kind."""
    return sw.Sequential([sw.LSTM(20, input_shape=(STEPS, 1)), sw.Dense(3, activation="softmax")], seed=seed)


def percent_right(network: sw.Sequential, x: Array, y: Array) -> float:
    """Returns how many waves, in percent, are classified correctly."""
    return 100.0 * float(np.mean(network.predict(x).argmax(axis=-1) == y.argmax(axis=-1)))


def trial(seed: int, *, epochs: int = 40) -> Trial:
    """Runs the experiment once."""
    x, y = data(seed, 0)
    new_x, new_y = data(seed, 2)
    # 1. define
    network = model(seed)
    # 2. compile
    network.compile(sw.Adam(0.01), "categorical_crossentropy", metrics=["accuracy"])
    # 3. fit
    history = network.fit(x, y, epochs=epochs, batch_size=32, validation_data=data(seed, 1), verbose=0)
    # 4. evaluate
    accuracy = network.evaluate(new_x, new_y, return_dict=True)["accuracy"]
    # 5. predict
    answers = network.predict(new_x)
    return Trial(
        figures={
            "accuracy": 100.0 * accuracy,
            "slower": percent_right(network, *data(seed, 3, periods=(12.0, 24.0))),
            "faster": percent_right(network, *data(seed, 4, periods=(3.0, 6.0))),
        },
        answers={
            f"new wave {index + 1}, a {kind_of(new_y[index])}": f"{kind_of(answers[index])}, {answers[index].max():.1%}"
            for index in range(4)
        },
        curves=by_epoch(history),
    )


RECIPE = Recipe(
    name="lifecycle-many-classes",
    figures=(
        Figure("accuracy", "right answers on 500 new waves", solved=98.0, unseen=True),
        Figure("slower", "right answers on slower waves than in training: periods of 12 to 24", unseen=True),
        Figure("faster", "right answers on faster waves than in training: periods of 3 to 6", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=0.4,
)
