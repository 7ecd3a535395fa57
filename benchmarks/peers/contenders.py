"""Who trains: each framework by the name that results and tables know it by."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.harness.claim import Contender, Timed
from benchmarks.peers.training import Training


def _statewise(task: Training) -> Timed:
    from benchmarks.peers import in_statewise

    return in_statewise.train(task)


def _pytorch(task: Training) -> Timed:
    from benchmarks.peers import in_pytorch

    return in_pytorch.train(task)


def _jax(task: Training) -> Timed:
    from benchmarks.peers import in_jax

    return in_jax.train(task)


def _in_keras(backend: str) -> Callable[[Training], Timed]:
    def train(task: Training) -> Timed:
        from benchmarks.peers import in_keras

        return in_keras.train(task, backend)

    return train


FRAMEWORKS = {
    "statewise": _statewise,
    "pytorch": _pytorch,
    "jax": _jax,
    "keras-jax": _in_keras("jax"),
    "keras-torch": _in_keras("torch"),
    "tf-keras": _in_keras("tensorflow"),
}


def trained_by(task: Training, *names: str) -> dict[str, Contender]:
    """Returns a contender for each framework named, which trains `task` from its weights."""

    def contender(name: str) -> Contender:
        return lambda _: FRAMEWORKS[name](task)

    return {name: contender(name) for name in names}
