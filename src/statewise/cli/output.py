"""What several commands print."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from statewise.foundation.characters import show_controls

if TYPE_CHECKING:
    from statewise.text.scoring import TextScore


def say(line: str = "") -> None:
    """Prints a line."""
    write(line + "\n")


def write(text: str) -> None:
    """Prints a text, to a terminal without control characters: a model that learned some must not command it."""
    sys.stdout.write(show_controls(text) if sys.stdout.isatty() else text)


def say_json(value: dict[str, Any]) -> None:
    """Prints a value for machines: one JSON object."""
    say(json.dumps(value, ensure_ascii=False, indent=2))


def score_table(score: TextScore, tokens: str) -> list[str]:
    """Returns the lines that show a score beside its baselines."""
    rows = [
        ("", f"nats per {tokens}", "perplexity", "bits per character", "accuracy"),
        _row("this model", score.loss, score.accuracy, score),
        _row("bigrams", score.bigram_loss, score.bigram_accuracy, score),
        _row("unigrams", score.unigram_loss, score.unigram_accuracy, score),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    if score.unknown:
        lines.append(f"{score.unknown:,} token(s) are not in the vocabulary: skipped, not scored")
    return lines


def _row(name: str, loss: float, accuracy: float, score: TextScore) -> tuple[str, str, str, str, str]:
    from math import exp

    bits = score.bits_per_character * loss / score.loss if score.loss else 0.0
    return name, f"{loss:.4f}", f"{exp(min(loss, 700)):,.2f}", f"{bits:.3f}", f"{100 * accuracy:.2f} %"
