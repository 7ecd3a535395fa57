"""Write `torch_convolutions.npz`: every convolution of `torch_convolution_cases.py`, and its gradients, in PyTorch.

Run it with torch 2.13, which the project itself does not need:

    torch-env/bin/python tests/golden/make_torch_convolutions.py

PyTorch computes in float64, from inputs that float32 holds exactly. Its kernels are [filters, F, kernel_size] and its
rows [F, T], so they are transposed. It only knows equal padding at both ends: zeros are put around the rows before.

Keys, for each case: in float32 `{case}/x`, `/kernel`, `/bias` and `/d_y` (what the outputs are multiplied by before
they are summed), in float64 `/y`, `/d_x`, `/d_kernel` and `/d_bias`. `torch_version` stands alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch  # type: ignore[import-not-found]
from torch_convolution_cases import CONVOLUTIONS, FEATURES, FILTERS, ROWS, STEPS, Convolution


def random(*shape: int) -> Any:
    return torch.randn(*shape, dtype=torch.float32).double()


def ends(case: Convolution) -> tuple[int, int]:
    """Return how many zeros belong before and after the steps of a row, as TensorFlow counts them."""
    reach = (case.kernel_size - 1) * case.dilation_rate
    if case.padding == "valid":
        return 0, 0
    if case.padding == "causal":
        return reach, 0
    windows = -(-STEPS // case.strides)
    missing = max((windows - 1) * case.strides + reach + 1 - STEPS, 0)
    return missing // 2, missing - missing // 2


def convolved(case: Convolution, x: Any, kernel: Any, bias: Any) -> Any:
    rows = torch.nn.functional.pad(x.transpose(1, 2), ends(case))
    weight = kernel.permute(2, 1, 0)
    y = torch.nn.functional.conv1d(rows, weight, bias, stride=case.strides, dilation=case.dilation_rate)
    return y.transpose(1, 2)


def golden(case: Convolution) -> dict[str, Any]:
    """Return inputs, outputs and gradients by name."""
    given = {
        "x": random(ROWS, STEPS, FEATURES),
        "kernel": random(case.kernel_size, FEATURES, FILTERS),
        "bias": random(FILTERS),
    }
    for leaf in given.values():
        leaf.requires_grad_()
    y = convolved(case, **given)
    d_y = random(*y.shape)
    (d_y * y).sum().backward()
    inputs = {name: array.detach().float() for name, array in {**given, "d_y": d_y}.items()}
    outputs = {"y": y.detach()} | {f"d_{name}": leaf.grad for name, leaf in given.items()}
    return {name: array.numpy() for name, array in {**inputs, **outputs}.items()}


def main() -> None:
    torch.manual_seed(27)
    arrays: dict[str, Any] = {"torch_version": np.array(torch.__version__)}
    for name, case in CONVOLUTIONS.items():
        arrays |= {f"{name}/{key}": array for key, array in golden(case).items()}
    path = Path(__file__).with_name("torch_convolutions.npz")
    np.savez_compressed(path, **arrays)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
