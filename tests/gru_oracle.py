"""The oracle of the GRU: its forward pass as scalar loops over nested lists, in the manner of `oracle`.

Gradients are had from it by central differences. Shapes are written `[B][T][F]`: B rows, T steps, F features,
H units. Columns are in gate order z, r, h: column `gate * H + k` belongs to unit k.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from oracle import Batch, Flags, Matrix, Vector, sigmoid


@dataclass(frozen=True)
class GRURun:
    """The outputs of every step and the state after the last."""

    y: list[list[list[float]]]  # [B][T][H]
    h: list[list[float]]  # [B][H]


@dataclass(frozen=True)
class _Weights:
    kernel: Matrix
    recurrent_kernel: Matrix
    bias: Vector
    recurrent_bias: Vector
    reset_after: bool


def gru(
    x: Batch,
    kernel: Matrix,
    recurrent_kernel: Matrix,
    bias: Vector,
    recurrent_bias: Vector,
    h0: Matrix,
    *,
    reset_after: bool = True,
    reset: Flags | None = None,
    mask: Flags | None = None,
    initial: Vector | None = None,
) -> GRURun:
    """Return the outputs and the final state of x `[B][T][F]`, begun from h0 `[B][H]`.

        z = sigmoid(x W_z + b_z + h U_z + d_z)      how much to keep
        r = sigmoid(x W_r + b_r + h U_r + d_r)      how much of h the candidate sees
        g = tanh(x W_h + b_h + r (h U_h + d_h))     or, not `reset_after`, tanh(x W_h + b_h + (r h) U_h + d_h)
        h = z h + (1 - z) g,  y = h

    b is `bias`, d is `recurrent_bias`, each `[3H]`.
    `reset[b][t]` True: the row's state becomes `initial` `[H]`, or zeros, before step t.
    `mask[b][t]` False: step t is skipped; the state stays, and y repeats it. A reset comes first.

    Source: Cho et al. (2014), with 1 - z for its z and two biases, as Keras and PyTorch have it.
    """
    weights = _Weights(kernel, recurrent_kernel, bias, recurrent_bias, reset_after)
    fresh = initial if initial is not None else [0.0] * len(recurrent_kernel)
    run = GRURun(y=[], h=[])
    for b in range(len(x)):
        h: Vector = list(h0[b])
        run.y.append([])
        for t in range(len(x[b])):
            if reset is not None and reset[b][t]:
                h = list(fresh)
            if mask is None or mask[b][t]:
                h = _step(x[b][t], h, weights)
            run.y[b].append(list(h))
        run.h.append(list(h))
    return run


def _step(x: Vector, h: Vector, weights: _Weights) -> list[float]:
    """Return the state of one row after the input x `[F]`."""
    units = len(h)
    opening = [sigmoid(_input(x, column, weights) + _recurrent(h, column, weights)) for column in range(2 * units)]
    z, r = opening[:units], opening[units:]
    h_next = []
    for k in range(units):
        column = 2 * units + k
        if weights.reset_after:
            recurrent = r[k] * _recurrent(h, column, weights)
        else:
            recurrent = _recurrent([r[j] * h[j] for j in range(units)], column, weights)
        g = math.tanh(_input(x, column, weights) + recurrent)
        h_next.append(z[k] * h[k] + (1 - z[k]) * g)
    return h_next


def _input(x: Vector, column: int, weights: _Weights) -> float:
    total = weights.bias[column]
    for x_n, row in zip(x, weights.kernel, strict=True):
        total += x_n * row[column]
    return total


def _recurrent(h: Vector, column: int, weights: _Weights) -> float:
    total = weights.recurrent_bias[column]
    for h_k, row in zip(h, weights.recurrent_kernel, strict=True):
        total += h_k * row[column]
    return total
