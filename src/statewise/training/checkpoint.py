"""A training kept in a file as it runs, so that it can continue exactly where it was killed.

The file is a model file as of the last finished epoch. If it was written inside an epoch, it also holds the progress of
that epoch.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from statewise.data.batches import Samples
from statewise.data.ragged_rows import RaggedRows
from statewise.errors import ConfigurationError, FileError
from statewise.foundation.files import as_path, check_writable
from statewise.foundation.words import plural
from statewise.storage.artifact import Artifact, read_artifact, write_artifact
from statewise.storage.pytrees import fill_leaves, name_leaves
from statewise.training.callback_list import CallbackStates
from statewise.training.callback_state import pack, unpack
from statewise.training.epochs import Position
from statewise.training.history import History
from statewise.training.programs import Run

LEAST_SECONDS = 5.0
"""Checkpoints are not written more often than this."""

SHARE = 0.05
"""Nor so often that writing takes more than this share of the time."""


class Kept(NamedTuple):
    """The contents of a checkpoint."""

    artifact: Artifact
    first: int  # epochs that the model was trained for before
    epoch: int  # from 0
    step: int
    history: History  # of the finished epochs
    final: bool  # whether it holds the final model, callbacks included
    ended: bool  # whether a callback ended the training
    callback_states: CallbackStates

    def position(self, run: Run) -> Position:
        """Returns where to continue, given the run with which the checkpoint's model begins an epoch."""
        apart = self.step > 0 or self.final
        return Position(fill_leaves("run", run, self.artifact.arrays) if apart else run, self.epoch, self.step)


class Identity(NamedTuple):
    """What distinguishes one training from another."""

    training: dict[str, Any]  # its data and settings, as JSON holds them
    start: int  # a checksum of what the model had learned before
    first: int  # epochs that the model was trained for before
    last: int  # and those it should be trained for in total


