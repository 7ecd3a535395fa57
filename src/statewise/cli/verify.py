"""verify: check that a model's output does not depend on how its input is split, padded, ordered, saved or streamed."""

from __future__ import annotations

import argparse
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from statewise.cli.output import say, say_json
from statewise.cli.reading import load_model, read_input, refuse_stdin
from statewise.cli.score_warnings import check_known, say_left_out
from statewise.data.array_files import read_arrays

if TYPE_CHECKING:
    from statewise.diagnostics.verification import Check


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument(
        "data", metavar="DATA", help="a text for a text model, - for stdin; otherwise x in a .npy or .npz file"
    )
    parser.add_argument(
        "--tolerance", type=float, default=1e-5, metavar="X", help="largest relative difference allowed"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def run(options: argparse.Namespace) -> int:
    """Verifies as specified by `options`; returns exit status 1 if a difference exceeds the tolerance."""
    model, unknown = load_model(options.model), 0
    from statewise.text import TextModel

    if isinstance(model, TextModel):
        text = read_input(options.data)
        unknown = check_known(model, text, options.data)
        found = model.verify(text, tolerance=options.tolerance)
    else:
        refuse_stdin(options.data, "arrays")
        data = read_arrays(options.data, needed=("x",))
        found = model.verify(data["x"], reset=data.get("reset"), mask=data.get("mask"), tolerance=options.tolerance)
    if options.json:
        checks = [_plain(check) for check in found.checks]
        facts = {"passed": found.passed, "rows": found.rows, "steps": found.steps, "unknown": unknown}
        say_json({**facts, "checks": checks})
    else:
        if isinstance(model, TextModel) and unknown:
            say(say_left_out(unknown, model))
        say(f"{options.model}: {found}")
    return 0 if found.passed else 1


def _plain(check: Check) -> dict[str, Any]:
    """Returns a check as JSON values, without NaN."""
    if check.difference is None or math.isfinite(check.difference):
        return {"passed": check.passed, **asdict(check)}
    return {"passed": False, **asdict(check), "difference": None, "reason": f"the difference is {check.difference}"}
