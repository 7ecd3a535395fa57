"""The task of one call of `fit`: a text, its symbols, the plan, the held-out text, and the arguments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optax

from statewise.data.codecs import Vocabulary, check_content
from statewise.data.tokens import SAMPLED, are_clauses
from statewise.errors import ConfigurationError, DataError, unknown_name, warn
from statewise.foundation.files import as_path
from statewise.foundation.shapes import Array
from statewise.foundation.words import plural
from statewise.optimizers.optimizer import Optimizer
from statewise.storage.artifact import read_artifact
from statewise.text.baselines import checksum
from statewise.text.plan import Plan

NEW_SYMBOLS = ("refuse", "add")
"""What to do with symbols of another text that the model does not know."""

SHOWN = 8
"""The number of unknown symbols shown in messages."""


@dataclass(frozen=True)
class FitTask:
    """What one call of `fit` learns, and how; `asked` is a description of its arguments as JSON values."""

    vocabulary: Vocabulary  # of the model, with the new symbols of this text
    ids: Array  # int32 [N]
    plan: Plan
    optimizer: Optimizer | optax.GradientTransformation
    held_out: Array | None  # int32 [M], -1 for symbols that are not in the vocabulary
    asked: dict[str, Any]


def read_vocabulary(text: str, tokens: str, known: Vocabulary | None, new_symbols: str) -> Vocabulary:
    """Returns the vocabulary to learn `text` with; `known` is that of the model, None if it is new.

    Raises:
        ConfigurationError: `new_symbols` is neither "refuse" nor "add".
        DataError: the text is empty, is the name of a file, or has new symbols that are not to be added.
    """
    if new_symbols not in NEW_SYMBOLS:
        raise unknown_name("new_symbols", new_symbols, NEW_SYMBOLS)
    check_content("text", text)
    if known is None:
        return Vocabulary.of(text, tokens)
    new = known.unknown(text)
    if new and new_symbols == "refuse":
        raise DataError(
            f"{say_unknown(new, tokens)}: fit(text, new_symbols='add') adds them and keeps everything learned so far; "
            "a new TextModel learns this text only"
        )
    return known.with_symbols_of(text) if new else known


def say_unknown(symbols: list[str], tokens: str) -> str:
    """Returns a message about symbols that are new to a model.

    >>> say_unknown(["x", "y"], "char")
    "the text has 2 chars that the model does not know, 'x' 'y'"
    """
    shown = " ".join(map(repr, symbols[:SHOWN])) + (" ..." if len(symbols) > SHOWN else "")
    return f"the text has {plural(len(symbols), tokens)} that the model does not know, {shown}"


def warn_of_clauses(task: FitTask) -> None:
    """Warns about words as long as clauses, as in a text without spaces between words."""
    symbols = task.vocabulary.symbols
    if task.vocabulary.tokens == "word" and are_clauses([symbols[number] for number in task.ids[:SAMPLED]]):
        longest = max(symbols, key=len)
        warn(
            f"the words of this text are as long as clauses, such as {longest!r:.40}: use "
            "tokens='char' (--tokens char) for a text without spaces between words, such as Chinese or Thai"
        )


def describe(
    options: dict[str, Any], ids: Array, plan: Plan, optimizer: str | Optimizer, learning_rate: float
) -> dict[str, Any]:
    """Returns what identifies a training in a checkpoint: the model's options, the text, and the arguments of `fit`."""
    asked = {"text": checksum(ids), "batch_size": plan.batch_size, "steps": plan.steps, "epochs": plan.epochs}
    if isinstance(optimizer, str):
        asked |= {"optimizer": optimizer, "learning_rate": learning_rate}
    return {**options, **asked}


class OtherTrainingError(ConfigurationError):
    """A checkpoint belongs to another training; `change` says which arguments differ."""

    def __init__(self, path: str | Path, change: str) -> None:
        self.path, self.change = path, change
        super().__init__(
            f"{path} is the checkpoint of another training: {change}; repeat the call that created it, choose another "
            "file, or continue training its model: statewise.load(path), then fit"
        )


def explain_checkpoint(error: ConfigurationError, path: str | Path, asked: dict[str, Any]) -> ConfigurationError:
    """Returns why a checkpoint was refused, in terms of `fit`'s arguments if one of them changed."""
    kept = read_artifact(path).header.get("plan") if as_path(path).exists() else None
    if not isinstance(kept, dict) or kept == asked:
        return error
    changes = [
        "the text is different" if name == "text" else f"{name} was {kept.get(name)!r}, now {asked[name]!r}"
        for name in asked
        if kept.get(name) != asked[name]
    ]
    return OtherTrainingError(path, ", ".join(changes))
