"""The façade: what `Sequential` does beyond its training, which test_training.py covers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import optax
import pytest

import statewise as sw
from statewise.errors import FileError

RNG = np.random.default_rng(11)
X = RNG.normal(size=(6, 5, 2)).astype(np.float32)
Y = RNG.integers(0, 3, 6)


def classifier(seed: int = 7, **options: object) -> sw.Sequential:
    model = sw.Sequential([sw.LSTM(4), sw.Dropout(0.2), sw.Dense(3, activation="softmax")], seed=seed)
    model.compile(**{"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]} | options)  # type: ignore[arg-type]
    return model


def test_weights_are_in_keras_order_and_shape() -> None:
    model = sw.Sequential([sw.Embedding(9, 3, input_shape=(None,)), sw.LSTM(4), sw.Dense(2, use_bias=False)])
    assert [w.shape for w in model.get_weights()] == [(9, 3), (3, 16), (4, 16), (16,), (4, 2)]
    model.compile("sgd", "mse")
    model.fit(np.zeros((4, 5), int), np.zeros((4, 2)), verbose=0)  # a round through compiled code keeps the order
    assert [w.shape for w in model.get_weights()] == [(9, 3), (3, 16), (4, 16), (16,), (4, 2)]


def test_set_weights_sets_exactly_those() -> None:
    model = classifier()
    model.build((None, 5, 2))
    weights = [RNG.normal(size=w.shape).astype(np.float32) for w in model.get_weights()]
    model.set_weights(weights)
    for expected, found in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(expected, found)


def test_weights_handed_out_are_copies() -> None:
    model = classifier()
    model.build((None, 5, 2))
    model.get_weights()[0][:] = 99
    assert np.abs(model.get_weights()[0]).max() < 2


@pytest.mark.parametrize("how", ["input_shape", "build", "first data"])
def test_three_ways_to_name_the_input_give_the_same_model(how: str) -> None:
    first = sw.LSTM(4, input_shape=(5, 2)) if how == "input_shape" else sw.LSTM(4)
    model = sw.Sequential(seed=3)
    model.add(first)
    model.add(sw.Dense(3))
    if how == "build":
        model.build((None, 5, 2))
    y, _ = model(X)
    expected, _ = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(3)], seed=3)(X)
    np.testing.assert_array_equal(y, expected)


def test_a_layer_added_after_building_is_there() -> None:
    model = sw.Sequential([sw.LSTM(4)], seed=3)
    model.build((None, None, 2))
    model.add(sw.Dense(3))
    assert model(X)[0].shape == (6, 3)


def test_steps_may_vary_from_call_to_call() -> None:
    model = classifier()
    model.fit(X, Y, verbose=0)
    long = RNG.normal(size=(2, 11, 2))
    assert model.predict(long).shape == (2, 3)
    np.testing.assert_allclose(model.predict(long), model(long)[0], atol=1e-6)


def test_summary_counts_what_keras_counts(capsys: pytest.CaptureFixture[str]) -> None:
    model = sw.Sequential([sw.LSTM(32, input_shape=(3, 1)), sw.Dense(26, activation="softmax")])
    model.summary()
    printed = capsys.readouterr().out
    assert "4,352" in printed  # 4 (1 + 32 + 1) 32
    assert "858" in printed
    assert "5,210 weights in all" in printed


def test_layers_are_named_as_keras_names_them() -> None:
    layers = [sw.LSTM(4, return_sequences=True), sw.LSTM(4, name="memory", return_sequences=True), sw.LSTM(4)]
    model = sw.Sequential([*layers, sw.Dense(1)])
    model.build((None, 5, 2))
    assert model.network.names == ("lstm", "memory", "lstm_1", "dense")
    _, state = model(X)
    assert list(state) == ["lstm", "memory", "lstm_1"]


def test_evaluate_returns_a_number_a_list_or_a_dict() -> None:
    model = classifier()
    model.fit(X, Y, verbose=0)
    loss, accuracy = model.evaluate(X, Y)  # type: ignore[misc]
    assert model.evaluate(X, Y, return_dict=True) == {"loss": loss, "accuracy": accuracy}
    model.compile("adam", "sparse_categorical_crossentropy")
    assert model.evaluate(X, Y) == pytest.approx(loss)


def test_perplexity_is_the_exponential_of_the_mean_loss() -> None:
    model = classifier(metrics=["perplexity", "acc"])
    history = model.fit(X, Y, batch_size=4, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["perplexity"], np.exp(history["loss"]), rtol=1e-6)
    assert list(history) == ["loss", "perplexity", "acc"]


def test_probabilities_near_zero_keep_an_exact_loss() -> None:
    model = sw.Sequential([sw.Dense(2, activation="softmax", use_bias=False, input_shape=(1,))])
    model.set_weights([np.array([[40.0, -40.0]])])
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert model.evaluate(np.ones((1, 1)), np.array([1])) == pytest.approx(80.0)


def test_any_optax_transformation_trains() -> None:
    ours, theirs = classifier(optimizer=sw.SGD(learning_rate=0.1)), classifier(optimizer=optax.sgd(0.1))
    for model in (ours, theirs):
        model.fit(X, Y, epochs=3, batch_size=4, verbose=0)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("kind", [sw.SGD, sw.RMSprop, sw.Adam])
def test_the_learning_rate_comes_first_as_in_keras(kind: type[sw.Adam]) -> None:
    assert kind(0.25) == kind(learning_rate=0.25)


def test_an_optax_transformation_goes_on_after_loading(tmp_path: Path) -> None:
    whole, half = classifier(optimizer=(tx := optax.adamw(0.01))), classifier(optimizer=tx)
    whole.fit(X, Y, epochs=4, batch_size=4, verbose=0)
    half.fit(X, Y, epochs=2, batch_size=4, verbose=0)
    with pytest.warns(sw.StatewiseWarning, match="half.statewise lacks the optimizer, an Optax transformation"):
        half.save(tmp_path / "half.statewise")
    half.save(tmp_path / "half.statewise")  # said once
    again = sw.load(tmp_path / "half.statewise")
    assert isinstance(again, sw.Sequential)
    again.compile(tx, "sparse_categorical_crossentropy", ["accuracy"])  # no file can hold the transformation itself
    again.fit(X, Y, initial_epoch=2, epochs=4, batch_size=4, verbose=0)
    for a, b in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_compiling_another_optimiser_after_loading_starts_it_anew(tmp_path: Path) -> None:
    model = classifier(optimizer="adam")
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.statewise")
    again = sw.load(tmp_path / "m.statewise")
    assert isinstance(again, sw.Sequential)
    again.compile("rmsprop", "sparse_categorical_crossentropy")
    again.fit(X, Y, verbose=0)


def test_loading_gives_the_same_model(tmp_path: Path) -> None:
    model = classifier(optimizer=sw.Adam(learning_rate=sw.CosineDecay(0.01, 100), clipnorm=1.0))
    model.fit(X, Y, epochs=2, batch_size=3, state="carry", verbose=0)
    model.save(tmp_path / "m.statewise")
    again = sw.load(tmp_path / "m.statewise")
    assert isinstance(again, sw.Sequential)
    np.testing.assert_array_equal(model.predict(X), again.predict(X))
    assert model.evaluate(X, Y) == again.evaluate(X, Y)
    assert model.state is not None
    assert again.state is not None
    np.testing.assert_array_equal(model.state["lstm"].c, again.state["lstm"].c)
    assert again.seed == 7


def test_a_model_is_saved_before_it_is_trained_too(tmp_path: Path) -> None:
    model = sw.Sequential([sw.LSTM(4, input_shape=(5, 2))], seed=5)
    model.save(tmp_path / "m.statewise")
    again = sw.load(tmp_path / "m.statewise")
    assert isinstance(again, sw.Sequential)
    np.testing.assert_array_equal(model(X)[0], again(X)[0])


def test_a_loaded_file_without_an_array_is_refused(tmp_path: Path) -> None:
    from statewise.storage.artifact import Artifact, read_artifact, write_artifact

    model = classifier()
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.statewise")
    whole = read_artifact(tmp_path / "m.statewise")
    arrays = {name: array for name, array in whole.arrays.items() if "recurrent_kernel" not in name}
    write_artifact(tmp_path / "less.statewise", Artifact(whole.kind, whole.header, arrays))
    with pytest.raises(FileError, match=r"lacks .*recurrent_kernel"):
        sw.load(tmp_path / "less.statewise")
