"""The table of `model.summary()`, as Keras printed it."""

from __future__ import annotations

from collections.abc import Callable

from statewise.foundation.shapes import Shape
from statewise.legacy.stack import Stack

WIDTHS = (29, 26, 10)


def summarize(model: Stack, line_length: int = 65, print_fn: Callable[[str], object] = print) -> None:
    """Prints layers, output shapes and numbers of weights, a line at a time."""
    print_fn(f'Model: "{model.name}"')
    print_fn("_" * line_length)
    print_fn(_row("Layer (type)", "Output Shape", "Param #"))
    print_fn("=" * line_length)
    for layer in model.layers:
        kind = f"{layer.name} ({type(layer).__name__})"
        print_fn(_row(kind, _shape(layer.output_shape), str(layer.count_params())))
    total = f"{model.count_params():,}"
    print_fn("=" * line_length)
    for line in (f"Total params: {total}", f"Trainable params: {total}", "Non-trainable params: 0"):
        print_fn(line)
    print_fn("_" * line_length)


def _row(*cells: str) -> str:
    return "".join(cell[: width - 1].ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def _shape(shape: Shape) -> str:
    """Returns a shape as Keras wrote it: `(None, 3, 32)`."""
    return f"({', '.join(str(size) for size in shape)})"
