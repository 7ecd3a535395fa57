"""Every mistake in data and options ends in one message: what was expected, what came, what to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from mistakes import Action, Error, X, Y, case, each, fit, learn, model_of, refused, regression, sw, table, trained
from statewise.errors import ConfigurationError, DataError, LifecycleError, ShapeError, StateError, StatewiseError

Array = np.ndarray[Any, np.dtype[Any]]
NAN, INFINITE = float("nan"), float("inf")
CLASSES = np.array([0, 1, 2, 3, 0, 1])
ONE_HOT = np.eye(4, dtype=np.float32)[CLASSES]
SPARSE, DENSE = "sparse_categorical_crossentropy", "categorical_crossentropy"


def classify(y: object, loss: str = SPARSE) -> Any:
    return fit(model_of(sw.LSTM(3), sw.Dense(4, activation="softmax"), loss=loss), X, y)


def answer_yes_or_no(y: object) -> Any:
    return fit(model_of(sw.LSTM(3), sw.Dense(1, activation="sigmoid"), loss="binary_crossentropy"), X, y)


def answer_at_every_step(y: object) -> Any:
    return fit(model_of(sw.LSTM(3, return_sequences=True), sw.Dense(2)), X, y)


def read_symbols(x: object) -> Any:
    return fit(model_of(sw.Embedding(5, 2, input_shape=(None,)), sw.LSTM(3), sw.Dense(2)), x, Y)


def built(*layers: Any, shape: Any = (None, 3, 2)) -> Any:
    model = sw.Sequential(layers)
    model.build(shape)
    return model


def changed(array: Array, value: float) -> Array:
    copy = np.array(array, np.float64)
    copy.flat[3] = value
    return copy


# -- data --------------------------------------------------------------------------------------------------------------


@table(
    case("one-axis", lambda: learn(X[:, 0, 0], Y), ShapeError, "layer 'lstm'", "[B, T, F]", "x[..., None]"),
    case("two-axes", lambda: learn(X[:, 0], Y), ShapeError, "[B, T, F]", "got [B, 2]", "x[..., None]"),
    case("four-axes", lambda: learn(X[..., None], Y), ShapeError, "[B, T, F]", "[B, 3, 2, 1]", "three axes"),
    case("two-axes-later", lambda: trained().predict(X[:, 0]), ShapeError, "[B, T, 2]", "[6, 2]", "x.reshape"),
    case("four-axes-later", lambda: trained().predict(X[..., None]), ShapeError, "got [6, 3, 2, 1]", "x[..., 0]"),
    case("other-features", lambda: trained().predict(X[..., :1]), ShapeError, "[B, T, 2]", "[6, 3, 1]", "a new model"),
    case("no-rows", lambda: learn(X[:0], Y[:0]), DataError, "at least one row", "[0, 3, 2]"),
    case("no-steps", lambda: learn(X[:, :0], Y), DataError, "one step", "[6, 0, 2]"),
    case("no-features", lambda: learn(X[..., :0], Y), DataError, "one feature", "[6, 3, 0]"),
    case("ragged-y", lambda: learn([[[1.0]], [[1.0], [2.0]]], Y), ShapeError, "y: expected 2 row(s), as x has"),
    case("ragged-inside", lambda: learn([[[1.0], [1.0, 2.0]]], Y), ShapeError, "x: expected rows of one", "pad"),
    case("text", lambda: learn("a story", Y), DataError, "x: expected real numbers", "'a story'", "encode"),
    case("strings", lambda: learn([[["a"]], [["b"]]], Y[:2]), DataError, "text such as 'a'", "encode"),
    case(
        "none-inside", lambda: learn([[[1.0], [None]]], Y[:1]), DataError, "got None at [0, 1, 0]", "missing", "fill it"
    ),
    case("dict", lambda: learn({"a": 1}, Y), DataError, "got a dict of 'a'"),
    case("dates", lambda: learn(np.zeros(X.shape, "M8[s]"), Y), DataError, "datetime64"),
    case("time-spans", lambda: learn(np.zeros(X.shape, "m8[s]"), Y), DataError, "timedelta64"),
    case("complex", lambda: learn(X.astype(complex), Y), DataError, "real numbers", "complex"),
    case("nan", lambda: learn(changed(X, NAN), Y), DataError, "x has 1 NaN", "[0, 1, 1]", "fill"),
    case("infinite", lambda: learn(changed(X, -INFINITE), Y), DataError, "x has 1", "infinite", "[0, 1, 1]"),
    case("nan-later", lambda: trained().predict(changed(X, NAN)), DataError, "x has 1 NaN", "[0, 1, 1]"),
    case("beyond-float32", lambda: learn(changed(X, 1e39), Y), DataError, "3.4e+38", "1e+39", "scale"),
    case("beyond-int32", lambda: learn(X.astype(int) + 2**40, Y), DataError, "109951", "subtract an offset"),
    case("beyond-int64", lambda: learn([[[2**70]]], Y[:1]), DataError, "64 bits"),
    case("symbol-floats", lambda: read_symbols(X[..., 0]), DataError, "integers (symbols)", f"{X[0, 0, 0]:g}"),
    case("symbol-axes", lambda: read_symbols(X), ShapeError, "x: expected [B, T]", "[6, 3, 2]", "x.reshape"),
    case("symbol-last-axis", lambda: read_symbols(X[..., :1]), ShapeError, "[6, 3, 1]", "write x[..., 0]"),
    case("symbol-5-of-5", lambda: read_symbols(np.full((6, 3), 5)), DataError, "0 .. 4", "got 5", "input_dim to 6"),
    case("symbol-negative", lambda: read_symbols(np.full((6, 3), -1)), DataError, "0 .. 4", "got -1", "from 0"),
)
def test_x_that_does_not_fit(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


@table(
    case("missing", lambda: learn(X), DataError, "y is missing"),
    case("rows", lambda: learn(X, Y[:5]), ShapeError, "6 row(s), as x has", "[5, 2]"),
    case("scalar", lambda: learn(X, 1.0), ShapeError, "6 row(s)", "[]"),
    case("width", lambda: learn(X, Y[:, :1]), ShapeError, "[B, 2]", "[6, 1]", "1 unit(s)", "2 column(s)"),
    case("flat", lambda: learn(X, Y[:, 0]), ShapeError, "[B, 2]", "got [6];", "1 unit(s)"),
    case("at-every-step", lambda: learn(X, X), ShapeError, "[B, 2]", "[6, 3, 2]", "last LSTM return_sequences=True"),
    case("one-a-row", lambda: answer_at_every_step(Y), ShapeError, "[B, 3, 2]", "[6, 2]", "remove return_sequences"),
    case("other-steps", lambda: answer_at_every_step(X[:, :2]), ShapeError, "[6, 2, 2]", "the output has 3 steps"),
    case("ragged", lambda: learn(X, [[1], [1, 2]] * 3), ShapeError, "y: expected rows of one shape", "pad"),
    case("strings", lambda: classify(list("abcdab")), DataError, "y: expected real numbers", "'a'", "encode"),
    case("nan", lambda: learn(X, changed(Y, NAN)), DataError, "y has 1 NaN", "[1, 1]", "fill"),
    case("infinite", lambda: learn(X, changed(Y, INFINITE)), DataError, "y has 1", "infinite", "[1, 1]"),
    case("label-4-of-4", lambda: classify(CLASSES + 1), DataError, "0 .. 3", "got 4", "from 0", "units to 5"),
    case("label-negative", lambda: classify(CLASSES - 1), DataError, "0 .. 3", "got -1", "from 0"),
    case("label-fraction", lambda: classify(CLASSES / 2), DataError, "integers (classes)", "got 0.5"),
    case("label-huge", lambda: classify(changed(CLASSES, 1e20)), DataError, "integers", "got 1e+20"),
    case("label-nan", lambda: classify(changed(CLASSES, NAN)), DataError, "1 NaN", "[3]"),
    case("one-hot-for-sparse", lambda: classify(ONE_HOT), ShapeError, "[B]", "[6, 4]", f"loss='{DENSE}'"),
    case("sparse-for-one-hot", lambda: classify(CLASSES, DENSE), ShapeError, "[B, 4]", "got [6];", f"loss='{SPARSE}'"),
    case("one-hot-narrow", lambda: classify(ONE_HOT[:, :3], DENSE), ShapeError, "[B, 4]", "[6, 3]", "3 unit(s)"),
    case("one-hot-negative", lambda: classify(-ONE_HOT, DENSE), DataError, "probabilities", "got -1", "loss='mse'"),
    case("four-for-binary", lambda: answer_yes_or_no(CLASSES), DataError, "from 0 to 1", "0 to 3", f"loss='{SPARSE}'"),
)
def test_y_that_does_not_fit(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


@table(
    case("weight-rows", lambda: learn(X, Y, sample_weight=[1.0] * 5), ShapeError, "expected shape [6]", "[5]"),
    case("weight-steps", lambda: learn(X, Y, sample_weight=X[..., 0]), ShapeError, "expected shape [6]", "[6, 3]"),
    case("weight-nan", lambda: learn(X, Y, sample_weight=[NAN] * 6), DataError, "sample_weight has 6 NaN", "[0]"),
    case("weight-text", lambda: learn(X, Y, sample_weight=["a"] * 6), DataError, "sample_weight", "'a'"),
    case("mask-steps", lambda: learn(X, Y, mask=X[:, :2, 0] > 0), ShapeError, "mask", "[6, 3]", "got [6, 2]"),
    case("mask-floats", lambda: learn(X, Y, mask=X[..., 0]), DataError, "bool", "float32", "mask = mask != 0"),
    case("mask-text", lambda: learn(X, Y, mask="yes"), DataError, "mask: expected bool", "'yes'"),
    case("mask-ragged", lambda: learn(X, Y, mask=[[True], [True, False]]), ShapeError, "mask", "from 1 to 2", "pad"),
    case("reset-rows", lambda: trained().predict(X, reset=[True] * 6), ShapeError, "reset", "[6, 3]", "got [6]"),
)
def test_weights_and_flags_that_do_not_fit(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


# -- numbers and names -------------------------------------------------------------------------------------------------

SEEDS = (-1, 2**63, 2**70, 1.5, True, "1", None)
SHAPES = (5, "ab", (3, 0), (3, -1), (3, 2.5))
COUNTS = (0, -1, 2.5, True, "3", None)
RATES = (1.0, 2, -0.1, NAN, True, "0.5", None)
SIZES = (0, -1, NAN, INFINITE, "1", True)


def number(name: str, act: Callable[[Any], object], expected: str, of: tuple[object, ...]) -> Iterator[Any]:
    return each(name, act, ConfigurationError, expected, of=of)


@table(
    *number("LSTM units", sw.LSTM, ">= 1", COUNTS),
    *number("Dense units", sw.Dense, ">= 1", COUNTS),
    *number("Embedding input_dim", lambda v: sw.Embedding(v, 2), ">= 1", COUNTS),
    *number("Embedding output_dim", lambda v: sw.Embedding(2, v), ">= 1", COUNTS),
    *number("Dropout rate", sw.Dropout, "< 1", RATES),
    *number("batch_size", lambda v: learn(batch_size=v), ">= 1", COUNTS[:-1]),
    *number("batch_size", lambda v: trained().predict(X, batch_size=v), ">= 1", (0, True)),
    *number("batch_size", lambda v: trained().evaluate(X, Y, batch_size=v), ">= 1", (0, True)),
    *number("epochs", lambda v: learn(epochs=v), ">= 1", COUNTS),
    *number("initial_epoch", lambda v: learn(initial_epoch=v), ">= 0", (-1, 2.5, True)),
    *number("batch", lambda v: trained().initial_state(v), ">= 1", COUNTS),
    *number("seed", lambda v: sw.Sequential(seed=v), "from 0 to 2**63 - 1", SEEDS),
    *number("patience", lambda v: sw.EarlyStopping(patience=v), ">= 0", (-1, 1.5, True, "3", None)),
    *number("min_delta", lambda v: sw.EarlyStopping(min_delta=v), ">= 0", (-1, NAN, "x", None)),
    *number("Adam learning_rate", lambda v: sw.Adam(learning_rate=v), "> 0", (*SIZES, None)),
    *number("SGD clipnorm", lambda v: sw.SGD(clipnorm=v), "> 0", SIZES),
    *number("SGD clipvalue", lambda v: sw.SGD(clipvalue=v), "> 0", SIZES),
    *number("SGD global_clipnorm", lambda v: sw.SGD(global_clipnorm=v), "> 0", SIZES),
    *number("SGD momentum", lambda v: sw.SGD(momentum=v), "< 1", RATES),
    *number("RMSprop rho", lambda v: sw.RMSprop(rho=v), "< 1", RATES),
    *number("Adam beta_1", lambda v: sw.Adam(beta_1=v), "< 1", RATES),
    *number("Adam beta_2", lambda v: sw.Adam(beta_2=v), "< 1", RATES),
    *number("Adam epsilon", lambda v: sw.Adam(epsilon=v), "> 0", SIZES),
    *number("ExponentialDecay decay_steps", lambda v: sw.ExponentialDecay(0.1, v, 0.9), "> 0", SIZES),
    *number("CosineDecay decay_steps", lambda v: sw.CosineDecay(0.1, v), "> 0", SIZES),
    *number("CosineDecay initial_learning_rate", lambda v: sw.CosineDecay(v, 9), "> 0", SIZES),
    *number("CosineDecay alpha", lambda v: sw.CosineDecay(0.1, 9, alpha=v), "0 <= alpha <= 1", (-1, 2, NAN, "a")),
    *number("warmup_steps", lambda v: sw.CosineDecay(0, 9, warmup_target=1, warmup_steps=v), ">= 0", (-1, 1.5)),
    *number("boundaries", lambda v: sw.PiecewiseConstantDecay(v, (0.1,)), "list of numbers", (2, ["a"])),
    *number("noise_shape", lambda v: sw.Dropout(0.1, noise_shape=v), "expected", (3, "ab", (None, 4), (None, 0))),
    *number("LSTM input_shape", lambda v: sw.LSTM(2, input_shape=v), "(None, 26)", SHAPES),
    *number("input_shape", lambda v: built(sw.LSTM(2), shape=v), "None where", (None, *SHAPES)),
    *number("LSTM name", lambda v: sw.LSTM(2, name=v), "without '/'", ("a/b", "", 5)),
)
def test_numbers_out_of_their_range(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


NO_NAMES: tuple[Any, ...] = (5, ["adam"], {}, print, None)


def names(
    kind: str, act: Callable[[Any], object], typo: str, nearest: str, of: tuple[Any, ...] = NO_NAMES
) -> Iterator[Any]:
    words = (f"unknown {kind} {typo!r}", f"did you mean {nearest!r}?", "Known: ")
    yield case(f"{kind}={typo}", lambda: act(typo), ConfigurationError, *words)
    yield from each(kind, act, ConfigurationError, "expected one of", nearest, of=of)


@table(
    *names("optimizer", lambda v: regression().compile(v, "mse"), "adm", "adam"),
    case("optimizer-class", lambda: regression().compile(sw.Adam, "mse"), ConfigurationError, "class", "write Adam()"),
    *names("loss", lambda v: regression().compile("adam", v), "categorical_crosentropy", DENSE, NO_NAMES[:-1]),
    case("loss-missing", lambda: regression().compile("adam"), ConfigurationError, "needs a loss", "loss='mse'"),
    *names("metric", lambda v: regression(metrics=[v]), "accurcy", "accuracy"),
    case("metric-alone", lambda: regression(metrics="acuracy"), ConfigurationError, "did you mean 'accuracy'?"),
    case("metrics-number", lambda: regression(metrics=5), ConfigurationError, "metrics", "5"),
    case(
        "metric-of-classes",
        lambda: fit(regression(metrics=["perplexity"]), X, Y),
        ConfigurationError,
        "metric 'perplexity' needs classes",
        "use a categorical cross-entropy",
    ),
    case(
        "metric-of-other-targets",
        lambda: fit(regression(metrics=["sparse_categorical_accuracy"]), X, Y),
        ConfigurationError,
        "expects y to be classes, but the loss takes real",
        "'accuracy' works with every loss",
    ),
    *names("activation", lambda v: sw.Dense(2, activation=v), "rleu", "relu"),
    *names("activation", lambda v: sw.LSTM(2, activation=v), "tahn", "tanh"),
    *names("activation", lambda v: sw.LSTM(2, recurrent_activation=v), "sigmod", "sigmoid"),
    *names("activation", sw.Activation, "softmx", "softmax"),
    *names("tokens", lambda v: sw.TextModel(tokens=v), "words", "word"),
    *names("state", lambda v: learn(state=v), "cary", "carry"),
    *names("state", lambda v: trained().predict(X, state=v), "frsh", "fresh"),
    *each("verbose", lambda v: regression().fit(X, Y, verbose=v), ConfigurationError, "0, 1 or 2", of=(3, -1, "loud")),
    *each("mode", lambda v: sw.EarlyStopping(mode=v), ConfigurationError, "'auto', 'min' or 'max'", of=("up", None)),
    *each("monitor", sw.EarlyStopping, ConfigurationError, "the name of a log", of=(5, None)),
    case(
        "monitor-misspelt",
        lambda: learn(validation_split=0.5, callbacks=[sw.EarlyStopping("val_los")]),
        ConfigurationError,
        "unknown monitor 'val_los'",
        "did you mean 'val_loss'?",
    ),
    case(
        "monitor-without-validation",
        lambda: learn(callbacks=[sw.EarlyStopping()]),
        ConfigurationError,
        "'val_loss'",
        "the logs of this training",
        "pass validation_data to fit",
    ),
    case("clip-twice", lambda: sw.Adam(clipnorm=1, clipvalue=1), ConfigurationError, "clipnorm and clipvalue", "one"),
    case("warmup-to-what", lambda: sw.CosineDecay(1, 9, warmup_steps=2), ConfigurationError, "warmup_target", "None"),
    case("warmup-down", lambda: sw.CosineDecay(1.0, 9, warmup_target=0.1), ConfigurationError, "0.1", "got 1.0"),
    case("values", lambda: sw.PiecewiseConstantDecay((1, 2), (0.1,)), ConfigurationError, "one more value", "1 values"),
    case("falling", lambda: sw.PiecewiseConstantDecay((2, 1), (3, 2, 1)), ConfigurationError, "increasing", "[2, 1]"),
)
def test_names_that_do_not_exist_and_options_that_exclude_each_other(
    action: Action, error: Error, words: tuple[str, ...]
) -> None:
    refused(action, error, words)


# -- the order of steps, and layers on layers --------------------------------------------------------------------------


def called_twice(name: str) -> Any:
    return sw.Sequential([sw.LSTM(2, name=name, return_sequences=True), sw.LSTM(2, name=name), sw.Dense(2)])


@table(
    case("fit-uncompiled", lambda: fit(sw.Sequential([sw.LSTM(2)]), X, Y), LifecycleError, "model.compile(optimizer"),
    case("evaluate-uncompiled", lambda: sw.Sequential([sw.LSTM(2)]).evaluate(X, Y), LifecycleError, "model.compile("),
    case("predict-unfitted", lambda: regression().predict(X), LifecycleError, "model.fit(x, y) first", "model(x)"),
    case("summary-unbuilt", lambda: regression().summary(), LifecycleError, "model.build((None, T, F))", "fit it"),
    case("weights-unbuilt", lambda: regression().get_weights(), LifecycleError, "model.build((None, T, F))"),
    case("set-weights-unbuilt", lambda: regression().set_weights([]), LifecycleError, "model.build((None, T, F))"),
    case("save-unbuilt", lambda: regression().save("never"), LifecycleError, "model.build((None, T, F))"),
    case("build-nothing", lambda: sw.Sequential().build((None, 3, 2)), LifecycleError, "no layers", "model.add("),
    case("build-again", lambda: trained().build((None, 3, 5)), LifecycleError, "[B, T, 2]", "5", "new Sequential"),
    case("add-later", lambda: trained().add(sw.Dense(2)), LifecycleError, "before training", "new Sequential"),
    case("add-text", lambda: sw.Sequential(["LSTM"]), ConfigurationError, "a layer such as LSTM(32)", "'LSTM'"),
    case("add-class", lambda: sw.Sequential([sw.LSTM]), ConfigurationError, "a layer such as LSTM(32)", "class"),
    case("layer-alone", lambda: sw.Sequential(sw.LSTM(2)), ConfigurationError, "layers: expected a list", "LSTM("),
    case("layers-none", lambda: sw.Sequential(None), ConfigurationError, "layers: expected a list", "None"),
    case("shape-twice", lambda: built(sw.LSTM(2), sw.Dense(2, input_shape=(2,))), ConfigurationError, "only the first"),
    case("name-twice", lambda: called_twice("a"), ConfigurationError, "two layers are called 'a'", "different names"),
    case("weights-few", lambda: trained().set_weights(trained().get_weights()[:2]), ShapeError, "[2, 12]", "[3, 2]"),
    case("weights-none", lambda: trained().set_weights(None), ShapeError, "list of 5 arrays", "NoneType"),
    case(
        "weights-turned",
        lambda: trained().set_weights([w.T for w in trained().get_weights()]),
        ShapeError,
        "expected shapes [[2, 12]",
        "got [[12, 2]",
    ),
    case(
        "weights-nan",
        lambda: trained().set_weights([w * NAN for w in trained().get_weights()]),
        DataError,
        "weights of lstm/kernel",
        "24 NaN",
    ),
)
def test_steps_too_early_or_too_late(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


@table(
    case(
        "LSTM-after-LSTM",
        lambda: built(sw.LSTM(2), sw.LSTM(2)),
        ShapeError,
        "layer 'lstm_1'",
        "[B, T, F]",
        "got [B, 2]",
        "give the layer before it return_sequences=True",
    ),
    case(
        "LSTM-after-LSTM-at-once",
        lambda: sw.Sequential([sw.LSTM(2, input_shape=(3, 2)), sw.LSTM(2)]),
        ShapeError,
        "layer 'lstm_1'",
        "return_sequences=True",
    ),
    case("LSTM-of-rows", lambda: built(sw.LSTM(2), shape=(None, 3)), ShapeError, "[B, T, F]", "[B, 3]", "x[..., None]"),
    case("LSTM-of-unknown", lambda: built(sw.LSTM(2), shape=(None, 3, None)), ShapeError, "[B, T, F]", "[B, T, ?]"),
    case(
        "Embedding-of-features",
        lambda: sw.Sequential([sw.Embedding(5, 2, input_shape=(3, 2))]),
        ShapeError,
        "layer 'embedding'",
        "integers [B, T]",
        "[B, T, 2]",
        "x[..., 0]",
    ),
    case(
        "Embedding-after-LSTM",
        lambda: built(sw.LSTM(3), sw.Embedding(5, 2)),
        ShapeError,
        "layer 'embedding'",
        "real numbers that 'lstm' outputs",
        "make it the first layer",
    ),
    case("Dense-of-symbols", lambda: built(sw.Dense(2), shape=(None, None)), ShapeError, "[B, T]", "Embedding"),
    case(
        "noise-axes",
        lambda: built(sw.Dropout(0.1, noise_shape=(None, 1)), sw.LSTM(2)),
        ShapeError,
        "layer 'dropout'",
        "2 axes",
        "[B, T, 2]",
    ),
)
def test_layers_that_do_not_fit_the_one_before(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


# -- states ------------------------------------------------------------------------------------------------------------


def state_of(layer: Any) -> Any:
    return built(layer, sw.Dense(2)).initial_state(6)


def zero() -> Any:
    return trained().initial_state(1)


def carry_on(rows: int) -> None:
    model = trained()
    try:
        model.predict(X, state="carry")
        model.predict(X[:rows], state="continue")
    finally:
        model.reset_state()


@table(
    case(
        "other-size",
        lambda: trained()(X, state_of(sw.LSTM(5))),
        StateError,
        "another network",
        "expected lstm: h [B, 3], c [B, 3]",
        "got lstm: h [B, 5], c [B, 5]",
        "model.initial_state(6)",
    ),
    case("other-name", lambda: trained()(X, state_of(sw.LSTM(3, name="memory"))), StateError, "got memory: h [B, 3]"),
    case("no-memory", lambda: trained()(X, state_of(sw.Dense(3))), StateError, "expected lstm", "got no memory"),
    case("other-rows", lambda: trained()(X, zero()), StateError, "1 row(s), the input 6", "model.initial_state(6)"),
    case("tuple", lambda: trained()(X, (X, X)), StateError, "expected a State, got tuple", "model.initial_state(6)"),
    case("word", lambda: trained()(X, "carry"), StateError, "expected a State, got str", "model.initial_state(6)"),
    case("predict", lambda: trained().predict(X, state=state_of(sw.LSTM(5))), StateError, "network", "h [B, 5]"),
    case(
        "evaluate-batch",
        lambda: trained().evaluate(X, Y, batch_size=4, state=trained().initial_state(5)),
        StateError,
        "5 row(s): expected 4, one for each row of a batch, or 6, one for each row of x",
        "model.initial_state(4)",
    ),
    case("carry-other-rows", lambda: carry_on(2), StateError, "6 row(s): expected 2", "model.reset_state()"),
    case("unknown-layer", lambda: zero()["lstmm"], StateError, "no state for layer 'lstmm'", "with a state: lstm"),
    case("set-attribute", lambda: setattr(zero(), "batch", 2), StateError, "cannot be changed", "y, state = model("),
    case("set-layer", lambda: zero().__setitem__("lstm", 2), StateError, "cannot be changed", "y, state = model("),
    case("delete-attribute", lambda: delattr(zero(), "_layers"), StateError, "cannot be changed"),
    case("delete-layer", lambda: zero().__delitem__("lstm"), StateError, "cannot be changed"),
)
def test_states_that_do_not_belong(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


def test_the_arrays_of_a_state_cannot_be_changed_either() -> None:
    state = trained().initial_state(2)
    with pytest.raises(AttributeError):
        state["lstm"].h = X
    with pytest.raises(TypeError, match="immutable"):
        state["lstm"].h[0] = 1.0
    np.testing.assert_array_equal(state["lstm"].h, np.zeros((2, 3)))


# -- how to fit --------------------------------------------------------------------------------------------------------


SHARES = (0.99, 1.0, 2, -0.5, NAN, "0.2")


class Batches:
    """An iterable that restarts each time it is iterated, up to `times` times."""

    def __init__(self, *batches: object, times: int = 99) -> None:
        self._batches, self._times = batches, times

    def __iter__(self) -> Iterator[object]:
        self._times -= 1
        return iter(self._batches if self._times >= 0 else ())


@table(
    *each("validation_split", lambda v: learn(validation_split=v), DataError, "6 row(s)", of=SHARES),
    case(
        "split-of-a-row",
        lambda: learn(X[:1], Y[:1], validation_split=0.5),
        DataError,
        "0.5 of 1 row(s)",
        "one side empty",
    ),
    case(
        "validation-twice",
        lambda: learn(X, Y, validation_split=0.5, validation_data=(X, Y)),
        ConfigurationError,
        "validation_split",
        "validation_data",
    ),
    case("validation-number", lambda: learn(validation_data=5), DataError, "validation_data", "(x, y)", "got int"),
    case("validation-x", lambda: learn(validation_data=(X,)), DataError, "validation_data", "(x, y)", "tuple of 1"),
    case("validation-dict", lambda: learn(validation_data={"x": X}), DataError, "validation_data", "dict of 1"),
    case("validation-text", lambda: learn(validation_data="ab"), DataError, "validation_data", "str of 2"),
    case("validation-rows", lambda: learn(validation_data=(X, Y[:3])), ShapeError, "6 row(s)", "[3, 2]"),
    case("validation-shape", lambda: learn(validation_data=(X[..., :1], Y)), ShapeError, "[B, T, 2]", "[6, 3, 1]"),
    case("validation-logs", lambda: learn(validation_data=lambda: None), ConfigurationError, "validation_data", "None"),
    case("shuffled", lambda: learn(shuffle=True, state="carry"), ConfigurationError, "remove shuffle"),
    case("callback-number", lambda: learn(callbacks=[5]), ConfigurationError, "functions f(epoch, logs)", "got 5"),
    case("callback-class", lambda: learn(callbacks=[sw.EarlyStopping]), ConfigurationError, "write EarlyStopping()"),
    case("callback-text", lambda: learn(callbacks="print"), ConfigurationError, "functions f(epoch, logs)", "'print'"),
)
def test_options_of_fit(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


@table(
    case("none", lambda: learn(Batches()), DataError, "is empty", "(x, y) or (x, y, sample_weight)"),
    case("iterator", lambda: learn(iter([(X, Y)])), DataError, "only once", "a list of (x, y)", "__iter__"),
    case("generator", lambda: learn((X, Y) for _ in "ab"), DataError, "only once", "__iter__ is a generator"),
    case("function", lambda: learn(lambda: iter([(X, Y)])), DataError, "type function", "__iter__ is a generator"),
    case(
        "drying-up",
        lambda: learn(Batches((X, Y), times=2), epochs=3),
        DataError,
        "empty when an epoch",
        "restarts each epoch",
    ),
    case("larger-later", lambda: learn(Batches((X[:2], Y[:2]), (X, Y))), ShapeError, "batch 2 has 6", "the first 2"),
    case("x-only", lambda: learn(Batches(X)), DataError, "batch 1", "(x, y)", "ndarray of 6", "pass y"),
    case("one", lambda: learn(Batches((X,))), DataError, "batch 1", "(x, y)", "tuple of 1"),
    case("four", lambda: learn(Batches((X, Y, None, None))), DataError, "batch 1", "(x, y)", "tuple of 4"),
    case("shape", lambda: learn(Batches((X, Y), (X[..., :1], Y))), ShapeError, "batch 2: x", "[6, 3, 1]"),
    case("nan", lambda: learn(Batches((X, Y), (X * NAN, Y))), DataError, "batch 2: x has 36 NaN"),
    case("weights", lambda: learn(Batches((X, Y)), sample_weight=[1]), ConfigurationError, "yield (x, y, sample_w"),
    case("split", lambda: learn(Batches((X, Y)), validation_split=0.5), ConfigurationError, "validation_split"),
    case("no-data", lambda: learn(None), DataError, "x and y", "type NoneType", "pass y"),
    case("number", lambda: learn(7), DataError, "x and y", "type int", "pass y"),
    case("text", lambda: learn("ab"), DataError, "x and y", "type str", "pass y"),
    case("dict", lambda: learn({}), DataError, "x and y", "type dict", "pass y"),
)
def test_iterables_of_batches(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


def test_a_refused_fit_leaves_the_model_as_it_was() -> None:
    model = regression()
    fit(model, X, Y)
    before = model.get_weights()
    for data, options in [((X * NAN, Y), {}), ((X, Y), {"epochs": 0}), ((Batches((X, Y), (X, X)),), {})]:
        with pytest.raises(StatewiseError):
            fit(model, *data, **options)
    for weight, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)
