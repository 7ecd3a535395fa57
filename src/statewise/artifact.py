"""The model file: safetensors, with one JSON header in its metadata. docs/format.md describes it byte by byte.

A file appears whole, by rename, or not at all. Nothing in it is ever executed.
"""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from statewise.errors import FileError
from statewise.files import as_path, write_whole
from statewise.shapes import Array

VERSION = 1
"""Version of the format that this statewise writes, and the newest that it reads."""


@dataclass(frozen=True)
class Artifact:
    """What is in a model file: its kind, a header that JSON can hold, and arrays by name."""

    kind: str  # "sequential" or "text"
    header: dict[str, Any]
    arrays: dict[str, Array]

    def array(self, name: str) -> Array:
        """Returns the array called `name`.

        Raises:
            FileError: there is none.
        """
        if name not in self.arrays:
            raise FileError(f"the model file lacks {name!r}; {ANEW}")
        return self.arrays[name]


def write_artifact(path: str | Path, artifact: Artifact) -> None:
    """Writes the file whole, or leaves what was there before untouched.

    Raises:
        FileError: it cannot be written there.
    """
    write_whole(path, artifact_to_bytes(artifact))


def artifact_to_bytes(artifact: Artifact) -> bytes:
    """Returns what a file of it holds."""
    arrays = {name: np.asarray(array, order="C") for name, array in artifact.arrays.items()}
    header = json.dumps({**artifact.header, "kind": artifact.kind}, ensure_ascii=False, default=_plain)
    metadata = {
        "format": "statewise",
        "version": str(VERSION),
        "checksum": str(_checksum(header, arrays)),
        "header": header,
    }
    return save(arrays, metadata)


def _plain(value: np.generic) -> Any:
    """Returns NumPy's number as Python's, for those who write `LSTM(np.int64(32))`."""
    return value.item()


MAKERS = {"model": "`statewise train` and `model.save` make one", "state": "`state.save` makes one"}
"""Where files come from, by what they hold."""


def read_artifact(path: str | Path, what: str = "model") -> Artifact:
    """Returns what is in a file that holds a model, or `what` else is expected in it.

    Raises:
        FileError: it is missing, damaged, from another program, or from a newer statewise.
    """
    place = as_path(path)
    if not os.path.exists(place):
        raise FileError(f"no {what} file {place}; {MAKERS[what]}")
    if not place.is_file():
        raise FileError(f"{place} is a {'folder' if place.is_dir() else 'device'}; expected a {what} file")
    try:
        content = place.read_bytes()
    except OSError as error:
        raise FileError(f"cannot read {place}: {error.strerror or error}; {ANEW}") from None
    return artifact_from_bytes(content, str(place), what)


def artifact_from_bytes(content: bytes, name: str, what: str = "model") -> Artifact:
    """Returns what is in the content of a file; messages call it `name`.

    Raises:
        FileError: it is damaged, from another program, or from a newer statewise.
    """
    try:
        arrays = load(content)
    except SafetensorError as error:
        raise FileError(f"{name} is not a {what} file, or is cut short or damaged ({error}); {ANEW}") from None
    end = 8 + int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8:end]).get("__metadata__") or {}
    _check_origin(name, metadata)
    text = metadata.get("header", "")
    if metadata.get("checksum") != str(_checksum(text, arrays)):
        raise FileError(f"{name} is damaged: its content does not match its checksum; {ANEW}")
    try:
        header = json.loads(text)
        return Artifact(str(header["kind"]), header, arrays)
    except (KeyError, ValueError, TypeError, RecursionError):
        raise FileError(f"{name} is damaged: its header cannot be read; {ANEW}") from None


ANEW = "copy it again from where it was made, or make it anew"


def _check_origin(name: str, metadata: dict[str, str]) -> None:
    if metadata.get("format") != "statewise":
        raise FileError(f"{name} is a safetensors file, but statewise did not write it; expected a file that it wrote")
    version = metadata.get("version", "")
    if not version.isdecimal() or int(version) < 1:
        raise FileError(f"{name} is damaged: its version is {version!r}; {ANEW}")
    if int(version) > VERSION:
        raise FileError(
            f"{name} has format version {version}, this statewise reads up to {VERSION}: "
            "pip install --upgrade statewise"
        )


def _checksum(header: str, arrays: dict[str, Array]) -> int:
    total = zlib.crc32(header.encode())
    for name in sorted(arrays):
        array = arrays[name]
        total = zlib.crc32(f"{name}{array.dtype}{array.shape}".encode(), total)
        total = zlib.crc32(array.tobytes(), total)
    return total
