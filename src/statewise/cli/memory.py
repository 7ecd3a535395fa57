"""memory: measure how many steps back a model uses, and whether carrying its state or longer rows would help."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from statewise.cli.output import say, say_json
from statewise.cli.reading import load_model, read_input, refuse_stdin
from statewise.cli.score_warnings import check_known, say_left_out
from statewise.data.array_files import read_arrays
from statewise.errors import FileError
from statewise.foundation.files import as_path, check_writable


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument(
        "data", metavar="DATA", help="a text for a text model, - for stdin; otherwise x and y in a .npz file"
    )
    parser.add_argument(
        "--steps", type=int, default=64, metavar="N", help="symbols per row of a text, the farthest lag measured"
    )
    parser.add_argument("--plot", metavar="FILE", help="draw losses, gradients and gates: .png, .svg or .pdf")
    parser.add_argument("--force", action="store_true", help="replace an existing picture")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def run(options: argparse.Namespace) -> None:
    """Reports as specified by `options`."""
    if options.plot is not None:
        from statewise.diagnostics.plots import check_picture

        check_picture(options.plot)
        check_writable(options.plot)
        if as_path(options.plot).exists() and not options.force:
            raise FileError(f"{options.plot} already exists; choose another file, or add --force to replace it")
    model, unknown = load_model(options.model), 0
    from statewise.text import TextModel

    if isinstance(model, TextModel):
        text = read_input(options.data)
        unknown = check_known(model, text, options.data)
        report = model.memory_report(text, steps=options.steps)
    else:
        refuse_stdin(options.data, "arrays")
        data = read_arrays(options.data, needed=("x", "y"))
        report = model.memory_report(data["x"], data["y"], reset=data.get("reset"), mask=data.get("mask"))
    if options.plot is not None:
        report.plot(options.plot)
    if options.json:
        say_json({**asdict(report), "unknown": unknown})
        return
    if isinstance(model, TextModel) and unknown:
        say(say_left_out(unknown, model))
    say(str(report))
    if options.plot is not None:
        say(f"picture: {options.plot}")
