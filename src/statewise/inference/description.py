"""What a network or a training computes, in words that two different ones never share: the key of kept programs."""

from __future__ import annotations

from typing import Any

from statewise.errors import ConfigurationError
from statewise.network import Network
from statewise.objectives.losses import Loss
from statewise.objectives.metrics import Metric
from statewise.optimizers.optimizer import Optimizer


def describe(network: Network, loss: Loss, metrics: tuple[Metric, ...], optimizer: Any) -> str | None:
    """Returns the description of a training.

    It is None if a part is not statewise's own, since the code of such a part may change while its name stays.
    """
    rate = getattr(optimizer, "learning_rate", None)
    functions = [loss.values, *(metric.values for metric in metrics)]
    classes = [type(optimizer), *([type(rate)] if callable(rate) else [])]
    of_network = describe_network(network)
    if of_network is None or not isinstance(optimizer, Optimizer) or not all(map(is_own, [*functions, *classes])):
        return None
    measured = [(metric.name, metric.values.__qualname__, metric.targets) for metric in metrics]
    return repr((of_network, loss.config(), measured, optimizer))


def describe_network(network: Network) -> str | None:
    """Returns the description of a network's forward pass; None if it has a layer that is not statewise's own."""
    try:
        return repr(network.config())
    except ConfigurationError:  # a layer of a custom class
        return None


def is_own(made: Any) -> bool:
    """Returns whether a class or function is statewise's."""
    return str(getattr(made, "__module__", "")).startswith("statewise.")
