"""Files: models that are saved, loaded, and go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from networks import quick_compilation
from statewise.errors import FileError, LifecycleError, ShapeError
from statewise.legacy import dialect
from statewise.legacy.initializers import Constant
from statewise.legacy.layers import LSTM, Dense, Embedding, Flatten, RepeatVector, Reshape
from statewise.legacy.models import Sequential, load_model, model_from_json
from statewise.legacy.optimizers import Adam, ExponentialDecay
from statewise.legacy.regularizers import l2

rng = np.random.default_rng(9)
X = rng.normal(size=(4, 3, 2)).astype(np.float32)
Y = rng.normal(size=(4, 1)).astype(np.float32)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with quick_compilation():
        yield


def stack(rate: Any = 0.05) -> Sequential:
    model = Sequential([LSTM(3, batch_input_shape=(2, 3, 2), stateful=True, kernel_initializer="he_normal"), Dense(1)])
    model.compile(optimizer=Adam(lr=rate, beta_1=0.8), loss="mse", metrics=["mae"])
    return model


@pytest.fixture(scope="module")
def trained() -> Sequential:
    model = stack()
    model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    return model


def go_on(model: Sequential) -> list[Any]:
    history = model.fit(X, Y, epochs=2, shuffle=False, verbose=0).history
    return [*model.get_weights(), history["loss"]]


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5", "model.keras", "model"])
def test_training_goes_on_from_any_file(tmp_path: Path, trained: Sequential, name: str) -> None:
    trained.save(tmp_path / name)
    loaded, again = load_model(str(tmp_path / name)), load_model(tmp_path / name)
    for part, same in zip(go_on(loaded), go_on(again), strict=True):
        np.testing.assert_array_equal(part, same)


def test_a_loaded_model_trains_as_the_saved_one_does(tmp_path: Path) -> None:
    model = stack()
    model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    model.save(tmp_path / "model.h5")
    loaded = load_model(tmp_path / "model.h5")
    assert loaded.core.state is None  # states stay behind
    model.reset_states()
    for part, same in zip(go_on(loaded), go_on(model), strict=True):
        np.testing.assert_array_equal(part, same)
    assert (loaded.stateful, loaded.batch_size, loaded.metrics_names) == (True, 2, ["loss", "mae"])
    assert loaded.to_json() == model.to_json()
    assert loaded.optimizer.get_config() == model.optimizer.get_config()


def test_the_rate_is_that_of_the_end(tmp_path: Path) -> None:
    model = stack()
    model.optimizer.lr = 0.01
    model.save(tmp_path / "model.h5")
    loaded = load_model(tmp_path / "model.h5")
    assert [float(loaded.optimizer.lr), loaded.core.learning_rate] == pytest.approx([0.01, 0.01])
    loaded.optimizer.lr = 0.02
    assert loaded.core.learning_rate == pytest.approx(0.02)


def test_a_schedule_goes_on(tmp_path: Path) -> None:
    model = stack(ExponentialDecay(0.05, 2, 0.5))
    model.fit(X, Y, shuffle=False, verbose=0)
    model.save(tmp_path / "model.h5")
    assert load_model(tmp_path / "model.h5").core.learning_rate == pytest.approx(0.025)


def test_sizes_may_be_numbers_of_numpys(tmp_path: Path) -> None:
    numbers: list[Any] = [np.int64(2), np.float32(0.25)]
    two, part = numbers
    model = Sequential([Embedding(two, two, input_length=two), LSTM(two, dropout=part), RepeatVector(two), Flatten()])
    model.add(Reshape((two * two,)))
    model.add(Dense(two, kernel_initializer=Constant(part), kernel_regularizer=l2(part)))
    model.compile(Adam(lr=part, beta_1=part), "mse")
    model.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.to_json() == model.to_json()
    assert loaded.optimizer.get_config() == model.optimizer.get_config()


def test_names_of_metrics_are_kept(tmp_path: Path) -> None:
    with dialect.use(dialect.KERAS2):
        stack().save(tmp_path / "model.h5")
    assert load_model(tmp_path / "model.h5").metrics_names == ["loss", "mean_absolute_error"]


def test_weights_go_into_another_model(tmp_path: Path, trained: Sequential) -> None:
    trained.save_weights(tmp_path / "weights.h5")
    fresh = Sequential([LSTM(3), Dense(1)])  # neither built nor compiled nor stateful
    fresh.load_weights(tmp_path / "weights.h5")
    for weight, wanted in zip(fresh.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, wanted)
    again = model_from_json(trained.to_json())
    again.load_weights(str(tmp_path / "weights.h5"))
    trained.reset_states()
    np.testing.assert_allclose(again.predict(X), trained.predict(X), atol=1e-6)  # XLA's rounding differs now and then


def test_a_model_need_not_be_compiled(tmp_path: Path, trained: Sequential) -> None:
    Sequential([Dense(1, input_dim=2)]).save(tmp_path / "plain")
    assert load_model(tmp_path / "plain").predict(X[0]).shape == (3, 1)
    trained.save(tmp_path / "model.h5")
    loaded = load_model(tmp_path / "model.h5", compile=False)
    with pytest.raises(LifecycleError, match="not compiled"):
        loaded.evaluate(X, Y)


def test_a_model_whose_input_was_told_by_its_data(tmp_path: Path) -> None:
    model = Sequential([LSTM(3), Dense(1)])
    answers = model.predict(X)
    model.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(X), answers)
    loaded.pop()
    assert loaded.predict(X).shape == (4, 3)


def test_statewise_reads_the_file_too(tmp_path: Path, trained: Sequential) -> None:
    trained.save(tmp_path / "model.h5")
    plain = sw.load(tmp_path / "model.h5")
    assert isinstance(plain, sw.Sequential)
    trained.reset_states()
    np.testing.assert_array_equal(plain.predict(X[:2]), trained.predict(X[:2]))


def test_descriptions_without_weights(trained: Sequential) -> None:
    text = trained.to_json(indent=2)
    assert json.loads(text)["class_name"] == "Sequential"
    assert Sequential.from_config(trained.get_config()).output_shape == (2, 1)
    unbuilt = Sequential([LSTM(3), Dense(1)])
    assert [layer["class_name"] for layer in json.loads(unbuilt.to_json())["config"]["layers"]] == ["LSTM", "Dense"]


def hdf5(folder: Path) -> Path:
    path = folder / "keras.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(64))
    return path


def foreign(folder: Path) -> Path:
    model = sw.Sequential([sw.Dense(1, input_shape=(2,))])
    model.save(folder / "foreign")
    return folder / "foreign"


def other(folder: Path) -> Path:
    Sequential([Embedding(4, 2), LSTM(3)]).predict(np.zeros((2, 3), int))
    model = Sequential([LSTM(5, input_shape=(3, 2)), Dense(1)])
    model.save_weights(folder / "other")
    return folder / "other"


MISTAKES: dict[str, tuple[Callable[[Path], Any], type[Exception], str]] = {
    "HDF5": (lambda folder: load_model(hdf5(folder)), FileError, "HDF5 file written by Keras, which cannot be read"),
    "HDF5 weights": (lambda folder: stack().load_weights(hdf5(folder)), FileError, r"set_weights\(\.\.\.\)"),
    "missing": (lambda folder: load_model(folder / "nothing.h5"), FileError, "no model file"),
    "statewise's": (lambda folder: load_model(foreign(folder)), FileError, "statewise.load reads it"),
    "other layers": (lambda folder: stack().load_weights(other(folder)), ShapeError, "expected shapes"),
    "folder": (lambda folder: stack().save(folder / "none" / "m.h5"), FileError, "create it first"),
    "text": (lambda _: model_from_json("{"), FileError, "describes no model"),
    "list": (lambda _: model_from_json("[]"), FileError, "describes no model"),
    "by_name": (lambda folder: stack().load_weights(folder, by_name=True), AttributeError, r"layer.set_weights\("),
    "custom": (
        lambda folder: load_model(folder / "m", custom_objects={"f": hdf5}),
        AttributeError,
        "custom layers and functions are not loaded",
    ),
    "Model": (
        lambda _: model_from_json('{"class_name": "Model", "config": {}}'),
        AttributeError,
        r"a model of class Model is not supported: a stack of layers is Sequential\(\[...\]\)",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(tmp_path: Path, name: str) -> None:
    call, kind, message = MISTAKES[name]
    with pytest.raises(kind, match=message):
        call(tmp_path)


def test_a_rate_of_zero_and_a_schedule_are_kept(tmp_path: Path) -> None:
    model = stack()
    model.optimizer.lr = 0.0
    model.save(tmp_path / "zero")
    assert float(load_model(tmp_path / "zero").optimizer.lr) == 0.0
    scheduled = stack(ExponentialDecay(0.1, 10, 0.5))
    scheduled.save(tmp_path / "schedule")
    assert load_model(tmp_path / "schedule").optimizer.core == scheduled.optimizer.core


def test_what_is_random_goes_on_after_loading(trained: Sequential, tmp_path: Path) -> None:
    trained.save(tmp_path / "model")
    assert load_model(tmp_path / "model").core.epochs_done == trained.core.epochs_done > 0
