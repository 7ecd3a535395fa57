"""The model file: safetensors, with one JSON header in its metadata. docs/format.md describes it byte by byte.

A file is written whole, by rename, or not at all. Nothing in it is ever executed.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from statewise.errors import COPY_AGAIN, FileError
from statewise.foundation.files import as_path, read_whole, write_whole
from statewise.foundation.shapes import Array
from statewise.storage.foreign import describe_foreign
from statewise.storage.header import check_header

VERSION = 1
"""Version of the format that this statewise writes, and the newest that it reads."""


@dataclass(frozen=True)
class Artifact:
    """The contents of a model file: its kind, a header that JSON can hold, and arrays by name."""

    kind: str  # "sequential", "graph", "text" or "state"
    header: dict[str, Any]
    arrays: dict[str, Array]

    def array(self, name: str) -> Array:
        """Returns the array called `name`.

        Raises:
            FileError: there is no such array.
        """
        if name not in self.arrays:
            raise FileError(f"the model file lacks {name!r}; {COPY_AGAIN}")
        return self.arrays[name]


def write_artifact(path: str | Path, artifact: Artifact) -> None:
    """Writes the file whole, or leaves the previous file untouched.

    Raises:
        FileError: it cannot be written there.
    """
    write_whole(path, artifact_to_bytes(artifact))


def artifact_to_bytes(artifact: Artifact) -> bytes:
    """Returns the bytes of its file."""
    arrays = {name: np.asarray(array, order="C") for name, array in artifact.arrays.items()}
    for name, array in arrays.items():
        if array.dtype.name not in WRITABLE:
            kinds = ", ".join(sorted(WRITABLE))
            raise FileError(f"{name!r}: expected {kinds}, got {array.dtype}, which files cannot hold")
    header = _to_json({**artifact.header, "kind": artifact.kind})
    metadata = {
        "format": "statewise",
        "version": str(VERSION),
        "checksum": str(_checksum(header, arrays)),
        "header": header,
    }
    return save(arrays, metadata)


def _to_json(header: dict[str, Any]) -> str:
    text = json.dumps(header, ensure_ascii=False, default=_plain)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which str allows and UTF-8 does not
        return json.dumps(header, default=_plain)
    return text


def _plain(value: np.generic) -> Any:
    """Returns a NumPy number as a Python number, for users who write `LSTM(np.int64(32))`."""
    return value.item()


MAKERS = {"model": "`statewise train` and `model.save` make one", "state": "`state.save` makes one"}
"""How files are made, by what they hold."""


def read_artifact(path: str | Path, what: str = "model") -> Artifact:
    """Returns the contents of a file that should hold a model, or `what`.

    Raises:
        FileError: it is missing, damaged, from another program, or from a newer statewise.
    """
    place = as_path(path)
    try:
        content = read_whole(place)
    except FileNotFoundError:
        raise FileError(f"no {what} file {place}; {MAKERS[what]}") from None
    except IsADirectoryError:
        saved = " that TensorFlow wrote" if (place / "saved_model.pb").exists() else ""
        raise FileError(f"{place} is a folder{saved}; expected a {what} file") from None
    except OSError as error:
        raise FileError(f"cannot read {place}: {error.strerror or error}; expected a {what} file") from None
    return artifact_from_bytes(content, str(place), what)


def artifact_from_bytes(content: bytes, name: str, what: str = "model") -> Artifact:
    """Returns the contents of a file from its bytes; messages call it `name`.

    Every header is checked against the form in `statewise.storage.header`, wherever the bytes come from.

    Raises:
        FileError: it is damaged, from another program, or from a newer statewise.
    """
    try:
        entries = deserialize(content)  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        if (foreign := describe_foreign(content)) is not None:
            raise FileError(f"{name} is not a {what} file of statewise: it is {foreign[0]}; {foreign[1]}") from None
        raise FileError(f"{name} is not a {what} file, or is cut short or damaged ({error}); {COPY_AGAIN}") from None
    metadata = _metadata(content)
    _check_origin(name, metadata)
    arrays = {array: _array(name, array, entry) for array, entry in entries}
    text = metadata.get("header", "")
    if metadata.get("checksum") != str(_checksum(text, arrays)):
        raise FileError(f"{name} is damaged: its content does not match its checksum; {COPY_AGAIN}")
    header = _of_json(name, text)
    try:
        check_header(header["kind"], header, arrays)
    except FileError as error:
        raise FileError(f"{name} is damaged: {error}; {COPY_AGAIN}") from None
    return Artifact(header["kind"], header, arrays)


DTYPES = {
    **{f"F{8 * size}": f"<f{size}" for size in (2, 4, 8)},
    **{f"{kind}{8 * size}": f"<{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)},
    "BF16": "bfloat16",
    "BOOL": "bool",
}
"""NumPy's names of the types that a file may hold, by their safetensors names."""

WRITABLE = {"bfloat16"} | {np.dtype(name).name for name in DTYPES.values() if name != "bfloat16"}


def _array(name: str, array: str, entry: dict[str, Any]) -> Array:
    kind = entry["dtype"]
    if kind not in DTYPES:
        raise FileError(f"{name}: expected {', '.join(DTYPES)} in {array!r}, got {kind}; {COPY_AGAIN}")
    dtype = _bfloat16() if kind == "BF16" else np.dtype(DTYPES[kind])
    return np.frombuffer(entry["data"], dtype).reshape(entry["shape"])


def _bfloat16() -> np.dtype[Any]:
    import ml_dtypes  # installed with JAX; only an optimizer's state may need it

    return np.dtype(ml_dtypes.bfloat16)


def _metadata(content: bytes) -> dict[str, str]:
    """Returns the texts in the header of a safetensors file that is known to be whole."""
    end = 8 + int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8:end]).get("__metadata__") or {}
    return metadata


def _of_json(name: str, text: str) -> dict[str, Any]:
    try:
        header = json.loads(text)
        if isinstance(header["kind"], str):
            return header
    except (KeyError, ValueError, TypeError, RecursionError):
        pass
    raise FileError(f"{name} is damaged: its header cannot be read; {COPY_AGAIN}")


def _check_origin(name: str, metadata: dict[str, str]) -> None:
    if metadata.get("format") != "statewise":
        raise FileError(f"{name} is a safetensors file, but statewise did not write it; expected one that it wrote")
    version = metadata.get("version", "")
    if not (version.isascii() and version.isdecimal()) or version.strip("0") == "":
        raise FileError(f"{name} is damaged: its version is {version!r:.20}; {COPY_AGAIN}")
    if len(version) > len(str(VERSION)) or int(version) > VERSION:
        raise FileError(
            f"{name} has format version {version:.20}; this statewise reads up to {VERSION}: "
            "pip install --upgrade statewise"
        )


def _checksum(header: str, arrays: dict[str, Array]) -> int:
    total = zlib.crc32(header.encode())
    for name in sorted(arrays):
        array = arrays[name]
        total = zlib.crc32(f"{name}{array.dtype}{array.shape}".encode(), total)
        total = zlib.crc32(array.tobytes(), total)
    return total
