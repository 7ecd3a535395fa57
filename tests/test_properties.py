"""The properties of a network that is one state machine, over a table of networks, from random weights and states.

Each holds twice: for the network's equations in float64, to 1e-9, with resets and masks, and for what users call, in
float32. Most of the time goes into compiling: programs of few shapes serve all tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import statewise as sw
from networks import (
    CASES,
    FEATURES,
    LOOKING_AHEAD,
    Case,
    copied,
    each_part,
    random_state,
    random_weights,
    random_x,
    rows,
)
from statewise.inference.forward import forward_of
from statewise.kernels import lstm
from statewise.kernels.gru import GRUWeights, gru
from statewise.kernels.lstm import LSTMWeights
from statewise.kernels.states import GRUState, LSTMState
from statewise.state import parts_of
from tolerances import assert_close, assert_same, differ

BATCH, STEPS = 3, 3
ORDER = np.array([2, 0, 1])
Array = np.ndarray[Any, np.dtype[Any]]
Flags = dict[str, Array]

RNG = np.random.default_rng(31)
RESET = np.array([[True, False, True], [False, False, False], [False, True, False]])
MASK = np.array([[True, False, True], [False, True, False], [True, True, False]])


@dataclass(frozen=True)
class Subject:
    """A network with random weights, its input and state, and what comes out of one call for all of it."""

    case: Case
    model: sw.Model
    dtype: str
    x: Array
    start: sw.State | None  # None where nothing goes on from a state
    y: Array
    end: sw.State

    @property
    def flags(self) -> Flags:
        """Resets and masks that some rows have at some steps; none for what users call without."""
        return {"reset": RESET, "mask": MASK} if self.dtype == "float64" else {}

    def run(self, x: Array, state: sw.State | None, **flags: Array) -> tuple[Array, sw.State]:
        """Returns `(y, state)` in NumPy: of `model(x, state)`, or of the same equations in float64."""
        if flags or self.dtype == "float64":
            flags = {"reset": np.zeros(x.shape[:2], bool), "mask": np.ones(x.shape[:2], bool)} | flags
        if self.dtype == "float64":
            return in_float64(self.model, x, state, **flags)
        y, after = self.model(x, state, **flags)
        return np.asarray(y), each_part(np.asarray, after)

    def steps(self, since: int, until: int, state: sw.State | None, flags: Flags) -> tuple[Array, sw.State]:
        """Returns `(y, state)` of some steps by themselves, with what `flags` say of them."""
        part = slice(since, until)
        return self.run(self.x[:, part], state, **{name: flag[:, part] for name, flag in flags.items()})

    def join(self, parts: list[Array]) -> Array:
        """Returns the outputs of consecutive calls as those of one call."""
        return np.concatenate(parts, axis=1) if self.case.every_step else parts[-1]


def in_float64(model: sw.Model, x: Array, state: sw.State | None, **flags: Any) -> tuple[Array, sw.State]:
    """Returns what `model(x, state, **flags)` does, computed in float64."""
    with jax.enable_x64(True):
        params, numbers = as_float64((model.params, x))
        fresh = model.network.initial_state(params, len(x))
        states = fresh if state is None else as_float64(model.network.check_state(state, len(x)))
        y, after = forward_of(model.network)(params, numbers, states, **flags)
        return np.asarray(y), each_part(np.asarray, model.network.state_of(copied(params), after))


def as_float64(tree: Any) -> Any:
    """Returns a copy in float64, whole numbers left as they are; to be called where JAX has float64 on."""
    return jax.tree.map(lambda a: jnp.asarray(a, a.dtype if a.dtype.kind == "i" else "float64"), tree)


SUBJECTS = [(case, dtype) for case in [*CASES, *LOOKING_AHEAD] for dtype in ("float64", "float32")]


def each_of(*subjects: tuple[Case, str]) -> pytest.MarkDecorator:
    """Runs a test for some subjects; in the same order everywhere, so that each is made once."""
    names = [f"{case.name}-{dtype}" for case, dtype in subjects]
    return pytest.mark.parametrize("subject", subjects, indirect=True, ids=names, scope="module")


every_network = each_of(*SUBJECTS)
read_in_pieces = each_of(*((case, dtype) for case, dtype in SUBJECTS if not case.looks_ahead))


@pytest.fixture(scope="module")
def subject(request: pytest.FixtureRequest) -> Subject:
    case, dtype = request.param
    model = case.model(seed=5)
    random_weights(model)
    start = None if case.looks_ahead else random_state(model, BATCH)
    bare = Subject(case, model, dtype, random_x(case, BATCH, STEPS), start, np.empty(0), model.initial_state(1))
    y, end = bare.run(bare.x, start)
    return replace(bare, y=y, end=end)


# ---------------------------------------------------------------------------------------------- state


@pytest.mark.slow
@read_in_pieces
def test_the_state_matters(subject: Subject) -> None:
    """Guards the tests below, which would all pass if states were ignored."""
    y, end = subject.run(subject.x, None)
    assert differ(y, subject.y)
    assert differ(end, subject.end)
    assert str(subject.y.dtype) == subject.dtype
    again = subject.run(subject.x, subject.model.initial_state(BATCH))
    assert_same(again, (y, end), "from the initial state")


@read_in_pieces
@pytest.mark.parametrize("cut", range(1, STEPS))
def test_two_parts_equal_the_whole(subject: Subject, cut: int) -> None:
    whole, last = subject.run(subject.x, subject.start, **subject.flags)
    first, middle = subject.steps(0, cut, subject.start, subject.flags)
    second, end = subject.steps(cut, STEPS, middle, subject.flags)
    assert_close(subject.join([first, second]), whole, "y")
    assert_close(end, last, "state")


@read_in_pieces
def test_one_step_at_a_time_equals_the_whole(subject: Subject) -> None:
    whole, last = subject.run(subject.x, subject.start, **subject.flags)
    state, parts = subject.start, []
    for t in range(STEPS):
        y, state = subject.steps(t, t + 1, state, subject.flags)
        parts.append(y)
    assert_close(subject.join(parts), whole, "y")
    assert_close(state, last, "state")


@each_of(*((case, "float32") for case in CASES))
@pytest.mark.parametrize("row", range(BATCH))
def test_one_push_at_a_time_equals_the_whole(subject: Subject, row: int) -> None:
    assert subject.start is not None
    stream = subject.model.stream()
    stream.restore(subject.start.rows(row))
    parts = [stream.push(step)[None, None] for step in subject.x[row]]
    y = subject.join(parts) if subject.case.every_step else parts[-1][0]
    assert_close(y, subject.y[row : row + 1], "y")
    assert_close(parts_by_place(stream.snapshot()), parts_by_place(subject.end.rows(row)), "state")


def parts_by_place(state: sw.State) -> dict[str, dict[str, Array]]:
    return {name: {place: np.asarray(part) for place, part in parts_of(state[name]).items()} for name in state}


@pytest.mark.slow
@every_network
def test_a_call_changes_nothing(subject: Subject) -> None:
    model, x, start = subject.model, subject.x.copy(), subject.start
    before, weights = copied(start), model.get_weights()
    reset, mask = RESET.copy(), MASK.copy()
    subject.run(x, start, mask=mask, reset=reset)
    again, _ = subject.run(x, start)
    assert_same(copied(start), before, "state")
    assert_same(model.get_weights(), weights, "weights")
    assert_same((x, reset, mask), (subject.x, RESET, MASK), "input")
    assert model.state is None
    assert_same(again, subject.y, "y of a second call")


# ---------------------------------------------------------------------------------------------- reset


def boundaries(reset: Array) -> list[tuple[int, int, bool]]:
    """Returns the pieces that resets bool `[T]` part a row into, and whether each starts afresh."""
    cuts = sorted({0, *np.flatnonzero(reset).tolist()})
    return [(a, b, bool(reset[a])) for a, b in zip(cuts, [*cuts[1:], len(reset)], strict=True)]


@every_network
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_after_a_reset_a_row_is_a_fresh_sequence(subject: Subject, seed: int | None) -> None:
    """Each row equals its pieces read by themselves, also in a network that reads from both ends."""
    reset = RESET if seed is None else np.random.default_rng(seed).random(RESET.shape) < 0.4
    y, end = subject.run(subject.x, subject.start, reset=reset)
    for row in range(BATCH):
        parts = [
            subject.steps(since, until, None if fresh else subject.start, {})
            for since, until, fresh in boundaries(reset[row])
        ]
        if subject.case.every_step or not subject.case.looks_ahead:
            assert_close(y[row], subject.join([part for part, _ in parts])[row], f"y of row {row}")
        if not subject.case.looks_ahead:
            assert_close(end.rows(row), parts[-1][1].rows(row), f"state of row {row}")


@read_in_pieces
def test_a_step_both_reset_and_masked_leaves_the_row_at_its_start(subject: Subject) -> None:
    reset, mask = np.zeros((BATCH, STEPS), bool), np.ones((BATCH, STEPS), bool)
    reset[1, -1], mask[1, -1] = True, False
    _, end = subject.run(subject.x, subject.start, reset=reset, mask=mask)
    fresh = subject.model.initial_state(BATCH)
    assert_close(parts_by_place(end.rows(1)), parts_by_place(fresh.rows(1)), "state")
    assert_close(end.rows(0), subject.end.rows(0), "state of another row")


# ----------------------------------------------------------------------------------------------- rows


@every_network
def test_permuting_rows_permutes_outputs_and_states(subject: Subject) -> None:
    y, end = subject.run(subject.x, subject.start, **subject.flags)
    start = None if subject.start is None else subject.start.rows(ORDER)
    permuted = {name: flag[ORDER] for name, flag in subject.flags.items()}
    moved, moved_end = subject.run(subject.x[ORDER], start, **permuted)
    assert_close(moved, y[ORDER], "y")
    assert_close(moved_end, end.rows(ORDER), "state")


@each_of(*(pair for pair in SUBJECTS if pair[1] == "float32"))
@pytest.mark.parametrize("index", [[0], [1], [2], [1, 1, 0]], ids=str)
def test_results_do_not_depend_on_the_rows_beside(subject: Subject, index: list[int]) -> None:
    start = None if subject.start is None else subject.start.rows(index)
    y, end = subject.run(subject.x[index], start)
    assert_close(y, subject.y[index], "y")
    assert_close(end, subject.end.rows(index), "state")


# ----------------------------------------------------------------------------------------------- mask

PLACES = {"left": [[1, 2]] * BATCH, "right": [[0, 1]] * BATCH, "a-row-each": [[0, 2], [1, 2], [0, 1]]}
"""Of the two real steps, for each row."""


@every_network
@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
def test_padding_changes_nothing(subject: Subject, places: list[list[int]]) -> None:
    x, row = random_x(subject.case, BATCH, STEPS, seed=13), np.arange(BATCH)[:, None]
    mask = np.zeros((BATCH, STEPS), bool)
    mask[row, places] = True
    x[row, places] = subject.x[:, :2]
    y, end = subject.run(x, subject.start, mask=mask)
    bare, bare_end = subject.steps(0, 2, subject.start, {})
    assert_close(y[row, places] if subject.case.every_step else y, bare, "y")
    assert_close(end, bare_end, "state")


@each_of(*(pair for pair in SUBJECTS if pair[1] == "float32"))
def test_rows_of_different_lengths_equal_each_row_by_itself(subject: Subject) -> None:
    lengths = [3, 1, 2]
    ragged = [subject.x[row, :length] for row, length in enumerate(lengths)]
    y, end = subject.model(ragged, subject.start, reset=[np.zeros(length, bool) for length in lengths])
    assert isinstance(y, list) is subject.case.every_step
    for row, length in enumerate(lengths):
        alone, alone_end = subject.steps(0, length, subject.start, {})
        assert_close(np.asarray(y[row]), alone[row], f"y of row {row}")
        assert_close(each_part(np.asarray, end.rows(row)), alone_end.rows(row), f"state of row {row}")


@every_network
def test_where_all_steps_are_masked_the_state_is_the_same_bit_for_bit(subject: Subject) -> None:
    mask = np.ones((BATCH, STEPS), bool)
    mask[1] = False
    start = start_of(subject)
    _, end = subject.run(subject.x, subject.start, mask=mask)
    assert_same(parts_by_place(end.rows(1)), parts_by_place(start.rows(1)), "state")
    assert differ(parts_by_place(end.rows(0)), parts_by_place(start.rows(0)))


@each_of(*(pair for pair in SUBJECTS if pair[0].repeats))
def test_a_masked_step_repeats_the_last_output(subject: Subject) -> None:
    y, _ = subject.run(subject.x, subject.start, mask=MASK)
    before = start_of(subject)
    last = np.asarray(before[list(before)[-1]].h)
    for t in range(STEPS):
        skipped = ~MASK[:, t]
        assert_close(y[skipped, t], last[skipped], f"y at step {t}")  # XLA may round it otherwise than the state
        last = y[:, t]


@each_of(*((case, "float64") for case in CASES))
def test_a_masked_step_keeps_the_state_bit_for_bit(subject: Subject) -> None:
    state = start_of(subject)
    for t in range(STEPS):
        skipped = ~MASK[:, t]
        _, after = subject.steps(t, t + 1, state, {"mask": MASK})
        assert_same(parts_by_place(rows(after, skipped)), parts_by_place(rows(state, skipped)), f"state at step {t}")
        state = after


def start_of(subject: Subject) -> sw.State:
    """Returns where the subject starts, in the dtype that it is computed in."""
    start = subject.model.initial_state(BATCH) if subject.start is None else subject.start
    return each_part(lambda part: np.asarray(part).astype(subject.dtype), start)


# ------------------------------------------------------------------------------------------ gradients


STEP = 1e-5


@pytest.fixture
def float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


ALIKE = (
    "dense-in-front",
    "dropout",
    "gru-then-lstm",
    "learnt-start",
    "lstm-last",
    "no-bias",
    "relu",
    "time-distributed",
)
"""Networks whose gradients are made of those of others; they are compared in `make test-all`."""


def with_gradients() -> list[Any]:
    """Returns all networks, those that are like others marked slow."""
    marks = {name: [pytest.mark.slow] for name in ALIKE}
    return [pytest.param(c, id=c.name, marks=marks.get(c.name, [])) for c in (*CASES, *LOOKING_AHEAD)]


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("case", with_gradients())
def test_the_gradient_of_every_weight_and_state_equals_the_numeric_one(case: Case) -> None:
    """By all weights, by h0 and c0, and by where sequences start if that is learnt; with resets and masks."""
    model = case.model(seed=5)
    random_weights(model)
    network, (x, params) = model.network, as_float64((random_x(case, BATCH, STEPS), model.params))
    states = as_float64(network.check_state(random_state(model, BATCH)))
    flat, restore = ravel_pytree((params, states))
    outputs = jax.eval_shape(network.apply, params, x, states)
    d_y, d_states = jax.tree.map(lambda part: jnp.asarray(RNG.normal(size=part.shape)), outputs)

    @jax.jit
    @jax.value_and_grad
    def loss(numbers: jax.Array) -> jax.Array:
        weights, start = restore(numbers)
        y, after = network.apply(weights, x, start, reset=jnp.asarray(RESET), mask=jnp.asarray(MASK))
        products = jax.tree.map(lambda part, d: jnp.sum(part * d), (y, after), (d_y, d_states))
        return sum(jax.tree.leaves(products), jnp.float64(0))

    def slope(move: Array) -> float:
        ahead, behind = (loss(flat + sign * STEP * move)[0] for sign in (1, -1))
        return float(ahead - behind) / (2 * STEP)

    numeric = jnp.asarray([slope(move) for move in np.eye(flat.size)])
    analytic = loss(flat)[1]
    assert_close(restore(analytic), restore(numeric), "gradient", tolerance=1e-7)
    by_params, by_states = restore(analytic)
    for name, gradient in [("state", by_states), *network.learned_states(by_params).items()]:
        for part in jax.tree.leaves(gradient):
            assert np.abs(part).max() > 1e-3, f"the gradient by {name} says nothing"


# --------------------------------------------------------------------------------------- from both ends

MERGES: dict[str, Callable[[Array, Array], Array]] = {
    "concat": lambda first, second: np.concatenate([first, second], axis=-1),
    "sum": np.add,
    "mul": np.multiply,
    "ave": lambda first, second: (first + second) / 2,
}
READERS: dict[str, Any] = {
    "lstm": lambda **options: sw.LSTM(3, **options),
    "gru": lambda **options: sw.GRU(3, **options),
    "gru-reset-before": lambda **options: sw.GRU(3, reset_after=False, **options),
    "learnt-start": lambda **options: sw.LSTM(3, learn_initial_state=True, **options),
}


def reference_pass(layer: Any, weights: dict[str, Any], x: Any) -> Array:
    """Returns every step's output of the equations written to be read, from where sequences start."""
    zeros = jnp.zeros((len(x), layer.units))
    parts = [zeros + weights.get(f"initial_{part}", jnp.zeros(layer.units)) for part in layer.state_kind._fields]
    arrays = (weights["kernel"], weights["recurrent_kernel"], weights["bias"])
    if isinstance(layer, sw.LSTM):
        y, _ = lstm.lstm(LSTMWeights(*arrays), x, LSTMState(*parts))
    else:
        y, _ = gru(GRUWeights(*arrays), x, GRUState(*parts), reset_after=layer.reset_after)
    return np.asarray(y)


