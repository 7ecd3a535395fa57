"""The table of networks that the properties are tested on, and random weights, states and inputs for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

import statewise as sw
from statewise.layers import Layer
from statewise.layers.tensors import Tensor

SYMBOLS, FEATURES = 7, 3
Array = np.ndarray[Any, np.dtype[Any]]


NOTHING = -1.0
"""What stands for "nothing here" in all features of a step that a Masking layer skips."""


@dataclass(frozen=True)
class Case:
    """A network: how to make its layers, or its graph from the input to the output, and what they are like."""

    name: str
    layers: Callable[[], Sequence[Layer]] = list
    graph: Callable[[Tensor], Tensor] | None = field(default=None, kw_only=True)
    every_step: bool = True  # whether it answers at every step
    symbols: bool = False  # whether it reads symbols
    skips: bool = False  # whether it skips steps by what is in them
    repeats: bool = False  # whether its answer at a step is the last layer's h, which a skipped step repeats
    looks_ahead: bool = False  # whether it reads from the end too, so that nothing goes on from its state

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        return (None,) if self.symbols else (None, FEATURES)

    def model(self, seed: int = 0) -> sw.Model:
        """Returns a model of the network, with its first weights."""
        if self.graph is not None:
            x = sw.Input(self.input_shape)
            return sw.Model(x, self.graph(x), seed=seed)
        model = sw.Sequential(self.layers(), seed=seed)
        model.build((None, *self.input_shape))
        return model


def skip_connection(x: Tensor) -> Tensor:
    """Steps go around a layer, and beside it."""
    h = sw.LSTM(4, return_sequences=True)(x)
    beside = sw.Concatenate()([x, h, sw.Dense(2, activation="tanh")(x)])
    return sw.Dense(2)(sw.Add()([h, sw.LSTM(4, return_sequences=True)(beside)]))


def branches(x: Tensor) -> Tensor:
    """Two cells read the same, one of them past a mask, and their last outputs meet in all ways."""
    a = sw.LSTM(3, learn_initial_state=True, name="a")(sw.Masking(NOTHING)(x))
    b = sw.GRU(3, name="b")(x)
    extremes = sw.Concatenate()([sw.Maximum()([a, b]), sw.Minimum()([a, b]), sw.Subtract()([a, b])])
    return sw.Multiply()([sw.Dense(3)(extremes), sw.Average()([a, b, sw.Activation("tanh")(b)])])


def shared_layer(x: Tensor) -> Tensor:
    """One cell is used twice, by turns with another, on symbols that one table turns into numbers."""
    cell, vectors = sw.LSTM(3, return_sequences=True), sw.Embedding(SYMBOLS, 3, mask_zero=True)(x)
    between = sw.GRU(3, return_sequences=True)(cell(vectors))
    return sw.Dense(2)(sw.Concatenate()([cell(between), vectors]))


def both_ways(x: Tensor) -> Tensor:
    """A layer that looks ahead makes a graph that does."""
    ahead = sw.Bidirectional(sw.LSTM(2, return_sequences=True))(x)
    return sw.Concatenate()([ahead, sw.SimpleRNN(3, return_sequences=True)(x)])


CASES = [
    Case("lstm", lambda: [sw.LSTM(5, return_sequences=True)], repeats=True),
    Case("lstm-last", lambda: [sw.LSTM(4), sw.Dense(2)], every_step=False),
    Case("stacked", lambda: [sw.LSTM(4, return_sequences=True), sw.LSTM(3, return_sequences=True)], repeats=True),
    Case(
        "embedding",
        lambda: [
            sw.Embedding(SYMBOLS, 3),
            sw.LSTM(4, return_sequences=True),
            sw.Dense(SYMBOLS, activation="softmax"),
        ],
        symbols=True,
    ),
    Case("no-bias", lambda: [sw.LSTM(4, return_sequences=True, use_bias=False), sw.Dense(2, use_bias=False)]),
    Case(
        "relu",
        lambda: [sw.LSTM(4, return_sequences=True, activation="relu", recurrent_activation="hard_sigmoid")],
        repeats=True,
    ),
    Case(
        "dropout",
        lambda: [
            sw.Dropout(0.5),
            sw.LSTM(4, return_sequences=True),
            sw.Dropout(0.5, noise_shape=(None, 1, None)),
            sw.Dense(2),
        ],
    ),
    Case(
        "dense-in-front",
        lambda: [sw.Dense(4, activation="tanh"), sw.LSTM(4, return_sequences=True), sw.Activation("sigmoid")],
    ),
    Case("gru", lambda: [sw.GRU(5, return_sequences=True)], repeats=True),
    Case("gru-reset-before", lambda: [sw.GRU(4, return_sequences=True, reset_after=False)], repeats=True),
    Case("gru-then-lstm", lambda: [sw.GRU(4, return_sequences=True), sw.LSTM(3)], every_step=False),
    Case("masking", lambda: [sw.Masking(NOTHING), sw.LSTM(4, return_sequences=True), sw.Dense(2)], skips=True),
    Case(
        "mask-zero",
        lambda: [sw.Embedding(SYMBOLS, 3, mask_zero=True), sw.GRU(4, return_sequences=True)],
        symbols=True,
        skips=True,
        repeats=True,
    ),
    Case(
        "time-distributed",
        lambda: [sw.LSTM(4, return_sequences=True), sw.TimeDistributed(sw.Dense(2, activation="tanh"))],
    ),
    Case("learnt-start", lambda: [sw.LSTM(4, return_sequences=True, learn_initial_state=True)], repeats=True),
    Case(
        "learnt-starts",
        lambda: [sw.GRU(4, return_sequences=True, learn_initial_state=True), sw.GRU(3, learn_initial_state=True)],
        every_step=False,
    ),
    Case("simple", lambda: [sw.SimpleRNN(4, return_sequences=True, learn_initial_state=True)], repeats=True),
    Case(
        "causal-convolution",
        lambda: [
            sw.Masking(NOTHING),
            sw.Conv1D(4, 2, padding="causal", dilation_rate=2, activation="tanh"),
            sw.Conv1D(3, 3, padding="causal", use_bias=False),
            sw.GRU(3, return_sequences=True),
        ],
        skips=True,
    ),
    Case("skip-connection", graph=skip_connection),
    Case("branches", graph=branches, every_step=False, skips=True),
    Case("shared-layer", graph=shared_layer, symbols=True, skips=True),
]
"""Networks whose input may come in pieces."""

LOOKING_AHEAD = [
    Case(
        "bidirectional",
        lambda: [
            sw.Bidirectional(sw.LSTM(3, return_sequences=True)),
            sw.Dense(2),
            sw.Bidirectional(sw.GRU(2, return_sequences=True), merge_mode="sum"),
        ],
        looks_ahead=True,
    ),
    Case(
        "bidirectional-last",
        lambda: [sw.Masking(NOTHING), sw.Bidirectional(sw.LSTM(3, learn_initial_state=True), merge_mode="ave")],
        every_step=False,
        skips=True,
        looks_ahead=True,
    ),
    Case(
        "encoder-decoder",
        lambda: [
            sw.LSTM(3, return_sequences=True, go_backwards=True),
            sw.SimpleRNN(3),
            sw.RepeatVector(2),
            sw.SimpleRNN(2, return_sequences=True),
        ],
        every_step=False,
        looks_ahead=True,
    ),
    Case(
        "convolution",
        lambda: [sw.Conv1D(4, 3, padding="same", activation="tanh"), sw.SimpleRNN(3, return_sequences=True)],
        looks_ahead=True,
    ),
    Case(
        "pooling",
        lambda: [
            sw.Masking(NOTHING),
            sw.Conv1D(4, 2, padding="causal", strides=2),
            sw.MaxPooling1D(2, strides=1, padding="same"),
            sw.GRU(3),
        ],
        every_step=False,
        skips=True,
        looks_ahead=True,
    ),
    Case(
        "global-pooling",
        lambda: [sw.LSTM(3, return_sequences=True), sw.GlobalAveragePooling1D(), sw.Dense(2)],
        every_step=False,
        looks_ahead=True,
    ),
    Case(
        "resizing",
        lambda: [
            sw.Masking(NOTHING),
            sw.ZeroPadding1D((2, 1)),
            sw.Conv1D(4, 3, activation="tanh"),
            sw.UpSampling1D(2),
            sw.GRU(3),
        ],
        every_step=False,
        skips=True,
        looks_ahead=True,
    ),
    Case("both-ways", graph=both_ways, looks_ahead=True),
]
"""Networks that read from the end, too."""


@contextmanager
def quick_compilation() -> Iterator[None]:
    """Compiles without most optimisations: half the time, for tests of what does not depend on them."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)


