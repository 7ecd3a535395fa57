"""Networks, flags, batch sizes and truncations drawn at random, against the plain oracle in float64 NumPy.

`make test` draws a few, always the same; `make test-all` some hundreds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import plain_network as plain
import statewise as sw
from networks import random_state, random_weights
from plain_network import Spec
from statewise.layers import Layer

FEATURES, SYMBOLS, NOTHING = 2, 5, -1.0
TOLERANCE = 2e-5
MANY = 50
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Drawn:
    """A network, and what is put in."""

    specs: list[Spec]
    rows: int
    steps: int
    seed: int

    @property
    def looks_ahead(self) -> bool:
        return any(spec.both_ends for spec in self.specs)

    def model(self) -> sw.Sequential:
        model = sw.Sequential([layer_of(spec) for spec in self.specs], seed=self.seed)
        model.build((None, None) if self.specs[0].kind == "Embedding" else (None, None, FEATURES))
        random_weights(model, self.seed)
        return model

    def x(self) -> Array:
        rng = np.random.default_rng(self.seed)
        if self.specs[0].kind == "Embedding":
            return rng.integers(0, SYMBOLS, (self.rows, self.steps)).astype(np.int32)
        x = rng.normal(size=(self.rows, self.steps, FEATURES)).astype(np.float32)
        if self.specs[0].kind == "Masking":
            x[rng.random((self.rows, self.steps)) < 0.3] = NOTHING
        return x

    def flags(self, share: float) -> Array:
        return np.random.default_rng(self.seed + 1).random((self.rows, self.steps)) < share


def layer_of(spec: Spec) -> Layer:
    """Returns statewise's layer of that description."""
    if spec.kind == "Dense":
        return sw.Dense(spec.units, activation=spec.activation, use_bias=spec.use_bias, name=spec.name)
    if spec.kind == "Embedding":
        return sw.Embedding(SYMBOLS, spec.units, mask_zero=spec.mask_zero, name=spec.name)
    if spec.kind == "Masking":
        return sw.Masking(spec.mask_value, name=spec.name)
    if spec.kind == "Dropout":
        return sw.Dropout(0.5, name=spec.name)
    options: dict[str, Any] = {"return_sequences": spec.return_sequences, "use_bias": spec.use_bias}
    if spec.kind == "GRU":
        options["reset_after"] = spec.reset_after
    kind = getattr(sw, spec.kind)
    if spec.both_ends:
        return sw.Bidirectional(kind(spec.units, **options), name=spec.name)
    layer: Layer = kind(spec.units, learn_initial_state=spec.learn_initial_state, name=spec.name, **options)
    return layer


def weights_of(model: sw.Sequential) -> plain.Weights:
    """Returns the model's weights in float64."""
    return {
        layer: {name: np.asarray(array, np.float64) for name, array in own.items()}
        for layer, own in model.params.items()
    }


def states_of(state: sw.State) -> plain.States:
    return {
        name: {part: np.asarray(getattr(state[name], part), np.float64) for part in state[name]._fields}
        for name in state
    }


@st.composite
def networks(draw: st.DrawFn, *, each_step: bool = False, looks_ahead: bool = True) -> Drawn:
    specs = [draw(st.sampled_from([None, None, "Masking", "Embedding", "Dense", "Dropout"]).map(_first))]
    recurrent = draw(st.integers(1, 2))
    for number in range(recurrent):
        sequences = each_step or number < recurrent - 1 or draw(st.booleans())
        both_ends = looks_ahead and draw(st.integers(0, 3)) == 0
        specs.append(
            Spec(
                draw(st.sampled_from(["LSTM", "LSTM", "GRU", "SimpleRNN"])),
                f"memory-{number}",
                draw(st.integers(1, 4)),
                return_sequences=sequences,
                use_bias=draw(st.booleans()),
                learn_initial_state=not both_ends and draw(st.booleans()),
                reset_after=draw(st.booleans()),
                both_ends=both_ends,
            )
        )
    if draw(st.booleans()) or each_step:
        activation, use_bias = draw(st.sampled_from(["linear", "softmax", "tanh"])), draw(st.booleans())
        units = draw(st.integers(2 if activation == "softmax" else 1, 3))
        specs.append(Spec("Dense", "head", units, activation=activation, use_bias=use_bias))
    found = [spec for spec in specs if spec is not None]
    return Drawn(found, draw(st.integers(1, 5)), draw(st.integers(1, 6)), draw(st.integers(0, 2**16)))


def _first(kind: str | None) -> Spec | None:
    options: dict[str, dict[str, Any]] = {
        "Masking": {"mask_value": NOTHING},
        "Embedding": {"units": 3, "mask_zero": True},
        "Dense": {"units": 3, "activation": "tanh"},
        "Dropout": {},
    }
    return None if kind is None else Spec(kind, "first", **options[kind])


def close(found: Any, expected: Array, what: str) -> None:
    difference = np.abs(np.asarray(found, np.float64) - expected) / np.maximum(1.0, np.abs(expected))
    assert difference.max(initial=0) < TOLERANCE, f"{what} off by {difference.max():.1e}"


def over(**strategies: Any) -> Callable[[Any], Any]:
    """Says what a property is drawn from; `given` would keep the first number of draws."""

    def marked(property_: Any) -> Any:
        property_.strategies = strategies
        return property_

    return marked


