"""The table of graphs that the eleven properties are tested on: inputs, outputs and time axes, one or several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import statewise as sw
from networks import each_part, random_weights
from statewise.diagnostics.drawn_states import draw_state
from statewise.state import parts_of

Array = np.ndarray[Any, np.dtype[Any]]
Named = dict[str, Array]

ROWS, FEATURES, SYMBOLS = 3, 3, 6
STEPS = {"readings": 5, "source": 5, "target": 4}
"""How many steps a time axis has; different ones, so that no axis is taken for another."""

PROPERTIES = {
    1: "the network is its equations",
    2: "pieces are the whole",
    3: "one push at a time is the whole",
    4: "generating after a prefix is generating step by step",
    5: "after a reset a row is a fresh sequence",
    6: "rows do not depend on each other",
    7: "gradients are the numeric ones",
    8: "saving, loading and resuming is bit-exact",
    9: "lanes start fresh at each series and epoch",
    10: "a masked step changes nothing",
    11: "n calls of fit for one epoch are one call for n",
}

ROW = "answers once per row, so that there is nothing to read next"
LANES = "has several inputs, so that its lanes go by name, which tests of their own read"
SYMBOL = "reads symbols, and answers with numbers"
AXES = "has two time axes, and a stream has one"
ATTENDS = "reads all steps of another axis at once, of which nothing is kept"
UNBOUNDED = "reads at each step all those before it, of which nothing is kept"
AHEAD = "reads later steps"


@dataclass(frozen=True)
class Case:
    """A graph, how it is trained, and why some of the properties do not apply to it."""

    name: str
    graph: Callable[[], sw.Model]
    loss: Any = "mse"
    reasons: Mapping[int, str] = field(default_factory=dict)
    like: bool = False  # whether another graph, here or in `networks`, is trained and differentiated in the same way

    def model(self, seed: int = 5) -> sw.Model:
        """Returns the model with random weights."""
        model = self.graph()
        random_weights(model, seed)
        return model


def skip_connection() -> sw.Model:
    x = sw.Input((None, FEATURES), name="readings")
    h = sw.LSTM(3, return_sequences=True)(x)
    return sw.Model(x, sw.Dense(FEATURES)(sw.Concatenate()([x, h + sw.GRU(3, return_sequences=True)(h)])))


def static_input() -> sw.Model:
    """What is known of a row is given to each of its steps."""
    readings, plant = sw.Input((None, FEATURES), name="readings"), sw.Input((2,), name="plant")
    known = sw.RepeatLike()([sw.Dense(2, activation="tanh")(plant), readings])
    h = sw.LSTM(4, return_sequences=True, dropout=0.2)(sw.Concatenate()([readings, known]))
    return sw.Model([readings, plant], sw.Dense(FEATURES)(h))


def same_axis() -> sw.Model:
    readings = sw.Input((None, FEATURES), name="readings")
    weather = sw.Input((None, 2), name="weather", axis="readings")
    h = sw.GRU(3, return_sequences=True, learn_initial_state=True)(readings)
    beside = sw.Concatenate()([h, sw.LSTM(2, return_sequences=True)(weather), weather])
    return sw.Model([readings, weather], sw.Dense(FEATURES)(beside))


def two_outputs() -> sw.Model:
    """One answer per step, and one per row."""
    x = sw.Input((None, FEATURES), name="readings")
    h = sw.LSTM(4, return_sequences=True)(x)
    alarm = sw.Dense(1, activation="sigmoid")(sw.GRU(3)(h))
    return sw.Model(x, {"load": sw.Dense(FEATURES)(h), "alarm": alarm})


def shared_layer() -> sw.Model:
    x, cell = sw.Input((None,), name="readings"), sw.LSTM(3, return_sequences=True)
    vectors = sw.Embedding(SYMBOLS, 3)(x)
    return sw.Model(x, sw.Dense(2)(cell(sw.Dense(3, activation="tanh")(cell(vectors)))))


def encoder_decoder() -> sw.Model:
    source, target = sw.Input((None, 2), name="source"), sw.Input((None, FEATURES), name="target")
    _, h, c = sw.LSTM(4, return_state=True, name="encoder")(source)
    decoder = sw.LSTM(4, return_sequences=True, name="decoder")
    return sw.Model([source, target], sw.Dense(FEATURES)(decoder(target, initial_state=[h, c])))


def bridge() -> sw.Model:
    """A decoder starts in what a layer makes of an encoder's end, is told it at each step, and starts another."""
    source, target = sw.Input((None, 2), name="source"), sw.Input((None, FEATURES), name="target")
    end = sw.GRU(3, name="encoder")(source)
    start = sw.Dense(4, activation="tanh", name="bridge")(end)
    read = sw.Concatenate()([target, sw.RepeatLike()([end, target])])
    h, last = sw.GRU(4, return_sequences=True, return_state=True, name="decoder")(read, initial_state=start)
    again = sw.SimpleRNN(4, return_sequences=True, name="last")(sw.Dropout(0.2)(h), initial_state=start)
    return sw.Model([source, target], [sw.Dense(FEATURES)(again), sw.Dense(2)(last)])


