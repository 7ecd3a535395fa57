"""`fit(checkpoint=...)`: however a training was cut short, it goes on as if it had never been, bit for bit."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import statewise as sw
from learning import BATCH, MASK, RATE, ROWS, WEIGHT, Dispatches, X, Y, fit, logs_of, parts_of, tagger
from mistakes import STORY
from networks import copied
from statewise.errors import ConfigurationError, DivergenceError, FileError
from statewise.foundation import interrupt
from statewise.storage.artifact import Artifact, read_artifact, write_artifact
from statewise.training import checkpoint
from tolerances import assert_close, assert_same, differ

EPOCHS = 5
WAYS: dict[str, dict[str, Any]] = {
    "shuffled": {},
    "carried": {"state": "carry"},
    "truncated": {"tbptt": (1, 3), "mask": MASK},
    "random": {"tbptt": "random:2", "state": "carry"},
}
ways = pytest.mark.parametrize("options", WAYS.values(), ids=WAYS)


class Killed(BaseException):
    """Ends a training anywhere, as a power cut would, but for what is done `finally`."""


class Stopping(sw.Callback):
    """Calls `act` after so many batches of an epoch, both counted from 1; 0 batches: at the epoch's end."""

    def __init__(self, epoch: int, step: int, act: Callable[[], object]) -> None:
        self._epoch, self._step, self._act = epoch - 1, step, act

    def on_step(self, record: Any) -> None:
        if (record.epoch, record.step) == (self._epoch, self._step):
            self._act()

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> bool | None:
        if (epoch, 0) == (self._epoch, self._step):
            self._act()
        return None


def kill() -> None:
    raise Killed


def press() -> None:
    """Presses Ctrl-C, long after the last time."""
    interrupt.Interrupt._last = -1e9
    signal.raise_signal(signal.SIGINT)


def press_twice() -> None:
    press()
    signal.raise_signal(signal.SIGINT)


def assert_same_training(found: tuple[sw.Sequential, sw.History], expected: tuple[sw.Sequential, sw.History]) -> None:
    assert_same(parts_of(found[0]), parts_of(expected[0]), "model")
    assert found[1].epoch == expected[1].epoch
    assert found[1].history == expected[1].history


