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
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

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
    arrays = {name: np.asarray(array, order="C") for name, array in artifact.arrays.items()}
    header = json.dumps({**artifact.header, "kind": artifact.kind}, ensure_ascii=False, default=_plain)
    metadata = {
        "format": "statewise",
        "version": str(VERSION),
        "checksum": str(_checksum(header, arrays)),
        "header": header,
    }
    write_whole(path, save(arrays, metadata))


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
        with safe_open(place, framework="numpy") as file:
            metadata = file.metadata() or {}
            _check_origin(place, metadata)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except SafetensorError as error:
        raise FileError(f"{place} is not a {what} file, or is cut short or damaged ({error}); {ANEW}") from None
    except OSError as error:
        raise FileError(f"cannot read {place}: {error.strerror or error}; {ANEW}") from None
    text = metadata.get("header", "")
    if metadata.get("checksum") != str(_checksum(text, arrays)):
        raise FileError(f"{place} is damaged: its content does not match its checksum; {ANEW}")
    try:
        header = json.loads(text)
        return Artifact(str(header["kind"]), header, arrays)
    except (KeyError, ValueError, TypeError, RecursionError):
        raise FileError(f"{place} is damaged: its header cannot be read; {ANEW}") from None


ANEW = "copy it again from where it was made, or make it anew"


def _check_origin(place: Path, metadata: dict[str, str]) -> None:
    if metadata.get("format") != "statewise":
        raise FileError(f"{place} is a safetensors file, but statewise did not write it; expected a file that it wrote")
    version = metadata.get("version", "")
    if not version.isdecimal() or int(version) < 1:
        raise FileError(f"{place} is damaged: its version is {version!r}; {ANEW}")
    if int(version) > VERSION:
        raise FileError(
            f"{place} has format version {version}, this statewise reads up to {VERSION}: "
            "pip install --upgrade statewise"
        )


def _checksum(header: str, arrays: dict[str, Array]) -> int:
    total = zlib.crc32(header.encode())
    for name in sorted(arrays):
        array = arrays[name]
        total = zlib.crc32(f"{name}{array.dtype}{array.shape}".encode(), total)
        total = zlib.crc32(array.tobytes(), total)
    return total
