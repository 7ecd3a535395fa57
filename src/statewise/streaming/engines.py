"""Which engine a network's streams run on: the compiled step where Numba is installed, NumPy otherwise."""

from __future__ import annotations

import importlib.util
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from statewise.cache_folder import user_cache_folder
from statewise.errors import ConfigurationError, MissingExtraError, unknown_name
from statewise.shapes import Shape

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
def compiled_step() -> Callable[[int], int]:
    """Returns `machine.run` compiled, from the user's cache folder where an earlier process left it.

    A folder that cannot be written to, or what is damaged in it, costs the compilation, nothing else.
    """
    import numba

    from statewise.streaming.machine import run
    from statewise.streaming.vectors import quick

    def compiled(cached: bool) -> Callable[[int], int]:
        step = quick(run)
        if cached:
            step.enable_caching()
        step.compile("int64(int64)")
        return step

    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(_cache_folder())
    try:
        return compiled(cached=True)
    except Exception:  # damaged pickles raise anything; an error of the compilation itself comes again
        return compiled(cached=False)
    finally:
        numba.config.CACHE_DIR = before


def _cache_folder() -> Path:
    """Returns a folder for this code: Numba looks for changes in the one file of what it compiles only."""
    files = [Path(__file__).with_name(f"{name}.py") for name in ("instructions", "vectors", "functions", "machine")]
    return user_cache_folder() / f"numba-{zlib.crc32(b''.join(file.read_bytes() for file in files)):08x}"
