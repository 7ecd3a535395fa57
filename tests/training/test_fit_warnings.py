"""What `fit` warns of: trainings that run, but cannot learn what their user most likely wants them to."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import STORY, model_of
from statewise.errors import ConfigurationError, StatewiseWarning
from statewise.training.output_checks import no_probabilities

_RNG = np.random.default_rng(41)
SERIES = _RNG.normal(size=25).astype(np.float32)
X = _RNG.normal(size=(6, 4, 2)).astype(np.float32)
ONE_STEP = X[:, :1]
Y = _RNG.normal(size=(6, 1)).astype(np.float32)
WINDOWS = np.stack([SERIES[at : at + 4, None] for at in range(6)])
CLASSES = np.array([0, 1, 2, 0, 1, 2])


def fit(model: Any, *data: Any, **options: Any) -> Any:
    """Fits without a word, from this file."""
    return model.fit(*data, verbose=0, **options)


def memory() -> Any:
    return model_of(sw.LSTM(2), sw.Dense(1))


def each_step() -> Any:
    return model_of(sw.LSTM(2, return_sequences=True), sw.Dense(1))


def lanes(steps: int = 3) -> sw.Lanes:
    return sw.lanes(SERIES, batch_size=2, steps=steps)


def warned(action: Callable[[], object]) -> list[str]:
    """Returns the warnings of an action, each of them from this file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        action()
    assert {warning.category for warning in caught} <= {StatewiseWarning}
    assert {warning.filename for warning in caught} <= {__file__}
    return [str(warning.message) for warning in caught]


Case = tuple[Callable[[], object], tuple[str, ...]]
WARNED: dict[str, Case] = {
    "one-step-fresh": (
        lambda: fit(memory(), ONE_STEP, Y),
        ("one time step", "fresh state", "nothing can be learned from earlier samples", "use longer samples"),
    ),
    "one-step-carried": (
        lambda: fit(memory(), ONE_STEP, Y, batch_size=2, state="carry"),
        ("one time step", "carried state", "no gradient reaches it", "use longer samples"),
    ),
    "one-step-batches": (
        lambda: fit(memory(), [(ONE_STEP[:3], Y[:3]), (ONE_STEP[3:], Y[3:])]),
        ("one time step", "fresh state", "use longer samples"),
    ),
    "one-step-lanes": (
        lambda: fit(each_step(), lanes(steps=1), state="carry"),
        ("one time step", "no gradient reaches it", "use longer samples"),
    ),
    "lanes-fresh": (
        lambda: fit(each_step(), lanes()),
        ("lanes continue from batch to batch", "state='carry'"),
    ),
    "weights-below-0": (
        lambda: fit(memory(), X, Y, sample_weight=[1, 1, 1, -1, 1, 1]),
        ("sample_weight", "negative", "write 0"),
    ),
    "weights-below-0-of-a-batch": (
        lambda: fit(memory(), [(X, Y), (X, Y, -np.ones(6)), (X, Y, -np.ones(6))], epochs=2),
        ("batch 2", "sample_weight", "negative"),
    ),
    "windows-split": (
        lambda: fit(memory(), WINDOWS, Y, validation_split=0.5),
        ("each row of x is the one before it shifted by 1 step", "statewise.windows(series, 4)", "leave 3 row(s) out"),
    ),
    "lanes-warming-up": (
        lambda: fit(each_step(), lanes(), state="warmup:1"),
        ("lanes continue from batch to batch", "state='carry'"),
    ),
}


@pytest.mark.parametrize(("action", "words"), WARNED.values(), ids=WARNED)
def test_a_training_that_cannot_learn_warns_once_in_one_sentence(
    action: Callable[[], object], words: tuple[str, ...]
) -> None:
    (message,) = warned(action)
    assert not [word for word in words if word not in message], message
    assert "\n" not in message
    assert ". " not in message


def test_the_warnings_tell_each_other_apart() -> None:
    assert len({warned(WARNED[name][0])[0] for name in ("one-step-fresh", "one-step-carried", "lanes-fresh")}) == 3