def random_weights(model: sw.Model, seed: int = 1, scale: float = 0.7, bias_scale: float = 0.7) -> None:
    """Gives a model random weights, biases included: fresh ones have zeros and ones, which hide swapped gates."""
    rng = np.random.default_rng(seed)
    scales = [bias_scale if weight.ndim == 1 else scale for weight in model.get_weights()]
    shapes = [weight.shape for weight in model.get_weights()]
    model.set_weights([factor * rng.normal(size=shape) for factor, shape in zip(scales, shapes, strict=True)])


def random_state(model: sw.Model, batch: int, seed: int = 2) -> sw.State:
    """Returns a state of different, non-zero h and c."""
    rng = np.random.default_rng(seed)
    return each_part(
        lambda part: jax.numpy.asarray(0.8 * rng.normal(size=part.shape), "float32"), model.initial_state(batch)
    )


def random_x(case: Case, batch: int, steps: int, seed: int = 3) -> Array:
    """Returns random input `[B, T, F]`, or symbols `[B, T]`; with steps to skip where the network skips some."""
    rng = np.random.default_rng(seed)
    if case.symbols:
        return rng.integers(0, SYMBOLS, (batch, steps)).astype(np.int32)
    x = rng.normal(size=(batch, steps, FEATURES)).astype(np.float32)
    if case.skips:
        x[rng.random((batch, steps)) < 0.25] = NOTHING
    return x


def each_part(change: Callable[[Any], Any], state: sw.State) -> sw.State:
    """Returns the state with `change` made to the arrays of its layers, where its sequences start left as it is."""
    return sw.State({name: jax.tree.map(change, state[name]) for name in state}, state.learned)


def rows(state: sw.State, index: Any) -> sw.State:
    """Returns the state of some rows; of one without its batch axis where `index` is a number."""
    return each_part(lambda part: part[index], state)


def copied(tree: Any) -> Any:
    """Returns a copy in NumPy, to be compared with later."""
    return jax.tree.map(np.array, tree)
