"""memory: how many steps back a model really uses, and whether carrying its state or longer rows would pay."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from statewise.cli.output import load_model, say, say_json
from statewise.data.array_files import read_arrays
from statewise.foundation.files import check_writable, read_text


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("data", metavar="DATA", help="a text for a text model; else x and y in a .npz file")
    parser.add_argument("--steps", type=int, default=64, help="of a text: symbols of a row, how far back is looked")
    parser.add_argument("--plot", metavar="FILE", help="draw losses, gradients and gates: .png, .svg or .pdf")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def run(options: argparse.Namespace) -> None:
    """Reports as `options` say."""
    if options.plot is not None:
        from statewise.diagnostics.plots import check_picture

        check_picture(options.plot)
        check_writable(options.plot)
    model = load_model(options.model)
    from statewise.text import TextModel

    if isinstance(model, TextModel):
        report = model.memory_report(read_text(options.data), steps=options.steps)
    else:
        data = read_arrays(options.data, needed=("x", "y"))
        report = model.memory_report(data["x"], data["y"], reset=data.get("reset"), mask=data.get("mask"))
    if options.plot is not None:
        report.plot(options.plot)
    if options.json:
        say_json(asdict(report))
        return
    say(str(report))
    if options.plot is not None:
        say(f"picture: {options.plot}")
