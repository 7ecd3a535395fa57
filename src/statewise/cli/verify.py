"""verify: show that a model's answers do not depend on how its input is cut, padded, ordered, saved or streamed."""

from __future__ import annotations

import argparse
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from statewise.cli.output import load_model, say, say_json
from statewise.data.array_files import read_arrays
from statewise.foundation.files import read_text

if TYPE_CHECKING:
    from statewise.diagnostics.verification import Check


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
        checks = [_plain(check) for check in found.checks]
        say_json({"passed": found.passed, "rows": found.rows, "steps": found.steps, "checks": checks})
    else:
        say(f"{options.model}: {found}")
    return 0 if found.passed else 1


def _plain(check: Check) -> dict[str, Any]:
    """Returns a comparison as JSON holds it, which has no NaN."""
    if check.difference is None or math.isfinite(check.difference):
        return {"passed": check.passed, **asdict(check)}
    return {"passed": False, **asdict(check), "difference": None, "reason": f"the difference is {check.difference}"}
