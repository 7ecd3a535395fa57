"""Files of Keras models: statewise's files, with what Keras also knows about a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import statewise as sw
from statewise.errors import FileError
from statewise.foundation.files import as_path
from statewise.legacy.layer import described, plain
from statewise.legacy.stack import Stack
from statewise.storage.artifact import Artifact, read_artifact, write_artifact

HDF5 = b"\x89HDF\r\n\x1a\n"
"""How an HDF5 file begins."""


def config_of(model: Stack) -> list[dict[str, Any]]:
    """Returns the layers of a model, as JSON holds them."""
    first = [] if model.input_layer is None else [model.input_layer]
    return [described(layer) for layer in [*first, *model.layers]]


def to_json(model: Stack, **options: Any) -> str:
    """Returns the layers of a model as text."""
    config: dict[str, Any] = {"name": model.name, "layers": config_of(model)}
    if model.row_shape is not None:
        config["build_input_shape"] = plain([model.batch_size, *model.row_shape])
    return json.dumps({"class_name": "Sequential", "config": config, "backend": "statewise"}, **options)


def save(model: Stack, path: str | Path) -> None:
    """Writes a model to one file, which `statewise.load` reads as well."""
    core = model.core.to_artifact()
    compiled = None if model._compiled is None else model._compiled.described()
    keras = {"config": json.loads(to_json(model)), "compiled": compiled}
    header = {**core.header, "keras": keras}
    write_artifact(path, Artifact(core.kind, header, core.arrays))


def load_weights(model: Stack, filepath: str | Path) -> None:
    """Gives a model the weights of a file that `save` or `save_weights` wrote.

    Raises:
        FileError: the file is missing, damaged, or from another program.
        ShapeError: it holds the weights of other layers.
    """
    artifact = read(filepath)
    model.build_for(artifact.header["network"]["input_shape"])
    model.set_weights(sw.Sequential.from_artifact(artifact).get_weights())


def read(filepath: str | Path) -> Artifact:
    """Returns what is in a file that `save` wrote.

    Raises:
        FileError: the file is missing, damaged, or from another program.
    """
    path = as_path(filepath)
    if not path.exists():
        raise FileError(f"no model file {path}; model.save(path) and model.save_weights(path) write one")
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(HDF5)) == HDF5:
                raise FileError(
                    f"{path} is an HDF5 file written by Keras, which cannot be read yet: train the model again, or "
                    "load it in Keras and pass the arrays of its get_weights() to set_weights(...) here"
                )
    artifact = read_artifact(path)
    if "keras" not in artifact.header:
        raise FileError(f"{path} was not written by a model of keras; statewise.load reads it")
    return artifact
