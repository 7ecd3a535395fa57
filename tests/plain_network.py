"""A second oracle: whole networks, and their training, in float64 NumPy. It imports NumPy alone.

What `oracle` does for a kernel in scalar loops this does for any stack of layers, with many rows at once. A network is
a list of `Spec`, its weights a dict by layer and name. Gradients come from central differences, so that nothing of
back-propagation is needed. Shapes are written `[B, T, F]`: B rows, T steps, F features, H units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Weights = dict[str, dict[str, Array]]
States = dict[str, dict[str, Array]]

PARTS = {"LSTM": ("h", "c"), "GRU": ("h",), "SimpleRNN": ("h",)}


@dataclass(frozen=True)
class Spec:
    """One layer: its kind, how the weights call it, and what its kind has of the options below."""

    kind: str
    name: str
    units: int = 0
    return_sequences: bool = True
    use_bias: bool = True
    learn_initial_state: bool = False
    reset_after: bool = True
    both_ends: bool = False  # whether another of its kind reads from the end, answers side by side
    activation: str = "linear"
    mask_zero: bool = False
    mask_value: float = 0.0
    symbols: int = 0


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def softmax(z: Array) -> Array:
    powers = np.exp(z - z.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {"linear": lambda z: z, "tanh": np.tanh, "softmax": softmax}


# -------------------------------------------------------------------------------------------- forward


def run(
    specs: list[Spec],
    weights: Weights,
    x: Array,
    states: States | None = None,
    reset: Array | None = None,
    mask: Array | None = None,
) -> tuple[Array, States]:
    """Returns the answers, and the states after the last step; without `states` the rows start fresh.

    `reset [B, T]` True starts a row fresh before that step, `mask [B, T]` False skips the step.
    """
    B, T = x.shape[:2]
    resets = np.zeros((B, T), bool) if reset is None else reset
    steps = np.ones((B, T), bool) if mask is None else mask
    first = specs[0]
    if first.kind == "Masking":
        steps = steps & (x != first.mask_value).any(-1)
    if first.kind == "Embedding" and first.mask_zero:
        steps = steps & (x != 0)
    after: States = {}
    for spec in specs:
        own = weights.get(spec.name, {})
        if spec.kind in PARTS:
            start = fresh(spec, own, B) if states is None else states[spec.name]
            x, after[spec.name] = _recurrent(spec, own, x, start, resets, steps)
        elif spec.kind == "Dense":
            x = ACTIVATIONS[spec.activation](x @ own["kernel"] + own.get("bias", 0.0))
        elif spec.kind == "Embedding":
            x = own["embeddings"][x]
    return x, after


def fresh(spec: Spec, own: dict[str, Array], rows: int) -> dict[str, Array]:
    """Returns where sequences start: zeros, or what was learned."""
    zeros = np.zeros(spec.units)
    start = {part: own.get(f"initial_{part}", zeros) for part in PARTS[spec.kind]}
    return {part: np.tile(row, (rows, 1)) for part, row in start.items()}


def _recurrent(
    spec: Spec, own: dict[str, Array], x: Array, state: dict[str, Array], reset: Array, mask: Array
) -> tuple[Array, dict[str, Array]]:
    if not spec.both_ends:
        return _read(spec, own, x, state, reset, mask)
    sides = [
        {name[len(side) :]: a for name, a in own.items() if name.startswith(side)} for side in ("forward.", "backward.")
    ]
    zeros = fresh(spec, {}, len(x))
    y, _ = _read(spec, sides[0], x, zeros, reset, mask)
    back, _ = _read(spec, sides[1], x[:, ::-1], zeros, reset[:, ::-1], mask[:, ::-1])
    y = np.concatenate([y, back[:, ::-1] if spec.return_sequences else back], axis=-1)
    return (y * mask[..., None] if spec.return_sequences else y), {}


def _read(
    spec: Spec, own: dict[str, Array], x: Array, state: dict[str, Array], reset: Array, mask: Array
) -> tuple[Array, dict[str, Array]]:
    """Returns `(y, state)` of one layer that reads its steps in their order."""
    start, answers = fresh(spec, own, len(x)), []
    for t in range(x.shape[1]):
        state = {part: np.where(reset[:, t, None], start[part], state[part]) for part in state}
        moved = STEPS[spec.kind](spec, own, x[:, t], state)
        state = {part: np.where(mask[:, t, None], moved[part], state[part]) for part in state}
        answers.append(state["h"])
    return np.stack(answers, 1) if spec.return_sequences else state["h"], state


def _lstm(_: Spec, own: dict[str, Array], x: Array, state: dict[str, Array]) -> dict[str, Array]:
    z = x @ own["kernel"] + state["h"] @ own["recurrent_kernel"] + own.get("bias", 0.0)
    i, f, g, o = np.split(z, 4, axis=-1)
    c = sigmoid(f) * state["c"] + sigmoid(i) * np.tanh(g)
    return {"h": sigmoid(o) * np.tanh(c), "c": c}


def _gru(spec: Spec, own: dict[str, Array], x: Array, state: dict[str, Array]) -> dict[str, Array]:
    H, h, U = spec.units, state["h"], own["recurrent_kernel"]
    biases = np.reshape(own.get("bias", np.zeros(3 * H)), (-1, 3 * H))
    inner = biases[1] if spec.reset_after and len(biases) == 2 else np.zeros(3 * H)
    a, b = x @ own["kernel"] + biases[0], h @ U + inner
    z, r = sigmoid(a[:, :H] + b[:, :H]), sigmoid(a[:, H : 2 * H] + b[:, H : 2 * H])
    candidate = r * b[:, 2 * H :] if spec.reset_after else (r * h) @ U[:, 2 * H :]
    return {"h": z * h + (1 - z) * np.tanh(a[:, 2 * H :] + candidate)}


def _simple(_: Spec, own: dict[str, Array], x: Array, state: dict[str, Array]) -> dict[str, Array]:
    return {"h": np.tanh(x @ own["kernel"] + state["h"] @ own["recurrent_kernel"] + own.get("bias", 0.0))}


STEPS = {"LSTM": _lstm, "GRU": _gru, "SimpleRNN": _simple}


# ------------------------------------------------------------------------------------------- training


def mean_squared_error(y: Array, target: Array, counted: Array) -> float:
    """Returns the mean over the answers that count, `counted [B]` or `[B, T]`; 0 where none does."""
    values = ((y - target) ** 2).mean(-1)
    return float((values * counted).sum() / max(counted.sum(), 1))


def gradient(loss: Callable[[Weights], float], weights: Weights, width: float = 1e-5) -> Weights:
    """Returns the gradient of `loss` by each weight, from central differences."""
    found: Weights = {}
    for layer, own in weights.items():
        found[layer] = {}
        for name, array in own.items():
            found[layer][name] = np.zeros_like(array)
            for place in np.ndindex(array.shape):
                sides = []
                for sign in (1, -1):
                    moved = array.copy()
                    moved[place] += sign * width
                    sides.append(loss({**weights, layer: {**own, name: moved}}))
                found[layer][name][place] = (sides[0] - sides[1]) / (2 * width)
    return found


@dataclass(frozen=True)
class Training:
    """One epoch of plain gradient descent: how rows become batches, and batches updates."""

    batch_size: int
    learning_rate: float
    carry: bool  # whether row r of a batch continues from row r of the batch before it
    tbptt: int | None  # an update every so many steps; None: one a batch


def train(specs: list[Spec], weights: Weights, x: Array, y: Array, mask: Array, training: Training) -> Weights:
    """Returns the weights after one epoch over rows `x [N, T, F]` in their order, an answer at every step."""
    carried: States | None = None
    for first in range(0, len(x), training.batch_size):
        rows = slice(first, first + training.batch_size)
        size, T = len(x[rows]), x.shape[1]
        states = _first_rows(carried, size) if training.carry and carried is not None else None
        length = training.tbptt or T
        for begin in range(0, T, length):
            steps = slice(begin, begin + length)
            batch = (x[rows, steps], y[rows, steps], mask[rows, steps])
            weights, states = _update(specs, weights, batch, states, training.learning_rate)
        carried = states if carried is None or size == training.batch_size else _joined(states, carried, size)
    return weights


def _update(
    specs: list[Spec], weights: Weights, batch: tuple[Array, Array, Array], states: States | None, rate: float
) -> tuple[Weights, States]:
    x, y, mask = batch

    def loss(moved: Weights) -> float:
        return mean_squared_error(run(specs, moved, x, states, mask=mask)[0], y, mask)

    _, after = run(specs, weights, x, states, mask=mask)
    if not mask.any():
        return weights, after
    slopes = gradient(loss, weights)
    learned = {
        layer: {name: array - rate * slopes[layer][name] for name, array in own.items()}
        for layer, own in weights.items()
    }
    return learned, after


def _first_rows(states: States, size: int) -> States:
    return {name: {part: rows[:size] for part, rows in own.items()} for name, own in states.items()}


def _joined(states: States | None, before: States, size: int) -> States:
    """Returns the states after a short last batch, whose missing rows stay where they were."""
    return {
        name: {part: np.concatenate([rows, before[name][part][size:]]) for part, rows in own.items()}
        for name, own in (states or {}).items()
    }
