"""verify: show that a model's answers do not depend on how its input is cut, padded, ordered, saved or streamed."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from statewise.cli.output import load_model, say, say_json
from statewise.data.sources import read_arrays
from statewise.files import read_text


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("data", metavar="DATA", help="a text for a text model; else x in a .npy file or, by name, .npz")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="largest relative difference allowed")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def run(options: argparse.Namespace) -> int:
    """Verifies as `options` say, and returns the exit status: 1 if a difference exceeds its tolerance."""
    model = load_model(options.model)
    from statewise.text import TextModel

    if isinstance(model, TextModel):
        found = model.verify(read_text(options.data), tolerance=options.tolerance)
    else:
        data = read_arrays(options.data, needed=("x",))
        found = model.verify(data["x"], reset=data.get("reset"), mask=data.get("mask"), tolerance=options.tolerance)
    if options.json:
        say_json({"passed": found.passed, **asdict(found)})
    else:
        say(f"{options.model}: {found}")
    return 0 if found.passed else 1
