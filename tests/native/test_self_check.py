"""The check of the library when it is loaded: its figures are XLA's, and it finds what is wrong."""

from __future__ import annotations

import ctypes
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from statewise.kernels.gru import GRUWeights
from statewise.kernels.gru_fast import fast_gru
from statewise.kernels.lstm import LSTMWeights
from statewise.kernels.lstm_fast import fast_lstm
from statewise.kernels.states import GRUState, LSTMState
from statewise.native.library import library
from statewise.native.self_check import EXPECTED, GATES, difference, inputs, reduced, shapes

NEEDS_LIBRARY = pytest.mark.skipif(library() is None, reason="the native library is not built")


def by_xla(cell: str) -> dict[str, Any]:
    """Returns the results of XLA's kernel, in the check's order; c's are 0 where there is no c."""
    given = {name: jnp.asarray(array) for name, array in inputs(cell).items()}

    def run(weights: tuple[Any, ...], h: Any, c: Any, x: Any) -> Any:
        if cell == "lstm":
            y, last = fast_lstm(LSTMWeights(*weights), x, LSTMState(h, c))
            return y, last.h, last.c
        y, last = fast_gru(GRUWeights(*weights), x, GRUState(h))  # type: ignore[assignment]
        return y, last.h, jnp.zeros_like(last.h)

    def both(given: dict[str, Any]) -> Any:
        weights = (given["kernel"], given["recurrent_kernel"], given["bias"])
        results, back = jax.vjp(run, weights, given["h"], given["c"], given["x"])
        zeros = jnp.zeros_like(given["h"])
        d_weights, d_h, d_c, d_x = back((given["d_y"], zeros, zeros))
        return (*results, *d_weights, d_h, d_c, d_x)

    return dict(zip(shapes(cell)[1], jax.jit(both)(given), strict=True))


@pytest.mark.parametrize("cell", GATES)
def test_the_expected_figures_are_those_of_xla(cell: str) -> None:
    found = [reduced(result) for result in by_xla(cell).values()]
    assert found == pytest.approx(EXPECTED[cell], rel=1e-5, abs=1e-5)


@NEEDS_LIBRARY
def test_this_library_passes() -> None:
    found = library()
    assert found is not None
    assert difference(found) < 1e-5


class Wrong:
    """A library that changes one number of its results."""

    def __init__(self, place: int) -> None:
        self._place = place
        self._true: Any = library()

    @property
    def statewise_check(self) -> Any:
        def check(*arguments: Any) -> None:
            self._true.statewise_check(*arguments)
            results = ctypes.cast(arguments[-1], ctypes.POINTER(ctypes.c_float))
            results[self._place] += 0.01

        return check


@NEEDS_LIBRARY
@pytest.mark.parametrize("place", [0, 500, 1000])
def test_one_wrong_number_is_found(place: int) -> None:
    assert difference(Wrong(place)) > 1e-5  # type: ignore[arg-type]
