"""What users pass as x and y, read for a network: padded where rows differ in length, lanes taken apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from statewise.data.batches import (
    CheckedBatches,
    Samples,
    align_y,
    check_filled,
    check_given,
    check_y,
    count_steps,
    read_flags,
    read_samples,
    read_weight,
    read_x,
    read_y,
)
from statewise.data.lanes import Lanes
from statewise.data.like_lengths import LikeLengths, like_lengths
from statewise.data.ragged import is_ragged, lay_end_to_end, pad, unpad
from statewise.data.ragged_rows import RaggedRows
from statewise.data.windows import Windows
from statewise.draws import Key, fold_in, key_of
from statewise.errors import ConfigurationError, ShapeError
from statewise.network import Network
from statewise.shapes import Array, as_array, check_input, check_whole
from statewise.start import Start
from statewise.training.programs import SHUFFLE, Layout
from statewise.training.truncation import Truncation

ROWS = 32
"""Rows of a batch where nothing is said."""

Validate = Callable[[], dict[str, float]]
"""A function of one's own that measures the model after each epoch."""


class Rows(NamedTuple):
    """Input for a network, and which of its steps to skip or to start afresh at."""

    x: Array
    reset: Array | None
    mask: Array | None
    ragged: bool  # whether answers belong to rows of different lengths

    @property
    def rows(self) -> int:
        """N."""
        return len(self.x)

    @property
    def steps(self) -> int:
        """T; 1 where rows have no time axis."""
        return count_steps(self.x)

    def restore(self, y: Array, skipped: int = 0) -> Array | list[Array]:
        """Returns answers as the input came: a list if it was one of rows of different lengths.

        The first `skipped` steps have no answers.
        """
        if not self.ragged or self.mask is None or y.ndim < 3:
            return y
        return unpad(y, self.mask[:, skipped:])


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


def read_rows(network: Network, x: object, reset: object = None, mask: object = None) -> Rows:
    """Returns input for `network`; rows of different lengths are filled up on the right, and masked there.

    Raises:
        ShapeError, DataError, ConfigurationError: something does not fit.
    """
    ragged = is_ragged(x)
    if ragged:
        _check_unmasked(mask)
        x, mask = pad("x", x)
        reset = _padded_like("reset", reset, mask)
    array = read_x(x, network.input_shape, network.symbols)
    flags = read_flags("reset", reset, array), read_flags("mask", mask, array)
    return Rows(array, *flags, ragged and network.answers_each_step)


def read_input(network: Network, x: object, reset: object = None, mask: object = None) -> Rows | RaggedRows:
    """Returns what `read_rows` does, but rows of different lengths as they are if `network` takes padding.

    Raises:
        ShapeError, DataError, ConfigurationError: something does not fit.
    """
    if is_ragged(x) and network.takes_padding:
        _check_unmasked(mask)
        rows = _read_ragged(network, x, reset)
        if rows is not None:
            return rows
    return read_rows(network, x, reset, mask)


def _check_unmasked(mask: object) -> None:
    if mask is not None:
        raise ConfigurationError("mask: rows of different lengths have a mask of their own; leave it out")


def _read_ragged(network: Network, x: object, reset: object) -> RaggedRows | None:
    """Returns rows of different lengths; None if `reset` starts one afresh after its end, which padding can hold."""
    steps, lengths = lay_end_to_end("x", x)
    padded = _of_shape(lengths, steps)
    check_input(padded, network.input_shape)
    by_step = {"x": read_x(steps[None], network.input_shape, network.symbols)[0]}
    real = _real(lengths)
    flags = read_flags("reset", _padded_like("reset", reset, real), padded)
    if flags is not None:
        if (flags & ~real).any():
            return None
        by_step["reset"] = flags[real]
    return RaggedRows(lengths, by_step)


def _of_shape(lengths: Array, steps: Array) -> Array:
    """Returns an array of the shape that rows have when padded, and of no size in memory."""
    return np.broadcast_to(np.zeros((), steps.dtype), (len(lengths), lengths.max(), *steps.shape[1:]))


def _real(lengths: Array) -> Array:
    """Returns bool `[N, T]`: which steps of rows padded to the longest are their own."""
    real: Array = np.arange(lengths.max()) < lengths[:, None]
    return real


def input_shape_of(x: object) -> tuple[int, ...]:
    """Returns the shape of the input, batch axis included, that a network is to be built for."""
    if is_ragged(x):
        steps, lengths = lay_end_to_end("x", x)
        array = _of_shape(lengths, steps)
    else:
        array = as_array("x", x)
    check_filled(array)
    return array.shape


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


def read_samples_of(
    network: Network,
    target: str,
    x: object,
    y: object,
    weight: object = None,
    reset: object = None,
    mask: object = None,
) -> Samples | RaggedRows:
    """Returns rows for `network` and a loss for `target` to learn from or to score.

    Raises:
        ShapeError, DataError, ConfigurationError: something does not fit.
    """
    rows = read_input(network, x, reset, mask)
    if isinstance(rows, RaggedRows):
        return _with_targets(rows, network, target, y, weight)
    if rows.ragged:
        y, weight = _padded_like("y", y, rows.mask), _padded_like("sample_weight", weight, rows.mask)
    return read_samples(rows.x, y, weight, rows.reset, rows.mask, network.output_shape, target)


def _with_targets(rows: RaggedRows, network: Network, target: str, y: Any, weight: object) -> RaggedRows:
    """Returns the rows with what is to be learnt of each step, or of each row."""
    check_given(y)
    real, each_step = _real(rows.lengths), network.answers_each_step
    by_step, by_row, outputs = dict(rows.by_step), {}, network.output_shape[-1]
    if each_step and is_ragged(y):
        flat, lengths = lay_end_to_end("y", y)
        _check_lengths("y", lengths, rows.lengths)
        padded = align_y(_of_shape(lengths, flat), (rows.steps, outputs), target, rows.rows)
        by_step["y"] = check_y(flat.reshape(-1, *padded.shape[2:]), outputs, target)
    elif each_step:
        padded = align_y(as_array("y", y), (rows.steps, outputs), target, rows.rows)
        by_step["y"] = check_y(padded[real], outputs, target)
    else:
        padded = by_row["y"] = read_y(y, network.output_shape, target, rows.rows)
    if weight is not None:
        weights = read_weight(_padded_like("sample_weight", weight, real), padded, target)
        if each_step and weights.ndim == 2:
            by_step["weight"] = weights[real]
        else:
            by_row["weight"] = weights
    return RaggedRows(rows.lengths, by_step, by_row)


def _padded_like(name: str, value: Any, real: Array | None) -> Any:
    if not is_ragged(value):
        return value
    array, own = pad(name, value)
    _check_lengths(name, own.sum(axis=1), None if real is None else real.sum(axis=1))
    return array


def _check_lengths(name: str, lengths: Array, expected: Array | None) -> None:
    if not np.array_equal(lengths, expected):  # type: ignore[arg-type]  # None is no array of that shape
        raise ShapeError(f"{name}: expected rows of the lengths that those of x have, got other lengths")


def check_batch_size(batch_size: int | None) -> int:
    """Returns how many rows make a batch, where nothing but `batch_size` says it."""
    return ROWS if batch_size is None else check_whole("batch_size", batch_size)
