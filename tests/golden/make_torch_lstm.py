"""Write `torch_lstm.json`: one LSTM run and its gradients in PyTorch, float64, in this project's layout.

Run it with torch 2.13, which the project itself does not need: `python tests/golden/make_torch_lstm.py`.
PyTorch's gate order is ours, i, f, g, o. Its weights are [4H, F] and [4H, H], so they are transposed on the
way out, and its two biases are added: the gradient by their sum is the gradient by either.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch  # type: ignore[import-not-found]

BATCH, STEPS, FEATURES, UNITS = 2, 4, 3, 2


def random(*shape: int) -> Any:
    return torch.randn(*shape, dtype=torch.float64)


def golden() -> dict[str, Any]:
    """Return inputs, outputs and gradients as nested lists by name."""
    torch.manual_seed(20)
    net = torch.nn.LSTM(FEATURES, UNITS, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        for weight in net.parameters():  # PyTorch's own weights are small enough to hide mistakes
            weight.copy_(random(*weight.shape))
    x, h0, c0 = random(BATCH, STEPS, FEATURES), random(BATCH, UNITS), random(BATCH, UNITS)
    d_y, d_h, d_c = random(BATCH, STEPS, UNITS), random(BATCH, UNITS), random(BATCH, UNITS)
    for leaf in (x, h0, c0):
        leaf.requires_grad_()
    y, (h, c) = net(x, (h0[None], c0[None]))
    ((d_y * y).sum() + (d_h * h[0]).sum() + (d_c * c[0]).sum()).backward()
    # Not torch.equal: autograd adds the two up in different orders, so their last bits differ.
    if not torch.allclose(net.bias_ih_l0.grad, net.bias_hh_l0.grad, rtol=0, atol=1e-15):
        raise SystemExit("the two bias gradients differ, so neither is the gradient by their sum")
    arrays = {
        "inputs": {
            "x": x,
            "kernel": net.weight_ih_l0.T,
            "recurrent_kernel": net.weight_hh_l0.T,
            "bias": net.bias_ih_l0 + net.bias_hh_l0,
            "h0": h0,
            "c0": c0,
        },
        "output_gradients": {"d_y": d_y, "d_h": d_h, "d_c": d_c},
        "outputs": {"y": y, "h": h[0], "c": c[0]},
        "gradients": {
            "x": x.grad,
            "kernel": net.weight_ih_l0.grad.T,
            "recurrent_kernel": net.weight_hh_l0.grad.T,
            "bias": net.bias_ih_l0.grad,
            "h0": h0.grad,
            "c0": c0.grad,
        },
    }
    lists = {part: {name: a.tolist() for name, a in named.items()} for part, named in arrays.items()}
    return {"made_by": f"make_torch_lstm.py, torch {torch.__version__}", **lists}


if __name__ == "__main__":
    path = Path(__file__).with_name("torch_lstm.json")
    path.write_text(json.dumps(golden(), indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path}")
