"""Compiled: a model that knows how to train, and the file that holds it."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from copy import copy, deepcopy
from pathlib import Path
from typing import Any, Self

import optax

from statewise.errors import ConfigurationError, FileError, LifecycleError, warn
from statewise.foundation.forks import check_process
from statewise.foundation.shapes import Array
from statewise.layers import Layer
from statewise.layers.registry import describe_own, own_layer
from statewise.models.definition import Definition
from statewise.models.settings import Settings
from statewise.network import Network, network_from_config
from statewise.objectives.sampled_softmax import SampledSoftmax
from statewise.optimizers.optimizer import Optimizer, learning_rate_of, with_learning_rate
from statewise.state import State
from statewise.storage.artifact import Artifact, artifact_from_bytes, artifact_to_bytes, write_artifact
from statewise.storage.leaves import fill_leaves, name_leaves
from statewise.training.history import History
from statewise.training.learned import Learned
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
        self._logs: dict[str, float] | None = None  # of the epoch whose weights these are
        self.measured: dict[str, Any] | None = None  # what they are measured by: loss, data, validation data
        self._told = False  # whether it was said what a file lacks
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
        if self._settings is not None:  # only a file that could not hold its optimizer waits for it to be named
            self._loaded_optimizer = {}
        settings = Settings.of(optimizer, loss, metrics)
        if self._settings is not None and self._settings.loss != settings.loss:
            self._logs = None
        self._settings = settings
        self._optimizer_state, self._ready, self._told = self._moments_in_file(), None, False
        self._warn_of_own(self._layers)

    def add(self, layer: Layer) -> None:
        """Appends a layer, as `Definition.add`."""
        super().add(layer)
        if self._settings is not None:
            self._warn_of_own([layer])

    def _warn_of_own(self, layers: Iterable[Layer]) -> None:
        """Says before hours of training, not after, that a layer cannot be saved."""
        own = next((own for layer in layers if (own := own_layer(layer)) is not None), None)
        if own is not None:
            warn(f"model.save will refuse {describe_own(own)}")

    def recompile(self, optimizer: object, loss: object, metrics: Sequence[str], *, continues: bool) -> None:
        """Compiles for a further training, in which the optimizer `continues` if it is the one that the model has.

        Where a file could not name that one, it is taken for the same if no file can name it either.
        """
        settings = Settings.of(optimizer, loss, metrics)
        unnamed = self._settings is None and settings.config()["optimizer"] is None
        if not (continues and (unnamed or self._settings == settings)):
            self._optimizer_state, self._loaded_optimizer, self._told = None, {}, False
        self._settings, self._ready = settings, None
        if self._optimizer_state is None:
            self._optimizer_state = self._moments_in_file()

    def _moments_in_file(self) -> Any:
        """Returns the optimizer's state in the file of the model, if it is that of the optimizer; None: a fresh one."""
        if not self._loaded_optimizer or self._network is None or self._settings is None:
            return None
        try:
            return self._settings.optimizer_state(self._network, self._params, self._loaded_optimizer)
        except FileError:  # of the one that the file could not name; another begins fresh
            self._loaded_optimizer = {}
            return None

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
        check_process()
        if self._optimizer_state is None:
            self._optimizer_state = settings.optimizer_state(self.network, self._params, self._loaded_optimizer)
        if self._ready is None:
            self._ready = settings.programs(self.network)
        return self._ready

    def _adopt(self, network: Network) -> None:
        super()._adopt(network)
        self._optimizer_state, self._loaded_optimizer, self._ready = None, {}, None
        self.epochs_done, self._logs = 0, None

    def set_weights(self, weights: Sequence[object]) -> None:
        """Replaces all weights by those of `weights`, ordered and shaped as `get_weights` returns them.

        Raises:
            ShapeError: another number of arrays, or other shapes.
            DataError: NaN among them.
        """
        super().set_weights(weights)
        self._logs = None

    # -- save, load --------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Writes the model to one file, whole or not at all: layers, weights, training settings, optimiser, state.

        What only Python code can describe is not in it, which a StatewiseWarning says once: an optimizer or a schedule
        of your own, an Optax transformation.

        Raises:
            FileError: it cannot be written there.
            ConfigurationError: a layer is of a class of your own.
        """
        write_artifact(path, self.to_artifact())
        self.warn_of_unsaved(f"{path} lacks")

    def warn_of_unsaved(self, what: str) -> None:
        """Says once what no file holds of this model; `what` begins the sentence."""
        unsaved = None if self._settings is None else self._settings.unsaved
        if unsaved is not None and not self._told:
            self._told = True
            warn(
                f"{what} the optimizer, {unsaved}: only Python code describes it. All else is there, what the "
                "optimizer remembers included: call model.compile(...) with it again before training further"
            )

    @property
    def learned(self) -> Learned:
        """Weights, optimizer and state, as a value that later training leaves as it is.

        Setting it goes back to them; how many epochs the model was trained for stays as it is.

        Raises:
            FileError: it is that of another model.
        """
        arrays = name_leaves("params", self.params) | self._optimizer_arrays()
        if self.state is not None:
            arrays |= name_leaves("state", dict(self.state.layers))
        return Learned(arrays, self._trained, None if self.state is None else self.state.batch, self._logs)

    @learned.setter
    def learned(self, learned: Learned) -> None:
        params, state = fill_leaves("params", self.network.weight_shapes(), learned.arrays), None
        if learned.state is not None:
            shapes = self.network.state_shapes(learned.state)
            filled = fill_leaves("state", shapes, learned.arrays)
            state = State({name: filled[name] for name in shapes}, self.network.learnt_states(params))
        self._params, self._trained, self.state, self._logs = params, learned.trained, state, learned.logs
        self._loaded_optimizer = {name: a for name, a in learned.arrays.items() if name.startswith("optimizer")}
        self._optimizer_state = None
        if self._settings is not None:
            self._programs()  # notices now what is missing

    def to_artifact(self) -> Artifact:
        """Returns what a model file holds of this model."""
        learned = self.learned
        header = {
            "network": self.network.config(),
            "seed": self.seed,
            "trained": learned.trained,
            "epochs": self.epochs_done,
            "logs": learned.logs,
            "measured": None if learned.logs is None else self.measured,
            "compiled": None if self._settings is None else self._settings.config(),
            "state": learned.state,
        }
        return Artifact("sequential", header, learned.arrays)

    def _optimizer_arrays(self) -> dict[str, Array]:
        if self._optimizer_state is None:
            return self._loaded_optimizer
        return name_leaves("optimizer", self._optimizer_state)

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Self:
        """Returns the model that `to_artifact` described."""
        model = cls((), seed=artifact.header["seed"])
        model._become(artifact)
        return model

    def _become(self, artifact: Artifact, optimizer: Any = None) -> None:
        """Becomes the model that `to_artifact` described, with an optimizer that no file holds if one is given."""
        self._network = network = network_from_config(artifact.header["network"])
        self._layers = list(network.layers)
        self._take_artifact(artifact)
        self._settings = settings = Settings.from_config(artifact.header["compiled"], optimizer)
        if settings is not None and self._loaded_optimizer:  # notices now what the file lacks
            self._optimizer_state = settings.optimizer_state(network, self._params, self._loaded_optimizer)

    def _take_artifact(self, artifact: Artifact) -> None:
        header = artifact.header
        self.learned = Learned(artifact.arrays, header["trained"], header["state"], header.get("logs"))
        self.epochs_done, self.measured = header.get("epochs", 0), header.get("measured")

    # -- copy, pickle ------------------------------------------------------------------------------------------

    def __copy__(self) -> Self:
        """Returns a model that learns by itself; what neither changes in place is shared."""
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        other._layers, other.history = list(self._layers), deepcopy(self.history)
        return other

    def __deepcopy__(self, memory: dict[int, Any]) -> Self:
        other = copy(self)
        memory[id(self)] = other
        vars(other).update(deepcopy(self._attributes_of_subclasses(), memory))
        return other

    def __getstate__(self) -> dict[str, Any]:
        """Returns what is pickled: what a file holds, and what only Python does."""
        built, settings = self._network is not None, self._settings
        return {
            "file": artifact_to_bytes(self.to_artifact()) if built else None,
            "layers": None if built else self._layers,
            "seed": self.seed,
            "compiled": None if settings is None else settings.config(),
            "optimizer": self._picklable_optimizer(),
            "history": self.history,
            "attributes": self._attributes_of_subclasses(),
        }

    def __setstate__(self, pickled: dict[str, Any]) -> None:
        Compiled.__init__(self, pickled["layers"] or (), pickled["seed"])
        if pickled["file"] is not None:
            self._become(artifact_from_bytes(pickled["file"], "the pickled model"), pickled["optimizer"])
        else:
            self._settings = Settings.from_config(pickled["compiled"], pickled["optimizer"])
        self.history = pickled["history"]
        vars(self).update(pickled["attributes"])

    def _attributes_of_subclasses(self) -> dict[str, Any]:
        ours = vars(Compiled((), seed=0)).keys()
        return {name: value for name, value in vars(self).items() if name not in ours}

    def _picklable_optimizer(self) -> Any:
        """Returns the optimizer if no file holds it but a pickle does; None otherwise, which is said."""
        if self._settings is None or self._settings.unsaved is None:
            return None
        try:
            pickle.dumps(self._settings.optimizer)
        except (pickle.PicklingError, TypeError, AttributeError):
            self.warn_of_unsaved("the pickled model lacks")
            return None
        return self._settings.optimizer
