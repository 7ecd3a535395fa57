"""The arguments of `compile`: how a network is trained and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import optax

from statewise.errors import ConfigurationError, FileError
from statewise.foundation.shapes import Array
from statewise.models.train_state import TrainState
from statewise.network import Network, NetworkParams
from statewise.objectives.losses import Loss, get_loss, loss_from_config
from statewise.objectives.metrics import get_metric, metric_name
from statewise.optimizers.optimizer import Optimizer, get_optimizer, optimizer_from_config
from statewise.storage.pytrees import fill_leaves
from statewise.training.programs import Programs, programs_for


class Settings(NamedTuple):
    """An optimizer, a loss and the names of metrics."""

    optimizer: Optimizer | optax.GradientTransformation
    loss: Loss
    metrics: tuple[str, ...]

    @classmethod
    def of(cls, optimizer: object, loss: object, metrics: str | Sequence[str] | None) -> Settings:
        """Returns the settings for these names or objects.

        Raises:
            ConfigurationError: a name does not exist; the message suggests the nearest.
        """
        if not isinstance(metrics, str | list | tuple | None):
            raise ConfigurationError(f"metrics: expected a list of names such as ['accuracy'], got {metrics!r}")
        names = tuple(map(metric_name, (metrics,) if isinstance(metrics, str) else metrics or ()))
        settings = cls(get_optimizer(optimizer), get_loss(loss), names)
        if names and settings.loss.sampling is not None:
            raise ConfigurationError(
                f"metrics: expected none with SampledSoftmax, which trains without computing every class, got "
                f"{list(names)}; remove them, and after training compile with "
                "loss='sparse_categorical_crossentropy' and these metrics to evaluate the model: its weights are kept"
            )
        return settings

    def programs(self, network: Network) -> Programs:
        """Returns the compiled programs that train and evaluate `network` with these settings.

        Raises:
            ConfigurationError: a metric does not fit the loss, or the loss does not fit the network.
        """
        if self.loss.sampling is not None:
            self.loss.sampling.check_output(network.before_last().layer)
        metrics = tuple(get_metric(name, self.loss.target, network.outputs) for name in self.metrics)
        return programs_for(network, self.loss, metrics, self.optimizer)

    def optimizer_state(self, network: Network, params: NetworkParams, saved: Mapping[str, Array]) -> Any:
        """Returns the optimizer's state for `params`: the one `saved` in a model file, or a new one.

        Raises:
            FileError: the saved state belongs to another optimizer, or is incomplete.
        """
        init = self.programs(network).transformation.init
        return fill_leaves("optimizer", jax.eval_shape(init, params), dict(saved)) if saved else init(params)

    def started(self, network: Network, before: TrainState) -> TrainState:
        """Returns the train state with the optimizer's state in it.

        Raises:
            FileError: the saved state belongs to another optimizer, or is incomplete.
        """
        if before.optimizer is not None:
            return before
        return replace(before, optimizer=self.optimizer_state(network, before.params, before.saved_optimizer))

    def taking_over(self, network: Network | None, before: TrainState) -> TrainState:
        """Returns the train state with the saved optimizer state, or without it if it belongs to another optimizer."""
        if network is None or not before.saved_optimizer:
            return before
        try:
            return self.started(network, before)
        except FileError:
            return before.without_optimizer()

    @property
    def unsaved(self) -> str | None:
        """A description of what a file cannot store; None if there is nothing."""
        return self.optimizer.unsaved if isinstance(self.optimizer, Optimizer) else "an Optax transformation"

    def config(self) -> dict[str, Any]:
        """Returns the settings as JSON values; an optimizer that a file cannot store becomes None."""
        optimizer = self.optimizer.config() if isinstance(self.optimizer, Optimizer) else None
        return {"optimizer": optimizer, "loss": self.loss.config(), "metrics": list(self.metrics)}

    @classmethod
    def from_config(cls, config: dict[str, Any] | None, optimizer: Any = None) -> Settings | None:
        """Returns the settings in `config`; None if it has no optimizer and none is given."""
        if config is None or (optimizer is None and config["optimizer"] is None):
            return None
        kept = optimizer_from_config(config["optimizer"]) if optimizer is None else optimizer
        return cls.of(kept, loss_from_config(config["loss"]), config["metrics"])
