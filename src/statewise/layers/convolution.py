"""Convolution over steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from statewise.errors import ConfigurationError, ShapeError, unknown_name
from statewise.foundation.random import Key, glorot_uniform
from statewise.foundation.shapes import Array, Shape, check_whole
from statewise.kernels.states import LayerState, WindowState
from statewise.layers.base import Flags, Params, check_layer
from statewise.layers.kernel import KernelLayer
from statewise.layers.regularizers import L1L2
from statewise.layers.step_windows import PADDINGS, StepWindows, moved_back, moved_together, since_last_reset
from statewise.operations import Affine, Constant, Input, Joined, Kept, Slice, Step, Vector, apply
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


@guard_making
@dataclass(frozen=True)
class Conv1D(KernelLayer):
    """A window of steps times a kernel, at every step: `[B, T, F]` to `[B, T, filters]`, or fewer steps.

    With `padding="causal"` an output depends on its step and those before it. The layer then has memory, the last
    steps of a row: it reads rows in pieces, carries, and streams, and a reset cuts its windows. With the other paddings
    it reads whole rows; if it makes steps of its own, from the last reset on. A masked step is not there.

    Weights as in Keras: `kernel [kernel_size, F, filters]` glorot-uniform, `bias [filters]` zero.

    Args:
        filters: how many numbers an output has.
        kernel_size: how many steps a window has.
        strides: how many steps lie between two windows.
        padding: `valid`, only windows within the steps; `same`, a window around each step; `causal`, one that ends
            at each step. Beyond the ends are zeros.
        dilation_rate: how far the steps of a window are apart.
        activation: name of the function applied to the sum.
        use_bias: whether there is a `bias`.
        kernel_regularizer: an `L1L2` for `kernel`.
        bias_regularizer: an `L1L2` for `bias`.

    >>> Conv1D(16, 3, padding="causal").output_shape((None, 8)), Conv1D(16, 3, strides=2).output_shape((10, 8))
    ((None, 16), (4, 16))
    """

    filters: int
    kernel_size: int
    strides: int = field(default=1, kw_only=True)
    padding: str = field(default="valid", kw_only=True)
    dilation_rate: int = field(default=1, kw_only=True)
    activation: str = field(default="linear", kw_only=True)
    use_bias: bool = field(default=True, kw_only=True)
    kernel_regularizer: L1L2 | None = field(default=None, kw_only=True)
    bias_regularizer: L1L2 | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        check_layer(self)
        for size in ("filters", "kernel_size", "strides", "dilation_rate"):
            check_whole(f"Conv1D {size}", getattr(self, size))
        if self.padding not in PADDINGS:
            raise unknown_name("padding", self.padding, PADDINGS)
        if self.strides > 1 and self.dilation_rate > 1:
            raise ConfigurationError("Conv1D: expected strides=1 with a dilation_rate above 1")
        self._check_options()

    @property
    def _windows(self) -> StepWindows:
        return StepWindows(self.kernel_size, self.strides, self.dilation_rate, self.padding)

    @property
    def has_memory(self) -> bool:
        return self.padding == "causal" and self.strides == 1 and self.kernel_size > 1

    @property
    def keeps_steps(self) -> bool:
        return self.strides == 1 and (self.padding != "valid" or self.kernel_size == 1)

    @property
    def reads_from(self) -> str:
        around = self.padding == "same" and self.kernel_size > 1
        return "both sides of each step" if around else "the start"

    @property
    def takes_padding(self) -> bool:
        return not (self.padding == "same" and self.strides > 1)  # where windows lie depends on the number of steps

    def output_shape(self, shape: Shape) -> Shape:
        self._check_steps(shape)
        try:
            return (self._windows.number(shape[0]), self.filters)
        except ShapeError as error:
            raise ShapeError(f"Conv1D: {error}; make kernel_size or dilation_rate smaller") from None

    def weight_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        shapes = {"kernel": (self.kernel_size, shape[-1] or 0, self.filters), "bias": (self.filters,)}
        return {name: shapes[name] for name in self.weight_names}

    def init(self, key: Key, shape: Shape) -> dict[str, Array]:
        features = shape[-1] or 0
        fans = (self.kernel_size * features, self.kernel_size * self.filters)
        kernel = glorot_uniform(key, (self.kernel_size, features, self.filters), fans)
        return {"kernel": kernel} | ({"bias": np.zeros(self.filters, np.float32)} if self.use_bias else {})

    def zero_state(self, batch: int, *shapes: Shape) -> LayerState:
        if not self.has_memory:
            return ()
        from statewise.foundation.engine import zeros

        return WindowState(zeros(batch, self._windows.reach * (shapes[0][-1] or 0)))

    def pass_on(self, reset: jax.Array | None, mask: jax.Array | None, shape: Shape) -> Flags:
        return (reset, mask) if self.keeps_steps else self._windows.pass_on(reset, mask)

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
        import jax.numpy as jnp

        if not self.keeps_steps:
            real = since_last_reset(reset, mask)
            x = x if real is None else moved_together(real, x)
            return self._convolve(params, x, None, self._windows), state
        segments = None if reset is None else jnp.cumsum(reset, axis=1)
        last = None if segments is None else segments[:, -1:]
        if mask is not None:
            x = moved_together(mask, x)
            segments = None if segments is None else moved_together(mask, segments, fill=-1)
        after: LayerState = state
        if self.has_memory:
            x, segments, after = self._with_past(x, state, segments, last, mask)
            y = self._convolve(params, x, segments, self._windows._replace(padding="valid"))
        else:
            y = self._convolve(params, x, segments, self._windows)
        return (y if mask is None else moved_back(mask, y)), after

    def _with_past(
        self, x: jax.Array, state: Any, segments: jax.Array | None, last: jax.Array | None, mask: jax.Array | None
    ) -> tuple[jax.Array, jax.Array | None, WindowState]:
        """Returns x and segments with the last steps before them, and the last steps now: zeros before a reset."""
        import jax.numpy as jnp

        B, T, F = x.shape
        reach = self._windows.reach
        x = jnp.concatenate([state.past.reshape(B, reach, F), x], axis=1)
        segments = None if segments is None else jnp.pad(segments, [(0, 0), (reach, 0)])
        if mask is None:
            past, ids = x[:, T:], None if segments is None else segments[:, T:]
        else:
            place = mask.sum(axis=1)[:, None] + jnp.arange(reach)
            past = jnp.take_along_axis(x, place[..., None], axis=1)
            ids = None if segments is None else jnp.take_along_axis(segments, place, axis=1)
        if ids is not None and last is not None:
            past = jnp.where((ids == last)[..., None], past, 0)
        return x, segments, WindowState(past.reshape(B, reach * F))

    def _convolve(self, params: Params, x: jax.Array, segments: jax.Array | None, windows: StepWindows) -> jax.Array:
        """Returns the output of each window; of what lies in another segment than its anchor it reads zeros."""
        import jax.numpy as jnp

        from statewise.kernels.activations import ACTIVATIONS
        from statewise.kernels.dense import dense

        columns = windows.columns(x)
        if segments is not None:
            own = windows.anchors(segments)
            beside = windows.columns(segments, fill=-1)
            columns = [jnp.where((ids == own)[..., None], c, 0) for ids, c in zip(beside, columns, strict=True)]
        kernel = params["kernel"]
        z = dense(jnp.concatenate(columns, axis=-1), kernel.reshape(-1, self.filters))
        return ACTIVATIONS[self.activation](z + params["bias"] if self.use_bias else z)

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        if self.looks_ahead or not self.keeps_steps:
            raise self._unanswerable(
                f" reads windows that do not end at each step (padding={self.padding!r}, strides={self.strides}); use "
                "padding='causal', or give whole sequences to model.predict(x)"
            )
        bias = weights.get("bias", np.zeros(self.filters, np.float32))
        nothing = Constant(np.zeros(self.filters, np.float32))
        if not self.has_memory:
            return Step(Kept(apply(self.activation, Affine((x,), weights["kernel"][0], bias)), nothing))
        features, reach = x.size or 0, self._windows.reach
        spread = np.zeros((reach + 1, features, self.filters), np.float32)
        spread[:: self.dilation_rate] = weights["kernel"]
        past = Input(reach * features)
        y = apply(self.activation, Affine((past, x), spread.reshape(-1, self.filters), bias))
        newer = x if reach == 1 else Joined((Slice(past, features, (reach - 1) * features), x))
        return Step(Kept(y, nothing), WindowState(past), WindowState(Kept(newer, past)))
