"""The states of callbacks as a checkpoint holds them: JSON, with the arrays next to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from statewise.errors import ConfigurationError, FileError
from statewise.foundation.shapes import Array

ARRAY = "__array__"
"""The only key of an object that stands for an array."""


def pack(value: Any, place: str, arrays: dict[str, Array]) -> Any:
    """Returns what `Callback.state()` returned as JSON holds it, its arrays put into `arrays` under names at `place`.

    >>> arrays = {}
    >>> pack({"best": np.float32(0.5), "weights": [np.zeros(2)]}, "callbacks[0]", arrays)
    {'best': 0.5, 'weights': [{'__array__': "callbacks[0]['weights'][0]"}]}
    >>> list(arrays)
    ["callbacks[0]['weights'][0]"]

    Raises:
        ConfigurationError: it holds something that no file can.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.ndarray | jax.Array) and np.asarray(value).dtype.kind in "biuf":
        arrays[place] = np.asarray(value)
        return {ARRAY: place}
    if isinstance(value, Mapping) and ARRAY not in value and all(isinstance(key, str) for key in value):
        return {key: pack(entry, f"{place}[{key!r}]", arrays) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [pack(entry, f"{place}[{number}]", arrays) for number, entry in enumerate(value)]
    raise ConfigurationError(
        f"{place}: expected a callback's state() to return a dict of numbers, text, None, arrays, lists and dicts of "
        f"these, with keys that are text; got {value!r:.60}"
    )


def unpack(value: Any, arrays: Mapping[str, Array]) -> Any:
    """Returns what `pack` was given; tuples come back as lists, JAX arrays as NumPy arrays.

    Raises:
        FileError: an array is missing.
    """
    if isinstance(value, dict) and ARRAY in value:
        if value[ARRAY] not in arrays:
            raise FileError(f"the checkpoint lacks {value[ARRAY]!r}, which the state of a callback needs")
        return arrays[value[ARRAY]]
    if isinstance(value, dict):
        return {key: unpack(entry, arrays) for key, entry in value.items()}
    if isinstance(value, list):
        return [unpack(entry, arrays) for entry in value]
    return value
