"""How what was read becomes batches to train on: lanes taken apart, rows of different lengths grouped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from statewise.data.batches import Samples
from statewise.data.iterable import CheckedBatches
from statewise.data.lanes import Lanes
from statewise.data.like_lengths import LikeLengths, like_lengths
from statewise.data.ragged_rows import RaggedRows
from statewise.data.windows import Windows
from statewise.errors import ConfigurationError
from statewise.foundation.random import Key, fold_in, key_of
from statewise.foundation.shapes import check_whole
from statewise.inference.start import Start
from statewise.training.programs import SHUFFLE, Layout
from statewise.training.truncation import Truncation

ROWS = 32
"""Rows of a batch where nothing is said."""

Validate = Callable[[], dict[str, float]]
"""A function of one's own that measures the model after each epoch."""


class Feed(NamedTuple):
    """What a training goes through, and what it is measured on after each epoch."""

    source: Samples | RaggedRows | LikeLengths | CheckedBatches
    size: int  # rows of a batch
    validation: Samples | RaggedRows | LikeLengths | Validate | None
    validation_size: int

    @property
    def rows(self) -> int | None:
        """N; None where batches come from elsewhere one after another."""
        return None if isinstance(self.source, CheckedBatches) else self.source.rows

    @property
    def data(self) -> Samples | RaggedRows | None:
        """All that is trained on, where that is in memory."""
        source = self.source.source if isinstance(self.source, LikeLengths) else self.source
        return None if isinstance(source, CheckedBatches) else source

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
        source, validation = self.source, self.validation
        if not isinstance(source, CheckedBatches):
            key = fold_in(key_of(seed), SHUFFLE) if shuffled and isinstance(source, RaggedRows) else None
            source = arrange(source, self.size, start, sort=shuffled, key=key)
        if validation is not None and not callable(validation):
            validation = arrange(validation, min(self.validation_size, validation.rows), start.after)
        return self._replace(source=source, validation=validation)

    def layout(self, start: Start, shuffled: bool, truncation: Truncation | None) -> Layout:
        """Returns how the rows become batches."""
        return Layout(
            self.size,
            self.rows if shuffled and isinstance(self.source, Samples) else None,
            padded=self.rows is None or self.rows % self.size != 0,
            carry=start.carry,
            through=start.through,
            warmup=start.warmup,
            truncation=truncation,
        )


def arrange(
    rows: Samples | RaggedRows | LikeLengths,
    size: int,
    start: Start,
    *,
    sort: bool | None = None,
    key: Key | None = None,
) -> Samples | LikeLengths:
    """Returns rows that begin at `start`; those of different lengths in batches of like lengths, where that pays.

    They are brought together unless the state is carried, or as `sort` says; `key` shuffles them.
    """
    if isinstance(rows, LikeLengths):
        return rows
    if isinstance(rows, Samples):
        return start.on(rows)
    sort = not start.carry if sort is None else sort
    return like_lengths(start.on(rows), size, sort=sort, key=key, least=start.warmup + 1)


def unframe(
    x: object, y: object, batch_size: int | None, reset: object, mask: object, *, symbols: bool
) -> tuple[Any, Any, int, Any, Any]:
    """Returns x, y, batch_size, reset and mask: those of `lanes(...)` or `windows(...)` if that is what `x` is.

    `symbols` says whether the network reads symbols, which have no axis of features.

    Raises:
        ConfigurationError: lanes or windows, and something beside them that they bring along.
    """
    if not isinstance(x, Lanes | Windows):
        return x, y, check_batch_size(batch_size), reset, mask
    if y is not None:
        raise ConfigurationError("y: lanes and windows bring their own; leave it out")
    steps = x.x if symbols or x.x.ndim > 2 else x.x[..., None]  # one value a step is one feature
    if isinstance(x, Windows):
        return steps, x.y, check_batch_size(batch_size), reset, mask
    if reset is not None or mask is not None:
        raise ConfigurationError("reset, mask: lanes bring their own; leave them out")
    if batch_size not in (None, x.batch_size):
        raise ConfigurationError(f"batch_size: the lanes are made for {x.batch_size} rows, got {batch_size!r}")
    reset = x.reset
    if reset is not None:
        reset = reset.copy()
        reset[: x.batch_size, 0] = False  # where the first batch starts is for `state=` to say
    return steps, x.y, x.batch_size, reset, x.mask


def check_batch_size(batch_size: int | None) -> int:
    """Returns how many rows make a batch, where nothing but `batch_size` says it."""
    return ROWS if batch_size is None else check_whole("batch_size", batch_size)