@pytest.mark.slow
@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("reader", "merge"), [*((reader, "concat") for reader in READERS), *(("lstm", merge) for merge in MERGES)]
)
@pytest.mark.parametrize("every_step", [True, False], ids=["every-step", "last"])
def test_reading_from_both_ends_equals_two_passes(reader: str, merge: str, every_step: bool) -> None:
    """Each piece between resets, its padding left out, is read by itself: forwards, and backwards on flipped input."""
    inner = READERS[reader](return_sequences=every_step)
    model = sw.Sequential([sw.Bidirectional(inner, merge_mode=merge)], seed=1)
    model.build((None, None, FEATURES))
    random_weights(model)
    weights = as_float64(model.params)["bidirectional"]
    sides = [
        {name.removeprefix(f"{side}."): a for name, a in weights.items() if name.startswith(side)}
        for side in ("forward", "backward")
    ]
    x, lengths = RNG.normal(size=(BATCH, 4, FEATURES)), [4, 3, 2]
    mask = np.arange(4) < np.array(lengths)[:, None]
    reset = np.zeros((BATCH, 4), bool)
    if every_step:  # otherwise the answer is that of two different pieces
        reset[0, 2] = reset[1, 1] = reset[1, 2] = True
    y, _ = in_float64(model, x, None, mask=mask, reset=reset)
    for row, length in enumerate(lengths):
        for since, until, _fresh in boundaries(reset[row, :length]):
            piece = jnp.asarray(x[row : row + 1, since:until])
            forward = reference_pass(inner, sides[0], piece)
            backward = reference_pass(inner, sides[1], jnp.flip(piece, axis=1))
            if every_step:
                expected = MERGES[merge](forward, np.flip(backward, axis=1))
                assert_close(y[row, since:until], expected[0], f"y of row {row} from step {since}")
            else:
                assert_close(y[row], MERGES[merge](forward[:, -1], backward[:, -1])[0], f"y of row {row}")


