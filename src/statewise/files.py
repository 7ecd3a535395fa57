"""Files that appear whole or not at all, and texts as they come from disk."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from statewise.errors import DataError, FileError


def write_whole(path: str | Path, content: bytes) -> None:
    """Writes `content` to a file beside `path` and renames it there, so that no reader ever sees half of it.

    Raises:
        FileError: the folder does not exist or cannot be written to, or the disk is full.
    """
    place = Path(path)
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.", suffix=".part")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, place)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
        raise FileError(f"cannot write {place}: {_reason(place, error)}") from None


def check_writable(path: str | Path) -> None:
    """Raises FileError now if `path` cannot be written later, after hours of training."""
    place = Path(path)
    try:
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=f".{place.name}."):
            pass
    except OSError as error:
        raise FileError(f"cannot write {place}: {_reason(place, error)}") from None
    if place.is_dir():
        raise FileError(f"cannot write {place}: it is a folder; name a file in it")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _reason(place: Path, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return f"the folder {place.parent} does not exist; make it first"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; free some space or choose another place"
    return f"{error.strerror or error}; choose another place"


def read_text(path: str | Path) -> str:
    """Returns the text of a UTF-8 file, its byte-order mark and carriage returns taken out.

    Raises:
        FileError: there is no such file, or it cannot be read.
        DataError: it is empty, binary, or not UTF-8.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise FileError(f"no text file {path}") from None
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}; expected a text file in UTF-8") from None
    if not content.strip():
        raise DataError(f"{path} is empty; expected a text")
    if b"\0" in content[:8192]:
        raise DataError(f"{path} is binary; expected a text in UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8: byte {content[error.start]:#04x} at position {error.start}; "
            f"convert it first, for example: iconv -f latin1 -t utf-8 {path}"
        ) from None
    return text.replace("\r\n", "\n")
