"""Layers that are not trained, and weights that come from another model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import refused
from statewise.errors import ConfigurationError, FileError, LifecycleError, ShapeError

RNG = np.random.default_rng(6)
X = RNG.normal(size=(8, 5, 3)).astype("float32")
Y = RNG.normal(size=(8, 2)).astype("float32")

OPTIMIZERS: dict[str, Any] = {
    "adam": lambda: sw.Adam(0.05),
    "rmsprop": lambda: sw.RMSprop(0.05),
    "momentum": lambda: sw.SGD(0.05, momentum=0.9),
    "clipped": lambda: sw.Adam(0.05, clipnorm=0.1),
}


def made(optimizer: Any = None, **options: Any) -> sw.Sequential:
    layers = [sw.LSTM(4, return_sequences=True, **options), sw.LSTM(3), sw.Dense(2)]
    model = sw.Sequential(layers, seed=3)
    model.build((None, None, 3))
    model.compile(optimizer or sw.Adam(0.05), "mse")
    return model


def fit(model: sw.Model, epochs: int = 2) -> list[float]:
    losses: list[float] = model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0).history["loss"]
    return losses


def copies(model: sw.Model) -> dict[str, dict[str, Any]]:
    return {name: {w: np.array(a) for w, a in weights.items()} for name, weights in model.params.items()}


def moved(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> set[str]:
    return {name for name in before if any((before[name][w] != after[name][w]).any() for w in before[name])}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_frozen_weights_stay_bit_for_bit_and_the_others_learn(optimizer: str) -> None:
    """Also after the optimizer has gained momentum for them."""
    model = made(OPTIMIZERS[optimizer]())
    fit(model)
    model.freeze("lstm", "dense")
    before = copies(model)
    fit(model)
    assert moved(before, copies(model)) == {"lstm_1"}
    model.unfreeze("dense")
    before = copies(model)
    fit(model)
    assert moved(before, copies(model)) == {"lstm_1", "dense"}
    model.unfreeze()
    fit(model)
    assert moved(before, copies(model)) == {"lstm", "lstm_1", "dense"}


def test_the_gradients_of_the_others_are_what_they_were() -> None:
    whole = [made(sw.SGD(0.1)) for _ in range(2)]
    whole[0].freeze("lstm")
    for model in whole:
        model.fit(X, Y, batch_size=8, epochs=1, verbose=0)
    for name in ("lstm_1", "dense"):
        for weight, array in whole[0].params[name].items():
            np.testing.assert_allclose(array, whole[1].params[name][weight], atol=1e-7)


def test_a_layer_may_be_made_frozen(tmp_path: Path) -> None:
    model = made(trainable=False)
    before = copies(model)
    fit(model)
    assert moved(before, copies(model)) == {"lstm_1", "dense"}
    model.save(tmp_path / "model")
    again = sw.load(tmp_path / "model")
    assert isinstance(again, sw.Model)
    assert [layer.trainable for layer in again.layers] == [False, True, True]
    assert fit(again) == fit(model)


def test_a_shared_layer_is_frozen_in_all_its_uses() -> None:
    cell = sw.LSTM(3, return_sequences=True)
    model = sw.Sequential([cell, cell, sw.Dense(2)], seed=1)
    model.build((None, None, 3))
    model.compile("adam", "mse")
    model.freeze("lstm")
    before = copies(model)
    model.fit(X, np.zeros((8, 5, 2)), epochs=2, verbose=0)
    assert moved(before, copies(model)) == {"dense"}


def test_a_layer_in_a_wrapper_and_a_learned_start_are_frozen_too() -> None:
    layers = [
        sw.LSTM(3, return_sequences=True, learn_initial_state=True, trainable=False),
        sw.TimeDistributed(sw.Dense(3, trainable=False)),
        sw.LSTM(2),
    ]
    model = sw.Sequential(layers, seed=1)
    model.build((None, None, 3))
    model.compile("adam", "mse")
    before = copies(model)
    model.fit(X, Y, epochs=2, verbose=0)
    assert moved(before, copies(model)) == {"lstm_1"}


def test_penalties_of_frozen_layers_do_not_count() -> None:
    model = made(kernel_regularizer=sw.L1L2(l2=0.3))
    with_penalty = model.evaluate(X, Y)
    model.freeze("lstm")
    assert model.evaluate(X, Y) < with_penalty  # type: ignore[operator]
    assert model.network.penalty(model.params) is None


def test_it_changes_no_answer_and_shows(capsys: pytest.CaptureFixture[str]) -> None:
    model = made()
    fit(model)
    before = model.predict(X)
    model.freeze("lstm*")
    assert (model.predict(X) == before).all()
    model.summary()
    shown = capsys.readouterr().out
    assert shown.count("LSTM, frozen") == 2
    frozen = sum(weight.size for name in ("lstm", "lstm_1") for weight in model.params[name].values())
    assert f"{model.count_params()} weights in all, {frozen} of them frozen" in shown


def test_before_the_model_is_built() -> None:
    model = sw.Sequential([sw.LSTM(3), sw.Dense(2)], seed=1)
    model.freeze("lstm")
    model.compile("adam", "mse")
    fit(model, 1)
    assert [layer.trainable for layer in model.layers] == [False, True]


def test_mistakes() -> None:
    model = made()
    refused(lambda: model.freeze("lstn"), ConfigurationError, ["unknown layer 'lstn'", "'lstm'"])
    refused(model.freeze, ConfigurationError, ["names of layers"])
    refused(lambda: sw.LSTM(3, trainable=1), ConfigurationError, ["trainable", "True or False"])  # type: ignore[arg-type]
    model.freeze("*")
    refused(lambda: fit(model), ConfigurationError, ["all are frozen", "model.unfreeze()"])


# ------------------------------------------------------------------------------------------- weights of another model


def test_layers_of_the_same_names_take_over_their_weights(tmp_path: Path) -> None:
    first = made()
    fit(first)
    first.save(tmp_path / "first")
    other = [sw.LSTM(4, return_sequences=True), sw.LSTM(3), sw.Dense(7, name="classes")]
    for source in (first, tmp_path / "first"):
        second = sw.Sequential(other, seed=9)
        second.build((None, None, 3))
        before = copies(second)
        assert second.load_weights(source) == ["lstm", "lstm_1"]
        for name in ("lstm", "lstm_1"):
            for weight, array in first.params[name].items():
                assert (second.params[name][weight] == array).all()
        assert (second.params["classes"]["kernel"] == before["classes"]["kernel"]).all()
    assert second.load_weights(first, "lstm_*") == ["lstm_1"]


def test_mistakes_in_loading(tmp_path: Path) -> None:
    first, second = made(), sw.Sequential([sw.LSTM(5), sw.Dense(2, name="other")])
    refused(lambda: second.load_weights(first), LifecycleError, ["does not know its input"])
    second.build((None, None, 3))
    refused(lambda: second.load_weights(first), ShapeError, ["'lstm'", "[3, 20]", "[3, 16]"])
    refused(lambda: second.load_weights(first, "other"), ConfigurationError, ["other", "dense, lstm, lstm_1"])
    refused(lambda: second.load_weights(tmp_path / "none"), FileError, ["none"])
    third = sw.Sequential([sw.GRU(5)])
    third.build((None, None, 3))
    refused(lambda: third.load_weights(first), ConfigurationError, ["gru", "the same names"])
    first.initial_state(1).save(tmp_path / "state")
    refused(lambda: second.load_weights(tmp_path / "state"), FileError, ["'state'", "expected a model"])
