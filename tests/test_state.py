"""A State is a value: it cannot be changed, knows its network and batch, and passes through JAX and files whole."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import statewise
from mistakes import case, refused, table
from networks import copied, random_state, random_weights
from statewise.errors import ConfigurationError, DataError, FileError, ShapeError, StateError, StatewiseError
from statewise.kernels.states import LSTMState
from statewise.state import parts_of
from tolerances import assert_same

sw: Any = statewise  # what users write is not always what the types allow

X = np.random.default_rng(1).normal(size=(3, 4, 2))
BATCH = 5


def built(*layers: Any) -> Any:
    """Returns a model of two features with random weights, those of learnt starts included."""
    model = sw.Sequential(layers, seed=1)
    model.build((None, None, 2))
    random_weights(model)
    return model


MODELS: dict[str, Callable[[], Any]] = {
    "lstm": lambda: built(sw.LSTM(4, return_sequences=True), sw.Dense(3), sw.LSTM(5)),
    "gru": lambda: built(sw.GRU(3, name="memory")),
    "learnt": lambda: built(sw.LSTM(4, learn_initial_state=True, return_sequences=True), sw.GRU(3)),
    "bidirectional": lambda: built(sw.Bidirectional(sw.LSTM(3, learn_initial_state=True)), sw.Dense(1)),
}


@pytest.fixture(scope="module", params=list(MODELS.values()), ids=list(MODELS))
def any_model(request: pytest.FixtureRequest) -> Any:
    return request.param()


@pytest.fixture(scope="module")
def state(any_model: Any) -> Any:
    """Five rows, all numbers different, where sequences start as the model has it."""
    return random_state(any_model, BATCH)


def arrays_of(state: Any) -> dict[str, np.ndarray[Any, Any]]:
    return {f"{name}.{place}": np.asarray(a) for name in state for place, a in parts_of(state[name]).items()}


@pytest.fixture(scope="module")
def model() -> Any:
    return MODELS["lstm"]()


def test_a_fresh_state_is_zero_and_readable_by_layer(model: Any) -> None:
    state = model.initial_state(3)
    assert repr(state) == "State(batch=3, lstm: h [3, 4], c [3, 4], lstm_1: h [3, 5], c [3, 5])"
    assert list(state) == ["lstm", "lstm_1"]
    assert state.batch == 3
    assert "lstm" in state
    assert "dense" not in state
    assert state.layers["lstm_1"] is state["lstm_1"]
    assert not any(part.any() for part in jax.tree.leaves(state))


def test_an_unknown_layer_is_refused_with_the_known_ones(model: Any) -> None:
    with pytest.raises(StateError, match="no state for layer 'dense'; layers with a state: lstm, lstm_1"):
        model.initial_state(3)["dense"]


def test_a_network_without_memory_has_an_empty_state() -> None:
    model = sw.Sequential([sw.Dense(2, input_shape=(3,))])
    y, state = model(np.ones((4, 3)))
    assert repr(state) == "State(batch=0)"
    assert_same(model(np.ones((4, 3)), state)[0], y, "y")
    with pytest.raises(StateError, match="layers with a state: none: the network has no memory"):
        state["dense"]


def test_nothing_can_be_assigned(model: Any) -> None:
    state: Any = model.initial_state(3)
    with pytest.raises(StateError, match="a State cannot be changed; the next one comes from y, state"):
        state.batch = 4
    with pytest.raises(StateError, match="cannot be changed"):
        state["lstm"] = state["lstm_1"]
    with pytest.raises(TypeError):
        state.layers["lstm"] = state["lstm_1"]
    with pytest.raises(TypeError):
        state["lstm"].h[0] = 1.0


def test_old_states_stay_what_they_were(model: Any) -> None:
    states, copies = [random_state(model, 3)], []
    for t in range(4):
        copies.append(copied(states[-1]))
        states.append(model(X[:, t : t + 1], states[-1])[1])
    for state, before in zip(states, copies, strict=False):
        assert_same(copied(state), before, "state")


def test_a_branch_does_not_touch_its_origin(model: Any) -> None:
    start = random_state(model, 3)
    first, _ = model(X, start)
    model(-X, start)
    assert_same(model(X, start)[0], first, "y after another branch was taken")


def test_a_state_is_a_jax_value(model: Any) -> None:
    state: Any = random_state(model, 3)
    doubled: Any = jax.jit(lambda state: jax.tree.map(lambda part: 2 * part, state))(state)
    assert_same(np.asarray(doubled["lstm_1"].c), 2 * np.asarray(state["lstm_1"].c), "c")
    assert repr(doubled) == repr(state)
    gradient = jax.grad(lambda state: jnp.sum(state["lstm"].h ** 2) + jnp.sum(state["lstm_1"].c))(state)
    assert_same(np.asarray(gradient["lstm"].h), 2 * np.asarray(state["lstm"].h), "gradient by h")
    assert_same(np.asarray(gradient["lstm_1"].h), np.zeros((3, 5), np.float32), "gradient by an unused h")


# ---------------------------------------------------------------------------------------- others of it

ROWS: list[tuple[Any, list[int]]] = [
    (0, [0]),
    (4, [4]),
    (-1, [4]),
    (np.int64(2), [2]),
    (slice(1, 4), [1, 2, 3]),
    (slice(None, None, -2), [4, 2, 0]),
    ([3, 0, 3], [3, 0, 3]),
    ((1, 2), [1, 2]),
    (range(2, 5), [2, 3, 4]),
    (np.array([4, 1]), [4, 1]),
    ([True, False, False, True, False], [0, 3]),
    (np.array([False, False, True, False, False]), [2]),
    (jnp.array([2, 0]), [2, 0]),
]


@pytest.mark.parametrize(("index", "numbers"), ROWS, ids=str)
def test_rows_are_those_that_numpy_would_take(state: Any, index: Any, numbers: list[int]) -> None:
    chosen = state.rows(index)
    assert chosen.batch == len(numbers)
    assert_same(arrays_of(chosen), {name: a[numbers] for name, a in arrays_of(state).items()}, "rows")
    assert_same(copied(dict(chosen.learned)), copied(dict(state.learned)), "learned")


def test_joining_and_forking_keep_the_order(state: Any) -> None:
    apart = [state.rows(0), state.rows(slice(1, 3)), state.rows([3, 4])]
    assert sw.State.concat(apart) == state
    assert sw.State.concat(iter(apart)) == state
    forked = state.fork(3)
    assert forked.batch == 3 * BATCH
    assert_same(arrays_of(forked), {name: np.repeat(a, 3, axis=0) for name, a in arrays_of(state).items()}, "fork")
    assert state.fork(1) == state
    for other in (sw.State.concat(apart), forked):
        assert_same(copied(dict(other.learned)), copied(dict(state.learned)), "learned")


@pytest.mark.parametrize(
    ("rows", "numbers"),
    [(None, [0, 1, 2, 3, 4]), (2, [2]), ([0, 4], [0, 4]), ([False, True, False, False, False], [1])],
    ids=str,
)
def test_reset_starts_some_rows_afresh_and_leaves_the_others(
    any_model: Any, state: Any, rows: Any, numbers: list[int]
) -> None:
    fresh, before = arrays_of(any_model.initial_state(BATCH)), copied(state)
    expected = {name: a.copy() for name, a in arrays_of(state).items()}
    for name, a in expected.items():
        a[numbers] = fresh[name][numbers]
    assert_same(arrays_of(state.reset(rows)), expected, "reset")
    assert_same(copied(state), before, "the state that was reset")
    if rows is None:
        assert state.reset() == any_model.initial_state(BATCH)


def test_a_learnt_start_is_not_zero() -> None:
    """Guards the test above."""
    model = MODELS["learnt"]()
    assert model.initial_state(2) != model.zero_state(2)
    assert not any(a.any() for a in arrays_of(model.zero_state(2)).values())
    assert list(model.initial_state(2).learned) == ["lstm"]


def test_replace_replaces_parts_of_one_layer(model: Any) -> None:
    state = random_state(model, 3)
    h = np.random.default_rng(5).normal(size=(3, 5))
    other = state.replace("lstm_1", h=h)
    expected = arrays_of(state) | {"lstm_1.h": h.astype(np.float32)}
    assert_same(arrays_of(other), expected, "state")
    h[:] = 7.0
    assert_same(arrays_of(other), expected, "state after the array that was given changed")
    both = state.replace("lstm", h=np.ones((3, 4)), c=[[2.0] * 4] * 3)
    assert_same(np.asarray(both["lstm"].c), np.full((3, 4), 2.0, np.float32), "c")
    y, _ = model(X, other)
    assert y.shape == (3, 5)


# ------------------------------------------------------------------------------------------- a value


def test_states_are_equal_by_value(any_model: Any, state: Any) -> None:
    assert state == sw.State(copied(dict(state.layers)), copied(dict(state.learned)))
    assert state == state.rows(slice(None))
    assert state != any_model.initial_state(BATCH)
    assert state != state.rows(slice(4))
    assert state != state.rows([0, 1, 2, 4, 3])
    assert state != "state"
    with pytest.raises(TypeError, match="unhashable"):
        hash(state)


def test_states_of_layers_with_other_names_are_not_equal() -> None:
    first, second = (built(sw.LSTM(3, name=name)).initial_state(2) for name in "ab")
    assert first != second


@pytest.mark.parametrize(
    "copy_of",
    [copy.copy, copy.deepcopy, lambda state: pickle.loads(pickle.dumps(state))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_is_the_same_value(state: Any, copy_of: Callable[[Any], Any]) -> None:
    other = copy_of(state)
    assert other == state
    assert_same(copied(other), copied(state), "state")
    assert repr(other) == repr(state)
    with pytest.raises(StateError, match="cannot be changed"):
        other.batch = 2


REPRS = {
    "lstm": "State(batch=2, lstm: h [2, 4], c [2, 4], lstm_1: h [2, 5], c [2, 5])",
    "gru": "State(batch=2, memory: h [2, 3])",
    "learnt": "State(batch=2, lstm: h [2, 4], c [2, 4], gru: h [2, 3])",
    "bidirectional": "State(batch=2, bidirectional: forward.h [2, 3], forward.c [2, 3], backward.h [2, 3], "
    "backward.c [2, 3])",
}


@pytest.mark.parametrize("name", MODELS)
def test_a_state_shows_its_layers_and_sizes(name: str) -> None:
    assert repr(MODELS[name]().initial_state(2)) == REPRS[name]


def test_arrays_given_and_taken_out_do_not_reach_into_the_state() -> None:
    h, c = np.ones((2, 3), np.float32), np.full((2, 3), 2.0, np.float32)
    state = sw.State({"lstm": LSTMState(h, c)})
    before = copied(state)
    h[0] = 9.0
    assert_same(copied(state), before, "state after the array that was given changed")
    for part in (state["lstm"].h, state.layers["lstm"].c, state.rows(0)["lstm"].h, np.asarray(state["lstm"].h)):
        with pytest.raises(ValueError, match="read-only"):
            part[0] = 9.0
    assert_same(copied(state), before, "state")


def test_a_view_of_ones_own_array_does_not_reach_into_the_state() -> None:
    own = np.ones((2, 3), np.float32)
    view = own.view()
    view.setflags(write=False)
    state = sw.State({"lstm": LSTMState(view, view)})
    own[:] = 9.0
    assert_same(np.asarray(state["lstm"].h), np.ones((2, 3), np.float32), "h")


# --------------------------------------------------------------------------------------------- files


def test_a_file_holds_the_state_bit_for_bit(any_model: Any, state: Any, tmp_path: Path) -> None:
    path = tmp_path / "state"
    state.save(path)
    for loaded in (sw.State.load(path), sw.State.load(str(path), any_model)):
        assert loaded == state
        assert_same(arrays_of(loaded), arrays_of(state), "state")
        assert_same(copied(dict(loaded.learned)), copied(dict(state.learned)), "learned")
        assert repr(loaded) == repr(state)
        assert loaded.reset() == any_model.initial_state(BATCH)


def test_a_model_goes_on_from_a_file(model: Any, tmp_path: Path) -> None:
    _, state = model(X)
    state.save(tmp_path / "state")
    expected, _ = model(X, state)
    y, _ = model(X, sw.State.load(tmp_path / "state", model))
    assert_same(np.asarray(y), np.asarray(expected), "y")


def test_a_file_that_is_there_is_replaced(tmp_path: Path) -> None:
    model = MODELS["gru"]()
    for rows in (3, 1):
        model.initial_state(rows).save(tmp_path / "state")
    assert sw.State.load(tmp_path / "state").batch == 1
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def saved(path: Path, what: Any) -> Path:
    what.save(path)
    return path


def damaged(path: Path) -> Path:
    content = bytearray(saved(path, random_state(MODELS["gru"](), 2)).read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    return path


def cut_short(path: Path) -> Path:
    path.write_bytes(saved(path, MODELS["gru"]().initial_state(2)).read_bytes()[:-3])
    return path


FILES: dict[str, tuple[Callable[[Path], object], type[StatewiseError], tuple[str, ...]]] = {
    "another-network": (
        lambda path: sw.State.load(saved(path, MODELS["gru"]().initial_state(2)), MODELS["lstm"]()),
        StateError,
        (
            "belongs to another network",
            "expected lstm: h [B, 4], c [B, 4]; lstm_1: h [B, 5], c [B, 5]",
            "got memory: h [B, 3]",
            "model.initial_state(batch)",
        ),
    ),
    "a-model": (
        lambda path: sw.State.load(saved(path, MODELS["gru"]())),
        FileError,
        ("state", "holds a sequential model, not a state", "statewise.load reads it"),
    ),
    "damaged": (lambda path: sw.State.load(damaged(path)), FileError, ("state", "damaged", "copy it again")),
    "cut-short": (lambda path: sw.State.load(cut_short(path)), FileError, ("state", "damaged", "copy it again")),
    "missing": (sw.State.load, FileError, ("no", "state")),
    "folder": (lambda path: sw.State.load(path.parent), FileError, ("is a folder",)),
    "nowhere": (lambda path: MODELS["gru"]().initial_state(2).save(path / "no" / "where"), FileError, ("where",)),
    "as-a-model": (lambda path: sw.load(saved(path, gru_state())), FileError, ("holds a state", "State.load")),
}


@pytest.mark.parametrize(("action", "error", "words"), FILES.values(), ids=FILES)
def test_what_is_no_file_of_this_state(
    action: Callable[[Path], object], error: type[StatewiseError], words: tuple[str, ...], tmp_path: Path
) -> None:
    refused(lambda: action(tmp_path / "state"), error, words)


def test_a_missing_state_file_is_called_one(tmp_path: Path) -> None:
    """Not a model file, which `statewise train` would make."""
    refused(lambda: sw.State.load(tmp_path / "gone"), FileError, ["gone", "state.save"])


# ------------------------------------------------------------------------------------------ refusals


def lstm_state(rows: int = 3) -> Any:
    return MODELS["lstm"]().initial_state(rows)


def gru_state(rows: int = 3) -> Any:
    return MODELS["gru"]().initial_state(rows)


def rows_of(index: object) -> Any:
    return lstm_state().rows(index)


def called_with(state: Any) -> Any:
    return MODELS["lstm"]()(X, state)


REFUSED = [
    *(
        case(f"rows-{index!r}", partial(rows_of, index), StateError, "rows 0 .. 2", repr(index))
        for index in (3, -4, [0, 7], [True, False], [True] * 4, "lstm", 1.5, None, [], slice(3, 5), [[0, 1], [1, 2]])
    ),
    case("reset-3", lambda: lstm_state().reset(3), StateError, "the state has rows 0 .. 2, got 3"),
    case("reset-none", lambda: lstm_state().reset([]), StateError, "one or more of the rows 0 .. 2, got []"),
    case("fork-0", lambda: lstm_state().fork(0), ConfigurationError, "n: expected an integer >= 1, got 0"),
    case("fork-half", lambda: lstm_state().fork(2.5), ConfigurationError, "n: expected an integer", "got 2.5"),
    case("concat-one", lambda: sw.State.concat(lstm_state()), StateError, "State.concat([first, second])"),
    case("concat-none", lambda: sw.State.concat([]), StateError, "a list of at least one State, got []"),
    case("concat-tuple", lambda: sw.State.concat([(1, 2)]), StateError, "at least one State, got [(1, 2)]"),
    case(
        "concat-others",
        lambda: sw.State.concat([lstm_state(), gru_state()]),
        StateError,
        "different networks",
        "lstm: h [B, 4], c [B, 4]; lstm_1: h [B, 5], c [B, 5] and memory: h [B, 3]",
    ),
    case("replace-layer", lambda: lstm_state().replace("gru", h=1), StateError, "no state for layer 'gru'", "lstm_1"),
    case("replace-part", lambda: gru_state().replace("memory", c=1), StateError, "no part 'c'", "expected h"),
    case(
        "replace-side",
        lambda: MODELS["bidirectional"]().initial_state(2).replace("bidirectional", forward=1),
        StateError,
        "no part 'forward'",
    ),
    case(
        "replace-shape",
        lambda: lstm_state().replace("lstm", c=np.zeros((3, 5))),
        ShapeError,
        "lstm.c: expected shape [3, 4], got [3, 5]",
    ),
    case("replace-text", lambda: gru_state(1).replace("memory", h=[["a", "b", "c"]]), DataError, "memory.h", "real"),
    case(
        "other-units",
        lambda: called_with(built(sw.LSTM(6)).initial_state(3)),
        StateError,
        "expected lstm: h [B, 4], c [B, 4]; lstm_1: h [B, 5], c [B, 5], got lstm: h [B, 6], c [B, 6]",
        "start from model.initial_state(3)",
    ),
    case("no-memory", lambda: called_with(built(sw.Dense(6)).initial_state(3)), StateError, "lstm: h", "got no memory"),
    case("tuple", lambda: called_with((X, X)), StateError, "expected a State, got tuple; use model.initial_state(3)"),
    case(
        "other-batch",
        lambda: called_with(lstm_state(2)),
        StateError,
        "the state has 2 row(s), the input 3",
        "state.rows(...)",
        "state.fork(n)",
        "start from model.initial_state(3)",
    ),
    case(
        "other-batch-predict",
        lambda: MODELS["lstm"]().predict(X, state=lstm_state(2)),
        StateError,
        "state has 2 row(s): expected 3",
        "write batch_size=2",
    ),
    *(
        case(f"change-{name}", action, StateError, "a State cannot be changed", "y, state = model(x, state)")
        for name, action in {
            "attribute": lambda: setattr(lstm_state(), "batch", 4),
            "new-attribute": lambda: setattr(lstm_state(), "note", "mine"),
            "slot": lambda: setattr(lstm_state(), "_layers", {}),
            "item": lambda: lstm_state().__setitem__("lstm", 1),
            "del-attribute": lambda: delattr(lstm_state(), "batch"),
            "del-item": lambda: lstm_state().__delitem__("lstm"),
        }.items()
    ),
]


@table(*REFUSED)
def test_what_a_state_refuses(
    action: Callable[[], object], error: type[StatewiseError], words: tuple[str, ...]
) -> None:
    refused(action, error, words)


def test_learnt_starts_cannot_be_changed_either() -> None:
    state = MODELS["learnt"]().initial_state(2)
    with pytest.raises(TypeError):
        state.learned["lstm"] = state["lstm"]
    with pytest.raises(TypeError):
        state.learned["lstm"].h[0] = 1.0


def test_a_model_file_holds_the_state(model: Any, tmp_path: Path) -> None:
    model.predict(X, state="carry")
    expected = copied(model.state)
    model.save(tmp_path / "model")
    loaded = sw.load(tmp_path / "model")
    assert isinstance(loaded, sw.Sequential)
    assert_same(copied(loaded.state), expected, "state")
    model.reset_state()
    assert model.state is None
