"""Where on this machine statewise keeps what it can make anew, such as compiled programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_cache_folder() -> Path:
    """Returns the folder `STATEWISE_CACHE`, or the platform's folder for caches; it may not exist yet."""
    if chosen := os.environ.get("STATEWISE_CACHE"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "statewise"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "statewise"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "statewise"
