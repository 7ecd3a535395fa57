"""What statewise asks of JAX once per process: a compilation cache on disk, so that second runs start warm."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import jax

WORTH_KEEPING_SECONDS = 0.2
"""Programs that compile faster than this are not written to the cache."""


def user_cache_folder() -> Path:
    """Returns where compiled programs are kept: `STATEWISE_CACHE`, or the platform's folder for caches."""
    if chosen := os.environ.get("STATEWISE_CACHE"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "statewise"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "statewise"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "statewise"


def keep_compiled_programs() -> None:
    """Turns JAX's compilation cache on, unless the program that imports us chose a folder itself.

    A folder that cannot be made leaves the cache off: slower starts, the same results.
    """
    if jax.config.values["jax_compilation_cache_dir"] is not None:
        return
    folder = user_cache_folder() / "xla"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if not os.access(folder, os.W_OK):
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", WORTH_KEEPING_SECONDS)
    # Entries may be written by two processes at once: JAX writes them whole. Autotuning caches are for GPUs alone.
    jax.config.update("jax_persistent_cache_enable_xla_caches", "none")
