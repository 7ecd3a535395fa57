"""Heat maps of arrays `[B, H]`: a row per sequence, a cell per unit, orange above 0 and blue below."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import islice

import numpy as np

from statewise.foundation.notebook import ABOVE, BELOW
from statewise.foundation.shapes import Array
from statewise.foundation.words import plural

ROWS, UNITS, ARRAYS = 8, 64, 12
"""The maximum number drawn of each."""

CELLS = 1024
"""The maximum number of cells in total, about 45 bytes each."""

_LEVELS = 10
"""The number of shades on either side of 0."""

STYLE = "".join(
    [
        ".statewise .row { display: flex; align-items: center; }\n",
        ".statewise .row b { flex: none; width: 3.6em; font: 11px system-ui, sans-serif; opacity: .7; }\n",
        ".statewise .row i { flex: none; width: 8px; height: 13px; box-shadow: 0 0 0 .5px rgba(128,128,128,.35); }\n",
        ".statewise .row .nan { background: repeating-linear-gradient(45deg, currentColor 0 1px, #0000 0 3px); }\n",
        *(
            f".statewise .{side}{level} {{ background: rgba({color},{level / _LEVELS:g}); }}\n"
            for side, color in (("n", BELOW), ("p", ABOVE))
            for level in range(1, _LEVELS + 1)
        ),
    ]
)
"""The CSS rules of the cells."""

_SCALE = [*(f"n{level}" for level in range(_LEVELS, 0, -1)), "z", *(f"p{level}" for level in range(1, _LEVELS + 1))]
_KEY = (
    f'<div class="row">{"".join(f"""<i class="{shade}"></i>""" for shade in _SCALE)}&nbsp;'
    '<span class="quiet">below to above 0; full color is the largest absolute value of each array</span></div>'
)


def heat_maps(arrays: Mapping[str, Array]) -> str:
    """Returns a drawing of each array `[B, H]` under its name, all with one B, and a line about what is left out.

    An array's colors range from 0 to its largest absolute value. Each cell's title is its unit and number.
    """
    rows = min(next((len(array) for array in arrays.values()), 0), ROWS)
    units = min(UNITS, CELLS // max(1, rows * min(len(arrays), ARRAYS)))
    drawn = (_drawn(name, np.asarray(array, np.float64), rows, units) for name, array in islice(arrays.items(), ARRAYS))
    return f"{''.join(drawn)}{_KEY}{_left_out(arrays, rows, units)}" if arrays else ""


def _drawn(name: str, array: Array, rows: int, units: int) -> str:
    finite = array[np.isfinite(array)]
    largest = float(np.abs(finite).max(initial=0.0))
    span = f"{finite.min():.3g} to {finite.max():.3g}" if largest else "all 0"
    caption = f"<b>{escape(name)}</b> {list(array.shape)}, {span if finite.size else 'no finite value'}"
    lines = (_row(number, array[number, :units], largest) for number in range(rows))
    return f"<figure><figcaption>{caption}</figcaption>{''.join(lines)}</figure>"


def _row(number: int, values: Array, largest: float) -> str:
    shades = (_shade(value, largest) for value in values)
    cells = (
        f'<i class="{shade}" title="unit {unit}: {value:.4g}"></i>'
        for unit, (value, shade) in enumerate(zip(values.tolist(), shades, strict=True))
    )
    return f'<div class="row"><b>row {number}</b>{"".join(cells)}</div>'


def _shade(value: float, largest: float) -> str:
    """Returns the class of a cell: side and level, or `z` near 0."""
    if np.isnan(value):
        return "nan"
    level = _LEVELS if np.isinf(value) else round(_LEVELS * abs(value) / (largest or 1.0))
    return f"{'n' if value < 0 else 'p'}{level}" if level else "z"


def _left_out(arrays: Mapping[str, Array], rows: int, units: int) -> str:
    first = next(iter(arrays.values()))
    widest = max(array.shape[1] for array in arrays.values())
    cut = [
        f"the first {rows} of {plural(len(first), 'row')}" if rows < len(first) else "",
        f"the first {plural(units, 'unit')} of each" if units < widest else "",
        f"the first {ARRAYS} of {plural(len(arrays), 'array')}" if len(arrays) > ARRAYS else "",
    ]
    shown = ", ".join(filter(None, cut))
    return f'<p class="quiet">Shown: {shown}.</p>' if shown else ""
