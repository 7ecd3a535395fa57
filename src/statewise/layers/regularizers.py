"""Penalties on large weights, added to the loss."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from statewise.errors import ConfigurationError
from statewise.foundation.shapes import is_number
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


@guard_making
@dataclass(frozen=True)
class L1L2:
    """Adds `l1 sum |w| + l2 sum w^2` over a layer's weights `w` to the loss, as Keras's regularizers do.

    It is part of the loss that is minimized and of the one that `fit` and `evaluate` report; metrics exclude it.

    Args:
        l1: factor of the absolute values, which makes many weights zero.
        l2: factor of the squares, which keeps weights small.

    >>> import jax.numpy as jnp
    >>> float(L1L2(l1=0.5, l2=0.25).penalty(jnp.array([1.0, -2.0])))
    2.75
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not is_number(value) or not 0 <= value < math.inf:
                raise ConfigurationError(f"L1L2 {name}: expected a finite number >= 0, got {value!r}")

    def penalty(self, weight: jax.Array) -> jax.Array:
        """Returns the penalty on a weight, one number."""
        import jax.numpy as jnp

        return self.l1 * jnp.sum(jnp.abs(weight)) + self.l2 * jnp.sum(jnp.square(weight))

    def config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return asdict(self)


def check_regularizer(name: str, value: object) -> None:
    """Raises ConfigurationError unless `value` is an L1L2 or None."""
    if value is not None and not isinstance(value, L1L2):
        raise ConfigurationError(f"{name}: expected an L1L2, such as L1L2(l2=0.01), or None, got {value!r}")
