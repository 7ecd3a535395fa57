"""Whole epochs as one compiled program: a loop over batches inside a loop over epochs, shuffling included.

The loops' bounds are arguments, so one compilation serves a dispatch of any length: a single batch, part of a
long epoch, or hundreds of short epochs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from statewise.losses import Loss
from statewise.metrics import Metric
from statewise.network import Network, NetworkParams
from statewise.optimizers import Optimizer
from statewise.shapes import Array
from statewise.state import LayerStates

EPOCHS_PER_DISPATCH = 256
"""Upper limit of the epochs in one dispatch: the room that a program has for their results."""


class Batch(NamedTuple):
    """Rows on the device: all that were given, padded to whole batches, or one batch of them.

    The fields are those of `data.batches.Samples`.
    """

    x: jax.Array
    y: jax.Array
    weight: jax.Array | None = None
    mask: jax.Array | None = None
    reset: jax.Array | None = None


class Totals(NamedTuple):
    """Sums over an epoch, and what rounding took from them (Kahan 1965).

    They run through all dispatches of an epoch, so that its loss does not depend on where the clock cut it.
    """

    sums: jax.Array  # [2 + metrics] as in Objective
    lost: jax.Array

    @classmethod
    def zero(cls, objective: Objective) -> Totals:
        """Returns the totals of nothing."""
        width = 2 + len(objective.metrics)
        return cls(jnp.zeros(width), jnp.zeros(width))

    def add(self, values: jax.Array) -> Totals:
        """Returns the totals with `values` added."""
        corrected = values - self.lost
        sums = self.sums + corrected
        return Totals(sums, (sums - self.sums) - corrected)

    @property
    def record(self) -> jax.Array:
        """Both as one array `[2, 2 + metrics]`."""
        return jnp.stack([self.sums, self.lost])


class Run(NamedTuple):
    """All that training changes."""

    params: NetworkParams
    optimizer: Any
    states: LayerStates
    order: jax.Array  # [padded N] the rows in this epoch's order; empty where they are not shuffled
    totals: Totals  # of this epoch so far


class Keys(NamedTuple):
    """Random keys; each epoch folds its number into them, so that a resumed run draws what it would have drawn."""

    shuffle: jax.Array
    dropout: jax.Array


@dataclass(frozen=True)
class Layout:
    """How rows become batches. Part of what a program is compiled for."""

    batch_size: int
    shuffled: int | None = None  # how many rows are shuffled each epoch; None keeps their order
    padded: bool = False  # whether the last batch may hold rows that do not count
    carry: bool = False  # whether row r of batch k+1 goes on from row r of batch k


class Segment(NamedTuple):
    """What one dispatch does: batches `start` to `stop` of each of `epochs` epochs. All whole numbers."""

    first_epoch: int
    epochs: int
    start: int
    stop: int
    offset: int  # which batch the first of the given rows belong to
    rows: int  # how many of the given rows count


@dataclass(frozen=True)
class Objective:
    """What is minimised and measured. Its sums are `[weighted loss, elements that count, metric, metric, ...]`."""

    network: Network
    loss: Loss
    metrics: tuple[Metric, ...]

    def sums(
        self,
        params: NetworkParams,
        states: LayerStates,
        batch: Batch,
        valid: jax.Array | None,
        rng: jax.Array | None,
    ) -> tuple[jax.Array, tuple[LayerStates, jax.Array]]:
        """Returns the batch's mean loss, and the states and sums after it; `valid` bool `[B]` marks real rows."""
        bare, head = self.network.without_head()
        logits, states = bare.apply(params, batch.x, states, reset=batch.reset, mask=batch.mask, rng=rng)
        values = self.loss.on(head)(batch.y, logits)
        counts = self._counts(values, batch.mask, valid)
        weights = counts if batch.weight is None else counts * _spread(batch.weight, values)
        total, count = jnp.sum(values * weights), jnp.sum(counts)
        measured = [jnp.sum(metric.on(head)(batch.y, logits) * counts) for metric in self.metrics]
        return total / jnp.maximum(count, 1.0), (states, jnp.stack([total, count, *measured]))

    def logs(self, record: Array) -> dict[str, float]:
        """Returns loss and metrics of the elements that the totals of `record` went over."""
        sums = record[0].astype(np.float64) - record[1]
        means = sums / max(sums[1], 1.0)
        logs = {"loss": float(means[0])}
        for metric, mean in zip(self.metrics, means[2:], strict=True):
            logs[metric.name] = metric.finish(float(mean))
        return logs

    @staticmethod
    def _counts(values: jax.Array, mask: jax.Array | None, valid: jax.Array | None) -> jax.Array:
        counts = jnp.ones_like(values)
        if mask is not None and values.ndim == mask.ndim:
            counts = counts * mask
        return counts if valid is None else counts * _spread(valid, values)


def _spread(per_row: jax.Array, values: jax.Array) -> jax.Array:
    """Returns `[B]` as `[B, 1]` where `values` is `[B, T]`."""
    return per_row.reshape(per_row.shape + (1,) * (values.ndim - per_row.ndim))


