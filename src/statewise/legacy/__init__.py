"""Keras's names, of versions 1 and 2, on statewise: `import statewise.legacy as keras`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from statewise.legacy.errors import lacking
from statewise.legacy.namespace import below

__version__ = "2.15.0"
"""The Keras whose behavior this is."""

_MODELS_AND_LAYERS = {"Sequential": "models", "Input": "layers"}

_look_up = lacking("keras", [*_MODELS_AND_LAYERS, *(name.partition(".")[2] for name in below("keras"))])


def __getattr__(name: str) -> Any:
    if name in _MODELS_AND_LAYERS:  # not imported above, as they bring JAX with them
        return getattr(import_module(f"statewise.legacy.{_MODELS_AND_LAYERS[name]}"), name)
    return _look_up(name)
