"""Activation functions of the Numba step. Importing this module imports Numba.

tanh and exp are polynomials because lookup tables and library calls cannot be vectorized.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from statewise.streaming.instructions import (
    ELU,
    EXPONENTIAL,
    GELU,
    HARD_SIGMOID,
    HARD_SIGMOID_KERAS_2,
    LEAKY_RELU,
    RELU,
    SELU,
    SIGMOID,
    SIGMOID_OF_TWICE,
    SILU,
    SIMD_WIDTH,
    SOFTMAX,
    SOFTPLUS,
    SOFTSIGN,
    TANH,
)
from statewise.streaming.numba_intrinsics import float_of_bits, numba_jit

ZERO, HALF, ONE, TWO, THREE, SIX, FIFTH = (np.float32(v) for v in (0, 0.5, 1, 2, 3, 6, 0.2))

# tanh x = x P(x^2) / Q(x^2), as in Eigen and XLA; relative error <= 3e-7. At FLAT it is exactly 1 if multiply-add is
# fused: a gate slightly below 1 would drain a memory over thousands of steps.
FLAT = np.float32(7.99881172180175781)
P1, P3, P5, P7, P9, P11, P13 = (
    np.float32(v)
    for v in (
        4.89352455891786e-03, 6.37261928875436e-04, 1.48572235717979e-05, 5.12229709037114e-08,
        -8.60467152213735e-11, 2.00018790482477e-13, -2.76076847742355e-16,
    )
)  # fmt: skip
Q0, Q2, Q4, Q6 = (
    np.float32(v) for v in (4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06)
)

# exp x = 2^n e^r with |r| <= ln(2) / 2, as in Cephes.
LOWEST, HIGHEST, LOG2_E, LN2_HIGH, LN2_LOW = (
    np.float32(v) for v in (-104, 89, 1.44269504088896341, 0.693359375, -2.12194440e-4)
)
E0, E1, E2, E3, E4, E5 = (
    np.float32(v)
    for v in (5.0000001201e-1, 1.6666665459e-1, 4.1665795894e-2, 8.3334519073e-3, 1.3981999507e-3, 1.9875691500e-4)
)
SCALE, ALPHA = np.float32(1.0507009873554805), np.float32(1.6732632423543772)  # of selu


@numba_jit
def _tanh(x: Any) -> Any:
    x = min(max(x, -FLAT), FLAT)
    s = x * x
    p = x * (P1 + s * (P3 + s * (P5 + s * (P7 + s * (P9 + s * (P11 + s * P13))))))
    return p / (Q0 + s * (Q2 + s * (Q4 + s * Q6)))


@numba_jit
def _exp(x: Any) -> Any:
    x = min(max(x, LOWEST), HIGHEST)
    n = np.floor(x * LOG2_E + HALF)
    r = x - n * LN2_HIGH - n * LN2_LOW
    y = ONE + r + r * r * (E0 + r * (E1 + r * (E2 + r * (E3 + r * (E4 + r * E5)))))
    whole = np.int32(n)
    first = whole >> np.int32(1)  # in two factors, since 2^128 overflows float32 and 2^-127 is subnormal
    scale = float_of_bits((first + np.int32(127)) << np.int32(23))
    return y * scale * float_of_bits((whole - first + np.int32(127)) << np.int32(23))


@numba_jit
def _sigmoid(x: Any) -> Any:
    small = _exp(-abs(x))
    return (ONE if x >= ZERO else small) / (ONE + small)


@numba_jit
def _other(function: Any, x: Any) -> Any:  # noqa: PLR0911 - one for each function
    if function == ELU:
        return x if x > ZERO else np.float32(math.expm1(x))
    if function == SELU:
        return SCALE * (x if x > ZERO else ALPHA * np.float32(math.expm1(x)))
    if function == EXPONENTIAL:
        return _exp(x)
    if function == GELU:
        return HALF * x * np.float32(math.erfc(-np.float64(x) / math.sqrt(2.0)))
    if function == HARD_SIGMOID:
        return min(max(x + THREE, ZERO), SIX) / SIX
    if function == HARD_SIGMOID_KERAS_2:
        return min(max(FIFTH * x + HALF, ZERO), ONE)
    if function == LEAKY_RELU:
        return x if x >= ZERO else FIFTH * x
    if function == SILU:
        return x * _sigmoid(x)
    if function == SOFTPLUS:
        return max(x, ZERO) + np.float32(math.log1p(_exp(-abs(x))))
    return x / (ONE + abs(x))  # softsign


@numba_jit
def _softmax(a: Any, start: Any, count: Any) -> None:
    top = a[start]
    for k in range(start + 1, start + count):
        top = max(top, a[k])
    total = ZERO
    for k in range(start, start + count):
        a[k] = _exp(a[k] - top)
    for k in range(start, start + count):
        total += a[k]
    for k in range(start, start + count):
        a[k] /= total


@numba_jit
def activate(  # noqa: PLR0912 - a loop for each common function
    function: Any, a: Any, start: Any, blocks: Any, units: Any
) -> None:
    """Applies a function to padded blocks of `units` numbers; softmax normalizes each block."""
    padded = (units + SIMD_WIDTH - 1) // SIMD_WIDTH * SIMD_WIDTH
    count = blocks * padded
    if function == TANH:
        for k in range(start, start + count):
            a[k] = _tanh(a[k])
    elif function == SIGMOID_OF_TWICE:
        for k in range(start, start + count):
            a[k] = HALF * _tanh(a[k]) + HALF
    elif function == SIGMOID:
        for k in range(start, start + count):
            a[k] = _sigmoid(a[k])
    elif function == RELU:
        for k in range(start, start + count):
            a[k] = max(a[k], ZERO)
    elif function == SOFTMAX:
        for block in range(blocks):
            _softmax(a, start + block * padded, units)
    elif ELU <= function <= SOFTSIGN:
        for k in range(start, start + count):
            a[k] = _other(function, a[k])
    else:
        raise NotImplementedError("unknown function")
