"""Where `statewise stream` keeps its states: nowhere, in a file that is written now and then, or in a store."""

from __future__ import annotations

import re
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from statewise.cli.rescue import save_or_rescue
from statewise.errors import ConfigurationError, FileError

if TYPE_CHECKING:
    from statewise.cli.answers import Answerer
    from statewise.streaming.lock import Lock
    from statewise.streaming.store import StreamStore


class Keeping:
    """Keeps nothing; what does has `turn` to itself while it takes the states."""

    def __init__(self) -> None:
        self.turn = threading.Lock()

    def before_answer(self) -> None:
        """Does what must be done before a line is answered, whose states are new."""

    def after_answer(self) -> None:
        """Does what may be done after that."""

    def close(self) -> None:
        """Does what is to be done at the end."""


class Every(NamedTuple):
    """How often to save: after so many lines, or so many seconds."""

    lines: int | None = None
    seconds: float | None = None

    @staticmethod
    def of(text: str) -> Every:
        """Returns what an option says: `1000` lines, or `30s`."""
        found = re.fullmatch(r"(\d+)|(\d+(?:\.\d+)?)s", text.strip())
        if found and found[1] and int(found[1]) > 0:
            return Every(lines=int(found[1]))
        if found and found[2] and 0 < float(found[2]) <= threading.TIMEOUT_MAX:
            return Every(seconds=float(found[2]))
        raise ConfigurationError(
            f"--save-every: expected a number of lines such as 1000, or seconds as 30s, got {text!r}"
        )


class InFile(Keeping):
    """Saves all states at the end, and now and then if told so; what cannot be saved at the end is rescued."""

    def __init__(self, answerer: Answerer, path: str, lock: Lock, every: Every) -> None:
        super().__init__()
        self._answerer, self._path, self._lock, self._every = answerer, path, lock, every
        self._unsaved, self._failed, self._end = 0, False, threading.Event()
        self._clock: threading.Thread | None = None
        if every.seconds is not None:
            self._clock = threading.Thread(target=self._save_by_the_clock, args=(every.seconds,), daemon=True)
            self._clock.start()

    def after_answer(self) -> None:
        """Saves, if enough lines were answered since."""
        with self.turn:
            self._unsaved += 1
        if self._every.lines is not None and self._unsaved >= self._every.lines:
            self._save()

    def close(self) -> None:
        """Saves, elsewhere if the disk is full; then says so."""
        self._end.set()
        if self._clock is not None:
            self._clock.join()
        artifact = self._answerer.to_artifact()
        from statewise.storage.artifact import write_artifact

        try:
            _, failure = save_or_rescue(lambda place: write_artifact(place, artifact), Path(self._path), "state")
        finally:
            self._lock.release()
        if failure is not None:
            raise failure

    def _save_by_the_clock(self, seconds: float) -> None:
        while not self._end.wait(seconds):
            if self._unsaved:
                self._save()

    def _save(self) -> None:
        """Saves; a failure is told once and tried again later, since the stream need not end for it."""
        from statewise.storage.artifact import write_artifact

        with self.turn:
            artifact, self._unsaved = self._answerer.to_artifact(), 0
        try:
            write_artifact(self._path, artifact)
        except FileError as error:
            if not self._failed:
                sys.stderr.write(f"statewise: {error}; the stream continues and tries again later\n")
            self._failed = True
        else:
            self._failed = False


class InStore(Keeping):
    """Writes what a line changed before it is answered."""

    def __init__(self, answerer: Answerer, store: StreamStore) -> None:
        super().__init__()
        self._answerer, self._store = answerer, store

    def before_answer(self) -> None:
        """Writes the states that are new."""
        put, delete = self._answerer.changes()
        if put or delete:
            try:
                self._store.write(put, delete)
            except FileError as error:
                raise FileError(f"{error}. This line is not answered; the state of all before it is safe") from None

    def close(self) -> None:
        """Lets go of the store."""
        with suppress(FileError):
            self._store.close()
