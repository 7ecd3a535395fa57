"""Files that appear whole or not at all, and texts as they come from disk."""

from __future__ import annotations

import codecs
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
    place, temporary = _replaceable(path), ""
    try:
        descriptor, temporary = _temporary(place)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, place)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:  # also after Ctrl-C; once renamed there is nothing left to remove
        with suppress(OSError):
            os.unlink(temporary)


def check_writable(path: str | Path) -> None:
    """Raises FileError now if `path` cannot be written later, after hours of training."""
    place = _replaceable(path)
    try:
        descriptor, temporary = _temporary(place)
        os.close(descriptor)
        os.unlink(temporary)
    except OSError as error:
        raise cannot_write(path, error) from None


def as_path(path: object) -> Path:
    """Returns `path` as a Path.

    Raises:
        FileError: it is no name of a file.
    """
    if not isinstance(path, str | os.PathLike) or not os.fspath(path) or "\0" in str(path):
        raise FileError(f"expected the name of a file, such as 'mice.statewise', got {path!r}")
    return Path(path)


def cannot_write(path: str | Path, error: OSError) -> FileError:
    """Returns the error for a file that the system refuses to write, with what to do about it."""
    folder = Path(path).parent
    if error.errno == errno.ENOENT and not folder.exists():
        reason = f"the folder {folder} does not exist; make it first"
    elif error.errno == errno.EISDIR:
        reason = "it is a folder; name a file in it"
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason = "the disk is full; free some space or choose another place"
    else:
        reason = f"{error.strerror or error}; choose another place"
    return FileError(f"cannot write {path}: {reason}")


def _replaceable(path: str | Path) -> Path:
    """Returns where `path` leads to; a rename would replace a device, or a link in place of what it names."""
    place = os.path.realpath(as_path(path))
    if os.path.isdir(place):
        raise FileError(f"cannot write {path}: it is a folder; name a file in it")
    if os.path.exists(place) and not os.path.isfile(place):
        raise FileError(f"cannot write {path}: it is a device or a pipe; name a file")
    return Path(place)


def _temporary(place: Path) -> tuple[int, str]:
    return tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.", suffix=".part")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def read_text(path: str | Path) -> str:
    """Returns the text of a UTF-8 file, its byte-order mark and carriage returns taken out.

    Raises:
        FileError: there is no such file, or it cannot be read.
        DataError: it is empty, binary, or not UTF-8.
    """
    try:
        content = as_path(path).read_bytes()
    except FileNotFoundError:
        raise FileError(f"no text file {path}; expected the name of a text file in UTF-8") from None
    except IsADirectoryError:
        raise FileError(f"{path} is a folder; expected the name of a text file in it") from None
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}; expected a text file in UTF-8") from None
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if b"\0" in content[:8192] and not utf_16:
        raise DataError(f"{path} is binary; expected a text in UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8: byte {content[error.start]:#04x} at position {error.start}; convert it first, for "
            f"example: iconv -f {'utf-16' if utf_16 else 'latin1'} -t utf-8 {path} > converted.txt"
        ) from None
    if not text.strip():
        raise DataError(f"{path} is {'blank' if text else 'empty'}; expected a text")
    return text.replace("\r\n", "\n")
