"""Where on this machine statewise keeps what it can make anew, such as compiled programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_cache_folder() -> Path:
    """Returns the folder `STATEWISE_CACHE`, or the platform's folder for caches; it may not exist yet.

    Raises:
        RuntimeError: nothing says where, and the user has no home.
    """
    if chosen := os.environ.get("STATEWISE_CACHE"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "statewise"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "statewise"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "statewise"


def step_folders() -> list[Path]:
    """Returns the folders with the compiled step of streams, one for each version of its code, the oldest first."""
    try:
        folders = [folder for folder in user_cache_folder().glob("numba-*") if folder.is_dir()]
        return sorted(folders, key=lambda folder: folder.stat().st_mtime)
    except (OSError, RuntimeError):  # gone meanwhile, or no home
        return []
