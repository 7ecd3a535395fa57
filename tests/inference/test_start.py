"""Where runs start: `state=` in fit, evaluate, predict and generate; ragged rows, lanes and windows as they are passed.

Every result is held against calls of the model by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import statewise
from learning import BATCH, CLASSES, ROWS, STEPS, X, Y, tagger
from mistakes import case, refused, table
from networks import copied, random_state, random_weights
from statewise.errors import ConfigurationError, DataError, ShapeError, StateError, StatewiseError
from tolerances import assert_close, assert_same, differ

sw: Any = statewise  # what users write is not always what the types allow
Array = np.ndarray[Any, np.dtype[Any]]

RNG = np.random.default_rng(41)
LENGTHS = [4, 2, 1, 3, 4, 2]
RAGGED = [X[row, :length] for row, length in enumerate(LENGTHS)]
RAGGED_Y = [Y[row, :length] for row, length in enumerate(LENGTHS)]
N = len(LENGTHS)
REAL = np.arange(STEPS) < np.array(LENGTHS)[:, None]
PADDED = np.where(REAL[..., None], X[:N], 0.0).astype(np.float32)
PADDED_Y = np.where(REAL, Y[:N], 0)


@pytest.fixture(scope="module")
def trained() -> Any:
    """A model that has learnt something; no test may change it, `state` aside."""
    model = tagger()
    random_weights(model)
    return model


@pytest.fixture
def model(trained: Any) -> Any:
    """The same, without a state."""
    trained.reset_state()
    return trained


def loss_of(p: Array, y: Array, counted: Array | None = None) -> float:
    """Returns the mean cross-entropy of probabilities `[N, T, V]`."""
    values = -np.log(np.take_along_axis(np.asarray(p, np.float64), y[..., None], axis=-1))[..., 0]
    return float(values.mean() if counted is None else values[counted].mean())


def from_rows(model: Any, state: Any) -> Array:
    """Returns what the model answers for all rows, each from a row of `state`."""
    return np.asarray(model(X, state)[0])


# ------------------------------------------------------------------------------- evaluate and predict


@pytest.mark.parametrize("batch_size", [3, BATCH, ROWS, 99])
def test_a_state_of_all_rows_is_where_each_row_starts(model: Any, batch_size: int) -> None:
    start = random_state(model, ROWS)
    before, expected = copied(start), from_rows(model, start)
    p = model.predict(X, state=start, batch_size=batch_size)
    assert_close(p, expected, "y")
    loss = model.evaluate(X, Y, state=start, batch_size=batch_size, return_dict=True)["loss"]
    assert loss == pytest.approx(loss_of(expected, Y), rel=1e-5)
    assert_same(copied(start), before, "the state that was given")
    assert model.state is None


@pytest.mark.parametrize("batch_size", [3, BATCH, ROWS, 99])
@pytest.mark.parametrize("rows", ["fresh", "each-its-own"])
def test_predict_returns_the_states_in_which_all_rows_ended(model: Any, batch_size: int, rows: str) -> None:
    start = "fresh" if rows == "fresh" else random_state(model, ROWS)
    y, end = model.predict(X, state=start, batch_size=batch_size, return_state=True)
    expected, expected_end = model(X, None if rows == "fresh" else start)
    assert_close(y, np.asarray(expected), "y")
    assert_close(copied(end), copied(expected_end), "state")


@pytest.mark.parametrize("batch_size", [3, BATCH, ROWS])
@pytest.mark.parametrize("n", [1, 3])
def test_warming_up_equals_scoring_by_hand_after_settling(model: Any, n: int, batch_size: int) -> None:
    _, settled = model(X[:, :n])
    expected = np.asarray(model(X[:, n:], settled)[0])
    options = {"state": f"warmup:{n}", "batch_size": batch_size}
    y, end = model.predict(X, return_state=True, **options)
    assert_close(y, expected, "y")
    assert_close(copied(end), copied(model(X)[1]), "state")
    assert model.evaluate(X, Y, **options)[0] == pytest.approx(loss_of(expected, Y[:, n:]), rel=1e-5)
    assert model.state is None


def test_warming_up_for_no_step_equals_a_fresh_start(model: Any) -> None:
    assert_same(model.predict(X, state="warmup:0"), model.predict(X), "y")
    assert model.evaluate(X, Y, state="warmup:0") == model.evaluate(X, Y)


@pytest.mark.parametrize("learnt", [False, True], ids=["zeros", "learnt"])
def test_each_start_leads_elsewhere(learnt: bool) -> None:
    """Guards the tests above and below: on such models it matters where a row starts."""
    model = tagger_of(learn_initial_state=learnt)
    random_weights(model)
    zeros, initial, other = model.zero_state(ROWS), model.initial_state(ROWS), random_state(model, ROWS)
    answers = [model.predict(X, state=start) for start in (zeros, initial, other)]
    assert differ(answers[0], answers[1]) is learnt
    assert differ(answers[1], answers[2])
    assert_same(model.predict(X), answers[1], "fresh")


def tagger_of(*, kind: Any = sw.LSTM, optimizer: Any = None, **options: Any) -> Any:
    """Returns a compiled model without dropout that answers a class at every step."""
    layers = [
        kind(4, return_sequences=True, input_shape=(None, 2), **options),
        sw.Dense(CLASSES, activation="softmax"),
    ]
    model = sw.Sequential(layers, seed=3)
    model.compile(optimizer or sw.SGD(learning_rate=0.5), "sparse_categorical_crossentropy", ["accuracy"])
    return model


# ------------------------------------------------------------------------------------------------ fit


def fit(model: Any, x: Any = X, y: Any = Y, **options: Any) -> Any:
    return model.fit(x, y, **{"batch_size": BATCH, "epochs": 2, "verbose": 0, "shuffle": False} | options)


@pytest.mark.parametrize("kind", [sw.LSTM, sw.GRU])
def test_a_training_from_a_state_of_all_rows_is_scored_from_there(kind: Any) -> None:
    """With a rate of nothing the loss of an epoch is what evaluate says of that start."""
    model = tagger_of(kind=kind, optimizer=sw.SGD(learning_rate=1e-30))
    random_weights(model)
    start = random_state(model, ROWS)
    history = fit(model, state=start, epochs=1)
    assert history.history["loss"][0] == pytest.approx(loss_of(from_rows(model, start), Y), rel=1e-5)
    assert model.state is None


@pytest.mark.parametrize("batch_size", [BATCH, ROWS])
def test_shuffled_rows_keep_their_own_start(batch_size: int) -> None:
    model = tagger_of(optimizer=sw.SGD(learning_rate=1e-30))
    random_weights(model)
    start = random_state(model, ROWS)
    history = fit(model, state=start, epochs=1, shuffle=True, batch_size=batch_size)
    assert history.history["loss"][0] == pytest.approx(loss_of(from_rows(model, start), Y), rel=1e-5)


@pytest.mark.parametrize("batch_size", [BATCH, ROWS])
def test_where_each_row_starts_by_itself_so_does_each_validated_row(batch_size: int) -> None:
    model = tagger_of(optimizer=sw.SGD(learning_rate=1e-30))
    random_weights(model)
    twice = (np.concatenate([X, X]), np.concatenate([Y, Y]))
    start = random_state(model, ROWS)
    history = fit(model, state=start, epochs=1, validation_data=twice, batch_size=batch_size).history
    assert history["val_loss"][0] == pytest.approx(loss_of(np.asarray(model(X)[0]), Y), rel=1e-5)


def test_a_training_that_warms_up_is_scored_after_settling() -> None:
    model = tagger_of(optimizer=sw.SGD(learning_rate=1e-30))
    random_weights(model)
    history = fit(model, state="warmup:2", epochs=1)
    expected = loss_of(np.asarray(model(X)[0])[:, 2:], Y[:, 2:])
    assert history.history["loss"][0] == pytest.approx(expected, rel=1e-5)


def test_each_epoch_begins_in_the_state_that_was_given() -> None:
    """Two epochs from a State of B rows are one epoch from it, twice."""
    together, apart = tagger_of(), tagger_of()
    start = random_state(together, BATCH)
    fit(together, state=start, epochs=2)
    fit(apart, state=start, epochs=1)
    fit(apart, state=start, epochs=2, initial_epoch=1)
    assert_close(together.get_weights(), apart.get_weights(), "weights")
    assert together.state is None


def test_warming_up_for_no_step_trains_as_a_fresh_start() -> None:
    first, second = tagger_of(), tagger_of()
    fit(first)
    fit(second, state="warmup:0")
    assert_same(first.get_weights(), second.get_weights(), "weights")


STARTS: dict[str, Callable[[Any], Any]] = {
    "fresh": lambda _: "fresh",
    "carry": lambda _: "carry",
    "warmup": lambda _: "warmup:1",
    "state": lambda model: random_state(model, BATCH),
    "state-of-all-rows": lambda model: random_state(model, ROWS),
}


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_validation_never_disturbs_training(start: Callable[[Any], Any]) -> None:
    alone, watched = tagger(), tagger()
    given = {"epochs": 2, "shuffle": None}
    fit(alone, state=start(alone), **given)
    fit(watched, state=start(watched), validation_data=(X[:3], Y[:3]), **given)
    assert_same(watched.get_weights(), alone.get_weights(), "weights")
    assert_same(copied(watched.state), copied(alone.state), "state")
    before = copied(alone.state)
    alone.evaluate(X, Y)
    alone.predict(X)
    alone.evaluate(X, Y, state="warmup:1")
    assert_same(copied(alone.state), before, "state after looking at it")


def test_only_carry_moves_the_state(model: Any) -> None:
    model.predict(X, state="carry", batch_size=BATCH)
    kept = copied(model.state)
    other = random_state(model, BATCH)
    for state in ("fresh", "warmup:1", other, random_state(model, ROWS)):
        model.predict(X, state=state, batch_size=BATCH)
        model.evaluate(X, Y, state=state, batch_size=BATCH)
    model(X, random_state(model, ROWS))
    assert_same(copied(model.state), kept, "state")
    model.evaluate(X, Y, state="continue", batch_size=BATCH)
    assert differ(copied(model.state), kept)


def test_what_was_trained_with_one_batch_size_serves_any_other() -> None:
    model = tagger_of()
    fit(model, state="carry")
    y, _ = model(X)
    for batch_size in (1, 3, ROWS):
        assert_close(model.predict(X, batch_size=batch_size), np.asarray(y), f"y in batches of {batch_size}")
    for rows in (1, 2):
        part = model.state.rows(slice(rows))
        assert_close(model.predict(X[:rows], state=part), np.asarray(model(X[:rows], part)[0]), "y from the state")


# ------------------------------------------------------------------------------------- return_state


@pytest.mark.parametrize(("kind", "parts"), [(sw.LSTM, ("h", "c")), (sw.GRU, ("h",))], ids=["lstm", "gru"])
@pytest.mark.parametrize("every_step", [False, True], ids=["last", "every-step"])
@pytest.mark.parametrize("batch_size", [3, ROWS])
def test_a_last_layer_may_return_its_state(kind: Any, parts: Any, every_step: bool, batch_size: int) -> None:
    layers = [sw.LSTM(3, return_sequences=True), kind(4, return_state=True, return_sequences=every_step)]
    model = sw.Sequential(layers, seed=1)
    model.build((None, None, 2))
    random_weights(model)
    answers = model.predict(X, batch_size=batch_size)
    y, end = model(X)
    last = end[list(end)[-1]]
    assert isinstance(answers, list)
    assert_close(answers, [np.asarray(y), *(np.asarray(getattr(last, part)) for part in parts)], "answers")
    again, ended = model.predict(X, batch_size=batch_size, return_state=True)
    assert_same(again, answers, "answers beside the state")
    assert_close(copied(ended), copied(end), "state")


# -------------------------------------------------------------------------------------------- ragged


def test_ragged_rows_equal_padding_and_masking_by_hand(model: Any) -> None:
    y, end = model(RAGGED)
    expected, expected_end = model(PADDED, mask=REAL)
    wanted = [row[real] for row, real in zip(np.asarray(expected), REAL, strict=True)]
    assert isinstance(y, list)
    assert_close(y, wanted, "y")
    assert_close(copied(end), copied(expected_end), "state")
    predicted = model.predict(RAGGED, batch_size=BATCH)
    assert isinstance(predicted, list)
    assert_close(predicted, wanted, "y of predict")
    for options in ({}, {"state": "carry"}, {"state": random_state(model, N)}):
        model.reset_state()
        found = model.evaluate(RAGGED, RAGGED_Y, batch_size=BATCH, **options)
        model.reset_state()
        assert found == model.evaluate(PADDED, PADDED_Y, mask=REAL, batch_size=BATCH, **options)


def test_ragged_rows_after_warming_up(model: Any) -> None:
    y = model.predict(RAGGED, state="warmup:2")
    wanted = [row[2:] for row in model.predict(RAGGED)]
    assert_close(y, wanted, "y")


def test_ragged_rows_train_as_padding_and_masking_by_hand() -> None:
    first, second = tagger_of(), tagger_of()
    given = {"sample_weight": [RNG.uniform(0.5, 2, length).astype(np.float32) for length in LENGTHS]}
    weight = np.zeros(REAL.shape, np.float32)
    weight[REAL] = np.concatenate(given["sample_weight"])
    ragged = fit(first, RAGGED, RAGGED_Y, **given)
    by_hand = fit(second, PADDED, PADDED_Y, mask=REAL, sample_weight=weight)
    assert_same(first.get_weights(), second.get_weights(), "weights")
    assert ragged.history == by_hand.history


def test_ragged_validation_data_equal_padding_and_masking_by_hand() -> None:
    history = fit(tagger_of(), validation_data=(RAGGED, RAGGED_Y), epochs=1).history
    model = tagger_of()
    fit(model, epochs=1)
    loss = model.evaluate(PADDED, PADDED_Y, mask=REAL)[0]
    assert history["val_loss"][0] == pytest.approx(loss, rel=1e-6)


def test_one_answer_a_ragged_row_is_an_array() -> None:
    model = sw.Sequential([sw.LSTM(3), sw.Dense(1)], seed=1)
    model.compile("adam", "mse")
    fit(model, RAGGED, np.arange(N, dtype=float), epochs=1)
    y = model.predict(RAGGED)
    assert y.shape == (N, 1)
    for row, x in enumerate(RAGGED):
        assert_close(y[row], np.asarray(model(x[None])[0])[0], f"y of row {row}")


# ---------------------------------------------------------------------------------- lanes and windows

SYMBOLS = 6
SERIES = [RNG.integers(0, SYMBOLS, length) for length in (9, 14, 5)]
LANES = sw.lanes(SERIES, batch_size=2, steps=4)
WINDOWS = sw.windows(SERIES, 3)


def speller(*, each_step: bool = True) -> Any:
    layers = [sw.Embedding(SYMBOLS, 3), sw.LSTM(4, return_sequences=each_step), sw.Dense(SYMBOLS, activation="softmax")]
    model = sw.Sequential(layers, seed=2)
    model.compile(sw.SGD(learning_rate=0.3), "sparse_categorical_crossentropy", ["accuracy"])
    return model


def test_lanes_train_and_score_as_their_parts() -> None:
    parts = {"batch_size": 2, "reset": LANES.reset, "mask": LANES.mask}
    options: dict[str, Any] = {"epochs": 2, "verbose": 0, "state": "carry"}
    first, second = speller(), speller()
    framed = first.fit(LANES, validation_data=LANES, **options)
    by_hand = second.fit(LANES.x, LANES.y, **parts, **options)
    assert_same(first.get_weights(), second.get_weights(), "weights")
    assert_same(copied(first.state), copied(second.state), "state")
    assert framed.history["loss"] == by_hand.history["loss"]
    for model in (first, second):
        model.reset_state()
    assert first.evaluate(LANES, state="carry") == second.evaluate(LANES.x, LANES.y, **parts, state="carry")
    first.reset_state()
    found = first.evaluate(LANES, state="carry", return_dict=True)
    assert framed.history["val_loss"][-1] == pytest.approx(found["loss"], rel=1e-6)


def test_windows_train_and_score_as_their_parts() -> None:
    options: dict[str, Any] = {"epochs": 2, "verbose": 0, "batch_size": 5}
    first, second = speller(each_step=False), speller(each_step=False)
    framed = first.fit(WINDOWS, validation_data=WINDOWS, **options)
    by_hand = second.fit(WINDOWS.x, WINDOWS.y, validation_data=(WINDOWS.x, WINDOWS.y), **options)
    assert_same(first.get_weights(), second.get_weights(), "weights")
    for name, values in by_hand.history.items():
        assert framed.history[name] == pytest.approx(values, rel=1e-6), name
    assert first.evaluate(WINDOWS) == second.evaluate(WINDOWS.x, WINDOWS.y)


def test_series_of_real_numbers_get_an_axis_of_features() -> None:
    framed = sw.windows(np.sin(np.arange(20.0)), 4)
    first, second = (sw.Sequential([sw.LSTM(3), sw.Dense(1)], seed=2) for _ in range(2))
    for model in (first, second):
        model.compile("sgd", "mse")
    first.fit(framed, epochs=1, verbose=0)
    second.fit(framed.x[..., None], framed.y, epochs=1, verbose=0)
    assert_same(first.get_weights(), second.get_weights(), "weights")


# ------------------------------------------------------------------------------------------- refusals


def both_ends() -> Any:
    model = tagger_of()
    layers = [sw.Bidirectional(sw.LSTM(3, return_sequences=True)), sw.Dense(CLASSES, activation="softmax")]
    model = sw.Sequential(layers, seed=1)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.build((None, None, 2))
    random_weights(model)
    return model


def state_of(rows: int, units: int = 4) -> Any:
    model = sw.Sequential([sw.LSTM(units, input_shape=(None, 2))])
    return model.initial_state(rows)


def told(state: Any, **options: Any) -> list[Any]:
    """Returns the same mistake made in fit, evaluate and predict."""
    return [
        lambda: fit(tagger_of(), state=state, **options),
        lambda: tagger_of().evaluate(X, Y, state=state, batch_size=BATCH),
        lambda: seen().predict(X, state=state, batch_size=BATCH),
    ]


def seen(model: Any = None) -> Any:
    model = model or tagger_of()
    model.build((None, None, 2))
    random_weights(model)
    return model


BOTH = (
    "layer 'bidirectional' reads its input from both ends",
    "fresh state",
    "use an LSTM that reads from the start instead",
)
REFUSED: list[Any] = [
    *(
        case(f"{name}-{number}", action, error, *words)
        for name, state, error, words in [
            ("misspelt", "cary", ConfigurationError, ("unknown state 'cary': did you mean 'carry'?", "'warmup:n'")),
            (
                "word",
                3,
                ConfigurationError,
                ("unknown state 3", "'fresh', 'carry', 'continue', 'warmup:n'", "or a State"),
            ),
            ("none", None, ConfigurationError, ("unknown state None", "'fresh'")),
            ("no-number", "warmup:", ConfigurationError, ("unknown state 'warmup:'", "'warmup:n'")),
            ("below-0", "warmup:-1", ConfigurationError, ("unknown state 'warmup:-1'", "'warmup:n'")),
            ("fraction", "warmup:1.5", ConfigurationError, ("'warmup:1.5'", "'warmup:n'")),
            ("all-steps", "warmup:4", ConfigurationError, ("state='warmup:4'", "fewer steps than the 4 of x")),
            ("more-steps", "warmup:9", ConfigurationError, ("state='warmup:9'", "fewer steps than the 4 of x")),
            ("rows", state_of(5), StateError, ("state has 5 row(s)", "expected 4", "or 10, one for each row of x")),
            ("rows-fork", state_of(5), StateError, ("write batch_size=5", "state.rows(...)", "state.fork(n)")),
            ("units", state_of(4, 7), StateError, ("expected lstm: h [B, 4], c [B, 4], got lstm: h [B, 7]",)),
        ]
        for number, action in zip(("fit", "evaluate", "predict"), told(state), strict=True)
    ),
    case("both-carry", lambda: fit(both_ends(), state="carry"), StateError, "state='carry'", *BOTH),
    case("both-evaluate", lambda: both_ends().evaluate(X, Y, state="carry"), StateError, "state='carry'", *BOTH),
    case(
        "both-state",
        lambda: both_ends().predict(X, state=both_ends().initial_state(ROWS)),
        StateError,
        "state=<State>",
        *BOTH,
    ),
    case("both-tbptt", lambda: fit(both_ends(), tbptt=2), StateError, "tbptt", *BOTH),
    case("both-call", lambda: both_ends()(X, random_state(both_ends(), ROWS)), StateError, "model(x, state)", *BOTH),
    case("both-stream", lambda: both_ends().stream(), StateError, "from both ends"),
    case(
        "return-state-not-last",
        lambda: sw.Sequential([sw.LSTM(3, return_state=True, input_shape=(None, 2)), sw.Dense(1)]),
        ConfigurationError,
        "LSTM(return_state=True): expected on the last layer only",
        "y, state = model(x)",
    ),
    case("ragged-mask", lambda: seen()(RAGGED, mask=REAL), ConfigurationError, "are masked automatically"),
    case("ragged-y", lambda: fit(seen(), RAGGED, RAGGED_Y[::-1]), ShapeError, "y: expected rows as long as"),
    case("lanes-y", lambda: speller().fit(LANES, LANES.y), ConfigurationError, "lanes and windows contain their own"),
    case("lanes-batch", lambda: speller().fit(LANES, batch_size=3), ConfigurationError, "made for 2 rows, got 3"),
    case("lanes-mask", lambda: speller().evaluate(LANES, mask=LANES.mask), ConfigurationError, "lanes contain"),
]


@table(*REFUSED)
def test_what_cannot_be_where_a_run_starts(
    action: Callable[[], object], error: type[StatewiseError], words: tuple[str, ...]
) -> None:
    refused(action, error, words)


def test_what_is_refused_leaves_the_state_as_it_was(model: Any) -> None:
    model.predict(X, state="carry", batch_size=BATCH)
    kept = copied(model.state)
    refused(lambda: model.predict(X[:3], state="continue"), StateError, ["model.state has 4 row(s): expected 3"])
    assert_same(copied(model.state), kept, "state")


# ----------------------------------------------------------------------- starts that were once wrong


def test_both_readers_of_a_bidirectional_layer_learn_where_they_start() -> None:
    layer = sw.Bidirectional(sw.LSTM(3, return_sequences=True, learn_initial_state=True))
    model = sw.Sequential([layer, sw.Dense(2)], seed=1)
    model.compile(sw.SGD(learning_rate=1e-30), "mse")
    x, y = np.random.default_rng(1).normal(size=(2, 4, 5, 2)).astype(np.float32)
    model.build(x.shape)
    random_weights(model)
    trained = model.fit(x, y, batch_size=4, verbose=0).history["loss"][0]
    assert trained == pytest.approx(model.evaluate(x, y), rel=1e-5)
    model.compile(sw.SGD(learning_rate=0.1), "mse")
    before = copied(model.params["bidirectional"])
    model.fit(x, y, verbose=0)
    for side in ("forward", "backward"):
        assert differ(model.params["bidirectional"][f"{side}.initial_h"], before[f"{side}.initial_h"]), side


def test_validation_rows_too_short_to_warm_up_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="fewer steps than the 2 of x"):
        fit(tagger_of(), state="warmup:2", validation_data=(X[:, :2], Y[:, :2]))


def test_windows_are_split_for_validation_without_a_shared_value_and_lanes_are_not() -> None:
    series = np.arange(30.0)
    model = sw.Sequential([sw.LSTM(3), sw.Dense(1)], seed=1)
    model.compile("adam", "mse")
    framed = sw.windows(series, 4)
    training, held_out = framed.split(0.3)
    split = model.fit(framed, validation_split=0.3, verbose=0, shuffle=False).history
    again = sw.Sequential([sw.LSTM(3), sw.Dense(1)], seed=1)
    again.compile("adam", "mse")
    assert split == again.fit(training, validation_data=held_out, verbose=0, shuffle=False).history
    with pytest.raises(ConfigurationError, match="split the series before lanes"):
        model.fit(sw.lanes(series, batch_size=2, steps=4), validation_split=0.3, state="carry", verbose=0)


def test_a_state_given_with_lanes_of_many_series_is_where_they_start() -> None:
    model = sw.Sequential([sw.LSTM(3, return_sequences=True), sw.Dense(1)], seed=1)
    model.compile("adam", "mse")
    framed = sw.lanes([np.arange(8.0), np.arange(9.0)], batch_size=2, steps=3)
    fresh = model.evaluate(framed, state="carry")
    model.reset_state()
    assert model.evaluate(framed, state=random_state(model, 2)) != pytest.approx(fresh, rel=1e-3)


def test_what_is_masked_whole_cannot_be_scored() -> None:
    with pytest.raises(DataError, match="every step is masked"):
        tagger_of().evaluate(X, Y, mask=np.zeros(X.shape[:2], bool))
