"""A model as files and pickles hold it."""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple

from statewise.models.model import Model
from statewise.models.settings import Settings
from statewise.models.stack import Stack
from statewise.models.train_state import TrainState
from statewise.network import Network, network_from_config
from statewise.storage.artifact import Artifact
from statewise.training.learned import Learned


class Contents(NamedTuple):
    """What a file holds of a model."""

    stack: Stack
    settings: Settings | None
    train_state: TrainState
    measured: dict[str, Any] | None


def to_artifact(model: Model, settings: Settings | None) -> Artifact:
    """Returns what a model file holds of a model that is compiled with `settings`.

    Raises:
        ConfigurationError: a layer is of a class of the user's own.
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
    return Artifact("sequential", header, learned.arrays)


def from_artifact(artifact: Artifact, optimizer: Any = None) -> Contents:
    """Returns what `to_artifact` was given, with an optimizer that no file holds if one is given.

    Raises:
        FileError: the file lacks something, or does not fit together.
    """
    network = network_from_config(artifact.header["network"])
    settings = Settings.from_config(artifact.header["compiled"], optimizer)
    train_state = train_state_in(artifact, network)
    if settings is not None and train_state.saved_optimizer:  # notices now what the file lacks
        train_state = settings.started(network, train_state)
    return Contents(Stack(network.layers, network), settings, train_state, artifact.header.get("measured"))


def train_state_in(artifact: Artifact, network: Network) -> TrainState:
    """Returns the train state in what was read from a file of that network."""
    header = artifact.header
    learned = Learned(artifact.arrays, header["trained"], header["state"], header.get("logs"))
    return TrainState(epochs=header.get("epochs", 0)).with_learned(network, learned)


def picklable(settings: Settings | None) -> Any:
    """Returns the optimizer if no file holds it but a pickle does; None otherwise."""
    if settings is None or settings.unsaved is None:
        return None
    try:
        pickle.dumps(settings.optimizer)
    except (pickle.PicklingError, TypeError, AttributeError):
        return None
    return settings.optimizer
