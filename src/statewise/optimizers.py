"""Optimisers and learning-rate schedules under Keras's names, defaults and formulae, built on Optax."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from statewise.errors import ConfigurationError, unknown_name
from statewise.shapes import check_more_than_zero, check_rate, check_whole, is_number


@dataclass(frozen=True)
class Schedule(ABC):
    """A learning rate that depends on the number of updates so far; any Optax schedule serves as well."""

    @abstractmethod
    def __call__(self, count: jax.Array | int) -> jax.Array:
        """Returns the learning rate of the update after `count` updates."""


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


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Half a cosine from `initial_learning_rate` down to `alpha` times it over `decay_steps` updates.

    With `warmup_target` the rate first climbs in a straight line from `initial_learning_rate` to it within
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
            raise ConfigurationError(f"CosineDecay alpha: expected a share from 0 to 1, got {self.alpha!r}")
        if self.warmup_target is None:
            check_more_than_zero("CosineDecay initial_learning_rate", self.initial_learning_rate)
            if self.warmup_steps:
                raise ConfigurationError("CosineDecay warmup_steps: expected a warmup_target with them, got None")
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
                f"PiecewiseConstantDecay boundaries: expected rising numbers, got {list(self.boundaries)}"
            )
        if len(self.values) != len(self.boundaries) + 1:
            raise ConfigurationError(
                f"PiecewiseConstantDecay: expected one value more than boundaries, got {len(self.values)} "
                f"values for {len(self.boundaries)} boundaries"
            )

    def __call__(self, count: jax.Array | int) -> jax.Array:
        passed = jnp.sum(jnp.asarray(self.boundaries) < count)
        return jnp.asarray(self.values, jnp.float32)[passed]


SCHEDULES = {schedule.__name__: schedule for schedule in (ExponentialDecay, CosineDecay, PiecewiseConstantDecay)}

LearningRate = float | Schedule | Callable[[Any], Any]

_CHECKS = dict.fromkeys(("momentum", "rho", "beta_1", "beta_2"), check_rate) | {"epsilon": check_more_than_zero}
"""What each number must be that only some optimisers have."""


@dataclass(frozen=True, kw_only=True)
class Optimizer(ABC):
    """What all optimisers share.

    Args:
        learning_rate: a number, or a schedule of the number of updates so far.
        clipnorm: largest norm of the gradient of each weight by itself.
        clipvalue: largest size of each element of the gradient.
        global_clipnorm: largest norm of the gradient of all weights together.
    """

    learning_rate: LearningRate = field(default=0.001, kw_only=False)
    clipnorm: float | None = None
    clipvalue: float | None = None
    global_clipnorm: float | None = None

    def __post_init__(self) -> None:
        kind = type(self).__name__
        if not callable(self.learning_rate):
            check_more_than_zero(f"{kind} learning_rate", self.learning_rate)
        clips = {name: getattr(self, name) for name in ("clipnorm", "clipvalue", "global_clipnorm")}
        given = {name: value for name, value in clips.items() if value is not None}
        if len(given) > 1:
            raise ConfigurationError(f"{kind}: expected one way of clipping, got {' and '.join(given)}; choose one")
        for name, value in given.items():
            check_more_than_zero(f"{kind} {name}", value)
        for entry in fields(self):
            if entry.name in _CHECKS:
                _CHECKS[entry.name](f"{kind} {entry.name}", getattr(self, entry.name))

    def transformation(self) -> optax.GradientTransformation:
        """Returns the Optax transformation: clipping, then the update rule."""
        return optax.chain(*self._clipping(), *self._rule())

    @abstractmethod
    def _rule(self) -> list[optax.GradientTransformation]: ...

    def _clipping(self) -> list[optax.GradientTransformation]:
        if self.clipnorm is not None:
            return [_clip_each_by_norm(self.clipnorm)]
        if self.clipvalue is not None:
            return [optax.clip(self.clipvalue)]
        if self.global_clipnorm is not None:
            return [optax.clip_by_global_norm(self.global_clipnorm)]
        return []

    def config(self) -> dict[str, Any] | None:
        """Returns the optimiser as JSON holds it; None if its schedule is a function, which no file can hold."""
        options = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        rate = self.learning_rate
        if isinstance(rate, Schedule):
            values = {entry.name: getattr(rate, entry.name) for entry in fields(rate)}
            options["learning_rate"] = {"kind": type(rate).__name__, **values}
        elif not is_number(rate):
            return None
        return {"kind": type(self).__name__, **options}


@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """Gradient descent: `v = momentum v - learning_rate g; w += v` (Sutskever et al. 2013).

    Args:
        momentum: share of the last update that is kept.
        nesterov: whether to look ahead: `w += momentum v - learning_rate g`.
    """

    learning_rate: LearningRate = field(default=0.01, kw_only=False)
    momentum: float = 0.0
    nesterov: bool = False

    def _rule(self) -> list[optax.GradientTransformation]:
        rule = [optax.scale_by_learning_rate(self.learning_rate)]
        # The rate is inside the momentum, as in Keras: with a schedule it matters which comes first.
        return [*rule, optax.trace(self.momentum, self.nesterov)] if self.momentum else rule


@dataclass(frozen=True, kw_only=True)
class RMSprop(Optimizer):
    """Divides by a running root mean square of the gradient (Tieleman and Hinton 2012).

    Args:
        rho: how much of the running mean is kept at each update.
        momentum: share of the last update that is kept.
        epsilon: added to the mean square, inside the root.
        centered: whether to subtract the square of the running mean of the gradient.
    """

    learning_rate: LearningRate = field(default=0.001, kw_only=False)
    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7
    centered: bool = False

    def _rule(self) -> list[optax.GradientTransformation]:
        scale = optax.scale_by_stddev if self.centered else optax.scale_by_rms
        rule = [scale(self.rho, self.epsilon), optax.scale_by_learning_rate(self.learning_rate)]
        return [*rule, optax.trace(self.momentum)] if self.momentum else rule


@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """Running mean over running root mean square, both corrected for their start at zero (Kingma and Ba 2015).

    Args:
        beta_1: how much of the running mean is kept at each update.
        beta_2: how much of the running mean square is kept.
        epsilon: added to the uncorrected root ("epsilon hat" in the paper), as in Keras; Optax's and PyTorch's
            Adam add theirs to the corrected one.
    """

    learning_rate: LearningRate = field(default=0.001, kw_only=False)
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def _rule(self) -> list[optax.GradientTransformation]:
        return [
            _scale_by_adam(self.beta_1, self.beta_2, self.epsilon),
            optax.scale_by_learning_rate(self.learning_rate),
        ]


class AdamMoments(NamedTuple):
    """State of Adam: number of updates, running mean and mean square of the gradient."""

    updates: jax.Array
    mean: Any
    square: Any


def _scale_by_adam(beta_1: float, beta_2: float, epsilon: float) -> optax.GradientTransformation:
    def init(params: Any) -> AdamMoments:
        zeros = jax.tree.map(jnp.zeros_like, params)
        return AdamMoments(jnp.zeros((), jnp.int32), zeros, jax.tree.map(jnp.zeros_like, params))

    def update(gradients: Any, moments: AdamMoments, _: Any = None) -> tuple[Any, AdamMoments]:
        count = moments.updates + 1
        mean = jax.tree.map(lambda m, g: m + (1 - beta_1) * (g - m), moments.mean, gradients)
        square = jax.tree.map(lambda v, g: v + (1 - beta_2) * (g * g - v), moments.square, gradients)
        correction = jnp.sqrt(1 - beta_2**count) / (1 - beta_1**count)
        updates = jax.tree.map(lambda m, v: correction * m / (jnp.sqrt(v) + epsilon), mean, square)
        return updates, AdamMoments(count, mean, square)

    return optax.GradientTransformation(init, update)


def _clip_each_by_norm(limit: float) -> optax.GradientTransformation:
    def clip(gradient: jax.Array) -> jax.Array:
        norm = jnp.sqrt(jnp.sum(gradient**2))
        return gradient * (limit / jnp.maximum(norm, limit))

    return optax.stateless(lambda updates, _: jax.tree.map(clip, updates))


OPTIMIZERS: dict[str, type[Optimizer]] = {optimizer.__name__: optimizer for optimizer in (SGD, RMSprop, Adam)}


def get_optimizer(optimizer: object) -> Optimizer | optax.GradientTransformation:
    """Returns the optimiser itself, or the one of that name with Keras's defaults.

    Raises:
        ConfigurationError: there is none of that name; the message has the nearest.
    """
    if isinstance(optimizer, Optimizer) or (hasattr(optimizer, "init") and hasattr(optimizer, "update")):
        return optimizer  # Optax's transformations are known by their two functions
    return get_optimizer_class(optimizer)()


def get_optimizer_class(name: object) -> type[Optimizer]:
    """Returns the kind of optimiser called `name`, in any case.

    Raises:
        ConfigurationError: there is none of that name; the message has the nearest.
    """
    by_lower = {kind.lower(): OPTIMIZERS[kind] for kind in OPTIMIZERS}
    if isinstance(name, str) and name.lower() in by_lower:
        return by_lower[name.lower()]
    if isinstance(name, type):
        raise ConfigurationError(f"optimizer: expected a name or an optimizer, got a class; write {name.__name__}()")
    raise unknown_name("optimizer", name, by_lower)


def optimizer_from_config(config: dict[str, Any]) -> Optimizer:
    """Returns the optimiser that `Optimizer.config` described."""
    options = dict(config)
    kind = options.pop("kind")
    rate = options["learning_rate"]
    if isinstance(rate, dict):
        schedule = dict(rate)
        options["learning_rate"] = SCHEDULES[schedule.pop("kind")](**schedule)
    return OPTIMIZERS[kind](**options)
