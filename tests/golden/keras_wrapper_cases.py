"""Graphs with Bidirectional, TimeDistributed and Lambda, written once for Keras and statewise, which must repeat it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

EPOCHS, ROWS, BATCH_SIZE = 10, 12, 4
EACH: dict[str, Any] = {"return_sequences": True}
STATE: dict[str, Any] = {"return_state": True}
BACK: dict[str, Any] = {"go_backwards": True}


class Case(NamedTuple):
    """A graph, and the shapes of what goes in and of what is learned."""

    write: Callable[[Any, Any], Any]  # of the module that has the layers, and the input
    input_shape: tuple[int, ...]
    target_shape: tuple[int, ...]
    masked: bool = False


def last_states(layers: Any, x: Any) -> Any:
    """All that a Bidirectional LSTM returns is used."""
    y, *states = layers.Bidirectional(layers.LSTM(3, **EACH, **STATE), name="both")(x)
    joined = layers.Concatenate(name="states")([layers.GRU(2, name="last")(y), *states])
    return layers.Dense(2, name="answer")(joined)


def masked_states(layers: Any, x: Any) -> Any:
    """The same where steps are masked."""
    y, forward, backward = layers.Bidirectional(layers.GRU(3, **STATE), merge_mode="sum", name="both")(
        layers.Masking(-1.0, name="mask")(x)
    )
    return layers.Dense(2, name="answer")(layers.Concatenate(name="states")([y, forward, backward]))


def initial_states(layers: Any, x: Any) -> Any:
    """A second layer starts where a first one ended."""
    _, *states = layers.Bidirectional(layers.LSTM(3, **STATE), name="first")(x)
    y = layers.Bidirectional(layers.LSTM(3, **EACH), name="second")(x, initial_state=states)
    return layers.Dense(1, name="answer")(y)


def initial_states_of_gru(layers: Any, x: Any) -> Any:
    """The same with one part in each direction."""
    _, *states = layers.Bidirectional(layers.GRU(3, **STATE), name="first")(x)
    y = layers.Bidirectional(layers.GRU(3), merge_mode="ave", name="second")(x, initial_state=states)
    return layers.Dense(1, name="answer")(y)


def two_layers(layers: Any, x: Any) -> Any:
    """Another layer reads from the end."""
    y = layers.Bidirectional(
        layers.LSTM(3, **EACH), backward_layer=layers.GRU(3, **EACH, **BACK), merge_mode="concat", name="both"
    )(x)
    return layers.Dense(1, name="answer")(y)


def two_outputs(layers: Any, x: Any) -> Any:
    """The outputs of both directions are not merged."""
    forward, backward = layers.Bidirectional(layers.GRU(3, **EACH), merge_mode=None, name="both")(x)
    return layers.Dense(1, name="answer")(layers.Subtract(name="less")([forward, backward]))


def two_outputs_and_states(layers: Any, x: Any) -> Any:
    """Nor are they here, where states follow them."""
    found = layers.Bidirectional(layers.LSTM(3, **STATE), merge_mode=None, name="both")(x)
    return layers.Dense(1, name="answer")(layers.Concatenate(name="all")(list(found)))


def sequences_in_steps(layers: Any, x: Any) -> Any:
    """Each step is a sequence of its own."""
    h = layers.TimeDistributed(layers.LSTM(4, **EACH), name="words")(x)
    wide = layers.TimeDistributed(layers.Conv1D(5, 2, activation="tanh"), name="windows")(h)
    mean = layers.TimeDistributed(layers.GlobalAveragePooling1D(), name="mean")(wide)
    both = layers.TimeDistributed(layers.Bidirectional(layers.GRU(2)), name="both")(x)
    joined = layers.Concatenate(name="joined")([mean, both])
    return layers.Dense(2, name="answer")(layers.LSTM(3, name="text")(joined))


def layers_in_steps(layers: Any, x: Any) -> Any:
    """Layers that need no steps."""
    h = layers.LSTM(4, **EACH, name="steps")(x)
    for name, layer in (
        ("normal", layers.LayerNormalization()),
        ("wide", layers.Dense(6, activation="tanh")),
        ("leaky", layers.LeakyReLU(negative_slope=0.2)),
        ("soft", layers.Activation("sigmoid")),
        ("again", layers.Dense(2)),
    ):
        h = layers.TimeDistributed(layer, name=name)(h)
    return h


def functions(layers: Any, x: Any) -> Any:
    """Functions of one value, and of two."""
    h = layers.LSTM(4, **EACH, name="steps")(x)
    last, first = layers.Lambda(lambda x: x[:, -1], name="last")(h), layers.Lambda(lambda x: x[:, 0], name="first")(h)
    change = layers.Lambda(lambda pair: pair[0] * pair[0] - pair[1], name="change")([last, first])
    return layers.Dense(2, name="answer")(change)


CASES: dict[str, Case] = {
    "last states": Case(last_states, (5, 3), (2,)),
    "masked states": Case(masked_states, (6, 2), (2,), masked=True),
    "initial states": Case(initial_states, (5, 3), (5, 1)),
    "initial states of GRU": Case(initial_states_of_gru, (5, 3), (1,)),
    "two layers": Case(two_layers, (5, 3), (5, 1)),
    "two outputs": Case(two_outputs, (5, 3), (5, 1)),
    "two outputs and states": Case(two_outputs_and_states, (5, 3), (1,)),
    "sequences in steps": Case(sequences_in_steps, (4, 6, 3), (2,)),
    "layers in steps": Case(layers_in_steps, (5, 3), (5, 2)),
    "functions": Case(functions, (5, 3), (2,)),
}
