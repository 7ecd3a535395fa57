"""Layers that make more steps of those that a row has: zeros around them, or each of them several times."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from statewise.errors import ConfigurationError
from statewise.foundation.shapes import Shape, check_whole
from statewise.layers.base import Flags, check_layer
from statewise.layers.step_windows import flags_of_made, moved_together
from statewise.layers.whole_rows import WholeRows
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


class _Resizing(WholeRows):
    """A layer whose output has more steps; those made of the steps that count come first."""

    @abstractmethod
    def number(self, steps: Any) -> Any:
        """Returns how many steps it makes of so many, a number or an array of numbers."""

    @abstractmethod
    def resize(self, x: jax.Array) -> jax.Array:
        """Returns `[B, number(T), F]` of `x [B, T, F]`."""

    def output_shape(self, shape: Shape) -> Shape:
        self._check_steps(shape)
        steps, features = shape
        return (None if steps is None else self.number(steps), features)

    def pass_on(self, reset: jax.Array | None, mask: jax.Array | None, shape: Shape) -> Flags:
        return flags_of_made(reset, mask, self.number)

    def read_rows(self, x: jax.Array, real: jax.Array | None) -> jax.Array:
        return self.resize(x if real is None else moved_together(real, x))


@guard_making
@dataclass(frozen=True)
class ZeroPadding1D(_Resizing):
    """Steps of zeros before and after the steps of a row: `[B, T, F]` to `[B, left + T + right, F]`.

    The zeros are steps like any other: layers that follow read them. A row has them around the steps that are its own:
    masked steps, and those before its last reset, are not there. A row without any step stays one without.

    Args:
        padding: how many steps to add at each end, or `(left, right)`.

    Raises:
        ConfigurationError: `padding` is neither an integer of at least 0 nor a pair of them.

    >>> ZeroPadding1D(2).output_shape((10, 3)), ZeroPadding1D((4, 0)).output_shape((10, 3))
    ((14, 3), (14, 3))
    """

    padding: int | tuple[int, int] = 1

    def __post_init__(self) -> None:
        check_layer(self)
        given = self.padding if isinstance(self.padding, tuple | list) else (self.padding, self.padding)
        if len(given) != 2:
            raise ConfigurationError(
                f"ZeroPadding1D padding: expected one integer, or two as in (left, right), got {self.padding!r}"
            )
        ends = tuple(check_whole("ZeroPadding1D padding", steps, least=0) for steps in given)
        object.__setattr__(self, "padding", ends)

    def number(self, steps: Any) -> Any:
        return steps + sum(self._ends)

    def resize(self, x: jax.Array) -> jax.Array:
        import jax.numpy as jnp

        return jnp.pad(x, [(0, 0), self._ends, (0, 0)])

    @property
    def _ends(self) -> tuple[int, int]:
        return cast("tuple[int, int]", self.padding)


@guard_making
@dataclass(frozen=True)
class UpSampling1D(_Resizing):
    """Each step of a row `size` times in succession: `[B, T, F]` to `[B, size T, F]`.

    Masked steps, and those before a row's last reset, are not there.

    Args:
        size: how many times.

    Raises:
        ConfigurationError: `size` is not an integer of at least 1.

    >>> UpSampling1D(3).output_shape((10, 8)), UpSampling1D().output_shape((None, 8))
    ((30, 8), (None, 8))
    """

    size: int = 2

    def __post_init__(self) -> None:
        check_layer(self)
        check_whole("UpSampling1D size", self.size)

    def number(self, steps: Any) -> Any:
        return steps * self.size

    def resize(self, x: jax.Array) -> jax.Array:
        import jax.numpy as jnp

        return jnp.repeat(x, self.size, axis=1)