@dataclass(frozen=True)
class Programs:
    """The compiled programs of one objective and optimiser, shared by all models that have the same."""

    objective: Objective
    transformation: optax.GradientTransformation
    pace: dict[Any, float] = field(default_factory=dict, compare=False)  # seconds per step by layout and shapes

    @partial(jax.jit, static_argnames=("self", "layout"))
    def train(
        self, run: Run, rows: Batch, keys: Keys, segment: Segment, fresh: jax.Array, *, layout: Layout
    ) -> tuple[Run, jax.Array]:
        """Returns the run after a segment, and the record of each epoch's totals `[EPOCHS_PER_DISPATCH, 2, ...]`.

        `fresh` starts states, order and totals anew: the segment begins with the first batch of an epoch. Totals
        become NaN where a weight did: the last update of an epoch may ruin weights whose loss was still good.
        """

        def step(index: jax.Array, run: Run, epoch: jax.Array) -> Run:
            batch, valid = _batch(rows, layout, index, segment, run.order)
            rng = jax.random.fold_in(jax.random.fold_in(keys.dropout, epoch), index)
            states = run.states if layout.carry else self.objective.network.zero_state(layout.batch_size)
            gradients, (states, added) = jax.grad(self.objective.sums, has_aux=True)(
                run.params, states, batch, valid, rng
            )
            updates, optimizer = self.transformation.update(gradients, run.optimizer, run.params)
            params = optax.apply_updates(run.params, updates)
            states = states if layout.carry else run.states
            return Run(params, optimizer, states, run.order, run.totals.add(added))

        def one_epoch(index: jax.Array, before: tuple[Run, jax.Array]) -> tuple[Run, jax.Array]:
            run, records = before
            epoch = segment.first_epoch + index
            run = jax.lax.cond(fresh, lambda run: _renew(run, keys, epoch, layout), lambda run: run, run)
            run = jax.lax.fori_loop(segment.start, segment.stop, partial(step, epoch=epoch), run)
            return run, records.at[index].set(jnp.where(_all_finite(run.params), run.totals.record, jnp.nan))

        records = jnp.zeros((EPOCHS_PER_DISPATCH, *run.totals.record.shape))
        return jax.lax.fori_loop(0, segment.epochs, one_epoch, (run, records))


@partial(jax.jit, static_argnames=("objective", "layout"))
def evaluate_segment(
    objective: Objective,
    params: NetworkParams,
    states: LayerStates,
    totals: Totals,
    rows: Batch,
    segment: Segment,
    *,
    layout: Layout,
) -> tuple[LayerStates, Totals]:
    """Returns the states and totals after batches `start` to `stop`."""

    def step(index: jax.Array, before: tuple[LayerStates, Totals]) -> tuple[LayerStates, Totals]:
        states, totals = before
        batch, valid = _batch(rows, layout, index, segment, jnp.zeros(0, jnp.int32))
        start = states if layout.carry else objective.network.zero_state(layout.batch_size)
        _, (after, added) = objective.sums(params, start, batch, valid, None)
        return after if layout.carry else states, totals.add(added)

    return jax.lax.fori_loop(segment.start, segment.stop, step, (states, totals))


@lru_cache(maxsize=64)
def programs_for(
    network: Network,
    loss: Loss,
    metrics: tuple[Metric, ...],
    optimizer: Optimizer | optax.GradientTransformation,
) -> Programs:
    """Returns the programs of this set-up, the same ones each time: thirty models of one kind compile once."""
    transformation = optimizer.transformation() if isinstance(optimizer, Optimizer) else optimizer
    return Programs(Objective(network, loss, metrics), transformation)


def _batch(
    rows: Batch, layout: Layout, index: jax.Array, segment: Segment, order: jax.Array
) -> tuple[Batch, jax.Array | None]:
    """Returns batch `index` and which of its rows count."""
    start = (index - segment.offset) * layout.batch_size
    if layout.shuffled is None:
        batch = jax.tree.map(partial(_slice, start=start, size=layout.batch_size), rows)
    else:
        chosen = _slice(order, start, layout.batch_size)
        batch = jax.tree.map(lambda a: a[chosen], rows)
    if not layout.padded:
        return batch, None
    valid = start + jnp.arange(layout.batch_size) < segment.rows
    if layout.carry:  # rows that do not count must not move the state
        mask = jnp.broadcast_to(valid[:, None], batch.x.shape[:2])
        batch = batch._replace(mask=mask if batch.mask is None else mask & batch.mask)
    return batch, valid


def _slice(array: jax.Array, start: jax.Array, size: int) -> jax.Array:
    return jax.lax.dynamic_slice_in_dim(array, start, size)


def _renew(run: Run, keys: Keys, epoch: jax.Array, layout: Layout) -> Run:
    states, totals = jax.tree.map(jnp.zeros_like, (run.states, run.totals))
    if layout.shuffled is None:
        return run._replace(states=states, totals=totals)
    shuffled = jax.random.permutation(jax.random.fold_in(keys.shuffle, epoch), layout.shuffled)
    rest = jnp.arange(layout.shuffled, run.order.shape[0])
    return run._replace(states=states, totals=totals, order=jnp.concatenate([shuffled, rest]).astype(jnp.int32))


def _all_finite(params: NetworkParams) -> jax.Array:
    return jnp.all(jnp.array([jnp.isfinite(weight).all() for weight in jax.tree.leaves(params)], bool))
