"""Optimizers under Keras's names, with its defaults and formulas, built on Optax."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from typing import Any

import jax
import jax.numpy as jnp
import optax

from statewise.errors import ConfigurationError, unknown_kind, unknown_name
from statewise.foundation.shapes import check_more_than_zero, check_not_negative, check_rate, is_number
from statewise.foundation.words import known_name
from statewise.optimizers.adam_rules import scale_by_adam, scale_by_adamax, scale_by_nadam
from statewise.optimizers.schedules import SCHEDULES, LearningRate, RateState, Schedule, rate_at, scale_by_rate
from statewise.phrasebook.guard import guard_making

_CHECKS = dict.fromkeys(("momentum", "rho", "beta_1", "beta_2"), check_rate) | {
    "epsilon": check_more_than_zero,
    "initial_accumulator_value": check_not_negative,
    "schedule_decay": check_not_negative,
}
"""Checks of the numbers that only some optimizers have."""


@guard_making
@dataclass(frozen=True, kw_only=True)
class Optimizer(ABC):
    """What all optimizers share.

    Args:
        learning_rate: a number, or a schedule of the number of updates so far.
        clipnorm: largest norm of the gradient of each weight separately.
        clipvalue: largest absolute value of each element of the gradient.
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

    @property
    def unsaved(self) -> str | None:
        """Why no file can hold it, in words: it or its schedule is custom Python code. None if a file can."""
        kind, rate = type(self), self.learning_rate
        if OPTIMIZERS.get(kind.__name__) is not kind:
            return f"{kind.__name__}, a custom class"
        if SCHEDULES.get(type(rate).__name__) is type(rate) or is_number(rate):
            return None
        return f"{kind.__name__} with a custom schedule"

    def config(self) -> dict[str, Any] | None:
        """Returns the optimizer as JSON holds it; None if `unsaved` says why no file can hold it."""
        if self.unsaved is not None:
            return None
        options = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        rate = self.learning_rate
        if isinstance(rate, Schedule):
            values = {entry.name: getattr(rate, entry.name) for entry in fields(rate)}
            options["learning_rate"] = {"kind": type(rate).__name__, **values}
        return {"kind": type(self).__name__, **options}


@guard_making
@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """Gradient descent: `v = momentum v - learning_rate g; w += v` (Sutskever et al. 2013).

    Args:
        momentum: fraction of the last update that is kept.
        nesterov: whether to look ahead: `w += momentum v - learning_rate g`.
    """

    learning_rate: LearningRate = field(default=0.01, kw_only=False)
    momentum: float = 0.0
    nesterov: bool = False

    def _rule(self) -> list[optax.GradientTransformation]:
        rule = [scale_by_rate(self.learning_rate)]
        # The rate is inside the momentum, as in Keras: with a schedule it matters which comes first.
        return [*rule, optax.trace(self.momentum, self.nesterov)] if self.momentum else rule


@guard_making
@dataclass(frozen=True, kw_only=True)
class RMSprop(Optimizer):
    """Divides by a running root mean square of the gradient (Tieleman and Hinton 2012).

    Args:
        rho: how much of the running mean is kept at each update.
        momentum: fraction of the last update that is kept.
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
        rule = [scale(self.rho, self.epsilon), scale_by_rate(self.learning_rate)]
        return [*rule, optax.trace(self.momentum)] if self.momentum else rule


@guard_making
@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """Running mean over running root mean square, both corrected for their start at zero (Kingma and Ba 2015).

    Args:
        beta_1: how much of the running mean is kept at each update.
        beta_2: how much of the running mean square is kept.
        epsilon: added to the uncorrected root ("epsilon hat" in the paper), as in Keras; Adam in Optax and PyTorch adds
            it to the corrected one.
    """

    learning_rate: LearningRate = field(default=0.001, kw_only=False)
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def _rule(self) -> list[optax.GradientTransformation]:
        return [scale_by_adam(self.beta_1, self.beta_2, self.epsilon), scale_by_rate(self.learning_rate)]


@guard_making
@dataclass(frozen=True, kw_only=True)
class Adagrad(Optimizer):
    """Divides by the root of the sum of all squared gradients so far (Duchi, Hazan and Singer 2011).

    Args:
        initial_accumulator_value: the initial value of that sum.
        epsilon: added to the sum, inside the root.
    """

    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-7

    def _rule(self) -> list[optax.GradientTransformation]:
        return [optax.scale_by_rss(self.initial_accumulator_value, self.epsilon), scale_by_rate(self.learning_rate)]


@guard_making
@dataclass(frozen=True, kw_only=True)
class Adadelta(Optimizer):
    """Root mean square of the updates so far over that of the gradients (Zeiler 2012).

    The paper has no learning rate: `Adadelta(1.0)` is its form.

    Args:
        rho: how much of both running means is kept at each update.
        epsilon: added to both mean squares, inside the roots.
    """

    rho: float = 0.95
    epsilon: float = 1e-7

    def _rule(self) -> list[optax.GradientTransformation]:
        return [optax.scale_by_adadelta(self.rho, self.epsilon), scale_by_rate(self.learning_rate)]


@guard_making
@dataclass(frozen=True, kw_only=True)
class Adamax(Optimizer):
    """Adam with the largest recent gradient instead of the root mean square (Kingma and Ba 2015, section 7).

    Args:
        beta_1: how much of the running mean is kept at each update.
        beta_2: how much of the largest size is kept.
        epsilon: added to the largest size; Optax adds it before the comparison.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def _rule(self) -> list[optax.GradientTransformation]:
        return [scale_by_adamax(self.beta_1, self.beta_2, self.epsilon), scale_by_rate(self.learning_rate)]


