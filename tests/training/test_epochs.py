"""Training is the same however it is cut: into dispatches, into runs, into an iterable of batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import jax
import numpy as np
import pytest

import statewise as sw
from learning import BATCH, RATE, ROWS, WEIGHT, Dispatches, X, Y, fit, logs_of, plain, tagger, train_by_hand
from networks import copied
from statewise.errors import StatewiseWarning
from statewise.training.programs import EPOCHS_PER_DISPATCH
from tolerances import assert_close, assert_same, differ


@pytest.fixture
def dispatches(monkeypatch: pytest.MonkeyPatch) -> Dispatches:
    return Dispatches(monkeypatch)


WAYS: dict[str, dict[str, Any]] = {"shuffled": {}, "carried": {"state": "carry"}}
ways = pytest.mark.parametrize("options", WAYS.values(), ids=WAYS)


# ---------------------------------------------------------------------------------------- determinism


def test_one_seed_gives_one_result() -> None:
    first, second = tagger(seed=5), tagger(seed=5)
    assert_same(first.get_weights(), second.get_weights(), "fresh weights")
    histories = [fit(model).history for model in (first, second)]
    assert_same(first.get_weights(), second.get_weights(), "weights")
    assert_same(histories[0], histories[1], "history")


def test_another_seed_gives_another_result() -> None:
    first, second = tagger(seed=5), tagger(seed=6)
    assert differ(first.get_weights(), second.get_weights())
    second.set_weights(first.get_weights())
    fit(first)
    fit(second)
    assert differ(first.get_weights(), second.get_weights())  # shuffling and dropout differ too


@ways
def test_the_epochs_number_decides_what_is_random(options: dict[str, Any]) -> None:
    """From the same weights, epoch 3 gives the same each time and epoch 4 something else: if carried, by dropout."""
    weights = tagger().get_weights()

    def epoch(number: int) -> list[Any]:
        model = tagger()
        model.set_weights(weights)
        fit(model, initial_epoch=number - 1, epochs=number, **options)
        return model.get_weights()

    assert_same(epoch(3), epoch(3), "weights after epoch 3")
    assert differ(epoch(3), epoch(4))


# ---------------------------------------------------------------------------------- cut into dispatches


@ways
def test_many_epochs_in_one_dispatch_equal_one_epoch_at_a_time(options: dict[str, Any], dispatches: Dispatches) -> None:
    together, alone = tagger(), tagger()
    dispatches.longest()
    fit(together, epochs=2)  # learns the pace
    together = tagger()
    history = fit(together, epochs=12, **options)
    assert max(epochs for epochs, _ in dispatches.segments) > 1
    dispatches.longest()
    expected = fit(alone, epochs=12, callbacks=[lambda *_: None], **options)
    assert {epochs for epochs, _ in dispatches.segments} == {1}
    assert_same(together.get_weights(), alone.get_weights(), "weights")
    assert_same(copied(together.state), copied(alone.state), "state")
    assert history.epoch == expected.epoch == list(range(12))
    assert_close(logs_of(history), logs_of(expected), "history")


@ways
def test_an_epoch_in_many_dispatches_equals_an_epoch_in_one(options: dict[str, Any], dispatches: Dispatches) -> None:
    cut, whole = tagger(), tagger()
    dispatches.shortest()
    history = fit(cut, **options)
    assert set(dispatches.segments) == {(1, 1)}
    dispatches.longest()
    expected = fit(whole, **options)
    assert max(steps for _, steps in dispatches.segments) == 3
    assert_same(cut.get_weights(), whole.get_weights(), "weights")
    assert_same(copied(cut.state), copied(whole.state), "state")
    assert_close(logs_of(history), logs_of(expected), "history")


def test_the_history_does_not_depend_on_how_epochs_are_cut(dispatches: Dispatches) -> None:
    """How long dispatches last depends on the clock; with one seed the numbers must not, not even by a bit."""
    dispatches.shortest()
    cut = fit(tagger())
    dispatches.longest()
    assert_same(fit(tagger()).history, cut.history, "history")


def test_more_epochs_than_fit_into_a_dispatch(dispatches: Dispatches) -> None:
    epochs = EPOCHS_PER_DISPATCH + 40
    dispatches.longest()
    fit(tagger(), epochs=3)
    dispatches.longest()
    together = tagger()
    history = fit(together, epochs=epochs)
    assert EPOCHS_PER_DISPATCH in {count for count, _ in dispatches.segments}
    assert history.epoch == list(range(epochs))
    assert len(history.history["loss"]) == epochs
    alone = tagger()
    fit(alone, epochs=epochs, callbacks=[lambda *_: None])
    assert_same(together.get_weights(), alone.get_weights(), "weights")


# ------------------------------------------------------------------------------------------- iterables


class Batches:
    """The data as an iterable of batches that counts how often it was begun."""

    def __init__(self, *arrays: Any) -> None:
        self._arrays, self.begun = arrays, 0

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        self.begun += 1
        for first in range(0, ROWS, BATCH):  # the last one is short
            yield tuple(array[first : first + BATCH] for array in self._arrays)


def test_an_iterable_of_batches_equals_arrays_in_order() -> None:
    """The same dropout, the same carried state, the same short last batch."""
    arrays, streamed, batches = tagger(), tagger(), Batches(X, Y)
    expected = fit(arrays, state="carry")
    history = streamed.fit(batches, epochs=5, verbose=0, state="carry")
    assert_close(streamed.get_weights(), arrays.get_weights(), "weights")
    assert_close(streamed.state, arrays.state, "state")
    assert_close(logs_of(history), logs_of(expected), "history")
    assert batches.begun == 6  # once to see its shapes, then once an epoch


def test_an_iterable_may_bring_sample_weights() -> None:
    streamed = plain()
    history = streamed.fit(Batches(X, Y, WEIGHT), epochs=2, verbose=0)
    hand = train_by_hand(plain(), RATE, epochs=2, weight=WEIGHT)
    assert_close(streamed.params, hand.params, "weights")
    assert_close(logs_of(history), hand.logs, "history")
    assert streamed.state is None


# ------------------------------------------------------------------------------------- save and resume


@ways
def test_50_epochs_saved_and_resumed_equal_100_bit_for_bit(options: dict[str, Any], tmp_path: Any) -> None:
    """Shuffling, dropout, Adam's moments, the schedule's count, the carried state: all go on where they were."""
    whole, half = tagger(), tagger()
    expected = fit(whole, epochs=100, **options)
    first = fit(half, epochs=50, **options)
    half.save(tmp_path / "half")
    resumed = sw.load(tmp_path / "half")
    assert isinstance(resumed, sw.Sequential)
    assert_same(resumed.get_weights(), half.get_weights(), "weights in the file")
    assert_same(copied(resumed.state), copied(half.state), "state in the file")
    second = fit(resumed, initial_epoch=50, epochs=100, **options)
    assert_same(resumed.get_weights(), whole.get_weights(), "weights")
    assert_same(copied(resumed.state), copied(whole.state), "state")
    assert first.epoch + second.epoch == expected.epoch
    losses = np.concatenate([logs_of(first)["loss"], logs_of(second)["loss"]])
    assert_close(losses, logs_of(expected)["loss"], "loss")


# ---------------------------------------------------------------------------------------- validation


@pytest.mark.parametrize(
    "options", [{}, {"state": "carry"}, {"state": "carry", "validation": "short"}], ids=["fresh", "carried", "short"]
)
def test_validation_never_moves_training(options: dict[str, Any]) -> None:
    rows = slice(0, 3) if options.pop("validation", None) else slice(None)
    without, beside = tagger(), tagger()
    expected = fit(without, **options)
    history = fit(beside, validation_data=(X[rows][::-1], Y[rows]), **options)
    assert_same(beside.get_weights(), without.get_weights(), "weights")
    assert_same(copied(beside.state), copied(without.state), "state")
    assert history.history.keys() == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert_close(logs_of(history)["loss"], logs_of(expected)["loss"], "loss")


def test_validation_is_evaluation_after_each_epoch() -> None:
    model, values = tagger(), []

    def evaluate(*_: Any) -> None:
        values.append(model.evaluate(X[::-1], Y, batch_size=BATCH))

    history = fit(model, validation_data=(X[::-1], Y), callbacks=[evaluate])
    expected = np.array([history.history["val_loss"], history.history["val_accuracy"]]).T
    assert_close(np.array(values, np.float32), expected, "validation")
    assert len(set(history.history["val_loss"])) == 5


def test_validation_split_keeps_the_last_rows_out() -> None:
    split, given = (sw.Sequential([sw.Dense(3, activation="softmax")], seed=4) for _ in range(2))
    for model in (split, given):
        model.compile("sgd", "sparse_categorical_crossentropy")
    options: dict[str, Any] = {"batch_size": BATCH, "epochs": 3, "verbose": 0}
    first = split.fit(X, Y, validation_split=0.2, **options)
    second = given.fit(X[:8], Y[:8], validation_data=(X[8:], Y[8:]), **options)
    assert_same(split.get_weights(), given.get_weights(), "weights")
    assert_close(logs_of(first), logs_of(second), "history")


# ------------------------------------------------------------------------------- who moves model.state


def test_only_carry_moves_the_models_state() -> None:
    model = tagger()
    fit(model, state="carry", epochs=2)
    before, weights = copied(model.state), model.get_weights()
    assert any(part.any() for part in jax.tree.leaves(before))
    elsewhere = model.initial_state(BATCH)
    model.evaluate(X, Y, batch_size=BATCH)
    model.evaluate(X, Y, batch_size=BATCH, state=elsewhere)
    model.predict(X, batch_size=BATCH)
    model.predict(X, batch_size=BATCH, state=elsewhere)
    model(X[:BATCH], model.state)
    fit(model, epochs=3, initial_epoch=2)
    model.set_weights(weights)
    assert_same(copied(model.state), before, "model.state")


@pytest.mark.parametrize("how", ["evaluate", "predict"])
@pytest.mark.parametrize("word", ["carry", "continue"])
def test_carry_starts_fresh_and_continue_from_the_models_state(how: str, word: Any) -> None:
    """Both leave the end in `model.state`; "carry" says that the state which was there goes unused."""
    model = tagger()
    fit(model, state="carry", epochs=2)
    assert model.state is not None
    p, end = model(X[:BATCH], model.state if word == "continue" else None)
    warned = pytest.warns(StatewiseWarning, match="state='continue'") if word == "carry" else nullcontext()
    with warned:
        if how == "predict":
            assert_close(model.predict(X[:BATCH], batch_size=BATCH, state=word), p, "y")
        else:
            logs = model.evaluate(X[:BATCH], Y[:BATCH], batch_size=BATCH, state=word, return_dict=True)
            expected = -np.log(np.take_along_axis(np.asarray(p), Y[:BATCH, :, None], axis=-1)).mean()
            assert logs["loss"] == pytest.approx(expected, rel=1e-5)
    assert_close(model.state, end, "state")


def test_evaluate_says_what_fit_said() -> None:
    """A carried fit whose weights do not move has the loss that `evaluate` has with the same word right after it."""
    model = tagger(dropout=0.0, optimizer=sw.SGD(1e-30))
    history = fit(model, state="carry", epochs=1)
    with pytest.warns(StatewiseWarning):
        logs = model.evaluate(X, Y, batch_size=BATCH, state="carry", return_dict=True)
    assert logs["loss"] == pytest.approx(history.history["loss"][0], rel=1e-6)


def test_a_state_that_is_given_carries_from_batch_to_batch() -> None:
    """Two batches of predict from a state equal one sequence of twice the length."""
    model = tagger()
    model.set_weights(model.get_weights())
    long = np.concatenate([X[:BATCH], X[BATCH : 2 * BATCH]], axis=1)
    _, start = model(X[:BATCH][::-1])
    whole, _ = model(long, start)
    y = model.predict(X[: 2 * BATCH], batch_size=BATCH, state=start)
    assert_close(np.concatenate([y[:BATCH], y[BATCH:]], axis=1), whole, "y")


def test_data_that_are_changed_while_they_are_trained_on_change_nothing() -> None:
    given, kept = X.copy(), tagger(seed=5)

    def overwrite(*_: object) -> None:
        given[:] = 5.0

    changed = tagger(seed=5)
    changed.fit(given, Y, epochs=3, batch_size=BATCH, verbose=0, callbacks=[overwrite])
    kept.fit(X, Y, epochs=3, batch_size=BATCH, verbose=0, callbacks=[lambda *_: None])
    assert_same(changed.get_weights(), kept.get_weights(), "weights")
