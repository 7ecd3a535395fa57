"""Write `torch_gru.json`: one GRU run and its gradients in PyTorch, float64, in this project's layout.

Run it with torch 2.13, which the project itself does not need: `python tests/golden/make_torch_gru.py`.
PyTorch's gate order is r, z, n where ours is z, r, h. Its weights are [3H, F] and [3H, H], so they are transposed
on the way out; its two biases are the two rows of ours.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch  # type: ignore[import-not-found]

BATCH, STEPS, FEATURES, UNITS = 2, 4, 3, 2


def random(*shape: int) -> Any:
    return torch.randn(*shape, dtype=torch.float64)


def ours(weight: Any) -> Any:
    """Return a weight or its gradient, [3H, ...] in PyTorch's order of gates, as [..., 3H] in ours."""
    r, z, n = weight.split(UNITS)
    return torch.cat([z, r, n]).movedim(0, -1)


def golden() -> dict[str, Any]:
    """Return inputs, outputs and gradients as nested lists by name."""
    torch.manual_seed(21)
    net = torch.nn.GRU(FEATURES, UNITS, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        for weight in net.parameters():  # PyTorch's own weights are small enough to hide mistakes
            weight.copy_(random(*weight.shape))
    x, h0 = random(BATCH, STEPS, FEATURES), random(BATCH, UNITS)
    d_y, d_h = random(BATCH, STEPS, UNITS), random(BATCH, UNITS)
    for leaf in (x, h0):
        leaf.requires_grad_()
    y, h = net(x, h0[None])
    ((d_y * y).sum() + (d_h * h[0]).sum()).backward()
    arrays = {
        "inputs": {
            "x": x,
            "kernel": ours(net.weight_ih_l0),
            "recurrent_kernel": ours(net.weight_hh_l0),
            "bias": torch.stack([ours(net.bias_ih_l0), ours(net.bias_hh_l0)]),
            "h0": h0,
        },
        "output_gradients": {"d_y": d_y, "d_h": d_h},
        "outputs": {"y": y, "h": h[0]},
        "gradients": {
            "x": x.grad,
            "kernel": ours(net.weight_ih_l0.grad),
            "recurrent_kernel": ours(net.weight_hh_l0.grad),
            "bias": torch.stack([ours(net.bias_ih_l0.grad), ours(net.bias_hh_l0.grad)]),
            "h0": h0.grad,
        },
    }
    lists = {part: {name: a.tolist() for name, a in named.items()} for part, named in arrays.items()}
    return {"made_by": f"make_torch_gru.py, torch {torch.__version__}", **lists}


if __name__ == "__main__":
    path = Path(__file__).with_name("torch_gru.json")
    path.write_text(json.dumps(golden(), indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path}")
