"""The README's table, made of the results alone and put between its markers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.harness.claim import OURS, SECONDS
from benchmarks.harness.units import PEERS, amount, factor, range_of

BEGIN, END = "<!-- benchmarks: written by `make bench` -->", "<!-- /benchmarks -->"

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


def table(outcomes: Sequence[dict[str, Any]], *, bounded: bool = False, root: str = "") -> str:
    """Returns the table of all claims, and on which machine and with which versions they were measured.

    With `bounded` only figures for which a bound is set: what is claimed, and not all that was measured. `root` is the
    way from a page to the repository's root.
    """
    if not outcomes:
        return "Not measured yet: `make bench` does."
    if bounded:
        outcomes = [kept | {"goals": [goal for goal in kept["goals"] if _is_bounded(goal)]} for kept in outcomes]
    rows = [row for kept in outcomes for row in _rows(kept, root)]
    return "\n".join([HEAD, *rows, "", *_remarks(outcomes), *_circumstances(outcomes)])


def _is_bounded(goal: dict[str, Any]) -> bool:
    return goal["must"] is not None or goal["aim"] is not None


def _rows(kept: dict[str, Any], root: str) -> Iterator[str]:
    claim, work, before = f"[{kept['claim']}]({root}{_script(kept)})", f"{kept['work']}: {kept['unit']}; ", ""
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
    ours = _median(kept, goal, OURS)
    if peer is None:
        return [ours, "", "", "", *bounds]
    ratio = "not measured" if reached is None else f"**{factor(reached['median'])}** ({range_of(reached)})"
    against = PEERS.get(peer, peer) + ("\\*" if _does_other_work(kept, goal["case"], peer) else "")
    return [ours, against, _median(kept, goal, peer), ratio, *bounds]


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


def _median(kept: dict[str, Any], goal: dict[str, Any], contender: str) -> str:
    figures = kept["cases"][goal["case"]]["contenders"][contender]["figures"]
    found = figures.get(goal["figure"])
    return "" if found is None else amount(goal["figure"], found["median"])


def _bound(goal: dict[str, Any], name: str) -> str:
    if goal[name] is None:
        return ""
    return factor(goal[name]) if goal["peer"] is not None else f"under {amount(goal['figure'], goal[name])}"


def _circumstances(outcomes: Sequence[dict[str, Any]]) -> list[str]:
    machines = {
        f"{m['cpu']}, {m['cores']} cores{', AVX-512' if m['avx512'] else ''}, {m['system']}, Python {m['python']}"
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
