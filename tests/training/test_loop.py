"""How training ends before its time: Ctrl-C, a callback that stops it, a loss that is no number."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import statewise as sw
from learning import BATCH, Dispatches, X, Y, fit, logs_of, tagger
from statewise.errors import DivergenceError
from statewise.foundation import interrupt
from tolerances import assert_close, assert_same

STOP_AFTER = 3


@pytest.fixture(autouse=True)
def _never_pressed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C of another test, less than two seconds ago, must not count as the first of two here."""
    monkeypatch.setattr(interrupt.Interrupt, "_last", -1e9)


@pytest.fixture
def dispatches(monkeypatch: pytest.MonkeyPatch) -> Dispatches:
    return Dispatches(monkeypatch)


class Watcher(sw.Callback):
    """Calls a function after each epoch without looking at the model, so that epochs may run together."""

    reads_model = False

    def __init__(self, function: Callable[[int], bool | None]) -> None:
        self._function = function
        self.ended = False

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> bool | None:
        return self._function(epoch)

    def on_train_end(self, model: Any) -> None:
        self.ended = True


def press_after(epochs: int, times: int = 1) -> Callable[[int], None]:
    """Returns a function of the epoch that presses Ctrl-C when so many epochs are done."""

    def press(epoch: int) -> None:
        if epoch + 1 == epochs:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    return press


@pytest.fixture(scope="module")
def three_epochs() -> tuple[sw.Sequential, sw.History]:
    model = tagger()
    return model, fit(model, epochs=STOP_AFTER, state="carry")


# --------------------------------------------------------------------------------------------- Ctrl-C


def test_ctrl_c_keeps_the_last_finished_epoch(
    three_epochs: tuple[sw.Sequential, sw.History], capsys: pytest.CaptureFixture[str]
) -> None:
    before, press = signal.getsignal(signal.SIGINT), press_after(STOP_AFTER)
    model, (expected, full) = tagger(), three_epochs
    history = fit(model, epochs=20, state="carry", callbacks=[lambda epoch, _: press(epoch)])
    assert history.interrupted
    assert not full.interrupted
    assert model.history is history
    assert history.epoch == [0, 1, 2]
    assert_close(logs_of(history), logs_of(full), "history")
    assert_same(model.get_weights(), expected.get_weights(), "weights")
    assert_same(jax.tree.leaves(model.state), jax.tree.leaves(expected.state), "state")
    assert signal.getsignal(signal.SIGINT) is before
    assert capsys.readouterr().err == "training stopped by Ctrl-C; the weights are those after epoch 3\n"


def test_what_ctrl_c_stopped_can_be_resumed() -> None:
    stopped, whole, press = tagger(), tagger(), press_after(STOP_AFTER)
    fit(stopped, epochs=20, state="carry", callbacks=[lambda epoch, _: press(epoch)])
    fit(stopped, initial_epoch=STOP_AFTER, epochs=6, state="carry")
    fit(whole, epochs=6, state="carry")
    assert_same(stopped.get_weights(), whole.get_weights(), "weights")


