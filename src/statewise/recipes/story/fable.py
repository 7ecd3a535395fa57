"""What the recipes of the fable share: its words, windows of them, and continuing it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.framing import Framing
from statewise.recipes.story.numbering import Numbering

SOURCE = "https://towardsdatascience.com/lstm-by-example-using-tensorflow-feb0c1968537"
SCRIPT = (
    "https://github.com/roatienza/Deep-Learning-Experiments/blob/"
    "2e6d822c2b9247f4a2b30edc1382c5b6020e9476/Experiments/Tensorflow/RNN/rnn_words.py"
)

FABLE = (Path(__file__).parent / "belling_the_cat.txt").read_text(encoding="utf-8").split()
LEFT_OUT = 20
"""How many words, the last tenth of the fable, a training leaves out."""

PROMPTS = ("had a general", "mouse mouse mouse")
SHOWN = Numbering.of(FABLE)
"""The numbers of the pictures, and of the recipes in which a number is only a name."""


def codes(names: Numbering, length: int = 3) -> tuple[Array, Array]:
    """Returns all runs of `length` words, as plain numbers `[N, T, 1]`, and the number of the next word `[N]`."""
    x, y = symbols(names, length)
    return x[..., None].astype(np.float32), y


def symbols(names: Numbering, length: int = 3) -> tuple[Array, Array]:
    """Returns all runs of `length` words as symbols `[N, T]`, for an embedding, and the number of the next `[N]`."""
    found = sw.windows(names.numbers(FABLE), length)
    return found.x, found.y


def picture_of_codes(length: int = 3, left_out: int = 0) -> Framing:
    """Returns the picture of all windows but the last few, read as numbers."""
    x, y = codes(SHOWN, length)
    kept = slice(len(x) - left_out)
    note = "a word is read as its number, 0 to 111 from frequent to rare"
    return Framing.of(x[kept], y[kept], SHOWN.text, SHOWN.text, note=note)


def picture_of_symbols() -> Framing:
    """Returns the picture of all windows of three but the last few, read as symbols."""
    x, y = symbols(SHOWN)
    note = "a word is a symbol with a learned vector"
    return Framing.of(x[:-LEFT_OUT], y[:-LEFT_OUT], SHOWN.text, SHOWN.text, note=note)


def percent_right(network: sw.Sequential, x: Array, y: Array) -> float:
    """Returns for how many rows, in percent, the most likely answer is the right one."""
    return 100.0 * float(np.mean(network.predict(x).argmax(axis=-1) == y))


def ceiling(x: Array, y: Array) -> float:
    """Returns for how many rows, in percent, the answer can be known from the row alone.

    >>> ceiling(np.array([[0], [0], [0], [1]]), np.array([1, 1, 2, 1]))
    75.0
    """
    answers: dict[bytes, Counter[int]] = {}
    for row, answer in zip(x, y, strict=True):
        answers.setdefault(row.tobytes(), Counter())[int(answer)] += 1
    return 100.0 * sum(max(counts.values()) for counts in answers.values()) / len(y)


def tell(network: sw.Sequential, names: Numbering, prompt: str, x: Array, count: int = 32) -> str:
    """Returns the words that follow the prompt, each the most likely one after the window of words before it.

    Args:
        network: the network that continues the text.
        names: the words by number.
        prompt: at least one window of words.
        x: example inputs of the network: how many words a row holds, and whether as codes or as symbols.
        count: how many words.
    """
    told = names.numbers(prompt.split()).tolist()
    for _ in range(count):
        window = np.array(told[-x.shape[1] :], x.dtype).reshape(1, *x.shape[1:])
        told.append(int(network.predict(window).argmax()))
    return names.text(told[-count:])
