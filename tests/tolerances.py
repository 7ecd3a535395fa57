"""How close is close: one table by dtype, and comparisons that name the largest difference and its place."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

TOLERANCES = {
    "float64": 1e-9,
    "float32": 1e-5,
}
"""Largest difference allowed, relative to `max(1, |expected|)`, where two computations differ in order only."""


def assert_close(actual: Any, expected: Any, what: str = "value", tolerance: float | None = None) -> None:
    """Fails with the largest difference and its place, if any leaf of two nested values differs by too much.

    The tolerance is that of the coarser dtype of the two.
    """
    for place, got, want in _pairs(actual, expected, what):
        allowed = tolerance or max(TOLERANCES.get(str(a.dtype), 0.0) for a in (got, want))
        difference = np.abs(got.astype(np.float64) - want) / np.maximum(1.0, np.abs(want))
        _report(place, got, want, difference, allowed)


def assert_same(actual: Any, expected: Any, what: str = "value") -> None:
    """Fails with the largest difference and its place, unless two nested values are equal bit for bit."""
    for place, got, want in _pairs(actual, expected, what):
        assert got.dtype == want.dtype, f"{place}: {got.dtype}, expected {want.dtype}"
        if got.tobytes() != want.tobytes():
            _report(place, got, want, np.abs(got.astype(np.float64) - want), 0.0)


def differ(first: Any, second: Any) -> bool:
    """Returns whether any leaf of two nested values differs."""
    return any(not np.array_equal(a, b) for _, a, b in _pairs(first, second, "value"))


def _pairs(actual: Any, expected: Any, what: str) -> list[tuple[str, np.ndarray, np.ndarray]]:
    got, structure = jax.tree_util.tree_flatten_with_path(actual)
    want, expected_structure = jax.tree_util.tree_flatten_with_path(expected)
    assert str(structure) == str(expected_structure), f"{what}: {structure}, expected {expected_structure}"
    pairs = []
    for (path, a), (_, b) in zip(got, want, strict=True):
        place, first, second = what + jax.tree_util.keystr(path), np.asarray(a), np.asarray(b)
        assert first.shape == second.shape, f"{place}: shape {first.shape}, expected {second.shape}"
        pairs.append((place, first, second))
    return pairs


def _report(place: str, got: np.ndarray, want: np.ndarray, difference: np.ndarray, allowed: float) -> None:
    if difference.size == 0:
        return
    difference = np.where(np.isnan(difference), np.inf, difference)
    worst = np.unravel_index(int(difference.argmax()), difference.shape)
    if not difference[worst] <= allowed:
        raise AssertionError(
            f"{place}{[int(i) for i in worst]}: {got[worst]!r}, expected {want[worst]!r}, off by "
            f"{difference[worst]:.1e} (tolerance {allowed:.0e}); {int((difference > allowed).sum())} of "
            f"{difference.size} are off"
        )