def whole(options: dict[str, Any]) -> tuple[sw.Sequential, sw.History]:
    """Returns a training that nothing interrupted."""
    model = tagger()
    return model, fit(model, **{"epochs": EPOCHS} | options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "training"


@pytest.fixture
def short_dispatches(monkeypatch: pytest.MonkeyPatch) -> None:
    """One step each, so that there are some inside an epoch."""
    Dispatches(monkeypatch).shortest()


@pytest.fixture
def saving_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes a checkpoint after every dispatch."""
    monkeypatch.setattr(checkpoint, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "SHARE", 1e9)


# ------------------------------------------------------------------------------------- epoch by epoch


@ways
def test_50_epochs_and_50_more_equal_100_bit_for_bit(options: dict[str, Any], path: Path) -> None:
    first = fit(tagger(), checkpoint=path, **{"epochs": 50} | options)
    assert first.epoch == list(range(50))
    resumed = tagger()
    history = fit(resumed, checkpoint=path, **{"epochs": 100} | options)
    assert_same_training((resumed, history), whole({"epochs": 100} | options))


@pytest.mark.usefixtures("saving_always", "short_dispatches")
def test_a_checkpoint_that_is_written_changes_nothing(path: Path) -> None:
    model = tagger()
    history = fit(model, checkpoint=path)
    assert_same_training((model, history), whole({}))


def test_a_finished_training_returns_its_history_at_once(path: Path) -> None:
    expected = fit(tagger(), checkpoint=path)
    again = tagger()
    begun: list[int] = []
    history = fit(again, checkpoint=path, callbacks=[Stopping(EPOCHS, 0, lambda: begun.append(1))])
    assert_same_training((again, history), whole({}))
    assert history.history == expected.history
    assert not begun
    assert not history.interrupted


def test_fewer_epochs_than_were_done_take_nothing_back(path: Path) -> None:
    fit(tagger(), checkpoint=path)
    model = tagger()
    assert fit(model, checkpoint=path, epochs=2).epoch == list(range(EPOCHS))
    assert_same(model.get_weights(), whole({})[0].get_weights(), "weights")


@pytest.mark.usefixtures("short_dispatches")
def test_the_file_is_a_model_of_the_last_finished_epoch(path: Path) -> None:
    model = tagger()
    with pytest.raises(Killed):
        fit(model, checkpoint=path, state="carry", callbacks=[Stopping(4, 2, kill)])
    loaded = sw.load(path)
    assert isinstance(loaded, sw.Sequential)
    expected, _ = whole({"epochs": 3, "state": "carry"})
    for name, found in (("killed", model), ("loaded", loaded)):
        assert_same(found.get_weights(), expected.get_weights(), f"weights, {name}")
        assert_same(copied(found.state), copied(expected.state), f"state, {name}")
    assert_close(loaded.predict(X, batch_size=BATCH), expected.predict(X, batch_size=BATCH), "y")


# -------------------------------------------------------------------------------------- interrupted


PLACES = {"first-epoch": (1, 1), "inside": (3, 2), "end": (3, 0)}


@pytest.mark.usefixtures("short_dispatches")
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("act", [kill, press, press_twice])
def test_a_training_goes_on_wherever_it_was_interrupted(
    place: tuple[int, int], act: Callable[[], None], path: Path
) -> None:
    """By an exception, by Ctrl-C once and by Ctrl-C twice."""
    try:
        history = fit(tagger(), checkpoint=path, callbacks=[Stopping(*place, act)])
        assert history.interrupted
        assert len(history.epoch) < EPOCHS
    except (Killed, KeyboardInterrupt):
        assert act is not press
    kept = read_artifact(path).header["resume"]
    assert (kept["epoch"], kept["step"]) == ((place[0] - 1, place[1]) if place[1] else (place[0], 0))
    resumed = tagger()
    assert_same_training((resumed, fit(resumed, checkpoint=path)), whole({}))


@pytest.mark.usefixtures("short_dispatches")
@ways
def test_each_way_of_training_goes_on_inside_an_epoch(options: dict[str, Any], path: Path) -> None:
    with pytest.raises(Killed):
        fit(tagger(), checkpoint=path, callbacks=[Stopping(2, 2, kill)], **options)
    resumed = tagger()
    assert_same_training((resumed, fit(resumed, checkpoint=path, **options)), whole(options))


@pytest.mark.usefixtures("short_dispatches")
def test_a_training_interrupted_again_and_again_goes_on(path: Path) -> None:
    for place in ((1, 2), (2, 1), (2, 2), (4, 0)):
        with pytest.raises(Killed):
            fit(tagger(), checkpoint=path, callbacks=[Stopping(*place, kill)])
    resumed = tagger()
    assert_same_training((resumed, fit(resumed, checkpoint=path)), whole({}))


def test_epochs_that_ran_ahead_of_an_interruption_do_not_count(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many short epochs run in one dispatch; whoever stops after one of them goes on from there."""
    dispatches = Dispatches(monkeypatch)
    dispatches.longest()
    fit(tagger(), epochs=3)  # learns the pace
    dispatches.longest()
    stopping = Stopping(7, 0, kill)
    stopping.reads_model = False
    with pytest.raises(Killed):
        fit(tagger(), checkpoint=path, epochs=20, callbacks=[stopping])
    assert max(epochs for epochs, _ in dispatches.segments) > 7
    kept = read_artifact(path).header["resume"]
    assert (kept["epoch"], kept["step"]) == (7, 0)
    resumed = tagger()
    assert_same_training((resumed, fit(resumed, checkpoint=path, epochs=20)), whole({"epochs": 20}))


@pytest.mark.parametrize("streamed", [False, True], ids=["arrays", "iterable"])
@pytest.mark.parametrize("epoch", [1, 3])
def test_an_epoch_whose_validation_was_interrupted_is_not_trained_twice(epoch: int, streamed: bool, path: Path) -> None:
    """The file does not say that weights are those before an epoch if they are those after it."""
    measured = 0

    def validate() -> dict[str, float]:
        nonlocal measured
        measured += 1
        if measured == epoch:
            raise Killed
        return {"loss": 1.0}

    train = stream if streamed else fit
    with pytest.raises(Killed):
        train(tagger(), checkpoint=path, validation_data=validate)
    resumed, expected = tagger(), tagger()
    train(resumed, checkpoint=path, validation_data=validate)
    train(expected)
    assert_same(parts_of(resumed), parts_of(expected), "model")


def test_a_diverged_epoch_is_not_kept(path: Path) -> None:
    """The file is as before the epoch that ruined the weights, so that it can be looked at."""
    model = tagger(dropout=0.0, optimizer=sw.SGD(learning_rate=1e38))
    with pytest.raises(DivergenceError):
        fit(model, checkpoint=path)
    loaded = sw.load(path)
    assert isinstance(loaded, sw.Sequential)
    assert_same(loaded.get_weights(), model.get_weights(), "weights")
    assert all(np.isfinite(weight).all() for weight in loaded.get_weights())


# ------------------------------------------------------------------------------------------ killed

SCRIPT = """
import os, signal, sys
import jax
jax.config.update("jax_disable_most_optimizations", sys.argv[3] == "True")
import statewise as sw
from learning import Dispatches, fit, tagger
from statewise.training import checkpoint, dispatch
checkpoint.LEAST_SECONDS, checkpoint.SHARE, dispatch.DISPATCH_SECONDS = 0.0, 1e9, 1e-12

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class Killing(sw.Callback):
    def on_step(self, record):
        if (record.epoch, record.step) == (2, 2):
            if sys.argv[2] == "training":
                kill()
            os.replace = kill  # before the next file is complete

fit(tagger(), checkpoint=sys.argv[1], callbacks=[Killing()])
"""


@pytest.mark.usefixtures("short_dispatches")
@pytest.mark.parametrize("during", ["training", "writing"])
def test_a_killed_process_goes_on_where_it_had_last_written(during: str, path: Path) -> None:
    """Killed, not asked: no `finally` runs. The file is whole: that of a step before."""
    quick = str(jax.config.values["jax_disable_most_optimizations"])
    here = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(path), during, quick]
    ended = subprocess.run(command, env=here, capture_output=True, text=True, timeout=200, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    kept = read_artifact(path).header["resume"]
    assert (kept["epoch"], kept["step"]) == (2, 1)
    resumed = tagger()
    assert_same_training((resumed, fit(resumed, checkpoint=path)), whole({}))


LOOP = """
import sys, time
import jax
jax.config.update("jax_disable_most_optimizations", sys.argv[2] == "True")
import statewise as sw
from learning import fit, tagger
from statewise.training import checkpoint, dispatch
checkpoint.LEAST_SECONDS, checkpoint.SHARE, dispatch.DISPATCH_SECONDS = 0.0, 1e9, 1e-12

class Slowly(sw.Callback):
    reads_model = False

    def on_step(self, record):
        time.sleep(0.02)

fit(tagger(), checkpoint=sys.argv[1], batch_size=1, epochs=30, callbacks=[Slowly()])
"""


@pytest.mark.usefixtures("short_dispatches")
@pytest.mark.slow
def test_a_training_killed_at_any_moment_ends_as_if_it_had_not_been(path: Path) -> None:
    """Most moments are inside an epoch, of ten batches each; every file that a kill left is whole."""
    quick = str(jax.config.values["jax_disable_most_optimizations"])
    here = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    command = [sys.executable, "-c", textwrap.dedent(LOOP), str(path), quick]
    rng, places = np.random.default_rng(3), [(0, 0)]
    for _ in range(8):
        process = subprocess.Popen(command, env=here, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 100
        while time.monotonic() < until and not _is_past(path, places[-1]):
            time.sleep(0.02)
        time.sleep(0.1 * rng.random())
        process.kill()
        assert process.wait() == -signal.SIGKILL  # it was not done
        resume = read_artifact(path).header["resume"]
        places.append((resume["epoch"], resume["step"]))
    assert places == sorted(set(places))  # each went on where the one before it had stopped
    assert any(step for _, step in places)
    resumed = tagger()
    found = resumed, fit(resumed, checkpoint=path, batch_size=1, epochs=30)
    assert_same_training(found, whole({"batch_size": 1, "epochs": 30}))
    assert os.listdir(path.parent) == [path.name]


def _is_past(path: Path, place: tuple[int, int]) -> bool:
    if not path.exists():
        return False
    resume = read_artifact(path).header["resume"]
    return resume["step"] > 0 and (resume["epoch"], resume["step"]) > place


# ------------------------------------------------------------------------------------------ iterables


def batches() -> list[tuple[Any, ...]]:
    return [(X[first : first + BATCH], Y[first : first + BATCH]) for first in range(0, ROWS, BATCH)]


def stream(model: sw.Sequential, **options: Any) -> sw.History:
    return model.fit(batches(), **{"epochs": EPOCHS, "verbose": 0} | options)


@pytest.mark.usefixtures("short_dispatches")
@pytest.mark.parametrize("place", [(2, 1), (2, 2), (2, 3), (2, 0)], ids=str)
def test_an_iterable_of_batches_goes_on_too(place: tuple[int, int], path: Path) -> None:
    """Also after the last batch of an epoch, where an iterable does not know yet that it was the last."""
    with pytest.raises(Killed):
        stream(tagger(), state="carry", checkpoint=path, callbacks=[Stopping(*place, kill)])
    resumed, expected = tagger(), tagger()
    found = resumed, stream(resumed, state="carry", checkpoint=path)
    assert_same_training(found, (expected, stream(expected, state="carry")))


# ------------------------------------------------------------------------------------------- refused

OTHERS: dict[str, tuple[Callable[[], sw.Sequential], dict[str, Any], tuple[str, ...]]] = {
    "seed": (lambda: tagger(seed=4), {}, ("seed", "3", "4")),
    "optimizer": (lambda: tagger(optimizer="sgd"), {}, ("optimizer",)),
    "rate": (lambda: tagger(optimizer=sw.Adam(learning_rate=RATE)), {}, ("optimizer", str(RATE))),
    "network": (lambda: tagger(dropout=0.2), {}, ("network", "0.2", "0.3")),
    "batch_size": (tagger, {"batch_size": 5}, ("batch_size", "4", "5")),
    "carry": (tagger, {"state": "carry"}, ("was True, now False",)),
    "shuffle": (tagger, {"shuffle": False}, ("shuffle was True, now False",)),
    "warmup": (tagger, {"state": "warmup:1"}, ("state.1 was 0, now 1",)),
    "tbptt": (tagger, {"tbptt": 2}, ("tbptt was None", "2")),
    "mask": (tagger, {"mask": MASK}, ("data",)),
    "sample_weight": (tagger, {"sample_weight": WEIGHT}, ("data",)),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The checkpoint of a training."""
    path = tmp_path_factory.mktemp("checkpoint") / "training"
    fit(tagger(), checkpoint=path, epochs=2)
    return path.read_bytes()


def refuse(path: Path, act: Callable[[], object], error: type[Exception], *words: str) -> None:
    """Fails unless that is refused on one line with these words, and the file stays as it is."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(error) as caught:
        act()
    message = str(caught.value)
    assert "\n" not in message
    assert not [word for word in words if word not in message], message
    assert (path.read_bytes() if path.is_file() else None) == before


@pytest.mark.parametrize(("make", "options", "words"), OTHERS.values(), ids=OTHERS)
def test_the_checkpoint_of_another_training_is_refused(
    make: Callable[[], sw.Sequential], options: dict[str, Any], words: tuple[str, ...], path: Path, finished: bytes
) -> None:
    path.write_bytes(finished)
    model = make()
    before = model.get_weights()
    said = (
        str(path),
        "the checkpoint of another training",
        "name another file, or train the model in it further",
        *words,
    )
    refuse(path, lambda: fit(model, checkpoint=path, **options), ConfigurationError, *said)
    assert_same(model.get_weights(), before, "weights")


def test_a_model_that_stands_elsewhere_is_refused(path: Path, finished: bytes) -> None:
    """Also one that was trained for as many epochs as the file, but is another: its file would be lost."""
    path.write_bytes(finished)
    other = tagger()
    fit(other, epochs=1)
    words = "began after 0 epochs and got to 2; this model was trained for 1"
    refuse(path, lambda: fit(other, checkpoint=path), ConfigurationError, words)
    other = tagger(seed=4)
    fit(other, epochs=2)
    refuse(path, lambda: fit(other, checkpoint=path), ConfigurationError, "this model was trained for 2")


def scaled(factor: float) -> sw.Sequential:
    model = tagger()
    model.set_weights([factor * weight for weight in model.get_weights()])
    return model


def slower() -> sw.Sequential:
    model = tagger()
    model.learning_rate /= 2
    return model


def elsewhere() -> sw.Sequential:
    model = tagger()
    model.state = model.zero_state(BATCH).replace("lstm", h=np.full((BATCH, 4), 0.5))
    return model


@pytest.mark.parametrize("make", [lambda: scaled(0.5), slower, elsewhere], ids=["weights", "learning-rate", "state"])
def test_a_training_that_begins_elsewhere_is_another(path: Path, make: Callable[[], sw.Sequential]) -> None:
    """Fine-tuning two models into one file would lose the second."""
    fit(tagger(), epochs=1, state="continue", checkpoint=path)
    model = make()
    before = model.get_weights()
    words = "like this one, but with other weights, learning rate or state"
    refuse(path, lambda: fit(model, epochs=1, state="continue", checkpoint=path), ConfigurationError, words)
    assert_same(model.get_weights(), before, "weights")


@pytest.mark.usefixtures("short_dispatches")
@pytest.mark.parametrize("place", [(3, 0), (3, 2)], ids=str)
def test_the_same_call_on_the_same_model_continues_what_was_interrupted(path: Path, place: tuple[int, int]) -> None:
    """A cell of a notebook that is run again: with the epochs that are left, and no more."""
    model = tagger()
    with pytest.raises(Killed):
        fit(model, checkpoint=path, callbacks=[Stopping(*place, kill)])
    assert_same_training((model, fit(model, checkpoint=path)), whole({}))
    assert model.epochs_done == EPOCHS


class Averaging(sw.Callback):
    """Leaves the mean of the weights after each epoch."""

    def __init__(self) -> None:
        self._sums: list[Any] = []

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        weights = model.get_weights()
        self._sums = [a + b for a, b in zip(self._sums, weights, strict=True)] if self._sums else weights

    def on_train_end(self, model: Any) -> None:
        model.set_weights([weight / EPOCHS for weight in self._sums])


def test_a_finished_training_is_as_its_callbacks_left_it(path: Path) -> None:
    """Also when it is asked for again; and more epochs continue from the training's own weights."""
    model, again, more = tagger(), tagger(), tagger()
    fit(model, checkpoint=path, callbacks=[Averaging()])
    loaded = sw.load(path)
    assert isinstance(loaded, sw.Sequential)
    fit(again, checkpoint=path)
    for found in (loaded, again):
        assert_same(found.get_weights(), model.get_weights(), "weights")
    fit(more, epochs=EPOCHS + 2, checkpoint=path)
    assert_same(more.get_weights(), whole({"epochs": EPOCHS + 2})[0].get_weights(), "weights")


def test_callbacks_of_an_ended_training_know_what_they_knew(path: Path) -> None:
    for _ in range(2):
        losses, stopping = iter([2.0, 1.0, 3.0, 4.0]), sw.EarlyStopping(patience=1)
        fit(tagger(), checkpoint=path, validation_data=lambda: {"loss": next(losses)}, callbacks=[stopping])  # noqa: B023
        assert stopping.best_epoch == 1


def test_whatever_fails_at_the_end_each_callback_is_told(tmp_path: Path) -> None:
    told: list[str] = []

    class Telling(sw.Callback):
        def __init__(self, name: str) -> None:
            self._name = name

        def on_train_end(self, model: Any) -> None:
            told.append(self._name)
            if self._name == "first":
                raise Killed

    folder = tmp_path / "gone"
    folder.mkdir()

    def remove(epoch: int, _: dict[str, float]) -> None:
        if epoch == 1:
            shutil.rmtree(folder)

    with pytest.raises((Killed, FileError)):
        fit(tagger(), epochs=2, checkpoint=folder / "run", callbacks=[remove, Telling("first"), Telling("second")])
    assert told == ["first", "second"]


@pytest.mark.parametrize("restored", [False, True], ids=["last-epoch", "best-epoch"])
def test_a_model_that_has_the_training_behind_it_begins_another(path: Path, restored: bool) -> None:
    """Whatever the first was called with; also where early stopping took the weights of another epoch than the last."""
    losses = iter([1.0, 2.0, 3.0])
    stopping = [sw.EarlyStopping(patience=9)] if restored else []
    model, reference = tagger(), tagger()
    for each, file in ((model, path), (reference, None)):
        losses = iter([1.0, 2.0, 3.0])
        fit(each, epochs=3, validation_data=lambda: {"loss": next(losses)}, callbacks=stopping, checkpoint=file)  # noqa: B023
        fit(each, epochs=2, state="carry", checkpoint=file)
    assert_same(parts_of(model), parts_of(reference), "model")
    assert read_artifact(path).header["resume"]["first"] == 3


@pytest.mark.parametrize("what", ["x", "y", "rows"])
def test_other_data_are_refused(what: str, path: Path, finished: bytes) -> None:
    path.write_bytes(finished)
    rows = slice(0, 9) if what == "rows" else slice(None)
    x, y = X.copy(), Y.copy()
    if what == "x":
        x[3, 2, 1] += 1e-6
    elif what == "y":
        y[3, 2] = (y[3, 2] + 1) % 3
    options: dict[str, Any] = {"batch_size": BATCH, "epochs": 5, "verbose": 0, "checkpoint": path}
    word = "rows" if what == "rows" else "data"
    refuse(path, lambda: tagger().fit(x[rows], y[rows], **options), ConfigurationError, "another training", word)


def test_the_same_flags_are_not_the_same_data_as_mask_and_as_reset(path: Path) -> None:
    fit(tagger(), checkpoint=path, epochs=1, mask=MASK)
    refuse(path, lambda: fit(tagger(), checkpoint=path, reset=MASK), ConfigurationError, "another training")


def test_another_state_to_start_from_is_another_training(path: Path) -> None:
    starts = [tagger().initial_state(BATCH), tagger()(X[:BATCH])[1]]
    fit(tagger(), checkpoint=path, epochs=1, state=starts[0])
    refuse(path, lambda: fit(tagger(), checkpoint=path, state=starts[1]), ConfigurationError, "another training")


def test_a_file_that_is_no_checkpoint_is_refused(path: Path, finished: bytes) -> None:
    tagger().save(path)
    act: Callable[[], object] = lambda: fit(tagger(), checkpoint=path)  # noqa: E731 - short
    refuse(path, act, FileError, str(path), "holds a model", "name another file", "statewise.load")
    path.write_bytes(b"the mice")
    refuse(path, act, FileError, str(path), "not a model file")
    path.write_bytes(finished[:-7])
    refuse(path, act, FileError, str(path))


@pytest.mark.parametrize("name", ["missing/training", "", "folder"])
def test_a_place_that_cannot_be_written_is_refused_before_training(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    model = tagger()
    before = model.get_weights()
    place = str(tmp_path / name) if name else ""
    refuse(tmp_path / name, lambda: fit(model, checkpoint=place), FileError)
    assert_same(model.get_weights(), before, "weights")
    assert os.listdir(tmp_path) == ["folder"]


def test_a_damaged_description_is_a_damaged_file(path: Path, finished: bytes) -> None:
    """A file that is whole, but holds no training that it says to hold."""
    path.write_bytes(finished)
    artifact = read_artifact(path)
    resume = {**artifact.header["resume"], "step": 1}  # but no arrays of an epoch begun
    arrays = {name: array for name, array in artifact.arrays.items() if not name.startswith("run")}
    write_artifact(path, Artifact(artifact.kind, {**artifact.header, "resume": resume}, arrays))
    refuse(path, lambda: fit(tagger(), checkpoint=path), FileError, "lacks")


@pytest.mark.usefixtures("short_dispatches")
def test_a_checkpoint_that_stops_behind_the_last_batch_is_a_damaged_file(path: Path) -> None:
    with pytest.raises(Killed):
        fit(tagger(), checkpoint=path, callbacks=[Stopping(3, 2, kill)])
    artifact = read_artifact(path)
    resume = {**artifact.header["resume"], "step": 3}  # of three: the epoch would be finished
    write_artifact(path, Artifact(artifact.kind, {**artifact.header, "resume": resume}, artifact.arrays))
    refuse(path, lambda: fit(tagger(), checkpoint=path), FileError, "after batch 3 of 3")


# ---------------------------------------------------------------------------------------------- text


def learn(path: Path | None, epochs: int = 4, **options: Any) -> tuple[sw.TextModel, sw.History]:
    model = sw.TextModel(units=3, embedding=2, seed=5)
    told: dict[str, Any] = {"epochs": epochs, "batch_size": 2, "steps": 16, "verbose": 0, "checkpoint": path}
    return model, model.fit(STORY, **told | options)


@pytest.mark.usefixtures("short_dispatches")
def test_a_text_models_training_goes_on_and_can_be_looked_at(path: Path) -> None:
    with pytest.raises(Killed):
        learn(path, callbacks=[Stopping(3, 2, kill)])
    loaded = sw.load(path)
    assert isinstance(loaded, sw.TextModel)
    assert_same(loaded.generate("the ", length=5, temperature=0), loaded.generate("the ", length=5, temperature=0))
    (resumed, history), (expected, told) = learn(path), learn(None)
    assert_same_training((resumed.model, history), (expected.model, told))
    assert differ(loaded.get_weights(), resumed.get_weights())


def test_a_text_models_checkpoint_of_another_text_is_refused(path: Path) -> None:
    learn(path, epochs=1)
    model = sw.TextModel(units=3, embedding=2, seed=5)
    other = STORY.replace("saw", "was")
    options: dict[str, Any] = {"epochs": 1, "batch_size": 2, "steps": 16, "verbose": 0, "checkpoint": path}
    refuse(path, lambda: model.fit(other, **options), ConfigurationError, "another training", "the text is different")


@pytest.mark.usefixtures("short_dispatches")
def test_the_history_in_the_file_is_that_of_the_finished_epochs(path: Path) -> None:
    with pytest.raises(Killed):
        fit(tagger(), checkpoint=path, callbacks=[Stopping(3, 2, kill)])
    kept = read_artifact(path).header["resume"]["history"]
    expected = whole({"epochs": 2})[1]
    assert kept == {"epoch": [0, 1], "history": expected.history}
    assert_same(logs_of(expected), {name: np.array(a, np.float32) for name, a in kept["history"].items()}, "logs")


# ------------------------------------------------------------------------------------------ callbacks


class Meddling(sw.Callback):
    """Sets weights after each epoch: training goes on from its own, so a checkpoint must hold those."""

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> bool:
        model.set_weights([0.0 * weight for weight in model.get_weights()])
        return False


def test_weights_that_a_callback_set_are_not_what_training_goes_on_from(path: Path) -> None:
    part, expected = tagger(), tagger()
    fit(part, epochs=2, checkpoint=path, callbacks=[Meddling()])
    resumed = tagger()
    fit(resumed, epochs=4, checkpoint=path)
    fit(expected, epochs=4)
    assert_same(resumed.get_weights(), expected.get_weights(), "weights")


def test_a_training_that_a_callback_ended_stays_ended(path: Path) -> None:
    stopping = [lambda epoch, _: epoch == 1]
    stopped = tagger()
    history = fit(stopped, epochs=6, checkpoint=path, callbacks=stopping)
    again = tagger()
    assert fit(again, epochs=6, checkpoint=path, callbacks=stopping).history == history.history
    assert_same(again.get_weights(), stopped.get_weights(), "weights")
