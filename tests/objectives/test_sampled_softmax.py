"""SampledSoftmax: TensorFlow's values, a plain oracle, and training like that with all classes where it draws all."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from learning import BATCH, CLASSES, MASK, WEIGHT, X, Y, logs_of
from mistakes import case, each, model_of, refused, table
from networks import random_weights
from statewise.errors import ConfigurationError
from statewise.objectives.sampled_softmax import DISTRIBUTIONS, sampled_crossentropy
from statewise.training.objective import Batch
from tolerances import assert_close, assert_same, differ

sampled: Any = sw.SampledSoftmax  # as a loss in tables of mistakes
GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "sampled_softmax.json").read_text(encoding="utf-8"))
Array = np.ndarray[Any, np.dtype[Any]]

distributions = pytest.mark.parametrize("distribution", DISTRIBUTIONS)


def draw(distribution: str, samples: int, classes: int, draws: int) -> tuple[Array, Array]:
    """Returns the classes `[draws, samples]` of many draws, and how often each was expected, `[draws, V]`."""
    keys = jax.random.split(jax.random.key(5), draws)
    sampling = sw.SampledSoftmax(samples, distribution)
    drawn, log_expected = jax.jit(jax.vmap(lambda key: sampling.draw(key, classes)))(keys)
    return np.asarray(drawn), np.exp(np.asarray(log_expected, np.float64))


# ------------------------------------------------------------------------------------------------ value


def by_oracle(kernel: Array, bias: Array, h: Array, y: Array, drawn: Array, expected: Array) -> Array:
    """Returns the losses `[N]`, one logit after another."""
    losses = []
    for row, right in zip(h, y, strict=True):
        some = [right, *(other for other in drawn if other != right)]
        logits = [math.fsum(row * kernel[:, k]) + bias[k] - math.log(expected[k]) for k in some]
        losses.append(math.log(math.fsum(map(math.exp, logits))) - logits[0])
    return np.array(losses)


def test_values_and_gradients_are_those_of_tensorflow() -> None:
    given = {name: jnp.asarray(values) for name, values in GOLDEN["inputs"].items()}
    weights = {name: given[name] for name in ("kernel", "bias", "h")}

    def losses(kernel: jax.Array, bias: jax.Array, h: jax.Array) -> jax.Array:
        params = {"kernel": kernel, "bias": bias}
        return sampled_crossentropy(params, h, given["y"], given["drawn"], jnp.log(given["expected"]))

    assert_close(losses(**weights), np.float32(GOLDEN["losses"]), "losses")
    gradients = jax.grad(lambda w: jnp.sum(losses(**w) * jnp.asarray(GOLDEN["weight"])))(weights)
    assert_close(gradients, {name: np.float32(GOLDEN["gradients"][name]) for name in weights}, "gradients")


@distributions
@pytest.mark.parametrize("use_bias", [True, False])
def test_values_are_those_of_an_oracle(distribution: str, use_bias: bool) -> None:
    rng = np.random.default_rng(6)
    kernel, bias = rng.normal(size=(3, 9)), rng.normal(size=9) * use_bias
    h, y = rng.normal(size=(2, 4, 3)), rng.integers(0, 9, (2, 4))
    sampling, key = sw.SampledSoftmax(5, distribution), jax.random.key(7)
    params = {"kernel": jnp.asarray(kernel, "float32")} | ({"bias": jnp.asarray(bias, "float32")} if use_bias else {})
    found = sampling.values(params, jnp.asarray(h, "float32"), jnp.asarray(y), key)
    drawn, log_expected = (np.asarray(a) for a in sampling.draw(key, 9))
    expected = by_oracle(kernel, bias, h.reshape(8, 3), y.reshape(8), drawn, np.exp(log_expected))
    assert_close(found, expected.reshape(2, 4), "losses")


# ------------------------------------------------------------------------------------------------- draw


@distributions
def test_no_class_is_drawn_twice(distribution: str) -> None:
    drawn, _ = draw(distribution, 6, 13, draws=100)
    assert drawn.min() >= 0
    assert drawn.max() < 13
    assert all(len(set(row)) == 6 for row in drawn.tolist())


@distributions
def test_classes_are_drawn_as_often_as_expected(distribution: str) -> None:
    """Each class counts 1 on average, where it was drawn, over how often it was expected: what the logits rely on."""
    drawn, expected = draw(distribution, 4, 12, draws=40_000)
    counts = np.zeros_like(expected)
    np.put_along_axis(counts, drawn, 1 / np.take_along_axis(expected, drawn, axis=1), axis=1)
    spread = counts.std(axis=0) / math.sqrt(len(counts))
    assert (np.abs(counts.mean(axis=0) - 1) < 4.5 * spread).all(), counts.mean(axis=0)


def test_frequent_classes_are_drawn_first() -> None:
    """The first of a draw is class k with the probability that TensorFlow's log-uniform sampler has."""
    drawn, _ = draw("log-uniform", 3, 12, draws=40_000)
    first = np.bincount(drawn[:, 0], minlength=12) / len(drawn)
    ranks = np.arange(12)
    expected = (np.log(ranks + 2) - np.log(ranks + 1)) / math.log(13)
    assert np.abs(first - expected).max() < 4.5 * math.sqrt(0.25 / len(drawn))


