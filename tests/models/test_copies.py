"""Copies and pickles of models: whatever makes them, they answer and learn as the model does, and by themselves."""

from __future__ import annotations

import copy
import io
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optax
import pytest

import statewise as sw
from learning import fit, tagger
from mistakes import STORY
from statewise.errors import ConfigurationError, FileError
from tolerances import assert_same


def pickled(model: Any) -> Any:
    return pickle.loads(pickle.dumps(model))


def by_cloudpickle(model: Any) -> Any:
    cloudpickle = pytest.importorskip("cloudpickle")
    return pickle.loads(cloudpickle.dumps(model))


def by_joblib(model: Any) -> Any:
    joblib = pytest.importorskip("joblib")
    joblib.dump(model, kept := io.BytesIO())
    return joblib.load(io.BytesIO(kept.getvalue()))


WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": pickled,
    "oldest": lambda model: pickle.loads(pickle.dumps(model, protocol=2)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy-in-a-list": lambda model: copy.deepcopy([model, model])[1],
    "cloudpickle": by_cloudpickle,
    "joblib": by_joblib,
}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def carried() -> sw.Sequential:
    model = tagger()
    fit(model, epochs=2, state="carry")
    return model


def learn_on(model: sw.Sequential) -> tuple[Any, Any]:
    """Trains further with all that is random and has memory, from where the model stands."""
    history = fit(model, epochs=4, initial_epoch=2, state="continue")
    return model.get_weights(), history.history


@ways
def test_a_copy_is_the_model_and_learns_on_by_itself(way: Callable[[Any], Any]) -> None:
    model = carried()
    other = way(model)
    assert_same(other.get_weights(), model.get_weights(), "weights")
    assert other.state == model.state
    assert other.history.history == model.history.history  # type: ignore[union-attr]
    before = model.get_weights()
    found = learn_on(other)
    assert_same(model.get_weights(), before, "weights of the one that was copied")
    assert_same(found, learn_on(model), "training")


@ways
@pytest.mark.parametrize("compiled", [False, True])
def test_a_model_that_does_not_know_its_input_yet(way: Callable[[Any], Any], compiled: bool) -> None:
    model = sw.Sequential([sw.LSTM(3)], seed=5)
    if compiled:
        model.compile(sw.SGD(0.5), "mse")
    other = way(model)
    other.add(sw.Dense(2))
    assert len(model._stack.layers) == 1
    other.build((None, None, 2))
    assert [weight.shape for weight in other.get_weights()][-1] == (2,)
    assert (other._settings is None) is not compiled


@ways
def test_a_text_model(way: Callable[[Any], Any]) -> None:
    model = sw.TextModel(units=3, embedding=2)
    model.fit(STORY, epochs=1, verbose=0)
    model.evaluate("the mice", state="carry")
    other = way(model)
    assert other.vocabulary == model.vocabulary
    assert other.state == model.state
    assert other.generate("the ", length=9, seed=3) == model.generate("the ", length=9, seed=3)
    before = model.get_weights()
    other.fit(STORY, epochs=1, verbose=0)
    assert_same(model.get_weights(), before, "weights of the one that was copied")


@ways
def test_a_text_model_that_knows_no_text(way: Callable[[Any], Any]) -> None:
    assert way(sw.TextModel(units=3, window=2)).window == 2


class Named(sw.Sequential):
    """A user's own class, with an attribute more and a constructor of its own."""

    def __init__(self, name: str) -> None:
        super().__init__([sw.LSTM(2, input_shape=(None, 1))], seed=3)
        self.name, self.notes = name, ["first"]


@ways
def test_a_class_of_ones_own_keeps_what_it_adds(way: Callable[[Any], Any]) -> None:
    model = Named("mice")
    other = way(model)
    assert (type(other), other.name, other.notes) == (Named, "mice", ["first"])
    assert_same(other.get_weights(), model.get_weights(), "weights")


def halving(step: Any) -> Any:
    return 0.1 * 0.5**step


@ways
def test_a_function_that_pickle_finds_by_its_name_comes_along(way: Callable[[Any], Any]) -> None:
    model = tagger(optimizer=sw.SGD(halving))
    fit(model, epochs=2, state="carry")
    assert_same(learn_on(way(model)), learn_on(model), "training")


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy])
def test_copies_share_what_no_file_holds(way: Callable[[Any], Any]) -> None:
    model = tagger(optimizer=optax.adamw(0.01))
    fit(model, epochs=2, state="carry")
    assert_same(learn_on(way(model)), learn_on(model), "training")


def test_a_pickle_says_what_it_lacks_and_learns_on_once_it_is_given_that() -> None:
    model = tagger(optimizer=(adamw := optax.adamw(0.01)))
    fit(model, epochs=2, state="carry")
    with pytest.warns(sw.StatewiseWarning, match="the pickled model lacks the optimizer, an Optax transformation"):
        other = pickled(model)
    other.compile(adamw, "sparse_categorical_crossentropy", ["accuracy"])
    assert_same(learn_on(other), learn_on(model), "training")


def test_a_pickle_that_was_tampered_with_is_refused() -> None:
    held = carried().__getstate__()
    broken = object.__new__(sw.Sequential)
    with pytest.raises(FileError, match="the pickled model"):
        broken.__setstate__({**held, "file": held["file"][:-4]})


def test_a_model_with_a_layer_of_ones_own_says_why_it_cannot_be_pickled() -> None:
    class Own(sw.LSTM): ...

    model = sw.Sequential([Own(2, input_shape=(None, 1))])
    with pytest.raises(ConfigurationError, match=r"'own' is a Own, a custom class.*numpy.savez"):
        pickle.dumps(model)
    assert_same(copy.deepcopy(model).get_weights(), model.get_weights(), "weights")


def test_another_process_unpickles_it(tmp_path: Path) -> None:
    model = carried()
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    code = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')).get_weights()[0].sum())"
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, str(tmp_path / "model.pickle")]
    out = subprocess.run(command, env=here, capture_output=True, text=True, timeout=100, check=True).stdout
    np.testing.assert_allclose(float(out), model.get_weights()[0].sum(), rtol=1e-6)
