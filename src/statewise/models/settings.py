"""The arguments of `compile`: how a network is trained and measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import optax

from statewise.errors import ConfigurationError, FileError
from statewise.foundation.shapes import Array
from statewise.models.targets import of_only_output, read_targets
from statewise.models.train_state import TrainState
from statewise.network import Network, NetworkParams
from statewise.objectives.losses import Loss, get_loss, loss_from_config
from statewise.objectives.metrics import get_metric, metric_name
from statewise.optimizers.optimizer import Optimizer, get_optimizer, optimizer_from_config
from statewise.storage.pytrees import fill_leaves
from statewise.training.objective import Score
from statewise.training.programs import Programs, programs_for


class Target(NamedTuple):
    """The loss of one output and the names of its metrics."""

    output: str | None  # None for the only one
    loss: Loss
    metrics: tuple[str, ...] = ()
    weight: float = 1.0  # of the loss, in the sum of all


class Settings(NamedTuple):
    """An optimizer, and what it is to minimize on which outputs."""

    optimizer: Optimizer | optax.GradientTransformation
    targets: tuple[Target, ...]

    @classmethod
    def of(
        cls,
        optimizer: object,
        loss: object,
        metrics: Any,
        loss_weights: object = None,
        outputs: tuple[str, ...] = (),
    ) -> Settings:
        """Returns the settings for these names or objects, for a network with these `outputs`, if they are known.

        Raises:
            ConfigurationError: a name does not exist; the message suggests the nearest.
        """
        if len(outputs) > 1:
            given = read_targets(outputs, loss, metrics, loss_weights)
            return cls(get_optimizer(optimizer), tuple(_target(*target) for target in given))
        if loss_weights is not None:
            raise ConfigurationError("loss_weights: this model has one output, and so one loss; leave them out")
        loss, metrics = (of_only_output(what, outputs, given) for what, given in (("loss", loss), ("metrics", metrics)))
        return cls(get_optimizer(optimizer), (_target(None, loss, metrics, 1.0),))

    @property
    def loss(self) -> Loss:
        """The loss of the only output, or of the first."""
        return self.targets[0].loss

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics of the only output, or of the first."""
        return self.targets[0].metrics

    @property
    def losses(self) -> Any:
        """The losses as JSON holds them, by output if they are several."""
        if self.targets[0].output is None:
            return self.loss.config()
        return {str(output): [loss.config(), weight] for output, loss, _, weight in self.targets}

    def programs(self, network: Network) -> Programs:
        """Returns the compiled programs that train and evaluate `network` with these settings.

        Raises:
            ConfigurationError: a metric does not fit the loss, or the loss does not fit the network.
        """
        return programs_for(network, tuple(_score(network, target) for target in self.targets), self.optimizer)

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
        targets = [
            {"output": output, "loss": loss.config(), "metrics": list(metrics), "weight": weight}
            for output, loss, metrics, weight in self.targets
        ]
        if targets[0]["output"] is None:
            return {"optimizer": optimizer, "loss": targets[0]["loss"], "metrics": targets[0]["metrics"]}
        return {"optimizer": optimizer, "targets": targets}

    @classmethod
    def from_config(cls, config: dict[str, Any] | None, optimizer: Any = None) -> Settings | None:
        """Returns the settings in `config`; None if it has no optimizer and none is given."""
        if config is None or (optimizer is None and config["optimizer"] is None):
            return None
        kept = optimizer_from_config(config["optimizer"]) if optimizer is None else optimizer
        targets = config.get("targets", [{"output": None, "weight": 1.0, **config}])
        return cls(
            get_optimizer(kept),
            tuple(_target(t["output"], loss_from_config(t["loss"]), t["metrics"], t["weight"]) for t in targets),
        )


def _target(output: str | None, loss: object, metrics: object, weight: float) -> Target:
    """Returns the target of an output, checked."""
    if not isinstance(metrics, str | list | tuple | None):
        raise ConfigurationError(f"metrics: expected a list of names such as ['accuracy'], got {metrics!r}")
    names = tuple(map(metric_name, (metrics,) if isinstance(metrics, str) else metrics or ()))
    target = Target(output, get_loss(loss), names, weight)
    if names and target.loss.sampling is not None:
        raise ConfigurationError(
            f"metrics: expected none with SampledSoftmax, which trains without computing every class, got "
            f"{list(names)}; remove them, and after training compile with "
            "loss='sparse_categorical_crossentropy' and these metrics to evaluate the model: its weights are kept"
        )
    if target.loss.sampling is not None and output is not None:
        raise ConfigurationError("SampledSoftmax: expected a model with one output; use another loss")
    return target


def _score(network: Network, target: Target) -> Score:
    """Returns what is computed for a target.

    Raises:
        ConfigurationError: a metric does not fit the loss, or the loss does not fit the network.
    """
    own = network if target.output is None else network.toward(target.output)
    if target.loss.sampling is not None:
        target.loss.sampling.check_output(own.before_last().layer)
    metrics = tuple(get_metric(name, target.loss.target, own.width) for name in target.metrics)
    return Score(own.outputs[0].name, target.loss, metrics, target.weight)
