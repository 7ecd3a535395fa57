"""What users pass as x and y, read for a network: padded where rows differ in length, lanes taken apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from statewise.data.batches import (
    CheckedBatches,
    Excluded,
    Samples,
    check_filled,
    count_steps,
    read_flags,
    read_samples,
    read_x,
)
from statewise.data.lanes import Lanes
from statewise.data.ragged import is_ragged, pad, unpad
from statewise.data.windows import Windows
from statewise.errors import ConfigurationError, ShapeError
from statewise.network import Network
from statewise.shapes import Array, as_numbers, check_whole
from statewise.start import Start
from statewise.training.programs import Layout
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

    source: Samples | CheckedBatches
    size: int  # rows of a batch
    validation: Samples | Validate | None
    validation_size: int

    @property
    def rows(self) -> int | None:
        """N; None where batches come one after another."""
        return self.source.rows if isinstance(self.source, Samples) else None

    @property
    def steps(self) -> int:
        """T."""
        return self.source.steps

    @property
    def all_steps(self) -> tuple[int, ...]:
        """T of what is trained on, and of what is validated on."""
        return (self.steps, self.validation.steps) if isinstance(self.validation, Samples) else (self.steps,)

    def layout(self, start: Start, shuffled: bool, truncation: Truncation | None) -> Layout:
        """Returns how the rows become batches."""
        return Layout(
            self.size,
            self.rows if shuffled else None,
            padded=self.rows is None or self.rows % self.size != 0,
            carry=start.carry,
            through=start.through,
            warmup=start.warmup,
            truncation=truncation,
        )


def read_rows(
    network: Network, x: object, reset: object = None, mask: object = None, weightless: Array | None = None
) -> Rows:
    """Returns input for `network`; rows of different lengths are filled up on the right, and masked there.

    At masked steps, and in rows that are `weightless`, NaN may stand: it is read as 0.

    Raises:
        ShapeError, DataError, ConfigurationError: something does not fit.
    """
    if len(network.input_shape) < 3:
        _check_one_input(x)
    ragged = is_ragged(x)
    if ragged:
        if mask is not None:
            raise ConfigurationError("mask: rows of different lengths have a mask of their own; leave it out")
        x, mask = pad("x", x)
        if is_ragged(reset):
            reset, own = pad("reset", reset)
            _check_lengths("reset", own, mask)
    array = read_x(x, network.input_shape, network.symbols, mask, weightless)
    flags = read_flags("reset", reset, array), read_flags("mask", mask, array)
    return Rows(array, *flags, ragged and network.answers_each_step)


def input_shape_of(x: object) -> tuple[int, ...]:
    """Returns the shape of the input, batch axis included, that a network is to be built for."""
    _check_one_input(x)
    array = pad("x", x)[0] if is_ragged(x) else as_numbers("x", x)
    check_filled(array)
    return array.shape


def _check_one_input(x: object) -> None:
    """Raises ShapeError if `x` is a few arrays `[N, T, F]` in a list, as models with several inputs have it."""
    if isinstance(x, list | tuple) and 0 < len(x) < 5 and all(getattr(part, "ndim", 0) == 3 for part in x):
        shapes = ", ".join(str(list(part.shape)) for part in x)
        raise ShapeError(
            f"x: expected one input [N, T, F], got a list of {len(x)} arrays {shapes}; np.concatenate(x, axis=-1) "
            "joins their features, np.concatenate(x) their rows"
        )


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
    *,
    measured: bool = False,
) -> Samples:
    """Returns rows for `network` and a loss for `target` to learn from or to score.

    What stands at steps that are masked or weigh nothing has no influence, and may be NaN; where metrics are
    `measured`, which know no weights, only masked ones may.

    Raises:
        ShapeError, DataError, ConfigurationError: something does not fit.
    """
    weightless = None if measured or weight is None else _weightless(weight)
    whole_rows = None if weightless is None else np.all(weightless.reshape(len(weightless), -1), axis=1)
    rows = read_rows(network, x, reset, mask, whole_rows)
    if rows.ragged:
        y, weight = _padded_like("y", y, rows), _padded_like("sample_weight", weight, rows)
        weightless = None if measured or weight is None else _weightless(weight)
    excluded = Excluded(_masked_answers(network, rows), weightless)
    return read_samples(rows.x, y, weight, rows.reset, rows.mask, network.output_shape, target, excluded)


def _weightless(weight: object) -> Array | None:
    """Returns where sample weights `[N]` or `[N, T]` are 0; None if there are others than these."""
    array = None if is_ragged(weight) else as_numbers("sample_weight", weight)
    return None if array is None or array.ndim not in (1, 2) else array == 0


def _masked_answers(network: Network, rows: Rows) -> Array | None:
    """Returns bool `[N, T]`, True where no loss counts the answer of a step; None where all count."""
    if len(network.output_shape) != 2:
        return None
    counted = network.mask_of_answers(rows.x, rows.mask)  # type: ignore[arg-type]  # NumPy in, NumPy out
    return None if counted is None else ~np.broadcast_to(np.asarray(counted), (len(rows.x), counted.shape[1]))


def counts(network: Network, samples: Samples, warmup: int = 0) -> bool:
    """Returns whether `network` can learn from `samples`, or be scored on them.

    That is so if it reads any step, and if any of its answers after the first `warmup` steps has a weight.
    """
    x, mask, weight = samples.x, samples.mask, samples.weight
    read = network.mask_of(x, mask)  # type: ignore[arg-type]  # NumPy in, NumPy out
    if read is not None and not np.asarray(read)[:, warmup if network.answers_each_step else 0 :].any():
        return False
    if weight is None:
        return True
    weighs = weight != 0
    if weight.ndim == 2:
        answers = network.mask_of_answers(x, mask)  # type: ignore[arg-type]  # likewise
        weighs = (weighs if answers is None else weighs & np.asarray(answers))[:, warmup:]
    return bool(weighs.any())


def _padded_like(name: str, value: Any, rows: Rows) -> Any:
    if not is_ragged(value):
        return value
    array, mask = pad(name, value)
    _check_lengths(name, mask, rows.mask)
    return array


def _check_lengths(name: str, mask: Array, expected: object) -> None:
    if not np.array_equal(mask, expected):  # type: ignore[arg-type]  # None is no array of that shape
        raise ShapeError(f"{name}: expected rows of the lengths that those of x have, got other lengths")


def check_batch_size(batch_size: int | None) -> int:
    """Returns how many rows make a batch, where nothing but `batch_size` says it."""
    return ROWS if batch_size is None else check_whole("batch_size", batch_size)
