"""What a Keras model holds: its layers, the statewise model made of them, and the arguments of `compile`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import statewise as sw
from statewise.errors import ConfigurationError, LifecycleError
from statewise.foundation.shapes import Array, Shape
from statewise.legacy import weights
from statewise.legacy.arrays import Rows, read_rows
from statewise.legacy.callback import History
from statewise.legacy.compiled import Compiled, read_compiled
from statewise.legacy.core import Core
from statewise.legacy.errors import TRAINABLE, unsupported
from statewise.legacy.input_layer import InputLayer
from statewise.legacy.layer import Layer
from statewise.legacy.names import fresh_name
from statewise.legacy.optimizers import Optimizer
from statewise.legacy.options import in_keras_2_words
from statewise.legacy.seeds import next_seed
from statewise.legacy.spellings import note
from statewise.models.layer_stack import check_not_shared
from statewise.network import Network


class Stack:
    """A stack of layers; `core`, a `statewise.Sequential`, does the work.

    Args:
        layers: to begin with.
        name: what the model is called.
    """

    def __init__(self, layers: Iterable[Layer] | Layer | None = None, name: str | None = None) -> None:
        self.name, self.layers, self.stop_training = name or fresh_name("Sequential"), [], False
        self.history: History | None = None
        self.input_layer: InputLayer | None = None
        self._core: sw.Sequential | None = None
        self._compiled: Compiled | None = None
        self._built_for: Shape | None = None
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
        if isinstance(layer.model, Stack) and layer.model.built:
            note("model.add(layer_of_another)", "model.set_weights(other.get_weights())  # copied, not shared")
            layer.start_weights = layer.get_weights()
        shape = self.row_shape if self.layers or self.input_layer else layer.row_shape
        if shape is not None:
            Network.of([other.core for other in (*self.layers, layer)], shape)  # refuses what does not fit
        self.layers.append(layer)
        layer.model = self

    def pop(self) -> None:
        """Removes the last layer."""
        if not self.layers:
            raise LifecycleError("model.pop: there are no layers in the model")
        self._take_apart()
        self.layers.pop().model = None

    def _take_apart(self) -> None:
        """Keeps each layer's weights as its initial weights in another stack."""
        if self._core is not None and self._core.params:
            found = iter(self._core.get_weights())
            for layer in self.layers:
                layer.start_weights = [next(found) for _ in layer.core.weight_names]
        self._core = None

    @property
    def _first(self) -> Layer | None:
        return self.input_layer or (self.layers[0] if self.layers else None)

    @property
    def row_shape(self) -> Shape | None:
        """The shape of a row of the input; None until it is known."""
        return None if self._first is None else self._first.row_shape

    @property
    def batch_size(self) -> int | None:
        """The batch size, if the first layer fixes it."""
        return None if self._first is None else self._first.batch_size

    @property
    def input_shape(self) -> Shape:
        """The shape of the input, batch axis included."""
        return (self.batch_size, *(self.row_shape or self.core.network.input_shape))

    @property
    def output_shape(self) -> Shape:
        """The shape of the output, batch axis included."""
        return (self.batch_size, *self.core.network.output_shape)

    @property
    def stateful(self) -> bool:
        """Whether a layer keeps its state from batch to batch and from call to call."""
        return any(layer.stateful for layer in self.layers)

    @property
    def trainable(self) -> bool:
        """True: all weights are trained."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not value:
            raise unsupported("model.trainable = False", TRAINABLE)

    # -- build -------------------------------------------------------------------------------------------------

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Creates the weights for inputs of this shape, batch axis included."""
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
        """The statewise model that does the work.

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
        """Returns `core`, built for rows of this shape if their shape was unknown."""
        if self._core is None and self.row_shape is None:
            self._build(tuple(row_shape))
        return self.core

    def adopt(self, core: sw.Sequential, compiled: Compiled | None) -> None:
        """Takes over `core`, which was compiled with `compiled`."""
        self._core, self._compiled, self._built_for = core, compiled, core.network.input_shape
        if compiled is not None:
            compiled.optimizer.model = core

    @property
    def built(self) -> bool:
        """Whether there are weights."""
        return self._core is not None

    # -- weights -----------------------------------------------------------------------------------------------

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
        """Sets the optimizer, loss and metrics, by Keras's names or objects."""
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
        """The settings of `compile`.

        Raises:
            LifecycleError: it was not called.
        """
        if self._compiled is None:
            raise LifecycleError("the model is not compiled: call model.compile(optimizer, loss, metrics) first")
        return self._compiled

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer; `model.optimizer.lr` is its learning rate."""
        return self.compiled.optimizer

    @property
    def loss(self) -> str:
        """The loss, by its name."""
        return self.compiled.loss.name

    @property
    def metrics_names(self) -> list[str]:
        """The names of the numbers that `evaluate` returns."""
        return ["loss", *self.compiled.names.values()]

    def read(self, x: Any, y: Any, weight: Any = None, class_weight: Mapping[int, float] | None = None) -> Rows:
        """Returns rows for training or scoring, and builds the model for them if needed."""
        self.compiled  # noqa: B018 - raises where it is not
        rows = read_rows(x, y, weight, class_weight, self.row_shape)
        self.build_for(rows.x.shape[1:])
        return rows
