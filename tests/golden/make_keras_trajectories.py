"""Train every case of `keras_cases.py` with Keras and write `keras_trajectories.npz`.

Keras lives in an environment of its own, so that statewise's tests need only the file. It runs on TensorFlow, the
backend of the tutorials: there a cross-entropy is computed from the logits where the network ends in a softmax or
sigmoid, while Keras on JAX clips the probabilities.

    python3.11 -m venv keras-env
    keras-env/bin/pip install keras==3.15.1 tensorflow==2.21.0 numpy==2.4.6
    keras-env/bin/python tests/golden/make_keras_trajectories.py --check  # are the cases fit to test with?
    keras-env/bin/python tests/golden/make_keras_trajectories.py          # write the file

The file in the repository was made with exactly these versions on a CPU; on one machine two runs give the same
bytes. What TensorFlow says about CUDA as it is imported, no setting silences.

Keys, for each case: `{case}/x`, `/y`, `/initial_weights/{i}`, `/final_weights/{i}` (in the order of Keras's
`get_weights`), `/history/{metric}` ([EPOCHS], every key of Keras's History), `/prediction` and `/evaluation`
(`predict(x)` and `evaluate(x, y)` after training, without sample weights); `/sample_weight`, `/validation_x`
and `/validation_y` where the case has them. `keras_version` and `tensorflow_version` stand alone.
"""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

# All are read when Keras and TensorFlow are imported. oneDNN's kernels sum in an order that depends on the CPU.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from keras_cases import CASES, EPOCHS, Case, Spec

tf.get_logger().setLevel("ERROR")  # without its advice on functions that are traced for each model anew
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

Arrays: TypeAlias = dict[str, np.ndarray]

TRAJECTORIES = Path(__file__).with_name("keras_trajectories.npz")
SEED = 20
BIAS_DEVIATION = 0.3

# What `--check` demands of a case, as relative differences of the loss.
LEAST_PROGRESS = 0.05
LEAST_EFFECT = 1e-3
PERTURBATION = 1e-7
LARGEST_RESPONSE = 1e-5


# ---- the data


def draw_inputs(case: Case, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Normal float32 or uniform int32 inputs, [rows, *input_shape]."""
    shape, vocabulary = (rows, *case["input_shape"]), case["vocabulary"]
    if vocabulary is None:
        return rng.normal(size=shape).astype(np.float32)
    if case["input_kind"] == "ids":
        return rng.integers(vocabulary, size=shape, dtype=np.int32)
    size = case["batch_size"]
    batches = [rng.permutation(vocabulary)[: size * shape[1]] for _ in range(0, rows, size)]
    return np.concatenate(batches).reshape(-1, shape[1])[:rows].astype(np.int32)


def draw_targets(case: Case, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Random targets of the case's kind, [rows, *target_shape]."""
    shape = (rows, *case["target_shape"])
    if case["target_kind"] == "real":
        return rng.normal(size=shape).astype(np.float32)
    if case["target_kind"] == "binary":
        return rng.integers(2, size=shape).astype(np.float32)
    assert case["classes"] is not None
    if case["target_kind"] == "classes":
        return rng.integers(case["classes"], size=shape, dtype=np.int32)
    return np.eye(case["classes"], dtype=np.float32)[rng.integers(case["classes"], size=shape[:-1])]


def draw_data(case: Case, rng: np.random.Generator) -> Arrays:
    """The arrays that a case is trained with, under their keys in the file."""
    rows, validation_rows = case["rows"], case["validation_rows"]
    data = {"x": draw_inputs(case, rows, rng), "y": draw_targets(case, rows, rng)}
    if validation_rows:
        data["validation_x"] = draw_inputs(case, validation_rows, rng)
        data["validation_y"] = draw_targets(case, validation_rows, rng)
    if case["sample_weight"] is not None:
        steps = case["input_shape"][:1] if case["sample_weight"] == "steps" else ()
        data["sample_weight"] = rng.uniform(0.1, 2.0, size=(rows, *steps)).astype(np.float32)
    return data


def random_weights(shapes: list[tuple[int, ...]], scale: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Normal float32 weights; the biases too, because equal ones would hide swapped gates."""
    deviations = [shape[0] ** -0.5 if len(shape) > 1 else BIAS_DEVIATION for shape in shapes]
    return [
        rng.normal(scale=scale * deviation, size=shape).astype(np.float32)
        for shape, deviation in zip(shapes, deviations, strict=True)
    ]


# ---- the training


def build_optimizer(spec: Spec) -> keras.optimizers.Optimizer:
    """The Keras optimiser that `spec` names, its schedule included."""
    name, settings = spec
    rate = settings["learning_rate"]
    if isinstance(rate, tuple):
        schedule_name, schedule_settings = rate
        rate = getattr(keras.optimizers.schedules, schedule_name)(**schedule_settings)
    return getattr(keras.optimizers, name)(**{**settings, "learning_rate": rate})


def build_model(case: Case) -> keras.Sequential:
    """The case's compiled Keras model, with Keras's own initial weights."""
    dtype = "float32" if case["input_kind"] == "float" else "int32"
    model = keras.Sequential([keras.Input(case["input_shape"], dtype=dtype)])
    for name, settings in case["layers"]:
        model.add(getattr(keras.layers, name)(**settings))
    optimizer = build_optimizer(case["optimizer"])
    model.compile(optimizer=optimizer, loss=case["loss"], metrics=case["metrics"])
    return model


def fit(model: keras.Sequential, case: Case, data: Arrays) -> Arrays:
    """Keras's History of a training run; its floats are float32 values, so nothing is lost."""
    validation = (data["validation_x"], data["validation_y"]) if case["validation_rows"] else None
    history = model.fit(
        data["x"],
        data["y"],
        sample_weight=data.get("sample_weight"),
        validation_data=validation,
        batch_size=case["batch_size"],
        epochs=EPOCHS,
        shuffle=False,
        verbose=0,
    )
    return {f"history/{key}": np.asarray(values, np.float32) for key, values in history.history.items()}


def train(case: Case, data: Arrays, weights: list[np.ndarray]) -> Arrays:
    """What Keras makes of the case, under its keys in the file."""
    model = build_model(case)
    model.set_weights(weights)
    results = fit(model, case, data)
    results |= {f"final_weights/{i}": weight for i, weight in enumerate(model.get_weights())}
    results["prediction"] = model.predict(data["x"], verbose=0)
    results["evaluation"] = np.asarray(model.evaluate(data["x"], data["y"], verbose=0), np.float32)
    return results


def start(name: str) -> tuple[Arrays, list[np.ndarray]]:
    """The data and initial weights of a case; the name seeds them, so that cases can come and go."""
    case = CASES[name]
    rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])
    shapes = [weight.shape for weight in build_model(case).get_weights()]
    return draw_data(case, rng), random_weights(shapes, case["weight_scale"], rng)


