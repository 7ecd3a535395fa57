"""Callbacks that are written as for Keras, and what is said of those that are written for neither."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import statewise
from learning import fit, tagger
from statewise.errors import ConfigurationError
from tolerances import assert_same

sw: Any = statewise  # what Keras's users write is not what the types say


class Recorder(sw.Callback):  # type: ignore[misc]
    """All methods that Keras calls around epochs."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.calls.append(("begin", self.params, logs))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("epoch", epoch, logs))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> bool:
        self.calls.append(("end of", epoch, sorted(logs), self.model.epochs_done))
        return True  # which Keras does not look at

    def on_train_end(self, logs: Any = None) -> None:
        self.calls.append(("end", logs))


def test_methods_are_called_as_keras_calls_them() -> None:
    recorder = Recorder()
    fit(tagger(), epochs=2, state="carry", callbacks=recorder)
    assert recorder.calls == [
        ("begin", {"epochs": 2, "steps": 3}, {}),
        ("epoch", 0, {}),
        ("end of", 0, ["accuracy", "loss"], 1),
        ("epoch", 1, {}),
        ("end of", 1, ["accuracy", "loss"], 2),
        ("end", {}),
    ]


def test_a_callback_may_mix_both_ways() -> None:
    class Mixed(sw.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, model: Any, epoch: int) -> None:
            seen.append((model.epochs_done, epoch))

        def on_epoch_end(self, e: int, values: dict[str, float]) -> None:
            seen.append((self.model.epochs_done, e))

    seen: list[Any] = []
    fit(tagger(), epochs=2, state="carry", callbacks=[Mixed()])
    assert seen == [(0, 0), (1, 0), (1, 1), (2, 1)]


@pytest.mark.parametrize("keras", [True, False])
def test_stop_training_ends_it(keras: bool) -> None:
    class AsKeras(sw.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 1

    class Own(sw.Callback):  # type: ignore[misc]
        def on_epoch_end(self, model: Any, epoch: int, logs: Any) -> None:
            model.stop_training = epoch == 1

    model, stopping = tagger(), AsKeras() if keras else Own()
    model.stop_training = True  # of no meaning before a training
    assert len(fit(model, epochs=4, state="carry", callbacks=[stopping]).epoch) == 2
    assert model.stop_training is False
    assert len(fit(model, epochs=1, state="carry", callbacks=[lambda *_: None]).epoch) == 1


def test_stop_training_ends_the_training_of_a_text() -> None:
    class Stop(sw.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            assert isinstance(self.model, statewise.TextModel)
            self.model.stop_training = True

    model = sw.TextModel(units=3, embedding=2, seed=7)
    history = model.fit("the mice saw the cat and the mice ran", epochs=3, callbacks=Stop(), verbose=0)
    assert len(history.epoch) == 1


def changes_rate(at: str) -> Any:
    """A callback that halves the learning rate before the second epoch."""

    class Halve(sw.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if at == "begin" and epoch == 1:
                self.model.learning_rate = 0.001

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if at == "end" and epoch == 0:
                self.model.learning_rate = 0.001

    return Halve()


@pytest.mark.parametrize("at", ["begin", "end"])
def test_a_learning_rate_set_by_a_callback_is_that_of_the_next_epoch(at: str) -> None:
    one, other = tagger(), tagger()
    fit(one, epochs=2, state="continue", callbacks=changes_rate(at))
    fit(other, epochs=1, state="continue")
    other.learning_rate = 0.001
    fit(other, epochs=1, state="continue")
    assert one.learning_rate == other.learning_rate < 0.001  # a schedule, scaled
    assert all((a == b).all() for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


@pytest.mark.parametrize("at", ["begin", "end"])
def test_a_learning_rate_set_by_a_callback_survives_an_interruption(tmp_path: Path, at: str) -> None:
    class Interrupt(sw.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                raise KeyboardInterrupt

    whole, resumed, options = tagger(), tagger(), {"epochs": 3, "state": "carry"}
    fit(whole, callbacks=changes_rate(at), **options)
    with pytest.raises(KeyboardInterrupt):
        fit(tagger(), callbacks=[changes_rate(at), Interrupt()], checkpoint=tmp_path / "ck", **options)
    fit(resumed, callbacks=changes_rate(at), checkpoint=tmp_path / "ck", **options)
    assert all((a == b).all() for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True))


def method(name: str, arguments: str, base: tuple[type, ...] = (sw.Callback,)) -> Any:
    """Returns a callback whose only method of its own takes these arguments."""
    return type("Mine", base, {name: function(arguments)})()


def function(arguments: str) -> Any:
    return eval(f"lambda {arguments}: None")


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (
            method("on_epoch_end", "self"),
            "Mine.on_epoch_end(self) cannot be called: write def on_epoch_end(self, model, epoch, logs), or as for "
            "Keras def on_epoch_end(self, epoch, logs=None)",
        ),
        (
            method("on_train_end", "self, model, logs"),
            "Mine.on_train_end(self, model, logs) cannot be called: write def on_train_end(self, model), or as for "
            "Keras def on_train_end(self, logs=None)",
        ),
        (
            method("on_step", "self, batch, logs"),
            "Mine.on_step(self, batch, logs) cannot be called: write def on_step(self, record)",
        ),
        (
            method("on_train_batch_end", "self, batch, logs=None"),
            "Mine.on_train_batch_end would never be called: batches run compiled, many at once; write def "
            "on_step(self, record): ...",
        ),
        (
            method("on_epoch_end", "self, epoch, logs", ()),
            "callbacks: expected a statewise.Callback, got a Mine; write class Mine(statewise.Callback)",
        ),
        (
            function("epoch"),
            "callbacks: expected functions f(epoch, logs), got <lambda>(epoch); write def <lambda>(epoch, logs)",
        ),
    ],
)
def test_what_cannot_be_called_is_refused_before_training(callback: Any, message: str) -> None:
    model = tagger()
    with pytest.raises(ConfigurationError) as caught:
        fit(model, state="carry", callbacks=[callback])
    assert str(caught.value) == message
    assert model.epochs_done == 0


def test_a_learning_rate_counts_also_where_weights_were_set() -> None:
    model = tagger()

    def stop(*_: object) -> None:
        model.set_weights(model.get_weights())
        model.learning_rate = 0.0

    fit(model, epochs=1)
    before = model.get_weights()
    fit(model, epochs=2, callbacks=[stop])
    once = model.get_weights()
    fit(model, epochs=1)
    assert_same(model.get_weights(), once, "weights at a learning rate of 0")
    assert any((a != b).any() for a, b in zip(before, once, strict=True))


def test_a_method_set_on_one_callback_is_checked_too() -> None:
    callback: Any = sw.Callback()
    callback.on_epoch_end = lambda _: None
    with pytest.raises(ConfigurationError, match=r"on_epoch_end.* cannot be called"):
        fit(tagger(), epochs=1, callbacks=callback)
    seen: list[int] = []
    callback.on_epoch_end = lambda epoch, _: seen.append(epoch)
    fit(tagger(), epochs=2, callbacks=callback)
    assert seen == [0, 1]


def test_no_callbacks_and_one_alone() -> None:
    seen: list[int] = []
    fit(tagger(), epochs=1, state="carry", callbacks=None)
    fit(tagger(), epochs=1, state="carry", callbacks=lambda epoch, _: seen.append(epoch))
    fit(tagger(), epochs=1, state="carry", callbacks=sw.EarlyStopping("loss"))
    assert seen == [0]
