"""One or many series of an input, or of several inputs by name, and the targets that belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from statewise.data.ragged import is_many, read_series
from statewise.errors import ConfigurationError, DataError, ShapeError
from statewise.foundation.named_values import arrays_of
from statewise.foundation.shapes import Array, as_array, check_finite


class Series(NamedTuple):
    """Series that belong together."""

    values: Any  # the array of each series, in a list; or a dict of such lists by input
    labels: tuple[str, ...]  # what errors call each series of the first input
    many: bool  # whether they were given as a list of series

    @property
    def lengths(self) -> Array:
        """[S] how many steps each series has."""
        return np.array([len(array) for array in arrays_of(self.values)[0]])

    @property
    def first(self) -> dict[str, Array]:
        """The series of the first input, by the name that errors use."""
        return dict(zip(self.labels, arrays_of(self.values)[0], strict=True))


def read_inputs(series: Any, else_: str) -> Series:
    """Returns the series of one input, or of several in a dict, which have equal lengths.

    Args:
        series: one array or a list of them, or a dict of either.
        else_: what errors suggest for an input that has other lengths.

    Raises:
        DataError, ShapeError: a series does not fit, as in `read_series`; or those of two inputs differ in length.

    >>> read_inputs({"a": [1, 2, 3], "b": [[4.0], [5.0], [6.0]]}, "").lengths
    array([3])
    """
    named = {"": series} if not isinstance(series, Mapping) else _checked("series", series)
    (name, value), *others = named.items()
    many = is_many(value)
    read = read_series(f"series {name!r}" if name else "series", value)
    first = Series(list(read.values()), tuple(read), many)
    if not isinstance(series, Mapping):
        return first
    beside = {other: _read_beside(f"series {other!r}", value, first, else_) for other, value in others}
    return first._replace(values={name: first.values, **beside})


def read_targets(y: Any, series: Series) -> Any:
    """Returns the targets of each step of the series: a list of arrays, or a dict of such lists by output.

    Raises:
        DataError, ShapeError: they do not fit the series.
    """
    if not isinstance(y, Mapping):
        return _read_beside("y", y, series, "give one target per step")
    given = _checked("y", y)
    return {
        name: _read_beside(f"y {name!r}", value, series, "give one target per step") for name, value in given.items()
    }


def read_static(static: Any, series: Series) -> dict[str, Array]:
    """Returns the inputs without steps, `[S, F]` each, with a row for each series.

    Raises:
        ConfigurationError: the series are not by name, or have the name of one.
        DataError, ShapeError: an input does not fit.
    """
    if not isinstance(series.values, Mapping) or not isinstance(static, Mapping):
        raise ConfigurationError(
            "static: expected a dict of inputs beside series that are a dict, such as windows({'x': series}, 3, y=..., "
            "static={'plant': rows})"
        )
    found = {}
    for name, value in _checked("static", static).items():
        if name in series.values:
            raise ConfigurationError(f"static: {name!r} is among the series, too; leave it out of one of them")
        label, rows = f"static {name!r}", len(series.labels)
        array = as_array(label, value)
        check_finite(label, array)
        if array.ndim not in (1, 2) or len(array) != rows:
            raise ShapeError(f"{label}: expected [{rows}, F], a row for each series, got shape {list(array.shape)}")
        found[name] = array if array.ndim == 2 else array[:, None]
    return found


def check_targets_given(series: Series) -> None:
    """Raises ConfigurationError if there are no targets beside several inputs."""
    if isinstance(series.values, Mapping):
        raise ConfigurationError(
            "y: expected the targets, since the series are a dict of inputs; give the series of the target, or a dict "
            "of them by output"
        )


def _checked(what: str, given: Mapping[Any, Any]) -> Mapping[str, Any]:
    if not given or not all(isinstance(name, str) and name for name in given):
        raise DataError(f"{what}: expected a dict by name, got {list(given)!r:.60} as its keys")
    return given


def _read_beside(name: str, value: Any, series: Series, else_: str) -> list[Array]:
    """Returns series that have the lengths of others."""
    count = len(series.labels)
    if series.many and not (isinstance(value, list | tuple) and len(value) == count):
        found = f"{len(value)}" if isinstance(value, list | tuple) else f"{type(value).__name__}"
        raise ShapeError(f"{name}: expected a list of {count} array(s), one for each series; got {found}")
    read = read_series(name, value, many=series.many)
    for (label, array), like, length in zip(read.items(), series.labels, series.lengths, strict=True):
        if len(array) != length:
            raise ShapeError(f"{label}: expected {length} step(s), as {like} has, got {len(array)}; {else_}")
    return list(read.values())