def test_the_gradient_is_the_nearer_to_that_of_all_classes_the_more_are_drawn() -> None:
    rng = np.random.default_rng(8)
    params = {"kernel": jnp.asarray(rng.normal(size=(3, 30)), "float32")}
    h, y = jnp.asarray(rng.normal(size=(6, 3)), "float32"), jnp.asarray(rng.integers(0, 30, 6))

    def exact(params: Any) -> jax.Array:
        return -jnp.mean(jax.nn.log_softmax(h @ params["kernel"])[jnp.arange(6), y])

    def mean_gradient(samples: int) -> Array:
        sampling = sw.SampledSoftmax(samples)
        gradient = jax.grad(lambda w, key: jnp.mean(sampling.values(w, h, y, key)))
        keys = jax.random.split(jax.random.key(9), 4000)
        return np.asarray(jax.jit(jax.vmap(gradient, (None, 0)))(params, keys)["kernel"].mean(axis=0))

    full = np.asarray(jax.grad(exact)(params)["kernel"])
    distances = [np.linalg.norm(mean_gradient(samples) - full) / np.linalg.norm(full) for samples in (2, 8, 20, 30)]
    assert distances == sorted(distances, reverse=True)
    assert distances[2] < 0.15
    assert distances[3] < 1e-5


# ---------------------------------------------------------------------------------------------- training

NETWORKS: dict[str, Any] = {
    "dense": lambda last: [sw.LSTM(4, return_sequences=True, learn_initial_state=True), last],
    "time-distributed": lambda last: [sw.GRU(4, return_sequences=True), sw.Dropout(0.3), sw.TimeDistributed(last)],
}
WAYS: list[tuple[str, dict[str, Any]]] = [
    ("dense", {"state": "carry", "reset": ~MASK, "sample_weight": WEIGHT}),
    ("dense", {"tbptt": (1, 3), "mask": MASK}),
    ("time-distributed", {"mask": MASK, "sample_weight": WEIGHT}),
    ("time-distributed", {"state": "warmup:1"}),
]


def tagger(loss: Any, network: str = "dense", optimizer: Any = None) -> sw.Sequential:
    """Returns a model with penalties that answers one of `CLASSES` at every step."""
    penalties: dict[str, Any] = {"kernel_regularizer": sw.L1L2(l2=0.1), "bias_regularizer": sw.L1L2(l1=0.1)}
    last = sw.Dense(CLASSES, activation="softmax", **penalties)
    model = sw.Sequential(NETWORKS[network](last), seed=4)
    model.compile(optimizer or sw.SGD(learning_rate=0.5), loss)
    model.build((None, *X.shape[1:]))
    random_weights(model, bias_scale=0.3)
    return model


