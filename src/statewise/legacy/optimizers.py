"""keras.optimizers: Keras 2's arguments and defaults, each with statewise's corresponding optimizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np

import statewise as sw
from statewise.errors import ConfigurationError, unknown_name
from statewise.legacy.dialect import current
from statewise.legacy.errors import lacking, not_there, unsupported
from statewise.legacy.options import in_keras_2_words
from statewise.legacy.spellings import note
from statewise.optimizers.optimizer import Optimizer as CoreOptimizer
from statewise.optimizers.schedules import SCHEDULES, Schedule
from statewise.phrasebook.arguments import KERAS_NAMES
from statewise.phrasebook.guard import unknown_option


class Trained(Protocol):
    """The model of statewise's whose rate it is."""

    learning_rate: float


class Rate(float):
    """An optimizer's learning rate, which can be changed: `rate.assign(0.01)`."""

    _optimizer: Optimizer

    def __new__(cls, optimizer: Optimizer) -> Rate:
        rate = super().__new__(cls, optimizer.rate)
        rate._optimizer = optimizer
        return rate

    def numpy(self) -> float:
        """Returns the rate as it is now."""
        return self._optimizer.rate

    get_value = value = read_value = eval = numpy

    def assign(self, rate: float) -> None:
        """Changes the rate."""
        self._optimizer.set_rate(float(rate))

    set_value = assign


class Optimizer:
    """An optimizer with Keras's arguments; `core` is statewise's.

    Args:
        learning_rate: a number, or a schedule from `optimizers.schedules`.
        decay: d of the rate `learning_rate / (1 + d updates)`.
        options: those of the kind, with `clipnorm`, `clipvalue` and `global_clipnorm`.
    """

    kind: Callable[..., CoreOptimizer]
    own: tuple[str, ...] = ()
    places: tuple[str, str] = ("", "")  # what comes by place after the rate: until TensorFlow 2, and since
    rates: tuple[float, float] = (0.001, 0.001)  # the default until TensorFlow 2, and since

    @in_keras_2_words("optimizer", KERAS_NAMES["Optimizer"])
    def __init__(self, learning_rate: Any = None, *args: Any, decay: float = 0.0, **common: Any) -> None:
        call = type(self).__name__
        places = self.places[current().as_written].split()
        if len(args) > len(places):
            raise ConfigurationError(
                f"{call}: expected {call}(learning_rate, {', '.join(places)}), got more by position"
            )
        common |= zip(places, args, strict=False)
        common.pop("name", None)
        decay = common.pop("decay", decay)
        known = (*self.own, "clipnorm", "clipvalue", "global_clipnorm")
        if unknown := next((name for name in common if name not in known), None):
            raise unknown_option(call, unknown, ["learning_rate", "decay", *known])
        if learning_rate is None:
            learning_rate = self.rates[current().as_written]
        if isinstance(learning_rate, Rate | np.generic):
            learning_rate = float(learning_rate)
        common = {name: value.item() if isinstance(value, np.generic) else value for name, value in common.items()}
        self.model: Trained | None = None
        self.rate = self.made_with = float(learning_rate(0) if isinstance(learning_rate, Schedule) else learning_rate)
        self.config = {"learning_rate": learning_rate, "decay": decay, **common}
        if decay:
            note("decay=", f"sw.{call}(sw.InverseTimeDecay(learning_rate, 1, decay))")
            learning_rate = sw.InverseTimeDecay(learning_rate, 1, decay)
        given = {name: value for name, value in common.items() if value is not None}
        self.core = self.kind(learning_rate, **self._in_core_words(given))

    def _in_core_words(self, options: dict[str, Any]) -> dict[str, Any]:
        return options

    @property
    def lr(self) -> Rate:
        """The learning rate, before any `decay`."""
        return Rate(self)

    @lr.setter
    def lr(self, rate: Any) -> None:
        self.set_rate(float(rate))

    learning_rate = lr

    @property
    def decay(self) -> float:
        """The decay of the learning rate, as given to the optimizer."""
        return float(self.config["decay"])

    def attach(self, model: Trained) -> None:
        """Attaches this fresh optimizer to `model`."""
        self.model, rate, self.rate = model, self.rate, self.made_with
        if rate != self.made_with:
            self.set_rate(rate)

    def __getattr__(self, name: str) -> Any:
        raise not_there(name, f"{type(self).__name__}(...).{name}", "docs/legacy.md lists what an optimizer has")

    def set_rate(self, rate: float) -> None:
        """Changes the learning rate, also of a running training."""
        if self.model is None:
            self.rate = rate
            return
        if self.config["decay"] and not self.rate > 0:
            raise ConfigurationError(f"learning rate: it has decayed to 0, so it cannot be set to {rate!r}")
        decayed = self.model.learning_rate / self.rate if self.config["decay"] else 1.0
        self.model.learning_rate = decayed * rate
        self.rate = rate

    def get_config(self) -> dict[str, Any]:
        """Returns the options in Keras 2's words."""
        return {"name": type(self).__name__, **self.config, "learning_rate": self.rate}

    def described(self) -> dict[str, Any]:
        """Returns the constructor's arguments for JSON; None for a schedule that is a function."""
        rate = self.config["learning_rate"]
        if isinstance(rate, Schedule):
            rate = {"class_name": type(rate).__name__, "config": asdict(rate)}
        return {"name": type(self).__name__, **self.config, "learning_rate": rate if not callable(rate) else None}

    def copied(self) -> Optimizer:
        """Returns one like it, for another model."""
        other = type(self)(**self.config)
        other.rate = self.rate
        return other

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """Returns the optimizer that `get_config` described."""
        return cls(**config)


