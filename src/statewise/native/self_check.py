"""A small network through the library when it is loaded, and what XLA's kernels make of the same.

A library that was built wrongly, or for another processor, is found before it trains anything. It takes no time worth
mentioning, since XLA's results are kept here; tests/native/test_self_check.py computes them again.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Shapes = dict[str, tuple[int, ...]]

ROWS, STEPS, FEATURES, UNITS = 7, 3, 5, 21
"""More units than a vector holds, and not a multiple; more rows than a tile."""

GATES = {"lstm": 4, "gru": 3}

EXPECTED = {
    "lstm": (
        *(-0.98578626, 1.4122419, 2.4713754, -0.349049, -4.6490243),
        *(0.89737531, 0.10304811, -0.51806447, -0.0047217944),
    ),
    "gru": (1.029967, 0.56789481, 0.0, -0.043023188, -1.6558766, 6.153013, 1.3621197, 0.0, -0.28044295),
}
"""Each result of XLA's kernel, reduced by `reduced`."""


def shapes(cell: str) -> tuple[Shapes, Shapes]:
    """Returns the shapes of what both passes of a cell are given, and of their results."""
    B, T, F, H = ROWS, STEPS, FEATURES, UNITS
    width = GATES[cell] * H
    weights: Shapes = {
        "kernel": (F, width),
        "recurrent_kernel": (H, width),
        "bias": (width,) if cell == "lstm" else (2, width),
    }
    given: Shapes = {"x": (B, T, F), **weights, "h": (B, H), "c": (B, H), "d_y": (B, T, H)}
    gradients = {f"d_{name}": shape for name, shape in weights.items()}
    return given, {
        "y": (B, T, H),
        "h": (B, H),
        "c": (B, H),
        **gradients,
        "d_h": (B, H),
        "d_c": (B, H),
        "d_x": (B, T, F),
    }


def inputs(cell: str) -> dict[str, Array]:
    """Returns numbers that look random and are the same everywhere."""
    given, start = {}, 0
    for name, shape in shapes(cell)[0].items():
        size = int(np.prod(shape))
        numbers = np.sin(np.arange(start, start + size, dtype=np.float64) ** 2 % 1000)
        given[name] = (0.5 * numbers).astype(np.float32).reshape(shape)
        start += size
    return given


def reduced(result: Array) -> float:
    """Returns the sum of a result's numbers, each weighted differently."""
    flat = np.asarray(result, np.float64).ravel()
    return float(flat @ np.cos(np.arange(flat.size)))


def difference(library: ctypes.CDLL) -> float:
    """Returns by how much the library's results differ at most from XLA's, in proportion."""
    return max(_difference(library, number, cell) for number, cell in enumerate(GATES))


def _difference(library: ctypes.CDLL, number: int, cell: str) -> float:
    given = np.concatenate([array.ravel() for array in inputs(cell).values()])
    wanted = shapes(cell)[1]
    sizes = [int(np.prod(shape)) for shape in wanted.values()]
    results = np.zeros(sum(sizes), np.float32)
    check: Any = library.statewise_check
    check.argtypes, check.restype = [ctypes.c_long] * 5 + [ctypes.c_void_p] * 2, None
    check(number, ROWS, STEPS, FEATURES, UNITS, given.ctypes.data, results.ctypes.data)
    found = [reduced(part) for part in np.split(results, np.cumsum(sizes)[:-1])]
    by_name = dict(zip(wanted, zip(found, EXPECTED[cell], strict=True), strict=True))
    if cell == "gru":
        del by_name["c"], by_name["d_c"]
    differences = [abs(ours - theirs) / max(1.0, abs(theirs)) for ours, theirs in by_name.values()]
    return max(differences) if np.isfinite(differences).all() else float("inf")