def hold(property_: Any, draws: int) -> None:
    """Draws so many cases; few are always the same, many others each time."""
    settings(
        max_examples=draws,
        derandomize=draws < MANY,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),  # a smaller case would mean compiling a hundred others
        print_blob=True,
    )(given(**property_.strategies)(property_))()


def draws(few: int, many: int) -> pytest.MarkDecorator:
    slow = pytest.param(many, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])
    return pytest.mark.parametrize("count", [few, slow])


@over(drawn=networks(), share=st.sampled_from([0.0, 0.3]), from_state=st.booleans())
def answers_and_states(drawn: Drawn, share: float, from_state: bool) -> None:
    """`model(x, state, reset, mask)`, and `predict` in batches, are what the oracle answers."""
    model, x, ahead = drawn.model(), drawn.x(), drawn.looks_ahead
    state = random_state(model, drawn.rows) if from_state and not ahead else None
    reset, mask = drawn.flags(0.0 if ahead else share), ~drawn.flags(share)[:, ::-1]
    start = None if state is None else states_of(state)
    expected, after = plain.run(drawn.specs, weights_of(model), x, start, reset, mask)
    y, end = model(x, state, reset=reset, mask=mask)
    close(y, expected, "y")
    if not ahead:
        for name, parts in after.items():
            for part, rows in parts.items():
                close(getattr(end[name], part), rows, f"{name}.{part}")
    size = 1 + drawn.seed % (drawn.rows + 1)
    begin: str | sw.State = "fresh" if state is None else state
    if state is None or size >= drawn.rows:
        close(model.predict(x, batch_size=size, state=begin, reset=reset, mask=mask), expected, "predict")


@draws(6, 300)
def test_answers_and_states(count: int) -> None:
    hold(answers_and_states, count)


@over(drawn=networks(looks_ahead=False))
def one_step_at_a_time(drawn: Drawn) -> None:
    """A stream's last answer to each row is the oracle's to the whole of it."""
    model, x = drawn.model(), drawn.x()
    expected, _ = plain.run(drawn.specs, weights_of(model), x)
    stream = model.stream(engine="numpy")
    for row, answer in zip(x, expected, strict=True):
        stream.reset()
        pushed = [stream.push(step) for step in row]
        close(pushed[-1], answer[-1] if answer.ndim == 2 else answer, "y")


@draws(4, 100)
def test_one_step_at_a_time(count: int) -> None:
    hold(one_step_at_a_time, count)


@over(
    drawn=networks(each_step=True, looks_ahead=False),
    batch_size=st.integers(1, 4),
    carry=st.booleans(),
    tbptt=st.sampled_from([None, None, 1, 2, 3]),
    share=st.sampled_from([0.0, 0.3]),
)
def an_epoch_of_training(drawn: Drawn, batch_size: int, carry: bool, tbptt: int | None, share: float) -> None:
    """The weights after an epoch of gradient descent are the oracle's, whose gradients are differences."""
    specs = [spec for spec in drawn.specs if spec.kind not in ("Dropout", "Masking", "Embedding")]
    specs = [_without_learned_start(spec) for spec in specs]
    small = Drawn(specs, drawn.rows, drawn.steps + 1, drawn.seed)
    model, x = small.model(), small.x()
    rng = np.random.default_rng(small.seed + 2)
    y = rng.normal(size=(*x.shape[:2], model.network.output_shape[-1] or 0)).astype(np.float32)
    mask = ~small.flags(share)
    mask[0, 0] = True  # something to learn
    size, length = min(batch_size, small.rows), None if tbptt is None else min(tbptt, small.steps)
    model.compile(sw.SGD(0.1), "mse")
    before = weights_of(model)
    expected = plain.train(specs, before, x, y, mask, plain.Training(size, 0.1, carry, length))
    model.fit(
        x, y, batch_size=size, epochs=1, shuffle=False, mask=mask, tbptt=length,
        state="carry" if carry else "fresh", verbose=0,
    )  # fmt: skip
    for layer, own in weights_of(model).items():
        for name, array in own.items():
            close(array, expected[layer][name], f"{layer}.{name}")


@draws(4, 150)
def test_an_epoch_of_training(count: int) -> None:
    hold(an_epoch_of_training, count)


def _without_learned_start(spec: Spec) -> Spec:
    """Learned starts have a test of their own; here each would need a reset in the oracle's gradient."""
    return Spec(**{**spec.__dict__, "learn_initial_state": False})


def test_the_oracle_finds_a_planted_fault() -> None:
    """Swapped gates, one weight a little off: what a check that cannot fail would let pass."""
    drawn = Drawn([Spec("LSTM", "memory-0", 3), Spec("Dense", "head", 2)], 2, 4, 5)
    model, x = drawn.model(), drawn.x()
    for change in (lambda own: own["kernel"].__setitem__((0, 0), own["kernel"][0, 0] + 1e-3), _swap):
        weights = weights_of(model)
        change(weights["memory-0"])
        with pytest.raises(AssertionError, match="y off by"):
            close(model(x)[0], plain.run(drawn.specs, weights, x)[0], "y")


def _swap(own: dict[str, Array]) -> None:
    i, f, g, o = np.split(own["recurrent_kernel"], 4, axis=1)
    own["recurrent_kernel"] = np.concatenate([f, i, g, o], axis=1)
