"""Whether a series that brings labels, as pandas's do, comes in the order of its labels."""

from __future__ import annotations

from typing import Any

from statewise.errors import warn


def advise_order(name: str, series: Any) -> None:
    """Warns if the index of a series runs backwards, in no order, or has a label twice, since rows count as time.

    It is the index of pandas, which need not be there: what `is_monotonic_increasing` and `is_unique` say of it. One
    of names, which have no order of their own, is only looked at for running backwards.
    """
    index = getattr(series, "index", None)
    rising = getattr(index, "is_monotonic_increasing", None)
    if rising is None or len(series) < 2:
        return
    falling = bool(getattr(index, "is_monotonic_decreasing", False))
    dtype = getattr(index, "dtype", None)
    ordered = getattr(dtype, "kind", "O") in "iufmM" or str(dtype).startswith("period")
    if not rising and (falling or ordered):
        found = "runs backwards" if falling else "is in no order"
    elif ordered and not getattr(index, "is_unique", True):
        found = "has a label more than once"
    else:
        return
    write = f"{name}.sort_index()" if "label" not in found else f"{name}[~{name}.index.duplicated()]"
    warn(f"{name}: rows are taken as they come, one step each, but their index {found}: write {write}")
