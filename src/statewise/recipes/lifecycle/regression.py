"""The five steps, with a number as the answer.

Question. What are the five steps in the life of a network - define, compile, fit, evaluate, predict - when the answer
is a number? The task is as small as possible: from each of the numbers 0.0, 0.1, 0.2, ... 0.9, predict the next.

Framing. Nine samples of one time step with one feature, the number itself; the answer is a number too. Each sample
starts from a fresh state. If the answer is a number, the last layer has no activation, and the loss is the mean
squared error.

Expect. Every answer rounds to the right tenth, in every run. The loss varies from run to run: about 140 millionths on
average. The published 45 is a lucky run: one of 60 seeds was as good, and two of 60 with the gates that Keras had at
that time, `recurrent_activation="hard_sigmoid"`. There is nothing to remember in a sample of one step, and `fit`
warns about that: the LSTM acts as an ordinary network. `sw.plot_history(history, "history.png")` draws the loss.

Beyond. It has drawn a line through nine points. Between them it is right, and beyond the last one for two to nine
steps, as chance has it. Then the line bends, since no unit can output more than 1. It has not learned to add 0.1.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.framing import Framing
from statewise.recipes.lifecycle.reading import number
from statewise.recipes.recipe import Figure, Published, Recipe, Trial

SOURCE = "https://machinelearningmastery.com/5-step-life-cycle-long-short-term-memory-models-keras/"
STEP = 0.1


def pairs(numbers: Array) -> tuple[Array, Array]:
    """Returns the numbers `[N, 1, 1]`, and for each the one that is 0.1 larger `[N, 1]`."""
    x = numbers.astype(np.float32)
    return x.reshape(-1, 1, 1), x.reshape(-1, 1) + np.float32(STEP)


def data() -> tuple[Array, Array]:
    """Returns the pairs of the series 0.0 to 0.9: nine of them."""
    return pairs(np.arange(9) * STEP)


def framing() -> Framing:
    """Returns the picture of the data."""
    return Framing.of(*data(), number, number, note="a number is read and answered as it is")


def model(seed: int) -> sw.Sequential:
    """Returns the network: 10 units that see one number, and a number."""
    return sw.Sequential([sw.LSTM(10, input_shape=(1, 1)), sw.Dense(1)], seed=seed)


def percent_near(network: sw.Sequential, numbers: Array) -> float:
    """Returns for how many of the numbers, in percent, the answer rounds to the right tenth."""
    x, y = pairs(numbers)
    return 100.0 * float(np.mean(np.abs(network.predict(x) - y) < STEP / 2))


def trial(seed: int, *, epochs: int = 1000) -> Trial:
    """Runs the experiment once."""
    x, y = data()
    # 1. define
    network = model(seed)
    # 2. compile
    network.compile("adam", "mean_squared_error")
    # 3. fit
    history = network.fit(x, y, epochs=epochs, batch_size=len(x), verbose=0)
    # 4. evaluate
    loss = network.evaluate(x, y, return_dict=True)["loss"]
    # 5. predict
    answers = network.predict(x)
    return Trial(
        figures={
            "loss": 1e6 * loss,
            "rounded": percent_near(network, np.arange(9) * STEP),
            "between": percent_near(network, np.arange(8) * STEP + STEP / 2),
            "larger": percent_near(network, np.arange(9, 19) * STEP),
        },
        answers={"0.0 to 0.8, each asked for the next": " ".join(f"{answer:.3f}" for answer in answers[:, 0])},
        curves={"loss by epoch": history.history["loss"]},
    )


RECIPE = Recipe(
    name="lifecycle-regression",
    figures=(
        Figure(
            "loss",
            "mean squared error on the nine learned pairs, in millionths",
            unit="",
            published=Published(45.45, SOURCE, note="printed as 4.54527471447e-05"),
            falls=True,
        ),
        Figure(
            "rounded",
            "right answers on the nine pairs, rounded to a tenth",
            published=Published(100.0, SOURCE, note="of the nine answers that were printed"),
            solved=100.0,
        ),
        Figure("between", "right answers for 0.05, 0.15, ... 0.75", unseen=True),
        Figure("larger", "right answers for 0.9, 1.0, ... 1.8", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=0.03,
)
