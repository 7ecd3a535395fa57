"""What `fit` tells someone whose training cannot learn what they want it to: one sentence, as a warning."""

from __future__ import annotations

import warnings

from statewise.data.lanes import Lanes
from statewise.errors import StatewiseWarning
from statewise.network import Network
from statewise.start import Start


def advise(network: Network, x: object, steps: int, rows: int | None, start: Start) -> None:
    """Warns once of samples that are one step long, and of lanes whose state is not carried."""
    if not network.memory or not network.reads_steps:
        return
    if steps == 1 and rows != 1 and start.rows is None:
        _warn(_ONE_STEP_CARRIED if start.carry else _ONE_STEP_FRESH)
    elif isinstance(x, Lanes) and not start.carry and x.batches > 1:
        _warn(_LANES_FRESH)


_ONE_STEP_FRESH = (
    "each sample is one time step and starts from a fresh state, so nothing can be learnt from earlier samples: make "
    "samples longer, x [N, T, F] with T > 1 (statewise.windows or statewise.lanes do)"
)
_ONE_STEP_CARRIED = (
    "each sample is one time step: the carried state brings what came before, but no gradient reaches it, so what to "
    "remember is not learnt: make samples longer, x [N, T, F] with T > 1 (statewise.lanes does)"
)
_LANES_FRESH = (
    "these lanes go on from batch to batch, but every batch starts from a fresh state: write state='carry' to carry it"
)


def _warn(sentence: str) -> None:
    warnings.warn(sentence, StatewiseWarning, stacklevel=4)
