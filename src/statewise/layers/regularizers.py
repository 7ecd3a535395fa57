"""What large weights cost: a penalty added to the loss."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from statewise.errors import ConfigurationError
from statewise.foundation.shapes import is_number

if TYPE_CHECKING:
    import jax


@dataclass(frozen=True)
class L1L2:
    """Adds `l1 sum |w| + l2 sum w^2` over a layer's weights `w` to the loss, as Keras's regularisers do.

    It is in the loss that is minimised and in the one that `fit` and `evaluate` report; metrics leave it out.

    Args:
        l1: price of a weight's size, which makes many of them zero.
        l2: price of its square, which keeps them small.

    >>> import jax.numpy as jnp
    >>> float(L1L2(l1=0.5, l2=0.25).penalty(jnp.array([1.0, -2.0])))
    2.75
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not is_number(value) or not 0 <= value < math.inf:
                raise ConfigurationError(f"L1L2 {name}: expected a finite number from 0 up, got {value!r}")

    def penalty(self, weight: jax.Array) -> jax.Array:
        """Returns what a weight costs, one number."""
        import jax.numpy as jnp

        return self.l1 * jnp.sum(jnp.abs(weight)) + self.l2 * jnp.sum(jnp.square(weight))

    def config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return asdict(self)


def check_regularizer(name: str, value: object) -> None:
    """Raises ConfigurationError unless `value` is an L1L2 or None."""
    if value is not None and not isinstance(value, L1L2):
        raise ConfigurationError(f"{name}: expected L1L2(l2=0.01), say, or None, got {value!r}")
