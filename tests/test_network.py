"""What makes a network one state machine, over a table of networks, from random weights and states."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import oracle
import statewise as sw
from networks import CASES, Case, copied, random_state, random_weights, random_x, rows
from statewise.errors import ConfigurationError, ShapeError
from statewise.network import Network, name_layers, network_from_config
from tolerances import assert_close, assert_same, differ

BATCH, STEPS = 3, 3
ORDER = np.array([2, 0, 1])
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Subject:
    """A network with random weights, its input and state, and what comes out of one call for all of it."""

    case: Case
    model: sw.Sequential
    x: Array
    start: sw.State
    y: Array
    end: sw.State

    def join(self, parts: list[Array]) -> Array:
        """Returns the outputs of consecutive calls as those of one call."""
        return np.concatenate(parts, axis=1) if self.case.every_step else parts[-1]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def subject(request: pytest.FixtureRequest) -> Subject:
    case: Case = request.param
    model = sw.Sequential(case.layers(), seed=5)
    model.build((None, *case.input_shape))
    random_weights(model)
    x, start = random_x(case, BATCH, STEPS), random_state(model, BATCH)
    y, end = model(x, start)
    return Subject(case, model, x, start, np.asarray(y), end)


def call(model: sw.Sequential, x: Array, state: sw.State | None, **flags: Array) -> tuple[Array, sw.State]:
    y, after = model(x, state, **flags)
    return np.asarray(y), after


# ---------------------------------------------------------------------------------------------- state


def test_the_state_matters(subject: Subject) -> None:
    """Guards the tests below, which would all pass if states were ignored."""
    y, end = call(subject.model, subject.x, None)
    assert differ(y, subject.y)
    assert differ(end, subject.end)
    assert_same(call(subject.model, subject.x, subject.model.zero_state(BATCH)), (y, end), "fresh")


@pytest.mark.parametrize("cut", range(1, STEPS))
def test_two_parts_equal_the_whole(subject: Subject, cut: int) -> None:
    first, middle = call(subject.model, subject.x[:, :cut], subject.start)
    second, end = call(subject.model, subject.x[:, cut:], middle)
    assert_close(subject.join([first, second]), subject.y, "y")
    assert_close(end, subject.end, "state")


def test_one_step_at_a_time_equals_the_whole(subject: Subject) -> None:
    state, parts = subject.start, []
    for t in range(STEPS):
        y, state = call(subject.model, subject.x[:, t : t + 1], state)
        parts.append(y)
    assert_close(subject.join(parts), subject.y, "y")
    assert_close(state, subject.end, "state")


def test_a_call_changes_nothing(subject: Subject) -> None:
    model, x, start = subject.model, subject.x.copy(), subject.start
    before, weights = copied(start), model.get_weights()
    mask = np.ones((BATCH, STEPS), bool)
    call(model, x, start, mask=mask, reset=mask)
    again, _ = call(model, x, start)
    assert_same(copied(start), before, "state")
    assert_same(model.get_weights(), weights, "weights")
    assert_same(x, subject.x, "x")
    assert mask.all()
    assert model.state is None
    assert_same(again, subject.y, "y of a second call")


# ----------------------------------------------------------------------------------------------- rows


def test_permuting_rows_permutes_outputs_and_states(subject: Subject) -> None:
    y, end = call(subject.model, subject.x[ORDER], rows(subject.start, ORDER))
    assert_close(y, subject.y[ORDER], "y")
    assert_close(end, rows(subject.end, ORDER), "state")


@pytest.mark.parametrize("row", range(BATCH))
def test_a_row_alone_equals_the_row_in_a_batch(subject: Subject, row: int) -> None:
    only = slice(row, row + 1)
    y, end = call(subject.model, subject.x[only], rows(subject.start, only))
    assert_close(y, subject.y[only], "y")
    assert_close(end, rows(subject.end, only), "state")


# ----------------------------------------------------------------------------------------------- mask

SKIPS = 2
PLACES = {  # of the real steps, for each row
    "left": [[2, 3, 4]] * BATCH,
    "right": [[0, 1, 2]] * BATCH,
    "middle": [[0, 3, 4]] * BATCH,
    "a-row-each": [[2, 3, 4], [0, 1, 2], [1, 2, 4]],
}


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
def test_masked_steps_change_nothing(subject: Subject, places: list[list[int]]) -> None:
    x = random_x(subject.case, BATCH, STEPS + SKIPS, seed=13)
    mask = np.zeros((BATCH, STEPS + SKIPS), bool)
    row = np.arange(BATCH)[:, None]
    mask[row, places] = True
    x[row, places] = subject.x
    y, end = call(subject.model, x, subject.start, mask=mask)
    assert_close(y[row, places] if subject.case.every_step else y, subject.y, "y")
    assert_close(end, subject.end, "state")


def test_where_all_steps_are_masked_the_state_is_the_same_bit_for_bit(subject: Subject) -> None:
    mask = np.ones((BATCH, STEPS + SKIPS), bool)
    mask[1] = False
    _, end = call(subject.model, random_x(subject.case, BATCH, STEPS + SKIPS), subject.start, mask=mask)
    assert_same(copied(rows(end, 1)), copied(rows(subject.start, 1)), "state")
    assert differ(rows(end, 0), rows(subject.start, 0))


# ---------------------------------------------------------------------------------------------- reset


def test_after_a_reset_a_row_is_a_fresh_sequence(subject: Subject) -> None:
    """Row 0 is reset at its first step, row 1 never, row 2 twice."""
    reset = np.zeros((BATCH, STEPS), bool)
    reset[0, 0] = reset[2, 1] = reset[2, 2] = True
    y, end = call(subject.model, subject.x, subject.start, reset=reset, mask=np.ones_like(reset))
    for row, since in ((0, 0), (2, 2)):
        fresh, fresh_end = call(subject.model, subject.x[:, since:], None)
        assert_close(y[row, since:] if subject.case.every_step else y[row], fresh[row], f"y of row {row}")
        assert_close(rows(end, row), rows(fresh_end, row), f"state of row {row}")
    assert_close(y[1], subject.y[1], "y of the row without a reset")
    assert_close(rows(end, 1), rows(subject.end, 1), "state of the row without a reset")
    if subject.case.every_step:
        between, _ = call(subject.model, subject.x[:, 1:2], None)
        assert_close(y[2, :1], subject.y[2, :1], "y before the reset")
        assert_close(y[2, 1:2], between[2], "y between two resets")


def test_a_step_both_reset_and_masked_leaves_the_row_at_zero(subject: Subject) -> None:
    reset, mask = np.zeros((BATCH, STEPS), bool), np.ones((BATCH, STEPS), bool)
    reset[1, -1], mask[1, -1] = True, False
    _, end = call(subject.model, subject.x, subject.start, reset=reset, mask=mask)
    assert_same(copied(rows(end, 1)), copied(rows(subject.model.zero_state(BATCH), 1)), "state")
    assert_close(rows(end, 0), rows(subject.end, 0), "state of another row")


# -------------------------------------------------------------------------------- against the oracle


def test_a_whole_network_equals_the_oracle() -> None:
    """Embedding, two LSTM layers and a softmax by plain loops: the layers are joined in the right order."""
    case = Case(
        "two-deep",
        lambda: [
            sw.Embedding(7, 3),
            sw.LSTM(4, return_sequences=True),
            sw.LSTM(5, return_sequences=True),
            sw.Dense(6, activation="softmax"),
        ],
        symbols=True,
    )
    model = sw.Sequential(case.layers())
    model.build((None, None))
    random_weights(model)
    x, start = random_x(case, 2, 3), random_state(model, 2)
    embeddings, k1, u1, b1, k2, u2, b2, w, b = (weight.tolist() for weight in model.get_weights())
    states = {name: [np.asarray(part).tolist() for part in start[name]] for name in start}
    first = oracle.lstm([[embeddings[i] for i in row] for row in x.tolist()], k1, u1, b1, *states["lstm"])
    second = oracle.lstm(first.y, k2, u2, b2, *states["lstm_1"])
    expected = [[oracle.softmax(oracle.dense(h, w, b)) for h in row] for row in second.y]
    y, end = call(model, x, start)
    assert_close(y, np.array(expected), "y")
    for name, run in (("lstm", first), ("lstm_1", second)):
        assert_close(tuple(end[name]), (np.array(run.h), np.array(run.c)), name)


# --------------------------------------------------------------------------------- names and settings


def test_names_are_counted_by_kind_and_given_ones_are_kept() -> None:
    layers = [sw.LSTM(2), sw.LSTM(2, name="lstm_1"), sw.Dense(1), sw.LSTM(2), sw.LSTM(2, name="memory")]
    assert name_layers(layers) == ("lstm", "lstm_1", "dense", "lstm_2", "memory")


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="two layers are called 'a'; give each a name of its own"):
        name_layers([sw.LSTM(2, name="a"), sw.Dense(1, name="a")])


def test_a_layer_that_does_not_fit_is_named() -> None:
    with pytest.raises(
        ShapeError, match=r"layer 'lstm_1': LSTM expects \[B, T, F\], got \[B, 2\]; .*return_sequences=True"
    ):
        Network.of([sw.LSTM(2), sw.LSTM(2)], (None, 3))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_network_is_remade_from_its_configuration(case: Case) -> None:
    network = Network.of(case.layers(), case.input_shape)
    again = network_from_config(json.loads(json.dumps(network.config())))
    assert again.config() == network.config()
    assert again.names == network.names
    assert again.shapes() == network.shapes()


@pytest.mark.parametrize(
    ("last", "head"),
    [(sw.Dense(3, activation="softmax"), "softmax"), (sw.Activation("sigmoid"), "sigmoid")],
    ids=["dense", "activation"],
)
def test_without_head_leaves_out_the_last_activation_only(last: Any, head: str) -> None:
    network = Network.of([sw.Dense(3, activation="tanh"), last], (2,))
    params, x = network.init(jax.random.key(0)), jnp.asarray(np.random.default_rng(0).normal(size=(2, 2)), "float32")
    bare, name = network.without_head()
    assert name == head
    logits, _ = bare.apply(params, x, bare.zero_state(2))
    y, _ = network.apply(params, x, network.zero_state(2))
    assert_close({"softmax": jax.nn.softmax, "sigmoid": jax.nn.sigmoid}[head](logits), y, "y")
    assert differ(logits, y)


def test_without_head_leaves_a_network_without_one_alone() -> None:
    network = Network.of([sw.LSTM(2)], (None, 2))
    assert network.without_head() == (network, "linear")
