"""What is kept of a claim's rounds, as JSON: benchmarks/results/NAME.json."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.harness.agreement import difference
from benchmarks.harness.claim import OURS, Claim, Faster, Under
from benchmarks.harness.figures import ratios, spread
from statewise.native.library import status

RESULTS = Path(__file__).parents[1] / "results"


@dataclass
class Measured:
    """One contender in one case.

    Attributes:
        figures: by name, the value of each round.
        result: what it computed, to be compared; None where nothing is.
        versions: of the frameworks that it had loaded.
        note: what a reader must know, or why there are no figures.
        crashed: whether it ended before its time.
    """

    figures: dict[str, list[float]] = field(default_factory=dict)
    result: list[float] | None = None
    versions: dict[str, str] = field(default_factory=dict)
    note: str = ""
    crashed: bool = False

    def add(self, figures: Mapping[str, float]) -> None:
        """Keeps the figures of one more round."""
        for name, value in figures.items():
            self.figures.setdefault(name, []).append(value)


Cases = Mapping[str, Mapping[str, Measured]]
"""What was measured, by case and contender."""


def outcome(name: str, claim: Claim, cases: Cases) -> dict[str, Any]:
    """Returns all that is kept of a claim, as JSON holds it."""
    told = {case: _case(claim, measured) for case, measured in cases.items()}
    return {
        "claim": name,
        "work": claim.work,
        "unit": claim.unit,
        "tolerance": claim.tolerance,
        "machine": machine(),
        "cases": told,
        "goals": [_goal(goal, cases[goal.case]) for goal in claim.goals],
        "failures": [f"{case or name}: {failure}" for case in told for failure in told[case].pop("failures")],
    }


def _case(claim: Claim, measured: Mapping[str, Measured]) -> dict[str, Any]:
    ours = measured[OURS]
    contenders, failures = {}, []
    for name, one in measured.items():
        apart = _apart(one, ours) if name != OURS else None
        if name == OURS and not one.figures and not one.crashed:
            failures.append(f"{name} was not measured: {one.note}")
        if one.crashed:
            failures.append(f"{name} crashed: {one.note}")
        if apart is not None and claim.tolerance is not None and not apart <= claim.tolerance:
            failures.append(f"{name} computed something else: {apart:.2g} apart, allowed {claim.tolerance:g}")
        contenders[name] = {
            "note": one.note,
            "versions": one.versions,
            "compared": apart is not None,
            "difference": apart,
            "figures": {figure: _figure(values) for figure, values in one.figures.items()},
            "ratios": {} if name == OURS else _ratios(one, ours),
        }
    return {"contenders": contenders, "failures": failures}


def _apart(one: Measured, ours: Measured) -> float | None:
    return None if one.result is None or ours.result is None else difference(one.result, ours.result)


def _ratios(one: Measured, ours: Measured) -> dict[str, Any]:
    return {figure: _figure(found) for figure in one.figures if (found := _ratio(figure, one, ours))}


def _ratio(figure: str, one: Measured, ours: Measured) -> list[float] | None:
    """Returns theirs over ours in each round; None where they cannot be set beside each other."""
    theirs, own = one.figures.get(figure), ours.figures.get(figure)
    if not theirs or not own or len(theirs) != len(own) or not all(own):
        return None
    return ratios(theirs, own)


def _figure(values: list[float]) -> dict[str, Any]:
    """Returns the rounds, and their median and quartiles, to five digits."""
    return {"rounds": [_short(value) for value in values]} | {
        name: _short(value) for name, value in spread(values)._asdict().items()
    }


def _short(value: float) -> float:
    return float(f"{value:.5g}")


def _goal(goal: Faster | Under, measured: Mapping[str, Measured]) -> dict[str, Any]:
    ours = measured[OURS]
    values = ours.figures.get(goal.figure) if goal.peer is None else _ratio(goal.figure, measured[goal.peer], ours)
    kept: dict[str, Any] = {**asdict(goal), "peer": goal.peer, "reached": None, "verdict": "not measured"}
    if not values:
        return kept
    reached = spread(values)
    return kept | {
        "reached": {k: _short(v) for k, v in reached._asdict().items()} | {"rounds": len(values)},
        "verdict": verdict(goal, reached[0]),
    }


def verdict(goal: Faster | Under, value: float) -> str:
    """Returns "aim", "must" or "short of it": how far the goal is reached; nothing where none is set."""
    if goal.aim is not None and goal.met(value, goal.aim):
        return "aim"
    if goal.must is None:
        return ""
    return "must" if goal.met(value, goal.must) else "short of it"


def machine() -> dict[str, Any]:
    """Returns what a reader must know of this machine; neither its name nor a path."""
    return {
        "cpu": _cpu("model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "avx512": "avx512f" in _cpu("flags").split(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "library": status(),
    }


def _cpu(entry: str) -> str:
    """Returns what Linux says of its first processor; nothing elsewhere."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(entry)), "")


def write(kept: dict[str, Any], folder: Path) -> None:
    """Writes a claim's outcome, one value a line except for the rounds."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kept['claim']}.json"
    path.write_text(_compact(json.dumps(kept, indent=1, ensure_ascii=False)) + "\n", encoding="utf-8")


def _compact(text: str) -> str:
    """Returns JSON with each list of rounds on one line."""
    return re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda found: f"[{' '.join(found[1].split())}]", text)


def read(folder: Path = RESULTS) -> list[dict[str, Any]]:
    """Returns all outcomes in a folder, by the claims' names."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
