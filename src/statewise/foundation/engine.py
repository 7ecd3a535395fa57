"""What statewise needs from JAX: compiled programs, few kept in memory and more on disk, and plain arrays."""

from __future__ import annotations

import math
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from statewise.foundation.forks import is_forked
from statewise.foundation.kept_programs import KeptProgram, private
from statewise.foundation.program_cache import ProgramCache
from statewise.foundation.random import Key

WORTH_KEEPING_SECONDS = 0.2
"""Programs that compile faster than this are not written to the cache."""


@dataclass(eq=False)
class Program:
    """A function compiled for one shape of its arguments."""

    run: Callable[..., Any]
    seconds: float | None = None  # how long one of its steps takes, once known


class ProgramsByShape:
    """The programs of one function, one per argument shape; only the last `most` that were used are kept.

    JAX itself would keep all of them, at several megabytes each.

    >>> programs = ProgramsByShape(lambda: abs, most=2)
    >>> first = programs.of((3, 1))
    >>> programs.of((3, 1)) is first, len(programs)
    (True, 1)
    """

    def __init__(self, compiled: Callable[[], Callable[..., Any]], most: int) -> None:
        self._compiled, self._most = compiled, most
        self._programs: OrderedDict[Hashable, Program] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._programs)

    def of(self, shape: Hashable) -> Program:
        """Returns the program for `shape`, the same one while it is kept; it compiles when it first runs."""
        with self._lock:
            program = self._programs.get(shape)
            if program is None:
                program = self._programs[shape] = Program(self._compiled())
                if len(self._programs) > self._most:
                    self._programs.popitem(last=False)
            else:
                self._programs.move_to_end(shape)
            return program


def compiled(function: Callable[..., Any], description: str | None = None, **options: Any) -> Callable[..., Any]:
    """Returns what `jax.jit(function, **options)` does, with one operation after another on a CPU.

    With a description of everything that the function computes, its program is kept for later processes
    (`kept_programs`); the function must then always be called with arguments of the same shapes and types.

    XLA would start several small ones at once, and wait longer for the threads than the operations take: a training
    step of a small network takes a fifth longer then. Large operations use all cores all the same.
    """
    on_cpu = jax.default_backend() == "cpu"
    settings = {"xla_cpu_enable_concurrency_optimized_scheduler": False} if on_cpu else None
    jitted = jax.jit(function, compiler_options=settings, **options)
    return jitted if description is None else KeptProgram(jitted, description, kept_folder)


def kept_folder() -> Path | None:
    """Returns where programs are kept; None if they are not, as where the program that imports statewise chose so."""
    try:
        cache = ProgramCache.of_user()
    except RuntimeError:  # the user has no home directory
        return None
    if jax.config.values["jax_compilation_cache_dir"] != str(cache.folder) or is_forked():
        return None
    return private(cache.kept)


def keep_compiled_programs() -> None:
    """Turns on JAX's compilation cache, unless the program that imports statewise chose a folder itself.

    Problems with the cache only cost time, so they are not reported: if the folder cannot be created, the cache stays
    off; if it cannot be written to, it is only read; an entry that cannot be read is compiled again.
    """
    if jax.config.values["jax_compilation_cache_dir"] is not None:
        return
    try:
        cache = ProgramCache.of_user()
    except RuntimeError:  # the user has no home directory
        return
    if not cache.make():
        return
    with suppress(OSError):
        cache.tidy()
    jax.config.update("jax_compilation_cache_dir", str(cache.folder))
    worth = WORTH_KEEPING_SECONDS if cache.writable else math.inf
    jax.config.update("jax_persistent_cache_min_compile_time_secs", worth)
    jax.config.update("jax_persistent_cache_enable_xla_caches", "none")  # autotuning caches are for GPUs only
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache", UserWarning)


def keeps_compiled_programs() -> bool:
    """Returns whether compiled programs are kept on disk for the next process."""
    return jax.config.values["jax_compilation_cache_dir"] is not None


def on_device(arrays: Any) -> Any:
    """Returns nested NumPy arrays as arrays on JAX's device; in a forked process, as they are."""
    return arrays if is_forked() else jax.device_put(arrays)


def zeros(*shape: int) -> jax.Array:
    """Returns what `jax.numpy.zeros(shape)` returns, without compiling a program for it."""
    return on_device(np.broadcast_to(np.zeros((), jax.dtypes.canonicalize_dtype(float)), shape))


def jax_key(key: Key) -> jax.Array:
    """Returns a `foundation.random` key as a JAX key, whatever JAX's default generator, without compiling a program."""
    return jax.random.wrap_key_data(jax.device_put(key), impl="threefry2x32")
