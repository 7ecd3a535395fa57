"""Whole epochs as one compiled program: a loop over batches inside a loop over epochs, shuffling included.

The loop bounds are arguments, so one compilation serves a dispatch of any length: a single batch, part of a
long epoch, or hundreds of short epochs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from statewise.foundation.engine import ProgramsByShape, compiled, jax_key
from statewise.foundation.program_lengths import Lengths
from statewise.foundation.random import fold_in, key_of
from statewise.foundation.shapes import Array
from statewise.inference.description import describe
from statewise.network import Network, NetworkParams, with_statistics
from statewise.network.passing import by_axis
from statewise.optimizers.optimizer import Optimizer
from statewise.state import LayerStates
from statewise.training.objective import Batch, Objective, Score, Stepped, Totals
from statewise.training.truncation import Truncation

EPOCHS_PER_DISPATCH = 256
"""Maximum number of epochs in one dispatch: the space that a program has for their results."""

KEPT = 16
"""How many programs of a kind are kept; each serves one shape of the data."""

SHUFFLE, DROPOUT = 1, 2
"""Uses of a model's seed other than its weights."""


class Run(NamedTuple):
    """Everything that training changes."""

    params: NetworkParams
    optimizer: Any
    states: LayerStates
    order: jax.Array  # [padded N] the rows in this epoch's order; empty if they are not shuffled
    totals: Totals  # of this epoch so far
    statistics: NetworkParams = {}  # noqa: RUF012 - never changed

    @property
    def known(self) -> NetworkParams:
        """The weights with the statistics."""
        return with_statistics(self.params, self.statistics)


class Keys(NamedTuple):
    """Random keys; each epoch folds its number into them, so that a resumed run draws the same numbers."""

    shuffle: jax.Array
    dropout: jax.Array

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, seed: int) -> Keys:
        """Returns the keys of a model with that seed."""
        return cls(*(jax_key(fold_in(key_of(seed), purpose)) for purpose in (SHUFFLE, DROPOUT)))


@dataclass(frozen=True)
class Layout:
    """How rows become batches. Part of the key of a compiled program."""

    batch_size: int
    shuffled: int | None = None  # how many rows are shuffled each epoch; None keeps their order
    padded: bool = False  # whether the last batch may hold padding
    carry: bool = False  # whether row r of batch k+1 continues from row r of batch k
    across_epochs: bool = False  # whether an epoch continues from the final states of the one before
    warmup: int = 0  # how many steps of each row only warm up the state
    truncation: Truncation | None = None  # how a batch is split into several updates; None: one update

    @property
    def order(self) -> int:
        """The length of the order of rows, with the padding of the last batch; 0 if rows are not shuffled."""
        return 0 if self.shuffled is None else math.ceil(self.shuffled / self.batch_size) * self.batch_size


class Segment(NamedTuple):
    """What one dispatch does: batches `first` to `stop` of each of `epochs` epochs. All integers."""

    first_epoch: int
    epochs: int
    first: int
    stop: int
    offset: int  # the batch that the first of the given rows belong to
    rows: int  # how many of the given rows count

    @property
    def packed(self) -> Array:
        """All of them as one array `[6]`, which is passed to a compiled program at the cost of one."""
        return np.array(self, np.int32)


