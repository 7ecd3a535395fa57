"""Streams on disk: the state of each key in an SQLite file, durable once written. Does not need JAX.

The cost of a write does not depend on the number of keys. The file survives kill -9 and power cuts at any moment;
transactions are atomic.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from statewise.errors import FileError, LifecycleError, StateError
from statewise.foundation.files import cannot_write, open_file, replaceable, write_whole
from statewise.foundation.shapes import Array
from statewise.state import State, describe_sizes
from statewise.storage.artifact import Artifact, artifact_from_bytes, artifact_to_bytes, read_artifact
from statewise.streaming.file_lock import Lock
from statewise.streaming.runtime import Runtime
from statewise.streaming.snapshot import Snapshot, key_of_json, key_to_json

MAGIC = b"SQLite format 3\0"
APPLICATION, VERSION = 0x73747773, 1  # identify our files and their version

TABLES = """
CREATE TABLE network (sizes TEXT NOT NULL);
CREATE TABLE streams (
    place INTEGER PRIMARY KEY, -- the higher, the more recently written
    key TEXT NOT NULL UNIQUE,
    state BLOB NOT NULL,
    notes TEXT NOT NULL,
    checksum INTEGER NOT NULL -- of the three before
);
"""
PUT = "INSERT OR REPLACE INTO streams (key, state, notes, checksum) VALUES (?, ?, ?, ?)"


class StoredStream(NamedTuple):
    """One stream on disk."""

    key: Any  # text, a number, None, or a tuple of these
    state: State  # one row
    arrays: Mapping[str, Array] = {}  # stored with the state
    notes: Any = None  # a JSON value stored with the state


class StreamStore:
    """Streams on disk, of one network, open in one process at a time.

    Any number of threads may share it.

    >>> import tempfile
    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
    >>> streams, path = model.streams(), tempfile.mkdtemp() + "/pumps.db"
    >>> with StreamStore.open(path, model.runtime()) as store:
    ...     answers = streams.push({"pump": [0.1, 0.2], "fan": [0.3, 0.4]})
    ...     store.write([StoredStream(key, streams.state(key)) for key in answers])
    >>> with StreamStore.open(path, model.runtime()) as store:
    ...     [kept.key for kept in store.load()]
    ['pump', 'fan']
    """

    def __init__(self, path: Path, database: sqlite3.Connection, lock: Lock) -> None:
        """Takes an open database; use `open`."""
        self._path, self._database, self._lock, self._turn = path, database, lock, threading.Lock()

    @classmethod
    def open(cls, path: str | Path, runtime: Runtime) -> StreamStore:
        """Returns the store in a file, which is created if it does not exist.

        A file written by `State.save`, `Snapshot.save` or `statewise stream --state` is converted to a store.

        Raises:
            FileError: it is in use by another process, damaged, not a store, or not writable.
            StateError: it holds streams of another network.
        """
        place, sizes = replaceable(path), describe_sizes(runtime.sizes)
        lock = Lock.of(place)
        try:
            with _errors(place):
                if not _has_content(place):
                    _make(place, sizes, [])
                elif not is_store(place):
                    _make(place, sizes, _read_plain(place, runtime))
                database = _connect(place)
                try:
                    _check_network(place, database, sizes)
                    database.execute("PRAGMA journal_mode = WAL")
                    database.execute("PRAGMA synchronous = FULL")
                except BaseException:
                    database.close()
                    raise
            return cls(place, database, lock)
        except BaseException:
            lock.release()
            raise

    def load(self) -> list[StoredStream]:
        """Returns all streams, the least recently written first.

        Raises:
            FileError: one of them is damaged.
        """
        with _errors(self._path), self._turn:
            rows = self._database.execute("SELECT key, state, notes, checksum FROM streams ORDER BY place").fetchall()
        return [_kept(self._path, *row) for row in rows]

    def write(self, put: Iterable[StoredStream] = (), delete: Iterable[Any] = ()) -> None:
        """Writes some streams, the last one as the most recent, and deletes others, in one transaction.

        When it returns, the changes are on disk.

        Raises:
            FileError: the write failed, for example because the disk is full; nothing has changed.
            DataError: a key that JSON cannot hold.
        """
        gone, rows = [(_key_text(key),) for key in delete], [_row(kept) for kept in put]
        with _errors(self._path), self._turn, _transaction(self._database):
            self._database.executemany("DELETE FROM streams WHERE key = ?", gone)
            self._database.executemany(PUT, rows)

    def close(self) -> None:
        """Closes the file, so that other processes can open it; may be repeated."""
        with self._turn:
            self._database.close()
            self._lock.release()

    def __enter__(self) -> StreamStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_store(path: str | Path) -> bool:
    """Returns whether a file is an SQLite database."""
    try:
        with open_file(path) as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


# -- rows ------------------------------------------------------------------------------------------------------------


def _key_text(key: Any) -> str:
    """Returns a key as JSON, the same for equal keys: to a dict, 1, 1.0 and True are equal."""
    return json.dumps(key_to_json(_plain(key)))


def _plain(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(_plain(part) for part in key)
    return int(key) if isinstance(key, bool) or (isinstance(key, float) and key.is_integer()) else key


def _row(kept: StoredStream) -> tuple[str, bytes, str, int]:
    artifact = kept.state.to_artifact()
    content = artifact_to_bytes(Artifact(artifact.kind, artifact.header, {**artifact.arrays, **kept.arrays}))
    key, notes = _key_text(kept.key), json.dumps(kept.notes)
    return key, content, notes, _checksum(key, content, notes)


def _checksum(key: str, content: bytes, notes: str) -> int:
    return zlib.crc32(notes.encode(), zlib.crc32(content, zlib.crc32(key.encode())))


def _kept(path: Path, key: Any, content: Any, notes: Any, checksum: Any) -> StoredStream:
    try:
        if checksum != _checksum(key, content, notes):
            raise FileError(f"{path} is damaged: the stream {key} does not match its checksum; {_REPAIR}")
        artifact = artifact_from_bytes(content, f"{path}, stream {key}", "state")
        return StoredStream(
            key_of_json(json.loads(key)),
            State.of_artifact(artifact, path),
            {name: array for name, array in artifact.arrays.items() if not _is_of_state(name)},
            json.loads(notes),
        )
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise FileError(f"{path} is damaged: the stream {key!r:.60} cannot be read ({error}); {_REPAIR}") from None


RESTORE = "restore it from a backup, and remove the files of the same name that end in -wal and -shm"

_REPAIR = "restore the file from a backup, or delete that row of its table `streams` to start that stream fresh"


def _is_of_state(array: str) -> bool:
    return array.startswith(("state[", "initial["))


def _read_plain(path: Path, runtime: Runtime) -> list[StoredStream]:
    """Returns the streams in a state file or a snapshot."""
    artifact = read_artifact(path, "state")
    keys, state = Snapshot.of_artifact(artifact, path, alone=True)
    runtime.states_in(state, len(keys), f"{len(keys)} stream(s)")
    others = {name: array for name, array in artifact.arrays.items() if not _is_of_state(name)}
    return [
        StoredStream(key, state.rows(row), {name: array[row] for name, array in others.items()})
        for row, key in enumerate(keys)
    ]


# -- the file --------------------------------------------------------------------------------------------------------


def _connect(place: str | Path) -> sqlite3.Connection:
    return sqlite3.connect(place, timeout=5, isolation_level=None, check_same_thread=False)


def _has_content(place: Path) -> bool:
    """Returns whether a file exists and is not empty; SQLite treats an empty file as a new one."""
    return place.exists() and place.stat().st_size > 0


def _make(place: Path, sizes: str, streams: Iterable[StoredStream]) -> None:
    """Creates a store, atomically."""
    with closing(_connect(":memory:")) as database:
        database.executescript(TABLES)
        database.execute(f"PRAGMA application_id = {APPLICATION}")
        database.execute(f"PRAGMA user_version = {VERSION}")
        with _transaction(database):
            database.execute("INSERT INTO network VALUES (?)", (sizes,))
            database.executemany(PUT, (_row(kept) for kept in streams))
        content = database.serialize()
    for beside in ("-wal", "-shm", "-journal"):  # of an earlier database: SQLite would replay them
        with suppress(FileNotFoundError):
            os.unlink(f"{place}{beside}")
    write_whole(place, content)


def _check_network(place: Path, database: sqlite3.Connection, sizes: str) -> None:
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        raise FileError(f"{place} is an SQLite database, but statewise did not write it; choose another file")
    if version > VERSION:
        raise FileError(f"{place} has version {version}, but this statewise reads up to {VERSION}; upgrade statewise")
    (found,) = database.execute("SELECT sizes FROM network").fetchone() or (None,)
    if found is None:
        raise FileError(f"{place} is damaged: it does not say which network it belongs to; {RESTORE}")
    if found != sizes:
        raise StateError(f"{place} holds streams of another network: expected {sizes}, got {found}; use another file")


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


@contextmanager
def _errors(place: Path) -> Iterator[None]:
    """Converts SQLite and operating system errors to FileError."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL:
            raise FileError(f"cannot write {place}: the disk is full; free some space") from None
        if isinstance(error, sqlite3.ProgrammingError):
            raise LifecycleError(f"{place} was closed; open it again") from None
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise FileError(f"{place} is damaged ({error}); {RESTORE}") from None
        raise FileError(f"{place} cannot be used ({error}); try again, or choose another file") from None
    except OSError as error:
        raise cannot_write(place, error) from None
