"""What a claim's script writes down: the work, who does it, and what must come of it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OURS = "statewise"

SECONDS = "seconds"
"""The figure that the harness takes itself: how long a unit of work took."""

MB_GROWN = "MB grown"
"""The figure that each process tells at its end: how much its peak memory rose from when it was ready to work."""


class Unable(Exception):  # noqa: N818 - no error: a result
    """A contender cannot do this work; the message says why, and is kept with the results."""


@dataclass(frozen=True)
class Timed:
    """A contender that is ready: `work(n)` does `n` passes, is timed from outside, and returns what is compared.

    Args:
        work: the passes. The first call starts from the claim's weights; what it returns is compared.
        note: a setting or a circumstance that a reader must know.
        compared: False where the framework cannot do the very same work; the note says what differs.
        settings: what to set before a turn, by name, where nobody can say beforehand which is best: each turn is taken
            with each, and the quickest counts.
    """

    work: Callable[[int], Any]
    note: str = ""
    compared: bool = True
    settings: Mapping[str, Callable[[], object]] = field(default_factory=lambda: {"": lambda: None})


@dataclass(frozen=True)
class Told:
    """A contender that measures itself: `measure()` returns its figures by name."""

    measure: Callable[[], dict[str, float]]
    note: str = ""


Contender = Callable[[Any], Timed | Told]
"""Imports its framework, makes its network of the claim's weights and returns what to measure; gets the case."""


@dataclass(frozen=True)
class Faster:
    """A goal: by what factor the peer's figure is larger than ours, the median over the rounds.

    `must` and `aim` are None where the ratio is told and nothing is claimed.
    """

    peer: str
    must: float | None = None
    aim: float | None = None
    case: str = ""
    figure: str = SECONDS

    def met(self, value: float, bound: float) -> bool:
        """Returns whether `value` is as large as `bound`."""
        return value >= bound


@dataclass(frozen=True)
class Under:
    """A goal: the largest that our own figure may be, the median over the rounds."""

    must: float | None = None
    aim: float | None = None
    case: str = ""
    figure: str = SECONDS
    peer: None = None

    def met(self, value: float, bound: float) -> bool:
        """Returns whether `value` is as small as `bound`."""
        return value <= bound


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim.

    Args:
        work: what is done, with its sizes, as the table says it.
        unit: what one figure is of: "a step".
        units: how many of those a pass makes.
        contenders: who does it, by name; "statewise" is the one that is claimed for.
        goals: what must come of it.
        cases: variants, each measured by itself, and what the contenders are given for it.
        tolerance: how far results may differ, relative to the largest; None compares nothing.
        checked: how many passes are compared.
        seconds: about how long one turn takes.
        rounds: how many turns each has; `make bench` may be told another number for all.
    """

    work: str
    unit: str
    contenders: Mapping[str, Contender]
    goals: Sequence[Faster | Under]
    units: int = 1
    cases: Mapping[str, Any] = field(default_factory=lambda: {"": None})
    tolerance: float | None = None
    checked: int = 1
    seconds: float = 0.4
    rounds: int = 11


CLAIMS = Path(__file__).parents[1] / "claims"


def names() -> list[str]:
    """Returns the names of all claims: their files', with hyphens."""
    return sorted(path.stem.replace("_", "-") for path in CLAIMS.glob("*.py") if path.stem != "__init__")


def load(name: str) -> Claim:
    """Returns the claim of that name.

    Raises:
        SystemExit: there is none; the message has those there are.
    """
    if name not in names():
        raise SystemExit(f"no claim {name!r}; expected one of {', '.join(names())}")
    module = importlib.import_module(f"benchmarks.claims.{name.replace('-', '_')}")
    claim: Claim = module.CLAIM
    return claim
