"""keras.layers.recurrent: layers with memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import statewise as sw
from statewise.errors import ConfigurationError, ShapeError, StateError
from statewise.foundation.shapes import Array, check_whole
from statewise.legacy import initializers, regularizers
from statewise.legacy.activations import name_of
from statewise.legacy.errors import CONSTRAINT, unsupported
from statewise.legacy.layer import Layer
from statewise.legacy.options import COMMON, in_keras_2_words, in_order, refuse
from statewise.legacy.spellings import note
from statewise.legacy.stack import Stack
from statewise.phrasebook.arguments import KERAS_NAMES

KERAS_1 = KERAS_NAMES["Recurrent"] | {"init": "kernel_initializer", "inner_init": "recurrent_initializer"}
SAME_RESULT = ("consume_less", "implementation", "unroll")
INITIALIZERS = {
    "kernel": "kernel_initializer",
    "recurrent_kernel": "recurrent_initializer",
    "bias": "bias_initializer",
}
PENALTIES = ("kernel_regularizer", "recurrent_regularizer", "bias_regularizer")


STARTS = "kernel_initializer recurrent_initializer bias_initializer"
LIMITS = (
    "kernel_regularizer recurrent_regularizer bias_regularizer activity_regularizer kernel_constraint"
    " recurrent_constraint bias_constraint dropout recurrent_dropout"
)
"""Arguments that LSTM, GRU and SimpleRNN have in this order, an LSTM one more between the two."""

PASSED_ON = "use_bias return_sequences return_state go_backwards dropout recurrent_dropout reset_after"
"""Arguments whose words are statewise's too."""

OTHERS = "return_sequences return_state go_backwards stateful"


class Recurrent(Layer):
    """What the recurrent layers have in common."""

    kind: type[sw.LSTM] | type[sw.GRU] | type[sw.SimpleRNN]
    core: sw.LSTM | sw.GRU | sw.SimpleRNN
    arguments: tuple[str, ...]
    """What may be given by place, in Keras 2's order."""

    def __init__(self, *args: Any, **options: Any) -> None:
        call = type(self).__name__
        options = in_order(call, (*self.arguments, *OTHERS.split()), args, options, KERAS_1, SAME_RESULT)
        super().__init__(**{name: options[name] for name in options if name in COMMON})
        self.options = {name: value for name, value in options.items() if name not in COMMON}
        _check_row_shape(call, self.row_shape)
        refuse(call, CONSTRAINT, **{name: options.get(name) for name in options if name.endswith("_constraint")})
        refuse(call, "write kernel_regularizer=", activity_regularizer=options.get("activity_regularizer"))
        self.stateful = bool(options.get("stateful"))
        if self.stateful and options.get("go_backwards"):
            raise unsupported(
                f"{call}(stateful=True, go_backwards=True)",
                "a layer that reads backwards has no state to continue from",
            )
        if self.stateful:
            note("stateful=True", 'model.fit(..., state="continue"), and in evaluate and predict')
        self.initial = {
            weight: initializers.get(options[argument])
            for weight, argument in INITIALIZERS.items()
            if argument in options
        }
        self.core = self.kind(options["units"], name=self.given_name, **self._in_core_words(options))

    def _in_core_words(self, options: dict[str, Any]) -> dict[str, Any]:
        words = {name: options[name] for name in PASSED_ON.split() if name in options}
        words |= {name: name_of(options[name]) for name in options if name.endswith("activation")}
        return words | {name: regularizers.get(options[name]) for name in PENALTIES if name in options}

    def _shape_of_features(self, features: int, steps: int | None) -> tuple[int | None, ...]:
        return (steps, features)

    def reset_states(self, states: Sequence[Array] | Array | None = None) -> None:
        """Resets this layer's state, or sets it to `states`: h, and c of an LSTM, each `[B, H]`.

        Raises:
            StateError: the layer is not stateful, or has other parts.
        """
        core, place = self._in_core()
        name, batch_size = core.network.names[place], self._in_model().input_shape[0]
        if not self.stateful:
            raise StateError(f"layer {self.name!r} keeps no state: expected LSTM(..., stateful=True)")
        state = core.state or core.zero_state(check_whole("batch_size of the first layer", batch_size))
        zeros = core.zero_state(state.batch)[name]
        given = zeros if states is None else states if isinstance(states, list | tuple) else [states]
        if len(given) != len(zeros):
            expected = " and ".join(zeros._fields)
            raise StateError(f"states of {self.name!r}: expected {expected}, got {len(given)} array(s)")
        core.state = state.replace(name, **dict(zip(zeros._fields, map(np.asarray, given), strict=True)))

    def __call__(self, x: Any, initial_state: Sequence[Array] | None = None) -> Any:
        """Returns the outputs of the layer alone for an array `[B, T, F]`, with its state if `return_state` is set."""
        if isinstance(x, Layer):
            return super().__call__(x)
        stack = self.model if isinstance(self.model, Stack) else Stack([self])
        if len(stack.layers) > 1:
            raise unsupported("calling a layer that is in a model", "call model.predict(x), or make a separate layer")
        x = np.asarray(x, np.float32)
        return _answer(stack.build_for(x.shape[1:]), self, x, initial_state)


