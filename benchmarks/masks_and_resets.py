"""What resets and masks cost in the fast LSTM kernel, as ratios to the plain pass in the same run.

A training step is the forward pass and all gradients. The four kinds take turns, round by round, so that whatever else
the machine does hits all of them alike; the figure is the median over the rounds of each round's ratio.

    python benchmarks/masks_and_resets.py
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statewise.kernels import scan
from statewise.kernels.reference import LSTMWeights
from statewise.kernels.states import LSTMState

SIZES = [(1, 64, 32, 32), (32, 64, 64, 64), (32, 64, 256, 256), (32, 64, 512, 512)]  # B, T, F, H


def step_of(size: tuple[int, int, int, int], reset: bool, mask: bool) -> Callable[[], Any]:
    """Returns a function that computes one training step."""
    B, T, F, H = size
    rng = np.random.default_rng(0)
    weights = LSTMWeights(
        *(jnp.asarray(rng.normal(size=s) / np.sqrt(H), "float32") for s in ((F, 4 * H), (H, 4 * H), (4 * H,)))
    )
    x = jnp.asarray(rng.normal(size=(B, T, F)), "float32")
    flags = {
        "reset": jnp.asarray(rng.random((B, T)) < 0.05) if reset else None,
        "mask": jnp.asarray(rng.random((B, T)) < 0.9) if mask else None,
    }

    @jax.jit
    def gradient(weights: LSTMWeights, flags: dict[str, Any]) -> LSTMWeights:
        def loss(weights: LSTMWeights) -> jax.Array:
            y, _ = scan.lstm(weights, x, LSTMState(jnp.zeros((B, H)), jnp.zeros((B, H))), **flags)
            return jnp.mean(y**2)

        return jax.grad(loss)(weights)

    return lambda: jax.block_until_ready(gradient(weights, flags))


def seconds(step: Callable[[], Any], times: int) -> float:
    """Returns how long a step takes, on average over so many in a row."""
    begun = time.perf_counter()
    for _ in range(times):
        step()
    return (time.perf_counter() - begun) / times


def main() -> None:
    """Prints a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=31, help="rounds that the kinds take turns in")
    rounds = parser.parse_args().rounds
    print(f"{'B, T, F, H':<20}{'plain, ms':>10}{'masks':>8}{'resets':>8}{'both':>8}   (ratio to plain)")
    for size in SIZES:
        kinds = [
            step_of(size, reset, mask) for reset, mask in ((False, False), (False, True), (True, False), (True, True))
        ]
        for step in kinds:
            step()  # compiles
        times = max(1, int(0.02 / seconds(kinds[0], 3)))
        table = [[seconds(step, times) for step in kinds] for _ in range(rounds)]
        ratios = [statistics.median(row[kind] / row[0] for row in table) for kind in (1, 2, 3)]
        plain = statistics.median(row[0] for row in table)
        print(f"{size!s:<20}{1000 * plain:>10.2f}" + "".join(f"{ratio:>8.2f}" for ratio in ratios))


if __name__ == "__main__":
    main()
