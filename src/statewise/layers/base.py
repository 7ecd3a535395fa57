"""The interface of a layer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from statewise.errors import ConfigurationError, ShapeError, StateError
from statewise.foundation.random import Key
from statewise.foundation.shapes import Array, Shape, check_sizes, describe
from statewise.kernels.states import LayerState
from statewise.layers.regularizers import L1L2
from statewise.layers.tensors import Input, Tensor, output_of
from statewise.operations import Step, Vector

if TYPE_CHECKING:
    import jax

Params = dict[str, "jax.Array"]
"""Weights of one layer by name; `Layer.weight_names` has their order."""

Flags = tuple["jax.Array | None", "jax.Array | None"]
"""`reset` and `mask`, bool `[B, T]`."""


@dataclass(frozen=True, kw_only=True)
class Layer(ABC):
    """Configuration of one step of a network; holds no arrays.

    Args:
        name: what weights and state are called; `lstm`, `lstm_1`, ... by default.
        trainable: whether training changes its weights; `model.freeze` and `unfreeze` change that later.
        input_shape: `(T, F)` of the network's input, on the first layer only; T may be None.
    """

    name: str | None = None
    trainable: bool = True
    input_shape: Shape | None = field(default=None, compare=False)

    @property
    def weight_names(self) -> tuple[str, ...]:
        """Names of the weights in Keras's order."""
        return ()

    def __call__(
        self, given: Tensor | Sequence[Tensor], *, initial_state: Tensor | Sequence[Tensor] | None = None
    ) -> Any:
        """Returns the symbolic output for symbolic input, to write a graph for `sw.Model`; computes nothing.

        Calling a layer again uses its weights again, with a state of its own for each use.

        Args:
            given: a tensor, or a list of those that a layer such as `Add` joins.
            initial_state: for a layer such as LSTM, the tensors `[B, H]` that its state starts in and that a reset
                returns it to, such as the last state of an encoder: h and c, or h alone.

        Returns:
            A tensor; with `return_state` a list of that and of each part of the layer's last state, `[B, H]`.

        Raises:
            ConfigurationError: `given` is not symbolic, or the layer has no state to start.
            ShapeError: the layer cannot read it, or cannot start there.
        """
        try:
            return output_of(self, given, initial_state)
        except MisfitError as error:
            raise ShapeError(error.as_first if isinstance(given, Input) else str(error)) from None

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """Returns the shape, without batch axis, that comes out when `shape` goes in, or raises ShapeError."""

    def weight_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        """Returns the shapes of the weights, by name, for input of `shape` (without batch axis)."""
        return {}

    def init(self, key: Key, shape: Shape) -> dict[str, Array]:
        """Returns initial weights for input of `shape` (without batch axis), in NumPy."""
        return {}

    def initial_statistics(self, shape: Shape) -> dict[str, Array]:
        """Returns what it knows of its input before training, by name, in NumPy; empty for most layers.

        Such statistics, as the means of a BatchNormalization, are changed by training but not by gradients.
        """
        return {}

    @property
    def regularizers(self) -> dict[str, L1L2 | None]:
        """The penalty on each of its weights, by name; None adds nothing to the loss."""
        return {}

    @property
    def parts(self) -> tuple[Layer, ...]:
        """The layer itself, and those inside it."""
        inner = (value for entry in fields(self) if isinstance(value := getattr(self, entry.name), Layer))
        return (self, *(part for layer in inner for part in layer.parts))

    @property
    def frozen(self) -> bool:
        """Whether training leaves its weights as they are, since it, or a layer inside it, is not trainable."""
        return not all(part.trainable for part in self.parts)

    @property
    def symbols(self) -> int | None:
        """V if it reads whole numbers 0 .. V-1, None if it reads real numbers."""
        return None

    @property
    def joins(self) -> bool:
        """Whether it reads a list of values rather than one."""
        return False

    @property
    def takes_one(self) -> bool:
        """Whether it reads one value by itself, not in a list."""
        return not self.joins

    @property
    def steps_from(self) -> int | None:
        """Which of several values has the steps of the output, while others may have others; None if all have them."""
        return None

    @property
    def reads_back(self) -> bool:
        """Whether, of values with the same steps as its output, it reads at each step those up to it only."""
        return True

    @property
    def reads_from(self) -> str:
        """Where it reads its steps from: "the start", "the end" or "both ends"."""
        return "the start"

    @property
    def looks_ahead(self) -> bool:
        """Whether an output depends on later steps, so that no sequence can be read in pieces."""
        return self.reads_from != "the start"

    @property
    def keeps_steps(self) -> bool:
        """Whether step t of the output, if it has steps, belongs to step t of the input."""
        return True

    @property
    def has_memory(self) -> bool:
        """Whether it has a state."""
        return True

    @property
    def state_sizes(self) -> dict[str, int]:
        """H of each part `[B, H]` of its state, for a layer whose last state others can read, and may start in."""
        return {}

    @property
    def returns_state(self) -> bool:
        """Whether calling it on a tensor returns the parts of its last state, too."""
        return False

    @property
    def parts_of_output(self) -> tuple[int, ...]:
        """The widths of the values that calling it on a tensor returns in place of one; empty if that is one."""
        return ()

    @property
    def learned_start(self) -> bool:
        """Whether sequences start in weights of its own."""
        return False

    @property
    def takes_padding(self) -> bool:
        """Whether masked steps appended to a row leave its outputs as they are."""
        return True

    @property
    def needs_steps(self) -> bool:
        """Whether it must know the number of input steps."""
        return False

    def pass_on(self, reset: jax.Array | None, mask: jax.Array | None, shape: Shape) -> Flags:
        """Returns `reset` and `mask` for the steps of the output, which has `shape` without batch axis."""
        return reset, mask

    @property
    def unbounded(self) -> bool:
        """Whether it reads at each step all those before it, of which it keeps nothing between calls."""
        return False

    def zero_state(self, batch: int, *shapes: Shape) -> LayerState:
        """Returns zeros in the shape of the state of `batch` rows, for input of that shape (without batch axis).

        A layer that joins several values is given the shape of each.
        """
        return ()

    def learned_state(self, params: Mapping[str, Any]) -> LayerState:
        """Returns the row, each part `[H]`, in which sequences start; empty if that is zeros rather than learned."""
        return ()

    def mask_of(self, x: jax.Array) -> jax.Array | None:
        """Returns bool `[B, T]`, False where this layer, the network's first, says to skip the step."""
        return None

    @abstractmethod
    def apply(
        self,
        params: Params,
        x: jax.Array,
        state: LayerState,
        *,
        reset: jax.Array | None = None,
        mask: jax.Array | None = None,
        rng: jax.Array | None = None,
    ) -> tuple[jax.Array, LayerState]:
        """Returns `(y, state)`.

        `reset` and `mask` are bool `[B, T]`: True in `reset` starts that row fresh before that step, False in
        `mask` skips that step. `rng` is given in training only.
        """

    def apply_across(
        self,
        params: Params,
        x: Sequence[jax.Array],
        state: LayerState,
        *,
        own: Flags,
        others: Sequence[Flags | None],
        rng: jax.Array | None = None,
    ) -> tuple[Any, LayerState]:
        """Returns the same as `apply`, for a layer that reads values with different steps (`steps_from`).

        Args:
            params: as for `apply`.
            x: the values.
            state: as for `apply`.
            own: `reset` and `mask` of the steps of the output.
            others: those of each value but the first; None where its steps are those of the output.
            rng: as for `apply`.
        """
        return self.apply(params, x, state, reset=own[0], mask=own[1], rng=rng)  # type: ignore[arg-type]  # several

    def apply_counting(
        self, params: Params, statistics: Params, x: jax.Array, real: jax.Array | None
    ) -> tuple[jax.Array, Params]:
        """Returns `(y, statistics)` in training, for a layer that has statistics.

        Args:
            params: as for `apply`.
            statistics: those before.
            x: input.
            real: bool, with the axes of x but the last: False where something does not count.
        """
        raise NotImplementedError

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        """Describes one step as operations, for engines that run the network step by step.

        Args:
            x: what goes in.
            weights: those of `weight_names`, in NumPy.

        Raises:
            StateError: the layer cannot answer step by step.
        """
        raise self._unanswerable(
            f" reads its input from {self.reads_from}, so that no step can be answered before the last has come; give "
            "whole sequences to model.predict(x), or use an LSTM in its place, reading from the start"
            if self.looks_ahead
            else f": {type(self).__name__} does not say what one step of it is; use model.predict(x)"
        )

    def _unanswerable(self, why: str) -> StateError:
        return StateError(f"layer {self.name!r}{why}")

    def config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as JSON holds them."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {
            name: {"kind": type(value).__name__, **value.config()} if isinstance(value, Layer | L1L2) else value
            for name, value in values.items()
        }

    def _check_steps(self, shape: Shape) -> None:
        """Raises an error unless input of `shape` has steps, each of them with features."""
        if len(shape) > 2:
            way_out = f"TimeDistributed({type(self).__name__}(...)) reads a sequence at each step"
            raise self._refuse("[B, T, F]", shape, way_out, as_first=f"give x three axes; {way_out}")
        if len(shape) != 2 or shape[-1] is None:
            raise self._refuse(
                "[B, T, F]",
                shape,
                "give the layer before it return_sequences=True",
                as_first="give x three axes, rows, steps and features: for one feature per step x[..., None]",
            )

    def _check_features(self, shape: Shape) -> None:
        """Raises an error unless input of `shape` has features on its last axis."""
        if not shape or shape[-1] is None:
            raise self._refuse(
                "[B, F] or [B, T, F]", shape, "give it features: x[..., None] adds one, an Embedding before it more"
            )

    def _refuse(self, expected: str, shape: Shape, way_out: str, as_first: str | None = None) -> MisfitError:
        what = f"{type(self).__name__} expects {expected}, got {describe(shape)}"
        return MisfitError(what, way_out, as_first or way_out)


