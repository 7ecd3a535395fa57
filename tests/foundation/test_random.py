"""Draws in NumPy are those of `jax.random`."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from jax.nn import initializers

from statewise.foundation import random as draws
from statewise.foundation.engine import jax_key

SEEDS = 0, 7, 2**31 - 1, 2**32 - 5
SHAPES = (3, 4), (20, 128), (130, 130)


def keys(seed: int) -> tuple[draws.Key, jax.Array]:
    """Returns the same key for both."""
    return draws.key_of(seed), jax.random.key(seed)


def data(key: jax.Array) -> np.ndarray:
    return np.asarray(jax.random.key_data(key))


@pytest.mark.parametrize("seed", [*SEEDS, 2**32 + 7, 2**63 - 1])
def test_keys_are_those_of_jax(seed: int) -> None:
    ours, theirs = keys(seed)
    np.testing.assert_array_equal(ours, data(theirs))
    for number in (0, 3, 2**31 - 1):
        np.testing.assert_array_equal(draws.fold_in(ours, number), data(jax.random.fold_in(theirs, number)))
    for count in (1, 2, 5):
        np.testing.assert_array_equal(np.stack(draws.split(ours, count)), data(jax.random.split(theirs, count)))


@pytest.mark.parametrize("shape", SHAPES)
def test_uniform_draws_are_those_of_jax(shape: tuple[int, int]) -> None:
    for seed in SEEDS:
        ours, theirs = keys(seed)
        for low, high in ((0.0, 1.0), (-1.0, 1.0), (-0.05, 0.05), (0.3, 7.7)):
            drawn, expected = draws.uniform(ours, shape, low, high), jax.random.uniform(theirs, shape, None, low, high)
            # XLA rounds the sum of a product once or twice, as it optimises: the same where the product is exact.
            np.testing.assert_allclose(drawn, expected, rtol=0, atol=0 if high == 1 else 1e-7 * high)
        np.testing.assert_array_equal(draws.glorot_uniform(ours, shape), initializers.glorot_uniform()(theirs, shape))


@pytest.mark.parametrize("shape", SHAPES)
def test_normal_draws_are_those_of_jax_but_for_rounding(shape: tuple[int, int]) -> None:
    for seed in SEEDS:
        ours, theirs = keys(seed)
        np.testing.assert_allclose(draws.normal(ours, shape), jax.random.normal(theirs, shape), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(draws.orthogonal(ours, shape), initializers.orthogonal()(theirs, shape), atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 32), (32, 8), (16, 16)])
def test_orthogonal_kernels_are_orthogonal(shape: tuple[int, int]) -> None:
    kernel = draws.orthogonal(draws.key_of(3), shape).astype(np.float64)
    product = kernel @ kernel.T if shape[0] < shape[1] else kernel.T @ kernel
    np.testing.assert_allclose(product, np.eye(min(shape)), atol=1e-6)


def test_many_draws_are_one_stream_of_blocks() -> None:
    ours, theirs = keys(11)
    count = 2 * draws.BLOCK + 17
    np.testing.assert_array_equal(draws.uniform(ours, (count,), 0, 1), jax.random.uniform(theirs, (count,)))


def test_keys_are_threefrys_whatever_jax_draws_with_by_default() -> None:
    with jax.default_prng_impl("rbg"):
        np.testing.assert_array_equal(jax.random.key_data(jax_key(draws.key_of(7))), [0, 7])