@guard_making
@dataclass(frozen=True, kw_only=True)
class Nadam(Optimizer):
    """Adam with Nesterov momentum that grows to `beta_1` (Dozat 2016).

    Args:
        beta_1: how much of the running mean is kept at each update, and the final momentum, which grows from half.
        beta_2: how much of the running mean square is kept.
        epsilon: added to the corrected root.
        schedule_decay: how fast the momentum grows; Keras 2 used 0.004 until 2.10, with which it hardly grows.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    schedule_decay: float = 1.0

    def _rule(self) -> list[optax.GradientTransformation]:
        moments = scale_by_nadam(self.beta_1, self.beta_2, self.epsilon, self.schedule_decay)
        return [moments, scale_by_rate(self.learning_rate)]


def _clip_each_by_norm(limit: float) -> optax.GradientTransformation:
    def clip(gradient: jax.Array) -> jax.Array:
        norm = jnp.sqrt(jnp.sum(gradient**2))
        return gradient * (limit / jnp.maximum(norm, limit))

    return optax.stateless(lambda updates, _: jax.tree.map(clip, updates))


OPTIMIZERS: dict[str, type[Optimizer]] = {
    optimizer.__name__: optimizer for optimizer in (SGD, RMSprop, Adam, Adagrad, Adadelta, Adamax, Nadam)
}


def get_optimizer(optimizer: object) -> Optimizer | optax.GradientTransformation:
    """Returns the optimizer itself, or the one of that name with Keras's defaults.

    Raises:
        ConfigurationError: there is no such name; the message has the nearest one.
    """
    if isinstance(optimizer, Optimizer) or (hasattr(optimizer, "init") and hasattr(optimizer, "update")):
        return optimizer  # Optax transformations are recognized by their two functions
    return get_optimizer_class(optimizer)()


def get_optimizer_class(name: object) -> type[Optimizer]:
    """Returns the optimizer class called `name`, in any case.

    Raises:
        ConfigurationError: there is no such name; the message has the nearest one.
    """
    if (known := known_name(name, OPTIMIZERS)) is not None:
        return OPTIMIZERS[known]
    if isinstance(name, type):
        raise ConfigurationError(f"optimizer: expected a name or an optimizer, got a class; write {name.__name__}()")
    raise unknown_name("optimizer", name, map(str.lower, OPTIMIZERS))


def optimizer_from_config(config: dict[str, Any]) -> Optimizer:
    """Returns the optimizer that `Optimizer.config` described.

    Raises:
        FileError: there is no such optimizer or schedule.
    """
    options = dict(config)
    kind = options.pop("kind")
    rate = options["learning_rate"]
    if kind not in OPTIMIZERS:
        raise unknown_kind("optimizer", kind)
    if isinstance(rate, dict):
        schedule = dict(rate)
        if (name := schedule.pop("kind")) not in SCHEDULES:
            raise unknown_kind("schedule", name)
        options["learning_rate"] = SCHEDULES[name](**schedule)
    return OPTIMIZERS[kind](**options)


def learning_rate_of(optimizer: Optimizer | optax.GradientTransformation, state: Any) -> float:
    """Returns the learning rate of the next update of an optimizer in the given `state`.

    Raises:
        ConfigurationError: the optimizer is Optax's, whose learning rate is inside its functions.
    """
    rate, stage = _rate(optimizer), _rate_state(state)
    return float(stage.factor) * float(rate_at(rate, stage.updates))


def with_learning_rate(optimizer: Optimizer | optax.GradientTransformation, state: Any, rate: float) -> Any:
    """Returns `state` with `rate` as the learning rate of the next update, and everything else unchanged.

    A schedule continues from there, scaled. The state keeps its structure, so no program compiles again.

    Raises:
        ConfigurationError: `rate` is not positive, the schedule is at 0, or the optimizer is Optax's.
    """
    check_not_negative("learning_rate", rate)
    scheduled = float(rate_at(_rate(optimizer), _rate_state(state).updates))
    if scheduled == 0:
        raise ConfigurationError(
            f"learning_rate: expected a schedule above 0 to scale, got one that is now 0, so it cannot become "
            f"{rate!r}; compile with another schedule, or with a number"
        )
    return _with_factor(state, jnp.asarray(rate / scheduled, jnp.float32))


def with_rate_of(state: Any, other: Any) -> Any:
    """Returns an optimizer's state with the learning rate of another state of that optimizer, and all else kept."""
    rates = [leaf for leaf in jax.tree.leaves(other, is_leaf=_is_rate_state) if _is_rate_state(leaf)]
    return _with_factor(state, rates[0].factor) if rates else state


def _with_factor(state: Any, factor: jax.Array) -> Any:
    def change(leaf: Any) -> Any:
        return leaf._replace(factor=factor) if _is_rate_state(leaf) else leaf

    return jax.tree.map(change, state, is_leaf=_is_rate_state)


def _rate(optimizer: Optimizer | optax.GradientTransformation) -> LearningRate:
    if isinstance(optimizer, Optimizer):
        return optimizer.learning_rate
    raise ConfigurationError(
        "learning_rate: expected one of statewise's optimizers, such as Adam(), got an Optax transformation, whose "
        "rate is inside it; compile with sw.Adam(...), or pass Optax a schedule"
    )


def _rate_state(state: Any) -> RateState:
    return next(leaf for leaf in jax.tree.leaves(state, is_leaf=_is_rate_state) if _is_rate_state(leaf))


def _is_rate_state(value: Any) -> bool:
    return isinstance(value, RateState)
