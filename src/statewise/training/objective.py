"""What is minimized and measured on a batch, and its sums over an epoch."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import chain
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statewise.foundation.engine import zeros
from statewise.foundation.named_values import arrays_of, each
from statewise.foundation.shapes import Array
from statewise.network import Network, NetworkParams, with_statistics
from statewise.objectives.losses import Loss, Values
from statewise.objectives.metrics import Metric
from statewise.objectives.sampled_softmax import SampledSoftmax
from statewise.state import LayerStates


class Stepped(NamedTuple):
    """Which inputs and outputs of a network have steps: a bool each, or dicts of them by name."""

    x: Any
    y: Any

    @classmethod
    def of(cls, network: Network) -> Stepped:
        """Returns those of a network."""
        x = {given.name: signal.axis is not None for given, signal in zip(network.inputs, network.given, strict=True)}
        y = {output.name: network.toward(output.name).answers_each_step for output in network.outputs}
        return cls(*(next(iter(by_name.values())) if len(by_name) == 1 else by_name for by_name in (x, y)))


class Batch(NamedTuple):
    """Rows on the device: all that were given, padded to whole batches, or one batch of them.

    The fields are those of `data.batches.Samples`.
    """

    x: Any
    y: Any
    weight: Any = None
    mask: Any = None
    reset: Any = None
    initial: tuple[jax.Array, ...] | None = None

    @property
    def rows(self) -> int:
        """B."""
        return int(arrays_of(self.x)[0].shape[0])

    def each(self, change: Callable[[jax.Array], jax.Array], stepped: Stepped) -> Batch:
        """Returns the batch with `change` applied to each of its arrays that have steps, on one time axis."""

        def changed(array: jax.Array, has_steps: bool) -> jax.Array:
            return change(array) if has_steps else array

        def changed_weight(array: jax.Array, has_steps: bool) -> jax.Array:
            return change(array) if has_steps and array.ndim == 2 else array

        return Batch(
            each(changed, self.x, stepped.x),
            each(changed, self.y, stepped.y),
            each(changed_weight, self.weight, stepped.y),
            each(change, self.mask),
            each(change, self.reset),
            self.initial,
        )

    def steps(self, part: slice, stepped: Stepped) -> Batch:
        """Returns some of the time steps."""
        return self.each(lambda array: array[:, part], stepped)

    def ending_together(self, mask: jax.Array, stepped: Stepped) -> Batch:
        """Returns rows aligned so that their last steps that matter come last, behind the padding."""
        matters = mask if self.reset is None else mask | self.reset
        shift = jnp.argmax(matters[:, ::-1], axis=1)
        place = (jnp.arange(mask.shape[1])[None] - shift[:, None]) % mask.shape[1]

        def turned(a: jax.Array) -> jax.Array:
            return jnp.take_along_axis(a, place.reshape(*place.shape, *(1,) * (a.ndim - 2)), axis=1)

        return self._replace(mask=mask).each(turned, stepped)


class Totals(NamedTuple):
    """Sums over an epoch, and what rounding removed from them (Kahan 1965).

    They span all dispatches of an epoch, so that its loss does not depend on where the clock divided it.
    """

    sums: jax.Array  # [width] as in Objective
    lost: jax.Array

    @classmethod
    def zero(cls, objective: Objective) -> Totals:
        """Returns empty totals."""
        return cls(zeros(objective.width), zeros(objective.width))

    def add(self, values: jax.Array) -> Totals:
        """Returns the totals with `values` added."""
        corrected = values - self.lost
        sums = self.sums + corrected
        return Totals(sums, (sums - self.sums) - corrected)

    @property
    def record(self) -> jax.Array:
        """Both as one array `[2, width]`."""
        return jnp.stack([self.sums, self.lost])


class Scored(NamedTuple):
    """What a batch's loss comes with."""

    passed: LayerStates  # the states after the first steps, if those were asked for, or after all
    states: LayerStates  # after all
    sums: jax.Array  # of the objective
    statistics: NetworkParams  # after it


