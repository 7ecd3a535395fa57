"""`stateful=True`: where each batch starts, against states that are carried by hand from call to call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import statewise as sw
from networks import quick_compilation
from statewise.errors import ConfigurationError, ShapeError, StateError
from statewise.legacy.callbacks import LambdaCallback
from statewise.legacy.layers import LSTM, Bidirectional, Dense
from statewise.legacy.models import Sequential
from statewise.legacy.optimizers import SGD

ROWS, STEPS, FEATURES = 2, 3, 2
Array = np.ndarray[Any, Any]
rng = np.random.default_rng(5)
X = rng.normal(size=(3 * ROWS, STEPS, FEATURES)).astype(np.float32)
Y = rng.normal(size=(3 * ROWS, 1)).astype(np.float32)
SHAPES = [(2, 12), (3, 12), (12,), (3, 8), (2, 8), (8,), (2, 1), (1,)]
WEIGHTS = [rng.normal(0, 0.7, shape).astype(np.float32) for shape in SHAPES]
KEPT = {"both": ("lstm", "lstm_1"), "first": ("lstm",), "second": ("lstm_1",)}
STILL = 1e-20
"""A learning rate that changes nothing, so that losses tell where batches started."""


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with quick_compilation():
        yield


def stack(kept: str, rows: int | None = ROWS) -> Sequential:
    model = Sequential()
    model.add(LSTM(3, return_sequences=True, stateful=kept in ("both", "first"), batch_input_shape=(rows, STEPS, 2)))
    model.add(LSTM(2, stateful=kept in ("both", "second")))
    model.add(Dense(1))
    model.compile(loss="mean_squared_error", optimizer=SGD(lr=STILL))
    model.set_weights(WEIGHTS)
    return model


@pytest.fixture(scope="module")
def models() -> dict[str, Sequential]:
    return {kept: stack(kept) for kept in KEPT}


@pytest.fixture(params=list(KEPT))
def kept(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(kept: str, models: dict[str, Sequential]) -> Sequential:
    models[kept].reset_states()
    return models[kept]


@pytest.fixture
def oracle(kept: str) -> Oracle:
    return Oracle(KEPT[kept])


class Oracle:
    """The same network as a plain one of statewise's, given each state by hand."""

    core = sw.Sequential(
        [sw.LSTM(3, return_sequences=True, input_shape=(STEPS, FEATURES)), sw.LSTM(2), sw.Dense(1)], seed=0
    )
    core.build((None, STEPS, FEATURES))
    core.set_weights(WEIGHTS)

    def __init__(self, kept: tuple[str, ...]) -> None:
        self.kept, self.state = kept, self.core.zero_state(ROWS)

    def reset(self, layer: str) -> None:
        self.state = self.state.replace(
            layer, h=np.zeros_like(self.state[layer].h), c=np.zeros_like(self.state[layer].c)
        )

    def answer(self, x: Array) -> Array:
        answers = []
        for batch in x.reshape(-1, ROWS, STEPS, FEATURES):
            for layer in {"lstm", "lstm_1"} - set(self.kept):
                self.reset(layer)
            y, self.state = self.core(batch, self.state)
            answers.append(y)
        return np.concatenate(answers)

    def loss(self, x: Array, y: Array) -> float:
        return float(((self.answer(x) - y) ** 2).mean())


def near(value: Any) -> Any:
    return pytest.approx(value, rel=2e-5, abs=1e-6)


def test_predict_goes_on_from_batch_to_batch_and_from_call_to_call(model: Sequential, oracle: Oracle) -> None:
    for part in (X, X[:ROWS], X[ROWS:]):
        np.testing.assert_allclose(model.predict(part, batch_size=ROWS), oracle.answer(part), rtol=2e-5, atol=1e-6)


def test_every_call_goes_on_where_the_one_before_ended(model: Sequential, oracle: Oracle) -> None:
    assert model.evaluate(X, Y, verbose=0) == near(oracle.loss(X, Y))
    np.testing.assert_allclose(model.predict_on_batch(X[:ROWS]), oracle.answer(X[:ROWS]), rtol=2e-5, atol=1e-6)
    assert model.train_on_batch(X[ROWS : 2 * ROWS], Y[:ROWS]) == near(oracle.loss(X[ROWS : 2 * ROWS], Y[:ROWS]))
    assert model.test_on_batch(X[:ROWS], Y[:ROWS]) == near(oracle.loss(X[:ROWS], Y[:ROWS]))
    assert model.evaluate(X, Y, verbose=0) == near(oracle.loss(X, Y))


def test_fit_goes_on_from_epoch_to_epoch_and_validation_moves_the_states(model: Sequential, oracle: Oracle) -> None:
    v, t = X[::-1][: 2 * ROWS], Y[::-1][: 2 * ROWS]
    for _ in range(2):
        history = model.fit(X, Y, epochs=2, shuffle=False, verbose=0, validation_data=(v, t)).history
        for epoch in range(2):
            assert history["loss"][epoch] == near(oracle.loss(X, Y))
            assert history["val_loss"][epoch] == near(oracle.loss(v, t))


@pytest.mark.parametrize("watched", [False, True], ids=["at once", "batch by batch"])
def test_fit_without_validation(model: Sequential, oracle: Oracle, watched: bool) -> None:
    callbacks = [LambdaCallback(on_batch_end=lambda *_: None)] if watched else []
    history = model.fit(X, Y, epochs=3, shuffle=False, verbose=0, callbacks=callbacks).history
    assert history["loss"] == near([oracle.loss(X, Y) for _ in range(3)])


