"""Conv1D against PyTorch: the same outputs, and gradients with respect to kernel, bias and input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from golden.torch_convolution_cases import CONVOLUTIONS, FEATURES, FILTERS, ROWS, STEPS
from tolerances import assert_close

RECORDED = np.load(Path(__file__).parents[1] / "golden" / "torch_convolutions.npz")
TOLERANCES = [("float32", 1e-5), ("float64", 1e-12)]


@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES)
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution_gives_the_numbers_of_pytorch(name: str, dtype: str, tolerance: float) -> None:
    layer = sw.Conv1D(FILTERS, **CONVOLUTIONS[name]._asdict())
    with jax.enable_x64(dtype == "float64"):
        params = {weight: recorded(name, weight, dtype) for weight in ("kernel", "bias")}
        state = jax.tree.map(lambda part: part.astype(dtype), layer.zero_state(ROWS, (STEPS, FEATURES)))

        def answer(params: Any, x: Any) -> Any:
            return layer.apply(params, x, state)[0]

        y, back = jax.vjp(answer, params, recorded(name, "x", dtype))
        gradients, d_x = back(recorded(name, "d_y", dtype))
    found = {"y": y, "d_x": d_x, "d_kernel": gradients["kernel"], "d_bias": gradients["bias"]}
    for what, array in found.items():
        assert array.dtype == dtype
        assert_close(array, RECORDED[f"{name}/{what}"], what, tolerance)


def recorded(name: str, what: str, dtype: str) -> Any:
    return jnp.asarray(RECORDED[f"{name}/{what}"], dtype)