def _check_row_shape(call: str, shape: Any) -> None:
    """Raises ShapeError unless `shape` is steps and features, with what they most likely are."""
    if shape is None or len(shape) == 2:
        return
    steps = {1: (*shape, 1), 3: tuple(shape[1:])}.get(len(shape), (10, 3))
    why = "leave the rows out" if len(shape) == 3 else "for one feature a step"
    raise ShapeError(f"{call} input_shape: expected (steps, features), got {tuple(shape)}; {why}: input_shape={steps}")


def _answer(core: sw.Sequential, layer: Recurrent, x: Array, initial_state: Sequence[Array] | None) -> Any:
    state = core.initial_state(len(x))
    (name,) = state.layers
    if initial_state is not None:
        fields = layer.kind.state_kind._fields
        if len(initial_state) != len(fields):
            raise StateError(f"initial_state: expected [{', '.join(fields)}], got {len(initial_state)} array(s)")
        state = state.replace(name, **dict(zip(fields, map(np.asarray, initial_state), strict=True)))
    y, after = core(x, state)
    ended = [np.asarray(part) for part in after[name]]
    return [np.asarray(y), *ended] if layer.options.get("return_state") else np.asarray(y)


class LSTM(Recurrent):
    """Long short-term memory."""

    kind = sw.LSTM
    arguments = tuple(f"units activation recurrent_activation use_bias {STARTS} unit_forget_bias {LIMITS}".split())

    def __init__(self, *args: Any, forget_bias_init: object = None, **options: Any) -> None:
        if forget_bias_init is not None:
            note("LSTM(forget_bias_init=)", "leave it out: the forget gate's bias starts at one")
            options["unit_forget_bias"] = forget_bias_init in ("one", "ones")
        super().__init__(*args, **options)
        self.unit_forget_bias = bool(self.options.setdefault("unit_forget_bias", True))


class GRU(Recurrent):
    """Gated recurrent unit."""

    kind = sw.GRU
    arguments = tuple(f"units activation recurrent_activation use_bias {STARTS} {LIMITS} reset_after".split())


class SimpleRNN(Recurrent):
    """A layer whose output goes back into it."""

    kind = sw.SimpleRNN
    arguments = tuple(f"units activation use_bias {STARTS} {LIMITS}".split())


class CuDNNLSTM(LSTM):
    """An LSTM; JAX decides which device it runs on."""

    def __init__(self, *args: Any, **options: Any) -> None:
        note("CuDNNLSTM(...)", "sw.LSTM(...)  # runs on whatever device JAX finds")
        super().__init__(*args, **options)


class CuDNNGRU(GRU):
    """A GRU; JAX decides which device it runs on."""

    def __init__(self, *args: Any, **options: Any) -> None:
        note("CuDNNGRU(...)", "sw.GRU(...)  # runs on whatever device JAX finds")
        super().__init__(*args, **options)


class Bidirectional(Layer):
    """Reads from both ends with two copies of a recurrent layer."""

    @in_keras_2_words("Bidirectional", remember=True)
    def __init__(self, layer: Recurrent, merge_mode: str | None = "concat", **common: Any) -> None:
        super().__init__(**common)
        if not isinstance(layer, Recurrent):
            raise ConfigurationError(f"Bidirectional: expected a layer such as LSTM(32), got {layer!r}")
        refuse("Bidirectional", "an answer needs the whole sequence; leave it out", stateful=layer.stateful)
        if merge_mode is None:
            raise unsupported("Bidirectional(merge_mode=None)", "write merge_mode='concat'")
        self.row_shape, self.batch_size = self.row_shape or layer.row_shape, self.batch_size or layer.batch_size
        sides = ("forward", "backward")
        self.initial = {f"{side}.{name}": value for side in sides for name, value in layer.initial.items()}
        self.unit_forget_bias = getattr(layer, "unit_forget_bias", False)
        self.core = sw.Bidirectional(layer.core, merge_mode=merge_mode, name=self.given_name)
