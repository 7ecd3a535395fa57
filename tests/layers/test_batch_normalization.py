"""BatchNormalization: by the formula in training, by its averages otherwise, and what its averages are a part of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import statewise as sw
from mistakes import refused
from statewise.errors import ConfigurationError, ShapeError

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(3)
X = RNG.normal(2.0, 3.0, (10, 6, 3)).astype(np.float32)
Y = RNG.normal(size=(10, 6, 1)).astype(np.float32)
MASK = RNG.random((10, 6)) < 0.7


def network(**options: Any) -> sw.Sequential:
    layers = [sw.BatchNormalization(momentum=0.9, name="norm", input_shape=(None, 3), **options), sw.Dense(1)]
    model = sw.Sequential(layers, seed=1)
    model.compile(sw.SGD(1e-6), "mse")
    return model


def moved(batches: list[Array], momentum: float = 0.9) -> tuple[Array, Array]:
    """The averages after these batches of steps `[n, F]`, by the formula."""
    mean, variance = np.zeros(3), np.ones(3)
    for batch in batches:
        mean = momentum * mean + (1 - momentum) * batch.mean(axis=0)
        variance = momentum * variance + (1 - momentum) * batch.var(axis=0)
    return mean, variance


def assert_averages(model: sw.Sequential, batches: list[Array]) -> None:
    mean, variance = moved(batches)
    found = model.statistics["norm"]
    np.testing.assert_allclose(found["moving_mean"], mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["moving_variance"], variance, rtol=1e-5, atol=1e-6)


def test_training_moves_the_averages_by_each_batch_without_its_padding() -> None:
    model = network()
    model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    batches = [X[first : first + 4].reshape(-1, 3).astype(np.float64) for first in (0, 4, 8)]
    assert_averages(model, batches * 2)


@pytest.mark.parametrize("state", ["fresh", "carry"])
def test_masked_steps_do_not_count(state: str) -> None:
    model, x = network(), X.copy()
    x[~MASK] = np.nan
    model.fit(x, Y, batch_size=4, shuffle=False, mask=MASK, state=state, verbose=0)
    assert_averages(model, [X[f : f + 4][MASK[f : f + 4]].astype(np.float64) for f in (0, 4, 8)])


def test_a_batch_in_which_nothing_counts_changes_nothing() -> None:
    model, mask = network(), MASK.copy()
    mask[:4] = False
    model.fit(X, Y, batch_size=4, shuffle=False, mask=mask, verbose=0)
    assert_averages(model, [X[f : f + 4][mask[f : f + 4]].astype(np.float64) for f in (4, 8)])


def test_rows_without_steps() -> None:
    x = X[:, 0]
    model = sw.Sequential([sw.BatchNormalization(momentum=0.9, name="norm", input_shape=(3,)), sw.Dense(1)])
    model.compile(sw.SGD(1e-6), "mse")
    model.fit(x, Y[:, 0], batch_size=4, shuffle=False, verbose=0)
    assert_averages(model, [x[f : f + 4].astype(np.float64) for f in (0, 4, 8)])


@pytest.mark.parametrize("options", [{}, {"center": False}, {"scale": False}, {"epsilon": 0.1}])
def test_outputs_by_the_formula(options: dict[str, Any]) -> None:
    model = network(**options)
    model.fit(X, Y, epochs=3, verbose=0)
    weights: dict[str, Any] = {name: RNG.normal(size=3).astype(np.float32) for name in model.params["norm"]}
    model.params = {**model.params, "norm": weights}
    gamma, beta = weights.get("gamma", 1.0), weights.get("beta", 0.0)
    epsilon, head = options.get("epsilon", 1e-3), model.params["dense"]

    def expected(mean: Any, variance: Any) -> Any:
        return ((X - mean) / np.sqrt(variance + epsilon) * gamma + beta) @ head["kernel"] + head["bias"]

    averages = model.statistics["norm"]
    np.testing.assert_allclose(
        model.predict(X), expected(averages["moving_mean"], averages["moving_variance"]), rtol=1e-4, atol=1e-5
    )
    in_training, _ = model.apply(model.params, X, rng=jax.random.key(0))
    flat = X.reshape(-1, 3)
    np.testing.assert_allclose(in_training, expected(flat.mean(0), flat.var(0)), rtol=1e-4, atol=1e-5)


def test_apply_returns_the_averages_it_moves_and_changes_nothing() -> None:
    model = network()
    model.fit(X, Y, verbose=0)
    before = jax.tree.map(np.array, model.statistics)
    _, _, after = model.apply(model.params, X, rng=jax.random.key(0), return_statistics=True)
    flat = X.reshape(-1, 3)
    expected = 0.9 * before["norm"]["moving_mean"] + 0.1 * flat.mean(0)
    np.testing.assert_allclose(after["norm"]["moving_mean"], expected, rtol=1e-5)
    assert jax.tree.all(jax.tree.map(np.array_equal, before, model.statistics))
    y, _ = model.apply(model.params, X, statistics=after)
    assert not np.allclose(y, model.predict(X))
    gradient = jax.grad(lambda p: (model.apply(p, X, rng=jax.random.key(0))[0] ** 2).sum())(model.params)
    assert set(gradient) == set(model.params)


def test_frozen_layers_keep_their_averages_and_use_them() -> None:
    model = network()
    model.fit(X, Y, epochs=2, verbose=0)
    model.freeze("norm")
    before, answers = model.statistics, model.predict(X)
    in_training, _ = model.apply(model.params, X, rng=jax.random.key(0))
    np.testing.assert_allclose(in_training, answers, atol=1e-6)
    model.fit(X, Y, epochs=2, verbose=0)
    assert jax.tree.all(jax.tree.map(np.array_equal, before, model.statistics))


def test_they_are_saved_resumed_and_kept_with_the_best_weights(tmp_path: Path) -> None:
    def fresh() -> sw.Sequential:
        layers = [sw.LSTM(4, return_sequences=True, input_shape=(None, 3)), sw.BatchNormalization(), sw.Dense(1)]
        model = sw.Sequential(layers, seed=2)
        model.compile("adam", "mse")
        return model

    whole, parts = fresh(), fresh()
    whole.fit(X, Y, batch_size=4, epochs=6, verbose=0)
    parts.fit(X, Y, batch_size=4, epochs=3, verbose=0)
    parts.save(tmp_path / "model")
    resumed: Any = sw.load(tmp_path / "model")
    resumed.fit(X, Y, batch_size=4, epochs=3, verbose=0)
    assert jax.tree.all(jax.tree.map(np.array_equal, whole.train_state.known, resumed.train_state.known))
    seen: list[Any] = []

    class Watch(sw.Callback):
        def on_epoch_end(self, model: Any, epoch: int, logs: Any) -> None:
            seen.append(jax.tree.map(np.array, model.statistics))

    stops = sw.EarlyStopping("loss", mode="max", patience=2, restore_best_weights=True)
    best = fresh()
    best.fit(X, Y, batch_size=4, epochs=5, verbose=0, callbacks=[Watch(), stops])
    assert jax.tree.all(jax.tree.map(np.array_equal, best.statistics, seen[0]))


def test_a_diverged_epoch_discards_them() -> None:
    model = sw.Sequential([sw.BatchNormalization(input_shape=(None, 3)), sw.Dense(1)], seed=1)
    model.compile(sw.SGD(1e30), "mse")
    before = jax.tree.map(np.array, model.statistics)
    with pytest.raises(sw.StatewiseError):
        model.fit(X, Y, epochs=3, verbose=0)
    after = jax.tree.leaves(model.statistics)
    assert all(np.isfinite(part).all() for part in after)
    assert model.epochs_done > 0 or jax.tree.all(jax.tree.map(np.array_equal, before, model.statistics))


def test_uses_of_one_layer_have_averages_of_their_own() -> None:
    norm, x = sw.BatchNormalization(momentum=0.9), sw.Input((None, 3))
    model = sw.Model(x, sw.Concatenate()([norm(x), norm(sw.Dense(3)(x))]), seed=1)
    model.compile(sw.SGD(1e-6), "mse")
    model.fit(X, np.zeros((10, 6, 6)), verbose=0)
    assert list(model.statistics) == ["batchnormalization", "batchnormalization_1"]
    assert "batchnormalization_1" not in model.params
    parts = [model.statistics[name]["moving_mean"] for name in model.statistics]
    assert not np.allclose(*parts)
    assert model.verify(X).passed


def test_others_may_be_set_and_taken_over() -> None:
    one, other = network(), network()
    one.fit(X, Y, verbose=0)
    assert "norm" in other.load_weights(one)
    assert jax.tree.all(jax.tree.map(np.array_equal, one.statistics, other.statistics))
    other.statistics = {"norm": {"moving_mean": np.zeros(3), "moving_variance": np.ones(3)}}
    assert np.asarray(other.statistics["norm"]["moving_mean"]).tolist() == [0, 0, 0]

    def wrong() -> None:
        other.statistics = {"norm": {"moving_mean": np.zeros(2), "moving_variance": np.ones(3)}}

    refused(wrong, ShapeError, ["statistics", "(2,)"])
    refused(lambda: sw.BatchNormalization(momentum=1.5), ConfigurationError, ["momentum"])
    refused(lambda: sw.BatchNormalization(epsilon=0), ConfigurationError, ["epsilon"])


def test_pieces_streams_and_files_are_the_same_as_the_whole() -> None:
    model = sw.Sequential(
        [sw.BatchNormalization(input_shape=(None, 3)), sw.GRU(4, return_sequences=True), sw.BatchNormalization()]
    )
    model.compile("adam", "mse")
    model.fit(X, np.zeros((10, 6, 4)), epochs=3, verbose=0)
    found = model.verify(X, mask=MASK, reset=RNG.random(MASK.shape) < 0.2)
    assert found.passed
    assert all(check.difference is not None for check in found.checks)
