"""What a model has learned, as a value: what files, checkpoints and early stopping keep of it."""

from __future__ import annotations

from typing import NamedTuple

from statewise.foundation.shapes import Array


class Learned(NamedTuple):
    """Weights, optimizer and state of a model, all of one epoch; later training does not change it."""

    arrays: dict[str, Array]  # by their names in a model file
    trained: bool  # whether the weights are no longer random
    state: int | None  # rows of `model.state`; None if there is none
    logs: dict[str, float] | None  # loss and metrics of the epoch; None if the weights come from elsewhere
