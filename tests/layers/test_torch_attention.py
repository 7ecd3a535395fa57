"""Attention against PyTorch: the same shares and outputs, and gradients by query, keys, values and scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from tolerances import assert_close

RECORDED = np.load(Path(__file__).parents[1] / "golden" / "torch_attention.npz")
READ = ("query", "value", "key")
KINDS: dict[str, Any] = {
    "dot": sw.Attention,
    "scaled": lambda **options: sw.Attention(use_scale=True, **options),
    "additive": sw.AdditiveAttention,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("setting", ["masked", "causal", "causal masked"])
def test_attention_gives_the_numbers_of_pytorch(setting: str, kind: str) -> None:
    """In "masked", keys and values are on another time axis than queries; otherwise all are on one."""
    causal = setting != "masked"
    axes = {"query": "steps", "value": "steps", "key": "steps"} if causal else {"value": "values", "key": "values"}
    inputs = [sw.Input((None, 8), name=name, axis=axes.get(name)) for name in READ]
    model = sw.Model(inputs, KINDS[kind](causal=causal, name="attend", return_attention_scores=True)(inputs))
    scale = {} if kind == "dot" else {"scale": jnp.asarray(RECORDED[f"{setting}/{kind}/scale"])}
    x = {name: jnp.asarray(RECORDED[f"{setting}/{name}"]) for name in READ}
    mask = RECORDED[f"{setting}/mask"]
    flags: Any = mask if causal else {"values": mask}

    @jax.jit
    def attended(x: Any, scale: Any) -> Any:
        params = {layer: scale if layer == "attend" else {} for layer in model.params}
        (y, shares), _ = model.apply(params, x, mask=flags)
        return y, shares, shares @ x["value"]  # PyTorch answers masked queries, too, where y is zeros

    (y, shares, output), back = jax.vjp(attended, x, scale)
    cotangent = jnp.asarray(RECORDED[f"{setting}/cotangent"])
    d_x, d_scale = back((jnp.zeros_like(y), jnp.zeros_like(shares), cotangent))
    found = {"weights": shares, "output": output, **{f"d_{name}": part for name, part in (d_x | d_scale).items()}}
    for what, array in found.items():
        assert array.dtype == "float32"
        assert_close(array, RECORDED[f"{setting}/{kind}/{what}"], what, 1e-5)
    expected = RECORDED[f"{setting}/{kind}/output"]
    assert_close(y, np.where(mask[..., None], expected, 0) if causal else expected, "y", 1e-5)