@dataclass(frozen=True, eq=False)
class Programs:
    """The compiled programs of one objective and optimizer, shared by all models that have the same.

    `programs_for` returns a single instance of each kind, so that two are compared without a look inside. Its programs
    belong to it: they are freed when the last model that uses it is gone and `programs_for` has forgotten it.
    """

    objective: Objective
    transformation: optax.GradientTransformation
    description: str | None = None  # of all that they compute; None if it has parts that have none
    lengths: Lengths = field(default_factory=lambda: Lengths(own=1))  # of evaluated rows

    @cached_property
    def fresh(self) -> Callable[[int, int], tuple[LayerStates, jax.Array, Totals]]:
        """Returns the initial states, order and totals; making them again costs more than a short epoch."""
        return lru_cache(maxsize=16)(self._fresh)

    def _fresh(self, batch_size: int, order: int) -> tuple[LayerStates, jax.Array, Totals]:
        zeros = self.objective.network.zero_state(batch_size)
        return zeros, jax.device_put(np.zeros(order, np.int32)), Totals.zero(self.objective)

    @cached_property
    def train(self) -> ProgramsByShape:
        """Train: each runs as `run(run, rows, keys, packed, initial, layout=layout)` and returns what `_train` does."""
        return self._compiled("train", self._train)

    @cached_property
    def evaluate(self) -> ProgramsByShape:
        """Evaluate: `run(params, states, totals, rows, packed, layout=layout)` returns what `_evaluate` does."""
        return self._compiled("evaluate", self._evaluate)

    def _compiled(self, what: str, function: Callable[..., Any]) -> ProgramsByShape:
        described = None if self.description is None else f"{what} {self.description}"
        return ProgramsByShape(lambda: compiled(partial(function), described, static_argnames="layout"), KEPT)

    def _train(
        self,
        run: Run,
        rows: Batch,
        keys: Keys,
        packed: jax.Array,
        initial: LayerStates | None = None,
        *,
        layout: Layout,
    ) -> tuple[Run, jax.Array]:
        """Returns the run after a segment, and the record of each epoch's totals `[EPOCHS_PER_DISPATCH, 2, ...]`.

        A segment that begins with the first batch of an epoch resets order, totals and, unless they continue across
        epochs, states (to `initial`, if given). Totals become NaN if a weight did: the last update of an epoch may ruin
        weights whose loss was still good.
        """
        network, segment = self.objective.network, Segment(*packed)

        def step(index: jax.Array, run: Run, epoch: jax.Array) -> Run:
            batch, valid = _batch(network, rows, layout, index, segment, run.order)
            rng = jax.random.fold_in(jax.random.fold_in(keys.dropout, epoch), index)
            states = run.states if layout.carry else _starts(network, batch, layout)
            if (
                initial is None
                and batch.initial is None
                and not layout.across_epochs
                and network.learned_states(run.params)
            ):
                batch = _with_initial_reset(network, batch, (index == 0) | (not layout.carry))
            states, batch = self.objective.settle(run.known, states, batch, layout.warmup)
            after = self._learn(run._replace(states=states), batch, valid, rng, layout.truncation)
            return after if layout.carry else after._replace(states=run.states)

        def one_epoch(index: jax.Array, before: tuple[Run, jax.Array]) -> tuple[Run, jax.Array]:
            run, records = before
            epoch = segment.first_epoch + index
            first = segment.first == 0
            run = jax.lax.cond(first, lambda run: _renew(run, keys, epoch, initial, layout), lambda run: run, run)
            run = jax.lax.fori_loop(segment.first, segment.stop, partial(step, epoch=epoch), run)
            return run, records.at[index].set(jnp.where(_all_finite(run.params), run.totals.record, jnp.nan))

        records = jnp.zeros((EPOCHS_PER_DISPATCH, *run.totals.record.shape))
        return jax.lax.fori_loop(0, segment.epochs, one_epoch, (run, records))

    def _learn(
        self, run: Run, batch: Batch, valid: jax.Array | None, rng: jax.Array, truncation: Truncation | None
    ) -> Run:
        """Returns the run after a batch that starts in `run.states`: one update, or several if it is truncated."""
        if truncation is None:
            return self._update(run, batch, valid, rng)[0]
        network, stepped = self.objective.network, self.objective.stepped
        steps = _shape_of_steps(network, batch)[1]
        if not network.answers_each_step:
            settling = max(0, steps - truncation.backward)
            mask = network.mask_of(batch.x, batch.mask)
            batch = batch if mask is None else batch.ending_together(mask, stepped)
            states, batch = self.objective.settle(run.known, run.states, batch, settling)
            return self._update(run._replace(states=states), batch, valid, rng)[0]
        window_of = _windows(batch, (batch.rows, steps), valid, truncation, stepped)

        def advance(before: tuple[jax.Array, Run, LayerStates]) -> tuple[jax.Array, Run, LayerStates]:
            cursor, run, behind = before  # `behind` are the states where the next window begins
            key = jax.random.fold_in(rng, cursor)
            length = truncation.length(key)
            window, counted = window_of(cursor, length)
            states, window = self.objective.settle(run.known, behind, window, truncation.settling)
            scale = length / truncation.forward if truncation.random else None
            run, behind = self._update(
                run._replace(states=states),
                window,
                None if counted is None else counted[:, truncation.settling :],
                key,
                truncation.forward if truncation.lookback else 0,
                scale,
            )
            return cursor + length, run, behind

        _, run, _ = jax.lax.while_loop(lambda loop: loop[0] < steps, advance, (jnp.int32(0), run, run.states))
        return run

    def _update(
        self,
        run: Run,
        batch: Batch,
        counted: jax.Array | None,
        rng: jax.Array,
        first_steps: int = 0,
        scale: jax.Array | None = None,
    ) -> tuple[Run, LayerStates]:
        """Returns the run after one update, `scale` times as large, and the states after its `first_steps`, or all."""
        gradients, (passed, states, added, statistics) = jax.grad(self.objective.sums, has_aux=True)(
            run.params, run.states, batch, counted, rng, first_steps, run.statistics
        )
        updates, optimizer = self.transformation.update(gradients, run.optimizer, run.params)
        if scale is not None:
            updates = jax.tree.map(lambda update: update * scale, updates)
        params = self.objective.network.keep_frozen(run.params, optax.apply_updates(run.params, updates))
        after = Run(params, optimizer, states, run.order, run.totals.add(added), statistics)
        sure = scale is None and batch.mask is None  # whether something was certainly scored
        return (after if sure else _if_scored(self.objective.counted(added), after, run)), passed

    def _evaluate(
        self,
        params: NetworkParams,
        states: LayerStates,
        totals: Totals,
        rows: Batch,
        packed: jax.Array,
        *,
        layout: Layout,
    ) -> tuple[LayerStates, Totals]:
        """Returns the states and totals after batches `first` to `stop` of a packed segment."""
        network, segment = self.objective.network, Segment(*packed)

        def step(index: jax.Array, before: tuple[LayerStates, Totals]) -> tuple[LayerStates, Totals]:
            states, totals = before
            batch, valid = _batch(network, rows, layout, index, segment, jnp.zeros(0, jnp.int32))
            if not layout.carry and batch.initial is None:
                start = network.initial_state(params, layout.batch_size)
            else:
                start = states if layout.carry else _starts(network, batch, layout)
            start, batch = self.objective.settle(params, start, batch, layout.warmup)
            _, (_, after, added, _) = self.objective.sums(params, start, batch, valid, None)
            return after if layout.carry else states, totals.add(added)

        return jax.lax.fori_loop(segment.first, segment.stop, step, (states, totals))


