"""Setuptools as the build backend, with the native libraries built first.

XLA's headers are asked for only where a compiler would use them, and of the oldest jaxlib that statewise runs on: a
library built with newer ones could not be used by it.
"""

from __future__ import annotations

import os
import sysconfig
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403 - all hooks but those below

from compiler import build, compiler

HEADERS = "jaxlib==0.10.0"

Settings = dict[str, Any] | None


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """Returns what the build needs beyond setuptools."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), *([HEADERS] if compiler() else [])]


get_requires_for_build_editable = get_requires_for_build_wheel


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Builds a wheel: for this platform if there is a native library, else for any."""
    if reason := build():
        print(f"statewise: pure Python, without the native library: {reason}")
    else:
        tag = os.environ.get("STATEWISE_PLATFORM", sysconfig.get_platform().replace("-", "_").replace(".", "_"))
        config_settings = {**(config_settings or {}), "--build-option": ["--plat-name", tag]}
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """Builds the native libraries where they are used from."""
    if reason := build():
        print(f"statewise: without the native library: {reason}")
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)
