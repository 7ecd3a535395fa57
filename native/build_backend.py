"""Setuptools as the build backend, with the native libraries built first."""

from __future__ import annotations

import os
import shutil
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403 - all hooks but those below

from compiler import PACKAGE, SOURCES, build, obstacle, target

# XLA's headers, of the oldest jaxlib that statewise runs on: it could not use a library built with newer ones.
HEADERS = ["jaxlib==0.10.0; python_version < '3.15'", "jaxlib>=0.10; python_version >= '3.15'"]

Settings = dict[str, Any] | None


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """Returns what the build needs beyond setuptools; the headers are 80 MB, and only a compiler uses them."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), *([] if obstacle() else HEADERS)]


get_requires_for_build_editable = get_requires_for_build_wheel


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Builds a wheel: for one platform if there is a native library, else for any.

    Raises:
        RuntimeError: a platform was asked for by `$STATEWISE_PLATFORM`, and its library could not be built.
    """
    _forget_earlier_builds()
    if reason := build():
        if "STATEWISE_PLATFORM" in os.environ:
            raise RuntimeError(f"there is no native library for {target()}: {reason}")
        print(f"statewise: pure Python, without the native library: {reason}")
    else:
        config_settings = {**(config_settings or {}), "--build-option": ["--plat-name", target()]}
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """Builds the native libraries where they are used from."""
    if reason := build():
        print(f"statewise: without the native library: {reason}")
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)


def _forget_earlier_builds() -> None:
    """Removes the libraries that setuptools copied before: it would put them into this wheel too."""
    root = SOURCES.parent
    shutil.rmtree(root / "build" / "lib" / PACKAGE.relative_to(root / "src"), ignore_errors=True)
