"""One text of 10,000 characters, each fed back to predict the next; always the most likely, so that texts compare."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.harness.claim import Claim, Faster, Timed
from benchmarks.peers.training import lstm_weights

LENGTH, H, E, V = 10_000, 256, 64, 65

SYMBOLS = [chr(48 + i) for i in range(V)]
PROMPT = "".join(SYMBOLS[:8])

EMBEDDING = np.random.default_rng(1).normal(size=(V, E)).astype("float32")
WEIGHTS = lstm_weights(F=E, H=H, V=V)


def statewise(_: None) -> Timed:
    """`TextModel.generate`, from prompt to text."""
    import statewise as sw

    model = sw.TextModel(units=H, embedding=E, seed=7)
    model.fit("".join(SYMBOLS) * 4, epochs=1, verbose=0)  # it learns its symbols; the weights are replaced
    model.set_weights([EMBEDDING, *WEIGHTS])

    def work(times: int) -> list[int]:
        text = "".join(model.generate(PROMPT, LENGTH, temperature=0) for _ in range(times))
        return [SYMBOLS.index(character) for character in text]

    return Timed(work)


def pytorch(_: None) -> Timed:
    """A loop of nn.LSTMCell, into which the trained weights are copied: quicker than nn.LSTM on one step."""
    from benchmarks.peers import in_pytorch

    return _looped(in_pytorch.cell_of(in_pytorch.Net(WEIGHTS)))


def pytorch_lstm(_: None) -> Timed:
    """A loop of the nn.LSTM that was trained."""
    from benchmarks.peers import in_pytorch

    return _looped(in_pytorch.step_of(in_pytorch.Net(WEIGHTS)))


def _looped(cell: Any) -> Timed:
    """Returns the loop over symbols, which stay tensors until the end."""
    import torch

    from benchmarks.peers import in_pytorch

    net = in_pytorch.Net(WEIGHTS)
    embedding = torch.from_numpy(EMBEDDING)
    prompt = torch.tensor([SYMBOLS.index(character) for character in PROMPT])

    @torch.inference_mode()
    def generate() -> list[int]:
        h, c = torch.zeros(1, H), torch.zeros(1, H)
        for symbol in prompt:
            h, c = cell(embedding[symbol][None], (h, c))
        drawn = []
        for _ in range(LENGTH):
            symbol = net.dense(h).argmax(-1)
            drawn.append(symbol)
            h, c = cell(embedding[symbol], (h, c))
        symbols: list[int] = torch.cat(drawn).tolist()
        return symbols

    return in_pytorch.threaded(lambda times: [symbol for _ in range(times) for symbol in generate()])


CLAIM = Claim(
    work="Embedding(64) + LSTM(256) + Dense(65): 10,000 characters of one text",
    unit="a character",
    units=LENGTH,
    contenders={"statewise": statewise, "pytorch, nn.LSTM": pytorch_lstm, "pytorch, nn.LSTMCell": pytorch},
    goals=[Faster("pytorch, nn.LSTM", must=12, aim=15), Faster("pytorch, nn.LSTMCell", must=5, aim=6)],
    tolerance=0.0,
    rounds=7,
)
