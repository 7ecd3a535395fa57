"""The contents of model files and pickles."""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple

from statewise.errors import FileError
from statewise.models.interface import AnyModel
from statewise.models.layer_stack import LayerStack
from statewise.models.settings import Settings
from statewise.models.train_state import TrainState
from statewise.network import Network, network_from_config
from statewise.storage.artifact import Artifact
from statewise.training.learned import Learned


class Contents(NamedTuple):
    """A model as read from a file."""

    stack: LayerStack
    settings: Settings | None
    train_state: TrainState
    measured: dict[str, Any] | None
    form: str  # in which outputs are returned: "one", a "list" or a "dict"


def to_artifact(model: AnyModel, settings: Settings | None) -> Artifact:
    """Returns the file contents of a model compiled with `settings`.

    Raises:
        ConfigurationError: a layer is of a custom class.
        LifecycleError: the model does not know its input yet.
    """
    network = model.network
    learned = model.train_state.learned
    header = {
        "network": network.config(),
        "seed": model.seed,
        "trained": learned.trained,
        "epochs": model.train_state.epochs,
        "logs": learned.logs,
        "measured": None if learned.logs is None else model.measured,
        "compiled": None if settings is None else settings.config(),
        "state": learned.state,
    }
    if model.form != "one":
        header["form"] = model.form
    return Artifact(model.kind, header, learned.arrays)


def from_artifact(artifact: Artifact, optimizer: Any = None) -> Contents:
    """Returns what `to_artifact` stored, with `optimizer` in place of one that a file cannot store.

    Raises:
        FileError: the file is incomplete or inconsistent.
    """
    network = network_from_config(artifact.header["network"])
    settings = Settings.from_config(artifact.header["compiled"], optimizer)
    train_state = train_state_in(artifact, network)
    if settings is not None and train_state.saved_optimizer:  # raises now if the file is incomplete
        train_state = settings.started(network, train_state)
    form = artifact.header.get("form", "one")
    if form not in ("list", "dict") and (form != "one" or len(network.outputs) > 1):
        raise FileError(f"form: expected 'list' or 'dict', got {form!r}")
    return Contents(LayerStack.of_network(network), settings, train_state, artifact.header.get("measured"), form)


def train_state_in(artifact: Artifact, network: Network) -> TrainState:
    """Returns the train state in an artifact of that network."""
    header = artifact.header
    learned = Learned(artifact.arrays, header["trained"], header["state"], header.get("logs"))
    return TrainState(epochs=header.get("epochs", 0)).with_learned(network, learned)


def picklable(settings: Settings | None) -> Any:
    """Returns the optimizer if it can be pickled but not stored in a file; otherwise None."""
    if settings is None or settings.unsaved is None:
        return None
    try:
        pickle.dumps(settings.optimizer)
    except (pickle.PicklingError, TypeError, AttributeError):
        return None
    return settings.optimizer
