"""info: show what is in a model file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from statewise.cli.output import say, say_json
from statewise.errors import FileError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def run(options: argparse.Namespace) -> None:
    """Shows as `options` say."""
    if options.model and not os.path.exists(options.model):  # before JAX is imported, which takes a while
        raise FileError(f"no model file {options.model}; `statewise train` and `model.save` make one")
    from statewise.artifact import VERSION, read_artifact
    from statewise.loading import load
    from statewise.network import network_from_config, summarize
    from statewise.text import TextModel

    header = read_artifact(options.model).header
    model = load(options.model)
    facts: dict[str, Any] = {
        "file": options.model,
        "bytes": Path(options.model).stat().st_size,
        "format": VERSION,
        "kind": header["kind"],
        "seed": header["seed"],
        "network": header["network"],
        "training": header["compiled"],
    }
    if isinstance(model, TextModel):
        facts["tokens"], facts["vocabulary"] = model.tokens, len(model.vocabulary)
        facts["window"] = model.window
    if options.json:
        say_json(facts)
        return
    inner = model.model if isinstance(model, TextModel) else model
    say(f"{options.model}: {facts['kind']} model, {facts['bytes']:,} bytes, format {VERSION}, seed {facts['seed']}")
    if isinstance(model, TextModel):
        symbols = " ".join(repr(symbol)[1:-1] for symbol in model.vocabulary.symbols[:40])
        more = " ..." if len(model.vocabulary) > 40 else ""
        memory = "the state it carries" if model.window is None else f"a window of {model.window}"
        say(f"reads text by {model.tokens}, remembers by {memory}")
        say(f"vocabulary of {len(model.vocabulary):,}: {symbols}{more}")
    say(summarize(network_from_config(header["network"]), inner.params))
    if facts["training"] is not None:
        say(f"trained with {facts['training']['optimizer']}, loss {facts['training']['loss']}")
