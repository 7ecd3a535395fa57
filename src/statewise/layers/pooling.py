"""Layers that summarize steps: the largest or the mean of each feature, in windows or over all steps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from statewise.errors import ShapeError, unknown_name
from statewise.foundation.shapes import Shape, check_whole
from statewise.layers.base import Flags, check_layer
from statewise.layers.step_windows import StepWindows, moved_together
from statewise.layers.whole_rows import WholeRows
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


Summary = Callable[["jax.Array", "jax.Array", int], "jax.Array"]
"""Of an array, of which numbers in it count, and along which axis."""


def largest(x: jax.Array, counted: jax.Array, axis: int) -> jax.Array:
    """Returns the largest number along an axis of those that are counted; 0 where there are none."""
    import jax.numpy as jnp

    found = jnp.where(counted, x, -jnp.inf).max(axis=axis)
    return jnp.where(counted.any(axis=axis), found, 0)


def mean(x: jax.Array, counted: jax.Array, axis: int) -> jax.Array:
    """Returns the mean along an axis of the numbers that are counted; 0 where there are none."""
    import jax.numpy as jnp

    return jnp.where(counted, x, 0).sum(axis=axis) / jnp.maximum(counted.sum(axis=axis), 1)


class _Summary(WholeRows):
    """A layer that summarizes the steps that count."""

    @property
    @abstractmethod
    def summary(self) -> Summary:
        """What becomes of the steps that count."""


class _Pooling(_Summary):
    """Windows of steps, each summarized."""

    pool_size: int
    strides: int | None
    padding: str

    def __post_init__(self) -> None:
        check_layer(self)
        check_whole(f"{type(self).__name__} pool_size", self.pool_size)
        if self.strides is not None:
            check_whole(f"{type(self).__name__} strides", self.strides)
        if self.padding not in ("valid", "same"):
            raise unknown_name("padding", self.padding, ("valid", "same"))

    @property
    def _windows(self) -> StepWindows:
        return StepWindows(self.pool_size, self.strides or self.pool_size, 1, self.padding)

    @property
    def takes_padding(self) -> bool:
        return self.padding == "valid" or self._windows.stride == 1

    def output_shape(self, shape: Shape) -> Shape:
        self._check_steps(shape)
        try:
            return (self._windows.number(shape[0]), shape[1])
        except ShapeError as error:
            raise ShapeError(f"{type(self).__name__}: {error}; make pool_size smaller") from None

    def pass_on(self, reset: jax.Array | None, mask: jax.Array | None, shape: Shape) -> Flags:
        return self._windows.pass_on(reset, mask)

    def read_rows(self, x: jax.Array, real: jax.Array | None) -> jax.Array:
        import jax.numpy as jnp

        inside = jnp.ones(x.shape[:2], bool)
        if real is not None:
            x, inside = moved_together(real, x), moved_together(real, inside, fill=False)
        columns, counted = (jnp.stack(self._windows.columns(a)) for a in (x, inside))
        return self.summary(columns, counted[..., None], 0)


@guard_making
@dataclass(frozen=True)
class MaxPooling1D(_Pooling):
    """The largest number of each feature in windows of steps: `[B, T, F]` to `[B, T / strides, F]`.

    Args:
        pool_size: how many steps a window has.
        strides: how many steps lie between two windows; `pool_size` by default.
        padding: `valid`, only windows within the steps; `same`, also cut ones.

    >>> MaxPooling1D(2).output_shape((10, 3))
    (5, 3)
    """

    pool_size: int = 2
    strides: int | None = field(default=None, kw_only=True)
    padding: str = field(default="valid", kw_only=True)

    @property
    def summary(self) -> Summary:
        return largest


@guard_making
@dataclass(frozen=True)
class AveragePooling1D(_Pooling):
    """The mean of each feature in windows of steps; arguments as for `MaxPooling1D`."""

    pool_size: int = 2
    strides: int | None = field(default=None, kw_only=True)
    padding: str = field(default="valid", kw_only=True)

    @property
    def summary(self) -> Summary:
        return mean


class _GlobalPooling(_Summary):
    """All steps of a row, summarized."""

    def __post_init__(self) -> None:
        check_layer(self)

    def output_shape(self, shape: Shape) -> Shape:
        self._check_steps(shape)
        return shape[1:]

    def read_rows(self, x: jax.Array, real: jax.Array | None) -> jax.Array:
        import jax.numpy as jnp

        counted = jnp.ones(x.shape[:2], bool) if real is None else real
        return self.summary(x, counted[..., None], 1)


@guard_making
@dataclass(frozen=True)
class GlobalMaxPooling1D(_GlobalPooling):
    """The largest number of each feature over all steps of a row: `[B, T, F]` to `[B, F]`.

    Masked steps, and those before a row's last reset, do not count.

    >>> GlobalMaxPooling1D().output_shape((None, 3))
    (3,)
    """

    @property
    def summary(self) -> Summary:
        return largest


@guard_making
@dataclass(frozen=True)
class GlobalAveragePooling1D(_GlobalPooling):
    """The mean of each feature over all steps of a row, as `GlobalMaxPooling1D`."""

    @property
    def summary(self) -> Summary:
        return mean
