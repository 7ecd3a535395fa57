"""Whether a series that has labels, such as one of pandas, is in the order of its labels."""

from __future__ import annotations

from typing import Any

from statewise.errors import warn


def warn_if_unsorted(name: str, series: Any) -> None:
    """Warns if the index of a series runs backwards, is not sorted, or has duplicates, since row order is time order.

    It is the index of pandas, which may not be installed: its `is_monotonic_increasing` and `is_unique` tell. An index
    of names, which have no natural order, is only checked for running backwards.
    """
    index = getattr(series, "index", None)
    rising = getattr(index, "is_monotonic_increasing", None)
    if rising is None or len(series) < 2:
        return
    falling = bool(getattr(index, "is_monotonic_decreasing", False))
    dtype = getattr(index, "dtype", None)
    ordered = getattr(dtype, "kind", "O") in "iufmM" or str(dtype).startswith("period")
    if not rising and (falling or ordered):
        found = "runs backwards" if falling else "is not sorted"
    elif ordered and not getattr(index, "is_unique", True):
        found = "has duplicate labels"
    else:
        return
    write = f"{name}.sort_index()" if "label" not in found else f"{name}[~{name}.index.duplicated()]"
    warn(f"{name}: rows are read in the order given, one step each, but their index {found}: write {write}")
