"""The numbers that the compiled step and who writes its instructions agree on."""

from __future__ import annotations

import numpy as np

from statewise.foundation.shapes import Array

LANES = 16
"""Numbers that a processor handles at once; every row of weights is filled up with zeros to a multiple of it."""

GROUP = 4
"""Sequences that advance together where there are so many."""

WIDTH = 6
"""Numbers of an instruction: its code, then those that the methods of `assembler` list."""

PRODUCT, ACTIVATE, MULTIPLY_ADD, MULTIPLY, ADD, SUBTRACT, READ, WRITE, COPY, DIFFERS, CHOOSE, LOOK_UP = range(12)

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
"""The number of each activation function but linear, and of that of sums whose weights `products` halved."""

TABLE = 16
INSTRUCTIONS, COUNT, WEIGHTS, STORE, ROWS, ROW, WORKSPACE, ROOM = range(8)
X, FEATURES, Y, ANSWER, ANSWERS, SLOTS, N, DONE = range(8, TABLE)
"""The table that `machine.run` is given the address of: addresses of blocks, their sizes, where the answer lies.

`DONE` counts the steps that were carried out: whoever was interrupted can tell whether the last one was.
"""

NO_NUMBER, OUTSIDE = 1, 2
"""Why `machine.run` refuses: a number that is not within float32, or a slot outside the store."""


def aligned(count: int) -> Array:
    """Returns float32 zeros that begin where a line of the processor's cache does: unaligned ones cost time."""
    block = np.zeros(count + LANES, np.float32)
    start = -block.ctypes.data // block.itemsize % LANES
    return block[start : start + count]


def padded(count: int) -> int:
    """Returns how much room so many numbers take: whole vectors."""
    return -(-count // LANES) * LANES
