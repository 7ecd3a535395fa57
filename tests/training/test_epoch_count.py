"""Property 11: n calls of `fit` for one epoch equal one call for n, bit for bit, whatever is random or carried."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import statewise as sw
from learning import BATCH, MASK, WEIGHT, X, Y, fit, parts_of, tagger
from statewise.errors import ConfigurationError, StatewiseWarning
from tolerances import assert_same, differ

EPOCHS = 4

WAYS: dict[str, dict[str, Any]] = {
    "shuffled": {},
    "weighted": {"sample_weight": WEIGHT, "mask": MASK},
    "carried": {"state": "carry"},
    "continued": {"state": "continue"},
    "truncated": {"state": "continue", "tbptt": (1, 3)},
    "random": {"tbptt": "random:2", "state": "carry"},
    "warmed-up": {"state": "warmup:1"},
    "validated": {"state": "continue", "validation_data": (X, Y)},
}
ways = pytest.mark.parametrize("options", WAYS.values(), ids=WAYS)


def whole(options: dict[str, Any]) -> tuple[sw.Sequential, dict[str, list[float]]]:
    model = tagger()
    return model, fit(model, epochs=EPOCHS, **options).history


def one_by_one(model: sw.Sequential, options: dict[str, Any], after: Callable[[Any], Any]) -> tuple[Any, Any]:
    history: dict[str, list[float]] = {}
    for number in range(EPOCHS):
        part = fit(model, epochs=1, **options)
        assert part.epoch == [number]
        for name, values in part.history.items():
            history.setdefault(name, []).extend(values)
        model = after(model)
    return model, history


def saved(path: Path) -> Callable[[sw.Sequential], Any]:
    def save_and_load(model: sw.Sequential) -> Any:
        model.save(path)
        return sw.load(path)

    return save_and_load


@ways
def test_calls_of_one_epoch_equal_one_call_of_all(options: dict[str, Any]) -> None:
    expected, history = whole(options)
    model, found = one_by_one(tagger(), options, lambda model: model)
    assert_same(parts_of(model), parts_of(expected), "model")
    assert found == history


def test_also_with_a_file_between_any_two(tmp_path: Path) -> None:
    options = WAYS["continued"]
    expected, _ = whole(options)
    model, _ = one_by_one(tagger(), options, saved(tmp_path / "model"))
    assert_same(parts_of(model), parts_of(expected), "model")


def test_also_of_batches_that_come_one_by_one() -> None:
    batches = [(X[:BATCH], Y[:BATCH]), (X[BATCH : 2 * BATCH], Y[BATCH : 2 * BATCH])]
    whole, parted = tagger(), tagger()
    whole.fit(batches, epochs=3, verbose=0)
    for _ in range(3):
        parted.fit(batches, epochs=1, verbose=0)
    assert_same(parts_of(parted), parts_of(whole), "model")


def test_each_call_drops_others() -> None:
    """The reproduction of the fault: of 8 weights behind a dropout of half of them, 5 never learned in 30 calls."""
    model = sw.Sequential([sw.LSTM(8, input_shape=(None, 2)), sw.Dropout(0.5), sw.Dense(1)], seed=7)
    model.compile("adam", "mse")
    before = model.get_weights()[-2]
    for _ in range(30):
        model.fit(X[:1], X[:1].sum((1, 2)), epochs=1, verbose=0)
    assert (model.get_weights()[-2] != before).all()


def test_compiling_keeps_the_count_and_other_layers_do_not() -> None:
    model = tagger()
    fit(model, epochs=2)
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert model.epochs_done == 2
    assert fit(model, epochs=2).epoch == [2, 3]


def test_initial_epoch_overrides_the_count() -> None:
    model = tagger()
    fit(model, epochs=3)
    assert fit(model, initial_epoch=1, epochs=3).epoch == [1, 2]
    assert model.epochs_done == 3


def test_early_stopping_never_takes_the_count_back() -> None:
    model = tagger()
    losses = iter([2.0, 1.0, 3.0, 4.0])
    stopping = sw.EarlyStopping(patience=2)
    fit(model, epochs=9, validation_data=lambda: {"loss": next(losses)}, callbacks=[stopping])
    assert (stopping.best_epoch, model.epochs_done) == (1, 4)


def test_what_early_stopping_restores_is_all_of_one_epoch() -> None:
    """Weights, optimizer and state; training on from there equals training on from that epoch's end."""
    losses = iter([2.0, 1.0, 3.0])
    stopped, reference = tagger(), tagger()
    fit(
        stopped,
        epochs=3,
        state="continue",
        validation_data=lambda: {"loss": next(losses)},
        callbacks=[sw.EarlyStopping(patience=9)],
    )
    fit(reference, epochs=2, state="continue")
    assert_same(parts_of(stopped) | {"epochs": 0}, parts_of(reference) | {"epochs": 0}, "model")
    fit(stopped, initial_epoch=2, epochs=4, state="continue")
    fit(reference, epochs=2, state="continue")
    assert_same(parts_of(stopped), parts_of(reference), "model, trained further")


def test_a_diverged_epoch_is_not_counted() -> None:
    model = tagger(dropout=0.0, optimizer=sw.SGD(learning_rate=1e38))
    with pytest.raises(sw.StatewiseError):
        fit(model)
    assert model.epochs_done == (0 if model.history is None else len(model.history.epoch))


def test_a_call_that_trains_nothing_says_so() -> None:
    model = tagger()
    fit(model, epochs=2)
    weights = model.get_weights()
    with pytest.warns(
        StatewiseWarning, match="trains nothing: with initial_epoch=10, epochs=5 is the number of the last"
    ):
        assert fit(model, epochs=5, initial_epoch=10).epoch == []
    assert not differ(model.get_weights(), weights)
    assert model.epochs_done == 2


@pytest.mark.parametrize("options", [{"initial_epoch": 2**31, "epochs": 2**31 + 1}, {"epochs": 2**31}])
def test_more_epochs_than_programs_count_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match="epochs: expected no more than 2,147,483,647"):
        fit(tagger(), **options)


def test_the_history_survives_an_exception() -> None:
    def fail(epoch: int, _: dict[str, float]) -> None:
        if epoch == 2:
            raise ValueError("a callback's own")

    model = tagger()
    with pytest.raises(ValueError, match="own"):
        fit(model, callbacks=[fail])
    assert model.history is not None
    assert model.history.epoch == [0, 1, 2]
    assert model.epochs_done == 3
    reference = tagger()
    assert fit(reference, epochs=3).history == model.history.history
    assert_same(model.get_weights(), reference.get_weights(), "weights")