def fit(model: sw.Sequential, **options: Any) -> sw.History:
    return model.fit(X, Y, **{"batch_size": BATCH, "epochs": 2, "verbose": 0} | options)


@pytest.mark.parametrize(("network", "options"), WAYS)
def test_drawing_all_classes_is_training_with_all(network: str, options: dict[str, Any]) -> None:
    """Loss, weights and states, whatever else there is: masks, weights, resets, truncation, penalties."""
    some, full = tagger(sw.SampledSoftmax(CLASSES), network), tagger("sparse_categorical_crossentropy", network)
    logs = [logs_of(fit(model, **options)) for model in (some, full)]
    assert_close(logs[0], logs[1], "loss", tolerance=1e-4)
    assert_close(some.get_weights(), full.get_weights(), "weights", tolerance=1e-4)
    if full.state is not None:
        assert_close(some.state, full.state, "state", tolerance=1e-4)


def test_one_answer_a_row() -> None:
    losses: list[Any] = [sw.SampledSoftmax(CLASSES), "sparse_categorical_crossentropy"]
    models = [model_of(sw.LSTM(3), sw.Dense(CLASSES, activation="softmax"), loss=loss) for loss in losses]
    some, full = (logs_of(model.fit(X, Y[:, 0], epochs=2, verbose=0)) for model in models)
    assert_close(some, full, "loss")


def test_classes_are_drawn_anew_for_each_update() -> None:
    still = tagger(sw.SampledSoftmax(1), optimizer=sw.SGD(learning_rate=1e-30))
    losses = fit(still, epochs=3, shuffle=False).history["loss"]
    assert len(set(losses)) == 3
    again = fit(tagger(sw.SampledSoftmax(1), optimizer=sw.SGD(learning_rate=1e-30)), epochs=3, shuffle=False)
    assert again.history["loss"] == losses


def test_a_resumed_training_draws_what_it_would_have_drawn(tmp_path: Path) -> None:
    options: dict[str, Any] = {"tbptt": "random:2", "state": "carry"}
    whole = tagger(sw.SampledSoftmax(2), optimizer="adam")
    fit(whole, epochs=4, **options)
    fit(tagger(sw.SampledSoftmax(2), optimizer="adam"), epochs=2, checkpoint=tmp_path / "training", **options)
    resumed = tagger(sw.SampledSoftmax(2), optimizer="adam")
    fit(resumed, epochs=4, checkpoint=tmp_path / "training", **options)
    assert_same(resumed.get_weights(), whole.get_weights(), "weights")
    with pytest.raises(ConfigurationError, match="loss"):
        fit(tagger(sw.SampledSoftmax(1), optimizer="adam"), epochs=5, checkpoint=tmp_path / "training", **options)


def test_a_loaded_model_trains_on(tmp_path: Path) -> None:
    model = tagger(sw.SampledSoftmax(2, "uniform"), optimizer="adam")
    fit(model)
    model.save(tmp_path / "model")
    loaded: Any = sw.load(tmp_path / "model")
    assert_same(loaded.evaluate(X, Y), model.evaluate(X, Y))
    histories = [fit(trained, epochs=4, initial_epoch=2).history for trained in (loaded, model)]
    assert histories[0] == histories[1]
    assert_same(loaded.get_weights(), model.get_weights(), "weights")
    other = tagger(sw.SampledSoftmax(2), optimizer="adam")
    fit(other, epochs=4)
    assert differ(other.get_weights(), model.get_weights())


@pytest.mark.parametrize("network", NETWORKS)
def test_evaluate_and_validation_take_all_classes(network: str) -> None:
    some, full = tagger(sw.SampledSoftmax(1), network), tagger("sparse_categorical_crossentropy", network)
    history = fit(some, epochs=1, validation_data=(X, Y, WEIGHT))
    full.set_weights(some.get_weights())
    loss = full.evaluate(X, Y, sample_weight=WEIGHT)
    assert_same(some.evaluate(X, Y, sample_weight=WEIGHT), loss)
    assert history.history["val_loss"] == pytest.approx([loss])
    assert_same(some.predict(X), full.predict(X))


