"""Figures as people read them."""

from __future__ import annotations

from collections.abc import Mapping

PEERS = {
    "pytorch": "PyTorch",
    "pytorch, nn.LSTM": "PyTorch, nn.LSTM",
    "pytorch, nn.LSTMCell": "PyTorch, nn.LSTMCell",
    "jax": "JAX by hand",
    "keras-jax": "Keras on JAX",
    "keras-torch": "Keras on PyTorch",
    "tf-keras": "tf-keras",
    "onnxruntime": "ONNX Runtime",
    "onnxruntime, bound": "ONNX Runtime, bound buffers",
    "onnxruntime, by hand": "ONNX Runtime, one array by hand",
    "python": "Python doing nothing",
    "statewise on NumPy": "itself on NumPy",
    "without": "itself without them",
    "lanes": "itself on lanes",
}
"""How tables call contenders whose name is not what they are called."""


def amount(figure: str, value: float) -> str:
    """Returns a figure with its unit, to three digits.

    >>> amount("seconds", 8.214e-6), amount("MB grown", 131.2)
    ('8.21 µs', '131 MB')
    """
    if figure.startswith("MB"):
        return f"{digits(value)} MB"
    scale, unit = next((s for s in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")) if value >= s[0]), (1e-6, "µs"))
    return f"{digits(value / scale)} {unit}"


def factor(value: float) -> str:
    """Returns a ratio: `79.2 x`."""
    return f"{digits(value)} x"


def range_of(reached: Mapping[str, float]) -> str:
    """Returns the quartiles of a ratio: `78.1 to 80.3`."""
    return f"{digits(reached['lower'])} to {digits(reached['upper'])}"


def digits(value: float) -> str:
    """Returns a number to three digits, without an exponent.

    >>> digits(0.012345), digits(1234.5)
    ('0.0123', '1230')
    """
    rounded = float(f"{value:.3g}")
    return f"{rounded:.0f}" if rounded >= 100 else f"{rounded:.10g}"
