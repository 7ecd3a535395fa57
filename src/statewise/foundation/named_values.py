"""Values that are one array or, where a network has several inputs or outputs, a dict of arrays by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def each(change: Callable[..., Any], value: Any, *others: Any) -> Any:
    """Returns `value` with `change` made to its array, or to each; None stays None.

    Each of `others` has the same form, and what `change` is given with the array.

    >>> each(len, {"a": [1, 2], "b": [3]}), each(len, [1, 2]), each(len, None)
    ({'a': 2, 'b': 1}, 2, None)
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {name: change(array, *(other[name] for other in others)) for name, array in value.items()}
    return change(value, *others)


def arrays_of(value: Any) -> list[Any]:
    """Returns the arrays of a value, whether it is one or a dict of them; none for None."""
    if value is None:
        return []
    return list(value.values()) if isinstance(value, Mapping) else [value]
