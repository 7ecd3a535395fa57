"""The training in PyTorch, eager: nn.LSTM and nn.Linear in a plain loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.harness.claim import Timed
from benchmarks.peers.training import ADAM_EPSILON, LEARNING_RATE, RMSPROP_EPSILON, Array, Training

Work = Callable[[int], Any]


class Net(nn.Module):
    """LSTM layers and a dense one, from the weights of `lstm_weights`.

    PyTorch's LSTM has two biases, of which every update would move both: one is 0 here and stays so.
    """

    def __init__(self, weights: Sequence[Array]) -> None:
        super().__init__()
        layers = len(weights) // 3
        F, H = weights[0].shape[0], weights[1].shape[0]
        self.lstm = nn.LSTM(F, H, layers, batch_first=True)
        self.dense = nn.Linear(H, weights[-1].size)
        with torch.no_grad():
            for layer in range(layers):
                kernel, recurrent, bias = map(torch.from_numpy, weights[3 * layer : 3 * layer + 3])
                for name, value in (("weight_ih", kernel.T), ("weight_hh", recurrent.T), ("bias_ih", bias)):
                    getattr(self.lstm, f"{name}_l{layer}").copy_(value)
                getattr(self.lstm, f"bias_hh_l{layer}").zero_().requires_grad_(False)
            self.dense.weight.copy_(torch.from_numpy(weights[-2]).T)
            self.dense.bias.copy_(torch.from_numpy(weights[-1]))

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """Returns Adam in its fused form, the quickest of its three on a CPU, or RMSprop in the plain one, as quick."""
        learnt = [weight for weight in self.parameters() if weight.requires_grad]
        if name == "adam":
            return torch.optim.Adam(learnt, LEARNING_RATE, eps=ADAM_EPSILON, fused=True)
        return torch.optim.RMSprop(learnt, LEARNING_RATE, alpha=0.9, eps=RMSPROP_EPSILON, foreach=False)


def train(task: Training) -> Timed:
    """Returns so many epochs of a plain training loop. Its result: each epoch's loss."""
    net = Net(task.weights())
    optimizer = net.optimizer(task.optimizer)
    batches = list(zip(*(torch.from_numpy(a).split(task.batch_size) for a in (task.x, task.y)), strict=True))
    state: Any = None

    def epoch() -> Iterator[Tensor]:
        nonlocal state
        for x, y in batches:
            h, after = net.lstm(x, state)
            if task.carry:
                state = tuple(part.detach() for part in after)
            yield score(net.dense(h if task.each_step else h[:, -1]), y)

    def work(epochs: int) -> list[float]:
        return descend(optimizer, epochs, epoch)

    return threaded(work)


def descend(optimizer: torch.optim.Optimizer, epochs: int, epoch: Callable[[], Iterator[Tensor]]) -> list[float]:
    """Makes an update for each loss that `epoch()` yields; returns the mean of each epoch's."""
    losses = []
    for _ in range(epochs):
        for loss in epoch():
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
    means: list[float] = torch.stack(losses).reshape(epochs, -1).mean(1).tolist()
    return means


def cell_of(net: Net) -> nn.LSTMCell:
    """Returns the net's one LSTM layer as a cell, for a step at a time."""
    cell = nn.LSTMCell(net.lstm.input_size, net.lstm.hidden_size)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in net.lstm.state_dict().items()})
    return cell


def step_of(net: Net) -> Callable[[Tensor, Any], Any]:
    """Returns the net's one LSTM layer as a function of one step, called as a cell is."""

    def step(x: Tensor, state: Any) -> Any:
        _, (h, c) = net.lstm(x[:, None], (state[0][None], state[1][None]))
        return h[0], c[0]

    return step


def score(logits: Tensor, y: Tensor) -> Tensor:
    """Returns the mean cross-entropy of `logits [..., V]`."""
    return nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))


def threaded(work: Work) -> Timed:
    """Returns the work, each turn of it with one thread and with one a core: either may be the quicker."""
    numbers = sorted({1, os.cpu_count() or 1})
    settings = {f"{n} threads": partial(torch.set_num_threads, n) for n in numbers}
    return Timed(work, note=f"the quicker of {' and '.join(map(str, numbers))} threads in each turn", settings=settings)