# ---------------------------------------------------------------------------------------------- lanes

SERIES = [RNG.normal(size=(length, FEATURES)) for length in (5, 3, 5)]
TARGETS = [RNG.normal(size=(len(series), 2)) for series in SERIES]
RATE = 0.3
LANES: dict[str, tuple[Any, dict[str, Any]]] = {
    "lstm": (sw.LSTM, {}),
    "learnt-gru": (sw.GRU, {"learn_initial_state": True}),
}


def regression(name: str) -> sw.Sequential:
    kind, options = LANES[name]
    layers = [kind(4, return_sequences=True, input_shape=(None, FEATURES), **options), sw.Dense(2)]
    model = sw.Sequential(layers, seed=4)
    random_weights(model)
    model.compile(sw.SGD(learning_rate=RATE), "mse")
    return model


@pytest.mark.parametrize("name", LANES)
def test_one_lane_answers_each_series_as_if_it_were_alone(name: str) -> None:
    model = regression(name)
    framed = sw.lanes(SERIES, TARGETS, batch_size=1, steps=4)
    flags: dict[str, Any] = {"reset": framed.reset, "mask": framed.mask}
    y = model.predict(framed.x, batch_size=1, state="carry", **flags).reshape(-1, 2)
    expected = np.concatenate([np.asarray(y) for y in model(SERIES)[0]])
    assert_close(y[: len(expected)], expected, "y")
    model.reset_state()
    loss = model.evaluate(framed, state="carry")
    assert loss == pytest.approx(float(np.mean((expected - np.concatenate(TARGETS)) ** 2)), rel=1e-5)


