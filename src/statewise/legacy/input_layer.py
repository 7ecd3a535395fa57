"""The shape of a network's input, as a layer of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statewise.legacy.layer import Layer
from statewise.legacy.options import in_keras_2_words


class InputLayer(Layer):
    """The shape of the input, as a layer of its own."""

    @in_keras_2_words("InputLayer", remember=True)
    def __init__(self, input_shape: Sequence[int | None] | None = None, **common: Any) -> None:
        super().__init__(input_shape=input_shape, **common)


@in_keras_2_words("Input")
def Input(  # noqa: N802 - Keras's name
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    dtype: object = None,
) -> InputLayer:
    """Returns the shape of the input, to be the first thing in a Sequential."""
    return InputLayer(shape, batch_size=batch_size, batch_input_shape=batch_shape, name=name, dtype=dtype)
