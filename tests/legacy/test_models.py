"""Sequential: building it up and taking it apart, what compile is told, and what the logs call it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import statewise.legacy as keras
from networks import quick_compilation
from statewise.errors import ConfigurationError, DataError, LifecycleError, ShapeError, StatewiseError
from statewise.legacy import backend, dialect, losses, metrics, models, tensorflow
from statewise.legacy.arrays import read_rows, read_x
from statewise.legacy.errors import UnsupportedError
from statewise.legacy.layers import LSTM, Dense, Dropout
from statewise.legacy.models import Sequential
from statewise.legacy.optimizers import Adam

rng = np.random.default_rng(4)
X = rng.normal(size=(6, 3, 2)).astype(np.float32)
DIALECTS = {one.name: one for one in (dialect.KERAS1, dialect.KERAS2, dialect.TF_KERAS)}


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with quick_compilation():
        yield


def stack(outputs: int = 1, activation: str | None = None, *, every_step: bool = False) -> Sequential:
    return Sequential([LSTM(3, input_shape=(3, 2), return_sequences=every_step), Dense(outputs, activation=activation)])


# -- define ----------------------------------------------------------------------------------------------------------


def test_layers_keep_their_weights_as_others_come_and_go() -> None:
    model = stack(2)
    weights, answers = model.get_weights(), model.predict(X)
    model.add(Dense(4))
    assert (model.output_shape, len(model.layers)) == ((None, 4), 3)
    model.pop()
    np.testing.assert_array_equal(model.predict(X), answers)
    for weight, before in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(weight, before)


def test_a_model_is_taken_apart_whose_input_was_told_by_its_data() -> None:
    model = Sequential([LSTM(3), Dense(1)])
    model.predict(X)
    kernel = model.get_weights()[0]
    model.pop()
    np.testing.assert_array_equal(model.get_weights()[0], kernel)
    assert model.predict(X).shape == (6, 3)


def test_layers_bring_their_weights_into_another_model() -> None:
    first, second = stack(2), Sequential()
    answers = first.predict(X)
    for layer in first.layers:
        second.add(layer)
    np.testing.assert_array_equal(second.predict(X), answers)
    np.testing.assert_array_equal(first.predict(X), answers)


def test_what_a_model_tells_of_itself(capsys: pytest.CaptureFixture[str]) -> None:
    model = Sequential([LSTM(3, input_shape=(None, 2), name="memory"), Dense(2)], name="mine")
    assert (model.name, model.input_shape, model.output_shape) == ("mine", (None, None, 2), (None, 2))
    assert model.get_layer("memory") is model.get_layer(index=0) is model.layers[0]
    assert (model.count_params(), model.built, model.stateful) == (80, True, False)
    model.summary()
    assert "memory" in capsys.readouterr().out
    assert isinstance(keras.Sequential(), Sequential)


def test_a_stack_of_one_layer_needs_no_list() -> None:
    assert Sequential(Dense(2, input_dim=3)).output_shape == (None, 2)


def test_weights_of_one_layer_are_replaced() -> None:
    model = stack(2)
    given = [rng.normal(size=(3, 2)).astype(np.float32), rng.normal(size=2).astype(np.float32)]
    before = model.get_weights()[:3]
    model.layers[1].set_weights(given)
    for weight, wanted in zip(model.get_weights(), [*before, *given], strict=True):
        np.testing.assert_array_equal(weight, wanted)


def test_a_model_is_built_for_a_shape() -> None:
    model = Sequential([LSTM(3), Dense(1)])
    assert not model.built
    model.build((None, 3, 2))
    assert (model.built, len(model.get_weights())) == (True, 5)


# -- compile ---------------------------------------------------------------------------------------------------------

NAMES: list[tuple[Any, Any, dict[str, list[str]]]] = [  # loss, metrics, names of the metrics by dialect
    ("mse", ["accuracy"], {"keras1": ["acc"], "keras2": ["acc"], "tf.keras": ["accuracy"]}),
    ("mse", ["acc", "mae"], {"keras2": ["acc", "mean_absolute_error"], "tf.keras": ["acc", "mae"]}),
    ("mse", "mean_squared_error", {"keras2": ["mean_squared_error"], "tf.keras": ["mean_squared_error"]}),
    (losses.mean_squared_error, [metrics.mae], {"keras2": ["mean_absolute_error"], "tf.keras": ["mae"]}),
    (losses.MeanSquaredError(), [metrics.MeanAbsoluteError()], {"tf.keras": ["mean_absolute_error"]}),
    (["mse"], [metrics.MeanAbsoluteError(name="far")], {"tf.keras": ["far"]}),
    ({"out": "MSE"}, {"out": ["mape"]}, {"keras1": ["mean_absolute_percentage_error"], "tf.keras": ["mape"]}),
    ("kld", ["kullback_leibler_divergence"], {"tf.keras": ["kullback_leibler_divergence"]}),
    ("binary_crossentropy", ["accuracy"], {"keras2": ["acc"], "tf.keras": ["accuracy"]}),
    ("mae", None, {"keras1": [], "tf.keras": []}),
]


@pytest.mark.parametrize(("loss", "given", "names"), NAMES)
def test_metrics_are_named_as_the_version_named_them(loss: Any, given: Any, names: dict[str, list[str]]) -> None:
    model = stack()
    for version, wanted in names.items():
        with dialect.use(DIALECTS[version]):
            model.compile(optimizer="sgd", loss=loss, metrics=given)
            assert model.metrics_names == ["loss", *wanted]


def test_a_loss_alone_is_a_number_and_metrics_make_a_list() -> None:
    model, y = stack(), rng.normal(size=(6, 1)).astype(np.float32)
    model.compile("sgd", "mse")
    assert isinstance(model.evaluate(X, y, verbose=0), float)
    model.compile("sgd", "mse", ["mae"])
    assert [type(value) for value in model.evaluate(X, y, verbose=0)] == [float, float]
    assert list(model.fit(X, y, verbose=0).history) == ["loss", "mae"]
    assert (model.loss, type(model.optimizer).__name__) == ("mse", "SGD")


def test_binary_accuracy_counts_outputs_until_tensorflow_2() -> None:
    model, y = stack(3, "sigmoid"), (rng.normal(size=(6, 3)) > 0).astype(np.float32)
    right = (model.predict(X) > 0.5) == y
    largest = model.predict(X).argmax(axis=1) == y.argmax(axis=1)
    for version, wanted in [(dialect.KERAS2, right), (dialect.TF_KERAS, largest)]:
        with dialect.use(version):
            model.compile("sgd", "binary_crossentropy", ["accuracy"])
            assert model.evaluate(X, y, verbose=0)[1] == pytest.approx(wanted.mean())


def test_quantities_can_be_called() -> None:
    y, p = rng.normal(size=(2, 4)), rng.normal(size=(2, 4))
    np.testing.assert_allclose(losses.mse(y, p), ((y - p) ** 2).mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(losses.MeanSquaredError()(y, p), losses.get("MSE")(y, p))
    np.testing.assert_allclose(metrics.get("mae")(y, p), abs(y - p).mean(axis=1), rtol=1e-5)


MISTAKES: dict[str, tuple[Callable[[Sequential], Any], type[Exception], str]] = {
    "own loss": (
        lambda model: model.compile("sgd", lambda y, p: y - p),
        AttributeError,
        "^the loss function <lambda> is not supported: a loss cannot be used here; name one",
    ),
    "own metric": (
        lambda model: model.compile("sgd", "mse", [lambda y, p: y - p]),
        AttributeError,
        "the metric function <lambda>",
    ),
    "class": (
        lambda model: model.compile("sgd", losses.MeanSquaredError),
        ConfigurationError,
        r"got the class; write MeanSquaredError\(\)",
    ),
    "logits": (
        lambda _: losses.CategoricalCrossentropy(from_logits=True),
        AttributeError,
        r"CategoricalCrossentropy\(from_logits=True\).*activation='softmax'",
    ),
    "option of a class": (lambda _: losses.Huber(delta=2.0), AttributeError, r"Huber\(delta=\) is not supported"),
    "loss": (lambda model: model.compile("sgd", "mze"), ConfigurationError, "unknown loss 'mze': did you mean 'mse'"),
    "no loss": (lambda model: model.compile("sgd"), ConfigurationError, "unknown loss None"),
    "metric": (lambda model: model.compile("sgd", "mse", ["acuracy"]), ConfigurationError, "did you mean 'accuracy'"),
    "losses": (lambda model: model.compile("sgd", ["mse", "mae"]), ConfigurationError, "expected one, for one output"),
    "optimizer": (lambda model: model.compile("adamm", "mse"), ConfigurationError, "unknown optimizer 'adamm'.*'adam'"),
    "option": (
        lambda model: model.compile("sgd", "mse", metric=["acc"]),
        ConfigurationError,
        "compile has no option metric=: did you mean metrics=",
    ),
    "loss_weights": (lambda model: model.compile("sgd", "mse", loss_weights=[1]), AttributeError, "there is one loss"),
    "weighted": (lambda model: model.compile("sgd", "mse", weighted_metrics=["acc"]), AttributeError, "write metrics="),
    "not compiled": (lambda _: stack().optimizer, LifecycleError, "call model.compile"),
    "no layer": (lambda _: Sequential([Sequential()]), ConfigurationError, r"expected a layer such as LSTM\(32\)"),  # type: ignore[list-item]
    "class of layer": (lambda _: Sequential([Dense]), ConfigurationError, r"expected a layer such as LSTM\(32\)"),  # type: ignore[list-item]
    "popped": (lambda _: Sequential().pop(), LifecycleError, "no layers in the model"),
    "unbuilt": (lambda _: Sequential([LSTM(3)]).get_weights(), LifecycleError, "does not know its input yet"),
    "layer": (lambda model: model.get_layer("lost"), ConfigurationError, "no layer is named 'lost': expected one of"),
    "weights": (lambda model: model.layers[1].set_weights([X]), ShapeError, "expected 2, got 1"),
    "steps": (lambda _: Sequential([LSTM(3, input_shape=(3, 2)), LSTM(3)]), ShapeError, "return_sequences=True"),
    "functional": (lambda _: models.Model, AttributeError, r"Model\(inputs, outputs\).*Sequential"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str) -> None:
    call, kind, message = MISTAKES[name]
    with pytest.raises(kind, match=message) as caught:
        call(stack())
    assert isinstance(caught.value, StatewiseError)


# -- predict ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every_step", [False, True], ids=["at the end", "at each step"])
def test_classes_of_several_outputs_are_the_likeliest(every_step: bool) -> None:
    model = stack(4, "softmax", every_step=every_step)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == ((6, 3, 4) if every_step else (6, 4))
    np.testing.assert_array_equal(model.predict_classes(X, verbose=0), probabilities.argmax(axis=-1))


@pytest.mark.parametrize("every_step", [False, True], ids=["at the end", "at each step"])
def test_classes_of_a_single_output_are_over_a_half(every_step: bool) -> None:
    model = stack(1, "sigmoid", every_step=every_step)
    middle = np.median(model.predict(X))
    model.set_weights([*model.get_weights()[:-1], np.log([1 / middle - 1])])  # so that half of the answers are over it
    classes = model.predict_classes(X)
    assert (classes.dtype.name, classes.mean()) == ("int32", 0.5)
    np.testing.assert_array_equal(classes, model.predict(X) > 0.5)


def test_dropout_is_for_training_only() -> None:
    model = Sequential([Dropout(0.5, input_shape=(3, 2)), LSTM(3, recurrent_dropout=0.5), Dense(1)])
    np.testing.assert_array_equal(model.predict(X), model.predict(X))


def test_boilerplate_of_sessions_changes_nothing() -> None:
    session = tensorflow.Session(graph=tensorflow.get_default_graph(), config=tensorflow.ConfigProto())
    backend.set_session(session)
    backend.set_learning_phase(0)
    with tensorflow.device("/cpu:0"), session:
        assert backend.get_session() is None


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((20, 5, 3), r"leave the rows out: input_shape=\(5, 3\)"),
        ((5,), r"for one feature a step: input_shape=\(5, 1\)"),
    ],
)
def test_an_input_shape_of_other_axes(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        LSTM(4, input_shape=shape)


def test_what_a_model_lacks_is_named() -> None:
    with pytest.raises(UnsupportedError, match=r"model\.inputs is not supported"):
        Sequential().inputs  # noqa: B018 - asking is the test
    with pytest.raises(UnsupportedError, match=r"Adam\(\.\.\.\)\.iterations is not supported"):
        Adam().iterations  # noqa: B018 - asking is the test


def test_objects_of_numbers_are_numbers_and_others_are_named() -> None:
    table = np.array([[1.5], [2]], object)
    found = read_x(table, None)
    assert (str(found.dtype), found.tolist()) == ("float64", [[1.5], [2.0]])
    with pytest.raises(DataError, match="got an array of objects, 'a' the first"):
        read_x(np.array([["a"], [2]], object), None)


def test_class_weights_are_a_dict() -> None:
    with pytest.raises(ConfigurationError, match=r"class_weight: expected a dict .* dict\(enumerate\(weights\)\)"):
        read_rows(np.ones((2, 1)), np.array([0, 1]), None, np.ones(2), None)  # type: ignore[arg-type]
