"""Compiled programs on disk, for later processes: where they are, how much they take, and which of them go.

JAX reads and writes the entries. Several processes may share the folder: an entry that one of them has not written to
its end, or never did, is not read as one, since zlib packs it with a checksum. Where Zstandard is installed, JAX packs
with that; such entries are not looked into.
"""

from __future__ import annotations

import os
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from statewise.foundation.cache_folder import user_cache_folder

MOST_BYTES = 512 * 2**20
"""How much is kept; of more, what has been there for longest goes."""

WRITTEN_SECONDS = 10.0
"""After so long an entry is written, or never will be."""


ZSTANDARD = b"\x28\xb5\x2f\xfd"
"""How entries begin that Zstandard packed."""


@dataclass(frozen=True)
class ProgramCache:
    """A folder of compiled programs."""

    folder: Path

    @classmethod
    def of_user(cls) -> ProgramCache:
        """Returns the one that is used unless the program that imports us chose a folder itself."""
        return cls(user_cache_folder() / "xla")

    def make(self) -> bool:
        """Makes the folder unless it is there; returns whether it is."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder.is_dir() and os.access(self.folder, os.R_OK | os.X_OK)

    @property
    def writable(self) -> bool:
        """Whether programs can be added."""
        return os.access(self.folder, os.W_OK)

    def sizes(self) -> list[int]:
        """Returns the bytes of each program."""
        return [entry.size for entry in self._entries()]

    def clear(self) -> int:
        """Removes all programs and returns how many they were; whoever runs them goes on."""
        return sum(_remove(entry.path) for entry in self._entries())

    def tidy(self) -> None:
        """Removes what is damaged of the entries written since it was last looked for, and what is too much.

        A damaged one would be compiled anew by each process, and never replaced.
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
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.name.endswith("-cache") and entry.is_file():
                        found.append(_Entry(Path(entry.path), entry.stat().st_size, entry.stat().st_mtime))
        return found


class _Entry(NamedTuple):
    """A program's file, its bytes, and when it was written."""

    path: Path
    size: int
    written: float


def _remove(path: Path) -> bool:
    """Removes a file and returns whether that was done: another process may have been quicker."""
    with suppress(OSError):
        path.unlink()
        return True
    return False


def _is_whole(path: Path) -> bool:
    """Returns whether an entry can be unpacked, as far as that can be told: it is unless zlib says otherwise."""
    try:
        content = path.read_bytes()
        if content[:4] != ZSTANDARD:
            zlib.decompress(content)
    except OSError:  # another user's, or gone
        return True
    except zlib.error:
        return False
    return True
