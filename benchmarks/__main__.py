"""The command behind `make bench` and `make bench-check`.

python -m benchmarks run [CLAIM ...]      measures, writes benchmarks/results/ and the tables
python -m benchmarks check [CLAIM ...]    measures, and compares with benchmarks/results/
python -m benchmarks table                rewrites the tables from benchmarks/results/
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.check import regressions, unclear, uncompared
from benchmarks.harness.claim import names
from benchmarks.harness.driver import measure
from benchmarks.harness.outcome import RESULTS, read, write
from benchmarks.harness.summary import summary
from benchmarks.harness.table import put, table
from benchmarks.harness.units import PEERS, amount, factor, range_of

ROOT = Path(__file__).parents[1]
PAGES: dict[Path, Callable[[Sequence[dict[str, Any]]], str]] = {
    ROOT / "README.md": summary,
    ROOT / "docs" / "benchmarks.md": table,
}
"""The pages that show results, and what writes each one's table."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 1 where contenders disagree or crash, or `check` finds a regression."""
    options = _read(arguments)
    if options.command == "table":
        write_table(options.results)
        return 0
    claims = options.claims or names()
    return {"run": run, "check": check}[options.command](claims, options)


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measures what statewise claims to be fast at.")
    parser.add_argument("command", choices=("run", "check", "table"))
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help=f"all, or some of {', '.join(names())}")
    parser.add_argument("--rounds", type=_count, help="turns of each contender, in place of what each claim says")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder of the results", metavar="FOLDER")
    parser.add_argument("--tf-python", help="a Python that has tf_keras and NumPy", metavar="PYTHON")
    return parser.parse_intermixed_args(arguments)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def run(claims: Sequence[str], options: argparse.Namespace) -> int:
    """Measures claims and writes the results; returns the exit status."""
    failures = []
    for claim in claims:
        kept = _measure(claim, options)
        failures += kept["failures"]
        if not kept["failures"]:
            write(kept, options.results)
    if options.results == RESULTS:
        write_table(RESULTS)
    return _end(failures)


def check(claims: Sequence[str], options: argparse.Namespace) -> int:
    """Measures claims and compares them with what was kept; one that has become slower is measured once more."""
    failures, kept = [], {before["claim"]: before for before in read(options.results)}
    for claim in claims:
        if claim not in kept:
            failures.append(f"{claim}: no results to compare with; `make bench CLAIMS={claim}` measures them")
            continue
        now = _measure(claim, options)
        failures += now["failures"]
        for line in unclear(kept[claim], now):
            _say(f"  {line}")
        failures += uncompared(kept[claim], now, () if options.tf_python else ("tf-keras",))
        if worse := regressions(kept[claim], now):
            _say(f"  slower, so once more: {'; '.join(worse.values())}")
            again = regressions(kept[claim], _measure(claim, options))
            failures += [line for key, line in again.items() if key in worse]
    if not failures:
        _say("nothing is slower by more than 20 %, as far as the spread of the rounds can show")
    return _end(failures)


def write_table(results: Path) -> None:
    """Writes the tables from the results in a folder."""
    for page, written in PAGES.items():
        page.write_text(put(page.read_text(encoding="utf-8"), written(read(results))), encoding="utf-8")


def _measure(claim: str, options: argparse.Namespace) -> dict[str, Any]:
    begun = time.perf_counter()
    kept = measure(claim, {"tf-keras": options.tf_python} if options.tf_python else {}, options.rounds, _say)
    for goal in kept["goals"]:
        _say(f"  {_line(goal)}")
    _say(f"  {time.perf_counter() - begun:.0f} s")
    return kept


def _line(goal: dict[str, Any]) -> str:
    about = " ".join(filter(None, (goal["case"], "" if goal["figure"] == "seconds" else goal["figure"])))
    reached, peer = goal["reached"], goal["peer"]
    if reached is None:
        told = f"not measured against {PEERS.get(peer, peer)}"
    elif peer is None:
        told = amount(goal["figure"], reached["median"])
    else:
        told = f"{factor(reached['median'])} {PEERS.get(peer, peer)} ({range_of(reached)})"
    verdict = {"aim": "reaches the aim", "must": "reached", "short of it": "short of it"}.get(goal["verdict"])
    return ", ".join(filter(None, (f"{about}: {told}" if about else told, verdict)))


def _end(failures: Sequence[str]) -> int:
    for failure in failures:
        sys.stderr.write(f"{failure}\n")
    return 1 if failures else 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
