"""What a user waits for before the work begins, each time in a new process: the command line, imports, a first `fit`.

The first `fit` is that of `tiny-1`, one epoch. It is told without what was imported before it, and with it; cold, when
nothing was ever compiled on this machine, and warm, with the programs that a run before left in the user's cache
folder. Keras and PyTorch do the same; by themselves they keep no programs. "python" is the interpreter doing nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks.harness.claim import Claim, Contender, Faster, Told, Unable, Under

WITH_IMPORTS = "seconds with imports"
PEAK = "MB at most"

FIRST = """
import time
begun = time.perf_counter()
{imports}
imported = time.perf_counter()
from benchmarks.claims.tiny_1 import TASK
from benchmarks.harness.contender import peak_mb
from benchmarks.peers import {module}
ready = time.perf_counter()
{module}.train(TASK{backend}).work(1)
ended = time.perf_counter()
import json
with_imports = imported - begun + ended - ready
print(json.dumps({{"seconds": ended - ready, "{with_imports}": with_imports, "{peak}": peak_mb()}}))
"""
"""A process that imports a framework, makes the model of `tiny-1` and trains it for an epoch."""

SOURCES = {
    "statewise": {"imports": "import jax, statewise", "module": "in_statewise", "backend": ""},
    "pytorch": {"imports": "import torch", "module": "in_pytorch", "backend": ""},
    "keras-jax": {
        "imports": "import os; os.environ['KERAS_BACKEND'] = 'jax'; import keras",
        "module": "in_keras",
        "backend": ", 'jax'",
    },
}


def _run(*arguments: str, **environment: str) -> str:
    """Returns what a new process of this interpreter prints."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return done.stdout


def _wall(*arguments: str) -> Told:
    def measure() -> dict[str, float]:
        begun = time.perf_counter()
        _run(*arguments)
        return {"seconds": time.perf_counter() - begun}

    return Told(measure)


def _importing(line: str) -> Told:
    """Returns how long a line takes in an interpreter that is up."""
    script = f"import time; begun = time.perf_counter(); {line}; print(time.perf_counter() - begun)"
    return Told(lambda: {"seconds": float(_run("-c", script))})


def _first_fit(name: str, cold: bool) -> Told:
    """Returns the figures of a process that is new; so is the cache's folder where `cold`."""
    script = FIRST.format(**SOURCES[name], with_imports=WITH_IMPORTS, peak=PEAK)
    kept = tempfile.TemporaryDirectory()

    def measure() -> dict[str, float]:
        with tempfile.TemporaryDirectory() as empty:
            printed = _run("-c", script, STATEWISE_CACHE=empty if cold else kept.name)
        figures: dict[str, float] = json.loads(printed.splitlines()[-1])
        return figures

    return Told(measure)


CASES: dict[str, dict[str, Callable[[], Told]]] = {
    "--help": {
        "statewise": lambda: _wall("-m", "statewise", "--help"),
        "python": lambda: _wall("-c", "pass"),
    },
    "import": {
        "statewise": lambda: _importing("import statewise"),
        "pytorch": lambda: _importing("import torch"),
        "keras-jax": lambda: _importing(f"{SOURCES['keras-jax']['imports']}"),
    },
    "first fit, cold": {
        "statewise": lambda: _first_fit("statewise", cold=True),
        "pytorch": lambda: _first_fit("pytorch", cold=True),
        "keras-jax": lambda: _first_fit("keras-jax", cold=True),
    },
    "first fit, warm": {
        "statewise": lambda: _first_fit("statewise", cold=False),
        "pytorch": lambda: _first_fit("pytorch", cold=False),
        "keras-jax": lambda: _first_fit("keras-jax", cold=False),
    },
}


def _contender(name: str) -> Contender:
    def start(case: dict[str, Callable[[], Any]]) -> Told:
        if name not in case:
            raise Unable("has no part in this")
        told: Told = case[name]()
        return told

    return start


CLAIM = Claim(
    work="a new process; the first `fit` is an epoch of `tiny-1`",
    unit="from its start to the result",
    contenders={name: _contender(name) for name in ("statewise", "python", "pytorch", "keras-jax")},
    cases=CASES,
    goals=[
        Under(must=0.3, case="--help"),
        Faster("python", case="--help"),
        Under(must=0.1, case="import"),
        Faster("pytorch", case="import"),
        Faster("keras-jax", case="import"),
        Under(must=1.3, case="first fit, cold"),
        Under(case="first fit, cold", figure=WITH_IMPORTS),
        Faster("keras-jax", case="first fit, cold"),
        Under(must=0.3, case="first fit, warm"),
        Under(case="first fit, warm", figure=WITH_IMPORTS),
        Faster("pytorch", case="first fit, warm", figure=WITH_IMPORTS),
        Under(must=400, case="first fit, cold", figure=PEAK),
        Faster("pytorch", case="first fit, cold", figure=PEAK),
    ],
    rounds=5,
)
