"""What layers whose memory has gates have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from statewise.layers.recurrent import Recurrent
from statewise.operations import Vector, apply, settle_function


@dataclass(frozen=True)
class Gated(Recurrent):
    """What LSTM and GRU have in common beyond `Recurrent`: gates, and their activation."""

    recurrent_activation: str = field(default="sigmoid", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        settle_function(self, "recurrent_activation")

    def _gate(self, z: Vector) -> Vector:
        """Describes how far a gate is open."""
        return apply(self.recurrent_activation, z)

    @property
    def _has_usual_functions(self) -> bool:
        """Whether its functions are those whose derivatives the fast kernels know."""
        return (self.activation, self.recurrent_activation) == ("tanh", "sigmoid")

    @property
    def _reference_options(self) -> dict[str, Any]:
        from statewise.kernels.activations import ACTIVATIONS

        return {
            "activation": ACTIVATIONS[self.activation],
            "recurrent_activation": ACTIVATIONS[self.recurrent_activation],
        }
