"""The table of all claims, made from the results alone, and how a table gets between a page's markers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.harness.claim import OURS, SECONDS
from benchmarks.harness.units import PEERS, amount, factor, range_of

BEGIN, END = "<!-- benchmarks: written by `make bench` -->", "<!-- /benchmarks -->"

UNMEASURED = "Not measured yet: run `make bench`."

HEAD = """| claim | work | statewise | against | theirs | ratio (quartiles) | must reach | aim |
|---|---|--:|---|--:|--:|--:|--:|"""


def put(page: str, text: str) -> str:
    """Returns `page` with `text` between the markers, in place of what was there.

    Raises:
        SystemExit: the page has not one pair of markers.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(END) < page.index(BEGIN):
        raise SystemExit(f"expected one line {BEGIN} and one line {END} after it, for the table; write them")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}"


def table(outcomes: Sequence[dict[str, Any]]) -> str:
    """Returns the table of all claims, and the machine and versions that they were measured with."""
    if not outcomes:
        return UNMEASURED
    rows = [row for kept in outcomes for row in _rows(kept)]
    return "\n".join([HEAD, *rows, "", *_remarks(outcomes), *_circumstances(outcomes)])


def _rows(kept: dict[str, Any]) -> Iterator[str]:
    claim, work, before = f"[{kept['claim']}](../{_script(kept)})", f"{kept['work']}: {kept['unit']}; ", ""
    for goal in kept["goals"]:
        part = ", ".join(filter(None, (goal["case"], "" if goal["figure"] == SECONDS else goal["figure"])))
        told = work + part if claim else ("" if part == before else part)
        yield f"| {' | '.join([claim, told.removesuffix('; '), *_figures(kept, goal)])} |"
        claim, before = "", part


def _script(kept: dict[str, Any]) -> str:
    return f"benchmarks/claims/{kept['claim'].replace('-', '_')}.py"


def _figures(kept: dict[str, Any], goal: dict[str, Any]) -> list[str]:
    """Returns the cells from ours on."""
    reached, peer = goal["reached"], goal["peer"]
    bounds = [_bound(goal, "must"), _bound(goal, "aim")]
    if goal["verdict"] == "short of it":
        bounds[0] += ", **short of it**"
    ours = median(kept, goal, OURS)
    if peer is None:
        return [ours, "", "", "", *bounds]
    ratio = "not measured" if reached is None else f"**{factor(reached['median'])}** ({range_of(reached)})"
    against = PEERS.get(peer, peer) + ("\\*" if _does_other_work(kept, goal["case"], peer) else "")
    return [ours, against, median(kept, goal, peer), ratio, *bounds]


def _does_other_work(kept: dict[str, Any], case: str, contender: str) -> bool:
    """Returns whether results are compared in this claim, and those of the contender are not."""
    found = kept["cases"][case]["contenders"][contender]
    return kept["tolerance"] is not None and bool(found["figures"] and found["note"]) and not found["compared"]


def _remarks(outcomes: Sequence[dict[str, Any]]) -> list[str]:
    """Returns what the asterisks say."""
    remarks = [
        f"{kept['claim']}: {PEERS.get(goal['peer'], goal['peer'])}, {contender['note']}"
        for kept in outcomes
        for goal in kept["goals"]
        if goal["peer"] and _does_other_work(kept, goal["case"], goal["peer"])
        for contender in [kept["cases"][goal["case"]]["contenders"][goal["peer"]]]
    ]
    return [f"\\* Not the same work. {'; '.join(dict.fromkeys(remarks))}.", ""] if remarks else []


def median(kept: dict[str, Any], goal: dict[str, Any], contender: str) -> str:
    """Returns a contender's figure with its unit; an empty text if it was not measured."""
    figures = kept["cases"][goal["case"]]["contenders"][contender]["figures"]
    found = figures.get(goal["figure"])
    return "" if found is None else amount(goal["figure"], found["median"])


def _bound(goal: dict[str, Any], name: str) -> str:
    if goal[name] is None:
        return ""
    return factor(goal[name]) if goal["peer"] is not None else f"under {amount(goal['figure'], goal[name])}"


def _circumstances(outcomes: Sequence[dict[str, Any]]) -> list[str]:
    machines = {
        f"{m['cpu']}, {m['cores']} cores{', AVX-512' if m['avx512'] else ''}, {m['system']}, Python {m['python']}, "
        f"statewise's native library {m['library']}"
        for m in (kept["machine"] for kept in outcomes)
    }
    versions = {
        f"{name} {version}"
        for kept in outcomes
        for case in kept["cases"].values()
        for contender in case["contenders"].values()
        for name, version in contender["versions"].items()
    }
    return [f"Measured on {'; '.join(sorted(machines))}, with {', '.join(sorted(versions, key=str.lower))}."]
