"""The oracle: LSTM, its gradients and Keras's optimisers as scalar loops over nested lists.

Every fast kernel is compared with it, so it imports only `math` and shares no code with them. Python's floats
are float64: give it plain lists (`array.tolist()`), because NumPy's float32 scalars would stay float32.
Shapes are written `[B][T][F]`: B rows, T steps, F features, H units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Vector = Sequence[float]
Matrix = Sequence[Vector]
Batch = Sequence[Matrix]
Flags = Sequence[Sequence[bool]]
HC = tuple[Vector, Vector]


@dataclass(frozen=True)
class LSTMRun:
    """The outputs of every step and the state after the last."""

    y: list[list[list[float]]]  # [B][T][H]
    h: list[list[float]]  # [B][H]
    c: list[list[float]]  # [B][H]


@dataclass(frozen=True)
class LSTMGradients:
    """The gradient of a loss by each input of `lstm`, each in the shape of that input."""

    x: list[list[list[float]]]  # [B][T][F]
    kernel: list[list[float]]  # [F][4H]
    recurrent_kernel: list[list[float]]  # [H][4H]
    bias: list[float]  # [4H]
    h0: list[list[float]]  # [B][H]
    c0: list[list[float]]  # [B][H]
    initial_h: list[float]  # [H]
    initial_c: list[float]  # [H]


@dataclass(frozen=True)
class _Weights:
    """Columns of all three are in gate order i, f, g, o: column `gate * H + k` belongs to unit k."""

    kernel: Matrix
    recurrent_kernel: Matrix
    bias: Vector


# -------------------------------------------------------------------------------------------- forward


def lstm(
    x: Batch,
    kernel: Matrix,
    recurrent_kernel: Matrix,
    bias: Vector,
    h0: Matrix,
    c0: Matrix,
    *,
    reset: Flags | None = None,
    mask: Flags | None = None,
    initial: HC | None = None,
) -> LSTMRun:
    """Return the outputs and the final state of x `[B][T][F]`, begun from h0 and c0 `[B][H]`.

        i = sigmoid(x W_i + h U_i + b_i)      how much to write
        f = sigmoid(x W_f + h U_f + b_f)      how much to keep
        g =    tanh(x W_g + h U_g + b_g)      what to write
        o = sigmoid(x W_o + h U_o + b_o)      how much to show
        c = f c + i g
        h = o tanh(c),  y = h

    `reset[b][t]` True: the row's state becomes `initial` before step t: its h and c, both `[H]`, or zeros.
    `mask[b][t]` False: step t is skipped; the state stays, and y repeats its h.
    Where a step is both, the reset comes first, so the state stays at `initial`.

    Source: Gers, Schmidhuber and Cummins, Learning to Forget (2000), without peepholes.
    """
    weights = _Weights(kernel, recurrent_kernel, bias)
    fresh = initial or _zero_state(weights)
    run = LSTMRun(y=[], h=[], c=[])
    for b in range(len(x)):
        resets, steps = _row_flags(reset, mask, b, len(x[b]))
        states = _row_states(x[b], weights, (h0[b], c0[b]), fresh, resets, steps)
        run.y.append([list(h) for h, _ in states[1:]])
        run.h.append(list(states[-1][0]))
        run.c.append(list(states[-1][1]))
    return run


def _row_flags(reset: Flags | None, mask: Flags | None, b: int, length: int) -> tuple[Sequence[bool], Sequence[bool]]:
    """Return row b's flags `[T]`: where its state is reset, and where a step is taken."""
    resets = [False] * length if reset is None else reset[b]
    steps = [True] * length if mask is None else mask[b]
    return resets, steps


def _row_states(
    x: Matrix, weights: _Weights, state: HC, fresh: HC, resets: Sequence[bool], steps: Sequence[bool]
) -> list[HC]:
    """Return T + 1 states of one row: the one it began with, then the one after each step."""
    states = [state]
    for t in range(len(x)):
        if resets[t]:
            state = fresh
        if steps[t]:
            state = _step(x[t], state, weights)
        states.append(state)
    return states


def _zero_state(weights: _Weights) -> HC:
    units = len(weights.recurrent_kernel)
    return [0.0] * units, [0.0] * units


