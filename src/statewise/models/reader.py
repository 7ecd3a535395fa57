"""Reads and checks the data that users pass to fit, evaluate and memory_report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from statewise.data.batch_iterables import CheckedBatches, is_batches, unpack
from statewise.data.batches import NOTHING_COUNTS, Samples
from statewise.data.lanes import Lanes
from statewise.data.ragged_rows import RaggedRows, padded
from statewise.data.windows import Windows
from statewise.errors import ConfigurationError, DataError, StatewiseError
from statewise.foundation.shapes import check_whole
from statewise.inference.class_weights import weigh_classes
from statewise.inference.rows import counts, read_samples_of
from statewise.models.feed import Feed, Source
from statewise.models.settings import Settings
from statewise.network import Network
from statewise.training.fit_warnings import warn_of_overlap
from statewise.training.output_checks import one_output

ROWS = 32
"""The default batch size."""


class Flags(NamedTuple):
    """Optional data with x and y, for each row or step."""

    sample_weight: object = None
    reset: object = None
    mask: object = None


class Reader(NamedTuple):
    """Reads data for a compiled model."""

    settings: Settings
    symbols: bool  # whether the network reads symbols, which have no feature axis
    build_for: Callable[[object], Network]  # returns the network, built for that x if necessary
    object_to: Callable[[StatewiseError], None]  # raises an error about unlearnable data, or ignores it

    def rows(self, x: object, y: object, batch_size: int | None, flags: Flags) -> tuple[Samples | RaggedRows, int]:
        """Returns rows to train on or to evaluate, and the batch size."""
        framing = (self.build_for, self.symbols)
        x, y, size, reset, mask = unframe(x, y, batch_size, flags.reset, flags.mask, *framing)
        network, measured = self.build_for(x), any(target.metrics for target in self.settings.targets)
        targets: dict[str, str] = {}
        for target in self.settings.targets:
            own = network if target.output is None else network.toward(target.output)
            if (error := one_output(own, target.loss)) is not None:
                self.object_to(error)
            targets[own.outputs[0].name] = target.loss.target
        rows = read_samples_of(network, targets, x, y, flags.sample_weight, reset, mask, measured=measured)
        return rows, min(size, rows.rows)

    def source(
        self, x: object, y: object, batch_size: int | None, flags: Flags, class_weight: object = None
    ) -> tuple[Source, int]:
        """Returns the result of `rows`, or checked batches if `x` is an iterable of batches.

        Only batches are weighted by `class_weight` here, as they are read.
        """
        if y is not None or isinstance(x, np.ndarray | jax.Array | Lanes | Windows):
            return self.rows(x, y, batch_size, flags)
        if any(flag is not None for flag in flags):
            raise ConfigurationError(
                "an iterable of batches excludes sample_weight, reset and mask: let it yield (x, y, sample_weight)"
            )

        def read(x: object, y: object, weight: object = None) -> Samples:
            return padded(self.weighed(self.rows(x, y, None, Flags(weight))[0], x, class_weight))

        batches = CheckedBatches(x, read, lambda samples: counts(self.build_for(samples.x), samples))
        return batches, batches.batch_size

    def weighed(self, rows: Samples | RaggedRows, x: object, class_weight: object) -> Samples | RaggedRows:
        """Returns the rows of `x`, with `class_weight`, if any, multiplied into their weights."""
        if class_weight is None:
            return rows
        network = self.build_for(x)
        if not network.single:
            raise ConfigurationError(
                "class_weight: expected a model with one input and one output; write sample_weight={output: weights}"
            )
        return weigh_classes(network, rows, self.settings.loss.target, class_weight)

    def feed(
        self,
        x: object,
        y: object,
        batch_size: int | None,
        flags: Flags,
        *,
        shuffle: bool | None,
        validation_data: object,
        validation_split: float,
        class_weight: object = None,
    ) -> Feed:
        """Returns the data of a training; `class_weight` does not apply to validation data."""
        if validation_data is not None and validation_split:
            raise ConfigurationError("validation_split and validation_data: expected one of them, got both")
        if validation_split and isinstance(x, Windows):
            x, validation_data = x.split(validation_split)
            validation_split = 0.0
        if validation_split and isinstance(x, Lanes):
            raise ConfigurationError(
                "validation_split would cut through the lanes: split the series before lanes(...), and pass the lanes "
                "of its end as validation_data"
            )
        source, size = self.source(x, y, batch_size, flags, class_weight)
        if isinstance(source, CheckedBatches) and (shuffle or validation_split):
            raise ConfigurationError(
                "an iterable of batches excludes shuffle and validation_split: let it yield batches in training order, "
                "and pass others as validation_data"
            )
        if validation_split and isinstance(source, Samples | RaggedRows):
            whole = source
            source, held_out = whole.split(validation_split)
            if isinstance(whole, Samples):
                warn_of_overlap(whole, source.rows)
            source = self.weighed(source, x, class_weight)
            return Feed(source, min(size, source.rows), held_out, min(size, held_out.rows))
        if isinstance(source, Samples | RaggedRows):
            source = self.weighed(source, x, class_weight)
        return Feed(source, size, *self._validation(validation_data, check_batch_size(batch_size)))

    def _validation(self, data: object, size: int) -> tuple[Any, int]:
        """Returns the validation data and its batch size."""
        if data is None or callable(data):
            return data, size
        if isinstance(data, Lanes | Windows):
            return self.rows(data, None, None, Flags())
        if is_batches(data):
            return self.source(data, None, None, Flags())
        x, y, *weight = unpack("validation_data", data)
        return self.rows(x, y, size, Flags(*weight))

    def check_counts(self, network: Network, rows: Source, warmup: int) -> None:
        """Objects to rows that nothing can be learned from or scored on; batches are checked as they are read."""
        if isinstance(rows, CheckedBatches):
            rows.least_steps = warmup + 1
        elif isinstance(rows, Samples | RaggedRows) and not counts(network, rows, warmup):
            self.object_to(DataError(NOTHING_COUNTS))


def unframe(
    x: object,
    y: object,
    batch_size: int | None,
    reset: object,
    mask: object,
    build_for: Callable[[object], Network],
    symbols: bool,
) -> tuple[Any, Any, int, Any, Any]:
    """Returns x, y, batch_size, reset and mask, taken from `x` if it is the result of `lanes(...)` or `windows(...)`.

    `build_for` returns the network; `symbols` says whether it reads symbols, which have no feature axis.

    Raises:
        ConfigurationError: an argument is given that lanes or windows already contain.
    """
    if not isinstance(x, Lanes | Windows):
        return x, y, check_batch_size(batch_size), reset, mask
    if y is not None:
        raise ConfigurationError("y: lanes and windows contain their own; remove it")
    steps = _with_features(x.x, build_for, symbols)
    if isinstance(x, Windows):
        return steps, x.y, check_batch_size(batch_size), reset, mask
    if reset is not None or mask is not None:
        raise ConfigurationError("reset, mask: lanes contain their own; remove them")
    if batch_size not in (None, x.batch_size):
        raise ConfigurationError(f"batch_size: the lanes are made for {x.batch_size} rows, got {batch_size!r}")
    reset = x.reset
    if reset is not None:
        reset = reset.copy()
        reset[: x.batch_size, 0] = False  # `state=` decides where the first batch starts
    return steps, x.y, x.batch_size, reset, x.mask


def _with_features(x: Any, build_for: Callable[[object], Network], symbols: bool) -> Any:
    """Returns the steps of lanes or windows, in which one value per step is one feature, unless it is a symbol."""
    if not isinstance(x, Mapping):
        return x if symbols or x.ndim > 2 else x[..., None]
    stepped = {given.name for given in build_for(x).inputs if len(given.shape) > 1}
    return {name: array[..., None] if name in stepped and array.ndim == 2 else array for name, array in x.items()}


def check_batch_size(batch_size: int | None) -> int:
    """Returns the checked batch size, or its default."""
    return ROWS if batch_size is None else check_whole("batch_size", batch_size)
