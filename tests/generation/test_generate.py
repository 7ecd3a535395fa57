"""Sequences from any model: against the model called on whole sequences, and against all continuations."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import refused
from networks import random_weights
from statewise.errors import ConfigurationError, DataError, LifecycleError, ShapeError

V, STOP = 4, 3
Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(5)
SOURCE = RNG.integers(0, V, (3, 5))
REAL = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 1, 1, 0]], bool)


def translator(*, one_hot: bool, attends: bool) -> sw.Model:
    """An encoder and a decoder of symbols, with random weights."""
    source, target = sw.Input((None,), name="source"), sw.Input((None, V) if one_hot else (None,), name="target")
    read, h, c = sw.LSTM(5, return_sequences=True, return_state=True)(sw.Embedding(V, 3)(source))
    written = target if one_hot else sw.Embedding(V, 3)(target)
    made = sw.LSTM(5, return_sequences=True)(written, initial_state=[h, c])
    if attends:
        made = sw.Concatenate()([made, sw.Attention()([made, read])])
    return trained(sw.Model({"source": source, "target": target}, sw.Dense(V, activation="softmax")(made)))


def trained(model: sw.Model) -> sw.Model:
    random_weights(model, scale=1.5)
    return model


def language_model() -> sw.Model:
    layers = [sw.Embedding(V, 3), sw.GRU(6, return_sequences=True), sw.Dense(V, activation="softmax")]
    model = sw.Sequential(layers)
    model.build((None, None))
    return trained(model)


MODELS = {
    "one-hot": lambda: translator(one_hot=True, attends=False),
    "attention": lambda: translator(one_hot=False, attends=True),
    "language-model": language_model,
}


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest) -> sw.Model:
    return MODELS[request.param]()


def options(model: sw.Model) -> dict[str, Any]:
    """What is given to a model besides the symbols that it reads."""
    if len(model.network.inputs) == 1:
        return {}
    return {"inputs": {"source": SOURCE}, "mask": {"source": REAL}}


def probabilities(model: sw.Model, row: int, symbols: list[int]) -> Array:
    """Of the symbol after `symbols`, by the model called on all of them."""
    read: Any = np.array([symbols])
    if len(model.network.inputs) == 1:
        return np.asarray(model(read)[0], np.float64)[0, -1]
    one_hot = model.network.symbols_by_input[1] is None
    x = {"source": SOURCE[[row]], "target": np.eye(V)[read] if one_hot else read}
    return np.asarray(model(x, mask={"source": REAL[[row]]})[0], np.float64)[0, -1]


def log_probability(model: sw.Model, row: int, start: list[int], symbols: tuple[int, ...]) -> float:
    total, before = 0.0, list(start)
    for symbol in symbols:
        total += float(np.log(probabilities(model, row, before)[symbol]))
        before.append(symbol)
    return total


def test_the_most_likely_symbols_are_those_of_the_model_on_all_that_came_before(model: sw.Model) -> None:
    starts = [[0], [2, 1, 0], [1, 2]]
    made = sw.generate(model, starts, 6, **options(model))
    for row, start in enumerate(starts):
        before = list(start)
        for _ in range(6):
            before.append(int(np.argmax(probabilities(model, row, before))))
        assert made.sequences[row].tolist() == before[len(start) :]
        expected = log_probability(model, row, start, tuple(before[len(start) :]))
        assert made.scores[row] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.5])
def test_with_enough_beams_it_finds_the_best_of_all_that_may_stop(model: sw.Model, penalty: float) -> None:
    made = sw.generate(model, [[0], [1], [2]], 3, beams=V**3, stop=STOP, length_penalty=penalty, **options(model))
    for row in range(3):
        scores: dict[tuple[int, ...], float] = {}
        for symbols in product(range(V), repeat=3):
            ended = symbols[: symbols.index(STOP) + 1] if STOP in symbols else symbols
            if ended not in scores:
                scores[ended] = log_probability(model, row, [row], ended) / len(ended) ** penalty
        best = max(scores, key=lambda ended: scores[ended])
        assert made.sequences[row].tolist() == [symbol for symbol in best if symbol != STOP]
        assert made.scores[row] == pytest.approx(scores[best], abs=1e-4)


def test_more_beams_find_nothing_less_likely_than_one(model: sw.Model) -> None:
    alone, several = (sw.generate(model, 0, 70, beams=beams, **options(model)) for beams in (1, 4))
    assert (several.scores >= alone.scores - 1e-3).all()
    assert all(len(row) == 70 for row in several.sequences)


@pytest.mark.parametrize("beams", [1, 3])
def test_the_state_goes_on_from_there(model: sw.Model, beams: int) -> None:
    """One more symbol by the state and the last symbol is the same as by everything again."""
    made = sw.generate(model, 1, 4, beams=beams, **options(model))
    for row, symbols in enumerate(made.sequences):
        expected = probabilities(model, row, [1, *symbols.tolist()])
        before: Any = np.array([[1, *symbols[:-1]]])
        assert made.state.batch == len(made.sequences)
        again = probabilities(model, row, before[0].tolist())
        assert np.argmax(again) == symbols[-1] or beams > 1
        if len(model.network.inputs) == 1:
            y, _ = model(np.array([[0]]), made.state.rows(row))
            whole, _ = model(np.array([[1, *symbols.tolist(), 0]]))
            assert np.allclose(y[0, -1], whole[0, -1], atol=1e-5)
        assert expected.shape == (V,)


def test_a_row_that_stopped_keeps_its_state() -> None:
    model = language_model()
    made = sw.generate(model, [[0], [1], [2]], 30, stop=STOP, temperature=1.0, seed=4)
    assert len({len(row) for row in made.sequences}) > 1
    for row, symbols in enumerate(made.sequences):
        if len(symbols) < 30:
            _, state = model(np.array([[row, *symbols.tolist()]]))
            assert np.allclose(made.state.rows(row)["gru"].h, state["gru"].h, atol=1e-5)


def test_symbols_are_drawn_with_the_models_probabilities() -> None:
    model = language_model()
    expected = probabilities(model, 0, [2])
    made = sw.generate(model, np.full((4000, 1), 2), 1, temperature=1.0, seed=1)
    found = np.bincount(np.concatenate(made.sequences), minlength=V) / 4000
    assert np.abs(found - expected).max() < 4 * np.sqrt(0.25 / 4000)
    few = sw.generate(model, np.full((10, 1), 2), 1, temperature=1.0, seed=1)
    assert [row.tolist() for row in few.sequences] == [row.tolist() for row in made.sequences[:10]]
    top = sw.generate(model, np.full((50, 1), 2), 20, temperature=1.0, top_k=1)
    assert all(np.array_equal(row, top.sequences[0]) for row in top.sequences)


def test_mistakes() -> None:
    model, plain = language_model(), translator(one_hot=False, attends=False)
    fresh = sw.Sequential([sw.Embedding(V, 3), sw.LSTM(2, return_sequences=True), sw.Dense(V, activation="softmax")])
    fresh.build((None, None))
    refused(lambda: sw.generate(fresh, 0, 3), LifecycleError, ["never trained"])
    refused(lambda: sw.generate(model, 0, 3, beams=2, temperature=1.0), ConfigurationError, ["beams", "temperature"])
    refused(lambda: sw.generate(model, 0, 3, length_penalty=1.0), ConfigurationError, ["length_penalty", "beams=4"])
    refused(lambda: sw.generate(model, 0, 3, stop=V), ConfigurationError, ["stop", "0 .. 3"])
    refused(lambda: sw.generate(model, 0, 3, feed="x"), ConfigurationError, ["feed", "'input'"])
    refused(lambda: sw.generate(model, [[V]], 3), DataError, ["start", "0 .. 3"])
    refused(lambda: sw.generate(model, [0, 1], 3), ShapeError, ["start", "[B, T]"])
    refused(lambda: sw.generate(plain, 0, 3), ShapeError, ["'source'", "missing"])
    wrong = {"source": SOURCE, "target": SOURCE}
    refused(lambda: sw.generate(plain, 0, 3, inputs=wrong), ConfigurationError, ["'target'", "give start"])
    head = trained(sw.Sequential([sw.LSTM(2, input_shape=(None, 3)), sw.Dense(V, activation="softmax")]))
    refused(lambda: sw.generate(head, 0, 3), ConfigurationError, ["each step", "return_sequences=True"])


def test_a_network_that_looks_ahead_cannot_go_on() -> None:
    layers = [
        sw.Embedding(V, 3, input_shape=(None,)),
        sw.Bidirectional(sw.LSTM(2, return_sequences=True)),
        sw.Dense(V, activation="softmax"),
    ]
    refused(lambda: sw.generate(trained(sw.Sequential(layers)), 0, 3), ConfigurationError, ["'bidirectional'"])
    x = sw.Input((None,))
    h = sw.LSTM(3, return_sequences=True)(sw.Embedding(V, 3)(x))
    attends = sw.Model(x, sw.Dense(V, activation="softmax")(sw.Attention(causal=True)([h, h])))
    refused(lambda: sw.generate(trained(attends), 0, 3), ConfigurationError, ["'attention'", "window"])
    x, other = sw.Input((None,), name="x"), sw.Input((None, 2), name="weather", axis="x")
    h = sw.LSTM(3, return_sequences=True)(sw.Concatenate()([sw.Embedding(V, 3)(x), other]))
    moving = trained(sw.Model([x, other], sw.Dense(V, activation="softmax")(h)))
    given = {"weather": np.zeros((1, 1, 2))}
    refused(lambda: sw.generate(moving, 0, 3, inputs=given), ConfigurationError, ["'weather'", "not known"])
