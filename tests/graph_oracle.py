"""A third oracle: graphs, one row and one step after the other, in float64 NumPy.

It takes what a graph consists of (`network.nodes`), its weights, and the state of one row, and shares no code with what
it checks. A value of a row is a list with a vector for each step, or one vector; an axis that takes no step has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from plain_network import sigmoid, softmax

Array = np.ndarray[Any, np.dtype[Any]]
Parts = dict[str, Array]

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda z: z,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "softmax": softmax,
}


class Row:
    """One call for one row.

    Args:
        network: the graph.
        params: weights by layer and name.
        x: input by name, `[T, F]`, `[F]` or `[T]`.
        reset: bool `[T]` by axis.
        mask: bool `[T]` by axis.
        state: parts by node; those of a wired node are "started" and "reached.h", ...
    """

    def __init__(self, network: Any, params: Any, x: Any, reset: Any, mask: Any, state: Mapping[str, Parts]) -> None:
        self.params, self.reset, self.mask, self.before = params, reset, mask, state
        self.values: dict[int, Any] = {-1 - n: x.get(given.name) for n, given in enumerate(network.inputs)}
        self.axes: dict[int, Any] = {-1 - n: given.axis for n, given in enumerate(network.inputs)}
        self.needs: dict[int, set[str]] = {-1 - n: set() for n in range(len(network.inputs))}  # axes read to their ends
        for number, given in enumerate(network.inputs):
            if len(given.shape) == 1 and network.symbols_by_input[number] is None:
                self.axes[-1 - number] = None
        self.ended: dict[int, Parts] = {}
        self.after: dict[str, Parts] = {}
        for place, node in enumerate(network.nodes):
            self._use(place, node, type(node.layer).__name__)
        self.y = {output.name: self.values[output.place] for output in network.outputs}

    def _use(self, place: int, node: Any, kind: str) -> None:
        read = [self.values[source] for source in node.sources]
        weights = {name: np.asarray(a, np.float64) for name, a in self.params[node.weights].items()}
        self.axes[place] = next((self.axes[s] for s in node.sources if self.axes[s] is not None), None)
        if kind in ("Attention", "AdditiveAttention", "Dot"):
            self.axes[place] = self.axes[node.sources[0]]
        self.needs[place] = set().union(*(self.needs[s] for s in (*node.sources, *node.start)))
        if kind == "FinalState":
            self.needs[place] |= {self.axes[node.sources[0]]}
            self.axes[place] = None
            self.values[place] = self.ended[node.sources[0]][node.layer.part]
        elif kind in CELLS:
            self.values[place] = self._cell(place, node, read[0], weights, CELLS[kind])
        elif any(value is None for value in read):
            self.values[place] = None
            if node.name in self.before:
                self.after[node.name] = self.before[node.name]
        elif kind == "Conv1D":
            self.values[place] = self._convolution(node, read[0], weights)
        elif kind in ("Attention", "AdditiveAttention"):
            self.needs[place] |= {self.axes[s] for s in node.sources[1:]} - {self.axes[place]}
            self.values[place] = self._attention(node, read, weights, kind)
        elif kind == "RepeatLike":
            self.axes[place] = self.axes[node.sources[1]]
            self.values[place] = [read[0]] * len(read[1])
        elif self.axes[place] is None:
            self.values[place] = simple(kind, node.layer, weights, read)
        else:
            self.values[place] = [simple(kind, node.layer, weights, step) for step in zip(*read, strict=True)]

    def _flags(self, axis: str, steps: int) -> tuple[Array, Array]:
        return self.reset.get(axis, np.zeros(steps, bool)), self.mask.get(axis, np.ones(steps, bool))

    # -- layers with a state ---------------------------------------------------------------------------------------

    def _cell(self, place: int, node: Any, x: Any, weights: Parts, step: Callable[..., Parts]) -> Any:
        names, before = tuple(node.layer.state_sizes), self.before[node.name]
        axis = self.axes[place]
        if node.start:
            start = {part: self.values[source] for part, source in zip(names, node.start, strict=True)}
            if any(value is None for value in start.values()):
                raise AssertionError("the oracle starts in values that are known")
            moved = any(self._stepped(needed) for s in node.start for needed in self.needs[s])
            state = {part: before[f"reached.{part}"] for part in names}
            started = before["started"][0] == 1 and not moved
        else:
            start = {part: weights.get(f"initial_{part}", np.zeros(node.layer.units)) for part in names}
            state, started = {part: before[part] for part in names}, True
        answers = []
        if x is not None:
            reset, mask = self._flags(axis, len(x))
            for t, vector in enumerate(x):
                if reset[t]:
                    started = not node.start
                    state = start
                if mask[t]:
                    state = step(node.layer, weights, vector, state if started else start)
                    started = True
                answers.append((state if started else start)["h"])
        at = self.ended[place] = state if started else start
        if not node.start:
            self.after[node.name] = at
        else:
            kept = {f"reached.{part}": a if started else np.zeros_like(a) for part, a in at.items()}
            self.after[node.name] = {"started": np.array([1.0 if started else 0.0]), **kept}
        if node.layer.return_sequences:
            return None if x is None else answers
        self.axes[place] = None
        self.needs[place] |= {axis}
        return at["h"]

    def _stepped(self, axis: str) -> bool:
        """Returns whether a step was taken on an axis."""
        if axis not in self.mask:
            return any(self.axes[s] == axis and self.values[s] is not None for s in self.axes if s < 0)
        return bool(self.mask[axis].any())

    def _convolution(self, node: Any, x: Any, weights: Parts) -> list[Array]:
        """Each step that counts reads itself and those `dilation` apart before it; others give zeros."""
        layer, size = node.layer, len(x[0])
        reach = (layer.kernel_size - 1) * layer.dilation_rate
        past = list(self.before[node.name]["past"].reshape(reach, size))
        reset, mask = self._flags(self.axes[node.sources[0]], len(x))
        answers = []
        for t, vector in enumerate(x):
            if reset[t]:
                past = [np.zeros(size)] * reach
            if not mask[t]:
                answers.append(np.zeros(layer.filters))
                continue
            past = [*past, vector]
            window = past[:: layer.dilation_rate]
            z = sum(step @ kernel for step, kernel in zip(window, weights["kernel"], strict=True))
            answers.append(ACTIVATIONS[layer.activation](z + weights["bias"]))
            past = past[1:]
        self.after[node.name] = {"past": np.concatenate(past)}
        return answers

    def _attention(self, node: Any, read: list[Any], weights: Parts, kind: str) -> list[Array]:
        """Each step reads those that are there, were not forgotten by a reset, and, with a window, are the last."""
        query, values, keys = read[0], read[1], read[-1]
        own, other = (self.axes[source] for source in node.sources[:2])
        layer, width = node.layer, len(read[1][0]) + (len(keys[0]) if len(read) == 3 else 0)
        reset, mask = self._flags(own, len(query))
        seen: list[tuple[Array, Array]] = []  # values and keys, the last ones at the end
        if layer.has_memory:
            before = self.before[node.name]
            steps = before["past"].reshape(layer.window - 1, width)
            size = len(values[0])
            seen = [
                (s[:size], s[width - len(keys[0]) :]) for s, real in zip(steps, before["real"], strict=True) if real
            ]
        if own != other:
            other_reset, other_mask = self._flags(other, len(values))
            first = max([0, *np.flatnonzero(other_reset).tolist()])
            seen = [(values[s], keys[s]) for s in range(first, len(values)) if other_mask[s]]
        ahead = own == other and layer.window is None and not layer.causal
        answers = []
        for t, vector in enumerate(query):
            if own == other and reset[t]:
                seen = []
            if own == other and mask[t]:
                seen = [*seen, (values[t], keys[t])]
            later = []
            if ahead:
                end = next((s for s in range(t + 1, len(query)) if reset[s]), len(query))
                later = [(values[s], keys[s]) for s in range(t + 1, end) if mask[s]]
            if layer.window is not None:
                seen = seen[len(seen) - min(len(seen), layer.window) :]
            there = seen + later
            if not mask[t] or not there:
                answers.append(np.zeros(len(values[0])))
                continue
            fits = np.array([score(kind, layer, weights, vector, key) for _, key in there])
            answers.append(sum(share * value for share, (value, _) in zip(softmax(fits), there, strict=True)))
        if layer.has_memory:
            kept = seen[len(seen) - min(len(seen), layer.window - 1) :]
            rows = [np.concatenate(pair) if len(read) == 3 else pair[0] for pair in kept]
            absent = layer.window - 1 - len(kept)
            past = np.concatenate([np.zeros(absent * width), *rows])
            self.after[node.name] = {"past": past, "real": np.repeat([0.0, 1.0], [absent, len(kept)])}
        return answers


def score(kind: str, layer: Any, weights: Parts, query: Array, key: Array) -> float:
    """Returns how well a key fits a query."""
    scale = weights.get("scale", np.ones(()))
    if kind == "AdditiveAttention":
        return float((scale * np.tanh(query + key)).sum())
    if layer.score_mode == "concat":
        return float(weights["concat_score_weight"] * np.tanh(scale * (query + key)).sum())
    return float(scale * (query * key).sum())


def simple(kind: str, layer: Any, weights: Parts, read: Any) -> Array:
    """Returns what a layer without memory makes of one vector, or of one of each of several values."""
    if kind == "Dense":
        return ACTIVATIONS[layer.activation](read[0] @ weights["kernel"] + weights["bias"])
    if kind == "Embedding":
        return weights["embeddings"][int(read[0])]
    if kind == "Concatenate":
        return np.concatenate(read)
    if kind == "Add":
        return sum(read[1:], read[0])
    if kind == "Dropout":
        return np.asarray(read[0])
    raise AssertionError(f"the oracle has no {kind}")


# ----------------------------------------------------------------------------------------------------------- cells


def lstm(_: Any, own: Parts, x: Array, state: Parts) -> Parts:
    i, f, g, o = np.split(x @ own["kernel"] + state["h"] @ own["recurrent_kernel"] + own["bias"], 4)
    c = sigmoid(f) * state["c"] + sigmoid(i) * np.tanh(g)
    return {"h": sigmoid(o) * np.tanh(c), "c": c}


def gru(_: Any, own: Parts, x: Array, state: Parts) -> Parts:
    """The reset gate after the product, as Keras has it by default."""
    (az, ar, ah), (bz, br, bh) = (
        np.split(a, 3)
        for a in (x @ own["kernel"] + own["bias"][0], state["h"] @ own["recurrent_kernel"] + own["bias"][1])
    )
    z, r = sigmoid(az + bz), sigmoid(ar + br)
    return {"h": z * state["h"] + (1 - z) * np.tanh(ah + r * bh)}


def simple_rnn(_: Any, own: Parts, x: Array, state: Parts) -> Parts:
    return {"h": np.tanh(x @ own["kernel"] + state["h"] @ own["recurrent_kernel"] + own["bias"])}


CELLS: dict[str, Callable[..., Parts]] = {"LSTM": lstm, "GRU": gru, "SimpleRNN": simple_rnn}
