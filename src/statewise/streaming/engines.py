"""The choice of a stream's engine: the Numba step if it is available, otherwise NumPy."""

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

SOURCES = ("instructions", "numba_intrinsics", "numba_activations", "numba_step")
"""The modules of the Numba step."""

MAX_SYMBOLS = 2**24
"""float32, in which the Numba step reads symbols, represents every integer up to this one."""


class Engine(NamedTuple):
    """The chosen engine; `fallback` says why "auto" chose NumPy, otherwise it is None."""

    name: str
    fallback: str | None = None


def choose_engine(engine: object, step_shape: Shape, symbols: int | None) -> Engine:
    """Returns the engine for a network that reads steps of that shape.

    Raises:
        ConfigurationError: there is no such engine, or it cannot run the network.
        MissingExtraError: engine="numba", and Numba is not installed.
    """
    if engine not in ENGINES:
        raise unknown_name("engine", engine, ENGINES)
    if engine == "numpy":
        return Engine("numpy")
    if (reason := _why_unsupported(step_shape, symbols)) is not None:
        if engine == "numba":
            raise ConfigurationError(f"engine='numba': {reason}; write engine='numpy'")
        return Engine("numpy", reason)
    if not is_numba_installed():
        missing = MissingExtraError("engine='numba'", "stream")
        if engine == "numba":
            raise missing
        return Engine("numpy", str(missing))
    if (reason := _why_unusable()) is not None:
        if engine == "numba":
            raise ConfigurationError(f"engine='numba': {reason}")
        return Engine("numpy", reason)
    return Engine("numba")


def _why_unsupported(step_shape: Shape, symbols: int | None) -> str | None:
    if symbols is not None:
        return None if symbols <= MAX_SYMBOLS else f"the Numba step supports at most {MAX_SYMBOLS:,} symbols"
    if len(step_shape) == 1 and step_shape[0] is not None:
        return None
    sizes = ", ".join("?" if size is None else str(size) for size in step_shape)
    return f"the Numba step supports steps of shape [F], but this network has steps of shape [{sizes}]"


def is_numba_installed() -> bool:
    """Returns whether Numba is installed, without importing it."""
    return importlib.util.find_spec("numba") is not None


@cache
def _why_unusable() -> str | None:
    """Returns why an installed Numba cannot be used; None if it can."""
    try:
        load_numba_step()
    except Exception as error:  # whatever a broken installation raises
        return (
            f"Numba is installed but cannot be used: {error!r}; pip install --force-reinstall 'statewise[stream]', or "
            "write engine='numpy'"
        )
    return None


# -- the Numba step --------------------------------------------------------------------------------------------------

MAX_FOLDERS = 4
"""The number of versions of the Numba step to keep: several installations may share a cache."""

_compile_lock = threading.Lock()  # compiling changes Numba's global settings; one-line `with` as in streams.py


def load_numba_step() -> Callable[[int], int]:
    """Returns `numba_step.run`, compiled or loaded from the user's cache folder.

    Without a writable folder, each process compiles it; damaged cache files are rebuilt.
    """
    with _compile_lock: return _load_numba_step()  # fmt: skip


def is_step_cached() -> bool:
    """Returns whether the Numba step is in the cache; if not, compiling it takes 6 to 12 seconds."""
    folder = _cache_folder()
    return folder is not None and any(folder.rglob("*.nbi"))


@cache
def _load_numba_step() -> Callable[[int], int]:
    if (folder := _cache_folder()) is not None:
        for _ in range(2):
            try:
                return _compile(folder)
            except Exception:  # damaged pickles raise anything; a compilation error is raised again
                shutil.rmtree(folder, ignore_errors=True)
    return _compile(None)


def _compile(folder: Path | None) -> Callable[[int], int]:
    import numba

    from statewise.streaming.numba_intrinsics import numba_jit
    from statewise.streaming.numba_step import run

    step = numba_jit(run)
    if folder is not None:
        before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
        try:
            step.enable_caching()
        finally:
            numba.config.CACHE_DIR = before
    if not is_step_cached():
        sys.stderr.write("statewise: compiling the Numba step for this machine (once, 6 to 12 seconds)\n")
        sys.stderr.flush()
    step.compile("int64(int64)")
    return cast(Callable[[int], int], step)


def _cache_folder() -> Path | None:
    """Returns the cache folder of this code, None if it cannot be created; removes folders of old versions.

    Numba checks only the file of the compiled function for changes, and without a folder it would write its cache into
    the package.
    """
    try:
        files = [Path(__file__).with_name(f"{name}.py") for name in SOURCES]
        code = b"".join(file.read_bytes() for file in files)
        folder = user_cache_folder() / f"numba-{zlib.crc32(code):08x}"
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            for old in step_folders()[:-MAX_FOLDERS]:
                shutil.rmtree(old, ignore_errors=True)
    except (OSError, RuntimeError):  # for example, the user has no home folder
        return None
    return folder if os.access(folder, os.R_OK | os.W_OK | os.X_OK) else None
