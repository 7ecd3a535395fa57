"""Whether something has become slower than it was when the committed results were measured."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from benchmarks.harness.units import PEERS, amount, factor, range_of

KEPT_SHARE = 0.8
"""A ratio may fall to this share of what it was."""


def regressions(before: dict[str, Any], now: dict[str, Any]) -> dict[tuple[str, str, str], str]:
    """Returns what has become worse by more than 20 %, by case, figure and peer, each told in a line.

    A ratio has if its median lies below 80 % of what it was, and by more than the spread of its rounds explains. Memory
    without a peer is compared as it is. Seconds without a peer are not: another machine has others.
    """
    then = {_key(goal): goal["reached"] for goal in before["goals"]}
    worse = {}
    for goal in now["goals"]:
        was, reached = then.get(_key(goal)), goal["reached"]
        if was and reached and _is_worse(goal, was, reached):
            worse[_key(goal)] = f"{now['claim']}{_about(goal)}: {_told(goal, reached)}, was {_told(goal, was)}"
    return worse


def unclear(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Returns which ratios look worse, but whose rounds lie too far apart to say so."""
    then = {_key(goal): goal["reached"] for goal in before["goals"]}
    return [
        f"{now['claim']}{_about(goal)}: {_told(goal, reached)}, was {_told(goal, was)}: too noisy to tell"
        for goal in now["goals"]
        if goal["peer"] and (reached := goal["reached"]) and (was := then.get(_key(goal)))
        if reached["median"] < KEPT_SHARE * was["median"] and not _is_worse(goal, was, reached)
    ]


def uncompared(before: dict[str, Any], now: dict[str, Any], absent: Collection[str] = ()) -> list[str]:
    """Returns what was measured before and is not now, apart from peers that are known to be absent."""
    found = {_key(goal) for goal in now["goals"] if goal["reached"]}
    return [
        f"{before['claim']}{_about(goal)}: not measured"
        for goal in before["goals"]
        if goal["reached"] and _key(goal) not in found and goal["peer"] not in absent
    ]


def _is_worse(goal: dict[str, Any], was: dict[str, float], reached: dict[str, float]) -> bool:
    if goal["peer"] is not None:
        return reached["median"] + _uncertainty(reached) < KEPT_SHARE * was["median"]
    return goal["figure"].startswith("MB") and KEPT_SHARE * reached["lower"] > was["median"]


def _uncertainty(reached: dict[str, float]) -> float:
    """Returns how far a median of so many rounds may be off: half a notch of the box plot (McGill et al. 1978)."""
    return 1.57 * (reached["upper"] - reached["lower"]) / math.sqrt(reached["rounds"])


def _key(goal: dict[str, Any]) -> tuple[str, str, str]:
    return goal["case"], goal["figure"], goal["peer"] or ""


def _about(goal: dict[str, Any]) -> str:
    case, figure, peer = _key(goal)
    told = [case, "" if figure == "seconds" else figure, f"against {PEERS.get(peer, peer)}" if peer else ""]
    return "".join(f", {part}" for part in told if part)


def _told(goal: dict[str, Any], reached: dict[str, float]) -> str:
    if goal["peer"] is None:
        return amount(goal["figure"], reached["median"])
    return f"{factor(reached['median'])} ({range_of(reached)})"
