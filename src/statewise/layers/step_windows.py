"""Windows of steps, which convolutions and pooling read: where they lie, and which of them count."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
        if steps is None:
            return None
        if self.padding != "valid":
            return -(-steps // self.stride)
        if steps <= self.reach:
            raise ShapeError(f"expected at least {self.reach + 1} steps, one window, got {steps}")
        return (steps - self.reach - 1) // self.stride + 1

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

    def counted(self, mask: jax.Array) -> jax.Array:
        """Returns which windows count: those of whose steps all do, or with zeros beyond the steps the anchor does."""
        import jax.numpy as jnp

        columns = self.columns(mask, fill=False)
        return jnp.stack(columns).all(axis=0) if self.padding == "valid" else self.anchors(mask)

    def reset(self, reset: jax.Array) -> jax.Array:
        """Returns before which windows a row starts fresh: where there was a reset since the anchor before."""
        import jax.numpy as jnp

        resets = self.anchors(jnp.cumsum(reset, axis=1))
        return jnp.diff(resets, axis=1, prepend=0) > 0