def record(name: str) -> Arrays:
    """All arrays of one case, under their keys in the file."""
    data, weights = start(name)
    initial = {f"initial_weights/{i}": weight for i, weight in enumerate(weights)}
    arrays = data | initial | train(CASES[name], data, weights)
    return {f"{name}/{key}": array for key, array in arrays.items()}


def write() -> None:
    """Record all cases in TRAJECTORIES."""
    versions = {"keras_version": keras.__version__, "tensorflow_version": tf.__version__}
    arrays: Arrays = {name: np.array(version) for name, version in versions.items()}
    for name in CASES:
        arrays |= record(name)
    np.savez_compressed(TRAJECTORIES, allow_pickle=False, **arrays)
    print(f"{TRAJECTORIES}: {len(CASES)} cases, {TRAJECTORIES.stat().st_size / 1024:.0f} KiB")


# ---- the checks


def loss_difference(a: Arrays, b: Arrays) -> float:
    """The largest relative difference between two runs' losses at any epoch."""
    return max(
        float(np.max(np.abs(a[key] - b[key]) / np.abs(b[key])))
        for key in ("history/loss", "history/val_loss")
        if key in a
    )


def perturb(weights: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """The weights, each moved by PERTURBATION of itself, up or down."""
    return [(w * (1 + PERTURBATION * rng.choice([-1, 1], size=w.shape))).astype(np.float32) for w in weights]


def simpler_optimizers(spec: Spec) -> Iterator[tuple[str, Spec]]:
    """The optimiser without one of its settings, for each setting that has a default, schedules included."""
    name, settings = spec
    for key in settings.keys() - {"learning_rate"}:
        yield key, (name, {k: v for k, v in settings.items() if k != key})
    if isinstance(settings["learning_rate"], tuple):
        schedule, rates = settings["learning_rate"]
        yield "schedule", (name, {**settings, "learning_rate": rates["initial_learning_rate"]})
        for key in rates.keys() & {"staircase", "alpha"}:
            rest = {k: v for k, v in rates.items() if k != key}
            yield key, (name, {**settings, "learning_rate": (schedule, rest)})


def simpler_layers(layers: list[Spec]) -> Iterator[tuple[str, list[Spec]]]:
    """The layers without one of their activations, for each of them."""
    for i, (name, settings) in enumerate(layers):
        for key in settings.keys() & {"activation", "recurrent_activation"} if name != "Activation" else ():
            rest = {k: v for k, v in settings.items() if k != key}
            yield f"{name} {key}", [*layers[:i], (name, rest), *layers[i + 1 :]]


def clipped_layers(case: Case) -> list[Spec]:
    """The layers and one that does nothing, which hides the logits: Keras clips the probabilities instead."""
    return [*case["layers"], ("Reshape", {"target_shape": case["target_shape"]})]


def simpler_runs(case: Case, data: Arrays) -> Iterator[tuple[str, Case, Arrays]]:
    """The case and its data without one of the things it is there to show, for each of them."""
    for label, optimizer in simpler_optimizers(case["optimizer"]):
        yield label, {**case, "optimizer": optimizer}, data
    for label, layers in simpler_layers(case["layers"]):
        yield label, {**case, "layers": layers}, data
    if case["unclipped"]:
        yield "unclipped", {**case, "layers": clipped_layers(case)}, data
    if "sample_weight" in data:
        yield "sample_weight", case, {k: v for k, v in data.items() if k != "sample_weight"}


def complaints(name: str) -> Iterator[str]:
    """What makes a case unfit: a loss that stands still, chaos, a setting without effect."""
    data, weights = start(name)
    case, run = CASES[name], train(CASES[name], data, weights)
    loss = run["history/loss"]
    if loss[0] - loss[-1] < LEAST_PROGRESS * loss[0]:
        yield f"loss only went from {loss[0]:.4f} to {loss[-1]:.4f}"
    moved = perturb(weights, np.random.default_rng(SEED))
    if (response := loss_difference(train(case, data, moved), run)) > LARGEST_RESPONSE:
        yield f"loss moves by {response:.1e} when the weights move by {PERTURBATION:.1e}"
    for label, simpler, simpler_data in simpler_runs(case, data):
        if (effect := loss_difference(train(simpler, simpler_data, weights), run)) < LEAST_EFFECT:
            yield f"{label} changes the loss by only {effect:.1e}"


def check() -> bool:
    """Whether no case gives cause for complaint; prints the complaints."""
    fit_for_use = True
    for name in CASES:
        found = list(complaints(name))
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
