"""A lock on a state file, so that two processes do not overwrite each other's work."""

from __future__ import annotations

import errno
import os
import zlib
from pathlib import Path

from filelock import FileLock, Timeout

from statewise.errors import FileError
from statewise.foundation.files import as_path, cannot_write

MAX_NAME_BYTES = 255
"""The longest file name, in bytes."""


class Lock:
    """Held until `release`, or until the process ends in any way: the operating system releases it."""

    def __init__(self, lock: FileLock) -> None:
        """Wraps an acquired lock."""
        self._lock = lock

    @staticmethod
    def of(path: str | Path) -> Lock:
        """Acquires the lock of a file, which need not exist yet.

        The lock is a file next to it, `.NAME.lock`, never removed: otherwise two processes could each hold one.

        Raises:
            FileError: another process holds it, or the folder cannot be written to.
        """
        place = Path(os.path.realpath(as_path(path)))
        name = f".{place.name}.lock"
        if len(os.fsencode(name)) > MAX_NAME_BYTES:
            name = f".{zlib.crc32(os.fsencode(place.name)):08x}.lock"
        if not place.parent.is_dir():  # FileLock would create it
            raise cannot_write(path, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
        lock = FileLock(place.with_name(name), thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise FileError(
                f"{path} is in use by another process; wait for it to end, stop it, or choose another file"
            ) from None
        except OSError as error:
            raise cannot_write(path, error) from None
        return Lock(lock)

    def release(self) -> None:
        """Releases the lock; may be repeated."""
        self._lock.release()
