"""What `verbose` prints, in the form of the Keras that the script was written for."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from statewise.legacy.dialect import current

WIDTH = 30
"""Characters of the bar."""


@dataclass
class Display:
    """Prints one fit: 0 nothing, 1 a bar an epoch, 2 a line an epoch."""

    verbose: int
    epochs: int
    steps: int
    samples: int
    validated: int = 0
    _begun: float = field(default=0.0, init=False)

    def begin(self) -> None:
        """Prints what the training goes over, as Keras did until TensorFlow 2."""
        if self.verbose and self.validated and not current().as_written:
            _print(f"Train on {self.samples} samples, validate on {self.validated} samples\n")

    def epoch_begins(self, epoch: int) -> None:
        """Prints the number of an epoch, which is counted from 0."""
        self._begun = time.perf_counter()
        if self.verbose:
            _print(f"Epoch {epoch + 1}/{self.epochs}\n")

    @property
    def live(self) -> bool:
        """Whether someone watches a bar."""
        return self.verbose == 1 and sys.stdout.isatty()

    def step(self, done: int, logs: Mapping[str, float]) -> None:
        """Shows how far an epoch is, to someone who watches."""
        if self.live:
            full = min(WIDTH - 1, WIDTH * done // max(self.steps, 1))
            values = "".join(f" - {name}: {value:.4f}" for name, value in logs.items())
            _print(f"\r{done}/{self.steps} [{'=' * full}>{'.' * (WIDTH - 1 - full)}]{values}")

    def epoch_ends(self, logs: Mapping[str, float]) -> None:
        """Prints the numbers of an epoch."""
        seconds = time.perf_counter() - self._begun
        if self.verbose == 2:
            _print(current().epoch_line(seconds, self.steps, logs) + "\n")
        elif self.verbose == 1:
            again = "\r" if sys.stdout.isatty() else ""
            _print(again + current().bar_line(seconds, self.steps, self.samples, logs) + "\n")

    def scored(self, logs: Mapping[str, float]) -> None:
        """Prints the bar of an evaluation."""
        if self.verbose == 1:
            _print(current().bar_line(0.0, self.steps, self.samples, logs if current().as_written else {}) + "\n")


def read_verbose(verbose: object) -> int:
    """Returns 0, 1 or 2 of what `verbose` may be: those, "auto", True or False."""
    return verbose if verbose in (0, 2) else 1 if verbose else 0


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
