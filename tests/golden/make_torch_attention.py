"""Write `torch_attention.npz`: attention by scaled dot products and by sums, and its gradients, in PyTorch.

Run it with torch 2.13, which the project itself does not need:

    torch-env/bin/python tests/golden/make_torch_attention.py

PyTorch computes in float64, from inputs that float32 holds exactly. The score of a query `q [8]` and a key `k [8]` is

- "dot": `sum(q * k)`;
- "scaled": `scale * sum(q * k)`, with a learned number `scale` (Keras's `use_scale`);
- "additive": `sum(scale * tanh(q + k))`, with a learned `scale [8]`.

The weights of a query are the softmax of its scores over the value steps that it may see, and 0 for the others; its
output is the sum of the values by these weights. There are three sets of inputs:

- "masked": 5 queries see the steps, of 7, that `mask` leaves, at least one of each row;
- "causal": 6 queries see, at step t, the steps up to t, of 6;
- "causal masked": so do they, but only what `mask` leaves; the first step of each row is left.

Keys, for each set: in float32 `{set}/query`, `/key`, `/value` and `/cotangent` (what outputs are multiplied by before
they are summed), `[3, T, 8]`, and bool `{set}/mask` `[3, T]`, True for steps that count; in "causal" all of them do.
For each kind of score: in float64 `{set}/{kind}/weights` (`[3, queries, values]`), `/output`, `/d_query`, `/d_key` and
`/d_value`; for all but "dot", in float32 `{set}/{kind}/scale`, and in float64 `/d_scale`. `torch_version` stands alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch  # type: ignore[import-not-found]

ROWS, FEATURES = 3, 8


class Setting(NamedTuple):
    """How many steps there are, and which value steps a query may see."""

    queries: int
    values: int
    masked: bool
    causal: bool


SETTINGS = {
    "masked": Setting(5, 7, masked=True, causal=False),
    "causal": Setting(6, 6, masked=False, causal=True),
    "causal masked": Setting(6, 6, masked=True, causal=True),
}


def dot(query: Any, key: Any, scale: Any) -> Any:
    return scale * query @ key.transpose(1, 2)


def additive(query: Any, key: Any, scale: Any) -> Any:
    return (scale * torch.tanh(query[:, :, None] + key[:, None])).sum(-1)


SCORES: dict[str, tuple[Callable[[Any, Any, Any], Any], Any]] = {
    "dot": (dot, None),
    "scaled": (dot, torch.tensor(0.7)),
    "additive": (additive, torch.linspace(-1.2, 1.6, FEATURES)),
}
"""The scores of each kind, and the learned scale that they are made with."""


def random(*shape: int) -> Any:
    return torch.randn(*shape, dtype=torch.float32)


def drawn(setting: Setting) -> dict[str, Any]:
    """Return the inputs of a setting, by name."""
    mask = torch.ones(ROWS, setting.values, dtype=torch.bool)
    if setting.masked:
        mask = torch.rand(mask.shape) < 0.6
        mask[:, 0] |= setting.causal | ~mask.any(1)
    return {
        "query": random(ROWS, setting.queries, FEATURES),
        "key": random(ROWS, setting.values, FEATURES),
        "value": random(ROWS, setting.values, FEATURES),
        "mask": mask,
        "cotangent": random(ROWS, setting.queries, FEATURES),
    }


def seen(setting: Setting, mask: Any) -> Any:
    """Return which value steps each query may see: bool `[3, queries, values]`."""
    every = torch.ones(setting.queries, setting.values, dtype=torch.bool)
    return mask[:, None] & (every.tril() if setting.causal else every)


def attended(kind: str, inputs: dict[str, Any], visible: Any) -> dict[str, Any]:
    """Return the results of a kind of score, by name."""
    score, scale = SCORES[kind]
    leaves = {name: inputs[name].double() for name in ("query", "key", "value")}
    if scale is not None:
        leaves["scale"] = scale.double()
    for leaf in leaves.values():
        leaf.requires_grad_()
    scores = score(leaves["query"], leaves["key"], leaves.get("scale", 1.0))
    weights = scores.masked_fill(~visible, -torch.inf).softmax(-1)
    output = weights @ leaves["value"]
    if kind != "additive":
        check(output, leaves, visible)
    (inputs["cotangent"] * output).sum().backward()
    results = {"weights": weights.detach(), "output": output.detach()}
    results |= {f"d_{name}": leaf.grad for name, leaf in leaves.items()}
    return results | ({} if scale is None else {"scale": scale})


def check(output: Any, leaves: dict[str, Any], visible: Any) -> None:
    """Raise an error unless PyTorch's own attention gives the same."""
    scale = leaves["scale"].item() if "scale" in leaves else 1.0
    rows = (leaves[name].detach() for name in ("query", "key", "value"))
    own = torch.nn.functional.scaled_dot_product_attention(*rows, attn_mask=visible, scale=scale)
    torch.testing.assert_close(output.detach(), own, rtol=0, atol=1e-12)


def main() -> None:
    torch.manual_seed(28)
    arrays: dict[str, Any] = {"torch_version": np.array(torch.__version__)}
    for name, setting in SETTINGS.items():
        inputs = drawn(setting)
        arrays |= {f"{name}/{key}": array.numpy() for key, array in inputs.items()}
        for kind in SCORES:
            results = attended(kind, inputs, seen(setting, inputs["mask"]))
            arrays |= {f"{name}/{kind}/{key}": array.numpy() for key, array in results.items()}
    path = Path(__file__).with_name("torch_attention.npz")
    np.savez_compressed(path, **arrays)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