def test_training_computes_no_answers_of_all_classes() -> None:
    """No array of training has a logit for each class at each step; those of evaluation have."""
    model = sw.Sequential([sw.LSTM(2, return_sequences=True), sw.Dense(97, activation="softmax")], seed=4)
    model.compile("sgd", sw.SampledSoftmax(5))
    model.build((None, *X.shape[1:]))
    objective, states = model.programs.objective, model.network.zero_state(len(X))

    def arrays(rng: jax.Array | None) -> str:
        gradient = jax.grad(lambda w: objective.sums(w, states, Batch(jnp.asarray(X), jnp.asarray(Y)), None, rng)[0])
        return str(jax.make_jaxpr(gradient)(model.params))

    rows = [f"[{len(X)},{X.shape[1]},97]", f"[{Y.size},97]"]
    assert any(shape in arrays(None) for shape in rows)
    assert not any(shape in arrays(jax.random.key(1)) for shape in rows)


def test_a_large_vocabulary_is_learnt() -> None:
    x = np.random.default_rng(10).integers(0, 300, (40, 5))
    y = (7 * x + 3) % 300
    model = sw.Sequential([sw.Embedding(300, 32), sw.Dense(300, activation="softmax")], seed=5)
    model.compile(sw.Adam(0.02), sw.SampledSoftmax(30))
    model.fit(x, y, epochs=60, verbose=0)
    assert (model.predict(x).argmax(axis=-1) == y).mean() > 0.95
    loss = model.evaluate(x, y)
    assert isinstance(loss, float)
    assert loss < 0.3


# ------------------------------------------------------------------------------------------------ mistakes


def answers(*layers: Any) -> Any:
    """Fits a network whose output is `layers` with a sampled loss."""
    model = model_of(sw.LSTM(3, return_sequences=True), *layers, loss=sampled(2))
    return lambda: model.fit(X, Y, verbose=0)


ENDS = ("SampledSoftmax", "last layer is Dense(V, activation='softmax')")


@table(
    *each("SampledSoftmax samples", sw.SampledSoftmax, ConfigurationError, "integer", of=[0, -3, 2.5, "9", True]),
    *each("distribution", lambda d: sw.SampledSoftmax(5, d), ConfigurationError, "log-uniform", of=["loguniform", 3]),
    case(
        "metrics",
        lambda: model_of(sw.Dense(5, activation="softmax"), loss=sampled(5), metrics=["accuracy"]),
        ConfigurationError,
        "metrics: expected none with SampledSoftmax",
        "['accuracy']",
        "compile with loss='sparse_categorical_crossentropy'",
    ),
    case("linear", answers(sw.Dense(5)), ConfigurationError, *ENDS, "got Dense(activation='linear')"),
    case("no-dense", answers(), ConfigurationError, *ENDS, "got LSTM"),
    case("activation", answers(sw.Dense(5), sw.Activation("softmax")), ConfigurationError, *ENDS, "got Activation"),
    case("around-another", answers(sw.TimeDistributed(sw.Dropout(0.1))), ConfigurationError, *ENDS, "got Dropout"),
    case(
        "more-than-all",
        lambda: model_of(sw.Dense(CLASSES, activation="softmax"), loss=sampled(9)).fit(X, Y, verbose=0),
        ConfigurationError,
        "SampledSoftmax samples",
        f"at most the {CLASSES} classes",
        "got 9",
        "loss='sparse_categorical_crossentropy'",
    ),
    case("class", lambda: model_of(sw.Dense(5), loss=sampled), ConfigurationError, "unknown loss"),
)
def test_mistakes(action: Any, error: Any, words: Any) -> None:
    refused(action, error, words)
