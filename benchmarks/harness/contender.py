"""One contender's process: it says when it is ready, then takes a turn each time it is told to.

python -m benchmarks.harness.contender CLAIM CASE CONTENDER

Reads a number of passes a line, answers a line of JSON, and ends where its input does. Only what the contender itself
imports is loaded, so that no framework shares threads, allocator or memory with another.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from benchmarks.harness.agreement import numbers
from benchmarks.harness.claim import MB_GROWN, SECONDS, Claim, Timed, Told, Unable, load

FRAMEWORKS = ("statewise", "jax", "numpy", "torch", "keras", "tf_keras", "tensorflow", "onnxruntime")


def main() -> None:
    """Serves one contender on standard input and output; what frameworks print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    name, case, contender = sys.argv[1:]
    try:
        _serve(load(name), case, contender, answers)
    except Unable as reason:
        _answer(answers, {"unable": str(reason)})
    except ModuleNotFoundError as missing:
        _answer(answers, {"unable": f"{missing.name} is not installed"})


def _serve(claim: Claim, case: str, contender: str, answers: TextIO) -> None:
    ready = claim.contenders[contender](claim.cases[case])
    before = peak_mb()
    result = None
    if isinstance(ready, Told):
        ready.measure()  # the first time reads files from disk
    else:
        result = numbers(ready.work(claim.checked))
        result = result if ready.compared and claim.tolerance is not None else None
    _answer(answers, {"result": result, "note": ready.note, "versions": versions(), "told": isinstance(ready, Told)})
    for line in sys.stdin:
        _answer(answers, ready.measure() if isinstance(ready, Told) else _turn(claim, ready, int(line)))
    told = {} if isinstance(ready, Told) else {MB_GROWN: peak_mb() - before}
    _answer(answers, told)


def _turn(claim: Claim, ready: Timed, passes: int) -> dict[str, float]:
    """Returns the seconds of a unit, with the setting that did them quickest."""

    def seconds(set_up: Callable[[], object]) -> float:
        set_up()
        begun = time.perf_counter()
        ready.work(passes)
        return (time.perf_counter() - begun) / (passes * claim.units)

    return {SECONDS: min(map(seconds, ready.settings.values()))}


def _answer(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def versions() -> dict[str, str]:
    """Returns the versions of the frameworks that are loaded."""
    return {name: _version(name) for name in FRAMEWORKS if name in sys.modules}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name.replace("_", "-"))
    except importlib.metadata.PackageNotFoundError:  # tensorflow-cpu is loaded as tensorflow
        return str(sys.modules[name].__version__)


def peak_mb() -> float:
    """Returns the most memory that this process ever had, in MB of 10^6 bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main()
