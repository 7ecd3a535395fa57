"""Windows of steps, which convolutions and pooling read: where they lie, and which of them count.

A masked step is not there: those that count are moved together first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from statewise.errors import ShapeError

if TYPE_CHECKING:
    import jax

PADDINGS = ("valid", "same", "causal")
"""Whether windows lie within the steps, around each step, or end at each step; beyond the steps are zeros."""


class StepWindows(NamedTuple):
    """Windows of `size` steps, `dilation` apart, of which each begins `stride` steps after the one before it."""

    size: int
    stride: int
    dilation: int
    padding: str

    @property
    def reach(self) -> int:
        """How many steps lie between the first step of a window and its last."""
        return (self.size - 1) * self.dilation

    def number(self, steps: int | None) -> int | None:
        """Returns how many windows there are; None if the number of steps is unknown.

        Raises:
            ShapeError: not even one window fits.
        """
        if steps is not None and self.padding == "valid" and steps <= self.reach:
            raise ShapeError(f"expected at least {self.reach + 1} steps, one window, got {steps}")
        return None if steps is None else self._fitting(steps)

    def before(self, steps: int) -> int:
        """Returns how many steps the first window begins before the first step."""
        if self.padding == "same":
            windows = self.number(steps) or 0
            return max((windows - 1) * self.stride + self.reach + 1 - steps, 0) // 2
        return self.reach if self.padding == "causal" else 0

    def columns(self, a: jax.Array, fill: float = 0) -> list[jax.Array]:
        """Returns for each place in a window what lies there: `size` arrays `[B, windows, ...]` of `a [B, T, ...]`.

        Beyond the steps is `fill`.
        """
        import jax.numpy as jnp

        steps = a.shape[1]
        windows, before = self.number(steps) or 0, self.before(steps)
        last = (windows - 1) * self.stride + 1
        room = [(0, 0), (before, max(last + self.reach - before - steps, 0))] + [(0, 0)] * (a.ndim - 2)
        padded = jnp.pad(a, room, constant_values=fill)
        starts = range(0, self.size * self.dilation, self.dilation)
        return [padded[:, start : start + last : self.stride] for start in starts]

    def anchors(self, a: jax.Array) -> jax.Array:
        """Returns what lies where each window belongs: at its last step, or with "same" at the step it is around."""
        place = (self.size - 1) // 2 if self.padding == "same" else self.size - 1
        return self.columns(a)[place]

    def pass_on(self, reset: jax.Array | None, mask: jax.Array | None) -> tuple[jax.Array | None, jax.Array | None]:
        """Returns `reset` and `mask` for windows as steps."""
        return flags_of_made(reset, mask, self._fitting)

    def _fitting(self, steps: Any) -> Any:
        """Returns how many windows fit so many steps, a number or an array of numbers."""
        return (steps - self.reach - 1) // self.stride + 1 if self.padding == "valid" else -(-steps // self.stride)


def flags_of_made(
    reset: jax.Array | None, mask: jax.Array | None, number: Callable[[Any], Any]
) -> tuple[jax.Array | None, jax.Array | None]:
    """Returns `reset` and `mask` for the steps that a layer makes of rows, `number(n)` of n steps that count.

    Those count that a row has by itself, none if it has no steps. A row with a reset anywhere starts fresh before the
    first of them, since it is read from its last reset on.
    """
    import jax.numpy as jnp

    real = since_last_reset(reset, mask)
    if real is None:
        return None, None
    steps = real.sum(axis=1, keepdims=True)
    place = jnp.arange(number(real.shape[1]))[None]
    own = (place < number(steps)) & (steps > 0)
    return None if reset is None else reset.any(axis=1, keepdims=True) & (place == 0), own


def since_last_reset(reset: jax.Array | None, mask: jax.Array | None) -> jax.Array | None:
    """Returns the mask without the steps before each row's last reset; None if all steps count."""
    import jax.numpy as jnp

    if reset is None:
        return mask
    segments = jnp.cumsum(reset, axis=1)
    own = segments == segments[:, -1:]
    return own if mask is None else own & mask


def moved_together(mask: jax.Array, a: jax.Array, fill: float = 0) -> jax.Array:
    """Returns `a [B, T, ...]` with the steps that count at the beginning of each row, and `fill` after them."""
    import jax.numpy as jnp

    order = jnp.argsort(~mask, axis=1, stable=True)
    apart = (1,) * (a.ndim - 2)
    real = jnp.arange(mask.shape[1])[None] < mask.sum(axis=1, keepdims=True)
    return jnp.where(
        real.reshape(*mask.shape, *apart), jnp.take_along_axis(a, order.reshape(*mask.shape, *apart), 1), fill
    )


def moved_back(mask: jax.Array, a: jax.Array) -> jax.Array:
    """Returns what `moved_together` moved, at its place; zeros at the steps that do not count."""
    import jax.numpy as jnp

    place = jnp.maximum(jnp.cumsum(mask, axis=1) - 1, 0)
    return jnp.where(mask[..., None], jnp.take_along_axis(a, place[..., None], axis=1), 0)