def test_reset_states_in_a_callback_starts_each_epoch_afresh(model: Sequential, kept: str) -> None:
    fresh = Oracle(KEPT[kept]).loss(X, Y)
    resets = LambdaCallback(on_epoch_end=lambda *_: model.reset_states())
    history = model.fit(X, Y, epochs=2, shuffle=False, verbose=0, callbacks=[resets]).history
    assert history["loss"] == near([fresh, fresh])


def test_reset_states_starts_afresh(model: Sequential) -> None:
    first = model.predict(X)
    model.reset_states()
    np.testing.assert_array_equal(model.predict(X), first)


@pytest.mark.parametrize("place", [0, 1])
def test_one_layer_of_two_is_reset(models: dict[str, Sequential], place: int) -> None:
    model, oracle = models["both"], Oracle(KEPT["both"])
    model.reset_states()
    np.testing.assert_allclose(model.predict(X), oracle.answer(X), rtol=2e-5, atol=1e-6)
    model.layers[place].reset_states()
    oracle.reset(KEPT["both"][place])
    np.testing.assert_allclose(model.predict(X), oracle.answer(X), rtol=2e-5, atol=1e-6)


def test_a_layer_is_reset_to_given_states(models: dict[str, Sequential]) -> None:
    model, oracle = models["both"], Oracle(KEPT["both"])
    h, c = rng.normal(size=(2, ROWS, 3)).astype(np.float32)
    model.reset_states()
    model.layers[0].reset_states(states=[h, c])
    oracle.state = oracle.state.replace("lstm", h=h, c=c)
    np.testing.assert_allclose(model.predict(X), oracle.answer(X), rtol=2e-5, atol=1e-6)


def test_shuffling_trains_all_rows_in_another_order(models: dict[str, Sequential]) -> None:
    model = models["both"]
    model.reset_states()
    one, other = (model.fit(X, Y, epochs=1, verbose=0).history["loss"][0] for _ in range(2))
    assert one != other
    by_batches = model.fit(X, Y, epochs=1, shuffle="batch", verbose=0).history["loss"]
    assert np.isfinite(by_batches).all()


def test_the_weights_go_to_a_model_for_one_row(models: dict[str, Sequential]) -> None:
    single = stack("both", rows=1)
    single.set_weights(models["both"].get_weights())
    models["both"].reset_states()
    together = models["both"].predict(X[:ROWS])
    alone = []
    for row in X[:ROWS, None]:
        single.reset_states()
        alone.append(single.predict(row, batch_size=1)[0])
    np.testing.assert_allclose(alone, together, rtol=2e-5, atol=1e-6)


CALLS: dict[str, Callable[[Sequential], Any]] = {
    "fit": lambda model: model.fit(X, Y, batch_size=3, verbose=0),
    "fit, rows": lambda model: model.fit(X[:5], Y[:5], verbose=0),
    "validation": lambda model: model.fit(X, Y, validation_data=(X[:3], Y[:3]), verbose=0),
    "validation_split": lambda model: model.fit(X, Y, validation_split=0.5, verbose=0),
    "evaluate": lambda model: model.evaluate(X, Y, batch_size=1, verbose=0),
    "evaluate, rows": lambda model: model.evaluate(X[:1], Y[:1], verbose=0),
    "predict": lambda model: model.predict(X, batch_size=6),
    "predict, rows": lambda model: model.predict(X[:3]),
    "fit_generator": lambda model: model.fit_generator(iter([(X, Y)]), 1, verbose=0),
    "evaluate_generator": lambda model: model.evaluate_generator(iter([(X[:3], Y[:3])]), 1),
    "predict_generator": lambda model: model.predict_generator(iter([X[:3]]), 1),
    "train_on_batch": lambda model: model.train_on_batch(X, Y),
    "test_on_batch": lambda model: model.test_on_batch(X[:1], Y[:1]),
    "predict_classes": lambda model: model.predict_classes(X[:1]),
}


@pytest.mark.parametrize("call", CALLS)
def test_batches_of_another_size_are_refused(models: dict[str, Sequential], call: str) -> None:
    with pytest.raises(ConfigurationError, match=r"batch_input_shape says.*set_weights"):
        CALLS[call](models["both"])


def test_a_stateful_layer_needs_the_batch_size() -> None:
    model = Sequential([LSTM(2, stateful=True, input_shape=(STEPS, FEATURES)), Dense(1)])
    with pytest.raises(ConfigurationError, match="give the first layer batch_input_shape="):
        model.predict(X)


MISTAKES: list[tuple[Callable[[dict[str, Sequential]], Any], type[Exception], str]] = [
    (lambda models: models["first"].layers[1].reset_states(), StateError, r"keeps no state.*stateful=True"),
    (lambda models: models["both"].layers[0].reset_states(states=[X]), StateError, "expected h and c, got 1"),
    (lambda models: models["both"].layers[0].reset_states([X, X]), ShapeError, r"expected shape \[2, 3\]"),
    (lambda _: Bidirectional(LSTM(2, stateful=True)), AttributeError, r"Bidirectional\(stateful=\) is not supported"),
]


@pytest.mark.parametrize(("call", "kind", "message"), MISTAKES)
def test_mistakes(
    models: dict[str, Sequential], call: Callable[[dict[str, Sequential]], Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        call(models)
