"""run: run a script that was written for Keras 1, Keras 2 or tf.keras, unchanged."""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING

from statewise.cli.output import say_json

if TYPE_CHECKING:
    from statewise.legacy.spellings import Spelling


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.add_argument("--quiet", action="store_true", help="do not list outdated spellings at the end")
    parser.add_argument("--fix-print", action="store_true", help="read Python 2's `print x` as print(x)")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object; what the script prints goes to stderr"
    )
    parser.add_argument("script", metavar="SCRIPT", help="a Python file; options of this command go before it")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="arguments passed to the script")


def run(options: argparse.Namespace) -> int:
    """Runs the script as specified by `options`, and returns its exit status."""
    from statewise.legacy.runner import run_script

    noted: list[Spelling] = []
    quiet = options.quiet or options.json
    with redirect_stdout(sys.stderr) if options.json else nullcontext():
        status = run_script(options.script, options.arguments, quiet=quiet, fix_print=options.fix_print, noted=noted)
    if options.json:
        spellings = [spelling._asdict() for spelling in noted]
        say_json({"script": options.script, "status": status, "spellings": spellings})
    return status
