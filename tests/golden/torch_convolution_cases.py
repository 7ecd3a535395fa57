"""Convolutions as plain data: PyTorch computed them, statewise must repeat it."""

from __future__ import annotations

from typing import NamedTuple

ROWS, STEPS, FEATURES, FILTERS = 3, 11, 4, 5


class Convolution(NamedTuple):
    """What a convolution is like, in Keras's words."""

    kernel_size: int
    padding: str
    strides: int = 1
    dilation_rate: int = 1


CONVOLUTIONS = {
    "causal": Convolution(3, "causal"),
    "causal even": Convolution(2, "causal"),
    "causal dilated": Convolution(3, "causal", dilation_rate=2),
    "causal far": Convolution(4, "causal", dilation_rate=5),  # reaches beyond the first step of every row
    "causal strided": Convolution(3, "causal", strides=2),
    "same": Convolution(3, "same"),
    "same even": Convolution(4, "same"),
    "same dilated": Convolution(3, "same", dilation_rate=3),
    "same strided": Convolution(3, "same", strides=2),
    "same strided even": Convolution(4, "same", strides=3),
    "same gaps": Convolution(2, "same", strides=4),  # some steps lie in no window
    "valid": Convolution(3, "valid"),
    "valid one": Convolution(1, "valid"),
    "valid dilated": Convolution(3, "valid", dilation_rate=2),
    "valid strided": Convolution(4, "valid", strides=3),
}
