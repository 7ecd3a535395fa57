"""Loss and metrics of weights on rows, one compiled dispatch after another."""

from __future__ import annotations

import math
import time
from functools import partial

import jax
import numpy as np

from statewise.data.batch_iterables import CheckedBatches
from statewise.data.batches import NOTHING_COUNTS, Samples
from statewise.data.length_buckets import LengthBuckets
from statewise.errors import DataError
from statewise.inference.forward import Told, say_nothing
from statewise.network import NetworkParams
from statewise.state import LayerStates
from statewise.training.dispatch import Pace, layout_for, on_device, shapes_of
from statewise.training.objective import Totals
from statewise.training.programs import Layout, Programs, Segment


def evaluate(
    programs: Programs,
    params: NetworkParams,
    states: LayerStates,
    samples: Samples | LengthBuckets | CheckedBatches,
    layout: Layout,
    *,
    recurring: bool = False,
    told: Told = say_nothing,
) -> tuple[dict[str, float], LayerStates]:
    """Returns loss and metrics over all samples, and the states after the last batch.

    Rows are padded with masked steps where that means less compiling; not if they are `recurring`.
    """
    totals = Totals.zero(programs.objective)
    if not isinstance(samples, Samples):
        for run in samples.epoch(0):
            room = samples.room(run)
            states, totals = _evaluate_run(programs, params, states, totals, run, room, layout)
            told(math.ceil(run.rows / layout.batch_size))
    else:
        samples = samples if recurring else _rounded(programs, samples, layout)
        states, totals = _evaluate_batches(programs, params, states, totals, samples, layout, told)
    record = np.stack([np.asarray(part) for part in totals])
    if programs.objective.counted(record[0]) == 0:
        raise DataError(NOTHING_COUNTS)
    return programs.objective.logs(record), states


def _rounded(programs: Programs, samples: Samples, layout: Layout) -> Samples:
    network = programs.objective.network
    if not network.takes_padding:
        return samples
    (steps,) = programs.lengths.pieces(samples.steps, math.ceil(samples.rows / layout.batch_size))
    return samples if steps == samples.steps else samples.longer(steps, network.answers_each_step)


def _evaluate_run(
    programs: Programs,
    params: NetworkParams,
    states: LayerStates,
    totals: Totals,
    run: Samples,
    room: int,
    layout: Layout,
) -> tuple[LayerStates, Totals]:
    rows = on_device(run, room)
    layout = layout_for(rows, layout)
    stop = math.ceil(run.rows / layout.batch_size)
    program = programs.evaluate.of((layout, shapes_of(rows)))
    packed = Segment(0, 1, 0, stop, 0, run.rows).packed
    after: tuple[LayerStates, Totals] = program.run(params, states, totals, rows=rows, packed=packed, layout=layout)
    return after


def _evaluate_batches(
    programs: Programs,
    params: NetworkParams,
    states: LayerStates,
    totals: Totals,
    samples: Samples,
    layout: Layout,
    told: Told,
) -> tuple[LayerStates, Totals]:
    steps = math.ceil(samples.rows / layout.batch_size)
    rows = on_device(samples, steps * layout.batch_size)
    program, step = programs.evaluate.of((layout, shapes_of(rows))), 0
    run = partial(program.run, params, rows=rows, layout=layout)
    chosen = Pace(program)
    if not chosen.known:  # compiles, so that the first measurement excludes it
        run(states, totals, packed=Segment(0, 0, 0, 0, 0, 0).packed)
    while step < steps:
        stop = min(step + chosen.steps(), steps)
        clock = time.perf_counter()
        segment = Segment(0, 1, step, stop, 0, samples.rows)
        states, totals = jax.block_until_ready(run(states, totals, packed=segment.packed))
        chosen.took(stop - step, time.perf_counter() - clock)
        told(stop - step)
        step = stop
    return states, totals
