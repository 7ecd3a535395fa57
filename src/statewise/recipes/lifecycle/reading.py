"""What the recipes of the life cycle share: numbers, errors and histories in readable form."""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array


def number(values: Array) -> str:
    """Returns the values of one step or of one answer to two decimals: "0.10", of two features "0.10, -0.52"."""
    return ", ".join(f"{float(value):.2f}" for value in values)


def typical_error(answers: Array, truth: Array) -> float:
    """Returns the root of the mean squared error."""
    return float(np.sqrt(np.mean((answers - truth) ** 2)))


def by_epoch(history: sw.History, of: str = "") -> dict[str, list[float]]:
    """Returns the training and held-out loss by epoch: the curves of `sw.plot_history`."""
    return {f"loss by epoch{of}": history.history["loss"], f"held-out loss by epoch{of}": history.history["val_loss"]}
