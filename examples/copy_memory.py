"""Copy memory: read ten symbols, wait thirty steps, then repeat them in order.

The sequence is ten symbols from 1 to 8, then blanks (0), the last of which is a mark (9) that says when to begin, then
ten more blanks, in which the ten symbols are due; before that the answer is 0. Without memory, the best strategy is to
answer 0 until the mark and then guess, with a cross-entropy of 10 ln(8) / (T + 20) for T blanks: 0.416 for 30.

Gradients vanish over a long wait if the forget gates are half closed, so they start out open here, with a bias of 4
(98 %) instead of 1 (73 %); with 1, a network of 64 units still has a loss of 0.34 after 42 epochs in batches of 50,
with 4 it has 0.04.

Sources: Hochreiter and Schmidhuber, Long short-term memory, 1997; in this form Arjovsky, Shah and Bengio, Unitary
evolution recurrent neural networks, 2016, section 5.1. The bias: Gers, Schmidhuber and Cummins, Learning to forget:
continual prediction with LSTM, 2000.

Measured with seeds 0, 1 and 2: 98.4, 94.8 and 94.6 % of new symbols recalled, a loss of 0.009, 0.028 and 0.028. Seed 0
was done after 28 epochs, a minute on two cores; the others went through all 60, two and a half minutes each.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np

import statewise as sw

SYMBOLS, BLANK, MARK = 8, 0, 9
KNOWN = 0.01


def copy(seed: int, rows: int, wait: int, remember: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Returns x one-hot `[N, T, 10]` and y, the symbols due, `[N, T]`, in T = wait + 2 remember steps."""
    symbols = np.random.default_rng(seed).integers(1, SYMBOLS + 1, (rows, remember))
    x = np.full((rows, wait + 2 * remember), BLANK)
    y = x.copy()
    x[:, :remember], x[:, -remember - 1], y[:, -remember:] = symbols, MARK, symbols
    return np.eye(10, dtype=np.float32)[x], y


def baseline(wait: int, remember: int = 10) -> float:
    """Returns the cross-entropy of guessing the symbols."""
    return remember * math.log(SYMBOLS) / (wait + 2 * remember)


def network(seed: int, units: int) -> sw.Sequential:
    """Returns a compiled network whose forget gates start out open."""
    layers = [sw.LSTM(units, return_sequences=True, input_shape=(None, 10)), sw.Dense(9, activation="softmax")]
    model = sw.Sequential(layers, seed=seed)
    model.compile(sw.Adam(0.01, global_clipnorm=1.0), "sparse_categorical_crossentropy")
    weights = model.get_weights()  # the LSTM's kernel, recurrent kernel and bias, which holds the gates i, f, g, o
    weights[2][units : 2 * units] = 4
    model.set_weights(weights)
    return model


def fit(model: sw.Sequential, seed: int, wait: int, *, epochs: int = 60, verbose: int = 1) -> int:
    """Trains on 10,000 sequences until they are known, and returns after how many epochs that was."""
    known = [lambda _, logs: logs["loss"] < KNOWN]
    x, y = copy(2 * seed, 10000, wait)
    return len(model.fit(x, y, batch_size=25, epochs=epochs, callbacks=known, verbose=verbose).history["loss"])


def recall(model: sw.Sequential, x: np.ndarray, y: np.ndarray) -> float:
    """Returns the share of the symbols to remember that are repeated correctly."""
    due = y != BLANK
    return float((model.predict(x).argmax(axis=-1) == y)[due].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description="Copy memory.")
    parser.add_argument("--wait", type=int, default=30, help="T, steps of waiting (default: %(default)s)")
    parser.add_argument("--units", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--seeds", type=int, default=1, help="how many trainings (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=60, help="the most epochs (default: %(default)s)")
    options = parser.parse_args()
    for seed in range(options.seeds):
        began, model = time.perf_counter(), network(seed, options.units)
        epochs = fit(model, seed, options.wait, epochs=options.epochs)
        unseen = copy(2 * seed + 1, 1000, options.wait)
        print(
            f"seed {seed}: recalls {recall(model, *unseen):.1%} of new symbols (guessing: {1 / SYMBOLS:.1%}), loss "
            f"{model.evaluate(*unseen):.4f} (guessing: {baseline(options.wait):.4f}), "
            f"{epochs} epochs, {time.perf_counter() - began:.0f} s"
        )


if __name__ == "__main__":
    main()
