"""Sequential as Keras 2 had it, around one of statewise's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

import statewise as sw
from statewise.errors import ConfigurationError, LifecycleError, ShapeError
from statewise.foundation.shapes import Array, Shape
from statewise.legacy import answers, files, training, weights
from statewise.legacy.arrays import Rows, Tensor, read_rows
from statewise.legacy.callback import History
from statewise.legacy.compiled import Compiled, read_compiled
from statewise.legacy.core import Core
from statewise.legacy.dialect import current
from statewise.legacy.errors import not_there, unsupported
from statewise.legacy.layer import Layer
from statewise.legacy.layers import InputLayer, deserialize
from statewise.legacy.names import fresh_name
from statewise.legacy.optimizers import Optimizer
from statewise.legacy.options import in_keras_2_words
from statewise.legacy.seeds import next_seed
from statewise.legacy.spellings import note
from statewise.legacy.states import States
from statewise.legacy.summary import summarize
from statewise.models.stack import check_not_shared
from statewise.network import Network


class Sequential:
    """A stack of layers; what it does is done by `core`, a `statewise.Sequential`.

    Args:
        layers: to begin with.
        name: what the model is called.
    """

    def __init__(self, layers: Iterable[Layer] | Layer | None = None, name: str | None = None) -> None:
        self.name, self.layers, self.stop_training = name or fresh_name("Sequential"), [], False
        self.history: History | None = None
        self._core: sw.Sequential | None = None
        self._compiled: Compiled | None = None
        self._built_for: Shape | None = None
        self.input_layer: InputLayer | None = None
        self.states = States(self)
        for layer in (layers,) if isinstance(layers, Layer) else tuple(layers or ()):
            self.add(layer)

    layers: list[Layer]

    # -- define ------------------------------------------------------------------------------------------------

    def add(self, layer: Layer) -> None:
        """Appends a layer.

        Raises:
            ConfigurationError: it is none, or it is in the model already: Keras shared its weights.
            ShapeError: it does not fit the layer before it.
        """
        if not isinstance(layer, Layer):
            raise ConfigurationError(f"model.add: expected a layer such as LSTM(32), got {layer!r}")
        if isinstance(layer, InputLayer):
            self.input_layer = layer
            return
        check_not_shared([other.core for other in self.layers], layer.core)
        self._take_apart()
        if layer.model is not None and layer.model.built:
            note("model.add(layer_of_another)", "model.set_weights(other.get_weights())  # copied, not shared")
            layer.start_weights = layer.get_weights()
        shape = self.row_shape if self.layers or self.input_layer else layer.row_shape
        if shape is not None:
            Network.of([other.core for other in (*self.layers, layer)], shape)  # refuses what does not fit
        self.layers.append(layer)
        layer.model = self

    def pop(self) -> None:
        """Takes the last layer off."""
        if not self.layers:
            raise LifecycleError("model.pop: there are no layers in the model")
        self._take_apart()
        self.layers.pop().model = None

    def _take_apart(self) -> None:
        """Leaves each layer its weights, to start from in another stack."""
        if self._core is not None and self._core.params:
            for layer in self.layers:
                layer.start_weights = self.weights_of(layer)
        self._core = None

    @property
    def row_shape(self) -> Shape | None:
        """The shape of a row of the input; None until it is known."""
        first = self.input_layer or (self.layers[0] if self.layers else None)
        return None if first is None else first.row_shape

    @property
    def batch_size(self) -> int | None:
        """How many rows a batch has to have, where the first layer says so."""
        first = self.input_layer or (self.layers[0] if self.layers else None)
        return None if first is None else first.batch_size

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for input of that shape, batch axis included."""
        self._build(tuple(input_shape)[1:])

    def _build(self, row_shape: Shape) -> None:
        core = Core([layer.core for layer in self.layers], seed=next_seed())
        core.build((None, *row_shape))
        weights.start(core, self.layers)
        if self._compiled is not None:
            self._compiled.settle(core)
        self._core, self._built_for = core, row_shape

    @property
    def core(self) -> sw.Sequential:
        """The model of statewise's that does the work.

        Raises:
            LifecycleError: it does not know its input yet.
        """
        if self._core is None:
            shape = self.row_shape or self._built_for
            if shape is None or not self.layers:
                raise LifecycleError(
                    "the model does not know its input yet: give the first layer input_shape=(T, F), or fit it"
                )
            self._build(shape)
        return self._core  # type: ignore[return-value]  # it was made

    def build_for(self, row_shape: Sequence[int | None]) -> sw.Sequential:
        """Returns `core`, built for rows of that shape if nothing said before what they are."""
        if self._core is None and self.row_shape is None:
            self._build(tuple(row_shape))
        return self.core

    def adopt(self, core: sw.Sequential, compiled: Compiled | None) -> None:
        """Becomes the model that `core` is, which was compiled so."""
        self._core, self._compiled, self._built_for = core, compiled, core.network.input_shape
        if compiled is not None:
            compiled.optimizer.model = core

    @property
    def trainable(self) -> bool:
        """True: all weights are learnt."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not value:
            raise unsupported("model.trainable = False", "all weights are learnt; leave it out")

    @property
    def built(self) -> bool:
        """Whether there are weights."""
        return self._core is not None

    # -- what there is -----------------------------------------------------------------------------------------

    def core_name(self, layer: Layer) -> str:
        """Returns what statewise calls a layer: a name that is the same in each model that is built alike."""
        return self.core.network.names[self.layers.index(layer)]

    @property
    def by_batch(self) -> bool:
        """Whether statewise has to be called for each batch.

        So it is where some layers with memory keep their state and others do not, and where steps with an answer are
        masked: Keras's loss is the mean of the batches' means, however many steps count in each.
        """
        return self.states.mixed or self._masks_answers

    @property
    def _masks_answers(self) -> bool:
        masks = any(isinstance(layer.core, sw.Masking) or layer.options.get("mask_zero") for layer in self.layers[:1])
        return masks and self.core.network.answers_each_step

    def count_answers(self, x: Array) -> int:
        """Returns how many answers to `x` count; rows where each has as many."""
        if not self._masks_answers:
            return len(x)
        mask = self.core.network.mask_of_answers(jnp.asarray(x), None)
        return len(x) if mask is None else int(jnp.broadcast_to(mask, (len(x), mask.shape[1])).sum())

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Returns the layer of that name, or at that place."""
        if name is None and index is not None:
            return self.layers[index]
        names = [layer.name for layer in self.layers]
        if name not in names:
            raise ConfigurationError(f"no layer is called {name!r}: expected one of {', '.join(names)}")
        return self.layers[names.index(name)]

    @property
    def input_shape(self) -> Shape:
        """The shape of the input, batch axis included."""
        return (self.batch_size, *(self.row_shape or self.core.network.input_shape))

    @property
    def output_shape(self) -> Shape:
        """The shape of the output, batch axis included."""
        return (self.batch_size, *self.core.network.output_shape)

    def shapes_around(self, layer: Layer) -> tuple[Shape, Shape]:
        """Returns the shapes of what comes into a layer and out of it, batch axes included."""
        network = self.core.network
        place, shapes = self.layers.index(layer), replace(network, input_shape=self.input_shape[1:]).shapes()
        return (self.batch_size, *shapes[place]), (self.batch_size, *shapes[place + 1])

    def summary(
        self, line_length: int = 65, positions: object = None, print_fn: Callable[[str], object] = print
    ) -> None:
        """Prints layers, output shapes and numbers of weights."""
        summarize(self, line_length, print_fn)

    def count_params(self) -> int:
        """Returns how many numbers the weights are."""
        return sum(weight.size for weight in self.get_weights())

    def get_weights(self) -> list[Array]:
        """Returns copies of all weights, in Keras's order."""
        return self.core.get_weights()

    @property
    def weights(self) -> list[Array]:
        """Copies of all weights."""
        return self.get_weights()

    trainable_weights = weights

    def set_weights(self, weights: Sequence[Array]) -> None:
        """Replaces all weights."""
        self.core.set_weights(list(weights))

    def weights_of(self, layer: Layer) -> list[Array]:
        """Returns copies of the weights of one layer."""
        return self.get_weights()[self._places(layer)]

    def set_weights_of(self, layer: Layer, weights: Sequence[Array]) -> None:
        """Replaces the weights of one layer."""
        found, places = self.get_weights(), self._places(layer)
        if len(weights) != places.stop - places.start:
            raise ShapeError(f"weights of {layer.name!r}: expected {places.stop - places.start}, got {len(weights)}")
        found[places] = [np.asarray(weight) for weight in weights]
        self.set_weights(found)

    def _places(self, layer: Layer) -> slice:
        counts = [len(other.core.weight_names) for other in self.layers]
        place = self.layers.index(layer)
        return slice(sum(counts[:place]), sum(counts[: place + 1]))

    # -- states ------------------------------------------------------------------------------------------------

    @property
    def stateful(self) -> bool:
        """Whether a layer keeps its state from batch to batch and from call to call."""
        return any(layer.stateful for layer in self.layers)

    def reset_states(self) -> None:
        """Starts all layers afresh."""
        note("model.reset_states()", "model.reset_state()")
        if self._core is not None:
            self._core.reset_state()

    def reset_layer(self, layer: Layer, states: Any = None) -> None:
        """Starts one layer afresh, or from `states`."""
        self.states.reset(layer, states)

    # -- compile -----------------------------------------------------------------------------------------------

    @in_keras_2_words("compile", None, "sample_weight_mode run_eagerly class_mode")
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
    ) -> None:
        """Says how to train: optimiser, loss and metrics, by Keras's names or objects."""
        if weighted_metrics:
            raise unsupported("compile(weighted_metrics=)", "metrics are not weighted; write metrics=")
        if loss_weights is not None:
            raise unsupported("compile(loss_weights=)", "there is one loss; leave it out")
        self._compiled = read_compiled(optimizer, loss, metrics, self._core)
        if self._core is not None:
            self._compiled.settle(self._core)
        elif self.layers and self.row_shape is not None:
            self._build(self.row_shape)

    @property
    def compiled(self) -> Compiled:
        """What `compile` was told.

        Raises:
            LifecycleError: it was not called.
        """
        if self._compiled is None:
            raise LifecycleError("the model is not compiled: call model.compile(optimizer, loss, metrics) first")
        return self._compiled

    @property
    def optimizer(self) -> Optimizer:
        """The optimiser; `model.optimizer.lr` is its learning rate."""
        return self.compiled.optimizer

    @property
    def loss(self) -> str:
        """The loss, by its name."""
        return self.compiled.loss.name

    @property
    def metrics_names(self) -> list[str]:
        """What the numbers that `evaluate` returns are called."""
        return ["loss", *self.compiled.names.values()]

    # -- fit, evaluate, predict --------------------------------------------------------------------------------

    fit = training.fit
    fit_generator = training.fit_generator
    train_on_batch = training.train_on_batch
    test_on_batch = training.test_on_batch
    evaluate = training.evaluate
    evaluate_generator = training.evaluate_generator

    def read(self, x: Any, y: Any, weight: Any = None, class_weight: Mapping[int, float] | None = None) -> Rows:
        """Returns rows to learn from or to score, after building the model for them if it was not."""
        self.compiled  # noqa: B018 - raises where it is not
        rows = read_rows(x, y, weight, class_weight, self.row_shape)
        self.build_for(rows.x.shape[1:])
        return rows

    predict = answers.predict
    predict_on_batch = answers.predict_on_batch
    predict_generator = answers.predict_generator
    predict_proba = answers.predict_proba
    predict_classes = answers.predict_classes

    def _make_predict_function(self) -> None:
        """Does nothing: predictions are compiled when they are first asked for."""

    def __getattr__(self, name: str) -> Any:
        raise not_there(name, f"model.{name}", "docs/legacy.md lists what a model has")

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        """Returns the outputs for one batch."""
        return np.asarray(self.predict_on_batch(np.asarray(x))).view(Tensor)

    # -- files -------------------------------------------------------------------------------------------------

    def get_config(self) -> Any:
        """Returns the layers, as JSON holds them; since TensorFlow 2 in a dict, with the model's name."""
        layers = files.config_of(self)
        return {"name": self.name, "layers": layers} if current().as_written else layers

    @classmethod
    def from_config(cls, config: Any) -> Sequential:
        """Returns a model of the layers that `get_config` described, with fresh weights."""
        known = config if isinstance(config, dict) else {"layers": config}
        model = cls([deserialize(entry) for entry in known["layers"]], known.get("name"))
        shape = known.get("build_input_shape")
        if shape is not None and model.row_shape is None:
            model.build(shape)
        return model

    def to_json(self, **options: Any) -> str:
        """Returns the layers as text; `model_from_json` reads it."""
        return files.to_json(self, **options)

    to_yaml = to_json
    """The same text, since what is JSON is YAML."""

    def save(self, filepath: str | Path, overwrite: bool = True, include_optimizer: bool = True, **_: object) -> None:
        """Writes the model to one file, whatever it is called: layers, weights, how it is trained."""
        files.save(self, filepath)

    def save_weights(self, filepath: str | Path, overwrite: bool = True, save_format: object = None) -> None:
        """Writes the model to one file, for `load_weights`."""
        files.save(self, filepath)

    def load_weights(self, filepath: str | Path, by_name: bool = False) -> None:
        """Takes the weights of a file that `save` or `save_weights` wrote."""
        if by_name:
            raise unsupported("load_weights(by_name=True)", "write layer.set_weights(other_layer.get_weights())")
        files.load_weights(self, filepath)
