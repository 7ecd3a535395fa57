"""What a training goes through, read once at the door: checked rows, and how they become batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from statewise.data.batch_iterables import CheckedBatches
from statewise.data.batches import Samples
from statewise.data.length_buckets import LengthBuckets, bucket_by_length
from statewise.data.ragged_rows import RaggedRows
from statewise.foundation.random import Key, fold_in, key_of
from statewise.inference.start import Start
from statewise.training.programs import SHUFFLE, Layout
from statewise.training.truncation import Truncation

Source = Samples | RaggedRows | LengthBuckets | CheckedBatches
"""Rows in memory, or batches that come one after another."""

Validate = Callable[[], dict[str, float]]
"""A function of the user's that measures the model after each epoch."""


class Feed(NamedTuple):
    """What a training goes through, and what it is measured on after each epoch."""

    source: Source
    size: int  # rows of a batch
    validation: Source | Validate | None
    validation_size: int

    @property
    def rows(self) -> int | None:
        """N; None where batches come from elsewhere one after another."""
        return count_rows(self.source)

    @property
    def data(self) -> Samples | RaggedRows | None:
        """All that is trained on, where that is in memory."""
        return rows_in_memory(self.source)

    @property
    def steps(self) -> int:
        """T."""
        return self.source.steps

    @property
    def all_steps(self) -> tuple[int, ...]:
        """T of what is trained on, and of what is validated on."""
        if self.validation is None or callable(self.validation):
            return (self.steps,)
        return self.steps, self.validation.steps

    def arranged(self, start: Start, shuffled: bool, seed: int) -> Feed:
        """Returns the feed with rows of different lengths in batches, shuffled as a model's `seed` says."""
        key = None
        if shuffled and isinstance(self.source, RaggedRows):
            key = fold_in(key_of(seed), SHUFFLE)
        source, validation = arrange(self.source, self.size, start, sort=shuffled, key=key), self.validation
        if validation is not None and not callable(validation):
            validation = arrange(validation, self.validation_size, start.after)
        return self._replace(source=source, validation=validation)

    def layout(self, start: Start, shuffled: bool, truncation: Truncation | None) -> Layout:
        """Returns how the rows become batches."""
        return Layout(
            self.size,
            self.rows if shuffled and isinstance(self.source, Samples) else None,
            padded=self.rows is None or self.rows % self.size != 0,
            carry=start.carry,
            across_epochs=start.across_epochs,
            warmup=start.warmup,
            truncation=truncation,
        )


def count_rows(source: Source) -> int | None:
    """Returns N; None where batches come from elsewhere one after another."""
    return None if isinstance(source, CheckedBatches) else source.rows


def rows_in_memory(source: Source) -> Samples | RaggedRows | None:
    """Returns all rows as they were read; None of batches that come from elsewhere."""
    rows = source.source if isinstance(source, LengthBuckets) else source
    return None if isinstance(rows, CheckedBatches) else rows


def arrange(
    source: Source, size: int, start: Start, *, sort: bool | None = None, key: Key | None = None
) -> Samples | LengthBuckets | CheckedBatches:
    """Returns rows that begin at `start`; those of different lengths in batches of like lengths, where that pays.

    They are brought together unless the state is carried, or as `sort` says; `key` shuffles them.
    """
    if isinstance(source, LengthBuckets | CheckedBatches):
        return source
    if isinstance(source, Samples):
        return start.on(source)
    sort = not start.carry if sort is None else sort
    return bucket_by_length(start.on(source), min(size, source.rows), sort=sort, key=key, least=start.warmup + 1)