def _if_scored(counted: jax.Array, after: Run, before: Run) -> Run:
    """Returns the run after an update, with what it changed for good as before if nothing was `counted`."""
    both = ((run.params, run.optimizer, run.statistics) for run in (after, before))
    params, optimizer, statistics = jax.tree.map(lambda new, old: jnp.where(counted > 0, new, old), *both)
    return after._replace(params=params, optimizer=optimizer, statistics=statistics)


def _windows(
    batch: Batch, shape: tuple[int, int], valid: jax.Array | None, truncation: Truncation, stepped: Stepped
) -> Callable[[jax.Array, jax.Array], tuple[Batch, jax.Array | None]]:
    """Returns the function that cuts the window of the update whose own `length` steps begin at `cursor`."""
    rows, steps = shape
    if batch.mask is None and truncation.divides(steps):
        counts = None if valid is None else jnp.broadcast_to(valid[:, None], (rows, truncation.window))
        return lambda cursor, _: (batch.each(lambda a: truncation.cut(a, cursor), stepped), counts)
    real = jnp.ones((rows, steps), bool) if batch.mask is None else batch.mask
    padded = batch._replace(mask=real).each(truncation.pad, stepped)

    def window_of(cursor: jax.Array, length: jax.Array) -> tuple[Batch, jax.Array | None]:
        window = padded.each(lambda a: truncation.cut(a, cursor), stepped)
        own = truncation.own(length)
        if truncation.random and window.mask is not None:  # what lies beyond a short length belongs to the next update
            window = window._replace(mask=window.mask & own)
        counted = jnp.broadcast_to(own, (rows, truncation.window))
        return window, counted if valid is None else counted & valid[:, None]

    return window_of


