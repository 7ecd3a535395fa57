"""The model that `train` trains: a new one, or one loaded from a file."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

import numpy as np

from statewise.cli.output import say
from statewise.cli.reading import load_text_model
from statewise.data.codecs import Vocabulary
from statewise.errors import ConfigurationError, DataError
from statewise.foundation.files import as_path
from statewise.foundation.words import plural

if TYPE_CHECKING:
    from statewise.foundation.shapes import Array
    from statewise.text import TextModel
    from statewise.text.plan import Plan
    from statewise.training.history import History

NETWORK = {"tokens": "char", "units": 256, "layers": 1, "embedding": 64, "dropout": 0.1, "window": None, "seed": 0}
"""Defaults of a new model's options."""


def open_model(options: argparse.Namespace) -> TextModel:
    """Returns the model to train.

    Raises:
        ConfigurationError: an option contradicts the model to continue training, or requires one.
        FileError: the file holds no text model.
    """
    given = {name: getattr(options, name) for name in NETWORK if getattr(options, name) is not None}
    if options.model is not None:
        return _check_options(load_text_model(options.model), given, options.model)
    if options.new_symbols == "add":
        raise ConfigurationError("--new-symbols add requires --model; a new model learns all symbols of its text")
    import statewise as sw

    return sw.TextModel(**{**NETWORK, **given})


def _check_options(model: TextModel, given: dict[str, object], path: str) -> TextModel:
    other = [
        f"--{name} {value} (the model has {getattr(model, name)})"
        for name, value in given.items()
        if getattr(model, name) != value
    ]
    if other:
        raise ConfigurationError(
            f"{path} keeps its network when training continues, but got {', '.join(other)}; omit the "
            "network options, or train a new model without --model"
        )
    return model


def read_symbols(model: TextModel, text: str, options: argparse.Namespace) -> Vocabulary:
    """Returns the symbols that the model will know.

    Raises:
        DataError: some symbols are new and `--new-symbols` is "refuse", or nothing can be learned from the text.
    """
    from statewise.text.fit_task import read_vocabulary, say_unknown

    known = None if options.model is None else model.vocabulary
    new = [] if known is None else known.unknown(text)
    if new and options.new_symbols != "add":
        raise DataError(
            f"{say_unknown(new, model.tokens)}: --new-symbols add adds them and keeps everything learned so far; "
            "without --model, a new model learns this text only"
        )
    return read_vocabulary(text, model.tokens, known, options.new_symbols)


def ended_training(model: TextModel, ids: Array, plan: Plan, options: argparse.Namespace) -> History | None:
    """Returns the history if the checkpoint holds this training, finished, and it produced the model; otherwise None.

    So repeating a command that was killed just before it exited does not train a second time.
    """
    from statewise.storage.artifact import read_artifact
    from statewise.text.fit_task import describe
    from statewise.training.history import History

    if options.model is None or options.checkpoint is None or not as_path(options.checkpoint).exists():
        return None
    kept, made = read_artifact(options.checkpoint), model.to_artifact().arrays
    resume = kept.header.get("resume") or {}
    if kept.header.get("plan") != describe(model.options, ids, plan, options.optimizer, options.learning_rate):
        return None
    weights = [name for name in made if name.startswith("params")]
    if not resume.get("final") or not all(np.array_equal(made[name], kept.arrays.get(name, ())) for name in weights):
        return None
    return History(**resume["history"])


def say_continuing(model: TextModel, vocabulary: Vocabulary, path: str) -> None:
    """Prints how long the model was trained before, and which symbols are added to its vocabulary."""
    say(f"{path}: trained for {plural(model.model.epochs_done, 'epoch')} so far; training continues")
    if new := vocabulary.symbols[len(model.vocabulary) :]:
        shown = " ".join(map(repr, new[:8])) + (" ..." if len(new) > 8 else "")
        say(f"{plural(len(new), 'new symbol')} added to the {len(model.vocabulary):,} in its vocabulary: {shown}")


def how_to_continue(place: str, options: argparse.Namespace) -> str:
    """Returns instructions for continuing an interrupted training."""
    if options.checkpoint is not None:
        return "repeat the same command to continue"
    share = "" if options.held_out == 0.1 else f" --held-out {options.held_out:g}"
    return f"`statewise train {shlex.quote(options.text)} --model {shlex.quote(place)}{share}` continues training it"
