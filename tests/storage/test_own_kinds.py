"""Layers, optimizers and schedules of one's own: what no file holds is said in time; what is saved can be loaded."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import statewise as sw
from learning import fit, tagger
from mistakes import refused, story
from networks import random_weights
from statewise.errors import ConfigurationError, FileError
from statewise.optimizers.optimizer import Optimizer
from statewise.storage.artifact import Artifact, write_artifact
from statewise.storage.pytrees import name_leaves
from tolerances import assert_same


@dataclass(frozen=True, kw_only=True)
class Lion(Optimizer):
    """As newcomers write one."""

    def _rule(self) -> list[optax.GradientTransformation]:
        return [optax.scale_by_lion(), optax.scale_by_learning_rate(0.01)]


class Mine(sw.LSTM):
    """A class that inherits a layer."""


class Adam(sw.Adam):
    """One that even has the name of another."""


class LSTM(sw.LSTM):
    """Another such."""


class Falling(sw.ExponentialDecay):
    """A schedule of one's own."""


OPTIMIZERS: dict[str, tuple[Any, str]] = {
    "class": (Lion(), "Lion, a custom class"),
    "namesake": (Adam(0.01), "Adam, a custom class"),
    "function": (sw.SGD(lambda step: 0.1 * 0.5**step), "SGD with a custom schedule"),
    "schedule": (sw.SGD(Falling(0.1, 10, 0.5)), "SGD with a custom schedule"),
    "optax": (optax.adamw(0.01), "an Optax transformation"),
    "noisy": (optax.noisy_sgd(0.01, key=jax.random.key(3)), "an Optax transformation"),
    "bfloat16": (optax.adam(0.01, mu_dtype=jnp.bfloat16), "an Optax transformation"),
    "injected": (optax.inject_hyperparams(optax.sgd)(learning_rate=0.01), "an Optax transformation"),
    "lookahead": (optax.MultiSteps(optax.adam(0.01), 2).gradient_transformation(), "an Optax transformation"),
}