QUIET: dict[str, Callable[[], object]] = {
    "several-steps": lambda: fit(memory(), X, Y),
    "several-steps-carried": lambda: fit(memory(), X, Y, batch_size=2, state="carry"),
    "without-memory": lambda: fit(model_of(sw.Dense(1)), X[:, 0], Y),
    "without-memory-in-steps": lambda: fit(model_of(sw.Dense(1)), ONE_STEP, Y[:, None]),
    "one-row": lambda: fit(memory(), ONE_STEP[:1], Y[:1]),
    "lanes-carried": lambda: fit(each_step(), lanes(), state="carry"),
    "lanes-from-a-state": lambda: fit(model := each_step(), lanes(), state=_built(model).initial_state(2)),
    "lanes-in-one-batch": lambda: fit(each_step(), lanes(steps=12)),
    "windows": lambda: fit(memory(), sw.windows(SERIES, 3)),
    "windows-split": lambda: fit(memory(), sw.windows(SERIES, 3), validation_split=0.4),
    "rows-split": lambda: fit(memory(), X, Y, validation_split=0.5),
    "constant-rows-split": lambda: fit(memory(), X * 0, Y, validation_split=0.5),
    "windows-not-split": lambda: fit(memory(), WINDOWS, Y, validation_data=(WINDOWS, Y)),
    "weights": lambda: fit(memory(), X, Y, sample_weight=[0, 1, 2, 1, 1, 1]),
    "text": lambda: fit(sw.TextModel(units=3, embedding=2), STORY, epochs=1),
}


def _built(model: Any) -> Any:
    model.build((None, None, 1))
    return model


@pytest.mark.slow
@pytest.mark.parametrize("action", QUIET.values(), ids=QUIET)
def test_a_training_that_can_learn_does_not_warn(action: Callable[[], object]) -> None:
    assert warned(action) == []


# -- losses that compare probabilities ---------------------------------------------------------------------------------

CATEGORICAL, SPARSE, BINARY = "categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy"


def head_told(*layers: Any, loss: str, shape: tuple[int | None, ...] = (None, 4, 2)) -> str | None:
    """Returns what is said of a network's head, if anything is."""
    model = model_of(*layers, loss=loss)
    model.build(shape)
    return no_probabilities(model.network, model.settings.loss)


