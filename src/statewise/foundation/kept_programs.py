"""Compiled programs under a key of statewise's own, so that a later process neither traces nor compiles them.

JAX's cache knows a program by its code, which must be made first: that takes most of a warm start. Here the key is a
description of what is computed, the arguments' shapes, and everything else that the code depends on: versions, JAX's
settings, the processor, the native library. What has no dependable description is left to JAX's cache.

An entry is unpickled when it is read. So the folder belongs to the user alone, and entries are never part of a model
file.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
from jax.experimental.serialize_executable import deserialize_and_load, serialize

from statewise.foundation.files import write_whole
from statewise.foundation.program_cache import checked, content_of
from statewise.native import ffi
from statewise.native.library import identity

PACKAGE = Path(__file__).parents[1]

UNIMPORTANT = ("cache", "log", "traceback", "debug", "dump", "profiler")
"""JAX's settings with these words in their names do not change a program."""


class KeptProgram:
    """A function compiled for the shapes of its first call, or loaded if an earlier process compiled the same.

    Args:
        jitted: what `jax.jit` returned; an attribute too.
        description: what the function computes, with every option; two functions with the same one are the same.
        folder: where programs are kept.
    """

    def __init__(self, jitted: Any, description: str, folder: Callable[[], Path | None]) -> None:
        self.jitted, self._description, self._folder = jitted, description, folder
        self._run: Callable[..., Any] | None = None
        self._lock = threading.Lock()

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Calls the function; `options` are its static arguments and arrays by name."""
        if self._run is None:
            with self._lock:
                if self._run is None:
                    self._run = self._make(arguments, options)
        return self._run(*arguments, **options)

    def _make(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> Callable[..., Any]:
        folder = self._folder()
        if folder is None:
            return self.jitted
        arrays = {name: value for name, value in options.items() if _is_array_tree(value)}
        static = {name: value for name, value in options.items() if name not in arrays}
        signature = repr((self._description, static, _signature((arguments, arrays)), environment()))
        file = folder / f"{hashlib.sha256(signature.encode()).hexdigest()}.program"
        program = _load(file) or self._compile(file, arguments, options)

        def run(*arguments: Any, **options: Any) -> Any:
            try:
                return program(*arguments, **{name: options[name] for name in arrays})
            except TypeError:  # other types than in the first call, which `jax.jit` compiles for
                self._run = self.jitted
                return self.jitted(*arguments, **options)

        return run

    def _compile(self, file: Path, arguments: tuple[Any, ...], options: dict[str, Any]) -> Callable[..., Any]:
        with _compiled_here() as loaded:
            program: Any = self.jitted.lower(*arguments, **options).compile()
        if not loaded:
            _save(file, program)
        return program


def _is_array_tree(value: Any) -> bool:
    leaves = jax.tree.leaves(value)
    return all(hasattr(leaf, "dtype") for leaf in leaves) and (value is None or bool(leaves))


def _signature(tree: Any) -> str:
    """Returns the structure of nested arrays, and each one's shape, type, and whether it is only weakly typed."""
    leaves, structure = jax.tree.flatten(tree)
    return repr((str(structure), [str(jax.typeof(leaf)) + str(getattr(leaf, "weak_type", "")) for leaf in leaves]))


# -- files -----------------------------------------------------------------------------------------------------------


def private(folder: Path) -> Path | None:
    """Returns the folder, made if necessary; None if others could write into it, or it cannot be made or written."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.stat()
        if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o077):
            return None
        return folder if os.access(folder, os.R_OK | os.W_OK | os.X_OK) else None
    return None


def _load(file: Path) -> Callable[..., Any] | None:
    """Returns the program in a file; None if there is none, or it cannot be used, which only costs time."""
    try:
        content = content_of(file)
        return None if content is None else deserialize_and_load(*pickle.loads(content))
    except Exception:  # whatever a file of other versions or a damaged one raises
        with suppress(OSError):
            file.unlink()
        return None


def _save(file: Path, program: Any) -> None:
    """Writes a program, whole or not at all; if that fails, the next process compiles it again."""
    with suppress(Exception):
        write_whole(file, checked(pickle.dumps(serialize(program))))


@contextmanager
def _compiled_here() -> Iterator[list[str]]:
    """Lets JAX's cache not write programs meanwhile; the list is not empty if it read one.

    Such a one cannot be kept: JAX writes it incompletely, and it would fail to load.
    """
    hits: list[str] = []
    thread = threading.get_ident()

    def note(event: str, **_: Any) -> None:
        if event.endswith("cache_hits") and threading.get_ident() == thread:
            hits.append(event)

    least = jax.config.values["jax_persistent_cache_min_compile_time_secs"]
    jax.monitoring.register_event_listener(note)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", float("inf"))
    try:
        yield hits
    finally:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", least)
        jax.monitoring.unregister_event_listener(note)


# -- what programs depend on -----------------------------------------------------------------------------------------


def environment() -> str:
    """Returns everything that a program depends on besides what it computes and its arguments."""
    plain = (bool, int, float, str, type(None))
    settings = sorted(
        (name, value)
        for name, value in jax.config.values.items()
        if isinstance(value, plain) and not any(word in name for word in UNIMPORTANT)
    )
    return repr((_installed(), settings, jax.device_count(), os.environ.get("XLA_FLAGS", "")))


@lru_cache(maxsize=1)
def _installed() -> str:
    versions = (jax.__version__, version("jaxlib"), sys.version, platform.platform())
    native = identity() if ffi.is_registered() else ""  # registered before a program that calls it is loaded
    return repr((versions, jax.default_backend(), _processor(), native, _sources()))


def _processor() -> str:
    """Returns the processor's model and instructions, as far as the system tells."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines()
        words = ("model name", "flags", "Features", "CPU part", "CPU implementer", "stepping", "microcode")
        return "\n".join(line for line in lines if line.startswith(words))
    return platform.processor()


def _sources() -> str:
    """Returns a hash of the names, sizes and times of the package's files: they change with the code."""
    found = hashlib.sha256()
    for folder, folders, files in os.walk(PACKAGE):
        folders.sort()
        for name in sorted(files):
            if name.endswith(".py"):
                entry = os.stat(os.path.join(folder, name))
                found.update(f"{folder}/{name} {entry.st_size} {entry.st_mtime_ns}\n".encode())
    return found.hexdigest()