def attending(kind: Callable[[], sw.Attention | sw.AdditiveAttention]) -> Callable[[], sw.Model]:
    """A decoder attends to its encoder's steps."""

    def graph() -> sw.Model:
        source, target = sw.Input((None, 2), name="source"), sw.Input((None, FEATURES), name="target")
        steps, h, c = sw.LSTM(4, return_sequences=True, return_state=True, name="encoder")(source)
        decoded = sw.LSTM(4, return_sequences=True, name="decoder")(target, initial_state=[h, c])
        context = kind()([decoded, steps])
        return sw.Model([source, target], sw.Dense(FEATURES)(sw.Concatenate()([decoded, context])))

    return graph


def on_one_axis(kind: Callable[[], sw.Attention | sw.AdditiveAttention]) -> Callable[[], sw.Model]:
    """Steps attend to steps of their own axis, by keys of their own."""

    def graph() -> sw.Model:
        x = sw.Input((None, FEATURES), name="readings")
        query, keys = sw.Dense(4)(x), sw.Dense(4, activation="tanh")(x)
        context = kind()([query, sw.SimpleRNN(2, return_sequences=True)(x), keys])
        return sw.Model(x, sw.Dense(FEATURES)(sw.Concatenate()([x, context])))

    return graph


def causal_convolution() -> sw.Model:
    x = sw.Input((None, FEATURES), name="readings")
    h = sw.Conv1D(3, 2, padding="causal", dilation_rate=2, activation="tanh")(x)
    return sw.Model(x, sw.Dense(FEATURES)(sw.GRU(3, return_sequences=True)(h + x)))


CARRIED_NOWHERE = {2: ATTENDS, 3: ATTENDS, 4: ATTENDS, 9: ATTENDS}
ON_ONE_AXIS = {2: UNBOUNDED, 3: UNBOUNDED, 4: UNBOUNDED, 9: UNBOUNDED}

CASES = [
    Case("skip-connection", skip_connection, like=True),
    Case("static-input", static_input, reasons={9: LANES}),
    Case("same-axis", same_axis, reasons={9: LANES}),
    Case(
        "two-outputs",
        two_outputs,
        {"load": "mse", "alarm": "binary_crossentropy"},
        reasons={9: LANES},
    ),
    Case("shared-layer", shared_layer, reasons={4: SYMBOL}, like=True),
    Case("encoder-decoder", encoder_decoder, reasons={3: AXES, 9: LANES}),
    Case("bridge", bridge, ["mse", "mae"], reasons={3: AXES, 9: LANES}),
    Case("attends", attending(lambda: sw.Attention(use_scale=True)), reasons=CARRIED_NOWHERE),
    Case("attends-additively", attending(sw.AdditiveAttention), reasons=CARRIED_NOWHERE, like=True),
    Case("window", on_one_axis(lambda: sw.Attention(window=3, use_scale=True))),
    Case("window-concat", on_one_axis(lambda: sw.Attention(window=2, use_scale=True, score_mode="concat"))),
    Case("window-additive", on_one_axis(lambda: sw.AdditiveAttention(window=3)), like=True),
    Case("all-before", on_one_axis(lambda: sw.Attention(causal=True)), reasons=ON_ONE_AXIS, like=True),
    Case(
        "all-steps",
        on_one_axis(lambda: sw.AdditiveAttention(use_scale=False)),
        reasons=dict.fromkeys((2, 3, 4, 9), AHEAD),
        like=True,
    ),
    Case("causal-convolution", causal_convolution, like=True),
]


def applying(number: int) -> list[Case]:
    """Returns the cases that a property applies to."""
    return [case for case in CASES if number not in case.reasons]


def excused() -> list[tuple[Case, str]]:
    """Returns the cases and each of their reasons, once."""
    return [(case, reason) for case in CASES for reason in dict.fromkeys(case.reasons.values())]


# ------------------------------------------------------------------------------------------------------------ data


