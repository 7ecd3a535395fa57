"""Learning rates: schedules by the number of updates under Keras's names, and the stage that applies a rate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from statewise.errors import ConfigurationError
from statewise.foundation.shapes import check_more_than_zero, check_whole, is_number
from statewise.phrasebook.guard import guard_making


@guard_making
@dataclass(frozen=True)
class Schedule(ABC):
    """A learning rate that depends on the number of updates so far; any Optax schedule works as well."""

    @abstractmethod
    def __call__(self, count: jax.Array | int) -> jax.Array:
        """Returns the learning rate of the update after `count` updates."""


@guard_making
@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """`initial_learning_rate * decay_rate ** (count / decay_steps)`, in whole steps if `staircase`."""

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        for name in ("initial_learning_rate", "decay_steps", "decay_rate"):
            check_more_than_zero(f"ExponentialDecay {name}", getattr(self, name))

    def __call__(self, count: jax.Array | int) -> jax.Array:
        power = count / jnp.float32(self.decay_steps)
        power = jnp.floor(power) if self.staircase else power
        return jnp.float32(self.initial_learning_rate) * self.decay_rate**power


@guard_making
@dataclass(frozen=True)
class InverseTimeDecay(Schedule):
    """`initial_learning_rate / (1 + decay_rate * count / decay_steps)`, in whole steps if `staircase`.

    Keras 2's `decay=d` of an optimizer is `InverseTimeDecay(learning_rate, 1, d)`.
    """

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        for name in ("initial_learning_rate", "decay_steps", "decay_rate"):
            check_more_than_zero(f"InverseTimeDecay {name}", getattr(self, name))

    def __call__(self, count: jax.Array | int) -> jax.Array:
        periods = count / jnp.float32(self.decay_steps)
        periods = jnp.floor(periods) if self.staircase else periods
        return self.initial_learning_rate / (1.0 + self.decay_rate * periods)


@guard_making
@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Half a cosine from `initial_learning_rate` down to `alpha` times it over `decay_steps` updates.

    With `warmup_target` the rate first rises linearly from `initial_learning_rate` to it within
    `warmup_steps` updates, and the cosine starts from there (Loshchilov and Hutter 2017).
    """

    initial_learning_rate: float
    decay_steps: int
    alpha: float = 0.0
    warmup_target: float | None = None
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        check_more_than_zero("CosineDecay decay_steps", self.decay_steps)
        check_whole("CosineDecay warmup_steps", self.warmup_steps, 0)
        if not is_number(self.alpha) or not 0 <= self.alpha <= 1:
            raise ConfigurationError(f"CosineDecay alpha: expected 0 <= alpha <= 1, got {self.alpha!r}")
        if self.warmup_target is None:
            check_more_than_zero("CosineDecay initial_learning_rate", self.initial_learning_rate)
            if self.warmup_steps:
                raise ConfigurationError("CosineDecay warmup_steps: expected a warmup_target with it, got None")
            return
        check_more_than_zero("CosineDecay warmup_target", self.warmup_target)
        if not is_number(self.initial_learning_rate) or not 0 <= self.initial_learning_rate <= self.warmup_target:
            raise ConfigurationError(
                f"CosineDecay initial_learning_rate: expected a number from 0 to warmup_target={self.warmup_target}, "
                f"got {self.initial_learning_rate!r}"
            )

    def __call__(self, count: jax.Array | int) -> jax.Array:
        top = self.initial_learning_rate if self.warmup_target is None else self.warmup_target
        warmup = 0 if self.warmup_target is None else self.warmup_steps
        done = jnp.clip((count - warmup) / jnp.float32(self.decay_steps), 0.0, 1.0)
        cosine = 0.5 * (1.0 + jnp.cos(jnp.pi * done))
        decayed = top * ((1.0 - self.alpha) * cosine + self.alpha)
        climb = jnp.float32(count) / max(warmup, 1)
        climbing = self.initial_learning_rate + (top - self.initial_learning_rate) * climb
        return jnp.where(count < warmup, climbing, decayed)


@guard_making
@dataclass(frozen=True)
class PiecewiseConstantDecay(Schedule):
    """`values[i]` up to and including update `boundaries[i]`, and the last value after them all."""

    boundaries: tuple[int, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("boundaries", "values"):
            given = getattr(self, name)
            if not isinstance(given, tuple | list) or not all(is_number(value) and value >= 0 for value in given):
                raise ConfigurationError(f"PiecewiseConstantDecay {name}: expected a list of numbers, got {given!r}")
            object.__setattr__(self, name, tuple(given))
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ConfigurationError(
                f"PiecewiseConstantDecay boundaries: expected increasing numbers, got {list(self.boundaries)}"
            )
        if len(self.values) != len(self.boundaries) + 1:
            raise ConfigurationError(
                f"PiecewiseConstantDecay: expected one more value than boundaries, got {len(self.values)} "
                f"values for {len(self.boundaries)} boundaries"
            )

    def __call__(self, count: jax.Array | int) -> jax.Array:
        passed = jnp.sum(jnp.asarray(self.boundaries) < count)
        return jnp.asarray(self.values, jnp.float32)[passed]


SCHEDULES = {
    schedule.__name__: schedule
    for schedule in (ExponentialDecay, InverseTimeDecay, CosineDecay, PiecewiseConstantDecay)
}

LearningRate = float | Schedule | Callable[[Any], Any]


class RateState(NamedTuple):
    """State of the stage that applies a learning rate, shared by all weights."""

    updates: jax.Array  # int32: number so far
    factor: jax.Array  # float32: what the rate is multiplied by


def scale_by_rate(rate: LearningRate) -> optax.GradientTransformation:
    """Returns the stage that makes a step down of a gradient: `-factor * rate(count) * gradient`.

    Optax's own stage compiles a number in; here its factor is part of the state, so that it can change between updates
    of the same program.
    """

    def init(_: Any) -> RateState:
        return RateState(jax.device_put(np.int32(0)), jax.device_put(np.float32(1)))

    def update(gradients: Any, state: RateState, _: Any = None) -> tuple[Any, RateState]:
        now = rate_at(rate, state.updates)

        def step(gradient: jax.Array) -> jax.Array:
            return -(state.factor.astype(gradient.dtype) * jnp.asarray(now, gradient.dtype)) * gradient

        return jax.tree.map(step, gradients), RateState(optax.safe_increment(state.updates), state.factor)

    return optax.GradientTransformation(init, update)


def rate_at(rate: LearningRate, count: jax.Array) -> Any:
    """Returns the learning rate after `count` updates, before any factor."""
    return rate(count) if callable(rate) else rate
