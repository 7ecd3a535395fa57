"""save: a model in one file, and what a file cannot hold of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from statewise.errors import warn
from statewise.storage.artifact import write_artifact


def save(model: Any, path: str | Path) -> None:
    """Writes the model to one file, atomically: layers, weights, training settings, optimizer, state.

    A custom optimizer or schedule, or an Optax transformation, cannot be stored; a StatewiseWarning says so once.

    Raises:
        FileError: it cannot be written there.
        ConfigurationError: a layer is of a custom class.
    """
    write_artifact(path, model.to_artifact())
    model.warn_of_unsaved(f"{path} lacks")


def warn_of_unsaved(model: Any, what: str) -> None:
    """Warns once about what a file cannot store of this model; `what` begins the sentence."""
    unsaved = None if model._settings is None else model._settings.unsaved
    if unsaved is not None and not model._warned:
        model._warned = True
        warn(
            f"{what} the optimizer, {unsaved}, which only Python code can describe. Everything else is stored, "
            "including the optimizer's state: call model.compile(...) with it again before training further"
        )
