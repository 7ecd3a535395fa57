"""Sequential: the model that is a stack of layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from statewise.errors import ConfigurationError, LifecycleError
from statewise.foundation.forks import check_process
from statewise.foundation.shapes import check_sizes
from statewise.inference.rows import input_shape_of
from statewise.layers import Layer
from statewise.layers.registry import warn_of_custom
from statewise.layers.residual import Residual, Stacked
from statewise.models.model import Model
from statewise.network import Network
from statewise.phrasebook.guard import guard


@guard
class Sequential(Model):
    """A stack of layers to define, compile, fit, evaluate and predict with.

    The model is also a function of its input and a state: `y, state = model(x, state)`. That call changes nothing;
    `fit` changes the weights, and only `state="carry"` and `"continue"` change `model.state`.

    Args:
        layers: the first may specify `input_shape=(T, F)`; otherwise it is inferred from the first data. A layer that
            occurs twice has its weights once, and a state for each occurrence.
        seed: all randomness (weights, shuffling, dropout) derives from it and from the number of trained epochs.

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

    kind = "sequential"

    def __init__(self, layers: Iterable[Stacked] = (), *, seed: int = 0) -> None:
        self._start(seed)
        if not isinstance(layers, Iterable):
            raise ConfigurationError(f"layers: expected a list such as [LSTM(32), Dense(1)], got {layers!r}")
        for layer in layers:
            self.add(layer)

    def add(self, layer: Stacked) -> None:
        """Appends a layer, or the layers of a `Residual`.

        Raises:
            ConfigurationError: it is not a layer, has an input_shape but is not the first, or is inside a layer of the
                model.
            LifecycleError: the model is already trained.
            ShapeError: it does not fit the layer before it.
        """
        if self.train_state.trained and isinstance(layer, Layer | Residual):
            raise LifecycleError("layers can only be added before training; make a new Sequential")
        before = len(self._stack.layers)
        self._build(self._stack.with_part(layer))
        if self._settings is not None:
            warn_of_custom(self._stack.layers[before:])

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Creates the weights for an input shape given with its batch axis, as in Keras: `(None, T, F)`.

        Raises:
            ConfigurationError: that is not a shape.
            LifecycleError: there are no layers, or the weights already exist for another shape.
            ShapeError: a layer does not fit.
        """
        self._build(self._stack.built_for(check_sizes("input_shape", input_shape)[1:]))

    @property
    def returned_state(self) -> str | None:
        """The name of the last layer if it is to return its state; None otherwise."""
        network = self.network
        last = network.layers[-1]
        return network.names[-1] if last.returns_state else None

    def built_for(self, x: object) -> Network:
        """Returns the network, built for `x` if necessary; checks that JAX can run in this process."""
        check_process()
        if self._stack.network is None:
            self.build(input_shape_of(x))
        return self.network
