"""All that training changes in a model, as a value."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np

from statewise.errors import ShapeError
from statewise.foundation.engine import on_device
from statewise.foundation.random import fold_in, key_of
from statewise.foundation.shapes import Array, as_array, check_finite
from statewise.network import Network, NetworkParams, with_statistics
from statewise.state import State
from statewise.storage.pytrees import fill_leaves, name_leaves
from statewise.training.learned import Learned


@dataclass(frozen=True)
class TrainState:
    """Weights, optimizer, state, and the progress of training."""

    params: NetworkParams = field(default_factory=dict)
    statistics: NetworkParams = field(default_factory=dict)  # of layers such as BatchNormalization, by node
    trained: bool = False  # whether the weights are no longer random
    optimizer: Any = None  # Optax's state; None until the first update needs it
    saved_optimizer: Mapping[str, Array] = field(default_factory=dict)  # from a file, until `optimizer` is created
    state: State | None = None  # where "continue" starts
    epochs: int = 0  # epochs the model was trained for; seeds the randomness of the next
    logs: dict[str, float] | None = None  # of the epoch whose weights these are

    def rebuilt(self, network: Network, seed: int) -> TrainState:
        """Returns the train state with new weights for a changed network."""
        weights, statistics = network.init(fold_in(key_of(seed), 0)), network.initial_statistics()
        return TrainState(weights, statistics, self.trained, state=self.state)

    @property
    def known(self) -> NetworkParams:
        """Weights with statistics, as what runs the network takes them."""
        return with_statistics(self.params, self.statistics)

    def without_optimizer(self) -> TrainState:
        """Returns the train state without optimizer state, so that the optimizer starts fresh."""
        return replace(self, optimizer=None, saved_optimizer={})

    def with_weights(self, network: Network, weights: Sequence[object]) -> TrainState:
        """Returns the train state with all weights replaced, ordered and shaped as `weights_in_order` returns them.

        Raises:
            ShapeError: another number of arrays, or other shapes.
            DataError: NaN among them.
        """
        names = network.weight_names
        if not isinstance(weights, list | tuple):
            raise ShapeError(f"weights: expected a list of {len(names)} arrays, got {type(weights).__name__}")
        arrays = [as_array("weights", weight).astype(np.float32) for weight in weights]
        expected = [self.params[layer][weight].shape for layer, weight in names]
        if [array.shape for array in arrays] != expected:
            raise ShapeError(
                f"weights: expected shapes {[list(shape) for shape in expected]}, "
                f"got {[list(array.shape) for array in arrays]}"
            )
        for (layer, weight), array in zip(names, arrays, strict=True):
            check_finite(f"weights of {layer}/{weight}", array)
        params: NetworkParams = {layer: {} for layer in self.params}
        for (layer, weight), array in zip(names, arrays, strict=True):
            params[layer][weight] = on_device(array)
        return replace(self, params=params, trained=True, logs=None)

    def weights_in_order(self, network: Network) -> list[Array]:
        """Returns copies of all weights in Keras's order: for LSTM kernel, recurrent_kernel, bias."""
        return [np.array(self.params[layer][weight]) for layer, weight in network.weight_names]

    # -- in files ----------------------------------------------------------------------------------------------

    @property
    def learned(self) -> Learned:
        """Weights, optimizer and state by their names in files."""
        arrays = name_leaves("params", self.params) | name_leaves("statistics", self.statistics)
        arrays |= self.saved_optimizer if self.optimizer is None else name_leaves("optimizer", self.optimizer)
        if self.state is not None:
            arrays |= name_leaves("state", dict(self.state.layers))
        return Learned(arrays, self.trained, None if self.state is None else self.state.batch, self.logs)

    def with_learned(self, network: Network, learned: Learned) -> TrainState:
        """Returns the train state with `learned` in place of its own; the number of epochs stays.

        Raises:
            FileError: it belongs to another network.
        """
        params, state = fill_leaves("params", network.weight_shapes(), learned.arrays), None
        statistics = fill_leaves("statistics", network.initial_statistics(), learned.arrays)
        if learned.state is not None:
            shapes = network.state_shapes(learned.state)
            filled = fill_leaves("state", shapes, learned.arrays)
            state = State({name: filled[name] for name in shapes}, network.learned_states(params))
        saved = {name: array for name, array in learned.arrays.items() if name.startswith("optimizer")}
        return TrainState(params, statistics, learned.trained, None, saved, state, self.epochs, learned.logs)

    def checksum(self, *, with_state: bool) -> int:
        """Returns a checksum of where a training starts: weights (unless random), optimizer, and state."""
        weights, state = self.params if self.trained else None, self.state if with_state else None
        leaves = jax.tree.leaves((weights, self.statistics, self.optimizer, state))
        return zlib.crc32(b"".join(np.asarray(leaf).tobytes() for leaf in leaves))
