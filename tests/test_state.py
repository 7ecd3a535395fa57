"""A State is a value: it cannot be changed, knows its network and batch, and passes through JAX whole."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from networks import copied, random_state, random_weights
from statewise.errors import StateError
from tolerances import assert_same

X = np.random.default_rng(1).normal(size=(3, 4, 2))


@pytest.fixture(scope="module")
def model() -> sw.Sequential:
    model = sw.Sequential([sw.LSTM(4, return_sequences=True, input_shape=(None, 2)), sw.Dense(3), sw.LSTM(5)])
    random_weights(model)
    return model


def test_a_fresh_state_is_zero_and_readable_by_layer(model: sw.Sequential) -> None:
    state = model.zero_state(3)
    assert repr(state) == "State(batch=3, lstm: h [3, 4], c [3, 4], lstm_1: h [3, 5], c [3, 5])"
    assert list(state) == ["lstm", "lstm_1"]
    assert state.batch == 3
    assert "lstm" in state
    assert "dense" not in state
    assert state.layers["lstm_1"] is state["lstm_1"]
    assert not any(part.any() for part in jax.tree.leaves(state))


def test_an_unknown_layer_is_refused_with_the_known_ones(model: sw.Sequential) -> None:
    with pytest.raises(StateError, match="no state for layer 'dense'; layers with a state: lstm, lstm_1"):
        model.zero_state(3)["dense"]


def test_a_network_without_memory_has_an_empty_state() -> None:
    model = sw.Sequential([sw.Dense(2, input_shape=(3,))])
    y, state = model(np.ones((4, 3)))
    assert repr(state) == "State(batch=0)"
    assert_same(model(np.ones((4, 3)), state)[0], y, "y")
    with pytest.raises(StateError, match="layers with a state: none: the network has no memory"):
        state["dense"]


def test_nothing_can_be_assigned(model: sw.Sequential) -> None:
    state: Any = model.zero_state(3)
    with pytest.raises(StateError, match="a State cannot be changed; the next one comes out of the call"):
        state.batch = 4
    with pytest.raises(StateError, match="cannot be changed"):
        state["lstm"] = state["lstm_1"]
    with pytest.raises(TypeError):
        state.layers["lstm"] = state["lstm_1"]
    with pytest.raises(TypeError):
        state["lstm"].h[0] = 1.0


def test_old_states_stay_what_they_were(model: sw.Sequential) -> None:
    states, copies = [random_state(model, 3)], []
    for t in range(4):
        copies.append(copied(states[-1]))
        states.append(model(X[:, t : t + 1], states[-1])[1])
    for state, copy in zip(states, copies, strict=False):
        assert_same(copied(state), copy, "state")


def test_a_branch_does_not_touch_its_origin(model: sw.Sequential) -> None:
    start = random_state(model, 3)
    first, _ = model(X, start)
    model(-X, start)
    assert_same(model(X, start)[0], first, "y after another branch was taken")


def test_a_state_is_a_jax_value(model: sw.Sequential) -> None:
    state: Any = random_state(model, 3)
    doubled: Any = jax.jit(lambda state: jax.tree.map(lambda part: 2 * part, state))(state)
    assert_same(np.asarray(doubled["lstm_1"].c), 2 * np.asarray(state["lstm_1"].c), "c")
    assert repr(doubled) == repr(state)
    gradient = jax.grad(lambda state: jnp.sum(state["lstm"].h ** 2) + jnp.sum(state["lstm_1"].c))(state)
    assert_same(np.asarray(gradient["lstm"].h), 2 * np.asarray(state["lstm"].h), "gradient by h")
    assert_same(np.asarray(gradient["lstm_1"].h), np.zeros((3, 5), np.float32), "gradient by an unused h")


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (
            lambda: sw.Sequential([sw.LSTM(6, input_shape=(None, 2))]).zero_state(3),
            r"this state belongs to another network: expected lstm \[4, 4\], lstm_1 \[5, 5\], got lstm \[6, 6\]; "
            r"start from model.zero_state\(3\)",
        ),
        (
            lambda: sw.Sequential([sw.Dense(6, input_shape=(None, 2))]).zero_state(3),
            "expected lstm .*, got no memory",
        ),
        (lambda: (np.zeros((3, 4)), np.zeros((3, 4))), r"expected a State, got tuple; use model.zero_state\(3\)"),
    ],
    ids=["other-units", "no-memory", "tuple"],
)
def test_a_foreign_state_is_refused(model: sw.Sequential, state: Any, message: str) -> None:
    with pytest.raises(StateError, match=message):
        model(X, state())


def test_a_state_of_another_batch_is_refused(model: sw.Sequential) -> None:
    with pytest.raises(StateError, match=r"the state has 2 row\(s\), the input 3; start from model.zero_state\(3\)"):
        model(X, model.zero_state(2))
    with pytest.raises(StateError, match="the state has 2"):
        model.predict(X, state=model.zero_state(2))


def test_a_model_file_holds_the_state(model: sw.Sequential, tmp_path: Any) -> None:
    model.predict(X, state="carry")
    expected = copied(model.state)
    model.save(tmp_path / "model")
    loaded = sw.load(tmp_path / "model")
    assert isinstance(loaded, sw.Sequential)
    assert_same(copied(loaded.state), expected, "state")
    model.reset_state()
    assert model.state is None
