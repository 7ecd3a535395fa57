"""An interrupted training with callbacks ends as the uninterrupted one: what they remember is in the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from learning import Dispatches, fit, tagger
from mistakes import STORY
from networks import copied
from statewise.errors import ConfigurationError
from statewise.storage.artifact import read_artifact
from statewise.training import checkpoint
from tolerances import assert_same

LOSSES = [3.0, 2.0, 2.5, 1.0, 2.0, 1.5, 4.0, 0.5, 0.4]  # patience 3: it stops after epoch 7, and epoch 4 is best


class Killed(BaseException):
    """Ends a training anywhere."""


class Kill(sw.Callback):
    """Ends the training at the end of an epoch, counted from 1, or inside it."""

    def __init__(self, epoch: int, inside: bool = False) -> None:
        self._epoch, self._inside = epoch - 1, inside

    def on_step(self, record: Any) -> None:
        if self._inside and record.epoch == self._epoch:
            raise Killed

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        if not self._inside and epoch == self._epoch:
            raise Killed


class Means(sw.Callback):
    """A callback of one's own: means of the losses, and the largest weight so far, in an array."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.largest = np.zeros(3, np.float32)

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        self.losses.append(logs["loss"])
        self.largest = np.maximum(self.largest, np.abs(model.get_weights()[-1]))

    def state(self) -> Mapping[str, Any]:
        return {"losses": self.losses, "largest": self.largest}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.losses, self.largest = list(state["losses"]), state["largest"]


def measure(model: sw.Sequential) -> Callable[[], dict[str, float]]:
    """Returns validation whose losses depend on the epoch alone."""
    return lambda: {"loss": LOSSES[model.epochs_done - 1]}


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    Dispatches(monkeypatch).shortest()
    monkeypatch.setattr(checkpoint, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "SHARE", 1e9)


class Training:
    """A training with all callbacks that remember something, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.model = folder, tagger()

    def run(self, *more: sw.Callback, first: bool = False, **options: Any) -> None:
        self.model = tagger()
        self.means, self.stopping = Means(), sw.EarlyStopping(patience=3)
        best = sw.ModelCheckpoint(self.folder / "best", save_best_only=True)
        callbacks = [sw.CSVLogger(self.folder / "log.csv"), self.means, best, self.stopping]
        fit(
            self.model,
            epochs=len(LOSSES),
            state="continue",
            validation_data=measure(self.model),
            callbacks=[*more, *callbacks] if first else [*callbacks[:2], *more, *callbacks[2:]],
            checkpoint=self.folder / "training",
            **options,
        )

    def found(self) -> dict[str, Any]:
        assert self.model.history is not None
        best = sw.load(self.folder / "best")
        assert isinstance(best, sw.Sequential)
        return {
            "weights": self.model.get_weights(),
            "optimizer": copied(self.model.train_state.optimizer),
            "state": copied(self.model.state),
            "epochs": np.array([self.model.epochs_done, *self.model.history.epoch]),
            "losses": np.array([*self.model.history.history["loss"], *self.means.losses]),
            "largest": self.means.largest,
            "csv": np.array((self.folder / "log.csv").read_text().split()),
            "best": best.get_weights(),
        }


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a training leaves that nothing interrupted."""
    training = Training(tmp_path_factory.mktemp("whole") / "run")
    training.run()
    assert (training.stopping.best_epoch, training.model.epochs_done) == (3, 7)
    return training.found()


PLACES = {
    "first-epoch": [(1, True)],
    "inside": [(5, True)],
    "end": [(6, False)],
    "often": [(2, False), (4, True), (7, True)],
}


@pytest.mark.parametrize("first", [False, True], ids=["between-callbacks", "before-callbacks"])
@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
def test_a_training_ends_as_if_it_had_not_been_interrupted(
    places: list[tuple[int, bool]], first: bool, expected: dict[str, Any], tmp_path: Path
) -> None:
    """Also between one callback and the next: each is told of each epoch once."""
    training = Training(tmp_path / "run")
    for place in places:
        with pytest.raises(Killed):
            training.run(Kill(*place), first=first)
    training.run(sw.Callback(), first=first)
    assert_same(training.found(), expected, "training")


def test_a_training_that_ran_out_of_epochs_restores_its_best_again(tmp_path: Path) -> None:
    """The file holds the last epoch, from which more would continue; early stopping's best is beside it."""
    path = tmp_path / "training"
    models = []
    for _ in range(2):
        model, stopping = tagger(), sw.EarlyStopping(patience=9)
        fit(model, epochs=5, validation_data=measure(model), callbacks=[stopping], checkpoint=path)
        assert stopping.best_epoch == 3
        models.append(model)
    assert_same(models[1].get_weights(), models[0].get_weights(), "weights")


def test_others_than_the_interrupted_callbacks_are_refused(tmp_path: Path) -> None:
    path, model = tmp_path / "training", tagger()
    fit(model, epochs=2, validation_data=measure(model), callbacks=[sw.EarlyStopping()], checkpoint=path)
    with pytest.raises(
        ConfigurationError, match=r"expected those of the interrupted training, EarlyStopping; got Means"
    ):
        fit(tagger(), epochs=3, callbacks=[Means()], checkpoint=path)


@pytest.mark.parametrize(("monitor", "mode"), [("loss", "auto"), ("val_loss", "max")])
def test_another_log_to_watch_is_refused(monitor: str, mode: str, tmp_path: Path) -> None:
    path, model = tmp_path / "training", tagger()
    fit(model, epochs=2, validation_data=measure(model), callbacks=[sw.EarlyStopping()], checkpoint=path)
    model, stopping = tagger(), sw.EarlyStopping(monitor, mode=mode)
    with pytest.raises(ConfigurationError, match="watched 'val_loss' for its min"):
        fit(model, epochs=3, validation_data=measure(model), callbacks=[stopping], checkpoint=path)


@pytest.mark.parametrize(
    "state", [{"model": object()}, {1: 2}, {"x": {1, 2}}, [object()]], ids=["object", "number-as-key", "set", "list"]
)
def test_what_no_file_can_hold_is_refused_before_training(state: Any, tmp_path: Path) -> None:
    class Odd(sw.Callback):
        def state(self) -> Any:
            return state

    model = tagger()
    with pytest.raises(ConfigurationError, match=r"state\(\) to return a dict of numbers"):
        fit(model, callbacks=[Odd()], checkpoint=tmp_path / "training")
    assert model.epochs_done == 0
    assert fit(model, callbacks=[Odd()]).epoch  # without a checkpoint nothing asks for it


def test_a_text_models_callbacks_are_remembered_too(tmp_path: Path) -> None:
    def learn(path: Path, *callbacks: sw.Callback) -> tuple[list[Any], int | None]:
        model = sw.TextModel(units=3, embedding=2, seed=5)
        stopping = sw.EarlyStopping("loss", mode="max", patience=3)
        model.fit(STORY, epochs=6, batch_size=2, steps=16, verbose=0, checkpoint=path, callbacks=[stopping, *callbacks])
        return model.get_weights(), stopping.best_epoch

    whole = learn(tmp_path / "whole")
    with pytest.raises(Killed):
        learn(tmp_path / "parted", Kill(2))
    assert_same(learn(tmp_path / "parted"), whole, "weights")
    assert read_artifact(tmp_path / "parted").header["resume"]["callbacks"]["kinds"] == ["EarlyStopping"]