@pytest.mark.parametrize(("optimizer", "words"), OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_model_whose_optimizer_no_file_holds_is_saved_and_loaded(optimizer: Any, words: str, tmp_path: Path) -> None:
    model = tagger(optimizer=optimizer)
    assert model.programs  # starts the optimizer
    with pytest.warns(sw.StatewiseWarning, match=words) as said:
        model.save(tmp_path / "m")
    assert [str(tmp_path / "m") in str(warning.message) for warning in said] == [True]
    model.save(tmp_path / "m")  # said once
    again = sw.load(tmp_path / "m")
    assert isinstance(again, sw.Sequential)
    assert_same(again.get_weights(), model.get_weights(), "weights")
    assert again._settings is None
    again.compile(optimizer, "sparse_categorical_crossentropy", ["accuracy"])
    assert again.programs
    found, expected = (name_leaves("", one.train_state.optimizer) for one in (again, model))
    assert_same(found, expected, "including the optimizer's state")


@pytest.mark.parametrize("optimizer", [Lion(), optax.noisy_sgd(0.01, key=jax.random.key(3))], ids=["class", "noisy"])
def test_it_trains_on_once_it_is_compiled_again(optimizer: Any, tmp_path: Path) -> None:
    model = tagger(optimizer=optimizer)
    fit(model, epochs=2)
    with pytest.warns(sw.StatewiseWarning, match="lacks the optimizer"):
        model.save(tmp_path / "m")
    again = sw.load(tmp_path / "m")
    assert isinstance(again, sw.Sequential)
    again.compile(optimizer, "sparse_categorical_crossentropy", ["accuracy"])
    for one in (model, again):
        fit(one, epochs=4, initial_epoch=2)
    assert_same(again.get_weights(), model.get_weights(), "weights after more")


def test_who_never_saves_hears_nothing_of_files(tmp_path: Path) -> None:
    """Warnings are errors in tests. A checkpoint is continued by a call that names the optimizer again."""
    for optimizer, _ in OPTIMIZERS.values():
        tagger(optimizer=optimizer)
    model = tagger(optimizer=OPTIMIZERS["class"][0])
    fit(model, checkpoint=tmp_path / "c", epochs=1)


def test_a_text_model_says_it_too(tmp_path: Path) -> None:
    model = copy.deepcopy(story())
    model.model.compile(sw.SGD(lambda _: 0.1), "sparse_categorical_crossentropy")
    with pytest.warns(sw.StatewiseWarning, match="m lacks the optimizer, SGD with a custom schedule"):
        model.save(tmp_path / "m")
    assert isinstance(sw.load(tmp_path / "m"), sw.TextModel)


# -- layers ------------------------------------------------------------------------------------------------------------

WAY_OUT = ("a custom class", "numpy.savez(path, *model.get_weights())", "set_weights")
OWN: dict[str, Any] = {
    "class": lambda: Mine(2, input_shape=(None, 2)),
    "namesake": lambda: LSTM(2, input_shape=(None, 2)),
    "inside": lambda: sw.Bidirectional(Mine(1), input_shape=(None, 2)),
}


@pytest.mark.parametrize("make", OWN.values(), ids=OWN)
@pytest.mark.filterwarnings("ignore:model.save will refuse")
def test_a_layer_of_ones_own_is_refused_by_files_and_streams_and_nothing_else(make: Any, tmp_path: Path) -> None:
    model = sw.Sequential([make(), sw.Dense(2)])
    model.compile("adam", "mse")
    random_weights(model)
    x = np.random.default_rng(3).normal(size=(4, 3, 2))
    for act in (
        lambda: model.save(tmp_path / "m"),
        lambda: model.fit(x, x[:, -1], verbose=0, checkpoint=tmp_path / "c"),
        model.stream,
    ):
        refused(act, ConfigurationError, WAY_OUT)
    assert list(tmp_path.iterdir()) == []
    np.savez(tmp_path / "w.npz", *model.get_weights())
    other = sw.Sequential([make(), sw.Dense(2)])
    with np.load(tmp_path / "w.npz") as kept:
        other.set_weights(list(kept.values()))
    assert_same(other.get_weights(), model.get_weights(), "weights")


@pytest.mark.parametrize("make", OWN.values(), ids=OWN)
def test_verify_says_what_a_layer_of_ones_own_excludes(make: Any) -> None:
    model = sw.Sequential([make(), sw.Dense(2)])
    found = model.verify(np.random.default_rng(3).normal(size=(4, 3, 2)))
    assert found.passed, found
    reasons = {check.name: check.reason for check in found.checks}
    assert "a custom class" in reasons["saved and loaded"]


def test_it_is_said_when_compiling_and_when_adding_after_that() -> None:
    model = sw.Sequential([Mine(2)])
    with pytest.warns(sw.StatewiseWarning, match="model.save will refuse a Mine, a custom class"):
        model.compile("adam", "mse")
    model = sw.Sequential([sw.Dense(2)])
    model.compile("adam", "mse")
    with pytest.warns(sw.StatewiseWarning, match="model.save will refuse a Mine"):
        model.add(Mine(2))


# -- files made with what is not known here ----------------------------------------------------------------------------


def known() -> Artifact:
    model = tagger()
    fit(model, epochs=1)
    return model.to_artifact()


def layer(header: dict[str, Any], kind: str) -> None:
    header["network"]["layers"][0]["kind"] = kind


def optimizer(header: dict[str, Any], kind: str) -> None:
    header["compiled"]["optimizer"]["kind"] = kind


def schedule(header: dict[str, Any], kind: str) -> None:
    header["compiled"]["optimizer"]["learning_rate"]["kind"] = kind


@pytest.mark.parametrize(
    ("change", "words"),
    [(layer, "a layer 'Mamba'"), (optimizer, "an optimizer 'Mamba'"), (schedule, "a schedule 'Mamba'")],
)
def test_a_file_made_with_what_is_not_known_here_is_not_called_damaged(change: Any, words: str, tmp_path: Path) -> None:
    good = known()
    header = json.loads(json.dumps(good.header))
    change(header, "Mamba")
    write_artifact(tmp_path / "m", Artifact(good.kind, header, good.arrays))
    doors: list[Any] = [sw.load, sw.Stream.open] if change is layer else [sw.load]
    for door in doors:
        with pytest.raises(FileError) as caught:
            door(tmp_path / "m")
        message = str(caught.value)
        assert str(tmp_path / "m") in message
        assert f"made with {words}, which this statewise does not know" in message
        assert "damaged" not in message


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "nadam", sw.SGD(0.1, momentum=0.9)], ids=str)
def test_another_optimizer_than_the_one_that_no_file_names_begins_fresh(optimizer: Any, tmp_path: Path) -> None:
    """And what is saved then loads: the moments of the first are not those of the second."""
    model = sw.Sequential([sw.LSTM(2), sw.Dense(1)], seed=1)
    model.compile(sw.Adam(lambda _: 1e-3), "mse")
    x = np.random.default_rng(0).normal(size=(4, 3, 2))
    model.fit(x, x.sum((1, 2)), verbose=0)
    with pytest.warns(sw.StatewiseWarning, match="lacks the optimizer"):
        model.save(tmp_path / "first")
    loaded: Any = sw.load(tmp_path / "first")
    loaded.compile(optimizer, "mse")
    loaded.save(tmp_path / "second")
    again: Any = sw.load(tmp_path / "second")
    for found in (loaded, again):
        found.fit(x, x.sum((1, 2)), verbose=0)
    np.testing.assert_array_equal(loaded.get_weights()[0], again.get_weights()[0])
