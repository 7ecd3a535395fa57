"""Output shared by several commands."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from statewise.cli.score_warnings import NOUNS
from statewise.foundation.characters import show_controls
from statewise.foundation.words import plural

if TYPE_CHECKING:
    from statewise.text.scoring import TextScore


def write(text: str) -> None:
    """Prints text; on a terminal, control characters are escaped so that a model's output cannot control it."""
    sys.stdout.write(show_controls(text) if sys.stdout.isatty() else text)


def put(text: str) -> None:
    """Prints a line unwrapped: model output, or input for another program."""
    write(text + "\n")


def say(text: str = "") -> None:
    """Prints messages, wrapped between words to the width of a terminal."""
    lines = text.split("\n")
    if sys.stdout.isatty():
        columns = shutil.get_terminal_size().columns
        lines = [_wrapped(line, columns) if len(line) > columns else line for line in lines]
    put("\n".join(lines))


def _wrapped(line: str, columns: int) -> str:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(line, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def say_json(value: dict[str, Any]) -> None:
    """Prints one JSON object."""
    put(json.dumps(value, ensure_ascii=False, indent=2))


def score_table(score: TextScore, tokens: str) -> list[str]:
    """Returns a score and its baselines as lines of at most 60 columns."""
    rows = [
        ("", f"nats/{tokens}", "perplexity", "bits/char", "accuracy"),
        _row("this model", score.loss, score.accuracy, score),
        _row("bigrams", score.bigram_loss, score.bigram_accuracy, score),
        _row("unigrams", score.unigram_loss, score.unigram_accuracy, score),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]


def score_heading(score: TextScore, tokens: str, what: str) -> str:
    """Returns the heading of a score on `what`."""
    noun = NOUNS[tokens]
    skipped = f"; {plural(score.unknown, f'unknown {noun}')} skipped" if score.unknown else ""
    return f"score on {plural(score.tokens, noun)} of {what}{skipped}"


def _row(name: str, loss: float, accuracy: float, score: TextScore) -> tuple[str, str, str, str, str]:
    from math import exp

    bits = score.bits_per_character * loss / score.loss if score.loss else 0.0
    return name, f"{loss:.4f}", f"{exp(min(loss, 700)):,.2f}", f"{bits:.3f}", f"{100 * accuracy:.2f} %"
