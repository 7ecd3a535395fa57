"""How `statewise stream` saves its states: not at all, in a file at intervals, or in a store after each line."""

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
    from statewise.cli.stream_answers import Answerer
    from statewise.streaming.file_lock import Lock
    from statewise.streaming.store import StreamStore


class StateSaver:
    """Saves nothing. Subclasses hold `lock` while they read the states."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def before_answer(self) -> None:
        """Runs after the states have changed, before the answers are printed."""

    def after_answer(self) -> None:
        """Runs after the answers are printed."""

    def close(self) -> None:
        """Runs at the end of the input."""


class SaveInterval(NamedTuple):
    """How often to save: every N lines, or every N seconds."""

    lines: int | None = None
    seconds: float | None = None

    @staticmethod
    def of(text: str) -> SaveInterval:
        """Returns the interval in an option: `1000` lines, or `30s`."""
        found = re.fullmatch(r"(\d+)|(\d+(?:\.\d+)?)s", text.strip())
        if found and found[1] and int(found[1]) > 0:
            return SaveInterval(lines=int(found[1]))
        if found and found[2] and 0 < float(found[2]) <= threading.TIMEOUT_MAX:
            return SaveInterval(seconds=float(found[2]))
        raise ConfigurationError(
            f"--save-every: expected a number of lines such as 1000, or of seconds such as 30s, got {text!r}"
        )


class FileSaver(StateSaver):
    """Saves all states at the end, and at intervals if requested; if the last save fails, saves elsewhere."""

    def __init__(self, answerer: Answerer, path: str, lock: Lock, every: SaveInterval) -> None:
        super().__init__()
        self._answerer, self._path, self._file_lock, self._every = answerer, path, lock, every
        self._unsaved, self._failed, self._end = 0, False, threading.Event()
        self._clock: threading.Thread | None = None
        if every.seconds is not None:
            self._clock = threading.Thread(target=self._save_periodically, args=(every.seconds,), daemon=True)
            self._clock.start()

    def after_answer(self) -> None:
        """Saves if enough lines were answered since the last save."""
        with self.lock:
            self._unsaved += 1
        if self._every.lines is not None and self._unsaved >= self._every.lines:
            self._save()

    def close(self) -> None:
        """Saves; if the disk is full, saves elsewhere and raises the error that says where."""
        self._end.set()
        if self._clock is not None:
            self._clock.join()
        artifact = self._answerer.to_artifact()
        from statewise.storage.artifact import write_artifact

        try:
            _, failure = save_or_rescue(lambda place: write_artifact(place, artifact), Path(self._path), "state")
        finally:
            self._file_lock.release()
        if failure is not None:
            raise failure

    def _save_periodically(self, seconds: float) -> None:
        while not self._end.wait(seconds):
            if self._unsaved:
                self._save()

    def _save(self) -> None:
        """Saves; a failure is reported once and retried later, since the stream can continue."""
        from statewise.storage.artifact import write_artifact

        with self.lock:
            artifact, self._unsaved = self._answerer.to_artifact(), 0
        try:
            write_artifact(self._path, artifact)
        except FileError as error:
            if not self._failed:
                sys.stderr.write(f"statewise: {error}; the stream continues and will retry\n")
            self._failed = True
        else:
            self._failed = False


class StoreSaver(StateSaver):
    """Writes each line's changes before its answer is printed."""

    def __init__(self, answerer: Answerer, store: StreamStore) -> None:
        super().__init__()
        self._answerer, self._store = answerer, store

    def before_answer(self) -> None:
        """Writes the changed states."""
        put, delete = self._answerer.changes()
        if put or delete:
            try:
                self._store.write(put, delete)
            except FileError as error:
                raise FileError(f"{error}. This line is not answered; the state before it is safe") from None

    def close(self) -> None:
        """Closes the store."""
        with suppress(FileError):
            self._store.close()
