"""A training kept in a file as it goes, so that it can go on exactly where it was killed.

The file is a model file as of the last finished epoch. If it was written inside an epoch, it holds besides what the
epoch has made so far.
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
from statewise.storage.leaves import fill_leaves, name_leaves
from statewise.training.audience import Memory
from statewise.training.epochs import Position
from statewise.training.history import History
from statewise.training.programs import Run
from statewise.training.remembered import pack, unpack

LEAST_SECONDS = 5.0
"""A checkpoint is not written more often than this."""

SHARE = 0.05
"""Nor so often that writing takes more than this share of the time."""


class Kept(NamedTuple):
    """What was read from a checkpoint."""

    artifact: Artifact
    first: int  # how many epochs the model was trained for before
    epoch: int  # from 0
    step: int
    history: History  # of the epochs that were finished
    final: bool  # whether it holds the model as the training left it, callbacks included
    ended: bool  # whether a callback ended the training
    memory: Memory  # what its callbacks remember

    def position(self, run: Run) -> Position:
        """Returns where to continue, given the run that the model of the checkpoint begins an epoch with."""
        apart = self.step > 0 or self.final
        return Position(fill_leaves("run", run, self.artifact.arrays) if apart else run, self.epoch, self.step)


class Identity(NamedTuple):
    """What tells one training from another."""

    training: dict[str, Any]  # what it is trained on, and how, as JSON holds it
    start: int  # a checksum of what the model had learned before it
    first: int  # how many epochs the model was trained for before
    last: int  # and how many it is to be trained for in all


class Checkpoint:
    """The file of one training; `artifact` describes the model as of the last finished epoch."""

    def __init__(self, path: str | Path, artifact: Callable[[], Artifact]) -> None:
        self.path, self._artifact = as_path(path), artifact
        self._identity = Identity({}, 0, 0, 0)
        self._written, self._pause = time.monotonic(), LEAST_SECONDS

    def begin(self, identity: Identity) -> Kept | None:
        """Returns what the file holds of this training; None if it holds none of it, so that it is about to begin.

        A file holds one training: of a model that stands where it began, or where it was interrupted. The model that
        has all of it behind it may begin another, which then takes its place.

        Raises:
            FileError: the file is damaged or no checkpoint, or none can be written there.
            ConfigurationError: the file is of another training.
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
                f"{self.path} holds a {what}, but no training to continue; name another file for it (a model is "
                "trained further by statewise.load, then fit)"
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
        memory = Memory(**unpack(kept["callbacks"], artifact.arrays))
        first, epoch, step, final, ended = (kept[name] for name in ("first", "epoch", "step", "final", "ended"))
        return Kept(artifact, first, epoch, step, History(**kept["history"]), final, ended, memory)

    def _elsewhere(self, kept: dict[str, Any], identity: Identity) -> ConfigurationError:
        """Returns the error for a model that stands neither where the training in the file began nor where it is."""
        began = f"{self.path} is the checkpoint of a training that began after {plural(kept['first'], 'epoch')}"
        if kept["first"] != identity.first:
            place = f"and got to {kept['epoch']}; this model was trained for {identity.first}"
        elif kept["training"] != identity.training:
            difference = _first_difference(kept["training"], identity.training)
            return ConfigurationError(f"{self.path} is the checkpoint of another training: {difference}; {_WAYS_OUT}")
        else:
            place = "as this one, but with other weights, learning rate or state"
        return ConfigurationError(f"{began} {place}: {_WAYS_OUT}")

    def _is_behind(self, artifact: Artifact) -> bool:
        """Returns whether the model has what is in a file behind it: its weights are in there.

        They are those of the last epoch, or what a callback went back to, which it remembers.
        """
        weights = {name: array for name, array in self._artifact().arrays.items() if name.startswith("params")}
        return all(
            any(name in place and np.array_equal(array, kept) for place, kept in artifact.arrays.items())
            for name, array in weights.items()
        )

    def check(self, memory: Memory) -> None:
        """Raises ConfigurationError now, and not after hours, if no file can hold what a callback remembers."""
        pack(memory._asdict(), "callbacks", {})

    def keep(
        self,
        position: Position,
        history: History,
        memory: Memory,
        *,
        now: bool = False,
        final: bool = False,
        ended: bool = False,
    ) -> None:
        """Writes the file if it is time, or `now`; the `final` one once callbacks were told of the training's end."""
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
            "callbacks": pack(memory._asdict(), "callbacks", arrays),
        }
        if position.step or final:
            arrays |= name_leaves("run", position.run)
        else:  # the model's weights may be those that a callback set: the training continues from its own
            arrays |= name_leaves("params", position.run.params) | name_leaves("optimizer", position.run.optimizer)
        write_artifact(self.path, Artifact(inner.kind, {**inner.header, "resume": resume}, inner.arrays | arrays))
        self._written = time.monotonic()
        self._pause = max(LEAST_SECONDS, (self._written - begun) / SHARE)


_WAYS_OUT = (
    "repeat the call that made it (each call of fit needs a file of its own), name another file, or train the model in "
    "it further: statewise.load(path), then fit"
)


def _first_difference(was: Any, now: Any, place: str = "") -> str:
    """Returns in words where two values of JSON differ first: `network.layers.2.rate was 0.1, now 0.2`."""
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        was, now = dict(enumerate(was)), dict(enumerate(now))
    if not isinstance(was, dict) or not isinstance(now, dict):
        return f"{place} was {was!r}, now {now!r}"
    name = next(name for name in {**was, **now} if (name in was, was.get(name)) != (name in now, now.get(name)))
    return _first_difference(was.get(name), now.get(name), f"{place}.{name}" if place else str(name))


def fingerprint(samples: Samples | RaggedRows) -> dict[str, Any]:
    """Returns by what the same data are known again."""
    checksum = 0
    for name, array in samples.named():
        checksum = zlib.crc32(f"{name}{array.shape}{array.dtype}".encode(), checksum)
        checksum = zlib.crc32(array.tobytes(), checksum)
    return {"rows": samples.rows, "data": checksum}
