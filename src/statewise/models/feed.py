"""The data of one training: checked rows, and how they are arranged in batches."""

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
"""Rows in memory, or an iterable of batches."""

Validate = Callable[[], dict[str, float]]
"""A user's function that evaluates the model after each epoch."""


class Feed(NamedTuple):
    """The training data, and the validation data evaluated after each epoch."""

    source: Source
    size: int  # rows per batch
    validation: Source | Validate | None
    validation_size: int

    @property
    def rows(self) -> int | None:
        """N; None for an iterable of batches."""
        return count_rows(self.source)

    @property
    def data(self) -> Samples | RaggedRows | None:
        """The training data if it is in memory, otherwise None."""
        return rows_in_memory(self.source)

    @property
    def steps(self) -> int:
        """T."""
        return self.source.steps

    @property
    def all_steps(self) -> tuple[int, ...]:
        """T of the training data, and of the validation data."""
        if self.validation is None or callable(self.validation):
            return (self.steps,)
        return self.steps, self.validation.steps

    def arranged(self, start: Start, shuffled: bool, seed: int) -> Feed:
        """Returns the feed with rows of different lengths arranged in batches, shuffled with the model's `seed`."""
        key = None
        if shuffled and isinstance(self.source, RaggedRows):
            key = fold_in(key_of(seed), SHUFFLE)
        source, validation = arrange(self.source, self.size, start, sort=shuffled, key=key), self.validation
        if validation is not None and not callable(validation):
            validation = arrange(validation, self.validation_size, start.after)
        return self._replace(source=source, validation=validation)

    def layout(self, start: Start, shuffled: bool, truncation: Truncation | None) -> Layout:
        """Returns how the rows are divided into batches."""
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
    """Returns N; None for an iterable of batches."""
    return None if isinstance(source, CheckedBatches) else source.rows


def rows_in_memory(source: Source) -> Samples | RaggedRows | None:
    """Returns all rows as they were read; None for an iterable of batches."""
    rows = source.source if isinstance(source, LengthBuckets) else source
    return None if isinstance(rows, CheckedBatches) else rows


def arrange(
    source: Source, size: int, start: Start, *, sort: bool | None = None, key: Key | None = None
) -> Samples | LengthBuckets | CheckedBatches:
    """Returns rows that begin at `start`; if their lengths vary, in batches of similar lengths where that is faster.

    Rows are sorted by length if `sort`, by default unless the state is carried; `key` shuffles them.
    """
    if isinstance(source, LengthBuckets | CheckedBatches):
        return source
    if isinstance(source, Samples):
        return start.on(source)
    sort = not start.carry if sort is None else sort
    return bucket_by_length(start.on(source), min(size, source.rows), sort=sort, key=key, least=start.warmup + 1)
