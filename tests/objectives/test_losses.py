"""Losses: Keras 2's values, the other names, and gradients that stay finite."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from formulas import FORMULAS, recorded_rows
from statewise.objectives.losses import ALIASES, LOSSES, get_loss
from tolerances import assert_close


@pytest.mark.parametrize("golden", FORMULAS["losses"], ids=lambda golden: f"{golden['loss']}-{golden['kind']}")
def test_values_are_those_of_keras_2(golden: dict[str, Any]) -> None:
    values = get_loss(golden["loss"]).values(*recorded_rows(golden["kind"]))
    assert_close(values, np.float32(golden["values"]), golden["loss"])


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_the_loss_itself(alias: str) -> None:
    assert get_loss(alias) is LOSSES[ALIASES[alias]]


@pytest.mark.parametrize("name", ["hinge", "squared_hinge"])
def test_hinges_read_0_as_minus_1_whatever_else_is_in_the_batch(name: str) -> None:
    values, p = get_loss(name).values, jnp.float32([[0.3, -0.8], [2.0, 0.1]])
    zeros, signs = jnp.float32([[0, 1], [-1, 0]]), jnp.float32([[-1, 1], [-1, -1]])
    np.testing.assert_array_equal(values(zeros, p), values(signs, p))


def test_a_loss_of_similarity_falls_as_vectors_align() -> None:
    along, across = jnp.float32([[2.0, 0.0]]), jnp.float32([[0.0, 3.0]])
    values = get_loss("cosine_similarity").values
    assert [float(values(along, other)[0]) for other in (5 * along, across, -along)] == [-1.0, 0.0, 1.0]


@pytest.mark.parametrize("name", [name for name in LOSSES if "categorical_crossentropy" not in name])
def test_gradients_are_finite_where_all_predictions_are_0(name: str) -> None:
    y = jnp.float32([[0, 1, 0], [1, 0, 0]])
    gradient = jax.grad(lambda p: LOSSES[name].values(y, p).sum())(jnp.zeros((2, 3)))
    assert bool(jnp.isfinite(gradient).all()), gradient


@pytest.mark.parametrize("name", LOSSES)
def test_values_at_every_step_are_those_of_each_step(name: str) -> None:
    loss, rng = LOSSES[name], np.random.default_rng(31)
    y = rng.integers(3, size=(2, 4)) if loss.target == "classes" else rng.integers(2, size=(2, 4, 3)).astype(np.float32)
    p = rng.uniform(0.1, 0.9, size=(2, 4, 3)).astype(np.float32)
    steps = [loss.values(jnp.asarray(y[:, t]), jnp.asarray(p[:, t])) for t in range(4)]
    assert_close(loss.values(jnp.asarray(y), jnp.asarray(p)), jnp.stack(steps, axis=1), name)
