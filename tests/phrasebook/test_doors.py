"""Keras's and PyTorch's words, written as their users write them: one line each, and what it says to write works."""

from __future__ import annotations

import ast
import inspect
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import pytest

import statewise
from statewise.errors import AccessError, ArgumentError, ConfigurationError, DataError, ShapeError
from statewise.phrasebook.answer import Answer
from statewise.phrasebook.arguments import ARGUMENTS, KERAS_NAMES, OTHER_NAMES, POSITIONS
from statewise.phrasebook.attributes import ATTRIBUTES
from statewise.phrasebook.guard import guarded
from statewise.phrasebook.names import NAMES

sw: Any = statewise  # what users write is not always what the types allow

X = np.random.default_rng(1).normal(size=(4, 3, 2)).astype(np.float32)
Y = X.sum(axis=1)
TEXT = "the mice saw the cat and the mice ran"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("doors")


@pytest.fixture(scope="module")
def world(folder: Path) -> dict[str, Any]:
    """What the lines to write are written in: a trained model, its data, a text model."""
    model, each_step = (
        sw.Sequential([sw.LSTM(4, return_sequences=steps, input_shape=(None, 2)), sw.Dense(2)], seed=7)
        for steps in (False, True)
    )
    model.compile(sw.Adam(0.01), "mse")
    model.fit(X, Y, verbose=0)
    each_step.compile("adam", "mse")
    model.save(folder / "model.statewise")
    np.save(folder / "x.npy", X)
    text_model = sw.TextModel(units=3, embedding=2, seed=7)
    text_model.fit(TEXT, epochs=1, verbose=0)
    return {
        "sw": sw, "np": np, "optax": optax, "model": model, "x": X, "y": Y, "state": model.initial_state(len(X)),
        "mask": np.ones(X.shape[:2], bool), "weights": model.get_weights(), "layer": sw.LSTM(4),
        "history": model.history, "series": np.arange(20.0).reshape(10, 2), "each_step": each_step,
        "text_model": text_model, "text": TEXT,
    }  # fmt: skip


LAYERS = ("LSTM", "GRU", "SimpleRNN", "Dense", "Embedding", "Bidirectional", "Dropout", "Reshape")
RATES = ("SGD", "RMSprop", "Adam")
WITH: dict[str, dict[str, Any]] = {
    "LSTM": {"units": 4}, "GRU": {"units": 4}, "SimpleRNN": {"units": 4}, "Dense": {"units": 4},
    "Embedding": {"input_dim": 9, "output_dim": 2}, "Bidirectional": {"layer": sw.LSTM(4)}, "Dropout": {"rate": 0.5},
    "Reshape": {"target_shape": (2,)}, "Masking": {}, "Input": {"shape": (None, 2)},
    "ModelCheckpoint": {"path": "m.statewise"},
    "CSVLogger": {"path": "log.csv"}, "lanes": {"series": np.arange(9.0), "batch_size": 1, "steps": 2},
    "windows": {"series": np.arange(9.0), "length": 3}, "load": {"path": "model.statewise"},
    "Model.fit": {"x": X, "y": Y}, "Model.evaluate": {"x": X, "y": Y}, "Model.predict": {"x": X},
    "Model.__call__": {"x": X}, "Model.compile": {"loss": "mse"}, "Model.save": {"path": "m.statewise"},
    "Learner.fit": {"text": TEXT}, "TextModel.generate": {"prompt": "the"},
}  # fmt: skip
"""What else a call is given."""


def calls(key: str, world: dict[str, Any]) -> list[tuple[str, Callable[..., Any], dict[str, Any]]]:
    """Returns the name of each call that a key of the tables stands for, the call, and what else it is given."""
    kinds = {"Layer": LAYERS[:4], "Recurrent": LAYERS[:3], "Optimizer": RATES, "Learner": ("TextModel",)}
    if key == "fit":
        key = "Model.fit"
    owner, _, method = key.partition(".")
    if method:
        of = world["model" if owner == "Model" else "text_model"]
        return [("model" if method == "__call__" else method, getattr(of, method), WITH.get(key, {}))]
    return [(kind, getattr(sw, kind), WITH.get(kind, {})) for kind in kinds.get(key, (key,))]


def refused(error: type[Exception], name: str, action: Callable[[], object]) -> str:
    with pytest.raises(error) as caught:
        action()
    message = str(caught.value)
    assert "\n" not in message
    assert re.search(rf"\b{name}\b", message)
    return message


