"""Train every case of `keras2_cases.py` with Keras 2 and write `keras2_trajectories.npz`.

Keras 2 lives on as tf-keras, in an environment of its own, so that statewise's tests need only the file.

    python3.11 -m venv keras2-env
    keras2-env/bin/pip install tf-keras==2.21.0 tensorflow==2.21.0 numpy==2.4.6
    cd tests
    ../keras2-env/bin/python -m golden.make_keras2_trajectories --check  # are the cases fit to test with?
    ../keras2-env/bin/python -m golden.make_keras2_trajectories          # write the file

The file in the repository was made with exactly these versions on a CPU.

Keys: `data/{name}`, which the cases share; for each case `{case}/initial_weights` `[W]` and, after training,
`{case}/weights` `[1, W]` (all weights in the order of `get_weights`, one after the other),
`{case}/history/{metric}` (`[epochs]`, over all calls of `fit`), `{case}/prediction` and `{case}/evaluation` (one for
each look, the last of them after training), and what else the case keeps. `tf_keras_version` and
`tensorflow_version` stand alone.
"""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

# All are read when TensorFlow is imported. oneDNN's kernels sum in an order that depends on the CPU.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import tf_keras

from golden.keras2_case import Array, Arrays, draw_data, draw_weights
from golden.keras2_cases import CASES

tf.get_logger().setLevel("ERROR")  # without its advice on functions that are traced for each model anew
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

KERAS = SimpleNamespace(
    models=tf_keras.models,
    layers=tf_keras.layers,
    optimizers=tf_keras.optimizers.legacy,  # those of Keras 2's own days: the newer ones ignore `lr`, refuse `decay`
    callbacks=tf_keras.callbacks,
    backend=tf_keras.backend,
)

TRAJECTORIES = Path(__file__).with_name("keras2_trajectories.npz")
SEED = 20

# What `--check` demands of a case, as relative differences of the loss.
LEAST_PROGRESS = 0.02
PERTURBATION = 1e-7
LARGEST_RESPONSE = 1e-5


def start(name: str) -> Array:
    """The initial weights of a case; the name seeds them, so that cases can come and go."""
    rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])
    return draw_weights(CASES[name].build(KERAS).get_weights(), rng)


def train(name: str, data: Arrays, weights: Array) -> Arrays:
    """What Keras makes of the case, under its keys in the file."""
    tf_keras.backend.clear_session()
    return CASES[name].run(KERAS, data, weights)


def record(name: str, data: Arrays) -> Arrays:
    """All arrays of one case, under their keys in the file."""
    weights = start(name)
    arrays = {"initial_weights": weights, **train(name, data, weights)}
    return {f"{name}/{key}": array for key, array in arrays.items()}


def write() -> None:
    """Record all cases in TRAJECTORIES."""
    data = draw_data(np.random.default_rng(SEED))
    arrays: Arrays = {f"data/{key}": array for key, array in data.items()}
    arrays |= {"tf_keras_version": np.array(tf_keras.__version__), "tensorflow_version": np.array(tf.__version__)}
    for name in CASES:
        arrays |= record(name, data)
        print(name, flush=True)
    np.savez_compressed(TRAJECTORIES, allow_pickle=False, **arrays)
    print(f"{TRAJECTORIES}: {len(CASES)} cases, {TRAJECTORIES.stat().st_size / 1024:.0f} KiB")


def losses(run: Arrays) -> Array:
    """The loss on the way: of the epochs, or of every other batch of a case that trains by them."""
    return run["history/loss"] if "history/loss" in run else run["trained"][::2, 0]


def perturbed(weights: Array) -> Array:
    """The weights, each moved by PERTURBATION of itself, up or down."""
    signs = np.random.default_rng(SEED).choice([-1, 1], size=weights.shape)
    return (weights * (1 + PERTURBATION * signs)).astype(np.float32)


def complaints(name: str, data: Arrays) -> Iterator[str]:
    """What makes a case unfit: a loss that stands still, chaos."""
    weights = start(name)
    loss, other = (losses(train(name, data, begin)) for begin in (weights, perturbed(weights)))
    if loss[0] - loss[-1] < LEAST_PROGRESS * abs(loss[0]):
        yield f"loss only went from {loss[0]:.4f} to {loss[-1]:.4f}"
    if len(loss) != len(other) or (response := np.max(np.abs(loss - other) / np.abs(loss))) > LARGEST_RESPONSE:
        yield f"loss moves by {response:.1e} when the weights move by {PERTURBATION:.1e}"


def check() -> bool:
    """Whether no case gives cause for complaint; prints the complaints."""
    data, fit_for_use = draw_data(np.random.default_rng(SEED)), True
    for name in CASES:
        found = list(complaints(name, data))
        fit_for_use &= not found
        print(name, *(found or ["is fine"]), sep="\n    ", flush=True)
    return fit_for_use


def main(arguments: list[str]) -> int:
    """The exit status of the command."""
    if arguments not in ([], ["--check"]):
        sys.exit(f"expected no argument or --check, received {arguments}")
    if arguments:
        return 0 if check() else 1
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