def _step(x: Vector, state: HC, weights: _Weights) -> HC:
    """Return the state of one row after the input x `[F]`."""
    h, c = state
    i, f, g, o = _gates(x, h, weights)
    units = range(len(h))
    c_next = [f[k] * c[k] + i[k] * g[k] for k in units]
    h_next = [o[k] * math.tanh(c_next[k]) for k in units]
    return h_next, c_next


def _gates(x: Vector, h: Vector, weights: _Weights) -> tuple[list[float], ...]:
    """Return i, f, g, o, each `[H]`."""
    units = len(h)
    z = [_pre_activation(x, h, weights, column) for column in range(4 * units)]
    i = [sigmoid(z[0 * units + k]) for k in range(units)]
    f = [sigmoid(z[1 * units + k]) for k in range(units)]
    g = [math.tanh(z[2 * units + k]) for k in range(units)]
    o = [sigmoid(z[3 * units + k]) for k in range(units)]
    return i, f, g, o


def _pre_activation(x: Vector, h: Vector, weights: _Weights, column: int) -> float:
    z = weights.bias[column]
    for x_n, row in zip(x, weights.kernel, strict=True):
        z += x_n * row[column]
    for h_k, row in zip(h, weights.recurrent_kernel, strict=True):
        z += h_k * row[column]
    return z


# ------------------------------------------------------------------------------------------- backward


def lstm_gradients(
    x: Batch,
    kernel: Matrix,
    recurrent_kernel: Matrix,
    bias: Vector,
    h0: Matrix,
    c0: Matrix,
    d_y: Batch,
    d_h: Matrix,
    d_c: Matrix,
    *,
    reset: Flags | None = None,
    mask: Flags | None = None,
    initial: HC | None = None,
) -> LSTMGradients:
    """Return the gradients of `sum(d_y * y) + sum(d_h * h) + sum(d_c * c)`, y, h and c being those of `lstm`.

    d_y is `[B][T][H]`, d_h and d_c are `[B][H]`. This is back-propagation through time, over all T steps.
    """
    weights = _Weights(kernel, recurrent_kernel, bias)
    fresh = initial or _zero_state(weights)
    gradients = _zero_gradients(x, weights)
    for b in range(len(x)):
        resets, steps = _row_flags(reset, mask, b, len(x[b]))
        states = _row_states(x[b], weights, (h0[b], c0[b]), fresh, resets, steps)
        d_state: HC = (d_h[b], d_c[b])
        for t in reversed(range(len(x[b]))):
            d_state = _add(d_state[0], d_y[b][t]), d_state[1]
            if steps[t]:
                before = fresh if resets[t] else states[t]
                d_state = _step_back(x[b][t], before, weights, d_state, gradients, gradients.x[b][t])
            if resets[t]:  # nothing before a reset can be felt after it
                for total, d in zip((gradients.initial_h, gradients.initial_c), d_state, strict=True):
                    total[:] = _add(total, d)
                d_state = _zero_state(weights)
        gradients.h0.append(list(d_state[0]))
        gradients.c0.append(list(d_state[1]))
    return gradients


def _zero_gradients(x: Batch, weights: _Weights) -> LSTMGradients:
    """Return zeros to add to; h0 and c0 have no rows yet."""
    return LSTMGradients(
        x=[[[0.0] * len(x_t) for x_t in row] for row in x],
        kernel=[[0.0] * len(row) for row in weights.kernel],
        recurrent_kernel=[[0.0] * len(row) for row in weights.recurrent_kernel],
        bias=[0.0] * len(weights.bias),
        h0=[],
        c0=[],
        initial_h=[0.0] * len(weights.recurrent_kernel),
        initial_c=[0.0] * len(weights.recurrent_kernel),
    )


def _step_back(x: Vector, before: HC, weights: _Weights, d_after: HC, gradients: LSTMGradients, d_x: list[float]) -> HC:
    """Return the gradient by the state before a step; add those by weights and x to `gradients` and `d_x`."""
    h, _ = before
    d_z, d_c = _gate_gradients(x, before, weights, d_after)
    d_h = [0.0] * len(h)
    for column in range(len(d_z)):
        gradients.bias[column] += d_z[column]
        for n in range(len(x)):
            gradients.kernel[n][column] += x[n] * d_z[column]
            d_x[n] += weights.kernel[n][column] * d_z[column]
        for k in range(len(h)):
            gradients.recurrent_kernel[k][column] += h[k] * d_z[column]
            d_h[k] += weights.recurrent_kernel[k][column] * d_z[column]
    return d_h, d_c


