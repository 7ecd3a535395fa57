"""Compiled programs on disk, for later processes: where they are, how much space they take, and which are removed.

JAX reads and writes the entries of its cache; those of `kept_programs` lie in a folder of their own. Several processes
may share both: an entry of JAX's that one of them has not finished writing, or never will, is not accepted, since zlib
packs it with a checksum. Where Zstandard is installed, JAX packs with that; such entries are not checked.
"""

from __future__ import annotations

import hashlib
import os
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from statewise.foundation.cache_folder import user_cache_folder

MOST_BYTES = 512 * 2**20
"""How much is kept; beyond that, the oldest entries are removed."""

WRITTEN_SECONDS = 10.0
"""After this long an entry is complete, or never will be."""


ZSTANDARD = b"\x28\xb5\x2f\xfd"
"""The first bytes of entries that Zstandard packed."""


@dataclass(frozen=True)
class ProgramCache:
    """A folder of compiled programs."""

    folder: Path

    @classmethod
    def of_user(cls) -> ProgramCache:
        """Returns the one used unless the program that imports statewise chose a folder itself."""
        return cls(user_cache_folder() / "xla")

    def make(self) -> bool:
        """Creates the folder if necessary; returns whether it exists."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder.is_dir() and os.access(self.folder, os.R_OK | os.X_OK)

    @property
    def kept(self) -> Path:
        """The folder of `kept_programs`, which belongs to the user alone."""
        return self.folder / "kept"

    @property
    def writable(self) -> bool:
        """Whether programs can be added."""
        return os.access(self.folder, os.W_OK)

    def sizes(self) -> list[int]:
        """Returns the size of each program in bytes."""
        return [entry.size for entry in self._entries()]

    def clear(self) -> int:
        """Removes all programs and returns how many there were; processes that run them are not affected."""
        return sum(_remove(entry.path) for entry in self._entries())

    def tidy(self) -> None:
        """Removes damaged entries written since the last check, and the oldest ones if there are too many.

        A damaged one would be compiled again by each process, and never replaced.
        """
        mark, until = self.folder / "checked", time.time() - WRITTEN_SECONDS
        since = mark.stat().st_mtime if mark.exists() else 0.0
        kept = []
        for entry in self._entries():
            if since <= entry.written < until and not _is_whole(entry.path):
                _remove(entry.path)
            else:
                kept.append(entry)
        excess = sum(entry.size for entry in kept) - MOST_BYTES
        for entry in sorted(kept, key=lambda entry: entry.written):
            if excess <= 0:
                break
            excess -= entry.size
            _remove(entry.path)
        mark.touch()
        os.utime(mark, (until, until))

    def _entries(self) -> list[_Entry]:
        """Returns all entries; one that another process is removing may be missing."""
        found = []
        for folder in (self.folder, self.kept):
            with suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    with suppress(OSError):
                        if entry.name.endswith(("-cache", ".program")) and entry.is_file():
                            found.append(_Entry(Path(entry.path), entry.stat().st_size, entry.stat().st_mtime))
        return found


class _Entry(NamedTuple):
    """A program's file, its size in bytes, and when it was written."""

    path: Path
    size: int
    written: float


def _remove(path: Path) -> bool:
    """Removes a file and returns whether it did: another process may have been faster."""
    with suppress(OSError):
        path.unlink()
        return True
    return False


def _is_whole(path: Path) -> bool:
    """Returns whether an entry can be unpacked, as far as possible to tell: yes, unless zlib says otherwise."""
    try:
        if path.suffix == ".program":
            return content_of(path) is not None
        content = path.read_bytes()
        if content[:4] != ZSTANDARD:
            zlib.decompress(content)
    except OSError:  # another user's, or removed
        return True
    except zlib.error:
        return False
    return True


def checked(content: bytes) -> bytes:
    """Returns content with a checksum before it, as `content_of` reads it."""
    return hashlib.sha256(content).digest() + content


def content_of(path: Path) -> bytes | None:
    """Returns the content of a file that begins with its checksum; None if it is missing or damaged."""
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    content = whole[hashlib.sha256().digest_size :]
    return content if checked(content) == whole else None
