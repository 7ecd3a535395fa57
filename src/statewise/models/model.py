"""Model: define, compile, fit, evaluate, predict. With Sequential, the only mutable class in this folder.

Its methods are functions in separate modules that take the model: `fit` is in `fitting`, `predict` in `predicting`. The
interface that they use is in `interface`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

from statewise.errors import LifecycleError, StatewiseError
from statewise.foundation.engine import keep_compiled_programs
from statewise.foundation.forks import check_process
from statewise.foundation.shapes import check_seed
from statewise.layers import Layer
from statewise.layers.tensors import Several, Tensor
from statewise.models import (
    applying,
    compiling,
    copies,
    evaluating,
    fitting,
    freezing,
    inspecting,
    learning_rates,
    model_file,
    predicting,
    saving,
    states,
    streaming,
    submodels,
    weight_access,
)
from statewise.models.display import Display
from statewise.models.graph_reading import GraphRead, read_graph
from statewise.models.layer_stack import LayerStack
from statewise.models.reader import Reader
from statewise.models.settings import Settings
from statewise.models.train_state import TrainState
from statewise.models.view import View, own
from statewise.network import Network, NetworkParams
from statewise.phrasebook.guard import guard
from statewise.state import State
from statewise.storage.artifact import Artifact
from statewise.training.history import History
from statewise.training.learned import Learned
from statewise.training.programs import Programs


@guard
class Model:
    """A graph of layers to define, compile, fit, evaluate and predict with.

    The model is also a function of its input and a state: `y, state = model(x, state)`. That call changes nothing;
    `fit` changes the weights, and only `state="carry"` and `"continue"` change `model.state`.

    Several inputs and outputs have names: data go in as `{"readings": a, "plant": b}` (or a list in order), and outputs
    come out as the model was written, in a dict or a list.

    Args:
        inputs: the `sw.Input` that the layers begin with, or a list or dict of several.
        outputs: what a layer returned at their end, or a list of several, called as their layers, or a dict.
        seed: all randomness (weights, shuffling, dropout) derives from it and from the number of trained epochs.

    >>> import numpy as np
    >>> import statewise as sw
    >>> x = sw.Input((None, 1))
    >>> h = sw.LSTM(8, return_sequences=True)(x)
    >>> h = sw.Add()([h, sw.LSTM(8, return_sequences=True)(h)])  # a skip connection
    >>> model = sw.Model(x, sw.Dense(1)(h), seed=7)
    >>> model.compile("adam", "mse")
    >>> series = np.sin(np.arange(40, dtype="float32")).reshape(2, 20, 1)
    >>> history = model.fit(series[:, :-1], series[:, 1:], epochs=3, verbose=0)
    >>> model.predict(series).shape
    (2, 20, 1)

    Raises:
        ConfigurationError: the outputs are not made of those inputs alone, or two inputs have one name.
        ShapeError: a layer does not fit.
    """

    stop_training = False
    """A callback may set it to True to stop the training after the current epoch."""
    kind = "graph"
    """What a file calls models of this class."""
    graph: GraphRead | None
    """The graph that it was written as, if it was."""
    _view: View | None
    """Whose weights it has, if not its own."""

    def __init__(self, inputs: Tensor | Several, outputs: Tensor | Several, *, seed: int = 0) -> None:
        self._start(seed)
        graph = read_graph(inputs, outputs)
        self.form, self.graph, self._view = graph.form, graph, graph.view
        if graph.view is None:
            self._own(graph.stack)
        else:
            self._stack = graph.stack

    def _own(self, stack: LayerStack) -> None:
        """Makes these layers the model's own, with new weights."""
        self._view, self._stack = None, LayerStack()
        self._build(stack)
        own(self)

    def viewing(self, stack: LayerStack, view: View, form: str) -> Model:
        """Returns a model of some layers that has its weights by a view."""
        model = Model.__new__(Model)
        model._start(self.seed)
        model._stack, model._view, model.form = stack, view, form
        return model

    def _start(self, seed: int) -> None:
        """Sets what a model without layers has."""
        keep_compiled_programs()
        self.seed = check_seed(seed)
        self.form = "one"
        self.graph, self._view = None, None
        self._trained = TrainState()
        self.history: History | None = None
        self.measured: dict[str, Any] | None = None  # what logs are measured on: loss, data, validation data
        self._stack = LayerStack()
        self._settings: Settings | None = None
        self._programs: Programs | None = None
        self._warned = False  # about what a file cannot store

    def __repr__(self) -> str:
        return str(self._display)

    def _repr_html_(self) -> str:
        return self._display.to_html()

    @property
    def _display(self) -> Display:
        stack, done = self._stack, self.train_state
        return Display(type(self).__name__, stack.layers, stack.network, done.params, self._settings, done.epochs)

    # -- 1 define ----------------------------------------------------------------------------------------------

    def _build(self, stack: LayerStack) -> None:
        rebuilt = stack.network is not self._stack.network
        self._stack = stack
        if rebuilt:
            self.train_state, self._programs = self.train_state.rebuilt(self.network, self.seed), None

    def built_for(self, x: object) -> Network:
        """Returns the network, for any `x`; checks that JAX can run in this process."""
        check_process()
        return self.network

    @property
    def network(self) -> Network:
        """The layers with their names and shapes.

        Raises:
            LifecycleError: the model does not know its input yet.
        """
        if self._stack.network is None:
            raise LifecycleError(
                "the model does not know its input yet: fit it, call model.build((None, T, F)), or give the first "
                "layer input_shape=(T, F)"
            )
        return self._stack.network

    @property
    def reads_symbols(self) -> bool:
        """Whether the input is integers `[N, T]`, without a feature axis."""
        return self._stack.reads_symbols

    @property
    def returned_state(self) -> str | None:
        """The name of the layer whose state `predict` returns with the outputs; None if there is none."""
        return None

    @property
    def train_state(self) -> TrainState:
        """All that training changes; replaced, never modified in place."""
        return self._trained if self._view is None else self._view.seen(self._trained)

    @train_state.setter
    def train_state(self, train_state: TrainState) -> None:
        if self._view is not None:
            self._view.check(train_state)
        self._trained = train_state

    @property
    def params(self) -> NetworkParams:
        """Weights by layer and name, as immutable arrays. Others may be set, as after a training loop of one's own.

        Raises:
            LifecycleError: the model does not know its input yet.
            ShapeError: others have other names or shapes.
            DataError: NaN among them.
        """
        self.network  # noqa: B018 - raises if there are no weights yet
        return self.train_state.params

    @params.setter
    def params(self, params: NetworkParams) -> None:
        applying.check_params(self.network, params)
        self.set_weights([params[layer][weight] for layer, weight in self.network.weight_names])

    statistics = property(weight_access.statistics, weight_access.set_statistics)

    @property
    def layers(self) -> list[Layer]:
        """The layers, with their names in this model."""
        return self._stack.named_layers

    get_layer = inspecting.get_layer
    count_params = inspecting.count_params
    summary = inspecting.summary
    plot = inspecting.plot
    submodel = submodels.submodel

    weights = property(weight_access.weights)
    get_weights = weight_access.get_weights
    set_weights = weight_access.set_weights
    load_weights = weight_access.load_weights
    freeze = freezing.freeze
    unfreeze = freezing.unfreeze

    # -- 2 compile ---------------------------------------------------------------------------------------------

    compile = compiling.compile_model
    recompile = compiling.recompile

    @property
    def settings(self) -> Settings:
        """The arguments of `compile`.

        Raises:
            LifecycleError: the model is not compiled.
        """
        if self._view is not None:
            raise self._view.refused
        if self._settings is None:
            raise LifecycleError("the model is not compiled: call model.compile(optimizer, loss, metrics) first")
        return self._settings

    @property
    def programs(self) -> Programs:
        """The compiled programs that train and evaluate the model; creates the optimizer's state."""
        settings = self.settings
        check_process()
        self.train_state = settings.started(self.network, self.train_state)
        if self._programs is None:
            self._programs = settings.programs(self.network)
        return self._programs

    learning_rate = property(learning_rates.learning_rate, learning_rates.set_learning_rate)

    # -- 3 fit, 4 evaluate, 5 predict --------------------------------------------------------------------------

    fit = fitting.fit
    evaluate = evaluating.evaluate
    predict = predicting.predict
    __call__ = predicting.call
    apply = applying.apply

    stream = streaming.stream
    streams = streaming.streams
    runtime = streaming.runtime

    verify = inspecting.verify
    memory_report = inspecting.memory_report

    @property
    def reader(self) -> Reader:
        """The reader of the model's training and evaluation data."""
        return Reader(self.settings, self.reads_symbols, self.built_for, self._object_to)

    def _object_to(self, error: StatewiseError) -> None:
        """Raises `error` about data that nothing can be learned from; Keras scripts only get a warning."""
        raise error

    @property
    def epochs_done(self) -> int:
        """The number of epochs the model was trained for; seeds the randomness of the next."""
        return self.train_state.epochs

    # -- states ------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State | None:
        """Where `state="continue"` starts: the final state of the last "carry" or "continue"; None is fresh."""
        return self.train_state.state

    @state.setter
    def state(self, state: State | None) -> None:
        self.train_state = replace(self.train_state, state=state)

    reset_state = states.reset_state
    initial_state = states.initial_state
    zero_state = states.zero_state
    check_state = states.check_state

    # -- save, copy, pickle ------------------------------------------------------------------------------------

    save = saving.save
    warn_of_unsaved = saving.warn_of_unsaved

    @property
    def learned(self) -> Learned:
        """Weights, optimizer and state by their names in files, as a value.

        Setting it restores them, but not the number of trained epochs.

        Raises:
            FileError: it belongs to another model.
        """
        self.network  # noqa: B018 - raises if there are no weights yet
        return self.train_state.learned

    @learned.setter
    def learned(self, learned: Learned) -> None:
        self._restore(self.train_state.with_learned(self.network, learned))

    def _restore(self, train_state: TrainState) -> None:
        self.train_state = train_state
        if self._settings is not None:
            self.programs  # noqa: B018 - notices now what is missing

    def to_artifact(self) -> Artifact:
        """Returns the contents of this model's file."""
        return model_file.to_artifact(self, self._settings)

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Self:
        """Returns the model from the contents of its file."""
        model = cls.__new__(cls)
        model._start(artifact.header["seed"])
        model._stack, model._settings, model.train_state, model.measured, model.form = model_file.from_artifact(
            artifact
        )
        return model

    def become(self, artifact: Artifact) -> None:
        """Restores the model from one of its checkpoints."""
        self._restore(model_file.train_state_in(artifact, self.network))
        self.measured = artifact.header.get("measured")

    __copy__ = copies.shallow
    __deepcopy__ = copies.deep
    __getstate__ = copies.pickled
    __setstate__ = copies.unpickled