def axis_of(model: sw.Model) -> dict[str, Any]:
    """Returns the time axis of each input, None if it has none."""
    network = model.network
    return {given.name: signal.axis for given, signal in zip(network.inputs, network.given, strict=True)}


def random_x(model: sw.Model, seed: int = 3) -> Named:
    """Returns random input by name."""
    rng, network = np.random.default_rng(seed), model.network
    x: Named = {}
    for given, axis, symbols in zip(network.inputs, axis_of(model).values(), network.symbols_by_input, strict=True):
        shape = (ROWS, *(() if axis is None else (STEPS[axis],)), *given.shape[1 if axis is not None else 0 :])
        numbers = rng.normal(size=shape).astype(np.float32)
        x[given.name] = numbers if symbols is None else rng.integers(0, symbols, shape).astype(np.int32)
    return x


def random_y(model: sw.Model, x: Named, seed: int = 9) -> Any:
    """Returns random targets in the form of the model's outputs; those of an output of one number are classes."""
    rng = np.random.default_rng(seed)

    def drawn(y: Any) -> Array:
        array = rng.random(y.shape).astype(np.float32)
        return (array > 0.5).astype(np.float32) if y.shape[1:] == (1,) else array

    y, _ = model(as_given(x))
    if isinstance(y, dict):
        return {name: drawn(array) for name, array in y.items()}
    return [drawn(array) for array in y] if isinstance(y, list) else drawn(y)


def random_state(model: sw.Model, seed: int = 6) -> sw.State:
    """Returns a state of random numbers and flags; the initial one of a graph that goes on from no other."""
    fresh = model.initial_state(ROWS)
    return fresh if model.network.looks_ahead else draw_state(fresh, np.random.default_rng(seed))


def random_flags(model: sw.Model, seed: int, resets: float = 0.3, masked: float = 0.3) -> tuple[Named, Named]:
    """Returns random `reset` and `mask` by axis, different for each axis; the first row has no reset, the next has."""
    rng, axes = np.random.default_rng(seed), model.network.axes
    reset = {axis: rng.random((ROWS, STEPS[axis])) < resets for axis in axes}
    mask = {axis: rng.random((ROWS, STEPS[axis])) >= masked for axis in axes}
    for axis in axes:
        reset[axis][0] = False
        reset[axis][1, 2] = True  # in the middle of a row
    return reset, mask


def as_given(by_name: Any) -> Any:
    """Returns inputs or flags in the form that a call takes: by name only if there are several."""
    return by_name if len(by_name) > 1 else next(iter(by_name.values()), None)


def parts(state: sw.State) -> dict[str, Named]:
    """Returns each part of a state, by node and its place there."""
    return {name: {place: np.asarray(part) for place, part in parts_of(state[name]).items()} for name in state}


@dataclass(frozen=True)
class Subject:
    """A graph with random weights, its input, flags and state, all by name."""

    case: Case
    model: sw.Model
    x: Named
    start: sw.State
    reset: Named
    mask: Named

    @classmethod
    def of(cls, case: Case) -> Subject:
        model = case.model()
        return cls(case, model, random_x(model), random_state(model), *random_flags(model, seed=7))

    def run(self, x: Named, state: sw.State | None, reset: Named, mask: Named) -> tuple[Named, sw.State]:
        """Returns the outputs by name, and the state; flags that are missing are those that change nothing."""
        axes = axis_of(self.model)
        taken = {str(axes[name]): array.shape[:2] for name, array in x.items() if axes[name]}
        reset = {axis: reset.get(axis, np.zeros(shape, bool)) for axis, shape in taken.items()}
        mask = {axis: mask.get(axis, np.ones(shape, bool)) for axis, shape in taken.items()}
        several = len(self.model.network.axes) > 1
        flags = [flag if several else as_given(flag) for flag in (reset, mask)]
        given = x if len(axes) > 1 else as_given(x)
        y, after = self.model(given, state, reset=flags[0], mask=flags[1])
        names = [output.name for output in self.model.network.outputs]
        if not isinstance(y, dict):
            y = dict(zip(names, y if isinstance(y, list) else [y], strict=True))
        return {name: np.asarray(a) for name, a in y.items() if a is not None}, each_part(np.asarray, after)

    def whole(self) -> tuple[Named, sw.State]:
        return self.run(self.x, self.start, self.reset, self.mask)

    def each_step(self, output: str) -> str | None:
        """Returns the axis at each step of which an output answers; None if it answers once per row."""
        own = self.model.network.toward(output)
        return str(own.signals[own.outputs[0].place].axis) if own.answers_each_step else None
