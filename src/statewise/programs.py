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
import optax

from statewise.layers.activations import ACTIVATIONS
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


class Run(NamedTuple):
    """All that training changes."""

    params: NetworkParams
    optimizer: Any
    states: LayerStates
    order: jax.Array  # [padded N] the rows in this epoch's order; empty where they are not shuffled


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
        y = ACTIVATIONS[head](logits)
        measured = [jnp.sum(metric.values(batch.y, y) * counts) for metric in self.metrics]
        return total / jnp.maximum(count, 1.0), (states, jnp.stack([total, count, *measured]))

    def logs(self, sums: Array) -> dict[str, float]:
        """Returns loss and metrics of the elements that `sums` went over."""
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

    def _batch(
        self, rows: Batch, layout: Layout, index: jax.Array, segment: Segment, order: jax.Array
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

    @partial(jax.jit, static_argnames=("self", "layout"))
    def train(
        self, run: Run, rows: Batch, keys: Keys, segment: Segment, fresh: jax.Array, *, layout: Layout
    ) -> tuple[Run, jax.Array]:
        """Returns the run after a segment, and its epochs' sums `[EPOCHS_PER_DISPATCH, 2 + metrics]`.

        `fresh` starts states and order anew: the segment begins with the first batch of an epoch.
        """
        width = 2 + len(self.objective.metrics)

        def step(index: jax.Array, before: tuple[Run, jax.Array], epoch: jax.Array) -> tuple[Run, jax.Array]:
            run, sums = before
            batch, valid = self._batch(rows, layout, index, segment, run.order)
            rng = jax.random.fold_in(jax.random.fold_in(keys.dropout, epoch), index)
            states = run.states if layout.carry else self.objective.network.zero_state(layout.batch_size)
            gradients, (states, added) = jax.grad(self.objective.sums, has_aux=True)(
                run.params, states, batch, valid, rng
            )
            updates, optimizer = self.transformation.update(gradients, run.optimizer, run.params)
            params = optax.apply_updates(run.params, updates)
            states = states if layout.carry else run.states
            return Run(params, optimizer, states, run.order), sums + added

        def one_epoch(index: jax.Array, before: tuple[Run, jax.Array]) -> tuple[Run, jax.Array]:
            run, records = before
            epoch = segment.first_epoch + index
            run = jax.lax.cond(fresh, lambda run: _renew(run, keys, epoch, layout), lambda run: run, run)
            run, sums = jax.lax.fori_loop(
                segment.start, segment.stop, partial(step, epoch=epoch), (run, jnp.zeros(width))
            )
            return run, records.at[index].set(sums)

        records = jnp.zeros((EPOCHS_PER_DISPATCH, width))
        return jax.lax.fori_loop(0, segment.epochs, one_epoch, (run, records))

    @partial(jax.jit, static_argnames=("self", "layout"))
    def evaluate(
        self, params: NetworkParams, states: LayerStates, rows: Batch, segment: Segment, *, layout: Layout
    ) -> tuple[LayerStates, jax.Array]:
        """Returns the states after batches `start` to `stop`, and their sums."""

        def step(index: jax.Array, before: tuple[LayerStates, jax.Array]) -> tuple[LayerStates, jax.Array]:
            states, sums = before
            batch, valid = self._batch(rows, layout, index, segment, jnp.zeros(0, jnp.int32))
            start = states if layout.carry else self.objective.network.zero_state(layout.batch_size)
            _, (after, added) = self.objective.sums(params, start, batch, valid, None)
            return after if layout.carry else states, sums + added

        zeros = jnp.zeros(2 + len(self.objective.metrics))
        return jax.lax.fori_loop(segment.start, segment.stop, step, (states, zeros))


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


def _slice(array: jax.Array, start: jax.Array, size: int) -> jax.Array:
    return jax.lax.dynamic_slice_in_dim(array, start, size)


def _renew(run: Run, keys: Keys, epoch: jax.Array, layout: Layout) -> Run:
    states = jax.tree.map(jnp.zeros_like, run.states)
    if layout.shuffled is None:
        return run._replace(states=states)
    shuffled = jax.random.permutation(jax.random.fold_in(keys.shuffle, epoch), layout.shuffled)
    rest = jnp.arange(layout.shuffled, run.order.shape[0])
    return run._replace(states=states, order=jnp.concatenate([shuffled, rest]).astype(jnp.int32))
