"""The turns: each contender in a process of its own, one working at a time, in an order that changes every round."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from benchmarks.harness.claim import SECONDS, Claim, load
from benchmarks.harness.outcome import Measured, outcome
from benchmarks.harness.process import Crashed, Process

Say = Callable[[str], None]

LARGEST_GROWTH = 8
"""By how much the passes of a turn grow at once while the turn's length is sought."""


def measure(name: str, pythons: Mapping[str, str], rounds: int | None, say: Say) -> dict[str, Any]:
    """Returns the outcome of a claim, every case of it.

    Args:
        name: the claim's.
        pythons: interpreters by contender, for those that need one of their own.
        rounds: how many turns each contender has; None leaves it to the claim.
        say: told how far it is.
    """
    claim = load(name)
    cases: dict[str, dict[str, Measured]] = {}
    for case in claim.cases:
        say(f"{name} {case}".rstrip())
        with ExitStack() as running:
            sides: dict[str, Side] = {}
            for contender in claim.contenders:
                process = Process(pythons.get(contender, sys.executable), name, case, contender)
                sides[contender] = side = Side(running.enter_context(process), claim)
                say(f"  {contender}: {side.prepare()}")
            _take_turns(list(sides.values()), rounds or claim.rounds)
        cases[case] = {contender: side.measured for contender, side in sides.items()}
    return outcome(name, claim, cases)


def _take_turns(sides: list[Side], rounds: int) -> None:
    order = random.Random(0)
    for _ in range(rounds):
        for side in order.sample(sides, len(sides)):
            side.turn()
    for side in sides:
        side.end()


class Side:
    """A contender's process and what was measured of it; one that cannot go on has no more turns, and a note."""

    def __init__(self, process: Process, claim: Claim) -> None:
        self._process, self._claim = process, claim
        self._passes = 1
        self._alive = True
        self.measured = Measured()

    def prepare(self) -> str:
        """Waits until it is ready, seeks how many passes make a turn, and returns what came of it."""
        self._attempt(self._prepare)
        ready = f"{self._passes} passes a turn" if self._alive else "left out"
        return "; ".join(filter(None, (ready, self.measured.note)))

    def turn(self) -> None:
        """Takes one turn and keeps its figures."""
        self._attempt(lambda: self.measured.add(self._process.turn(self._passes)))

    def end(self) -> None:
        """Ends it and keeps what it then tells."""
        self._attempt(lambda: self.measured.add(self._process.end()))

    def _attempt(self, act: Callable[[], None]) -> None:
        if not self._alive:
            return
        try:
            act()
        except Crashed as crash:
            self._alive, self.measured.crashed = False, True
            self.measured.note, self.measured.figures = str(crash), {}

    def _prepare(self) -> None:
        said = self._process.hear()
        self._alive = "unable" not in said
        self.measured.note = said.get("unable") or said["note"]
        if self._alive:
            self.measured.result, self.measured.versions = said["result"], said["versions"]
            self._passes = 1 if said["told"] else self._seek_passes()

    def _seek_passes(self) -> int:
        """Returns how many passes take about as long as the claim wants a turn to take."""
        passes = 1
        while True:
            took = self._process.turn(passes)[SECONDS] * self._claim.units
            wanted = self._claim.seconds / took
            if wanted <= LARGEST_GROWTH * passes:
                return max(1, round(wanted))
            passes *= LARGEST_GROWTH
