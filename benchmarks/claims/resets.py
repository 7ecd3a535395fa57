"""The training of `text` with 1 % of the steps starting a row afresh, or 10 % of them skipped: what that costs.

PyTorch's LSTM has no resets: its loop cuts the batch wherever a row starts afresh, and zeroes that row's state between
the pieces. Where to cut is worked out beforehand. It has no way to skip steps of some rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.claims.text import TASK
from benchmarks.harness.claim import Claim, Faster, Timed, Unable

RESET = np.random.default_rng(2).random(TASK.y.shape) < 0.01
MASK = np.random.default_rng(3).random(TASK.y.shape) < 0.9

Flags = dict[str, np.ndarray[Any, Any]]
CASES: dict[str, Flags] = {"resets": {"reset": RESET}, "masks": {"mask": MASK}}


def statewise(flags: Flags) -> Timed:
    """With resets, or with masks."""
    from benchmarks.peers import in_statewise

    return in_statewise.train(TASK, **flags)


def without(_: Flags) -> Timed:
    """The same model without."""
    from dataclasses import replace

    from benchmarks.peers import in_statewise

    return replace(in_statewise.train(TASK), compared=False)


def pytorch(flags: Flags) -> Timed:
    """Piece by piece."""
    if "mask" in flags:
        raise Unable("nn.LSTM skips no steps inside a row")
    import torch

    from benchmarks.peers import in_pytorch

    net = in_pytorch.Net(TASK.weights())
    optimizer = net.optimizer(TASK.optimizer)
    batches = [
        (x.split(sizes, dim=1), keeps, y)
        for x, y, (sizes, keeps) in zip(
            torch.from_numpy(TASK.x).split(TASK.batch_size),
            torch.from_numpy(TASK.y).split(TASK.batch_size),
            map(pieces, np.split(RESET, TASK.batches)),
            strict=True,
        )
    ]

    def epoch() -> Iterator[Any]:
        for xs, keeps, y in batches:
            state = (torch.zeros(1, TASK.batch_size, TASK.units),) * 2
            outputs = []
            for x, keep in zip(xs, keeps, strict=True):
                h, state = net.lstm(x, (state[0] * keep, state[1] * keep))
                outputs.append(h)
            yield in_pytorch.score(net.dense(torch.cat(outputs, dim=1)), y)

    return in_pytorch.threaded(lambda epochs: in_pytorch.descend(optimizer, epochs, epoch))


def pieces(reset: np.ndarray[Any, Any]) -> tuple[list[int], list[Any]]:
    """Returns how many steps each piece has, and `[1, B, 1]` for each, 0 for the rows that start afresh before it."""
    import torch

    starts = [0, *(t for t in range(1, reset.shape[1]) if reset[:, t].any())]
    sizes = np.diff([*starts, reset.shape[1]]).tolist()
    return sizes, [torch.from_numpy(~reset[:, t]).float()[None, :, None] for t in starts]


CLAIM = Claim(
    work="`text` with 1 % of the steps resetting a row, or 10 % skipped",
    unit="a training step",
    units=TASK.batches,
    contenders={"statewise": statewise, "without": without, "pytorch": pytorch},
    cases=CASES,
    goals=[*(Faster("without", must=0.97, aim=0.99, case=case) for case in CASES), Faster("pytorch", case="resets")],
    tolerance=1e-3,
)