EACH: dict[str, Any] = {"return_sequences": True}
MADE: dict[str, tuple[str, list[Any]]] = {
    "dense": (CATEGORICAL, [sw.LSTM(2), sw.Dense(3, activation="softmax")]),
    "sparse": (SPARSE, [sw.LSTM(2), sw.Dense(3, activation="softmax")]),
    "binary": (BINARY, [sw.LSTM(2), sw.Dense(3, activation="sigmoid")]),
    "binary-softmax": (BINARY, [sw.LSTM(2), sw.Dense(3, activation="softmax")]),
    "categorical-sigmoid": (CATEGORICAL, [sw.LSTM(2), sw.Dense(3, activation="sigmoid")]),
    "old-sigmoid": (BINARY, [sw.LSTM(2), sw.Dense(3, activation="hard_sigmoid_keras_2")]),
    "exponential": (SPARSE, [sw.LSTM(2), sw.Dense(3, activation="exponential")]),
    "kld": ("kld", [sw.LSTM(2), sw.Dense(3, activation="softmax")]),
    "layer": (SPARSE, [sw.LSTM(2), sw.Dense(3), sw.Activation("softmax")]),
    "distributed": (SPARSE, [sw.LSTM(2, **EACH), sw.TimeDistributed(sw.Dense(3, activation="softmax"))]),
    "distributed-layer": (SPARSE, [sw.LSTM(2, **EACH), sw.Dense(3), sw.TimeDistributed(sw.Activation("softmax"))]),
    "dropout-after": (SPARSE, [sw.LSTM(2), sw.Dense(3, activation="softmax"), sw.Dropout(0.1)]),
    "laid-out": (SPARSE, [sw.LSTM(2), sw.Dense(6, activation="softmax"), sw.Reshape((2, 3))]),
    "linear-after": (SPARSE, [sw.LSTM(2), sw.Dense(3, activation="softmax"), sw.Activation("linear")]),
    "recurrent": (SPARSE, [sw.LSTM(3, activation="softmax", **EACH)]),
    "both-ends": (BINARY, [sw.Bidirectional(sw.GRU(3, activation="sigmoid"))]),
    "other-loss": ("mse", [sw.LSTM(2), sw.Dense(3)]),
    "hinge": ("categorical_hinge", [sw.LSTM(2), sw.Dense(3)]),
}
UNMADE: dict[str, tuple[str, list[Any], str]] = {
    "linear": (CATEGORICAL, [sw.LSTM(2), sw.Dense(3)], "Dense, has activation='linear'"),
    "sparse-relu": (SPARSE, [sw.LSTM(2), sw.Dense(3, activation="relu")], "write activation='softmax' in it"),
    "binary-tanh": (BINARY, [sw.LSTM(2), sw.Dense(1, activation="tanh")], "write activation='sigmoid' in it"),
    "binary-positive": (BINARY, [sw.LSTM(2), sw.Dense(1, activation="softplus")], "activation='softplus'"),
    "kld": ("kld", [sw.LSTM(2), sw.Dense(3)], "kullback_leibler_divergence"),
    "layer": (SPARSE, [sw.LSTM(2), sw.Dense(3), sw.Activation("tanh")], "Activation, has activation='tanh'"),
    "lstm": (SPARSE, [sw.LSTM(3)], "LSTM, has activation='tanh'"),
    "lstm-in-steps": (SPARSE, [sw.LSTM(3, **EACH)], "another layer after it, Dense(3, activation='softmax')"),
    "both-ends": (SPARSE, [sw.Bidirectional(sw.GRU(3))], "another layer after it, Dense(6, activation='softmax')"),
    "distributed": (SPARSE, [sw.LSTM(2, **EACH), sw.TimeDistributed(sw.Dense(3))], "Dense, has"),
    "laid-out": (SPARSE, [sw.LSTM(2), sw.Dense(6), sw.Reshape((2, 3)), sw.Dropout(0.1)], "activation='linear'"),
    "dense-after": (SPARSE, [sw.LSTM(2), sw.Dense(3, activation="softmax"), sw.Dense(3)], "activation='linear'"),
}


@pytest.mark.parametrize(("loss", "layers"), MADE.values(), ids=MADE)
def test_a_head_of_probabilities_is_not_spoken_of(loss: str, layers: list[Any]) -> None:
    assert head_told(*layers, loss=loss) is None


@pytest.mark.parametrize(("loss", "layers", "words"), UNMADE.values(), ids=UNMADE)
def test_a_head_without_probabilities_is(loss: str, layers: list[Any], words: str) -> None:
    told = head_told(*layers, loss=loss)
    assert told is not None
    assert words in told
    assert "compares probabilities" in told
    assert "\n" not in told


def test_fit_says_so() -> None:
    model = model_of(sw.LSTM(2), sw.Dense(3), loss=SPARSE)
    (message,) = warned(lambda: fit(model, X, CLASSES))
    assert message.startswith("loss='sparse_categorical_crossentropy' compares probabilities")


def test_only_training_warns() -> None:
    model = memory()
    assert len(warned(lambda: fit(model, ONE_STEP, Y))) == 1
    assert warned(lambda: (model.evaluate(ONE_STEP, Y), model.predict(ONE_STEP), model(ONE_STEP))) == []


def test_rows_with_states_of_their_own_are_not_told_that_they_start_afresh() -> None:
    """One step each, but what came before is in the state that was given."""
    model = memory()
    model.build((None, None, 2))
    messages = warned(lambda: fit(model, ONE_STEP, Y, batch_size=2, state=model.initial_state(6)))
    assert not [message for message in messages if "fresh" in message]


@pytest.mark.parametrize("data", [(X, Y), (lanes(),)], ids=["arrays", "lanes"])
def test_shuffled_rows_cannot_be_carried(data: Any) -> None:
    model = memory() if len(data) == 2 else each_step()
    options: dict[str, Any] = {"state": "carry", "shuffle": True, "batch_size": 2}
    with pytest.raises(ConfigurationError, match="shuffled rows do not continue each other; remove shuffle"):
        fit(model, *data, **options)
    assert model.history is None
