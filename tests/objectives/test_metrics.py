"""Metrics: Keras 2's values, on rows and on a whole evaluation."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from formulas import FORMULAS, recorded_rows
from mistakes import X, Y, fit, model_of
from statewise.errors import ConfigurationError
from statewise.objectives.metrics import METRICS, get_metric
from tolerances import assert_close


@pytest.mark.parametrize("golden", FORMULAS["metrics"], ids=lambda golden: golden["metric"])
def test_values_are_those_of_keras_2(golden: dict[str, Any]) -> None:
    y, p = recorded_rows(golden["kind"])
    metric = get_metric(golden["metric"], golden["kind"], p.shape[-1])
    values = metric.values(y, p)
    if isinstance(golden["values"], float):  # one for all rows
        assert metric.finish(float(values.mean())) == pytest.approx(golden["values"], rel=1e-6)
    else:
        assert_close(values, np.float32(golden["values"]), metric.name)


@pytest.mark.parametrize("classes", [3, 5, 6])
def test_what_ties_with_the_fifth_is_among_the_top_5(classes: int) -> None:
    ranked, labels = jnp.float32([[9, 8, 7, 5, 5, 5][:classes]] * classes), jnp.arange(classes)
    for name, y in (("sparse_top_k_categorical_accuracy", labels), ("top_k_categorical_accuracy", jnp.eye(classes))):
        np.testing.assert_array_equal(METRICS[name].values(y, ranked), np.ones(classes))


def test_the_sixth_is_not_among_the_top_5() -> None:
    ranked = jnp.float32([[1, 6, 5, 4, 3, 2]] * 2)
    np.testing.assert_array_equal(
        METRICS["sparse_top_k_categorical_accuracy"].values(jnp.int32([0, 5]), ranked), [0, 1]
    )


def test_a_similarity_grows_as_vectors_align_though_its_loss_falls() -> None:
    y = jnp.float32([[2.0, 0.0]])
    for name in ("cosine_similarity", "cosine_proximity"):
        assert [float(METRICS[name].values(y, p)[0]) for p in (3 * y, -y)] == [1.0, -1.0]


def test_an_evaluation_is_the_mean_over_all_rows_or_the_root_of_one() -> None:
    names = ("loss", "mse", "rmse", "root_mean_squared_error", "mape", "logcosh", "hinge", "cosine_similarity")
    model = model_of(sw.LSTM(3), sw.Dense(2), loss="squared_hinge", metrics=names[1:])
    fit(model, X, Y, epochs=1)
    logs = model.evaluate(X, Y, batch_size=4, return_dict=True)  # the second batch is short
    error, p = model.predict(X) - Y, model.predict(X)
    expected = {
        "loss": (np.maximum(1 - Y * p, 0) ** 2).mean(),
        "mse": (error**2).mean(),
        "rmse": math.sqrt((error**2).mean()),
        "root_mean_squared_error": math.sqrt((error**2).mean()),
        "mape": 100 * np.abs(error / Y).mean(),
        "logcosh": np.log(np.cosh(error)).mean(),
        "hinge": np.maximum(1 - Y * p, 0).mean(),
        "cosine_similarity": ((Y * p).sum(1) / np.sqrt((Y**2).sum(1) * (p**2).sum(1))).mean(),
    }
    assert {name: logs[name] for name in names} == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "target", "words"),
    [
        ("sparse_top_k_categorical_accuracy", "onehot", "expects y to be classes, but the loss takes onehot"),
        (
            "top_k_categorical_accuracy",
            "classes",
            "expects y to be real or binary or onehot, but the loss takes classes",
        ),
        ("kld", "real", "expects y to be onehot, but the loss takes real"),
        ("rmse", "classes", "'accuracy' works with every loss"),
        ("rsme", "real", "did you mean 'rmse'?"),
    ],
)
def test_a_metric_of_other_targets_is_refused(name: str, target: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        get_metric(name, target, 3)
    assert words in str(caught.value)
