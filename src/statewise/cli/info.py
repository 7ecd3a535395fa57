"""info: show what is in a model file, or versions, devices and the cache of compiled programs."""

from __future__ import annotations

import argparse
import shutil
from typing import Any

from statewise.cli.installation import describe_installation, installation
from statewise.cli.output import say, say_json
from statewise.cli.training_words import describe_checkpoint, describe_training
from statewise.errors import ConfigurationError, FileError
from statewise.foundation.cache_folder import step_folders
from statewise.foundation.files import as_path
from statewise.foundation.program_cache import ProgramCache

PLACE = ("first", "last", "epoch", "step", "final", "ended")
"""What is told of where a training stands: before, at its end and now, all in epochs, and batches of the next epoch."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.add_argument(
        "model", metavar="MODEL", nargs="?", help="a model file or checkpoint; without one, what a bug report needs"
    )
    parser.add_argument(
        "--clear-cache", action="store_true", help="remove all compiled programs; they are rebuilt when needed"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def run(options: argparse.Namespace) -> None:
    """Shows as `options` say."""
    if options.clear_cache and options.model is not None:
        raise ConfigurationError("--clear-cache: expected no model beside it; write `statewise info --clear-cache`")
    if options.clear_cache:
        _clear_cache(options.json)
    elif options.model is None:
        _show_installation(options.json)
    else:
        _show_model(options.model, options.json)


def _clear_cache(as_json: bool) -> None:
    try:
        cache = ProgramCache.of_user()
    except RuntimeError:
        raise FileError("there is no cache to clear: expected a home folder, or STATEWISE_CACHE to name one") from None
    steps = step_folders()
    removed = cache.clear()
    for folder in steps:
        shutil.rmtree(folder, ignore_errors=True)
    if left := len(cache.sizes()):
        raise _not_removed(f"{left:,} compiled program(s) from {cache.folder}")
    if left := len(step_folders()):
        raise _not_removed(f"the compiled step of streams, {left:,} version(s), from {steps[0].parent}")
    if as_json:
        say_json({"folder": str(cache.folder), "removed": removed, "steps_removed": len(steps)})
        return
    say(f"removed {removed:,} compiled program(s) from {cache.folder}")
    if steps:
        say(f"removed the compiled step of streams, {len(steps):,} version(s), from {steps[0].parent}")


def _not_removed(what: str) -> FileError:
    return FileError(f"cannot remove {what}: expected a folder of your own")


def _show_installation(as_json: bool) -> None:
    facts = installation()
    if as_json:
        say_json(facts)
        return
    for line in describe_installation(facts):
        say(line)


def _show_model(path: str, as_json: bool) -> None:
    if not as_path(path).exists():  # before JAX is imported, which takes a while
        raise FileError(f"no model file {path}; `statewise train` and `model.save` make one")
    from statewise.loading import load
    from statewise.network import network_from_config, summarize
    from statewise.storage.artifact import VERSION, read_artifact
    from statewise.text import TextModel

    artifact = read_artifact(path)
    header, resume = artifact.header, artifact.header.get("resume")
    model = load(path)
    facts: dict[str, Any] = {
        "file": path,
        "bytes": as_path(path).stat().st_size,
        "format": VERSION,
        "kind": artifact.kind,
        "seed": header["seed"],
        "network": header["network"],
        "training": header["compiled"],
        "epochs": header.get("epochs"),
        "checkpoint": None if resume is None else {name: resume[name] for name in PLACE},
    }
    if isinstance(model, TextModel):
        facts["tokens"], facts["vocabulary"] = model.tokens, len(model.vocabulary)
        facts["window"] = model.window
    if as_json:
        say_json(facts)
        return
    inner = model.model if isinstance(model, TextModel) else model
    say(f"{path}: {facts['kind']} model, {facts['bytes']:,} bytes, format {VERSION}, seed {facts['seed']}")
    if resume is not None:
        say(describe_checkpoint(resume))
    if isinstance(model, TextModel):
        symbols = " ".join(repr(symbol)[1:-1] for symbol in model.vocabulary.symbols[:40])
        more = " ..." if len(model.vocabulary) > 40 else ""
        memory = "the state it carries" if model.window is None else f"a window of {model.window}"
        say(f"reads text by {model.tokens}, remembers by {memory}")
        say(f"vocabulary of {len(model.vocabulary):,}: {symbols}{more}")
    say(summarize(network_from_config(header["network"]), inner.params))
    if facts["training"] is not None:
        say(describe_training(header))
