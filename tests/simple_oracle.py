"""The oracle of the SimpleRNN: its forward pass as scalar loops over nested lists, in the manner of `oracle`.

Shapes are written `[B][T][F]`: B rows, T steps, F features, H units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from oracle import Batch, Flags, Matrix, Vector


@dataclass(frozen=True)
class SimpleRun:
    """The outputs of every step and the state after the last."""

    y: list[list[list[float]]]  # [B][T][H]
    h: list[list[float]]  # [B][H]


def simple(
    x: Batch,
    kernel: Matrix,
    recurrent_kernel: Matrix,
    bias: Vector,
    h0: Matrix,
    *,
    reset: Flags | None = None,
    mask: Flags | None = None,
    initial: Vector | None = None,
    noise: Matrix | None = None,
) -> SimpleRun:
    """Return the outputs and the final state of x `[B][T][F]`, begun from h0 `[B][H]`: h = tanh(x W + (h n) U + b).

    `reset[b][t]` True: the row's state becomes `initial` `[H]`, or zeros, before step t.
    `mask[b][t]` False: step t is skipped; the state stays, and y repeats it. A reset comes first.
    n is the row's `noise` `[H]`, or ones.

    Source: Elman (1990), as Keras has it.
    """
    units = len(recurrent_kernel)
    run = SimpleRun(y=[], h=[])
    for b in range(len(x)):
        h: Vector = list(h0[b])
        n = [1.0] * units if noise is None else noise[b]
        run.y.append([])
        for t in range(len(x[b])):
            if reset is not None and reset[b][t]:
                h = [0.0] * units if initial is None else list(initial)
            if mask is None or mask[b][t]:
                h = [_unit(k, x[b][t], h, n, kernel, recurrent_kernel, bias) for k in range(units)]
            run.y[b].append(list(h))
        run.h.append(list(h))
    return run


def _unit(k: int, x: Vector, h: Vector, n: Vector, kernel: Matrix, recurrent_kernel: Matrix, bias: Vector) -> float:
    total = bias[k]
    for x_f, row in zip(x, kernel, strict=True):
        total += x_f * row[k]
    for h_j, n_j, row in zip(h, n, recurrent_kernel, strict=True):
        total += h_j * n_j * row[k]
    return math.tanh(total)
