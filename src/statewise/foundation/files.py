"""Files that are written whole or not at all, and texts read from disk."""

from __future__ import annotations

import codecs
import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from statewise.errors import DataError, FileError
from statewise.foundation.characters import clean_lines

try:
    import fcntl
except ImportError:  # Windows, where leftovers stay and permissions are the folder's
    fcntl = None  # type: ignore[assignment]

LONGEST_STEM = 100
"""Up to this many bytes, a temporary file's name repeats the file's name; a hash replaces longer names."""

ACCESS_LIST = "system.posix_acl_access"
"""The extended attribute in which Linux stores who else may read a file."""


def write_whole(path: str | Path, content: bytes) -> None:
    """Writes `content` to a file next to `path` and renames it there, so that no reader ever sees half of it.

    A replaced file keeps its permissions and, where the system allows, its owner. Leftovers of killed processes next
    to it are removed.

    Raises:
        FileError: the folder does not exist or cannot be written to, or the disk is full.
    """
    place = replaceable(path)
    try:
        _remove_leftovers(place)
        with _temporary(place) as (file, temporary):
            file.write(content)
            file.flush()
            _take_permissions(file.fileno(), place)
            os.fsync(file.fileno())
            if fcntl is None:
                file.close()  # Windows cannot rename an open file
            os.replace(temporary, place)
        _keep_name(place.parent)
    except OSError as error:
        raise cannot_write(path, error) from None


def check_writable(path: str | Path) -> None:
    """Raises FileError now if `path` cannot be written later, after hours of training."""
    place = replaceable(path)
    try:
        with _temporary(place):
            pass
    except OSError as error:
        raise cannot_write(path, error) from None


def as_path(path: object) -> Path:
    """Returns `path` as a Path, with a leading `~` or `~user` expanded as a shell does.

    Raises:
        FileError: it is not a file name.
    """
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(name, str) or not name or "\0" in name or not _is_encodable(name):
        raise FileError(f"expected the name of a file, such as 'mice.statewise', got {path!r}")
    return Path(os.path.expanduser(name))  # Path.expanduser refuses a file called ~mice.bak


def _is_encodable(name: str) -> bool:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


def cannot_write(path: str | Path, error: OSError) -> FileError:
    """Returns the error for a file that the system refuses to write, with what to do about it."""
    folder = as_path(path).parent
    if error.errno == errno.ENOENT and not folder.exists():
        reason = f"the folder {folder} does not exist; create it first"
    elif error.errno == errno.EISDIR:
        reason = "it is a folder; name a file in it"
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason = "the disk is full; free some space or choose another place"
    else:
        reason = f"{error.strerror or error}; choose another place"
    return FileError(f"cannot write {path}: {reason}")


def replaceable(path: str | Path) -> Path:
    """Returns where `path` leads; a rename would replace a device, or a link instead of its target."""
    place = os.path.realpath(as_path(path))
    if os.path.islink(place):  # all other links were followed
        raise FileError(f"cannot write {path}: its symbolic links form a loop; remove one, or name another file")
    if os.path.isdir(place):
        raise FileError(f"cannot write {path}: it is a folder; name a file in it")
    if os.path.exists(place) and not os.path.isfile(place):
        raise FileError(f"cannot write {path}: it is a device or a pipe; name a file")
    return Path(place)


# -- temporary files -------------------------------------------------------------------------------------------------
#
# A writer holds a lock on its file until the file is renamed or removed. The system releases the lock when the process
# ends, so a leftover is recognized by having no lock, whatever the process or the container it ran in.


@contextmanager
def _temporary(place: Path) -> Iterator[tuple[BinaryIO, str]]:
    """Yields a new, locked file next to `place`, and its name; it is removed at the end unless it was renamed."""
    descriptor, temporary = _make_temporary(place)
    file = os.fdopen(descriptor, "wb")
    try:
        yield file, temporary
    finally:  # also after Ctrl-C; once renamed there is nothing to remove
        if fcntl is None:  # Windows cannot remove an open file; elsewhere the lock is held until it is gone
            _close(file)
        with suppress(OSError):
            os.unlink(temporary)
        _close(file)


def _close(file: BinaryIO) -> None:
    with suppress(OSError):  # what a full disk refused, it refuses again
        file.close()


