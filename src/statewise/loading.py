"""`statewise.load`: reads any kind of model file."""

from __future__ import annotations

from pathlib import Path

from statewise.errors import COPY_AGAIN, FileError, StatewiseError
from statewise.models.model import Model
from statewise.models.sequential import Sequential
from statewise.phrasebook.guard import guarded
from statewise.storage.artifact import read_artifact
from statewise.text import TextModel

KINDS: dict[str, type[Model] | type[TextModel]] = {"sequential": Sequential, "graph": Model, "text": TextModel}


@guarded
def load(path: str | Path) -> Model | TextModel:
    """Returns the model in a file written by `save`: weights, settings, optimizer, state.

    Raises:
        FileError: the file is missing, damaged, or from another program or a newer statewise.
    """
    artifact = read_artifact(path)
    if artifact.kind == "state":
        raise FileError(f"{path} holds a state, not a model; read it with statewise.State.load")
    if artifact.kind not in KINDS:
        raise FileError(
            f"{path} holds a {artifact.kind!r} model, which needs a newer statewise: pip install --upgrade statewise"
        )
    try:
        return KINDS[artifact.kind].from_artifact(artifact)
    except StatewiseError as error:
        raise FileError(f"{path}: {error}") from None
    except (LookupError, ArithmeticError, TypeError, ValueError, AttributeError) as error:
        raise FileError(f"{path} is damaged: its header does not describe a model ({error!r}); {COPY_AGAIN}") from None
