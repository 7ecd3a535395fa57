"""Rows of different lengths, stored end to end, and cut into padded batches on request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from statewise.data.batches import Samples, cut_of
from statewise.data.ragged import firsts_of, real_steps
from statewise.foundation.shapes import Array


@dataclass(frozen=True, eq=False)
class RaggedRows:
    """N rows of `lengths` steps, S in all; what is known about them has the same names as in `Samples`.

    >>> rows = RaggedRows(np.array([2, 1]), {"x": np.array([[5.0], [6.0], [7.0]])})
    >>> rows.take(np.array([1, 0]), 2)["x"][..., 0].tolist()
    [[7.0, 0.0], [5.0, 6.0]]
    """

    lengths: Array  # [N]
    by_step: Mapping[str, Array]  # [S, ...] each, row after row
    by_row: Mapping[str, Array] = field(default_factory=dict)  # [N, ...] each
    initial: tuple[Array, ...] | None = None  # [N, H] each, as in `Samples`

    @property
    def rows(self) -> int:
        """N."""
        return len(self.lengths)

    @cached_property
    def steps(self) -> int:
        """T of the longest row."""
        return int(self.lengths.max())

    @cached_property
    def firsts(self) -> Array:
        """Where each row begins, `[N]`."""
        return firsts_of(self.lengths)

    @property
    def has_negative_weights(self) -> bool:
        """Whether a weight is below 0."""
        weight = self.by_step.get("weight", self.by_row.get("weight"))
        return weight is not None and bool((weight < 0).any())

    def take(self, chosen: Array, steps: int) -> dict[str, Any]:
        """Returns the rows with the numbers `chosen` as arrays `[n, steps, ...]`, padded on the right and masked there.

        None of them may be longer than `steps`.
        """
        lengths, firsts = self.lengths[chosen], self.firsts[chosen]
        taken: dict[str, Any] = {"mask": real_steps(lengths, steps)}
        for name, flat in self.by_step.items():
            taken[name] = padded = np.zeros((len(chosen), steps, *flat.shape[1:]), flat.dtype)
            for row, first, length in zip(padded, firsts, lengths, strict=True):
                row[:length] = flat[first : first + length]
        if self.initial is not None:
            taken["initial"] = tuple(part[chosen] for part in self.initial)
        return taken | {name: array[chosen] for name, array in self.by_row.items()}

    def batch(self, chosen: Array, steps: int) -> Samples:
        """Returns the same as `take` as Samples, to learn from or to score; there must be a `y`."""
        return Samples(**self.take(chosen, steps))

    def padded(self) -> Samples:
        """Returns all rows, padded to the longest."""
        return self.batch(np.arange(self.rows), self.steps)

    def split(self, share: float) -> tuple[RaggedRows, RaggedRows]:
        """Returns the first rows and the last `share` of them, as `Samples.split` does."""
        cut = cut_of(self.rows, share)
        return self._part(slice(cut)), self._part(slice(cut, None))

    def starting_in(self, parts: tuple[Array, ...]) -> RaggedRows:
        """Returns the rows with their initial states `[N, H]`."""
        return replace(self, initial=parts)

    def named(self) -> list[tuple[str, Array]]:
        """Returns the arrays that identify these rows, by name."""
        return [("lengths", self.lengths), *self.by_step.items(), *self.by_row.items()]

    def _part(self, part: slice) -> RaggedRows:
        lengths, cut = self.lengths[part], int(self.lengths[: part.start].sum()) if part.start else 0
        steps = slice(cut, cut + int(lengths.sum()))
        return RaggedRows(
            lengths,
            {name: flat[steps] for name, flat in self.by_step.items()},
            {name: array[part] for name, array in self.by_row.items()},
        )


def padded(rows: Samples | RaggedRows) -> Samples:
    """Returns rows as arrays, those of different lengths padded to the longest."""
    return rows.padded() if isinstance(rows, RaggedRows) else rows