@pytest.mark.parametrize("name", LANES)
def test_lanes_start_afresh_at_each_series_and_epoch_in_training(name: str) -> None:
    """Two epochs, batch after batch, by hand: each row's pieces between resets are read by themselves."""
    model, by_hand = regression(name), regression(name)
    framed = sw.lanes(SERIES, TARGETS, batch_size=2, steps=4)
    assert framed.reset is not None
    assert framed.mask is not None
    gradients = [gradient_by_pieces(by_hand.network, framed, batch) for batch in range(framed.batches)]
    history = model.fit(framed, epochs=2, state="carry", verbose=0).history
    params, losses, states = by_hand.params, [], None
    for _ in range(2):
        total, states = np.zeros(2), None
        for gradient_of in gradients:
            gradient, (states, sums) = gradient_of(params, states)
            params = jax.tree.map(lambda w, g: w - RATE * g, params, gradient)
            total += np.asarray(sums)
        losses.append(total[0] / total[1])
    assert_close(model.params, params, "weights")
    assert history["loss"] == pytest.approx(losses, rel=1e-5)
    assert model.state is not None
    assert states is not None
    for row, state in enumerate(states):
        assert_close(parts_by_place(model.state.rows(row)), parts_by_place(sw.State(state)), f"state of row {row}")


def gradient_by_pieces(network: Any, framed: Any, batch: int) -> Any:
    """Returns the function from weights and rows' states to the gradient, the states after the batch, sum and count."""

    def loss(params: Any, before: list[Any] | None) -> tuple[jax.Array, Any]:
        total, count, after = jnp.float32(0), 0, []
        for row in range(framed.batch_size):
            place = batch * framed.batch_size + row
            state = network.initial_state(params, 1) if before is None else before[row]
            for since, until, fresh in boundaries(framed.reset[place, : framed.mask[place].sum()]):
                start = network.initial_state(params, 1) if fresh else state
                y, state = network.apply(params, framed.x[place : place + 1, since:until], start)
                total += jnp.sum(jnp.mean((y[0] - framed.y[place, since:until]) ** 2, axis=-1))
                count += until - since
            after.append(state)
        return total / count, (after, jnp.stack([total, jnp.float32(count)]))

    return jax.jit(jax.grad(loss, has_aux=True))
