"""Compiled: a model that knows how to train, and the file that holds it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import optax

from statewise.artifact import Artifact, write_artifact
from statewise.definition import Definition
from statewise.errors import ConfigurationError, LifecycleError
from statewise.history import History
from statewise.layers import Layer
from statewise.leaves import fill_leaves, name_leaves
from statewise.network import Network, network_from_config
from statewise.optimizers import Optimizer, learning_rate_of, with_learning_rate
from statewise.sampled_softmax import SampledSoftmax
from statewise.settings import Settings
from statewise.shapes import Array
from statewise.state import State
from statewise.training.programs import Programs


class Compiled(Definition):
    """A stack of layers with what it is trained for, and all that a model file holds."""

    def __init__(self, layers: Iterable[Layer], seed: int) -> None:
        self.state: State | None = None
        self.epochs_done = 0  # how many epochs the model was trained for; the next draws its randomness from that
        self.history: History | None = None
        self._settings: Settings | None = None
        self._optimizer_state: Any = None
        self._loaded_optimizer: dict[str, Array] = {}
        self._ready: Programs | None = None
        super().__init__(layers, seed)

    # -- compile -----------------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: str | Optimizer | optax.GradientTransformation = "rmsprop",
        loss: str | SampledSoftmax | None = None,
        metrics: Sequence[str] = (),
    ) -> None:
        """Says how to train: an optimiser by name, configured, or any Optax transformation; loss and metrics by name.

        For many classes the loss may be a `SampledSoftmax`, which goes without metrics.

        Raises:
            ConfigurationError: a name that does not exist; the message has the nearest.
        """
        if loss is None:
            raise ConfigurationError("compile needs a loss, such as loss='categorical_crossentropy' or loss='mse'")
        if self._settings is not None:  # only a file that could not hold its optimiser waits for it to be named
            self._loaded_optimizer = {}
        self._settings = Settings.of(optimizer, loss, metrics)
        self._optimizer_state, self._ready = None, None

    def recompile(self, optimizer: object, loss: object, metrics: Sequence[str], *, continues: bool) -> None:
        """Compiles for a further training, in which the optimizer `continues` if it is the one that the model has.

        Where a file could not name that one, it is taken for the same if no file can name it either.
        """
        settings = Settings.of(optimizer, loss, metrics)
        unnamed = self._settings is None and settings.config()["optimizer"] is None
        if not (continues and (unnamed or self._settings == settings)):
            self._optimizer_state, self._loaded_optimizer = None, {}
        self._settings, self._ready = settings, None

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next update; setting it changes nothing else of the optimiser, and compiles nothing.

        A schedule goes on, scaled by as much as its value of now was changed.

        >>> import statewise as sw
        >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 1)), sw.Dense(1)])
        >>> model.compile(sw.Adam(0.01), "mse")
        >>> model.learning_rate /= 2
        >>> round(model.learning_rate, 6)
        0.005

        Raises:
            ConfigurationError: no number from 0 up, or the optimiser is one of Optax's.
        """
        self._programs()
        return learning_rate_of(self._require_settings().optimizer, self._optimizer_state)

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self._programs()
        self._optimizer_state = with_learning_rate(self._require_settings().optimizer, self._optimizer_state, rate)

    def _require_settings(self) -> Settings:
        if self._settings is None:
            raise LifecycleError("the model is not compiled: call model.compile(optimizer, loss, metrics) first")
        return self._settings

    def _programs(self) -> Programs:
        settings = self._require_settings()
        if self._optimizer_state is None:
            self._optimizer_state = settings.optimizer_state(self.network, self._params, self._loaded_optimizer)
        if self._ready is None:
            self._ready = settings.programs(self.network)
        return self._ready

    def _adopt(self, network: Network) -> None:
        super()._adopt(network)
        self._optimizer_state, self._loaded_optimizer, self._ready = None, {}, None

    # -- save, load --------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Writes the model to one file, whole or not at all: layers, weights, training settings, optimiser, state.

        Raises:
            FileError: it cannot be written there.
        """
        write_artifact(path, self.to_artifact())

    def to_artifact(self) -> Artifact:
        """Returns what a model file holds of this model."""
        arrays = name_leaves("params", self.params) | self._optimizer_arrays()
        if self.state is not None:
            arrays |= name_leaves("state", dict(self.state.layers))
        header = {
            "network": self.network.config(),
            "seed": self.seed,
            "trained": self._trained,
            "epochs": self.epochs_done,
            "compiled": None if self._settings is None else self._settings.config(),
            "state": None if self.state is None else self.state.batch,
        }
        return Artifact("sequential", header, arrays)

    def _optimizer_arrays(self) -> dict[str, Array]:
        if self._optimizer_state is None:
            return self._loaded_optimizer
        return name_leaves("optimizer", self._optimizer_state)

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Self:
        """Returns the model that `to_artifact` described."""
        network = network_from_config(artifact.header["network"])
        model = cls(network.layers, seed=artifact.header["seed"])
        model._network = network
        model._take_artifact(artifact)
        model._settings = Settings.from_config(artifact.header["compiled"])
        if model._settings is not None and model._loaded_optimizer:
            model._programs()  # notices now what the file lacks, not when training goes on
        return model

    def _take_artifact(self, artifact: Artifact) -> None:
        header, arrays = artifact.header, artifact.arrays
        self.epochs_done = header.get("epochs", 0)
        self._params, self._trained = fill_leaves("params", self.network.init(None), arrays), header["trained"]
        self._loaded_optimizer = {name: a for name, a in arrays.items() if name.startswith("optimizer")}
        self.state = None
        if header["state"] is not None:
            zeros = State(self.network.zero_state(header["state"])).layers
            filled = fill_leaves("state", dict(zeros), arrays)
            self.state = State({name: filled[name] for name in zeros}, self.network.learnt_states(self._params))