class SGD(Optimizer):
    """Gradient descent, with momentum."""

    kind, own, rates = sw.SGD, ("momentum", "nesterov"), (0.01, 0.01)
    places = ("momentum decay nesterov", "momentum nesterov")


class RMSprop(Optimizer):
    """Divides by a running root mean square of the gradient."""

    kind, own = sw.RMSprop, ("rho", "epsilon", "momentum", "centered")
    places = ("rho epsilon decay", "rho momentum epsilon centered")


class Adam(Optimizer):
    """Running mean over running root mean square."""

    kind, own = sw.Adam, ("beta_1", "beta_2", "epsilon", "amsgrad")
    places = ("beta_1 beta_2 epsilon decay amsgrad", "beta_1 beta_2 epsilon amsgrad")

    def _in_core_words(self, options: dict[str, Any]) -> dict[str, Any]:
        if options.pop("amsgrad", False):
            raise unsupported("Adam(amsgrad=True)", "leave it out, or write Adamax")
        return options


class Adagrad(Optimizer):
    """Divides by the root of the sum of squares."""

    kind, own, rates = sw.Adagrad, ("epsilon", "initial_accumulator_value"), (0.01, 0.001)
    places = ("epsilon decay", "initial_accumulator_value epsilon")

    def _in_core_words(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"initial_accumulator_value": 0.1 if current().as_written else 0.0, **options}


class Adadelta(Optimizer):
    """Divides by a running root mean square, and multiplies by that of its own updates."""

    kind, own, rates = sw.Adadelta, ("rho", "epsilon"), (1.0, 0.001)
    places = ("rho epsilon decay", "rho epsilon")


class Adamax(Optimizer):
    """Adam with the largest gradient in the place of the mean square."""

    kind, own, rates = sw.Adamax, ("beta_1", "beta_2", "epsilon"), (0.002, 0.001)
    places = ("beta_1 beta_2 epsilon decay", "beta_1 beta_2 epsilon")


class Nadam(Optimizer):
    """Adam with Nesterov's momentum."""

    kind, own, rates = sw.Nadam, ("beta_1", "beta_2", "epsilon", "schedule_decay"), (0.002, 0.001)
    places = ("beta_1 beta_2 epsilon schedule_decay", "beta_1 beta_2 epsilon")

    def _in_core_words(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"schedule_decay": 0.004, **options}


ExponentialDecay, InverseTimeDecay = sw.ExponentialDecay, sw.InverseTimeDecay
CosineDecay, PiecewiseConstantDecay = sw.CosineDecay, sw.PiecewiseConstantDecay

sgd, rmsprop, adam, adagrad, adadelta, adamax, nadam = SGD, RMSprop, Adam, Adagrad, Adadelta, Adamax, Nadam
OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.__name__.lower(): kind for kind in (SGD, RMSprop, Adam, Adagrad, Adadelta, Adamax, Nadam)
}


def get(identifier: object) -> Optimizer:
    """Returns the optimizer with that name, or the object if it already is one.

    Raises:
        ConfigurationError: there is none of that name.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()
    if not isinstance(identifier, str) or identifier.lower() not in OPTIMIZERS:
        raise unknown_name("optimizer", identifier, OPTIMIZERS)
    return OPTIMIZERS[identifier.lower()]()


def deserialize(description: dict[str, Any]) -> Optimizer:
    """Returns the optimizer that `get_config` described, in a dict with its name or in one with its class."""
    config = dict(description.get("config", description))
    kind = description.get("class_name") or config["name"]
    if isinstance(rate := config.get("learning_rate"), dict):
        config["learning_rate"] = SCHEDULES[rate["class_name"]](**rate["config"])
    return OPTIMIZERS[kind.lower()](**config)


__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Adamax",
    "CosineDecay",
    "ExponentialDecay",
    "InverseTimeDecay",
    "Nadam",
    "Optimizer",
    "PiecewiseConstantDecay",
    "RMSprop",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "deserialize",
    "get",
    "nadam",
    "rmsprop",
    "sgd",
]

__getattr__ = lacking("keras.optimizers", __all__)