def _gate_gradients(x: Vector, before: HC, weights: _Weights, d_after: HC) -> tuple[list[float], list[float]]:
    """Return the gradients by the pre-activations `[4H]` and by the c before the step `[H]`."""
    h, c = before
    d_h, d_c = d_after
    i, f, g, o = _gates(x, h, weights)
    units = len(h)
    d_z = [0.0] * (4 * units)
    d_c_before = [0.0] * units
    for k in range(units):
        tanh_c = math.tanh(f[k] * c[k] + i[k] * g[k])
        d_c_k = d_c[k] + d_h[k] * o[k] * (1 - tanh_c**2)  # c is felt directly, and through h
        d_z[0 * units + k] = d_c_k * g[k] * i[k] * (1 - i[k])
        d_z[1 * units + k] = d_c_k * c[k] * f[k] * (1 - f[k])
        d_z[2 * units + k] = d_c_k * i[k] * (1 - g[k] ** 2)
        d_z[3 * units + k] = d_h[k] * tanh_c * o[k] * (1 - o[k])
        d_c_before[k] = d_c_k * f[k]
    return d_z, d_c_before


def _add(a: Vector, b: Vector) -> list[float]:
    return [a_k + b_k for a_k, b_k in zip(a, b, strict=True)]


# -------------------------------------------------------------------------- one vector, or one number


def sigmoid(z: float) -> float:
    """Return 1 / (1 + e^-z), written so that e is never raised to a large positive power."""
    if z >= 0:
        return 1 / (1 + math.exp(-z))
    return math.exp(z) / (1 + math.exp(z))


def dense(x: Vector, kernel: Matrix, bias: Vector) -> list[float]:
    """Return `x W + b` `[O]` of one vector x `[F]`, a kernel `[F][O]` and a bias `[O]`."""
    y = list(bias)
    for x_n, row in zip(x, kernel, strict=True):
        for k in range(len(y)):
            y[k] += x_n * row[k]
    return y


def softmax(z: Vector) -> list[float]:
    """Return `e^z / sum(e^z)`; taking the largest off every z changes nothing but the overflow."""
    largest = max(z)
    powers = [math.exp(z_k - largest) for z_k in z]
    total = sum(powers)
    return [power / total for power in powers]


def cross_entropy(probabilities: Vector, label: int) -> float:
    """Return -log of the probability given to the label, in nats; unlike Keras, nothing is clipped."""
    return -math.log(probabilities[label])


# -------------------------------------------- Keras's optimisers, for one weight w and its gradient g


def sgd(
    w: float,
    g: float,
    velocity: float,
    *,
    learning_rate: float = 0.01,
    momentum: float = 0.0,
    nesterov: bool = False,
) -> tuple[float, float]:
    """Return the next (w, velocity). Velocity begins at 0."""
    velocity = momentum * velocity - learning_rate * g
    if nesterov:
        return w + momentum * velocity - learning_rate * g, velocity
    return w + velocity, velocity


def rmsprop(
    w: float,
    g: float,
    v: float,
    mean_g: float,
    velocity: float,
    *,
    learning_rate: float = 0.001,
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-7,
    centered: bool = False,
) -> tuple[float, float, float, float]:
    """Return the next (w, v, mean_g, velocity). All three slots begin at 0; mean_g moves only if centered.

    Keras adds epsilon inside the root; PyTorch adds it outside.
    """
    v = rho * v + (1 - rho) * g * g
    spread = v
    if centered:
        mean_g = rho * mean_g + (1 - rho) * g
        spread = v - mean_g**2
    velocity = momentum * velocity + learning_rate * g / math.sqrt(spread + epsilon)
    return w - velocity, v, mean_g, velocity


def adam(
    w: float,
    g: float,
    m: float,
    v: float,
    t: int,
    *,
    learning_rate: float = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
) -> tuple[float, float, float]:
    """Return the next (w, m, v) for update number t, the first being 1. Both slots begin at 0.

    Keras adds epsilon to the root of v as it is, the paper's "epsilon hat"; PyTorch to that of v corrected.
    Source: Kingma and Ba, Adam (2015), end of section 2.
    """
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g * g
    rate = learning_rate * math.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return w - rate * m / (math.sqrt(v) + epsilon), m, v