def _make_temporary(place: Path) -> tuple[int, str]:
    mode = 0o600 if place.exists() else 0o666  # reduced by the umask; the old file may be private
    while True:
        temporary = str(place.parent / f".{_stem_of(place)}.{os.urandom(4).hex()}.part")
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0), mode)
        if not _lock(descriptor, wait=True) or os.fstat(descriptor).st_nlink:
            return descriptor, temporary
        os.close(descriptor)  # another writer took it for a leftover before it was locked


def _stem_of(place: Path) -> str:
    """Returns the part of a file's name that the name of its temporary file repeats."""
    encoded = os.fsencode(place.name)
    return place.name if len(encoded) <= LONGEST_STEM else hashlib.sha256(encoded).hexdigest()[:32]


def _remove_leftovers(place: Path) -> None:
    """Removes the temporary files for `place` left by killed processes."""
    ours = re.compile(re.escape(f".{_stem_of(place)}.") + r"[A-Za-z0-9_]{8}\.part")
    with suppress(OSError):  # a folder may be writable but not listable
        for name in os.listdir(place.parent):
            if ours.fullmatch(name):
                _remove_if_left(str(place.parent / name))


def _remove_if_left(temporary: str) -> None:
    with suppress(OSError):
        descriptor = os.open(temporary, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode) and _lock(descriptor, wait=False):
                os.unlink(temporary)
        finally:
            os.close(descriptor)


def _lock(descriptor: int, *, wait: bool) -> bool:
    """Returns whether the file is now locked; some network file systems have no locks, and keep leftovers."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _take_permissions(descriptor: int, place: Path) -> None:
    """Gives a file the permissions of the one it replaces, if any, and if allowed its owner and group."""
    if fcntl is None or not place.exists():
        return
    new, old = os.fstat(descriptor), os.stat(place)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        with suppress(OSError):
            os.fchown(descriptor, -1, old.st_gid)
        with suppress(OSError):  # usually only root may
            os.fchown(descriptor, old.st_uid, -1)
    if (mode := stat.S_IMODE(old.st_mode) & 0o777) != stat.S_IMODE(new.st_mode):
        os.fchmod(descriptor, mode)
    with suppress(OSError, AttributeError):  # most files have no such list, and most systems lack the function
        os.setxattr(descriptor, ACCESS_LIST, os.getxattr(place, ACCESS_LIST))


def _keep_name(folder: Path) -> None:
    """Makes a rename in `folder` survive a power failure, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# -- reading ---------------------------------------------------------------------------------------------------------


def open_file(path: str | Path) -> BinaryIO:
    """Returns a file opened for reading.

    Raises:
        IsADirectoryError, FileNotFoundError, OSError: as from `open`.
        FileError: it is a pipe or a device, which might never end.
    """
    place = as_path(path)
    # Non-blocking, since opening a pipe waits for its writer.
    descriptor = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(place))
    raise FileError(f"{place} is a device or a pipe; expected a regular file: save its output to a file first")


def read_whole(path: str | Path) -> bytes:
    """Returns the content of a file, read once, so that later changes by other programs do not matter.

    Raises:
        IsADirectoryError, FileNotFoundError, OSError, FileError: as from `open_file`.
    """
    with open_file(path) as file:
        return file.read()


def read_text(path: str | Path) -> str:
    """Returns the text of a UTF-8 file, whose lines end with a line feed, without byte-order marks.

    Raises:
        FileError: the file does not exist or cannot be read.
        DataError: it is empty, binary, or not UTF-8.
    """
    try:
        content = read_whole(path)
    except FileNotFoundError:
        raise FileError(f"no text file {path}; expected the name of a text file in UTF-8") from None
    except IsADirectoryError:
        raise FileError(f"{path} is a folder; expected the name of a text file in it") from None
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}; expected a text file in UTF-8") from None
    return decode_text(content, str(path))


def decode_text(content: bytes, name: str) -> str:
    """Returns the text in the bytes of a UTF-8 file, its byte-order mark and carriage returns taken out.

    Raises:
        DataError: it is empty, binary, or not UTF-8; the message calls it `name`.
    """
    utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if b"\0" in content[:8192] and not utf_16:
        raise DataError(f"{name} is binary; expected UTF-8 text")
    try:
        text = clean_lines(content.decode())
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is not UTF-8: byte {content[error.start]:#04x} at position {error.start}; convert it first, for "
            f"example: iconv -f {'utf-16' if utf_16 else 'latin1'} -t utf-8 {name} > converted.txt"
        ) from None
    if not text.strip():
        raise DataError(f"{name} is {'blank' if text else 'empty'}; expected text")
    return text
