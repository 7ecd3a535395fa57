"""Compiled programs on disk, for later processes: where they are, how much they take, and which of them go.

JAX reads and writes the entries. Several processes may share the folder: an entry that one of them has not written to
its end, or never did, is not read as one, since it is compressed with a checksum.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from statewise.cache_folder import user_cache_folder

MOST_BYTES = 512 * 2**20
"""How much is kept; of more, what has been there for longest goes."""

WRITTEN_SECONDS = 10.0
"""After so long an entry is written, or never will be."""


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
        return [entry.stat().st_size for entry in self._entries()]

    def clear(self) -> int:
        """Removes all programs and returns how many they were; whoever runs them goes on."""
        return sum(_remove(entry.path) for entry in self._entries())

    def tidy(self) -> None:
        """Removes what is damaged of the entries written since it was last looked for, and what is too much.

        A damaged one would be compiled anew by each process, and never replaced.
        """
        mark, until = self.folder / "checked", time.time() - WRITTEN_SECONDS
        since = mark.stat().st_mtime if mark.exists() else 0.0
        entries = [(entry.stat(), entry.path) for entry in self._entries()]
        for found, path in entries:
            if since <= found.st_mtime < until and not _is_whole(Path(path)):
                _remove(path)
        excess = sum(found.st_size for found, _ in entries) - MOST_BYTES
        for found, path in sorted(entries, key=lambda entry: entry[0].st_mtime):
            if excess <= 0:
                break
            excess -= found.st_size
            _remove(path)
        mark.touch()
        os.utime(mark, (until, until))

    def _entries(self) -> Iterator[os.DirEntry[str]]:
        with suppress(OSError), os.scandir(self.folder) as entries:
            yield from (entry for entry in entries if entry.name.endswith("-cache"))


def _remove(path: str) -> bool:
    """Removes a file and returns whether that was done: another process may have been quicker."""
    with suppress(OSError):
        os.unlink(path)
        return True
    return False


def _is_whole(path: Path) -> bool:
    """Returns whether an entry can be unpacked, as far as that can be told without Zstandard, which JAX may use."""
    content = path.read_bytes()
    if content[:4] == b"\x28\xb5\x2f\xfd":
        return True
    try:
        zlib.decompress(content)
    except zlib.error:
        return False
    return True
