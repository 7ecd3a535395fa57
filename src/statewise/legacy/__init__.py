"""Keras's names, of versions 1 and 2, on statewise: `import statewise.legacy as keras`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from statewise.legacy.errors import lacking
from statewise.legacy.namespace import below

__version__ = "2.15.0"
"""The Keras whose behaviour this is."""

_look_up = lacking("keras", ["Sequential", *(name.partition(".")[2] for name in below("keras"))])


def __getattr__(name: str) -> Any:
    if name == "Sequential":  # not imported above, as models bring JAX with them
        return import_module("statewise.legacy.models").Sequential
    return _look_up(name)
