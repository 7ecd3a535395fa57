"""A picture of how data become `[B, T, F]`: samples as rows, time steps as boxes, features inside a box."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from statewise.foundation.shapes import Array
from statewise.foundation.words import plural

SKIPPED = "-"
"""How a masked step is shown."""


@dataclass(frozen=True)
class Sample:
    """One row: what its time steps hold, as text, and the answer to the last step or to each."""

    steps: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Framing:
    """Some samples of a data set, with the shapes of all.

    Attributes:
        x_shape: `[N, T, F]` or, for symbols, `[N, T]`.
        y_shape: `[N, V]`, `[N]`, or with an answer at each step `[N, T, V]` or `[N, T]`.
        samples: the first few.
        note: how a label becomes numbers, such as "A is 0/26, B is 1/26".
        carried: how many samples later the state is used: 0 if each starts fresh, 1 if it is carried to the next, B if
            it is carried from row r of a batch of B to row r of the next.
    """

    x_shape: tuple[int, ...]
    y_shape: tuple[int, ...]
    samples: tuple[Sample, ...]
    note: str
    carried: int = 0

    @classmethod
    def of(
        cls,
        x: Array,
        y: Array,
        read_x: Callable[[Any], str],
        read_y: Callable[[Any], str],
        *,
        note: str,
        rows: int = 4,
        each_step: bool = False,
        mask: Array | None = None,
        carried: int = 0,
    ) -> Framing:
        """Returns the picture of the first `rows` samples.

        Args:
            x: `[N, T, F]`, or symbols `[N, T]`.
            y: an answer for each sample, or with `each_step` for each of its time steps.
            read_x: returns the text of a time step.
            read_y: returns the text of an answer.
            note: how a label becomes numbers.
            rows: how many samples are shown.
            each_step: whether `y` has the time axis of `x`.
            mask: bool `[N, T]`; False shows the step as skipped.
            carried: how many samples later the state is used, as above.

        >>> x = np.arange(8.0).reshape(4, 2, 1)
        >>> name = lambda values: f"{values[0]:g}"
        >>> print(Framing.of(x, x[:, -1] + 1, name, name, note="as it is", rows=2))
        x [4, 2, 1]: 4 samples, 2 time steps, 1 feature    y [4, 1]
        as it is
        Each sample starts from a fresh state.
        <BLANKLINE>
        sample 1   | 0 | 1 |   ->   2
        sample 2   | 2 | 3 |   ->   4
        ... and 2 more
        """
        samples = []
        for index in range(min(rows, len(x))):
            kept = np.ones(x.shape[1], bool) if mask is None else mask[index]
            steps = tuple(read_x(step) if keep else SKIPPED for step, keep in zip(x[index], kept, strict=True))
            answers = tuple(read_y(a) for a in y[index]) if each_step else (read_y(y[index]),)
            samples.append(Sample(steps, answers))
        return cls(x.shape, y.shape, tuple(samples), note, carried)

    @property
    def heading(self) -> str:
        """The shapes in words."""
        samples, steps = plural(self.x_shape[0], "sample"), plural(self.x_shape[1], "time step")
        kind = plural(self.x_shape[2], "feature") if len(self.x_shape) > 2 else "symbols"
        return f"x {list(self.x_shape)}: {samples}, {steps}, {kind}    y {list(self.y_shape)}"

    @property
    def state(self) -> str:
        """Where the state of a sample comes from, in a sentence."""
        if self.carried == 0:
            return "Each sample starts from a fresh state."
        if self.carried == 1:
            return "The state is carried from each sample to the next."
        return f"In batches of {self.carried}, the state is carried from each sample to the one {self.carried} later."

    def __str__(self) -> str:
        width = max(len(label) for sample in self.samples for label in (*sample.steps, *sample.answers))
        lines = [self.heading, self.note, self.state, ""]
        for number, sample in enumerate(self.samples, 1):
            if self.carried == 1 and number > 1:
                lines.append(f"{'':11}  the state is carried")
            lines += _drawn(f"sample {number}", sample, width)
        left = self.x_shape[0] - len(self.samples)
        return "\n".join([*lines, *([f"... and {left:,} more"] if left else [])])


def _drawn(name: str, sample: Sample, width: int) -> list[str]:
    """Returns the sample's line, or two lines if each step has an answer."""
    if len(sample.answers) == 1:
        return [f"{name:<11}{_boxes(sample.steps, width)}   ->   {sample.answers[0]}"]
    return [f"{name:<11}{_boxes(sample.steps, width)}", f"{'   ->':<11}{_boxes(sample.answers, width)}"]


def _boxes(labels: Sequence[str], width: int) -> str:
    return "| " + " | ".join(f"{label:^{width}}" for label in labels) + " |"
