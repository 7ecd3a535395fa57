"""keras.models: Sequential, and models from files and descriptions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from statewise.errors import FileError
from statewise.legacy import files
from statewise.legacy.compiled import Compiled
from statewise.legacy.core import Core
from statewise.legacy.errors import lacking, unsupported
from statewise.legacy.model import Sequential
from statewise.phrasebook.reasons import OWN_LAYERS


def load_model(filepath: str | Path, custom_objects: Any = None, compile: bool = True) -> Sequential:  # noqa: A002
    """Returns the model in a file that `save` wrote: layers, weights, and how it was trained, optimizer included.

    Raises:
        FileError: the file is missing, damaged, or from another program.
    """
    _refuse(custom_objects)
    artifact = files.read(filepath)
    core = Core.from_artifact(artifact)
    core.reset_state()
    model = model_from_config(artifact.header["keras"]["config"])
    compiled = artifact.header["keras"]["compiled"] if compile else None
    model.adopt(core, None if compiled is None else Compiled.from_description(compiled))
    return model


def model_from_config(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Sequential:
    """Returns a model of such layers, with fresh weights."""
    _refuse(custom_objects)
    if config["class_name"] != "Sequential":
        raise unsupported(f"a model of class {config['class_name']}", "a stack of layers is Sequential([...])")
    return Sequential.from_config(config["config"])


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Sequential:
    """Returns the model that `to_json` described, with fresh weights.

    Raises:
        FileError: the text is no such description.
    """
    try:
        return model_from_config(json.loads(json_string), custom_objects)
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"the text describes no model ({error}); expected what model.to_json() returned") from None


model_from_yaml = model_from_json
"""Reads what `to_yaml` returned, which is JSON, and so YAML."""


def _refuse(custom_objects: object) -> None:
    if custom_objects:
        raise unsupported("custom_objects", OWN_LAYERS.said())


__all__ = [
    "Sequential",
    "load_model",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
]

__getattr__ = lacking("keras.models", __all__)
