"""What is minimized and measured on a batch, and its sums over an epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statewise.foundation.engine import zeros
from statewise.foundation.shapes import Array
from statewise.network import Network, NetworkParams
from statewise.objectives.losses import Loss, Values
from statewise.objectives.metrics import Metric
from statewise.objectives.sampled_softmax import SampledSoftmax
from statewise.state import LayerStates


class Batch(NamedTuple):
    """Rows on the device: all that were given, padded to whole batches, or one batch of them.

    The fields are those of `data.batches.Samples`.
    """

    x: jax.Array
    y: jax.Array
    weight: jax.Array | None = None
    mask: jax.Array | None = None
    reset: jax.Array | None = None
    initial: tuple[jax.Array, ...] | None = None

    def steps(self, part: slice, each_step: bool) -> Batch:
        """Returns some of the time steps; with `each_step`, of targets and weights too."""
        weighted = each_step and self.weight is not None and self.weight.ndim == 2
        return Batch(
            self.x[:, part],
            self.y[:, part] if each_step else self.y,
            self.weight[:, part] if weighted and self.weight is not None else self.weight,
            None if self.mask is None else self.mask[:, part],
            None if self.reset is None else self.reset[:, part],
            self.initial,
        )

    def ending_together(self, mask: jax.Array, each_step: bool) -> Batch:
        """Returns rows aligned so that their last steps that matter come last; padding comes first, masked as before.

        With `each_step`, targets and weights have time steps too.
        """
        matters = mask if self.reset is None else mask | self.reset
        shift = jnp.argmax(matters[:, ::-1], axis=1)
        place = (jnp.arange(mask.shape[1])[None] - shift[:, None]) % mask.shape[1]

        def turned(a: jax.Array | None) -> Any:
            return a if a is None else jnp.take_along_axis(a, place.reshape(*place.shape, *(1,) * (a.ndim - 2)), axis=1)

        weighted = each_step and self.weight is not None and self.weight.ndim == 2
        return Batch(
            turned(self.x),
            turned(self.y) if each_step else self.y,
            turned(self.weight) if weighted else self.weight,
            turned(mask),
            turned(self.reset),
            self.initial,
        )

    def each(self, change: Callable[[jax.Array], jax.Array]) -> Batch:
        """Returns the batch with `change` applied to each of its arrays that have a time axis."""
        return Batch(*jax.tree.map(lambda a: change(a) if a.ndim > 1 else a, self._replace(initial=None)))


class Totals(NamedTuple):
    """Sums over an epoch, and what rounding removed from them (Kahan 1965).

    They span all dispatches of an epoch, so that its loss does not depend on where the clock divided it.
    """

    sums: jax.Array  # [2 + metrics] as in Objective
    lost: jax.Array

    @classmethod
    def zero(cls, objective: Objective) -> Totals:
        """Returns empty totals."""
        width = 2 + len(objective.metrics)
        return cls(zeros(width), zeros(width))

    def add(self, values: jax.Array) -> Totals:
        """Returns the totals with `values` added."""
        corrected = values - self.lost
        sums = self.sums + corrected
        return Totals(sums, (sums - self.sums) - corrected)

    @property
    def record(self) -> jax.Array:
        """Both as one array `[2, 2 + metrics]`."""
        return jnp.stack([self.sums, self.lost])


@dataclass(frozen=True)
class Objective:
    """What is minimized and measured. Its sums are `[weighted loss, elements that count, metric, metric, ...]`."""

    network: Network
    loss: Loss
    metrics: tuple[Metric, ...]

    def sums(
        self,
        params: NetworkParams,
        states: LayerStates,
        batch: Batch,
        counted: jax.Array | None,
        rng: jax.Array | None,
        first_steps: int = 0,
    ) -> tuple[jax.Array, tuple[LayerStates, LayerStates, jax.Array]]:
        """Returns the batch's mean loss, and the states after `first_steps` steps, the states and sums after all.

        `counted`, bool `[B]` or `[B, T]`, marks what counts. Penalties are part of the loss, and are added to its sum
        once per element, so that they are once in the mean.
        """
        bare, head = self.network.without_head()
        values_of = self.loss.on(head)
        if self.loss.sampling is not None and rng is not None:
            bare, values_of = self._sampled(self.loss.sampling, params, rng)
        parts = [
            batch.steps(part, True) for part in (slice(None, first_steps), slice(first_steps, None)) if first_steps
        ] or [batch]
        answers, passed = [], states
        for number, part in enumerate(parts):
            key = rng if rng is None or number == 0 else jax.random.fold_in(rng, number)
            z, states = bare.apply(params, part.x, states, reset=part.reset, mask=part.mask, rng=key)
            answers.append(z)
            passed = states if number == 0 else passed
        z = jnp.concatenate(answers, axis=1) if first_steps else answers[0]
        values = values_of(batch.y, z)
        counts = self._counts(values, bare.mask_of_answers(batch.x, batch.mask), counted)
        weights = counts if batch.weight is None else counts * _spread(batch.weight, values)
        total, count = jnp.sum(values * weights), jnp.sum(counts)
        measured = [jnp.sum(metric.on(head)(batch.y, z) * counts) for metric in self.metrics]
        mean, penalty = total / jnp.maximum(count, 1.0), self.network.penalty(params)
        if penalty is not None:
            mean, total = mean + penalty, total + count * penalty
        return mean, (passed, states, jnp.stack([total, count, *measured]))

    def _sampled(self, sampling: SampledSoftmax, params: NetworkParams, rng: jax.Array) -> tuple[Network, Values]:
        """Returns the network up to the input of its last layer, and the loss from there, of some classes only."""
        head = self.network.before_last()
        key, output = jax.random.fold_in(rng, head.place), params[head.name]  # the last layer's own
        return head.before, lambda y_true, h: sampling.values(output, h, y_true, key)

    def settle(self, params: NetworkParams, states: LayerStates, batch: Batch, steps: int) -> tuple[LayerStates, Batch]:
        """Returns the states after the first steps, which are not scored, and the batch of the remaining steps."""
        if steps == 0:
            return states, batch
        each_step = self.network.answers_each_step
        first = batch.steps(slice(None, steps), each_step)
        _, states = self.network.apply(params, first.x, states, reset=first.reset, mask=first.mask)
        return states, batch.steps(slice(steps, None), each_step)

    def logs(self, record: Array) -> dict[str, float]:
        """Returns loss and metrics of the elements that the totals in `record` cover."""
        sums, lost = record.astype(np.float64)
        sums = sums - np.where(np.isfinite(sums), lost, 0.0)  # infinite sums have lost nothing that counts
        means = sums / max(sums[1], 1.0)
        logs = {"loss": float(means[0])}
        for metric, mean in zip(self.metrics, means[2:], strict=True):
            logs[metric.name] = metric.finish(float(mean))
        return logs

    @staticmethod
    def _counts(values: jax.Array, mask: jax.Array | None, counted: jax.Array | None) -> jax.Array:
        counts = jnp.ones_like(values)
        if mask is not None and values.ndim == mask.ndim:
            counts = counts * mask
        return counts if counted is None else counts * _spread(counted, values)


def _spread(per_row: jax.Array, values: jax.Array) -> jax.Array:
    """Returns `[B]` as `[B, 1]` if `values` is `[B, T]`."""
    return per_row.reshape(per_row.shape + (1,) * (values.ndim - per_row.ndim))
