"""What `fit` takes, `validation_data`, `evaluate` and `predict` take too: batches that come one after another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import Action, Error, case, refused, table
from statewise.errors import ConfigurationError, DataError, ShapeError

N, SIZE, STEPS = 10, 4, 3
RNG = np.random.default_rng(4)
X = RNG.normal(size=(N, STEPS, 2)).astype(np.float32)
Y = RNG.normal(size=(N, 1)).astype(np.float32)
WEIGHT = RNG.uniform(1, 2, N).astype(np.float32)


class Loader:
    """Yields batches as lists, from the first one each time it is iterated, as PyTorch's DataLoader does."""

    def __init__(self, *arrays: Any) -> None:
        self._arrays = arrays

    def __iter__(self) -> Iterator[list[Any]]:
        for first in range(0, N, SIZE):
            yield [array[first : first + SIZE] for array in self._arrays]


def batches(*arrays: Any) -> list[tuple[Any, ...]]:
    return [tuple(batch) for batch in Loader(*arrays)]


WAYS = {"loader": Loader, "list": batches}

ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
states = pytest.mark.parametrize("state", ["fresh", "carry", "warmup:1"])


@pytest.fixture(scope="module")
def model() -> sw.Sequential:
    model = sw.Sequential([sw.LSTM(3), sw.Dense(1)], seed=2)
    model.compile(sw.SGD(0.1), "mse", ["mae"])
    model.fit(X, Y, batch_size=SIZE, epochs=1, verbose=0)
    return model


@pytest.fixture(autouse=True)
def _forget(model: sw.Sequential) -> None:
    model.reset_state()


@ways
@states
def test_evaluate_is_that_of_the_rows_together(model: sw.Sequential, way: Any, state: str) -> None:
    found = model.evaluate(way(X, Y, WEIGHT), state=state)
    left = model.state
    model.reset_state()
    expected = model.evaluate(X, Y, sample_weight=WEIGHT, batch_size=SIZE, state=state)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert (left is None) is (state != "carry")
    if left is not None and model.state is not None:
        np.testing.assert_allclose(left["lstm"].h, model.state["lstm"].h, rtol=1e-5)


@ways
@states
def test_predict_is_that_of_the_rows_together(model: sw.Sequential, way: Any, state: str) -> None:
    found, ended = model.predict(way(X, Y), state=state, return_state=True)
    left = model.state
    model.reset_state()
    expected, after = model.predict(X, batch_size=SIZE, state=state, return_state=True)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(ended["lstm"].c, after["lstm"].c, atol=1e-6)
    assert (left is None) is (state != "carry")


def test_predict_takes_batches_without_targets_and_goes_through_a_generator(model: sw.Sequential) -> None:
    found = model.predict(X[first : first + SIZE] for first in range(0, N, SIZE))
    np.testing.assert_allclose(found, model.predict(X), atol=1e-6)


def test_evaluate_goes_through_a_generator(model: sw.Sequential) -> None:
    np.testing.assert_allclose(model.evaluate(iter(Loader(X, Y))), model.evaluate(X, Y), rtol=1e-5)


def test_predict_continues_from_the_state_that_batches_left(model: sw.Sequential) -> None:
    model.predict(Loader(X[:, :2]), state="carry")
    continued = model.state
    whole = model.predict(Loader(X), state="continue")
    model.state = continued
    np.testing.assert_allclose(whole, model.predict(X, batch_size=SIZE, state="continue"), atol=1e-6)


def test_predict_of_rows_of_different_lengths_is_a_list() -> None:
    tagger = sw.Sequential([sw.LSTM(3, return_sequences=True, input_shape=(None, 2))], seed=2)
    tagger.set_weights(tagger.get_weights())
    rows = [X[0], X[1, :1], X[2, :2], X[3]]
    found = tagger.predict([(rows[:2], None), (rows[2:], None)])
    assert [len(answer) for answer in found] == [3, 1, 2, 3]
    for answer, expected in zip(found, tagger.predict(rows), strict=True):
        np.testing.assert_allclose(answer, expected, atol=1e-6)


def test_predict_of_batches_that_differ_in_their_steps_is_a_list() -> None:
    tagger = sw.Sequential([sw.LSTM(3, return_sequences=True, input_shape=(None, 2))], seed=2)
    tagger.set_weights(tagger.get_weights())
    found = tagger.predict([(X[:2], None), ([X[2], X[3, :1]], None), (X[4:6, :2], None)])
    assert [len(answer) for answer in found] == [3, 3, 3, 1, 2, 2]
    np.testing.assert_allclose(found[4], tagger.predict(X[4:5, :2])[0], atol=1e-6)


@ways
def test_validation_data_is_that_of_the_rows_together(way: Any) -> None:
    losses = []
    for held_out in (way(X, Y), (X, Y), [X, Y]):
        model = sw.Sequential([sw.LSTM(3), sw.Dense(1)], seed=2)
        model.compile(sw.SGD(0.1), "mse")
        history = model.fit(way(X, Y), epochs=2, validation_data=held_out, batch_size=SIZE, verbose=0)
        losses.append(history.history["val_loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    np.testing.assert_allclose(losses[2], losses[1], rtol=1e-5)


@table(
    case("empty", lambda: trained().predict([]), DataError, "iterable of batches is empty", "(x, y)"),
    case("none", lambda: trained().evaluate([]), DataError, "iterable of batches is empty", "(x, y)"),
    case("growing", lambda: trained().predict(iter([X[:2], X])), ShapeError, "batch 2 has 10 rows", "largest"),
    case("size", lambda: trained().predict(Loader(X), batch_size=3), ConfigurationError, "batch_size", "remove these"),
    case("mask", lambda: trained().evaluate(Loader(X, Y), mask=X > 0), ConfigurationError, "mask", "yield (x, y"),
)
def test_refused(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


def trained() -> Any:
    model = sw.Sequential([sw.LSTM(3, input_shape=(None, 2)), sw.Dense(1)], seed=2)
    model.compile("sgd", "mse")
    model.set_weights(model.get_weights())
    return model