def _shape_of_steps(network: Network, batch: Batch, axis: str | None = None) -> tuple[int, int]:
    """Returns `(B, T)` of a time axis; by default of the network's first."""
    axis = network.axes[0] if axis is None else axis
    by_name = network.by_name(batch.x)
    rows, steps = next(by_name[given.name].shape[:2] for given in network.inputs if given.axis == axis)
    return int(rows), int(steps)


@lru_cache(maxsize=32)
def programs_for(
    network: Network, scores: tuple[Score, ...], optimizer: Optimizer | optax.GradientTransformation
) -> Programs:
    """Returns the programs of this setup, the same ones each time: thirty models of one kind compile once."""
    transformation = optimizer.transformation() if isinstance(optimizer, Optimizer) else optimizer
    return Programs(Objective(network, scores), transformation, _describe(network, scores, optimizer))


def _describe(network: Network, scores: tuple[Score, ...], optimizer: Any) -> str | None:
    """Returns the description of a training; None if one of its parts has none."""
    parts = [describe(network, score.loss, score.metrics, optimizer) for score in scores]
    if None in parts or len(parts) == 1:
        return parts[0]
    return repr([(score.output, score.weight, part) for score, part in zip(scores, parts, strict=True)])


def _batch(
    network: Network, rows: Batch, layout: Layout, index: jax.Array, segment: Segment, order: jax.Array
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
    if layout.carry and network.axes:  # rows that do not count must not change the state
        batch = batch._replace(mask=_among(network, batch, batch.mask, valid))
    return batch, valid


def _among(network: Network, batch: Batch, mask: Any, valid: jax.Array) -> Any:
    """Returns the mask of each axis without the rows that do not count."""
    masks = by_axis(network, mask)
    for axis in network.axes:
        own = jnp.broadcast_to(valid[:, None], _shape_of_steps(network, batch, axis))
        masks[axis] = own & masks[axis] if axis in masks else own
    return masks if len(masks) > 1 else masks[network.axes[0]]


def _starts(network: Network, batch: Batch, layout: Layout) -> LayerStates:
    """Returns the initial states of the rows of a batch that does not continue from the one before."""
    zeros = network.zero_state(layout.batch_size)
    return zeros if batch.initial is None else jax.tree.unflatten(jax.tree.structure(zeros), batch.initial)


def _with_initial_reset(network: Network, batch: Batch, fresh: jax.Array) -> Batch:
    """Returns the batch with a reset before its first step where `fresh`, to train the learned initial state."""
    resets = by_axis(network, batch.reset)
    for axis in network.axes:
        reset = resets.get(axis, jnp.zeros(_shape_of_steps(network, batch, axis), bool))
        resets[axis] = reset.at[:, 0].set(reset[:, 0] | fresh)
    return batch._replace(reset=resets if len(resets) > 1 else resets[network.axes[0]])


def _slice(array: jax.Array, start: jax.Array, size: int) -> jax.Array:
    return jax.lax.dynamic_slice_in_dim(array, start, size)


def _renew(run: Run, keys: Keys, epoch: jax.Array, initial: LayerStates | None, layout: Layout) -> Run:
    run = run._replace(totals=jax.tree.map(jnp.zeros_like, run.totals))
    if not layout.across_epochs:
        run = run._replace(states=jax.tree.map(jnp.zeros_like, run.states) if initial is None else initial)
    if layout.shuffled is None:
        return run
    shuffled = jax.random.permutation(jax.random.fold_in(keys.shuffle, epoch), layout.shuffled)
    rest = jnp.arange(layout.shuffled, run.order.shape[0])
    return run._replace(order=jnp.concatenate([shuffled, rest]).astype(jnp.int32))


def _all_finite(params: NetworkParams) -> jax.Array:
    return jnp.all(jnp.array([jnp.isfinite(weight).all() for weight in jax.tree.leaves(params)], bool))
