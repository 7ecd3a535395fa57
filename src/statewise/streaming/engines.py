"""Which engine a network's streams run on: the compiled step where Numba can be used, NumPy otherwise."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import threading
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple, cast

from statewise.errors import ConfigurationError, MissingExtraError, unknown_name
from statewise.foundation.cache_folder import step_folders, user_cache_folder
from statewise.foundation.shapes import Shape

ENGINES = ("auto", "numba", "numpy")

MOST_SYMBOLS = 2**24
"""Up to here float32, in which the compiled step reads symbols, has every whole number."""


class Engine(NamedTuple):
    """What was chosen, and why it is NumPy if the choice was left open; None where there is nothing to explain."""

    name: str
    fallback: str | None = None


def choose_engine(engine: object, step_shape: Shape, symbols: int | None) -> Engine:
    """Returns the engine for a network that reads steps of that shape.

    Raises:
        ConfigurationError: there is no such engine, or it cannot run the network.
        MissingExtraError: Numba is asked for by name and not installed.
    """
    if engine not in ENGINES:
        raise unknown_name("engine", engine, ENGINES)
    if engine == "numpy":
        return Engine("numpy")
    if (reason := _cannot(step_shape, symbols)) is not None:
        if engine == "numba":
            raise ConfigurationError(f"engine='numba': {reason}; write engine='numpy'")
        return Engine("numpy", reason)
    if not numba_is_there():
        missing = MissingExtraError("engine='numba'", "stream")
        if engine == "numba":
            raise missing
        return Engine("numpy", str(missing))
    if (reason := _unusable()) is not None:
        if engine == "numba":
            raise ConfigurationError(f"engine='numba': {reason}")
        return Engine("numpy", reason)
    return Engine("numba")


def _cannot(step_shape: Shape, symbols: int | None) -> str | None:
    if symbols is not None:
        return None if symbols <= MOST_SYMBOLS else f"the compiled step reads up to {MOST_SYMBOLS:,} different symbols"
    if len(step_shape) == 1 and step_shape[0] is not None:
        return None
    sizes = ", ".join("?" if size is None else str(size) for size in step_shape)
    return f"the compiled step reads steps of shape [F], this network's are of shape [{sizes}]"


def numba_is_there() -> bool:
    """Returns whether Numba is installed, without importing it."""
    return importlib.util.find_spec("numba") is not None


@cache
def _unusable() -> str | None:
    """Returns why Numba, which is installed, cannot be used; None if it can."""
    try:
        compiled_step()
    except Exception as error:  # whatever a broken installation raises
        return (
            f"Numba is installed but cannot be used: {error!r}; pip install --force-reinstall 'statewise[stream]', or "
            "write engine='numpy'"
        )
    return None


# -- the compiled step -----------------------------------------------------------------------------------------------

MOST_FOLDERS = 4
"""How many versions of the compiled step are kept: installations of several may share a cache."""

_one_at_a_time = threading.Lock()  # while compiling, Numba's settings are ours; on one line, as in streams.py


def compiled_step() -> Callable[[int], int]:
    """Returns `machine.run` compiled, from the user's cache folder where an earlier process left it.

    A folder that cannot be written to costs the compilation; what is damaged in it is made anew.
    """
    with _one_at_a_time: return _compiled_step()  # fmt: skip


def step_is_compiled() -> bool:
    """Returns whether an earlier process left the compiled step; if not, making it takes 6 to 12 seconds."""
    folder = _cache_folder()
    return folder is not None and any(folder.rglob("*.nbi"))


@cache
def _compiled_step() -> Callable[[int], int]:
    if (folder := _cache_folder()) is not None:
        for _ in range(2):
            try:
                return _compile(folder)
            except Exception:  # damaged pickles raise anything; an error of the compilation itself comes again
                shutil.rmtree(folder, ignore_errors=True)
    return _compile(None)


def _compile(folder: Path | None) -> Callable[[int], int]:
    import numba

    from statewise.streaming.machine import run
    from statewise.streaming.vectors import quick

    step = quick(run)
    if folder is not None:
        before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
        try:
            step.enable_caching()
        finally:
            numba.config.CACHE_DIR = before
    if not step_is_compiled():
        sys.stderr.write("statewise: compiling the step of streams for this machine: once, 6 to 12 seconds\n")
        sys.stderr.flush()
    step.compile("int64(int64)")
    return cast(Callable[[int], int], step)


def _cache_folder() -> Path | None:
    """Returns a folder for this code, None where there can be none; those of old versions go.

    Numba looks for changes in the one file of what it compiles only, and without a folder to write to it would keep
    the result inside the package.
    """
    try:
        files = [Path(__file__).with_name(f"{name}.py") for name in ("instructions", "vectors", "functions", "machine")]
        code = b"".join(file.read_bytes() for file in files)
        folder = user_cache_folder() / f"numba-{zlib.crc32(code):08x}"
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            for old in step_folders()[:-MOST_FOLDERS]:
                shutil.rmtree(old, ignore_errors=True)
    except (OSError, RuntimeError):  # the user has no home, for instance
        return None
    return folder if os.access(folder, os.R_OK | os.W_OK | os.X_OK) else None
