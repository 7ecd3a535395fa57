"""The installation, for bug reports: versions, devices, and the cache of compiled programs."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from statewise import __version__
from statewise.foundation.program_cache import MOST_BYTES, ProgramCache

PACKAGES = ("jax", "jaxlib", "optax", "numpy", "scipy", "safetensors", "matplotlib", "tensorboard")


def installation() -> dict[str, Any]:
    """Returns the facts as JSON values."""
    return {
        "statewise": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "packages": {name: _version(name) for name in PACKAGES},
        "devices": _devices(),
        "native": _native(),
        "cache": _cache(),
    }


def describe_installation(facts: dict[str, Any]) -> list[str]:
    """Returns the facts of `installation` as lines of text."""
    return [
        f"statewise {facts['statewise']}, Python {facts['python']} on {facts['platform']}",
        ", ".join(f"{name} {number or 'not installed'}" for name, number in facts["packages"].items()),
        f"computes on {', '.join(facts['devices'])}; processors: {facts['processors']}",
        f"native library: {facts['native']}",
        *_describe_cache(facts["cache"]),
    ]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _devices() -> list[str]:
    import jax

    return [f"{device.platform}:{device.id} ({device.device_kind})" for device in jax.devices()]


def _native() -> str:
    """Returns which native library computes, or why there is none."""
    from statewise.native import ffi
    from statewise.native.library import library, status

    if library() is None or ffi.is_registered():
        return status()
    return f"{status()} for streams; training runs on XLA, since {ffi.reason()}"


def _cache() -> dict[str, Any]:
    import jax

    from statewise.foundation.engine import keep_compiled_programs

    keep_compiled_programs()
    used, own = jax.config.values["jax_compilation_cache_dir"], _own_folder()
    cache = ProgramCache(Path(used or own or ""))
    sizes = cache.sizes() if used else []
    return {
        "folder": used or own,
        "on": used is not None,
        "chosen_by_jax": used not in (None, own),
        "writable": used is not None and cache.writable,
        "programs": len(sizes),
        "bytes": sum(sizes),
        "most_bytes": MOST_BYTES if used == own else None,
    }


def _own_folder() -> str | None:
    """Returns the default cache folder, used unless JAX is configured otherwise; None without a home folder."""
    try:
        return str(ProgramCache.of_user().folder)
    except RuntimeError:
        return None


def _describe_cache(cache: dict[str, Any]) -> list[str]:
    folder, other = cache["folder"] or "a folder for them", "set STATEWISE_CACHE to use another folder"
    if not cache["on"]:
        return [f"compiled programs are not kept: {folder} cannot be created or read; {other}"]
    kept = f"compiled programs kept in {folder}: {cache['programs']:,}, {cache['bytes']:,} bytes"
    if cache["chosen_by_jax"]:
        return [kept, "JAX is configured to use that folder: statewise never removes anything from it"]
    if not cache["writable"]:
        return [kept, f"no programs are added because the folder is not writable; {other}"]
    return [kept, "`statewise info --clear-cache` removes them; they are rebuilt when needed"]
