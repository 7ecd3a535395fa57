"""Files of Keras models: those of statewise, with what Keras knows of a model besides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import statewise as sw
from statewise.artifact import Artifact, read_artifact, write_artifact
from statewise.errors import FileError
from statewise.legacy import optimizers
from statewise.legacy.compiled import Compiled
from statewise.legacy.errors import unsupported
from statewise.legacy.layer import described, plain
from statewise.legacy.layers import deserialize
from statewise.legacy.quantities import Quantity

if TYPE_CHECKING:
    from statewise.legacy.models import Sequential

HDF5 = b"\x89HDF\r\n\x1a\n"
"""How a file of Keras's own begins."""


def config_of(model: Sequential) -> list[dict[str, Any]]:
    """Returns the layers of a model, as JSON holds them."""
    first = [] if model.input_layer is None else [model.input_layer]
    return [described(layer) for layer in [*first, *model.layers]]


def to_json(model: Sequential, **options: Any) -> str:
    """Returns the layers of a model as text."""
    config: dict[str, Any] = {"name": model.name, "layers": config_of(model)}
    if model.row_shape is not None:
        config["build_input_shape"] = plain([model.batch_size, *model.row_shape])
    return json.dumps({"class_name": "Sequential", "config": config, "backend": "statewise"}, **options)


def model_from_config(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Sequential:
    """Returns a model of such layers, with fresh weights."""
    from statewise.legacy.models import Sequential

    if custom_objects:
        raise unsupported("custom_objects", "layers and functions of your own are not loaded; leave it out")
    if config["class_name"] != "Sequential":
        raise unsupported(f"a model of class {config['class_name']}", "a stack of layers is Sequential([...])")
    inner = config["config"]
    described = inner["layers"] if isinstance(inner, dict) else inner
    model = Sequential(
        [deserialize(entry) for entry in described], inner.get("name") if isinstance(inner, dict) else None
    )
    shape = inner.get("build_input_shape") if isinstance(inner, dict) else None
    if shape is not None and model.row_shape is None:
        model.build(shape)
    return model


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Sequential:
    """Returns the model that `to_json` described, with fresh weights.

    Raises:
        FileError: the text is no such description.
    """
    try:
        config = json.loads(json_string)
        return model_from_config(config, custom_objects)
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"the text describes no model ({error}); expected what model.to_json() returned") from None


def save(model: Sequential, path: str | Path) -> None:
    """Writes a model to one file, which `statewise.load` reads as well."""
    core = model.core.to_artifact()
    compiled = None
    if model._compiled is not None:
        loss, optimizer = model.compiled.loss, model.compiled.optimizer
        rate = optimizer.config["learning_rate"]
        compiled = {
            "loss": [loss.core, loss.name],
            "names": model.compiled.names,
            "optimizer": {**optimizer.get_config(), "learning_rate": rate if isinstance(rate, float | int) else None},
        }
    header = {**core.header, "keras": {"config": json.loads(to_json(model)), "compiled": compiled}}
    write_artifact(Path(path), Artifact(core.kind, header, core.arrays))


def load_model(filepath: str | Path, custom_objects: Any = None, compile: bool = True) -> Sequential:  # noqa: A002
    """Returns the model in a file that `save` wrote: layers, weights, and how it was trained, optimiser included.

    Raises:
        FileError: the file is missing, damaged, or of another program.
    """
    if custom_objects:
        raise unsupported("custom_objects", "layers and functions of your own are not loaded; leave it out")
    artifact = _read(filepath)
    core = sw.Sequential.from_artifact(artifact)
    core.reset_state()
    model = model_from_config(artifact.header["keras"]["config"])
    compiled = artifact.header["keras"]["compiled"] if compile else None
    model.adopt(core, None if compiled is None else _compiled(compiled))
    return model


def load_weights(model: Sequential, filepath: str | Path) -> None:
    """Gives a model the weights of a file that `save` or `save_weights` wrote.

    Raises:
        FileError: the file is missing, damaged, or of another program.
        ShapeError: it holds the weights of other layers.
    """
    artifact = _read(filepath)
    model.build_for(artifact.header["network"]["input_shape"])
    model.set_weights(sw.Sequential.from_artifact(artifact).get_weights())


def _read(filepath: str | Path) -> Artifact:
    path = Path(filepath)
    if not path.exists():
        raise FileError(f"no model file {path}; model.save(path) and model.save_weights(path) write one")
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(HDF5)) == HDF5:
                raise FileError(
                    f"{path} is a HDF5 file of Keras's own, which is not read yet: train the model anew, or load it in "
                    "Keras and pass the arrays of its get_weights() to set_weights(...) here"
                )
    artifact = read_artifact(path)
    if "keras" not in artifact.header:
        raise FileError(f"{path} was not written by a model of keras; statewise.load reads it")
    return artifact


def _compiled(header: dict[str, Any]) -> Compiled:
    return Compiled(optimizers.deserialize(header["optimizer"]), Quantity(*header["loss"]), header["names"])
