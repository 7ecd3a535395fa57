"""A lock on a state's file, so that two processes do not undo each other's work."""

from __future__ import annotations

import errno
import os
import zlib
from pathlib import Path

from filelock import FileLock, Timeout

from statewise.errors import FileError
from statewise.foundation.files import as_path, cannot_write

LONGEST = 255
"""Bytes of a file's name."""


class Lock:
    """Held until `release`, or until the process ends, however it ends: the system lets go of it."""

    def __init__(self, lock: FileLock) -> None:
        """Takes a lock that is held."""
        self._lock = lock

    @staticmethod
    def of(path: str | Path) -> Lock:
        """Returns the lock of a file, which need not be there yet.

        It is a file beside it, `.NAME.lock`, which stays: were it removed, two processes could each hold one.

        Raises:
            FileError: another process holds it, or the folder cannot be written to.
        """
        place = Path(os.path.realpath(as_path(path)))
        name = f".{place.name}.lock"
        if len(os.fsencode(name)) > LONGEST:
            name = f".{zlib.crc32(os.fsencode(place.name)):08x}.lock"
        if not place.parent.is_dir():  # FileLock would make it
            raise cannot_write(path, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
        lock = FileLock(place.with_name(name), thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise FileError(
                f"{path} is in use by another process; wait for its end, stop it, or name another file"
            ) from None
        except OSError as error:
            raise cannot_write(path, error) from None
        return Lock(lock)

    def release(self) -> None:
        """Lets go of it; may be called again."""
        self._lock.release()
