"""The model that `train` trains: a new one, or one from a file."""

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
"""What a new model is made with where its option is not given."""


def open_model(options: argparse.Namespace) -> TextModel:
    """Returns the model that is to learn the text.

    Raises:
        ConfigurationError: an option that says otherwise than the model to train further, or only goes with one.
        FileError: that is no text model.
    """
    given = {name: getattr(options, name) for name in NETWORK if getattr(options, name) is not None}
    if options.model is not None:
        return _check_options(load_text_model(options.model), given, options.model)
    if options.new_symbols == "add":
        raise ConfigurationError(
            "--new-symbols add: expected --model beside it; a new model learns all symbols of its text"
        )
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
            f"{path} is trained further as it is, but got {', '.join(other)}; leave out what describes the network, or "
            "train a new one without --model"
        )
    return model


def read_symbols(model: TextModel, text: str, options: argparse.Namespace) -> Vocabulary:
    """Returns the symbols that the model will know.

    Raises:
        DataError: some are new to the model, and not to be added; or nothing can be learned from the text.
    """
    from statewise.text.lesson import read_vocabulary, say_unknown

    known = None if options.model is None else model.vocabulary
    new = [] if known is None else known.unknown(text)
    if new and options.new_symbols != "add":
        raise DataError(
            f"{say_unknown(new, model.tokens)}: --new-symbols add adds them and keeps all that was learned; without "
            "--model a new model learns this text alone"
        )
    return read_vocabulary(text, model.tokens, known, options.new_symbols)


def ended_training(model: TextModel, ids: Array, plan: Plan, options: argparse.Namespace) -> History | None:
    """Returns the history of this training if the checkpoint holds it, at its end, and it made the model; or None.

    So the same command, given again after a kill in its last moments, does not train a second time.
    """
    from statewise.storage.artifact import read_artifact
    from statewise.text.lesson import describe
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
    """Says how far a model is that is trained further, and which symbols are added to those that it knows."""
    say(f"{path}: trained for {plural(model.model.epochs_done, 'epoch')} before; training continues")
    if new := vocabulary.symbols[len(model.vocabulary) :]:
        shown = " ".join(map(repr, new[:8])) + (" ..." if len(new) > 8 else "")
        say(f"{plural(len(new), 'new symbol')} beside the {len(model.vocabulary):,} that it knows: {shown}")


def how_to_continue(place: str, options: argparse.Namespace) -> str:
    """Returns in words what to type to continue a training that was interrupted."""
    if options.checkpoint is not None:
        return "give the same command again to continue"
    share = "" if options.held_out == 0.1 else f" --held-out {options.held_out:g}"
    return f"`statewise train {shlex.quote(options.text)} --model {shlex.quote(place)}{share}` trains it further"