class Checkpoint:
    """The file of one training; `artifact` describes the model as of the last finished epoch."""

    def __init__(self, path: str | Path, artifact: Callable[[], Artifact]) -> None:
        self.path, self._artifact = as_path(path), artifact
        self._identity = Identity({}, 0, 0, 0)
        self._written, self._pause = time.monotonic(), LEAST_SECONDS

    def begin(self, identity: Identity) -> Kept | None:
        """Returns what the file holds of this training; None if it holds nothing of it, since it is about to begin.

        A file holds one training, of a model that stands where the training began or where it was interrupted. A model
        that has completed it may begin another, which then replaces it.

        Raises:
            FileError: the file is damaged, is not a checkpoint, or cannot be written there.
            ConfigurationError: the file belongs to another training.
        """
        check_writable(self.path)
        self._identity = identity = identity._replace(training=json.loads(json.dumps(identity.training, default=str)))
        if not self.path.exists():
            return None
        artifact = read_artifact(self.path)
        kept = artifact.header.get("resume")
        if kept is None:
            what = "state" if artifact.kind == "state" else "model"
            raise FileError(
                f"{self.path} holds a {what}, but no training to continue; name another file for it (to train a "
                "model further, use statewise.load, then fit)"
            )
        if (identity.first, identity.start) != (kept["first"], kept["start"]):
            if kept["epoch"] != identity.first or not self._is_behind(artifact):
                raise self._elsewhere(kept, identity)
            if kept["final"] and (kept["ended"] or kept["epoch"] >= kept["last"]):
                return None
            last = identity.last - identity.first + kept["first"]
            self._identity = identity._replace(first=kept["first"], start=kept["start"], last=last)
        if kept["training"] != identity.training:
            raise ConfigurationError(
                f"{self.path} is the checkpoint of another training: "
                f"{_first_difference(kept['training'], identity.training)}; {_WAYS_OUT}"
            )
        saved = CallbackStates(**unpack(kept["callbacks"], artifact.arrays))
        first, epoch, step, final, ended = (kept[name] for name in ("first", "epoch", "step", "final", "ended"))
        return Kept(artifact, first, epoch, step, History(**kept["history"]), final, ended, saved)

    def _elsewhere(self, kept: dict[str, Any], identity: Identity) -> ConfigurationError:
        """Returns the error for a model that is neither where the training in the file began nor where it got to."""
        began = f"{self.path} is the checkpoint of a training that began after {plural(kept['first'], 'epoch')}"
        if kept["first"] != identity.first:
            place = f"and got to {kept['epoch']}; this model was trained for {identity.first}"
        elif kept["training"] != identity.training:
            difference = _first_difference(kept["training"], identity.training)
            return ConfigurationError(f"{self.path} is the checkpoint of another training: {difference}; {_WAYS_OUT}")
        else:
            place = "like this one, but with other weights, learning rate or state"
        return ConfigurationError(f"{began} {place}: {_WAYS_OUT}")

    def _is_behind(self, artifact: Artifact) -> bool:
        """Returns whether the model has completed the training in a file: its weights are in there.

        They are those of the last epoch, or those that a callback went back to and keeps in its state.
        """
        weights = {name: array for name, array in self._artifact().arrays.items() if name.startswith("params")}
        return all(
            any(name in place and np.array_equal(array, kept) for place, kept in artifact.arrays.items())
            for name, array in weights.items()
        )

    def check(self, saved: CallbackStates) -> None:
        """Raises ConfigurationError now rather than hours later if no file can hold the state of a callback."""
        pack(saved._asdict(), "callbacks", {})

    def keep(
        self,
        position: Position,
        history: History,
        saved: CallbackStates,
        *,
        now: bool = False,
        final: bool = False,
        ended: bool = False,
    ) -> None:
        """Writes the file if it is time, or `now`; the `final` one after callbacks were notified of the end."""
        if not now and time.monotonic() - self._written < self._pause:
            return
        begun = time.monotonic()
        inner, arrays = self._artifact(), dict[str, Any]()
        resume = {
            **self._identity._asdict(),
            "epoch": position.epoch,
            "step": position.step,
            "history": {"epoch": history.epoch, "history": history.history},
            "final": final,
            "ended": ended,
            "callbacks": pack(saved._asdict(), "callbacks", arrays),
        }
        if position.step or final:
            arrays |= name_leaves("run", position.run)
        else:  # the model's weights may be those that a callback set: training continues from its own
            run = position.run
            arrays |= name_leaves("params", run.params) | name_leaves("optimizer", run.optimizer)
            arrays |= name_leaves("statistics", run.statistics)
        write_artifact(self.path, Artifact(inner.kind, {**inner.header, "resume": resume}, inner.arrays | arrays))
        self._written = time.monotonic()
        self._pause = max(LEAST_SECONDS, (self._written - begun) / SHARE)


_WAYS_OUT = (
    "repeat the call that made it (each call of fit needs its own file), name another file, or train the model in "
    "it further: statewise.load(path), then fit"
)


def _first_difference(was: Any, now: Any, place: str = "") -> str:
    """Returns in words where two JSON values first differ: `network.layers.2.rate was 0.1, now 0.2`."""
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        was, now = dict(enumerate(was)), dict(enumerate(now))
    if not isinstance(was, dict) or not isinstance(now, dict):
        return f"{place} was {was!r}, now {now!r}"
    name = next(name for name in {**was, **now} if (name in was, was.get(name)) != (name in now, now.get(name)))
    return _first_difference(was.get(name), now.get(name), f"{place}.{name}" if place else str(name))


def fingerprint(samples: Samples | RaggedRows) -> dict[str, Any]:
    """Returns what identifies the same data."""
    checksum = 0
    for name, array in samples.named():
        checksum = zlib.crc32(f"{name}{array.shape}{array.dtype}".encode(), checksum)
        checksum = zlib.crc32(array.tobytes(), checksum)
    return {"rows": samples.rows, "data": checksum}
