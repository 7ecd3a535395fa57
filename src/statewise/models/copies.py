"""Copies and pickles of a model or of a subclass: each is an independent model."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, TypeVar

from statewise.foundation.engine import keep_compiled_programs
from statewise.models import model_file
from statewise.models.interface import AnyModel
from statewise.models.settings import Settings
from statewise.models.train_state import TrainState
from statewise.storage.artifact import artifact_from_bytes, artifact_to_bytes

SomeModel = TypeVar("SomeModel", bound=AnyModel)

OURS = {"seed", "form", "graph", "history", "measured"}
OURS |= {"_trained", "_stack", "_view", "_settings", "_programs", "_warned"}
"""The attributes of a model; all others were added by a subclass."""


def shallow(model: SomeModel) -> SomeModel:
    """Returns a copy that shares what is never modified in place."""
    other = object.__new__(type(model))
    vars(other).update(vars(model))
    other.history = deepcopy(model.history)
    return other


def deep(model: SomeModel, memory: dict[int, Any]) -> SomeModel:
    """Returns a copy, with deep copies of attributes added by a subclass."""
    other = shallow(model)
    memory[id(model)] = other
    vars(other).update(deepcopy(_added(model), memory))
    return other


def pickled(model: Any) -> dict[str, Any]:
    """Returns the pickled state: the contents of a model file, and what only Python can store."""
    settings, optimizer = model._settings, model_file.picklable(model._settings)
    if optimizer is None:
        model.warn_of_unsaved("the pickled model lacks")
    built = model._stack.network is not None
    return {
        "file": artifact_to_bytes(model.to_artifact()) if built else None,
        "stack": None if built else model._stack,
        "seed": model.seed,
        "compiled": None if settings is None else settings.config(),
        "optimizer": optimizer,
        "history": model.history,
        "attributes": _added(model),
    }


def unpickled(model: Any, state: dict[str, Any]) -> None:
    """Restores a model from its pickled state."""
    keep_compiled_programs()
    vars(model).update(
        dict.fromkeys(OURS), seed=state["seed"], history=state["history"], tensors={}, written={}, _warned=False
    )
    if state["file"] is not None:
        artifact = artifact_from_bytes(state["file"], "the pickled model")
        contents = model_file.from_artifact(artifact, state["optimizer"])
    else:
        settings = Settings.from_config(state["compiled"], state["optimizer"])
        contents = model_file.Contents(state["stack"], settings, TrainState(), None, "one")
    model._stack, model._settings, model.train_state, model.measured, model.form = contents
    vars(model).update(state["attributes"])


def _added(model: AnyModel) -> dict[str, Any]:
    return {name: value for name, value in vars(model).items() if name not in OURS}
