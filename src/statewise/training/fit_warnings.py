"""Warnings from `fit` about training that cannot learn what it is meant to, one sentence each."""

from __future__ import annotations

from collections.abc import Sequence

from statewise.data.batches import NEGATIVE_WEIGHTS, Samples
from statewise.data.lanes import Lanes
from statewise.data.overlap import shared_steps
from statewise.data.ragged_rows import RaggedRows
from statewise.errors import warn
from statewise.foundation.named_values import arrays_of
from statewise.foundation.words import plural
from statewise.inference.start import Start
from statewise.network import Network
from statewise.objectives.losses import Loss
from statewise.training.output_checks import no_probabilities


def warn_if_unlearnable(
    network: Network,
    losses: Sequence[tuple[str | None, Loss]],
    x: object,
    data: Samples | RaggedRows | None,
    steps: int,
    start: Start,
) -> None:
    """Warns of training that cannot learn.

    That is: samples of one step, lanes whose state is not carried, a loss of probabilities for a network that outputs
    none, and negative weights. `data` is None if batches come one at a time; `losses` come with their outputs.
    """
    for output, loss in losses:
        unlikely = no_probabilities(network if output is None else network.toward(output), loss)
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


def warn_of_overlap(source: Samples, cut: int) -> None:
    """Warns if rows are overlapping windows, so that a split of rows at `cut` leaks from one side to the other."""
    found = ((x.shape[1:2], shared_steps(x, cut)) for x in arrays_of(source.x))
    (steps,), stride = next(((shape, stride) for shape, stride in found if stride is not None), ((0,), None))
    if stride is not None:
        warn(_LEAK.format(stride=plural(stride, "step"), steps=steps, left_out=-(-steps // stride) - 1))


_ONE_STEP_FRESH = (
    "each sample is one time step and starts from a fresh state, so nothing can be learned from earlier samples; use "
    "longer samples, x [N, T, F] with T > 1 (statewise.windows or statewise.lanes makes them)"
)
_ONE_STEP_CARRIED = (
    "each sample is one time step: the carried state brings what came before, but no gradient reaches it, so the "
    "network cannot learn what to remember; use longer samples, x [N, T, F] with T > 1 (statewise.lanes makes them)"
)
_LANES_FRESH = (
    "these lanes continue from batch to batch, but every batch starts fresh: write state='carry' to carry the state"
)
_LEAK = (
    "validation_split of overlapping windows: each row of x is the one before it shifted by {stride}, so the last rows "
    "to train on share values with the first that are held out: cut the series before it becomes windows, as "
    "fit(statewise.windows(series, {steps}), validation_split=...) does, or pass validation_data and leave {left_out} "
    "row(s) out before it"
)
