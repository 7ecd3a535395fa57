"""Sequential: define, compile, fit, evaluate, predict. The only object here that changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from statewise.artifact import Artifact, fill_leaves, name_leaves, write_artifact
from statewise.callbacks import Callback, read_callbacks
from statewise.data.batches import CheckedBatches, Samples, check_filled, read_flags, read_samples, read_x, unpack
from statewise.definition import Definition
from statewise.errors import ConfigurationError, LifecycleError, unknown_name
from statewise.fitting import run_epochs
from statewise.history import History
from statewise.inference import forward_of, predict_rows
from statewise.layers import Layer
from statewise.network import Network, network_from_config
from statewise.optimizers import Optimizer
from statewise.programs import Keys, Layout, Programs, Run, Totals
from statewise.progress import display
from statewise.settings import Settings
from statewise.shapes import Array, as_array, check_whole
from statewise.state import LayerStates, State
from statewise.training import StreamedTraining, Training, evaluate

Validate = Callable[[], dict[str, float]]
"""A function of one's own that measures the model after each epoch."""


class Sequential(Definition):
    """A stack of layers that is defined, compiled, fitted, evaluated and used for predictions.

    The model itself is a function of its input and a state: `y, state = model(x, state)`. That call changes
    nothing; `fit` changes the weights, and only `state="carry"` changes `model.state`.

    Args:
        layers: the first may name its input, `input_shape=(T, F)`; otherwise the first data tell.
        seed: all randomness (weights, shuffling, dropout) derives from it and from the epoch's number.

    >>> import numpy as np
    >>> import statewise as sw
    >>> x = np.linspace(0, 1, 60, dtype="float32").reshape(20, 3, 1)
    >>> model = sw.Sequential([sw.LSTM(8), sw.Dense(1)], seed=7)
    >>> model.compile("adam", "mse")
    >>> history = model.fit(x, x[:, -1], epochs=3, verbose=0)
    >>> len(history.history["loss"])
    3
    >>> model.predict(x).shape
    (20, 1)
    """

    def __init__(self, layers: Iterable[Layer] = (), *, seed: int = 0) -> None:
        self.state: State | None = None
        self.history: History | None = None
        self._settings: Settings | None = None
        self._optimizer_state: Any = None
        self._loaded_optimizer: dict[str, Array] = {}
        super().__init__(layers, seed)

    # -- compile -----------------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: str | Optimizer | optax.GradientTransformation = "rmsprop",
        loss: str | None = None,
        metrics: Sequence[str] = (),
    ) -> None:
        """Says how to train: an optimiser by name, configured, or any Optax transformation; loss and metrics by name.

        Raises:
            ConfigurationError: a name that does not exist; the message has the nearest.
        """
        if loss is None:
            raise ConfigurationError("compile needs a loss, such as loss='categorical_crossentropy' or loss='mse'")
        if self._settings is not None:  # only a file that could not hold its optimiser waits for it to be named
            self._loaded_optimizer = {}
        self._settings = Settings.of(optimizer, loss, metrics)
        self._optimizer_state = None

    def _require_settings(self) -> Settings:
        if self._settings is None:
            raise LifecycleError("the model is not compiled: call model.compile(optimizer, loss, metrics) first")
        return self._settings

    def _programs(self) -> Programs:
        settings = self._require_settings()
        if self._optimizer_state is None:
            self._optimizer_state = settings.optimizer_state(self.network, self._params, self._loaded_optimizer)
        return settings.programs(self.network)

    def _adopt(self, network: Network) -> None:
        super()._adopt(network)
        self._optimizer_state, self._loaded_optimizer = None, {}

    # -- fit ---------------------------------------------------------------------------------------------------

    def fit(  # noqa: PLR0913 - Keras's words, all by keyword
        self,
        x: object,
        y: object = None,
        *,
        batch_size: int = 32,
        epochs: int = 1,
        initial_epoch: int = 0,
        shuffle: bool | None = None,
        sample_weight: object = None,
        validation_data: Sequence[object] | Validate | None = None,
        validation_split: float = 0.0,
        callbacks: Sequence[Callback | Callable[[int, dict[str, float]], bool | None]] = (),
        verbose: int = 1,
        state: str = "fresh",
        reset: object = None,
        mask: object = None,
    ) -> History:
        """Trains and returns the loss and metrics of each epoch.

        Ctrl-C ends training after the last finished epoch, whose weights are kept.

        Args:
            x: `[N, T, F]`, or symbols `[N, T]`; or an iterable of batches `(x, y)` or `(x, y, sample_weight)` that
                can be gone through once per epoch, for data larger than memory.
            y: targets, as the loss takes them: `[N, V]` one-hot, `[N]` classes, `[N, T]` classes of each step, ...
            batch_size: B.
            epochs: the number of the last epoch, counted from 1.
            initial_epoch: how many epochs were done before; a resumed training goes on as if it had never stopped.
            shuffle: whether rows are shuffled each epoch; by default unless the state is carried.
            sample_weight: `[N]` or `[N, T]`, multiplied into the loss.
            validation_data: `(x, y)` or `(x, y, sample_weight)`, evaluated after each epoch; or a function that
                returns its own logs.
            validation_split: share of the samples, the last ones, to validate on instead.
            callbacks: `Callback`s, or functions `f(epoch, logs)`.
            verbose: 0 silent, 1 a live bar, 2 a line an epoch.
            state: "fresh" starts every row from zeros; "carry" goes on in row r of batch k+1 from row r of batch k,
                afresh at each epoch, and leaves the end in `model.state`.
            reset: bool `[N, T]`; True starts that row afresh before that step.
            mask: bool `[N, T]`; False skips that step: no state moves, no loss counts.

        Raises:
            ShapeError, DataError, ConfigurationError, LifecycleError: something does not fit; nothing was trained.
            DivergenceError: the loss became NaN or infinite; the weights are those of the last good epoch.
        """
        self._require_settings()
        check_whole("batch_size", batch_size)
        check_whole("epochs", epochs)
        check_whole("initial_epoch", initial_epoch, least=0)
        if state not in ("fresh", "carry"):
            raise unknown_name("state", state, ("fresh", "carry"))
        carry, span = state == "carry", range(initial_epoch, epochs)
        if carry and shuffle:
            raise ConfigurationError("state='carry' needs the rows in their order: leave shuffle=True out")
        readers = [*display(verbose), *read_callbacks(callbacks)]
        source: Samples | CheckedBatches
        validation: Samples | Validate | None = None
        if y is None and not isinstance(x, np.ndarray | jax.Array):
            if any(a is not None for a in (sample_weight, reset, mask)) or shuffle or validation_split:
                raise ConfigurationError(
                    "an iterable of batches goes without sample_weight, reset, mask, shuffle and validation_split: "
                    "let it yield (x, y, sample_weight) in the order to train in"
                )
            source = CheckedBatches(x, self._read)
        else:
            source = self._read(x, y, sample_weight, reset, mask)
            if validation_split:
                source, validation = source.split(validation_split)
        if validation_data is not None and validation_split:
            raise ConfigurationError("validation_split and validation_data: expected one of them, got both")
        if callable(validation_data):
            validation = validation_data
        elif validation_data is not None:
            validation = self._read(*unpack("validation_data", validation_data))
        shuffled = not carry if shuffle is None else shuffle
        one_by_one = validation is not None or any(reader.reads_model for reader in readers)
        training = self._training(source, batch_size, shuffled, carry, span, one_by_one)

        def take() -> None:
            self._take(training.run, carry)

        def measure() -> dict[str, float]:
            return {} if validation is None else self._validate(validation, batch_size, carry)

        self.history = run_epochs(self, training, span, readers, take, measure)
        return self.history

    def _validate(self, validation: Samples | Validate, batch_size: int, carry: bool) -> dict[str, float]:
        if not isinstance(validation, Samples):
            logs = validation()
            if not isinstance(logs, dict):
                raise ConfigurationError(
                    f"validation_data: expected the function to return a dict of logs, got {logs!r}"
                )
            return logs
        start = self.network.zero_state(min(batch_size, validation.rows)) if carry else None
        return self._evaluate(validation, batch_size, start)[0]

    def _read(self, x: object, y: object, weight: object = None, reset: object = None, mask: object = None) -> Samples:
        target = self._require_settings().loss.target
        return read_samples(self._read_x(x), y, weight, reset, mask, self.network.output_shape, target)

    def _read_x(self, x: object) -> Array:
        if self._network is None:
            array = as_array("x", x)
            check_filled(array)
            self.build(array.shape)
        return read_x(x, self.network.input_shape, self.network.symbols)

    def _training(
        self,
        source: Samples | CheckedBatches,
        batch_size: int,
        shuffled: bool,
        carry: bool,
        epochs: range,
        one_by_one: bool,
    ) -> Training | StreamedTraining:
        programs, keys = self._programs(), Keys(shuffle=self._key(1), dropout=self._key(2))
        if isinstance(source, CheckedBatches):
            layout = Layout(source.batch_size, padded=True, carry=carry)
            return StreamedTraining(programs, self._run(source.batch_size, 0), keys, source, layout, epochs)
        size = min(batch_size, source.rows)
        steps = math.ceil(source.rows / size)
        layout = Layout(size, source.rows if shuffled else None, padded=source.rows != steps * size, carry=carry)
        run = self._run(size, steps * size if shuffled else 0)
        return Training(programs, run, keys, source, layout, epochs, one_by_one)

    def _run(self, batch_size: int, order: int) -> Run:
        states = self.network.zero_state(batch_size)
        totals = Totals.zero(self._programs().objective)
        return Run(self._params, self._optimizer_state, states, jnp.zeros(order, jnp.int32), totals)

    def _take(self, run: Run, carry: bool) -> None:
        self._params, self._optimizer_state, self._trained = run.params, run.optimizer, True
        if carry:
            self.state = self.network.state_of(run.states)

    # -- evaluate, predict, call -------------------------------------------------------------------------------

    def evaluate(
        self,
        x: object,
        y: object,
        *,
        batch_size: int = 32,
        sample_weight: object = None,
        state: str | State = "fresh",
        reset: object = None,
        mask: object = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """Returns the loss, or a list of the loss and each metric, or with `return_dict` a dict of them.

        Arguments as in `fit`. `state` is where the rows start: "fresh", a `State`, or "carry", which goes on from
        `model.state` and leaves the end there; with the last two, row r of each batch goes on in the next.
        """
        check_whole("batch_size", batch_size)
        samples = self._read(x, y, sample_weight, reset, mask)
        logs, states = self._evaluate(samples, batch_size, self._start(state, min(batch_size, samples.rows)))
        if state == "carry":
            self.state = self.network.state_of(states)
        if return_dict:
            return logs
        return logs["loss"] if len(logs) == 1 else list(logs.values())

    def _evaluate(
        self, samples: Samples, batch_size: int, start: LayerStates | None
    ) -> tuple[dict[str, float], LayerStates]:
        size = min(batch_size, samples.rows)
        layout = Layout(size, padded=samples.rows % size != 0, carry=start is not None)
        states = self.network.zero_state(size) if start is None else start
        programs = self._programs()
        return evaluate(programs.objective, programs.pace, self._params, states, samples, layout)

    def _start(self, state: str | State, batch: int) -> LayerStates | None:
        """Returns the states to go on from; None where every row starts afresh."""
        if isinstance(state, State):
            return self.network.check_state(state, batch)
        if state == "fresh":
            return None
        if state != "carry":
            raise unknown_name("state", state, ("fresh", "carry"))
        return self.network.zero_state(batch) if self.state is None else self.network.check_state(self.state, batch)

    def predict(
        self,
        x: object,
        *,
        batch_size: int = 32,
        state: str | State = "fresh",
        reset: object = None,
        mask: object = None,
    ) -> Array:
        """Returns the outputs for all rows: `[N, V]`, or `[N, T, V]` where every step has one.

        Arguments as in `evaluate`.

        Raises:
            LifecycleError: the weights are still random; `y, state = model(x)` looks at those.
        """
        check_whole("batch_size", batch_size)
        if not self._trained:
            raise LifecycleError(
                "the model was never trained: call model.fit(x, y) first, or set_weights; "
                "y, state = model(x) shows what its random weights answer"
            )
        array = self._read_x(x)
        size = min(batch_size, len(array))
        flags = read_flags("reset", reset, array), read_flags("mask", mask, array)
        y, states = predict_rows(self.network, self._params, array, size, self._start(state, size), *flags)
        if state == "carry":
            self.state = self.network.state_of(states)
        return y

    def __call__(
        self, x: object, state: State | None = None, *, reset: object = None, mask: object = None
    ) -> tuple[jax.Array, State]:
        """Returns `(y, state)`: the outputs for `x [B, T, F]`, and the state after its last step.

        Changes nothing, `model.state` included.

        Args:
            x: input of any number of rows and steps.
            state: where the rows start; None starts them afresh.
            reset: bool `[B, T]`; True starts that row afresh before that step.
            mask: bool `[B, T]`; False skips that step.

        Raises:
            StateError: the state belongs to another network or has another number of rows.
        """
        array = self._read_x(x)
        batch = len(array)
        states = self.network.zero_state(batch) if state is None else self.network.check_state(state, batch)
        y, after = forward_of(self.network)(
            self._params,
            jnp.asarray(array),
            states,
            reset=read_flags("reset", reset, array),
            mask=read_flags("mask", mask, array),
        )
        return y, self.network.state_of(after)

    def zero_state(self, batch: int) -> State:
        """Returns the state in which `batch` fresh sequences start."""
        return self.network.state_of(self.network.zero_state(check_whole("batch", batch)))

    def reset_state(self) -> None:
        """Forgets `model.state`, so that what carries on starts afresh."""
        self.state = None

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
            "compiled": None if self._settings is None else self._settings.config(),
            "state": None if self.state is None else self.state.batch,
        }
        return Artifact("sequential", header, arrays)

    def _optimizer_arrays(self) -> dict[str, Array]:
        if self._optimizer_state is None:
            return self._loaded_optimizer
        return name_leaves("optimizer", self._optimizer_state)

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Sequential:
        """Returns the model that `to_artifact` described."""
        header, arrays = artifact.header, artifact.arrays
        network = network_from_config(header["network"])
        model = cls(seed=header["seed"])
        model._layers, model._network = list(network.layers), network
        shapes = jax.eval_shape(network.init, jax.random.key(0))
        model._params, model._trained = fill_leaves("params", shapes, arrays), header["trained"]
        model._loaded_optimizer = {name: a for name, a in arrays.items() if name.startswith("optimizer")}
        model._settings = Settings.from_config(header["compiled"])
        if model._settings is not None and model._loaded_optimizer:
            model._programs()  # notices now what the file lacks, not when training goes on
        if header["state"] is not None:
            zeros = dict(network.state_of(network.zero_state(header["state"])).layers)
            model.state = State(fill_leaves("state", zeros, arrays))
        return model
