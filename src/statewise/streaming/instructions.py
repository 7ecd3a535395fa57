"""Constants that the assembler shares with `native/stream.h`: instruction codes, functions, the table's fields."""

from __future__ import annotations

import numpy as np

from statewise.foundation.shapes import Array

SIMD_WIDTH = 16
"""Numbers per vector; every row of weights is padded with zeros to a multiple of it."""

GROUP = 4
"""Sequences that advance together if there are enough of them."""

PANEL = 256
"""Columns of a matrix that lie together, row by row."""

WIDTH = 6
"""Numbers per instruction: its code, then the operands that `assembler` writes."""

ADD_PRODUCT, ACTIVATE, MULTIPLY_ADD, MULTIPLY, ADD, SUBTRACT, READ, WRITE, COPY, DIFFERS, CHOOSE, LOOK_UP = range(12)
BIAS, MAXIMUM, MINIMUM, NORMALIZE = range(12, 16)

TANH, SIGMOID_OF_TWICE, SIGMOID, RELU, SOFTMAX = range(5)
ELU, EXPONENTIAL, GELU, HARD_SIGMOID, HARD_SIGMOID_KERAS_2, LEAKY_RELU, SELU, SILU, SOFTPLUS, SOFTSIGN = range(5, 15)

FUNCTIONS = {
    "elu": ELU,
    "exponential": EXPONENTIAL,
    "gelu": GELU,
    "hard_sigmoid": HARD_SIGMOID,
    "hard_sigmoid_keras_2": HARD_SIGMOID_KERAS_2,
    "leaky_relu": LEAKY_RELU,
    "relu": RELU,
    "selu": SELU,
    "sigmoid": SIGMOID,
    "sigmoid of twice": SIGMOID_OF_TWICE,
    "silu": SILU,
    "softmax": SOFTMAX,
    "softplus": SOFTPLUS,
    "softsign": SOFTSIGN,
    "swish": SILU,
    "tanh": TANH,
}
"""The number of each activation function except linear, and of the one for weights halved by `fused_products`."""

TABLE = 17
INSTRUCTIONS, COUNT, WEIGHTS, WEIGHTS_SIZE, STORE, ROWS, ROW_SIZE, WORKSPACE, WORKSPACE_SIZE = range(9)
X, FEATURES, Y, ANSWER, ANSWER_SIZE, SLOTS, N, DONE = range(9, TABLE)
"""Fields of the table passed to the native step: addresses and sizes of blocks, and the answer's position.

`DONE` counts the executed steps, so that after an interruption it is known whether the last one was executed.
"""

BAD_INPUT, BAD_SLOT, UNKNOWN_INSTRUCTION, UNKNOWN_FUNCTION = 1, 2, 3, 4
"""Return codes of the native step: a number outside the range of float32, or a slot outside the store."""


def aligned(count: int) -> Array:
    """Returns float32 zeros aligned to a cache line, since unaligned access is slower."""
    block = np.zeros(count + SIMD_WIDTH, np.float32)
    start = -block.ctypes.data // block.itemsize % SIMD_WIDTH
    return block[start : start + count]


def padded(count: int) -> int:
    """Returns `count` rounded up to whole vectors."""
    return -(-count // SIMD_WIDTH) * SIMD_WIDTH
