"""Adam's update in the native library equals the one that XLA computes, weight by weight."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statewise.native import ffi
from statewise.optimizers import adam_rules
from statewise.optimizers.adam_rules import AdamMoments, scale_by_adam
from statewise.optimizers.native_adam import MOST, serves

pytestmark = pytest.mark.skipif(not ffi.is_registered(), reason="the native library is not built")

SHAPES = {"scalar": (), "one": (1,), "vector": (15, 1), "kernel": (7, 12), "large": (33, 65)}


def drawn(seed: int, scale: float = 1.0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {name: jnp.asarray(scale * rng.normal(size=shape), jnp.float32) for name, shape in SHAPES.items()}


def test_updates_and_moments_equal_those_of_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = scale_by_adam(0.9, 0.999, 1e-7)
    moments = AdamMoments(jnp.int32(6), drawn(1), jax.tree.map(jnp.square, drawn(2)))
    gradients = drawn(3)
    gradients["vector"] = jnp.zeros_like(gradients["vector"])
    assert serves(gradients)
    native = jax.jit(rule.update)(gradients, moments)
    monkeypatch.setattr(adam_rules, "serves", lambda _: False)
    by_xla = jax.jit(rule.update)(gradients, moments)
    jax.tree.map(lambda ours, theirs: np.testing.assert_allclose(ours, theirs, rtol=1e-6), native, by_xla)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_gradients_of_any_size_move_a_weight_by_about_one(size: float) -> None:
    """The first update is the sign of the gradient, if epsilon is small beside it."""
    rule = scale_by_adam(0.9, 0.999, 1e-38)
    gradients = drawn(4, size)
    updates, _ = jax.jit(rule.update)(gradients, rule.init(gradients))
    for name, update in updates.items():
        np.testing.assert_allclose(update, np.sign(gradients[name]), rtol=1e-4)


def test_gradients_whose_squares_vanish_give_finite_updates() -> None:
    rule = scale_by_adam(0.9, 0.999, 1e-38)
    gradients = drawn(4, 1e-30)
    updates, _ = jax.jit(rule.update)(gradients, rule.init(gradients))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(updates))


def test_a_weight_without_gradients_stays() -> None:
    rule = scale_by_adam(0.9, 0.999, 1e-7)
    zeros = jax.tree.map(jnp.zeros_like, drawn(0))
    updates, moments = jax.jit(rule.update)(zeros, rule.init(zeros))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves((updates, moments.mean, moments.square)))


def test_it_serves_small_networks_in_float32() -> None:
    assert not serves({})
    assert not serves({"kernel": jnp.zeros(MOST + 1)})
    assert not serves({"kernel": jnp.zeros(3, jnp.float16)})
