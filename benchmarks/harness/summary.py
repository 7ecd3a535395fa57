"""The README's summary: six of the claims in a reader's words, with the figures of the results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.harness.claim import OURS, SECONDS
from benchmarks.harness.table import UNMEASURED, median
from benchmarks.harness.units import PEERS, factor

HEAD = """| | statewise | compared with | theirs | ratio |
|---|--:|---|--:|--:|"""


@dataclass(frozen=True)
class Line:
    """One line: what was done, and the goal of a claim whose figures it shows."""

    work: str
    claim: str
    peer: str
    case: str = ""
    figure: str = SECONDS


LINES = (
    Line("Learning: a training step of LSTM(32), batch size 1", "tiny-1", "keras-jax"),
    Line("Text: one generated character, LSTM(256)", "generate", "pytorch, nn.LSTMCell"),
    Line("Streams: one step of LSTM(32)", "stream", "onnxruntime, bound", case="H=32"),
    Line(
        "Many streams: one step of 1,000 keyed streams, per stream (peer: one call each)",
        "many-streams",
        "onnxruntime",
        case="push_rows",
    ),
    Line(
        "Start-up: from a new process to the end of its first `fit`, programs cached",
        "start",
        "pytorch",
        case="first fit, warm",
        figure="seconds with imports",
    ),
    Line("Larger networks: a training step of LSTM(256), 32 rows of 64 steps", "text", "pytorch"),
)


def summary(outcomes: Sequence[dict[str, Any]]) -> str:
    """Returns the six lines as a table; lines whose claim has no results are left out."""
    rows = list(_rows({kept["claim"]: kept for kept in outcomes}))
    return "\n".join([HEAD, *rows]) if rows else UNMEASURED


def _rows(outcomes: dict[str, dict[str, Any]]) -> Iterator[str]:
    for line in LINES:
        kept = outcomes.get(line.claim, {"goals": []})
        for goal in kept["goals"]:
            if (goal["peer"], goal["case"], goal["figure"]) == (line.peer, line.case, line.figure):
                figures = (median(kept, goal, OURS), PEERS.get(line.peer, line.peer), median(kept, goal, line.peer))
                yield f"| {' | '.join([line.work, *figures, _ratio(goal)])} |"


def _ratio(goal: dict[str, Any]) -> str:
    """Returns by what factor we are faster, and says so where we are not."""
    if goal["reached"] is None:
        return "not measured"
    value = goal["reached"]["median"]
    return f"**{factor(value)}**" + (", slower" if value < 1 else "")
