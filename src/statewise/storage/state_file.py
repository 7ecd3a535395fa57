"""A state as a file holds it: the kind of each layer's state, and its arrays by name. Does not need JAX."""

from __future__ import annotations

from typing import Any

import numpy as np

from statewise.errors import COPY_AGAIN, FileError, unknown_kind
from statewise.kernels.states import (
    AttentionState,
    BidirectionalState,
    GRUState,
    LayerState,
    LSTMState,
    SimpleState,
    WindowState,
    WiredState,
)
from statewise.storage.artifact import Artifact

Kind = LSTMState | GRUState | SimpleState | BidirectionalState | WindowState | AttentionState

KINDS: dict[str, type[Kind]] = {
    kind.__name__: kind for kind in (LSTMState, GRUState, SimpleState, BidirectionalState, WindowState, AttentionState)
}


def check_part(name: str, part: Any, shape: tuple[int, ...]) -> None:
    """Raises FileError unless an array has the given shape and holds real numbers."""
    if part.shape != shape or not np.issubdtype(part.dtype, np.floating):
        raise FileError(
            f"{name}: expected real numbers {list(shape)}, got {part.dtype} {list(part.shape)}; {COPY_AGAIN}"
        )


def kind_of(state: LayerState) -> Any:
    """Returns what a file calls a layer's state: the name of its kind, or the names of the states inside it."""
    if isinstance(state, BidirectionalState):
        return {field: kind_of(getattr(state, field)) for field in state._fields}
    if isinstance(state, WiredState):
        return {"reached": kind_of(state.reached)}
    return type(state).__name__


def from_arrays(prefix: str, kind: Any, artifact: Artifact) -> Any:
    """Returns the state of one layer from the arrays in a file whose names begin with `prefix`.

    Raises:
        FileError: an array is missing, or the kind is unknown.
    """
    if isinstance(kind, dict) and kind.keys() == {"reached"}:
        reached = from_arrays(f"{prefix}.reached", kind["reached"], artifact)
        return WiredState(artifact.array(f"{prefix}.started"), reached)
    if isinstance(kind, dict):
        sides = {side: from_arrays(f"{prefix}.{side}", part, artifact) for side, part in kind.items()}
        return BidirectionalState(**sides)
    if kind not in KINDS:
        raise unknown_kind("layer's state", kind)
    return KINDS[kind](*(artifact.array(f"{prefix}.{field}") for field in KINDS[kind]._fields))
