"""x, y, weights and flags by name, for networks with several inputs, outputs or time axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from statewise.data.batches import Excluded, Samples, check_given, count_steps, read_weight, read_x, read_y
from statewise.data.ragged import is_ragged, pad, pad_like, unpad
from statewise.errors import ConfigurationError, DataError, ShapeError
from statewise.foundation.named_values import arrays_of
from statewise.foundation.shapes import Array, check_flags
from statewise.network import Network


class NamedRows(NamedTuple):
    """Input for a network; the same as `Rows`, with arrays by name where there are several."""

    x: Any
    reset: Any
    mask: Any
    ragged: Mapping[str, Array]  # which steps are real, of outputs for rows of different lengths

    @property
    def rows(self) -> int:
        """N."""
        return len(arrays_of(self.x)[0])

    @property
    def steps(self) -> int:
        """T, of the longest time axis."""
        return max(map(count_steps, arrays_of(self.x)))

    def restore(self, y: Any, skipped: int = 0) -> Any:
        """Returns outputs in the form of the input: lists where that was a list of rows of different lengths."""
        if not isinstance(y, Mapping):
            (real,) = self.ragged.values() or (None,)
            return y if real is None else unpad(y, real[:, skipped:])
        return {
            name: unpad(array, self.ragged[name][:, skipped:]) if name in self.ragged else array
            for name, array in y.items()
        }


def read_named(network: Network, x: object, reset: object, mask: object, *, partly: bool = False) -> NamedRows:
    """Returns input for a network of several inputs, outputs or time axes.

    Rows of different lengths are padded on the right, and masked there. With `partly`, the inputs of a time axis may be
    missing.

    Raises:
        ShapeError, DataError, ConfigurationError: something does not fit.
    """
    given = _by_input(network, x, partly)
    masks = flags_by_axis(network, "mask", mask)
    resets = flags_by_axis(network, "reset", reset)
    arrays = _padded(network, given, masks)
    real = {axis: masks[axis] for axis in masks if any(is_ragged(given.get(n)) for n in _inputs_on(network, axis))}
    read: dict[str, Array] = {}
    for number, (entry, signal) in enumerate(zip(network.inputs, network.given, strict=True)):
        if entry.name in arrays:
            own = masks.get(entry.axis) if signal.axis is not None else None
            with _named("input", entry.name, len(network.inputs)):
                read[entry.name] = read_x(arrays[entry.name], entry.shape, network.symbols_by_input[number], own)
    check_together(network, read)
    ends = {output.name: network.signals[output.place].axis for output in network.outputs}
    ragged = {name: real[axis] for name, axis in ends.items() if axis in real}
    flags = {"reset": _checked(network, "reset", resets, read), "mask": _checked(network, "mask", masks, read)}
    return NamedRows(read if len(network.inputs) > 1 else next(iter(read.values())), **flags, ragged=ragged)


def read_named_samples(
    network: Network,
    targets: Mapping[str, str],
    x: object,
    y: object,
    weight: object = None,
    reset: object = None,
    mask: object = None,
) -> Samples:
    """Returns rows to learn from or to score; `targets` has the kind of y of each output that has a loss.

    Raises:
        ShapeError, DataError, ConfigurationError: something does not fit.
    """
    rows = read_named(network, x, reset, mask)
    check_given(y)
    several = len(network.outputs) > 1
    given, weights = _by_output(network, "y", y, targets), weights_by_output(weight, targets)
    masked = masked_by_output(network, rows.x, rows.mask)
    read, read_weights, steps = {}, {}, network.steps_of(rows.x)
    for output, target in targets.items():
        shape = network.output_shape_for(steps, output)
        excluded = Excluded(masked.get(output))
        real = rows.ragged.get(output)
        if real is None and output in masked and not network.toward(output).answers_each_step:
            real = ~masked[output]  # rows may have different numbers of new steps
        with _named("output", output, len(network.outputs)):
            read[output] = read_y(pad_like("y", given[output], real), shape, target, rows.rows, excluded)
            if (own := weights.get(output)) is not None:
                own = pad_like("sample_weight", own, real)
                read_weights[output] = read_weight(own, read[output], target, excluded)
    if several:
        return Samples(rows.x, read, read_weights or None, rows.mask, rows.reset)
    (only,) = targets
    return Samples(rows.x, read[only], read_weights.get(only), rows.mask, rows.reset)


def masked_by_output(network: Network, x: Any, mask: Any) -> dict[str, Array]:
    """Returns bool `[N, T]` by output, True where no loss counts the output of a step, for outputs that have such."""
    found = network.mask_of_answers(x, mask)
    if len(network.outputs) == 1:
        found = {} if found is None else {network.outputs[0].name: found}
    stepped = {output.name for output in network.outputs if len(network.signals[output.place].shape) == 2}
    rows = len(arrays_of(x)[0])
    return {
        name: ~np.broadcast_to(np.asarray(flag), (rows, flag.shape[1]))
        for name, flag in found.items()
        if name in stepped
    }


def anything_counts(network: Network, samples: Samples) -> bool:
    """Returns whether any output of any row counts: neither masked nor of weight 0."""
    masked = masked_by_output(network, samples.x, samples.mask)
    several = isinstance(samples.y, Mapping)
    for output in samples.y if several else [network.outputs[0].name]:
        weight = samples.weight.get(output) if isinstance(samples.weight, Mapping) else samples.weight
        weighs = np.ones((samples.rows, 1), bool) if weight is None else weight.reshape(samples.rows, -1) != 0
        if (weighs & ~masked[output] if output in masked else weighs).any():
            return True
    return False


# -- by name -----------------------------------------------------------------------------------------------------------


def _by_input(network: Network, x: object, partly: bool) -> dict[str, Any]:
    """Returns what each input is given."""
    names = [entry.name for entry in network.inputs]
    listed = ", ".join(map(repr, names))
    if isinstance(x, Mapping):
        if unknown := [name for name in x if name not in names]:
            raise ShapeError(f"x: there is no input {unknown[0]!r}; expected {listed}")
        missing = [name for name in names if name not in x]
        if missing and not (partly and x):
            raise ShapeError(f"x: the input {missing[0]!r} is missing; expected {listed}")
        return dict(x)
    if len(names) == 1:
        return {names[0]: x}
    if not isinstance(x, list | tuple) or len(x) != len(names):
        found = f"{type(x).__name__}{f' of {len(x)}' if isinstance(x, list | tuple) else ''}"
        raise ShapeError(f"x: expected a dict of the inputs {listed}, or a list in that order, got {found}")
    return dict(zip(names, x, strict=True))


def _by_output(network: Network, what: str, y: object, wanted: Iterable[str]) -> dict[str, Any]:
    """Returns what is given for each output that is scored."""
    names, needed = [output.name for output in network.outputs], list(wanted)
    listed = ", ".join(map(repr, needed))
    if len(names) == 1:
        return {names[0]: y.get(names[0]) if isinstance(y, Mapping) and names[0] in y else y}
    if isinstance(y, Mapping):
        if unknown := [name for name in y if name not in names]:
            raise ShapeError(f"{what}: there is no output {unknown[0]!r}; expected {listed}")
        if missing := [name for name in needed if name not in y]:
            raise ShapeError(f"{what}: the output {missing[0]!r} has a loss, but no targets; expected {listed}")
        return dict(y)
    if not isinstance(y, list | tuple) or len(y) != len(needed):
        found = f"{type(y).__name__}{f' of {len(y)}' if isinstance(y, list | tuple) else ''}"
        raise ShapeError(f"{what}: expected a dict of the outputs {listed}, or a list in that order, got {found}")
    return dict(zip(needed, y, strict=True))


def weights_by_output(weight: Any, targets: Mapping[str, str]) -> dict[str, Any]:
    """Returns the sample weights of each output that has such; one array is for all of them.

    Raises:
        ShapeError: there are weights for an output that is not scored.
    """
    if weight is None:
        return {}
    if isinstance(weight, Mapping):
        if unknown := [name for name in weight if name not in targets]:
            listed = ", ".join(map(repr, targets))
            raise ShapeError(f"sample_weight: there is no scored output {unknown[0]!r}; expected {listed}")
        return dict(weight)
    return dict.fromkeys(targets, weight)


def flags_by_axis(network: Network, name: str, flags: object) -> dict[str, Any]:
    """Returns `reset` or `mask` by axis; keys may be axes, or names of inputs on them."""
    if flags is None:
        return {}
    if not isinstance(flags, Mapping):
        if not network.axes:
            raise ShapeError(f"{name}: expected an x with a time axis; the inputs of this network have no steps")
        if len(network.axes) > 1:
            listed = ", ".join(map(repr, network.axes))
            raise ShapeError(f"{name}: expected a dict by time axis, {listed}, got {type(flags).__name__}")
        return {network.axes[0]: flags}
    axis_of = {entry.name: entry.axis for entry in network.inputs} | {axis: axis for axis in network.axes}
    found: dict[str, Any] = {}
    for key, value in flags.items():
        axis = axis_of.get(key)
        if axis not in network.axes:
            listed = ", ".join(map(repr, network.axes))
            raise ShapeError(f"{name}: there is no time axis {key!r}; expected {listed}")
        found[axis] = value
    return found


def _inputs_on(network: Network, axis: str) -> list[str]:
    pairs = zip(network.inputs, network.given, strict=True)
    return [entry.name for entry, signal in pairs if signal.axis == axis]


# -- rows of different lengths -----------------------------------------------------------------------------------------


def _padded(network: Network, given: Mapping[str, Any], masks: dict[str, Any]) -> dict[str, Any]:
    """Returns the inputs with rows of different lengths padded; adds their masks to `masks`."""
    arrays = dict(given)
    for axis in network.axes:
        names = [name for name in _inputs_on(network, axis) if name in given]
        if not any(is_ragged(given[name]) for name in names):
            continue
        if axis in masks:
            raise ConfigurationError("mask: rows of different lengths are masked automatically; leave it out")
        for name in names:
            arrays[name], real = pad(f"input {name!r}", given[name])
            if axis in masks and not np.array_equal(masks[axis], real):
                raise ShapeError(f"input {name!r}: expected rows as long as those of {names[0]!r}, got other lengths")
            masks[axis] = real
    return arrays


# -- checks ------------------------------------------------------------------------------------------------------------


def check_together(network: Network, read: Mapping[str, Any]) -> None:
    """Raises ShapeError unless all inputs have the same rows, and those of an axis the same steps."""
    first = next(iter(read))
    for name, array in read.items():
        if len(array) != len(read[first]):
            raise ShapeError(f"input {name!r}: expected {len(read[first])} row(s), as {first!r} has, got {len(array)}")
    for axis in network.axes:
        names = [name for name in _inputs_on(network, axis) if name in read]
        for name in names:
            if (steps := read[name].shape[1]) != (expected := read[names[0]].shape[1]):
                raise ShapeError(
                    f"input {name!r}: expected {expected} step(s), as {names[0]!r} on its time axis has, got {steps}"
                )


def _checked(network: Network, name: str, flags: Mapping[str, Any], read: Mapping[str, Array]) -> Any:
    """Returns flags in the form that networks read, after checking that they fit the inputs."""
    found = {}
    for axis, flag in flags.items():
        on = [read[entry] for entry in _inputs_on(network, axis) if entry in read]
        if not on:
            raise ShapeError(f"{name}: the inputs of the time axis {axis!r} are missing")
        found[axis] = check_flags(name, flag, on[0].shape[:2])
    if len(network.axes) > 1:
        return found or None
    return next(iter(found.values()), None)


@contextmanager
def _named(what: str, name: str, count: int) -> Any:
    """Adds the name of an input or output to errors about it, if there are several."""
    try:
        yield
    except (ShapeError, DataError) as error:
        if count == 1:
            raise
        raise type(error)(f"{what} {name!r}: {error}") from None
