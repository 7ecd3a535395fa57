"""x, y and weights as users pass them, read for a network: as arrays, or as rows of different lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from statewise.data.batches import (
    NOTHING,
    Excluded,
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
from statewise.data.ragged import firsts_of, is_ragged, lay_end_to_end, pad, pad_like, real_steps, unpad
from statewise.data.ragged_rows import RaggedRows
from statewise.errors import ConfigurationError, ShapeError
from statewise.foundation.shapes import Array, as_numbers, check_input
from statewise.inference.named_rows import (
    NamedRows,
    anything_counts,
    flags_by_axis,
    read_named,
    read_named_samples,
    weights_by_output,
)
from statewise.network import Network


class Rows(NamedTuple):
    """Input for a network, and which steps to skip or to start fresh at."""

    x: Array
    reset: Array | None
    mask: Array | None
    ragged: bool  # whether outputs belong to rows of different lengths

    @property
    def rows(self) -> int:
        """N."""
        return len(self.x)

    @property
    def steps(self) -> int:
        """T; 1 if rows have no time axis."""
        return count_steps(self.x)

    def restore(self, y: Array, skipped: int = 0) -> Array | list[Array]:
        """Returns outputs in the form of the input: a list if that was a list of rows of different lengths.

        The first `skipped` steps have no outputs.
        """
        if not self.ragged or self.mask is None or y.ndim < 3:
            return y
        return unpad(y, self.mask[:, skipped:])


def read_rows(
    network: Network, x: object, reset: object = None, mask: object = None, weightless: Array | None = None
) -> Rows:
    """Returns input for `network`; rows of different lengths are padded on the right, and masked there.

    Masked steps, and rows that are `weightless`, may hold NaN, which is read as 0.

    Raises:
        ShapeError, DataError, ConfigurationError: something does not fit.
    """
    if len(network.input_shape) < 3:
        _check_one_input(x)
    ragged = is_ragged(x)
    if ragged:
        _check_unmasked(mask)
        x, mask = pad("x", x)
        reset = pad_like("reset", reset, mask)
    array = read_x(x, network.input_shape, network.symbols, mask, weightless)
    flags = read_flags("reset", reset, array), read_flags("mask", mask, array)
    return Rows(array, *flags, ragged and network.answers_each_step)


def read_input(
    network: Network, x: object, reset: object = None, mask: object = None, *, partly: bool = False
) -> Rows | RaggedRows | NamedRows:
    """Returns the same as `read_rows`, but leaves rows of different lengths unpadded if `network` takes padding.

    With `partly`, the inputs of a time axis may be missing.

    Raises:
        ShapeError, DataError, ConfigurationError: something does not fit.
    """
    if not network.single:
        return read_named(network, x, reset, mask, partly=partly)
    return _read_one(network, x, reset, mask)


def _read_one(
    network: Network, x: object, reset: object = None, mask: object = None, weight: object = None
) -> Rows | RaggedRows:
    """Returns input for a network of one input; rows whose `weight` is 0 throughout may hold NaN."""
    x = _only(x, network.input_name)
    reset, mask = _of_the_axis(network, "reset", reset), _of_the_axis(network, "mask", mask)
    if is_ragged(x) and network.takes_padding:
        _check_unmasked(mask)
        rows = _read_ragged(network, x, reset, weight)
        if rows is not None:
            return rows
    weightless = None if weight is None else _weightless(weight)
    whole_rows = None if weightless is None else np.all(weightless.reshape(len(weightless), -1), axis=1)
    return read_rows(network, x, reset, mask, whole_rows)


def _check_unmasked(mask: object) -> None:
    if mask is not None:
        raise ConfigurationError("mask: rows of different lengths are masked automatically; leave it out")


def _read_ragged(network: Network, x: object, reset: object, weight: object) -> RaggedRows | None:
    """Returns rows of different lengths; None if `reset` starts a row fresh after its end, which needs padding."""
    if len(network.input_shape) < 3:
        _check_one_input(x)
    steps, lengths = lay_end_to_end("x", x)
    padded = _of_shape(lengths, steps)
    check_input(padded, network.input_shape)
    zero = _zero_weights(weight, lengths)
    whole_rows = None if zero is None else np.logical_and.reduceat(zero, firsts_of(lengths))
    weightless = None if whole_rows is None else np.repeat(whole_rows, lengths)[None]
    by_step = {"x": read_x(steps[None], network.input_shape, network.symbols, None, weightless)[0]}
    real = real_steps(lengths)
    flags = read_flags("reset", pad_like("reset", reset, real), padded)
    if flags is not None:
        if (flags & ~real).any():
            return None
        by_step["reset"] = flags[real]
    return RaggedRows(lengths, by_step)


def _zero_weights(weight: object, lengths: Array) -> Array | None:
    """Returns bool `[S]`: which steps of rows laid end to end have weight 0; None if that is unknown."""
    if weight is None:
        return None
    if is_ragged(weight):
        flat, own = lay_end_to_end("sample_weight", weight)
        return flat == 0 if np.array_equal(own, lengths) and flat.ndim == 1 else None
    array = as_numbers("sample_weight", weight)
    if array.shape == lengths.shape:
        return np.repeat(array == 0, lengths)
    real = real_steps(lengths)
    zero: Array | None = array[real] == 0 if array.shape == real.shape else None
    return zero


def _of_shape(lengths: Array, steps: Array) -> Array:
    """Returns an array with the shape of padded rows that takes no memory."""
    return np.broadcast_to(np.zeros((), steps.dtype), (len(lengths), lengths.max(), *steps.shape[1:]))


def input_shape_of(x: object) -> tuple[int, ...]:
    """Returns the shape of the input, batch axis included, for which to build a network."""
    _check_one_input(x)
    if is_ragged(x):
        steps, lengths = lay_end_to_end("x", x)
        array = _of_shape(lengths, steps)
    else:
        array = as_numbers("x", x)
    check_filled(array)
    return array.shape


def _check_one_input(x: object) -> None:
    """Raises ShapeError if `x` is a few arrays in a list, as models with several inputs have it, or `(x, y)`."""
    if not isinstance(x, list | tuple) or not 0 < len(x) < 5 or not all(hasattr(part, "ndim") for part in x):
        return
    axes, shapes = {part.ndim for part in x}, ", ".join(str(list(part.shape)) for part in x)
    if len(axes) > 1:
        raise ShapeError(
            f"x: expected one input, got a {type(x).__name__} of {len(x)} arrays {shapes}; pass the first as x, x[0], "
            "and targets as y"
        )
    if axes == {3}:
        raise ShapeError(
            f"x: expected one input [N, T, F], got a list of {len(x)} arrays {shapes}; np.concatenate(x, axis=-1) "
            "joins their features, np.concatenate(x) their rows"
        )


def _of_the_axis(network: Network, name: str, flags: object) -> object:
    """Returns `reset` or `mask` of a network with one time axis, which a dict may name."""
    return next(iter(flags_by_axis(network, name, flags).values()), None) if isinstance(flags, Mapping) else flags


def _only(value: object, name: str) -> object:
    """Returns what a dict has for the only input or output."""
    return value[name] if isinstance(value, Mapping) and list(value) == [name] else value


def read_samples_of(
    network: Network,
    targets: Mapping[str, str],
    x: object,
    y: object,
    weight: object = None,
    reset: object = None,
    mask: object = None,
    *,
    measured: bool = False,
) -> Samples | RaggedRows:
    """Returns rows for `network`, to learn from or to score; `targets` has the kind of y of each output with a loss.

    Steps that are masked or have weight 0 have no influence, and may be NaN; if metrics are `measured`, which ignore
    weights, only masked ones may.

    Raises:
        ShapeError, DataError, ConfigurationError: something does not fit.
    """
    if not network.single:
        return read_named_samples(network, targets, x, y, weight, reset, mask)
    (output, target), *_ = targets.items()
    y, weight = _only(y, output), weights_by_output(weight, targets).get(output)
    ignorable = None if measured else weight
    rows = _read_one(network, x, reset, mask, ignorable)
    if isinstance(rows, RaggedRows):
        return _with_targets(rows, network, target, y, weight, _zero_weights(ignorable, rows.lengths))
    masked = masked_answers(network, rows.x, rows.mask)
    if rows.ragged:
        y, weight = pad_like("y", y, rows.mask), pad_like("sample_weight", weight, rows.mask)
    elif masked is not None and not network.answers_each_step:  # rows may have different numbers of new steps
        of = "the output"
        y, weight = pad_like("y", y, ~masked, of), pad_like("sample_weight", weight, ~masked, of)
    weightless = None if measured or weight is None else _weightless(weight)
    shape = network.output_shape_for(network.steps_of(rows.x))
    return read_samples(rows.x, y, weight, rows.reset, rows.mask, shape, target, Excluded(masked, weightless))


def _weightless(weight: object) -> Array | None:
    """Returns where sample weights `[N]` or `[N, T]` are 0; None if they have another form."""
    array = None if is_ragged(weight) else as_numbers("sample_weight", weight)
    return None if array is None or array.ndim not in (1, 2) else array == 0


def masked_answers(network: Network, x: Array, mask: Array | None) -> Array | None:
    """Returns bool `[N, T]`, True where no loss counts the output of a step; None where all count."""
    if len(network.output_shape) != 2:
        return None
    counted = network.mask_of_answers(x, mask)
    return None if counted is None else ~np.broadcast_to(np.asarray(counted), (len(x), counted.shape[1]))


def counts(network: Network, samples: Samples | RaggedRows, warmup: int = 0) -> bool:
    """Returns whether `network` can learn from `samples`, or be scored on them.

    That is so if it reads any step, and if any of its outputs after the first `warmup` steps has a weight.
    """
    if isinstance(samples, RaggedRows):
        return _ragged_counts(network, samples, warmup)
    if not network.single:
        return anything_counts(network, samples)
    x, mask, weight = samples.x, samples.mask, samples.weight
    read = network.mask_of(x, mask)
    if read is not None and not np.asarray(read)[:, warmup if network.answers_each_step else 0 :].any():
        return False
    if weight is None:
        return True
    weighs = weight != 0
    if len(network.output_shape) == 2:
        answers = network.mask_of_answers(x, mask)
        weighs = weighs if weighs.ndim == 2 else np.repeat(weighs[:, None], samples.y.shape[1], axis=1)
        weighs = (weighs if answers is None else weighs & np.asarray(answers))[:, warmup:]
    return bool(weighs.any())


def _ragged_counts(network: Network, rows: RaggedRows, warmup: int) -> bool:
    """Returns the same as `counts`, for the steps of all rows laid end to end."""
    lengths, weight = rows.lengths, rows.by_row.get("weight")
    count = np.arange(lengths.sum()) - np.repeat(rows.firsts, lengths) >= warmup
    if not network.answers_each_step:
        count[:] = True
    read = network.mask_of(rows.by_step["x"][None], None)
    if read is not None:
        count &= np.asarray(read)[0]
    weights = rows.by_step.get("weight") if weight is None else np.repeat(weight, lengths)
    return bool((count if weights is None else count & (weights != 0)).any())


def _with_targets(
    rows: RaggedRows, network: Network, target: str, y: Any, weight: object, weightless: Array | None
) -> RaggedRows:
    """Returns the rows with the targets of each step, or of each row."""
    check_given(y)
    real, each_step = real_steps(rows.lengths), network.answers_each_step
    by_step, by_row, outputs = dict(rows.by_step), {}, network.output_shape[-1]
    excluded = NOTHING
    if each_step:
        masked = masked_answers(network, by_step["x"][None], None)
        excluded = Excluded(masked, None if weightless is None else weightless[None])
        flat, padded = _flat_targets(y, rows, outputs, target, real)
        by_step["y"] = check_y(flat[None], outputs, target, excluded)[0]
    else:
        zero = None if weightless is None else np.logical_and.reduceat(weightless, rows.firsts)
        padded = by_row["y"] = read_y(y, network.output_shape, target, rows.rows, Excluded(None, zero))
    if weight is not None:
        weights = read_weight(pad_like("sample_weight", weight, real), padded, target)
        if each_step and weights.ndim == 2:
            by_step["weight"] = weights[real]
        else:
            by_row["weight"] = weights
    return RaggedRows(rows.lengths, by_step, by_row)


def _flat_targets(y: Any, rows: RaggedRows, outputs: int | None, target: str, real: Array) -> tuple[Array, Array]:
    """Returns the targets of each step, row after row, and an array with the shape that they have when padded."""
    if is_ragged(y):
        flat, lengths = lay_end_to_end("y", y)
        _check_lengths("y", lengths, rows.lengths)
        padded = align_y(_of_shape(lengths, flat), (rows.steps, outputs), target, rows.rows)
        return flat.reshape(-1, *padded.shape[2:]), padded
    padded = align_y(as_numbers("y", y), (rows.steps, outputs), target, rows.rows)
    return padded[real], padded


def _check_lengths(name: str, lengths: Array, expected: Array) -> None:
    if not np.array_equal(lengths, expected):
        raise ShapeError(f"{name}: expected rows as long as those of x, got other lengths")