def entries(tables: dict[str, dict[str, Answer]]) -> list[Any]:
    return [
        pytest.param(key, word, answer, id=f"{key}-{word}")
        for key, table in tables.items()
        for word, answer in table.items()
    ]


class Once:
    """Runs a line to write once, however many words it answers."""

    done: set[str] = set()  # noqa: RUF012 - of the session


@pytest.mark.parametrize(("key", "word", "answer"), entries(ARGUMENTS))
def test_an_argument_of_another_library(
    key: str, word: str, answer: Answer, world: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0
    for name, call, given in calls(key, world):
        message = refused(ArgumentError, word, lambda: call(**given, **{word: 1}))  # noqa: B023 - called at once
        assert message.startswith(f"{name} has no option {word}=: ")
        if message.endswith(answer.said(name)):  # a class may have a word of its own for it
            tried += 1
            run(answer.write.replace("{call}", name), world, folder, monkeypatch)
    assert tried


@pytest.mark.parametrize(("key", "word", "answer"), entries(ATTRIBUTES))
def test_an_attribute_of_another_library(
    key: str, word: str, answer: Answer, world: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    things = {"Model": world["model"], "Layer": world["layer"], "Optimizer": sw.Adam(), "State": world["state"]}
    thing = (things | {"Callback": sw.EarlyStopping(), "Learner": world["text_model"]})[key]
    if key == "Model" and hasattr(sw.Sequential, word):  # what only a graph lacks
        thing = sw.Model(x := sw.Input((None, 2)), sw.Dense(1)(x))
    message = refused(AccessError, word, lambda: getattr(thing, word))
    assert message.startswith(f"{type(thing).__name__} has no {word}: ")
    assert not hasattr(thing, word)
    assert message.endswith(answer.said(type(thing).__name__))
    run(answer.write, world, folder, monkeypatch)


@pytest.mark.parametrize("word", NAMES)
def test_a_name_of_another_library(
    word: str, world: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = refused(AccessError, word, lambda: getattr(sw, word))
    assert message == f"statewise has no {word}: {NAMES[word].said()}"
    run(NAMES[word].write, world, folder, monkeypatch)


def run(line: str, world: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs what a message says to write, unless it ran before."""
    line = line.replace("set_weights([...])", "set_weights(weights)")
    if line not in Once.done:
        Once.done.add(line)
        monkeypatch.chdir(folder)
        for each in line.split(", or "):
            here = world | {"model": world["each_step"]} if "lanes" in each else dict(world)
            exec(ast.unparse(_quiet(ast.parse(each))), here)
            world["model"].reset_state()


def _quiet(tree: ast.Module) -> ast.Module:
    """Returns the line with `verbose=0` in each `fit`, so that the tests are silent."""
    for node in ast.walk(tree):
        fits = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "fit"
        if isinstance(node, ast.Call) and fits and all(keyword.arg != "verbose" for keyword in node.keywords):
            node.keywords.append(ast.keyword("verbose", ast.Constant(0)))
    return tree


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [(key, *pair) for names in (KERAS_NAMES, OTHER_NAMES) for key, table in names.items() for pair in table.items()],
)
def test_another_name_of_an_argument(key: str, old: str, new: str, world: dict[str, Any]) -> None:
    found = []
    for name, call, given in calls(key, world):
        rest = {other: value for other, value in given.items() if other != new}
        message = refused(ArgumentError, old, lambda: call(**rest, **{old: 0.25}))  # noqa: B023 - called at once
        if message == f"{name} has no option {old}=: write {new}=0.25":
            found.append(name)
            assert new in inspect.signature(call).parameters
    assert found


@pytest.mark.parametrize("key", POSITIONS)
def test_arguments_by_position_in_keras_order(key: str, world: dict[str, Any]) -> None:
    ((name, call, _),) = calls(key, world)
    names = POSITIONS[key]
    message = refused(ArgumentError, name, lambda: call(*(f"a{place}" for place in range(len(names)))))
    written = ast.parse(message.partition("write ")[2], mode="eval").body
    assert isinstance(written, ast.Call)
    assert [keyword.arg for keyword in written.keywords] == list(names)[len(written.args) :]
    assert set(names) <= inspect.signature(call).parameters.keys()


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda m: m.fit(X, Y, 32, 10), "fit takes x and y by position, got 2 more: write fit(..., ..., "),
        (lambda m: m.fit(X, Y, epoch=3), "fit has no option epoch=: did you mean epochs=?"),
        (lambda m: m.fit(y=Y), "fit needs x: write fit(y=..., x)"),
        (lambda m: m.add(), "add needs layer: write add(LSTM(32))"),
        (lambda _: sw.LSTM(), "LSTM needs units: write LSTM(32)"),
        (lambda _: sw.LSTM(10, 32), "LSTM takes units by position, got 1 more: the size of the input follows"),
        (lambda _: sw.LSTM(32, "relu"), "LSTM takes units by position, got 1 more: write LSTM(32, activation='relu')"),
        (lambda _: sw.LSTM(32, units=3), "LSTM got units twice, by position and by name; write it once"),
        (lambda _: sw.Flatten(3), "Flatten takes nothing by position, got 1 more: write Flatten(name=3)"),
        (lambda _: sw.LSTM(32, return_sequence=True), "LSTM has no option return_sequence=: did you mean return_seq"),
        (lambda _: sw.L1L2(l3=1), "L1L2 has no option l3=: it takes l1, l2"),
        (lambda m: m.fitt, "Sequential has no fitt: did you mean fit?"),
        (lambda _: sw.LTSM, "statewise has no LTSM: did you mean LSTM?"),
        (lambda _: sw.layers.Conv2D, "statewise.layers has no Conv2D: statewise learns from sequences"),
        (lambda _: sw.models.Sequential, "statewise.models has no Sequential: every name is in statewise itself"),
        (lambda _: setattr(sw.LSTM(3), "units", 5), "LSTM.units cannot be set once it is made; write LSTM("),
        (lambda m: setattr(m, "trainable", False), "Sequential has no trainable: layers are frozen by their names"),
        (lambda m: m.get_layer("lstmm"), "unknown layer 'lstmm': did you mean 'lstm'? Known: dense, lstm"),
        (lambda m: m.get_layer(index=2), "layer index: expected 0 .. 1, or a name, got 2"),
    ],
)  # fmt: skip
def test_other_mistakes(action: Callable[[Any], object], message: str, world: dict[str, Any]) -> None:
    with pytest.raises((ArgumentError, AccessError, ConfigurationError)) as caught:
        action(world["model"])
    assert str(caught.value).startswith(message)


def test_what_goes_wrong_inside_a_call_is_no_mistake_in_it() -> None:
    @guarded
    def call(function: Callable[[], object]) -> object:
        return function()

    with pytest.raises(TypeError, match="positional argument") as caught:
        call(lambda x: x)  # type: ignore[arg-type, misc]
    assert type(caught.value) is TypeError
    assert call(lambda: 3) == 3


def test_what_fails_inside_a_property_is_said_as_it_is() -> None:
    class Broken(statewise.Sequential):
        @property
        def own(self) -> object:
            return self.seed.nothing  # type: ignore[attr-defined]

    with pytest.raises(AttributeError, match="'int' object has no attribute 'nothing'"):
        Broken().own  # noqa: B018


def test_a_subclass_is_answered_as_the_class_is() -> None:
    class Own(sw.Sequential): ...  # type: ignore[misc]

    with pytest.raises(AccessError, match="has no trainable: layers are frozen by their names"):
        Own([]).trainable = False


def test_methods_are_found_where_pickles_look_for_them() -> None:
    assert pickle.loads(pickle.dumps(sw.Sequential.fit)) is sw.Sequential.fit


def test_layers_are_answered_however_they_were_imported() -> None:
    code = "from statewise.layers.lstm import LSTM; LSTM(3, statefull=True)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ArgumentError: LSTM has no option statefull=" in out.stderr


def test_attributes_of_a_subclass_can_be_set() -> None:
    class Own(statewise.Sequential):
        pass

    model = Own()
    model.name = "mine"  # type: ignore[attr-defined]
    assert vars(model)["name"] == "mine"


def test_layers_and_weights_of_keras(world: dict[str, Any]) -> None:
    model = world["model"]
    model.unfreeze()  # which an answer above froze
    assert [layer.name for layer in model.layers] == ["lstm", "dense"]
    assert model.get_layer("lstm") == model.get_layer(index=0) == model.layers[0] == sw.LSTM(4, name="lstm")
    assert model.get_layer(-1).units == 2
    assert model.count_params() == sum(weight.size for weight in model.get_weights()) == 4 * 4 * (2 + 4 + 1) + 10
    assert all(map(np.array_equal, model.weights, model.get_weights()))
    model.layers.append(sw.Dense(1))
    assert len(model.layers) == 2


@pytest.mark.parametrize(
    ("given", "loss", "metric"),
    [
        ("MSE", "mean_squared_error", "mse"),
        ("MeanAbsoluteError", "mean_absolute_error", "mean_absolute_error"),
        ("Log-Cosh", "logcosh", "logcosh"),
        ("log_cosh", "logcosh", "log_cosh"),
        ("CosineSimilarity", "cosine_similarity", "cosine_similarity"),
    ],
)
def test_losses_and_metrics_in_any_case(given: str, loss: str, metric: str) -> None:
    model = sw.Sequential([sw.LSTM(2, input_shape=(None, 2)), sw.Dense(2)])
    model.compile("ADAM", given, metrics=given)
    assert model.settings.loss.name == loss
    assert model.settings.metrics == (metric,)
    assert isinstance(model.settings.optimizer, statewise.Adam)


@pytest.mark.parametrize("given", ["RMSProp", "rms_prop", "rmsprop"])
def test_optimizers_in_any_case_and_no_metrics(given: str) -> None:
    model = sw.Sequential([sw.LSTM(2, input_shape=(None, 2)), sw.Dense(2)])
    model.compile(given, "CategoricalHinge", metrics=None)
    assert isinstance(model.settings.optimizer, statewise.RMSprop)
    assert model.settings.metrics == ()


def test_activations_in_any_case() -> None:
    assert sw.Dense(3, activation="LeakyReLU") == sw.Dense(3, activation="leaky_relu")
    assert sw.Activation("Softmax").config()["activation"] == "softmax"
    assert sw.LSTM(3, activation="ReLU", recurrent_activation="HardSigmoid").recurrent_activation == "hard_sigmoid"


class Stream:
    """Batches that come one by one."""

    def __iter__(self) -> Any:
        yield X, Y


class Nested:
    """As a nested tensor of PyTorch's."""

    is_nested = True

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("numpy() is not supported for nested tensors")


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda m: m.fit((X, Y)), "got one tuple of 2 arrays; unpack it, as in fit(*data)"),
        (lambda m: m.evaluate((X, Y)), "got one tuple of 2 arrays; unpack it, as in fit(*data)"),
        (lambda m: m.predict((X, Y)), "x: expected one input, got a tuple of 2 arrays [4, 3, 2], [4, 2]; pass"),
        (lambda m: m.fit([X, X[:, 0]], Y), "x: expected one input, got a list of 2 arrays [4, 3, 2], [4, 2]"),
        (lambda m: m.fit({"a": X, "b": X}, Y), "got a dict of 'a', 'b'; choose one, or join their features with"),
        (lambda m: m.fit(None, Y), "x: expected an array of numbers, got None"),
        (lambda m: m.fit(Nested(), Y), "got a nested tensor; write list(x.unbind())"),
        (lambda m: jax.grad(lambda z: m(z)[0].sum())(X), "model.apply(model.params, x)"),
    ],
)
def test_the_cause_is_named_with_a_way_out(action: Callable[[Any], object], words: str, world: dict[str, Any]) -> None:
    with pytest.raises((DataError, ShapeError)) as caught:
        action(world["model"])
    assert words in str(caught.value)


def test_what_jax_may_trace(world: dict[str, Any]) -> None:
    model = world["model"]
    slopes = jax.grad(lambda x: model.apply(model.params, x)[0].sum())(X)
    step = np.zeros_like(X)
    step[1, 2, 0] = 1e-2
    ahead, behind = (np.asarray(model(X + sign * step)[0]).sum() for sign in (1, -1))
    assert slopes[1, 2, 0] == pytest.approx((ahead - behind) / 2e-2, rel=1e-2)


def test_a_list_of_batches_may_grow() -> None:
    model = sw.Sequential([sw.LSTM(4), sw.Dense(2)], seed=7)
    model.compile("adam", "mse")
    model.fit([(X[:1], Y[:1]), (X, Y)], verbose=0)
    assert model.evaluate([(X[:1], Y[:1]), (X[1:], Y[1:])]) == pytest.approx(model.evaluate(X, Y), rel=1e-5)
