"""What `fit` tells someone whose training cannot learn what they want it to: one sentence, as a warning."""

from __future__ import annotations

from statewise.data.batches import NEGATIVE_WEIGHTS, Samples
from statewise.data.lanes import Lanes
from statewise.data.overlap import shared_steps
from statewise.data.ragged_rows import RaggedRows
from statewise.errors import warn
from statewise.foundation.words import plural
from statewise.inference.start import Start
from statewise.network import Network
from statewise.objectives.losses import Loss
from statewise.training.heads import no_probabilities


def advise(
    network: Network, loss: Loss, x: object, data: Samples | RaggedRows | None, steps: int, start: Start
) -> None:
    """Warns of what cannot learn.

    That is: samples that are one step long, lanes whose state is not carried, a loss of probabilities whose network
    answers none, and weights below 0. `data` is None where batches come one by one.
    """
    unlikely = no_probabilities(network, loss)
    if unlikely is not None:
        warn(unlikely)
    if data is not None and data.has_negative_weights:
        warn(NEGATIVE_WEIGHTS)
    if not network.memory or not network.reads_steps:
        return
    if steps == 1 and (data is None or data.rows != 1) and start.rows is None:
        warn(_ONE_STEP_CARRIED if start.carry else _ONE_STEP_FRESH)
    elif isinstance(x, Lanes) and not start.carry and x.batches > 1:
        warn(_LANES_FRESH)


def advise_split(source: Samples, cut: int) -> None:
    """Warns where rows are windows that overlap, so that a split of rows before `cut` leaks into those after it."""
    stride = shared_steps(source.x, cut)
    if stride is not None:
        steps = source.x.shape[1]
        warn(_LEAK.format(stride=plural(stride, "step"), steps=steps, left_out=-(-steps // stride) - 1))


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
_LEAK = (
    "validation_split of windows that overlap: each row of x is the one before it moved by {stride}, so that the last "
    "rows to train on share values with the first that are held out: cut the series before it becomes windows, as "
    "fit(statewise.windows(series, {steps}), validation_split=...) does, or pass validation_data and leave {left_out} "
    "row(s) out before it"
)
