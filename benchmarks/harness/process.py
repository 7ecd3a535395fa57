"""A contender's process, seen from the driver."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Any, Self, cast

ROOT = Path(__file__).parents[2]


class Crashed(Exception):  # noqa: N818 - what happened, not whose mistake
    """A contender's process ended before its time; the message is the last line that it printed."""


class Process:
    """One contender, alive from its first import to its last turn."""

    def __init__(self, python: str, claim: str, case: str, contender: str) -> None:
        command = [python, "-m", "benchmarks.harness.contender", claim, case, contender]
        self._printed = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by __exit__
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._printed, text=True
        )
        self._told = cast(IO[str], self._process.stdin)
        self._says = cast(IO[str], self._process.stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._printed.close()

    def hear(self) -> dict[str, Any]:
        """Returns what it says next.

        Raises:
            Crashed: it ended instead.
        """
        line = self._says.readline()
        if line:
            said: dict[str, Any] = json.loads(line)
            return said
        self._printed.seek(0)
        printed = self._printed.read().strip()
        raise Crashed(printed.splitlines()[-1] if printed else "it ended without a word")

    def turn(self, passes: int) -> dict[str, float]:
        """Returns the figures of one turn."""
        self._told.write(f"{passes}\n")
        self._told.flush()
        return self.hear()

    def end(self) -> dict[str, float]:
        """Returns the figures that are known at the end only."""
        self._told.close()
        self._process.stdin = None
        return self.hear()