def test_ctrl_c_among_epochs_that_run_together_keeps_what_the_history_tells(
    dispatches: Dispatches, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights, history, and the message speak of one and the same epoch."""
    dispatches.longest()
    model, watcher = tagger(), Watcher(press_after(STOP_AFTER))
    history = fit(model, epochs=20, state="carry", callbacks=[watcher])
    assert max(epochs for epochs, _ in dispatches.segments) > 1
    assert watcher.ended
    assert history.interrupted
    done = len(history.epoch)
    expected = tagger()
    fit(expected, epochs=done, state="carry")
    assert capsys.readouterr().err == f"training stopped by Ctrl-C; the weights are those after epoch {done}\n"
    assert_same(model.get_weights(), expected.get_weights(), f"weights after epoch {done}")


def test_ctrl_c_inside_an_epoch_throws_that_epoch_away(
    three_epochs: tuple[sw.Sequential, sw.History], dispatches: Dispatches
) -> None:
    class Presses(sw.Callback):
        def on_step(self, record: Any) -> None:
            if (record.epoch, record.step) == (STOP_AFTER, 2):
                signal.raise_signal(signal.SIGINT)

    dispatches.shortest()
    model = tagger()
    history = fit(model, epochs=20, state="carry", callbacks=[Presses()])
    assert history.epoch == [0, 1, 2]
    assert_same(model.get_weights(), three_epochs[0].get_weights(), "weights")


def test_ctrl_c_twice_ends_the_program(three_epochs: tuple[sw.Sequential, sw.History]) -> None:
    before, press = signal.getsignal(signal.SIGINT), press_after(STOP_AFTER, times=2)
    model, watcher = tagger(), Watcher(lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        fit(model, epochs=20, state="carry", callbacks=[lambda epoch, _: press(epoch), watcher])
    assert_same(model.get_weights(), three_epochs[0].get_weights(), "weights")
    assert watcher.ended
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_in_one_fit_and_soon_again_in_the_next_ends_the_program() -> None:
    press = press_after(1)
    fit(tagger(), state="carry", callbacks=[lambda epoch, _: press(epoch)])
    with pytest.raises(KeyboardInterrupt):
        fit(tagger(), state="carry", callbacks=[lambda epoch, _: press(epoch)])


def test_ctrl_c_ends_an_iterable_of_batches_too() -> None:
    press, model, expected = press_after(2), tagger(), tagger()
    batches = [(X[:BATCH], Y[:BATCH]), (X[BATCH:6], Y[BATCH:6])]
    history = model.fit(batches, epochs=9, verbose=0, callbacks=[lambda epoch, _: press(epoch)])
    expected.fit(batches, epochs=2, verbose=0)
    assert history.epoch == [0, 1]
    assert_same(model.get_weights(), expected.get_weights(), "weights")


# ------------------------------------------------------------------------------------------ callbacks


def test_a_function_that_returns_true_stops_training(three_epochs: tuple[sw.Sequential, sw.History]) -> None:
    seen: list[tuple[int, dict[str, float]]] = []

    def stop(epoch: int, logs: dict[str, float]) -> bool:
        seen.append((epoch, logs))
        return epoch + 1 == STOP_AFTER

    model = tagger()
    history = fit(model, epochs=20, state="carry", callbacks=[stop])
    assert history.epoch == [0, 1, 2]
    assert not history.interrupted
    assert [logs for _, logs in seen] == [
        {name: values[epoch] for name, values in history.history.items()} for epoch in range(3)
    ]
    assert_same(model.get_weights(), three_epochs[0].get_weights(), "weights")


def test_only_true_itself_stops_training() -> None:
    history = fit(tagger(), epochs=3, state="carry", callbacks=[lambda *_: 1])
    assert history.epoch == [0, 1, 2]


def test_all_callbacks_see_the_epoch_at_which_one_stops() -> None:
    seen: list[int] = []
    fit(tagger(), state="carry", callbacks=[lambda epoch, _: epoch == 1, lambda epoch, _: seen.append(epoch)])
    assert seen == [0, 1]


def test_a_callback_that_stops_epochs_that_run_together_stops_the_weights_too(
    three_epochs: tuple[sw.Sequential, sw.History], dispatches: Dispatches
) -> None:
    dispatches.longest()
    model = tagger()
    history = fit(model, epochs=20, state="carry", callbacks=[Watcher(lambda epoch: epoch + 1 == STOP_AFTER)])
    assert max(epochs for epochs, _ in dispatches.segments) > 1
    assert history.epoch == [0, 1, 2]
    assert_same(model.get_weights(), three_epochs[0].get_weights(), "weights")


@pytest.mark.parametrize("ends", [True, False], ids=["it-stops", "last-epoch"])
def test_weights_that_a_callback_sets_in_the_last_epoch_are_kept(ends: bool) -> None:
    """As own versions of EarlyStopping do: put the best weights back, then stop."""
    model = tagger()
    chosen = [0.5 * weight for weight in model.get_weights()]

    def restore(epoch: int, _: dict[str, float]) -> bool:
        if epoch == 2:
            model.set_weights(chosen)
        return ends and epoch == 2

    fit(model, epochs=9 if ends else 3, state="carry", callbacks=[restore])
    assert_same(model.get_weights(), chosen, "weights")


def test_callbacks_are_told_of_the_end_when_one_fails() -> None:
    watcher = Watcher(lambda _: None)

    def fails(*_: Any) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fit(tagger(), state="carry", callbacks=[watcher, fails])
    assert watcher.ended


# ----------------------------------------------------------------------------------------- divergence

GOOD, BATCHES = 4, 3  # whole epochs before the rate explodes, and batches in each


def exploding(update: int, rate: float = 1e30) -> sw.SGD:
    """Returns gradient descent whose rate explodes at one update, counted from 0 over all epochs."""
    return sw.SGD(learning_rate=sw.PiecewiseConstantDecay((update - 1, update), (0.01, rate, 0.01)))


def regressor(*layers: Any, optimizer: sw.SGD) -> sw.Sequential:
    model = sw.Sequential(layers, seed=2)
    model.compile(optimizer, "mse")
    model.build((None, 4, 2))
    return model


def relu() -> sw.Sequential:
    """Returns a network that diverges in the middle of epoch `GOOD + 1`."""
    return regressor(sw.LSTM(3, activation="relu"), sw.Dense(1), optimizer=exploding(GOOD * BATCHES + 1))


def train(model: sw.Sequential, epochs: int = 12, **options: Any) -> sw.History:
    every_step = len(model.network.output_shape) == 2
    y = 3 + np.random.default_rng(5).normal(size=(6, 4, 1) if every_step else (6, 1))
    return model.fit(X[:6], y, batch_size=2, epochs=epochs, verbose=0, **options)


@pytest.mark.parametrize("way", ["one by one", "together", "step by step"])
def test_a_loss_that_is_no_number_ends_training_with_the_last_good_epoch(way: str, dispatches: Dispatches) -> None:
    expected, model = relu(), relu()
    train(expected, epochs=GOOD)
    (dispatches.shortest if way == "step by step" else dispatches.longest)()
    callback = (lambda *_: None) if way == "one by one" else Watcher(lambda _: None)
    with pytest.raises(DivergenceError, match=rf"the loss became (nan|inf) in epoch {GOOD + 1}; the model keeps"):
        train(model, callbacks=[callback])
    assert_same(model.get_weights(), expected.get_weights(), "weights")
    assert (max(epochs for epochs, _ in dispatches.segments) > 1) == (way == "together")


def test_divergence_in_the_first_epoch_keeps_the_weights_before_it() -> None:
    model = relu()
    model.set_weights([1e30 * np.ones_like(weight) for weight in model.get_weights()])
    before = model.get_weights()
    with pytest.raises(DivergenceError, match="in epoch 1;"):
        train(model)
    assert_same(model.get_weights(), before, "weights")


def test_an_iterable_that_diverges_keeps_the_last_good_epoch() -> None:
    expected, model = (regressor(sw.Dense(1), optimizer=exploding(GOOD * BATCHES + 1)) for _ in range(2))
    batches = [(X[first : first + 2], np.full((2, 4, 1), 3.0)) for first in (0, 2, 4)]
    expected.fit(batches, epochs=GOOD, verbose=0)
    with pytest.raises(DivergenceError, match=f"in epoch {GOOD + 1};"):
        model.fit(batches, epochs=12, verbose=0)
    assert_same(model.get_weights(), expected.get_weights(), "weights")


def test_the_weights_that_are_kept_are_numbers() -> None:
    """The last update of an epoch may ruin the weights after the epoch's loss was found good."""
    model = regressor(sw.Dense(1), optimizer=exploding(GOOD * BATCHES - 1, rate=3e38))
    with pytest.raises(DivergenceError):
        train(model)
    infinite = sum(int((~np.isfinite(weight)).sum()) for weight in model.get_weights())
    assert infinite == 0, f"{infinite} of the weights that were kept are no numbers"
