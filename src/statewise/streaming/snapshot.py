"""A snapshot: the keys and states of many streams, as a value that can be saved to a file."""

from __future__ import annotations

import reprlib
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from statewise.errors import COPY_AGAIN, DataError, FileError
from statewise.state import State
from statewise.storage.artifact import Artifact, read_artifact, write_artifact
from statewise.storage.header import DEPTH

MAX_BITS = 4096
"""By default Python does not convert longer integers to text."""


class Snapshot(NamedTuple):
    """Many streams: their keys, and a state with one row per key, in the same order."""

    keys: list[Hashable]
    state: State

    def save(self, path: str | Path) -> None:
        """Writes keys and states to one file, atomically; `State.load` can also read the states in it.

        Raises:
            FileError: it cannot be written there.
            DataError: a key that JSON cannot hold.
        """
        write_artifact(path, self.to_artifact())

    @staticmethod
    def load(path: str | Path) -> Snapshot:
        """Returns the snapshot in a file that `save` wrote.

        Raises:
            FileError: the file is missing, damaged, or holds something else.
        """
        return Snapshot.of_artifact(read_artifact(path, "state"), path)

    def to_artifact(self) -> Artifact:
        """Returns the contents of the file."""
        artifact = self.state.to_artifact()
        keys = [key_to_json(key) for key in self.keys]
        return Artifact(artifact.kind, {**artifact.header, "keys": keys}, artifact.arrays)

    @staticmethod
    def of_artifact(artifact: Artifact, path: str | Path, *, alone: bool = False) -> Snapshot:
        """Returns the snapshot in an artifact read from `path`; with `alone`, a state without keys gets key None."""
        state = State.of_artifact(artifact, path)
        if "keys" not in artifact.header:
            if alone:
                return Snapshot([None], state)
            raise FileError(f"{path} holds a state without keys; State.load(path) reads it")
        keys = artifact.header["keys"]
        if state.layers and len(keys) != state.batch:
            raise FileError(
                f"{path} is damaged: expected a key for each of {state.batch} row(s), got {keys!r:.60}; {COPY_AGAIN}"
            )
        return Snapshot([key_of_json(key) for key in keys], state)


def key_to_json(key: object, depth: int = 0) -> Any:
    """Returns a key as a JSON value; `key_of_json` converts it back.

    Raises:
        DataError: JSON cannot hold it.
    """
    if depth > DEPTH // 2:
        raise DataError(
            f"a file supports nested tuples up to a depth of {DEPTH // 2}; got {reprlib.repr(key)} in a key"
        )
    if isinstance(key, int) and key.bit_length() > MAX_BITS:
        raise DataError(f"a file supports integers of up to {MAX_BITS:,} bits; got a key of {key.bit_length():,} bits")
    if isinstance(key, tuple):
        return [key_to_json(part, depth + 1) for part in key]
    if isinstance(key, np.integer):
        return int(key)
    if isinstance(key, str) and not is_unicode(key):
        raise DataError(f"a file supports keys that are Unicode text; got {key!r:.60}, which has half a surrogate pair")
    if key is None or isinstance(key, str | int | float):
        return key
    raise DataError(f"a file supports keys that are text, numbers, None, or tuples of them; got {key!r:.60}")


def is_unicode(text: str) -> bool:
    """Returns whether text can be encoded as UTF-8; half a surrogate pair, which JSON allows, cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def key_of_json(key: Any) -> Any:
    """Returns the key that `key_to_json` converted."""
    return tuple(key_of_json(part) for part in key) if isinstance(key, list) else key


def read_snapshot(snapshot: Any) -> tuple[list[Hashable], State]:
    """Returns the unique keys and the state of a snapshot, after checking it."""
    pair = isinstance(snapshot, tuple | list) and len(snapshot) == 2
    if not pair or isinstance(snapshot[0], str) or not isinstance(snapshot[0], Iterable):
        raise DataError(
            f"restore: expected (keys, state) as snapshot() returns them, got {snapshot!r:.60}; for one stream, write "
            "streams.resume(key, state)"
        )
    keys = list(snapshot[0])
    check_keys("restore", keys)
    return keys, snapshot[1]


def check_keys(what: str, keys: list[Any]) -> None:
    """Raises DataError unless all keys are valid and unique."""
    seen: set[Any] = set()
    for key in keys:
        check_key(key)
        if key in seen:
            raise DataError(f"{what}: duplicate key {key!r}; expected each key once, with one row")
        seen.add(key)


def check_key(key: object) -> None:
    """Raises DataError unless the key is hashable."""
    try:
        hash(key)
    except TypeError:
        raise DataError(
            f"expected a hashable key, such as text or a tuple, got {key!r:.60}; if JSON turned a tuple into a list, "
            "write tuple(key)"
        ) from None
