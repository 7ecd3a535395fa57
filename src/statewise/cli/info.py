"""info: describe a model file, or show versions, devices and the cache of compiled programs."""

from __future__ import annotations

import argparse
from typing import Any

from statewise.cli.installation import describe_installation, installation
from statewise.cli.output import say, say_json
from statewise.cli.training_summary import describe_checkpoint, describe_training
from statewise.errors import ConfigurationError, FileError
from statewise.foundation.files import as_path
from statewise.foundation.program_cache import ProgramCache
from statewise.foundation.words import plural

PLACE = ("first", "last", "epoch", "step", "final", "ended")
"""Progress reported for a checkpoint: first, last and current epoch, batches done of the next, and how it ended."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.add_argument(
        "model", metavar="MODEL", nargs="?", help="a model file or checkpoint; without one, the facts for a bug report"
    )
    parser.add_argument(
        "--clear-cache", action="store_true", help="remove all compiled programs; they are rebuilt when needed"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def run(options: argparse.Namespace) -> None:
    """Shows what `options` ask for."""
    if options.clear_cache and options.model is not None:
        raise ConfigurationError("--clear-cache takes no model; write `statewise info --clear-cache`")
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
        raise FileError("there is no cache to clear: expected a home folder, or STATEWISE_CACHE") from None
    removed = cache.clear()
    if left := len(cache.sizes()):
        raise _not_removed(f"{plural(left, 'compiled program')} from {cache.folder}")
    if as_json:
        say_json({"folder": str(cache.folder), "removed": removed})
        return
    say(f"removed {plural(removed, 'compiled program')} from {cache.folder}")


def _not_removed(what: str) -> FileError:
    return FileError(f"cannot remove {what}: expected a writable folder")


def _show_installation(as_json: bool) -> None:
    facts = installation()
    if as_json:
        say_json(facts)
        return
    for line in describe_installation(facts):
        say(line)


def _show_model(path: str, as_json: bool) -> None:
    if not as_path(path).exists():  # before the slow import of JAX
        raise FileError(f"no model file {path}; `statewise train` and `model.save` create one")
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
        memory = "carries its state" if model.window is None else f"sees a window of {model.window}"
        say(f"reads text by {model.tokens}, {memory}")
        say(f"vocabulary of {len(model.vocabulary):,}: {symbols}{more}")
    say(summarize(network_from_config(header["network"]), inner.params))
    if facts["training"] is not None:
        say(describe_training(header))