class MisfitError(ShapeError):
    """Input that does not fit a layer; what to do depends on whether the layer is the network's first."""

    def __init__(self, what: str, way_out: str, as_first: str) -> None:
        super().__init__(f"{what}; {way_out}")
        self.as_first = f"{what}; {as_first}"


class MemorylessLayer(Layer):
    """A layer that treats each call separately, and has no state."""

    @property
    def has_memory(self) -> bool:
        return False

    @abstractmethod
    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        """Returns `y`; `rng` is given in training only."""

    def apply(
        self,
        params: Params,
        x: jax.Array,
        state: LayerState,
        *,
        reset: jax.Array | None = None,
        mask: jax.Array | None = None,
        rng: jax.Array | None = None,
    ) -> tuple[jax.Array, LayerState]:
        return self.transform(params, x, rng), state


def check_layer(layer: Layer) -> None:
    """Raises ConfigurationError unless a layer's name can be used in a model file and its input_shape is a shape."""
    kind, name = type(layer).__name__, layer.name
    if name is not None and not (isinstance(name, str) and name and "/" not in name):
        raise ConfigurationError(f"{kind} name: expected text without '/', got {name!r}")
    if not isinstance(layer.trainable, bool):
        raise ConfigurationError(f"{kind} trainable: expected True or False, got {layer.trainable!r}")
    if layer.input_shape is not None:
        check_sizes(f"{kind} input_shape", layer.input_shape)
