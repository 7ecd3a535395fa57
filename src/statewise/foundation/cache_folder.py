"""The folder on this machine for what statewise can rebuild, such as compiled programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_cache_folder() -> Path:
    """Returns the folder `STATEWISE_CACHE`, or the platform's folder for caches; it may not exist yet.

    Raises:
        RuntimeError: no folder is configured, and the user has no home directory.
    """
    if chosen := os.environ.get("STATEWISE_CACHE"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "statewise"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "statewise"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "statewise"
