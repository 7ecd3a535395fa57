"""What training has made of a model, as a value: what files, checkpoints and early stopping keep of it."""

from __future__ import annotations

from typing import NamedTuple

from statewise.foundation.shapes import Array


class Learned(NamedTuple):
    """Weights, optimizer and state of a model, all of one epoch; later training leaves it as it is."""

    arrays: dict[str, Array]  # by the names that a model file has for them
    trained: bool  # whether the weights are other than random
    state: int | None  # rows of `model.state`; None where there is none
    logs: dict[str, float] | None  # loss and metrics of the epoch; None where weights come from elsewhere
