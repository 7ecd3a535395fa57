"""A small training run in the words of Keras 2: its data, its model, and what comes of it.

The very same lines run on tf-keras, which records them, and on `statewise.legacy`, which must repeat them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

EPOCHS = 12
ROWS, BATCH, SHORT, STEPS, FEATURES = 8, 4, 3, 4, 2
"""Eight rows make two batches of BATCH, or three of SHORT, of which the last has two rows."""
NOTHING = -1.0
"""What stands for "nothing here" in all features of a padded step."""

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Array]


# -------------------------------------------------------------------------------------------------- the data


def draw_data(rng: np.random.Generator) -> Arrays:
    """Inputs and targets of every kind, which the cases share."""
    x, classes = rng.normal(size=(ROWS, STEPS, FEATURES)), rng.integers(3, size=ROWS)
    ids, step_classes = rng.integers(1, 6, size=(ROWS, STEPS)), rng.integers(3, size=(ROWS, STEPS))
    gaps = np.zeros((ROWS, STEPS), bool)
    for row, padded in enumerate([[], [0], [1, 2], [3], [0, 1], [2, 3], [0, 3], [1]]):
        gaps[row, padded] = True
    data = {
        "x": x,
        "x_with_gaps": np.where(gaps[..., None], NOTHING, x),
        "x_without_row": np.where(np.arange(ROWS)[:, None, None] == 2, NOTHING, x),
        "x_flat": x[:, 0],
        "real": rng.normal(size=(ROWS, 3)),
        "real_steps": rng.normal(size=(ROWS, STEPS, 3)),
        "positive": rng.uniform(0.1, 3.0, size=(ROWS, 3)),
        "binary": rng.integers(2, size=(ROWS, 3)),
        "signs": rng.choice([-1, 1], size=(ROWS, 3)),
        "onehot": np.eye(3)[classes],
        "onehot_steps": np.eye(3)[step_classes],
        "distribution": rng.dirichlet(np.ones(3), size=ROWS),
        "row_weights": rng.uniform(0.1, 2.0, size=ROWS),
        "step_weights": rng.uniform(0.1, 2.0, size=(ROWS, STEPS)),
    }
    ids_with_gaps = np.where(gaps, 0, ids)
    numbers = {"ids": ids, "ids_with_gaps": ids_with_gaps, "classes": classes, "class_steps": step_classes[..., None]}
    return {key: array.astype(np.float32) for key, array in data.items()} | {
        key: array.astype(np.int32) for key, array in numbers.items()
    }


def draw_weights(like: list[Array], rng: np.random.Generator) -> Array:
    """Normal float32 weights of these shapes, in one row; biases too, because equal ones would hide swapped gates."""
    deviations = [weight.shape[0] ** -0.5 if weight.ndim > 1 else 0.3 for weight in like]
    drawn = [np.array(rng.normal(scale=scale, size=w.shape)) for scale, w in zip(deviations, like, strict=True)]
    return join(drawn).astype(np.float32)


def join(weights: list[Array]) -> Array:
    """All weights in one row, `[W]`."""
    return np.concatenate([np.ravel(weight) for weight in weights])


def split(row: Array, like: list[Array]) -> list[Array]:
    """Weights of these shapes, out of all of them in one row."""
    ends = np.cumsum([weight.size for weight in like])
    assert len(row) == ends[-1], f"{ends[-1]} weights, recorded are {len(row)}"
    return [part.reshape(weight.shape) for part, weight in zip(np.split(row, ends[:-1]), like, strict=True)]


# --------------------------------------------------------------------------------------------- running a case


@dataclass
class Run:
    """A case on its way: the `keras` that it runs on, its compiled model, its data, and what came out so far."""

    keras: Any
    model: Any
    data: Arrays
    x: Array
    y: Array
    results: dict[str, list[Any]] = field(default_factory=dict)

    def keep(self, key: str, value: Any) -> None:
        """Adds a value to those that are to be repeated under this key."""
        self.results.setdefault(key, []).append(np.asarray(value, np.float32))

    def fit(self, **settings: Any) -> None:
        """`model.fit`, in the given order, with its History kept."""
        history = self.model.fit(self.x, self.y, **{"verbose": 0, "shuffle": False, **settings})
        for key, values in history.history.items():
            if key != "lr":  # what the callbacks log: the change in the losses shows it
                for value in values:
                    self.keep(f"history/{key}", value)

    def look(self, batch_size: int) -> None:
        """Keeps what `predict` and `evaluate` answer."""
        self.keep("prediction", self.model.predict(self.x, batch_size=batch_size, verbose=0))
        self.keep("evaluation", self.model.evaluate(self.x, self.y, batch_size=batch_size, verbose=0))


Train = Callable[[Run], None]


def fitted(**settings: Any) -> Train:
    """One `fit` of all epochs."""
    return lambda run: run.fit(**{"epochs": EPOCHS, "batch_size": SHORT, **settings})


all_epochs = fitted()


@dataclass(frozen=True)
class Case:
    """One training run: a network, what it is compiled with, the names of its data, and the rest of the script.

    `layers` gets `keras.layers`, `optimizer` gets `keras.optimizers`. The ordinary test run includes those of `often`.
    """

    layers: Callable[[Any], list[Any]]
    optimizer: Callable[[Any], Any] = lambda optimizers: optimizers.SGD(lr=0.2, momentum=0.8)
    loss: str = "mse"
    metrics: tuple[str, ...] = ()
    x: str = "x"
    y: str = "real"
    train: Train = all_epochs
    batch_size: int = SHORT
    often: bool = False

    def build(self, keras: Any) -> Any:
        """The compiled model, with the weights that `keras` gives it."""
        model = keras.models.Sequential()
        for layer in self.layers(keras.layers):
            model.add(layer)
        model.compile(loss=self.loss, optimizer=self.optimizer(keras.optimizers), metrics=list(self.metrics))
        return model

    def run(self, keras: Any, data: Arrays, weights: Array) -> Arrays:
        """What `keras` makes of the case from these weights: histories, final weights, predictions, evaluations."""
        model = self.build(keras)
        model.set_weights(split(weights, model.get_weights()))
        run = Run(keras, model, data, data[self.x], data[self.y])
        self.train(run)
        run.results["weights"] = [join(model.get_weights())]
        run.look(self.batch_size)
        return {key: np.array(values) for key, values in run.results.items()}


# ------------------------------------------------------------------------- networks that several cases train


def regression(layers: Any) -> list[Any]:
    return [layers.LSTM(4, input_shape=(STEPS, FEATURES)), layers.Dense(3)]


def classification(layers: Any) -> list[Any]:
    return [layers.LSTM(4, input_shape=(STEPS, FEATURES)), layers.Dense(3, activation="softmax")]


REGRESSION = Case(regression)
CLASSIFICATION = Case(classification, loss="categorical_crossentropy", metrics=("acc",), y="onehot")
