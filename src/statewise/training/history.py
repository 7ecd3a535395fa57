"""What `fit` returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from statewise.foundation import notebook
from statewise.foundation.words import plural
from statewise.training import history_chart


@dataclass
class History:
    """Loss and metrics of each epoch, as `fit` returns them.

    Attributes:
        epoch: numbers of the finished epochs, from 0.
        history: a list by name: `loss`, each metric, and the same with the prefix `val_` for validation data.
        interrupted: whether Ctrl-C ended the training.
        seconds: how long it took.

    >>> History([0, 1], {"loss": [0.5, 0.25]}, seconds=1.5)
    History(2 epochs, loss 0.25, 1.5 s)
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

    def __repr__(self) -> str:
        values = [f"{name} {value:.4g}" for name, value in self.last[1].items()] if self.epoch else []
        return f"History({', '.join([self._length, *values, f'{self.seconds:.3g} s'])})"

    def _repr_html_(self) -> str:
        """Returns what notebooks show: the curves, and their last values."""
        charts = history_chart.history_charts(self.history, self.epoch[-1] + 1 if self.epoch else 0)
        return notebook.output(f"History: {self._length}, {self.seconds:.3g} s", charts, style=history_chart.STYLE)

    @property
    def _length(self) -> str:
        return plural(len(self.epoch), "epoch") + (", interrupted" if self.interrupted else "")
