"""The arguments of Keras's `compile`, and what they mean in statewise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import statewise as sw
from statewise.errors import ConfigurationError
from statewise.legacy import optimizers, quantities
from statewise.legacy.dialect import current
from statewise.legacy.logs import Logs
from statewise.legacy.optimizers import Optimizer
from statewise.legacy.quantities import Quantity

ACCURACY = ("accuracy", "acc")


@dataclass(frozen=True)
class Compiled:
    """Optimizer, loss and metrics; `names` has the metrics' names in the logs by those of statewise."""

    optimizer: Optimizer
    loss: Quantity
    names: dict[str, str]

    def described(self) -> dict[str, Any]:
        """Returns this as JSON holds it."""
        return {
            "loss": [self.loss.core, self.loss.name],
            "names": self.names,
            "optimizer": self.optimizer.described(),
            "rate": self.optimizer.rate,
        }

    @classmethod
    def from_description(cls, description: dict[str, Any]) -> Compiled:
        """Returns what `described` described."""
        optimizer = optimizers.deserialize(description["optimizer"])
        optimizer.rate = description["rate"]
        return cls(optimizer, Quantity(*description["loss"]), description["names"])

    def settle(self, core: sw.Sequential) -> None:
        """Compiles a model of statewise's so."""
        core.compile(self.optimizer.core, self.loss.core, list(self.names))
        self.optimizer.attach(core)

    def logs(self, core: Mapping[str, float], prefix: str = "") -> Logs:
        """Returns statewise's logs under Keras's names."""
        return Logs({prefix + self.names.get(name, name): value for name, value in core.items()})


def read_compiled(optimizer: Any, loss: Any, metrics: Any, core: sw.Sequential | None) -> Compiled:
    """Returns what the arguments of Keras's `compile` mean for a model, or for one that is not built yet.

    Raises:
        ConfigurationError: something that there is not.
        UnsupportedError: a custom loss or metric.
    """
    measured = quantities.read("loss", _only("loss", loss))
    if isinstance(metrics, dict):
        metrics = _only("metrics", list(metrics.values()))
    given = [metrics] if isinstance(metrics, str) else list(metrics or ())
    names: dict[str, str] = {}
    for metric in given:
        quantity = quantities.read("metric", metric)
        names[_core_of(quantity, measured)] = current().log_name(quantity.core, quantity.name)
    return Compiled(_read_optimizer(optimizer, core), measured, names)


def _read_optimizer(optimizer: Any, core: sw.Sequential | None) -> Optimizer:
    found = optimizers.get(optimizer)
    return found if found.model in (None, core) else found.copied()  # another model is training with it


def _core_of(metric: Quantity, loss: Quantity) -> str:
    """Returns statewise's name; until TensorFlow 2, binary cross-entropy always went with binary accuracy."""
    if metric.core in ACCURACY and loss.core == "binary_crossentropy" and not current().as_written:
        return "binary_accuracy"
    return metric.core


def _only(what: str, value: Any) -> Any:
    if isinstance(value, list | tuple | dict):
        if len(value) != 1:
            raise ConfigurationError(f"{what}: expected one, for one output, got {value!r}")
        return next(iter(value.values() if isinstance(value, dict) else value))
    return value
