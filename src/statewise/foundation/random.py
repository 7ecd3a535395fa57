"""Random numbers in NumPy, equal to those that `jax.random` draws from the same key, without compiling a program.

A key is two uint32 numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from statewise.foundation.shapes import Array

Key = Array
"""uint32 `[2]`; `jax.random.wrap_key_data` makes a JAX key of it."""

ALMOST_ONE = 1 - 2.0**-24
ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)
BLOCK = 1 << 14
"""How many numbers are drawn at once: few enough to stay in the processor's cache."""

CENTER = (
    *(2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087),
    *(-0.00125372503, -0.00417768164, 0.246640727, 1.50140941),
)
TAILS = (
    *(-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773),
    *(-0.0076224613, 0.00943887047, 1.00167406, 2.83297682),
)
"""Coefficients of the inverse error function, highest power first (Giles 2012, "Approximating the erfinv function")."""


def key_of(seed: int) -> Key:
    """Returns the key of a seed, of which the lower 32 bits are used.

    >>> key_of(7)
    array([0, 7], dtype=uint32)
    """
    return np.array([0, seed & 0xFFFFFFFF], np.uint32)


def fold_in(key: Key, number: int) -> Key:
    """Returns the key of one purpose, such as an epoch's, among many derived from `key`."""
    return np.concatenate(_threefry(key, *key_of(number).reshape(2, 1)))


def split(key: Key, count: int = 2) -> list[Any]:
    """Returns `count` keys for independent draws."""
    numbers = np.arange(count, dtype=np.uint32)
    return list(np.stack(_threefry(key, np.zeros_like(numbers), numbers), axis=1))


def uniform(key: Key, shape: tuple[int, ...], low: float, high: float) -> Array:
    """Returns numbers uniformly distributed over `low` .. `high`, float32."""
    drawn = np.zeros(shape, np.float32)
    for part, units in _units(key, drawn):
        # In float64, since XLA rounds a product and a sum only once.
        spread = units * np.float64(np.float32(high) - np.float32(low)) + np.float64(np.float32(low))
        part[:] = np.maximum(spread.astype(np.float32), np.float32(low))
    return drawn


def normal(key: Key, shape: tuple[int, ...]) -> Array:
    """Returns numbers of the standard normal distribution, float32; the last bits may differ from XLA's."""
    drawn = np.zeros(shape, np.float32)
    for part, units in _units(key, drawn):
        spread = np.maximum(2 * units - ALMOST_ONE, -ALMOST_ONE)
        part[:] = math.sqrt(2) * _inverse_erf(spread.astype(np.float32))
    return drawn


def glorot_uniform(key: Key, shape: tuple[int, ...], fans: tuple[int, int] | None = None) -> Array:
    """Returns a kernel whose elements have variance `2 / sum of fans` (Glorot and Bengio 2010).

    The fans are how many numbers an output is made of, and how many an input goes into: by default rows and columns.
    """
    return uniform(key, shape, -1, 1) * np.float32(math.sqrt(np.float32(3 * 2 / sum(fans or shape))))


def orthogonal(key: Key, shape: tuple[int, int]) -> Array:
    """Returns a kernel with orthonormal columns, or rows if those are fewer (Mezzadri 2007)."""
    q, r = np.linalg.qr(normal(key, (max(shape), min(shape))))
    q = q * np.where(np.diag(r) < 0, -1, 1).astype(np.float32)
    return q.T.copy() if shape[0] < shape[1] else q


def _units(key: Key, drawn: Array) -> Iterator[tuple[Array, Array]]:
    """Yields each block of `drawn` with float64 numbers in [0, 1) from which to compute it."""
    flat = drawn.reshape(-1)
    for first in range(0, flat.size, BLOCK):
        part = flat[first : first + BLOCK]
        places = np.arange(first, first + part.size, dtype=np.uint64)
        high, low = _threefry(key, (places >> 32).astype(np.uint32), places.astype(np.uint32))
        yield part, ((high ^ low) >> 9) * 2.0**-23


def _threefry(key: Key, high: Array, low: Array) -> tuple[Array, Array]:
    """Returns the counters `high` and `low`, enciphered: Threefry-2x32 with 20 rounds (Salmon et al. 2011)."""
    keys = (*key, key[0] ^ key[1] ^ np.uint32(0x1BD11BDA))
    high, low = high + keys[0], low + keys[1]
    for group in range(5):
        for rotation in ROTATIONS[group % 2]:
            high += low
            low = (low << rotation | low >> 32 - rotation) ^ high
        high += keys[(group + 1) % 3]
        low += keys[(group + 2) % 3]
        low += np.uint32(group + 1)
    return high, low


def _inverse_erf(x: Array) -> Array:
    """Returns the inverse error function of float32 in float64; close to -1 and 1 it is rounded like XLA's."""
    w = -np.log1p(-x * x)
    tails = w >= 5
    y = np.polyval(CENTER, w - 2.5)
    y[tails] = np.polyval(TAILS, np.sqrt(w[tails]) - 3)
    return y * x
