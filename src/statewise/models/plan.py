"""The plan of one call of `fit`: its data, initial states, batches and epochs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from statewise.errors import ConfigurationError
from statewise.inference.start import Start, check_warmup
from statewise.models.feed import Feed, Source, rows_in_memory
from statewise.models.settings import Settings
from statewise.network import Network
from statewise.training.checkpoint import fingerprint
from statewise.training.programs import Layout
from statewise.training.truncation import Truncation, check_truncation


@dataclass(frozen=True)
class Plan:
    """What one call of `fit` does."""

    feed: Feed
    start: Start
    layout: Layout
    shuffled: bool
    first: int  # epochs done before this call
    last: int  # epochs done after it

    @classmethod
    def of(
        cls,
        network: Network,
        seed: int,
        feed: Feed,
        start: Start,
        truncation: Truncation | None,
        shuffle: bool | None,
        epochs: tuple[int, int],
    ) -> Plan:
        """Returns the plan, with rows of different lengths in batches.

        Raises:
            ConfigurationError, StateError: the arguments contradict each other.
        """
        if start.across_epochs:  # from the model's state at the start, whatever the epoch
            start = replace(start, batch=None)
        if start.carry and shuffle:
            raise ConfigurationError(
                "shuffle=True with a carried state: shuffled rows do not continue each other; remove shuffle"
            )
        check_warmup(start, *feed.all_steps)
        check_truncation(truncation, network, feed.steps - start.warmup)
        shuffled = not start.carry if shuffle is None else bool(shuffle)
        arranged = feed.arranged(start, shuffled, seed)
        return cls(arranged, start, arranged.layout(start, shuffled, truncation), shuffled, *epochs)

    def describe(self, network: Network, seed: int, settings: Settings) -> dict[str, Any]:
        """Returns the settings that must be the same to continue an interrupted training."""
        options = {
            "batch_size": self.layout.batch_size,
            "shuffle": self.shuffled,
            "state": self.start.describe(),
            "tbptt": None if self.layout.truncation is None else asdict(self.layout.truncation),
        }
        return {"network": network.config(), "seed": seed, **settings.config(), **options}

    def measured_by(self, settings: Settings) -> dict[str, Any]:
        """Returns what logs are measured on; iterables of batches and users' functions have no checksum."""
        validation = self.feed.validation
        return {
            "loss": settings.losses,
            "data": _fingerprint(self.feed.source),
            "validation": None if validation is None or callable(validation) else _fingerprint(validation),
        }


def _fingerprint(source: Source) -> dict[str, Any] | None:
    rows = rows_in_memory(source)
    return None if rows is None else fingerprint(rows)