class Score(NamedTuple):
    """What is minimized and measured on one output."""

    output: str
    loss: Loss
    metrics: tuple[Metric, ...] = ()
    weight: float = 1.0  # of the loss, in the sum of all outputs' losses


@dataclass(frozen=True)
class Objective:
    """What is minimized and measured.

    Its sums are, for each output, `[weighted loss, elements that count, metric, metric, ...]`. Where there are several
    outputs, those of the penalty of the weights follow.
    """

    network: Network
    scores: tuple[Score, ...]

    @property
    def loss(self) -> Loss:
        """The loss of the only output, or of the first."""
        return self.scores[0].loss

    @property
    def single(self) -> bool:
        """Whether the network has one output."""
        return len(self.network.outputs) == 1

    @cached_property
    def width(self) -> int:
        """How many sums there are."""
        return sum(2 + len(score.metrics) for score in self.scores) + (0 if self.single else 2)

    @cached_property
    def stepped(self) -> Stepped:
        """Which inputs and outputs have steps."""
        return Stepped.of(self.network)

    def sums(
        self,
        params: NetworkParams,
        states: LayerStates,
        batch: Batch,
        counted: jax.Array | None,
        rng: jax.Array | None,
        first_steps: int = 0,
        statistics: NetworkParams | None = None,
    ) -> tuple[jax.Array, Scored]:
        """Returns the batch's mean loss, and what else comes out.

        `statistics` are given in training only. `counted`, bool `[B]` or `[B, T]`, marks what counts. Penalties are
        part of the loss, and are added to its sum once per element, so that they are once in the mean.
        """
        bare, heads = self.network.without_heads()
        weights, known = params, statistics or {}
        params = with_statistics(params, known)
        values_of = [score.loss.on(head) for score, head in zip(self.scores, self._heads(heads), strict=True)]
        if self.loss.sampling is not None and rng is not None:
            bare, values_of[0] = self._sampled(self.loss.sampling, params, rng)
        rows = None if counted is None else counted if counted.ndim == 1 else counted.any(axis=1)
        z, passed, states, changed = self._answers(bare, params, states, batch, rng, rows, first_steps)
        masks = bare.mask_of_answers(batch.x, batch.mask)
        sums, losses = [], []
        for score, head, values in zip(self.scores, self._heads(heads), values_of, strict=True):
            given = (batch.y, z, batch.weight, masks)
            y, answer, weight, mask = given if self.single else (_of(part, score.output) for part in given)
            own = _score(values(y, answer), weight, mask, counted)
            measured = [jnp.sum(metric.on(head)(y, answer) * own.counts) for metric in score.metrics]
            sums.append([own.total, own.number, *measured])
            loss = own.total / jnp.maximum(own.number, 1.0)
            losses.append(loss if score.weight == 1.0 else score.weight * loss)
        mean, penalty = reduce(operator.add, losses), self.network.penalty(weights)
        if penalty is not None:
            mean = mean + penalty
        sums_of_all = jnp.stack(self._with_penalty(sums, penalty))
        return mean, Scored(passed, states, sums_of_all, {**known, **changed})

    def _with_penalty(self, sums: list[list[jax.Array]], penalty: jax.Array | None) -> list[jax.Array]:
        """Returns all sums in order, with the penalty where it belongs."""
        if not self.single:
            count = sum((of_output[1] for of_output in sums), jnp.float32(0))
            added = jnp.float32(0) if penalty is None else count * penalty
            return [*chain.from_iterable(sums), added, count]
        total, count, *measured = sums[0]
        return [total if penalty is None else total + count * penalty, count, *measured]

    def _answers(
        self,
        bare: Network,
        params: NetworkParams,
        states: LayerStates,
        batch: Batch,
        rng: jax.Array | None,
        rows: jax.Array | None,
        first_steps: int,
    ) -> tuple[Any, LayerStates, LayerStates, NetworkParams]:
        """Returns the outputs, the states after `first_steps` steps, or after all if that is 0, and those after all.

        Statistics that changed come last; those of the `first_steps` do not count, as they are read again.
        """
        flags: dict[str, Any] = {"reset": batch.reset, "mask": batch.mask}
        if not first_steps:
            z, states, changed = bare.train(params, batch.x, states, rows, rng=rng, **flags)
            return z, states, states, changed
        first, rest = (batch.steps(part, self.stepped) for part in (slice(None, first_steps), slice(first_steps, None)))
        before, passed = bare.apply(params, first.x, states, reset=first.reset, mask=first.mask, rng=rng)
        key = None if rng is None else jax.random.fold_in(rng, 1)
        flags = {"reset": rest.reset, "mask": rest.mask}
        after, states, changed = bare.train(params, rest.x, passed, rows, rng=key, **flags)
        return each(lambda old, new: jnp.concatenate([old, new], axis=1), before, after), passed, states, changed

    def _heads(self, heads: tuple[str, ...]) -> list[str]:
        """Returns the activation of each output that is scored, given those of all."""
        by_name = dict(zip((output.name for output in self.network.outputs), heads, strict=True))
        return [heads[0] if self.single else by_name[score.output] for score in self.scores]

    def _sampled(self, sampling: SampledSoftmax, params: NetworkParams, rng: jax.Array) -> tuple[Network, Values]:
        """Returns the network up to the input of its last layer, and the loss from there, of some classes only."""
        head = self.network.before_last()
        key, output = jax.random.fold_in(rng, head.place), params[head.name]  # the last layer's own
        return head.before, lambda y_true, h: sampling.values(output, h, y_true, key)

    def settle(self, params: NetworkParams, states: LayerStates, batch: Batch, steps: int) -> tuple[LayerStates, Batch]:
        """Returns the states after the first steps, which are not scored, and the batch of the remaining steps."""
        if steps == 0:
            return states, batch
        first = batch.steps(slice(None, steps), self.stepped)
        _, states = self.network.apply(params, first.x, states, reset=first.reset, mask=first.mask)
        return states, batch.steps(slice(steps, None), self.stepped)

    def counted(self, sums: Any) -> Any:
        """Returns how many elements of all outputs count in these sums."""
        return sums[1] if self.single else sums[-1]

    def logs(self, record: Array) -> dict[str, float]:
        """Returns loss and metrics of the elements that the totals in `record` cover.

        If there are several outputs, each one's loss and metrics have its name.
        """
        sums, lost = record.astype(np.float64)
        sums = sums - np.where(np.isfinite(sums), lost, 0.0)  # infinite sums have lost nothing that counts
        losses: dict[str, float] = {"loss": 0.0}
        metrics: dict[str, float] = {}
        first = 0
        for score in self.scores:
            stop = first + 2 + len(score.metrics)
            means = sums[first:stop] / max(sums[first + 1], 1.0)
            losses["loss"] += score.weight * float(means[0])
            if not self.single:
                losses[f"{score.output}_loss"] = float(means[0])
            for metric, mean in zip(score.metrics, means[2:], strict=True):
                name = metric.name if self.single else f"{score.output}_{metric.name}"
                metrics[name] = metric.finish(float(mean))
            first = stop
        if not self.single:
            losses["loss"] += float(sums[first] / max(sums[first + 1], 1.0))
        return losses | metrics


class _Sums(NamedTuple):
    """The sums of one output's loss."""

    counts: jax.Array  # which elements count, 1 or 0
    total: jax.Array
    number: jax.Array


def _score(values: jax.Array, weight: Any, mask: Any, counted: jax.Array | None) -> _Sums:
    counts = jnp.ones_like(values)
    if mask is not None and values.ndim == mask.ndim:
        counts = counts * mask
    if counted is not None:
        counts = counts * _spread(counted, values)
    weights = counts if weight is None else counts * _spread(weight, values)
    return _Sums(counts, jnp.sum(values * weights), jnp.sum(counts))


def _of(value: Any, output: str) -> Any:
    """Returns what belongs to an output: of a dict by output, or of what all outputs have in common."""
    return value.get(output) if isinstance(value, Mapping) else value


def _spread(per_row: jax.Array, values: jax.Array) -> jax.Array:
    """Returns `[B]` as `[B, 1]` if `values` is `[B, T]`."""
    return per_row.reshape(per_row.shape + (1,) * (values.ndim - per_row.ndim))
