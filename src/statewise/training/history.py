"""What a training returns."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class History:
    """Loss and metrics of each epoch, as `fit` returns them.

    Attributes:
        epoch: numbers of the finished epochs, from 0.
        history: a list by name: `loss`, each metric, and the same with `val_` before them for validation data.
        interrupted: whether Ctrl-C ended the training.
        seconds: how long it took.
    """

    epoch: list[int] = field(default_factory=list)
    history: dict[str, list[float]] = field(default_factory=dict)
    interrupted: bool = False
    seconds: float = 0.0

    def add(self, epoch: int, logs: dict[str, float]) -> None:
        """Adds a finished epoch."""
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)

    @property
    def last(self) -> tuple[int, dict[str, float]]:
        """The number and the logs of the last finished epoch."""
        return self.epoch[-1], {name: values[-1] for name, values in self.history.items()}
