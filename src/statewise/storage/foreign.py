"""Recognizes files that statewise did not write by how they begin, and says what to do with them."""

from __future__ import annotations

import io
import zipfile

from statewise.errors import COPY_AGAIN

WEIGHTS = "load it there; pass its weights as NumPy arrays to model.set_weights([...]) of a model with the same layers"
UNPICKLE = "load it with what wrote it: statewise never runs code from a file; model.set_weights([...]) takes arrays"
PAGE = "download the file itself, not the page that shows it"

SIGNS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as Keras's .h5", WEIGHTS),
    (0, b"\x93NUMPY", "a NumPy array (.npy)", "numpy.load reads it, and model.set_weights([...]) takes arrays"),
    (0, b"\x80", "a pickle, such as PyTorch's .pt or joblib's", UNPICKLE),
    (0, b"GGUF", "a GGUF file of llama.cpp", "it cannot be converted to a statewise model"),
    (0, b"SQLite format 3\0", "an SQLite database", "name a file that `save` wrote"),
    (0, b"\x1f\x8b", "compressed by gzip", "unpack it first: gunzip FILE, or tar -xzf FILE"),
    (0, b"BZh", "compressed by bzip2", "unpack it first: bunzip2 FILE, or tar -xjf FILE"),
    (0, b"\xfd7zXZ\0", "compressed by xz", "unpack it first: unxz FILE, or tar -xJf FILE"),
    (0, b"\x28\xb5\x2f\xfd", "compressed by Zstandard", "unpack it first: unzstd FILE"),
    (0, b"version https://git-lfs", "a Git LFS pointer, not the file itself", "fetch that first: git lfs pull"),
    (0, b"<!DOCTYPE", "a web page", PAGE),
    (0, b"<!doctype", "a web page", PAGE),
    (0, b"<html", "a web page", PAGE),
    (0, b"{", "JSON", "name a file that `save` wrote"),
    (4, b"TFL3", "a TensorFlow Lite model", WEIGHTS),
    (257, b"ustar", "a tar archive", "unpack it first: tar -xf FILE"),
)
"""Offset in a file, the bytes found there, what the file then is, and what to do with it."""

ARCHIVES: tuple[tuple[str, str, str], ...] = (
    ("model.weights.h5", "a Keras 3 model (.keras)", WEIGHTS),
    ("data.pkl", "a PyTorch file (.pt)", WEIGHTS),
    (".npy", "NumPy arrays (.npz)", "numpy.load reads them, and model.set_weights([...]) takes arrays"),
)
"""How the name of a file in a zip archive ends, what the archive then is, and what to do with it."""


def describe_foreign(content: bytes) -> tuple[str, str] | None:
    """Returns what another program's file is and what to do with it, in words; None if it is not recognized.

    >>> describe_foreign(b"\\x89HDF\\r\\n\\x1a\\n")[0]
    "an HDF5 file, such as Keras's .h5"
    >>> describe_foreign(b"the mice") is None
    True
    """
    if not content:
        return "empty", COPY_AGAIN
    if content[8:10] == b'{"':  # safetensors, whose first byte can be anything
        return None
    if content.startswith(b"PK\x03\x04"):
        return _describe_archive(content)
    if content[:1] == b"\x08" and content[2:3] in (b"\x12", b"B", b":"):  # protobuf: a version, then producer or graph
        return "an ONNX model", WEIGHTS
    return next(((what, way) for place, sign, what, way in SIGNS if content.startswith(sign, place)), None)


def _describe_archive(content: bytes) -> tuple[str, str]:
    try:
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        names = []
    known = ((what, way) for ending, what, way in ARCHIVES if any(name.endswith(ending) for name in names))
    return next(known, ("a zip archive", "unpack it first, and name a file in it that `save` wrote"))
