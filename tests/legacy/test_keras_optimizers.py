"""Optimisers: Keras's words and defaults, and learning rates that can be read and changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import statewise as sw
from networks import quick_compilation
from statewise.errors import ConfigurationError, StatewiseError
from statewise.legacy import backend, dialect, optimizers
from statewise.legacy.layers import Dense
from statewise.legacy.models import Sequential
from statewise.legacy.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, Nadam, Optimizer, RMSprop

X = np.random.default_rng(1).normal(size=(4, 2)).astype(np.float32)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with quick_compilation():
        yield


def compiled(optimizer: Any) -> Sequential:
    model = Sequential([Dense(1, input_dim=2)])
    model.compile(optimizer=optimizer, loss="mse")
    return model


def update(model: Sequential) -> float:
    """By how much one update changes the first weight."""
    before = model.get_weights()[0]
    model.train_on_batch(X, X[:, :1])
    return float(abs(model.get_weights()[0] - before).max())


RATES: dict[type[Optimizer], tuple[float, float]] = {  # until TensorFlow 2, and since
    SGD: (0.01, 0.01),
    RMSprop: (0.001, 0.001),
    Adam: (0.001, 0.001),
    Adagrad: (0.01, 0.001),
    Adadelta: (1.0, 0.001),
    Adamax: (0.002, 0.001),
    Nadam: (0.002, 0.001),
}


@pytest.mark.parametrize("kind", RATES)
def test_rates_start_from_the_versions_default(kind: type[Optimizer]) -> None:
    for version, wanted in zip((dialect.KERAS2, dialect.TF_KERAS), RATES[kind], strict=True):
        with dialect.use(version):
            assert (float(kind().lr), kind().core.learning_rate) == (wanted, wanted)


@pytest.mark.parametrize("kind", RATES)
def test_optimizers_by_name_description_and_class(kind: type[Optimizer]) -> None:
    name = kind.__name__
    made = kind(lr=0.25, clipnorm=1.0)
    for given in (name, name.lower(), kind, {"class_name": name, "config": {"lr": 0.25}}, kind()):
        assert type(optimizers.get(given)) is kind
    assert made.get_config()["name"] == name
    again = kind.from_config(made.get_config())
    assert (again.core, again.get_config()) == (made.core, made.get_config())
    assert type(getattr(optimizers, name.lower())()) is kind


WORDS: list[tuple[Optimizer, Any]] = [
    (SGD(0.1, 0.9, True), sw.SGD(0.1, momentum=0.9, nesterov=True)),
    (SGD(lr=0.1, clipvalue=0.5), sw.SGD(0.1, clipvalue=0.5)),
    (Adam(learning_rate=0.1, beta_1=0.8, epsilon=None), sw.Adam(0.1, beta_1=0.8)),
    (Adam(0.1, 0.8, 0.9, 1e-6, amsgrad=False), sw.Adam(0.1, beta_1=0.8, beta_2=0.9, epsilon=1e-6)),
    (RMSprop(lr=0.1, rho=0.8), sw.RMSprop(0.1, rho=0.8)),
    (Nadam(lr=0.1), sw.Nadam(0.1, schedule_decay=0.004)),
    (Nadam(lr=0.1, schedule_decay=0.1), sw.Nadam(0.1, schedule_decay=0.1)),
    (Adam(lr=0.1, decay=0.5), sw.Adam(sw.InverseTimeDecay(0.1, 1, 0.5))),
    (SGD(optimizers.ExponentialDecay(0.1, 10, 0.5)), sw.SGD(sw.ExponentialDecay(0.1, 10, 0.5))),
    (Adam(SGD(lr=0.3).lr, name="mine"), sw.Adam(0.3)),
]


@pytest.mark.parametrize(("ours", "core"), WORDS)
def test_words_lead_to_statewises(ours: Optimizer, core: Any) -> None:
    assert ours.core == core


SETTERS: dict[str, Callable[[Optimizer, float], Any]] = {
    "lr": lambda optimizer, rate: setattr(optimizer, "lr", rate),
    "learning_rate": lambda optimizer, rate: setattr(optimizer, "learning_rate", rate),
    "assign": lambda optimizer, rate: optimizer.learning_rate.assign(rate),
    "set_value": lambda optimizer, rate: optimizer.lr.set_value(rate),
    "backend": lambda optimizer, rate: backend.set_value(optimizer.lr, rate),
}
READERS: list[Callable[[Optimizer], Any]] = [
    lambda optimizer: float(optimizer.lr),
    lambda optimizer: backend.get_value(optimizer.lr),
    lambda optimizer: optimizer.learning_rate.numpy(),
    lambda optimizer: optimizer.lr.get_value(),
    lambda optimizer: optimizer.lr * 1,
    lambda optimizer: 1 * optimizer.lr,
    lambda optimizer: optimizer.lr / 1,
    lambda optimizer: float(f"{optimizer.lr:.6f}"),
    lambda optimizer: float(repr(optimizer.lr)),
]


@pytest.mark.parametrize("name", SETTERS)
def test_the_rate_of_a_training_is_changed(name: str) -> None:
    optimizer = SGD(lr=0.1)
    SETTERS[name](optimizer, 0.2)  # before it has a model
    model = compiled(optimizer)
    weights = model.get_weights()
    first = update(model)
    SETTERS[name](model.optimizer, 0.05)
    assert [read(model.optimizer) for read in READERS] == pytest.approx([0.05] * len(READERS))
    model.set_weights(weights)
    assert update(model) == pytest.approx(first / 4, rel=1e-4)
    SETTERS[name](model.optimizer, 0.2)
    model.set_weights(weights)
    assert update(model) == pytest.approx(first, rel=1e-4)


def test_a_rate_of_nothing_is_no_end() -> None:
    model = compiled(SGD(lr=0.1))
    model.optimizer.lr = 0.0
    assert update(model) == 0
    model.optimizer.lr = 0.1
    assert update(model) > 0


def test_a_decaying_rate_is_changed_before_its_decay() -> None:
    model = compiled(SGD(lr=0.1, decay=0.5))
    for _ in range(2):
        update(model)
    assert [float(model.optimizer.lr), model.core.learning_rate] == pytest.approx([0.1, 0.05])
    model.optimizer.lr = 0.04
    assert [float(model.optimizer.lr), model.core.learning_rate] == pytest.approx([0.04, 0.02])
    update(model)
    assert model.core.learning_rate == pytest.approx(0.04 / 2.5)
    model.optimizer.lr = 0.0
    with pytest.raises(ConfigurationError, match=r"it has decayed to 0, so it cannot be set to 0\.1"):
        model.optimizer.lr = 0.1


def test_a_schedule_gives_way_to_a_number() -> None:
    model = compiled(Adam(optimizers.ExponentialDecay(0.1, 1, 0.5)))
    update(model)
    assert model.core.learning_rate == pytest.approx(0.05)
    model.optimizer.lr = 0.02
    assert model.core.learning_rate == pytest.approx(0.02)


def test_an_optimizer_of_two_models_is_two() -> None:
    shared = SGD(lr=0.1)
    first, second = compiled(shared), compiled(shared)
    second.optimizer.lr = 0.3
    assert (float(first.optimizer.lr), float(second.optimizer.lr)) == (0.1, 0.3)


MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "option": (lambda: Adam(beta=0.3), r"Adam has no option beta=: did you mean beta_"),
    "both": (lambda: SGD(lr=0.1, learning_rate=0.1), "write learning_rate= alone"),
    "places": (lambda: SGD(0.1, 0.9, 1e-6, True), "got more by position"),
    "amsgrad": (lambda: Adam(amsgrad=True), r"Adam\(amsgrad=True\) is not supported"),
    "rate": (lambda: SGD(lr=-1.0), "learning_rate"),
    "name": (lambda: optimizers.get("adamw"), "unknown optimizer 'adamw'"),
    "module": (lambda: optimizers.Ftrl, "keras.optimizers has no Ftrl"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str) -> None:
    call, message = MISTAKES[name]
    with pytest.raises(StatewiseError, match=message):
        call()


PLACES: dict[str, tuple[Any, Any, Any]] = {  # by place, and by name until TensorFlow 2, and since
    "sgd": (lambda: SGD(0.1, 0.9, 1e-6), lambda: SGD(0.1, momentum=0.9, decay=1e-6), None),
    "rmsprop": (
        lambda: RMSprop(0.1, 0.9, 0.5),
        lambda: RMSprop(0.1, rho=0.9, epsilon=0.5),
        lambda: RMSprop(0.1, rho=0.9, momentum=0.5),
    ),
    "adam": (
        lambda: Adam(0.1, 0.9, 0.99, 1e-8),
        lambda: Adam(0.1, beta_1=0.9, beta_2=0.99, epsilon=1e-8),
        lambda: Adam(0.1, beta_1=0.9, beta_2=0.99, epsilon=1e-8),
    ),
    "adagrad": (
        lambda: Adagrad(0.1, 0.5),
        lambda: Adagrad(0.1, epsilon=0.5),
        lambda: Adagrad(0.1, initial_accumulator_value=0.5),
    ),
}


@pytest.mark.parametrize("kind", PLACES)
def test_arguments_by_place_are_those_of_their_keras(kind: str) -> None:
    by_place, old, new = PLACES[kind]
    with dialect.use(dialect.KERAS2):
        assert by_place().core == old().core
    if new is not None:
        assert by_place().core == new().core


def test_a_rate_that_was_changed_stays_with_the_model() -> None:
    optimizer = Adam(0.01)
    model = compiled(optimizer)
    optimizer.lr = 0.5
    model.compile(optimizer=optimizer, loss="mse")
    assert float(model.optimizer.lr) == 0.5
    assert update(model) == pytest.approx(0.5, rel=1e-3)
    assert model.optimizer.lr * 2 - 0.25 == 0.75


def test_adagrad_begins_from_nothing_until_tensorflow_2() -> None:
    with dialect.use(dialect.KERAS2):
        assert update(compiled("adagrad")) == pytest.approx(0.01, rel=1e-3)
