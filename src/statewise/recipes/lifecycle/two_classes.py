"""The five steps, with yes or no as the answer.

Question. What are the five steps when the answer is one of two classes? The task: is the sum of ten random numbers
greater than 5? No single number decides that; the network has to keep a running sum, and nothing tells it to.

Framing. A sequence is a sample of ten time steps with one feature; the answer is 1 for yes and 0 for no. For two
classes, the last layer has one unit with a sigmoid, which outputs the probability of yes, and the loss is the binary
cross-entropy. Each sample starts from a fresh state: the sequences are unrelated.

Expect. About 96 % of new sequences right, and nearly all errors where the sum is close to 5: if it is more than 0.25
away, the answer is practically always right. The held-out loss stays near the training loss, so little was memorized:
that is what the two curves are for. `sw.plot_history(history, "history.png")` draws them.

Beyond. It has not learned what was asked, but something that amounts to the same for ten numbers: whether they are
above 0.5 on average. For twenty numbers, which it never saw, it still answers that correctly, about 85 %. Asked
whether twenty numbers from 0 to 0.5 have a sum above 5 it always says no, since all are below 0.5: no better than
guessing.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.framing import Framing
from statewise.recipes.lifecycle.reading import by_epoch, number
from statewise.recipes.recipe import Figure, Recipe, Trial

STEPS = 10
LIMIT = 5.0
CLEAR = 0.25


def data(seed: int, part: int, count: int) -> tuple[Array, Array]:
    """Returns random numbers from 0 to 1 `[N, 10, 1]`, and 1 where their sum is above 5 `[N, 1]`."""
    x = np.random.default_rng([seed, part]).uniform(0, 1, (count, STEPS, 1)).astype(np.float32)
    return x, is_above(LIMIT, x)


def is_above(limit: float, x: Array) -> Array:
    """Returns 1 where the sum of a sequence is above the limit, 0 elsewhere `[N, 1]`."""
    return (x.sum(axis=1) > limit).astype(np.float32)


def framing() -> Framing:
    """Returns the picture of the data."""
    x, y = data(0, 0, 500)
    return Framing.of(x, y, number, lambda answer: "yes" if answer[0] else "no", note="no is 0, yes is 1")


def model(seed: int) -> sw.Sequential:
    """Returns the network: 10 units that see one number a step, and after the last the probability of yes."""
    return sw.Sequential([sw.LSTM(10, input_shape=(None, 1)), sw.Dense(1, activation="sigmoid")], seed=seed)


def percent_right(network: sw.Sequential, x: Array, y: Array) -> float:
    """Returns how many sequences, in percent, are answered correctly."""
    return 100.0 * float(np.mean((network.predict(x) > 0.5) == y))


def trial(seed: int, *, epochs: int = 60) -> Trial:
    """Runs the experiment once."""
    x, y = data(seed, 0, 500)
    held_out_x, held_out_y = data(seed, 1, 500)
    new_x, new_y = data(seed, 2, 500)
    clear = np.abs(new_x.sum(axis=1)[:, 0] - LIMIT) > CLEAR
    twenty = data(seed, 3, 1000)[0].reshape(500, 2 * STEPS, 1)
    # 1. define
    network = model(seed)
    # 2. compile
    network.compile(sw.Adam(0.005), "binary_crossentropy", metrics=["accuracy"])
    # 3. fit
    history = network.fit(x, y, epochs=epochs, batch_size=20, validation_data=(held_out_x, held_out_y), verbose=0)
    # 4. evaluate
    accuracy = network.evaluate(new_x, new_y, return_dict=True)["accuracy"]
    # 5. predict
    answers = network.predict(new_x)
    return Trial(
        figures={
            "accuracy": 100.0 * accuracy,
            "clear": 100.0 * float(np.mean((answers > 0.5)[clear] == new_y[clear])),
            "average_of_twenty": percent_right(network, twenty, is_above(2 * LIMIT, twenty)),
            "sum_of_twenty": percent_right(network, twenty / 2, is_above(LIMIT, twenty / 2)),
        },
        answers={
            f"is {new_x[index].sum():.2f} above 5?": f"yes with probability {answers[index, 0]:.2f}"
            for index in range(5)
        },
        curves=by_epoch(history),
    )


RECIPE = Recipe(
    name="lifecycle-two-classes",
    figures=(
        Figure("accuracy", "right answers on 500 new sequences", solved=95.0, unseen=True),
        Figure("clear", "the same, where the sum is more than 0.25 from 5", unseen=True),
        Figure("average_of_twenty", "are twenty numbers above 0.5 on average?", unseen=True),
        Figure("sum_of_twenty", "is the sum of twenty numbers from 0 to 0.5 above 5?", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=0.5,
)
