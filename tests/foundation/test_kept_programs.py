"""Programs of earlier processes: found without being traced, never mistaken for others, and never trusted blindly."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import statewise as sw
from statewise.foundation.kept_programs import KeptProgram, private
from statewise.inference.description import describe, describe_network
from statewise.layers import GRU, Dense, Layer
from statewise.network import Network
from statewise.objectives.losses import LOSSES, Loss
from statewise.objectives.metrics import METRICS
from statewise.optimizers import schedules

# ------------------------------------------------------------------------------------------- another process

CODE = """
import numpy as np
import statewise as sw
from statewise.network import Network

if {traced} is False:
    def refuse(*_, **__):
        raise AssertionError("traced again")
    Network.apply = refuse
x = np.random.default_rng(0).normal(size=(12, 5, 3)).astype("float32")
model = sw.Sequential([sw.LSTM(4, recurrent_dropout=0.2), sw.Dense(2)], seed=3)
model.compile(sw.Adam(0.01), "mse")
loss = model.fit(x, x[:, -1, :2], batch_size=4, epochs=3, verbose=0).history["loss"]
score = model.evaluate(x, x[:, -1, :2], verbose=0)
print(loss, score, model.predict(x).tobytes().hex())
"""


def said(cache: Path, traced: bool) -> str:
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(traced=traced)],
        env=os.environ | {"STATEWISE_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_later_process_traces_nothing_and_computes_the_same(tmp_path: Path) -> None:
    first = said(tmp_path, traced=True)
    assert said(tmp_path, traced=False) == first
    kept = tmp_path / "xla" / "kept"
    assert kept.stat().st_mode & 0o777 == 0o700
    programs = sorted(kept.glob("*.program"))
    assert len(programs) == 3  # fit, evaluate, predict
    before = programs[0].read_bytes()
    programs[0].write_bytes(before[: len(before) // 2])  # damaged: it is compiled again, and replaced
    assert said(tmp_path, traced=True) == first
    assert len(programs[0].read_bytes()) > len(before) // 2
    assert said(tmp_path, traced=False) == first


# -------------------------------------------------------------------------------------------------- the files


def test_a_folder_that_others_may_read_or_write_is_not_used(tmp_path: Path) -> None:
    assert private(tmp_path / "new") == tmp_path / "new"
    for mode in (0o770, 0o755, 0o707):
        (tmp_path / "new").chmod(mode)
        assert private(tmp_path / "new") is None
    (tmp_path / "file").write_text("")
    assert private(tmp_path / "file") is None


def kept(function: Callable[..., Any], description: str, folder: Path) -> KeptProgram:
    return KeptProgram(jax.jit(function), description, lambda: folder)


def test_what_is_read_is_what_was_described(tmp_path: Path) -> None:
    """The description alone decides; so it must have everything in it."""
    x = jnp.arange(3.0)
    assert kept(lambda x: x + 1, "one more", tmp_path)(x).tolist() == [1, 2, 3]
    assert kept(lambda x: x + 2, "one more", tmp_path)(x).tolist() == [1, 2, 3]
    assert kept(lambda x: x + 2, "two more", tmp_path)(x).tolist() == [2, 3, 4]
    assert kept(lambda x: x + 2, "one more", tmp_path)(jnp.arange(4.0)).tolist() == [2, 3, 4, 5], "another shape"
    assert len(list(tmp_path.glob("*.program"))) == 3


def test_settings_of_jax_are_part_of_the_key(tmp_path: Path) -> None:
    x = np.arange(3, dtype=np.float32)
    kept(lambda x: x + 1, "one more", tmp_path)(x)
    with jax.enable_x64(True):
        kept(lambda x: x + 1, "one more", tmp_path)(x)
    assert len(list(tmp_path.glob("*.program"))) == 2


def test_arguments_of_other_types_than_the_first_are_compiled_by_jax(tmp_path: Path) -> None:
    program = kept(lambda x: x + 1, "one more", tmp_path)
    program(np.zeros(3, np.float32))
    assert program(np.zeros(3, np.int32)).dtype == np.int32
    assert program(np.zeros(2, np.float32)).shape == (2,)


def test_what_cannot_be_kept_is_computed_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(mode=0o500)
    program = kept(lambda x: x + 1, "one more", tmp_path / "missing")
    assert program(np.zeros(2, np.float32)).tolist() == [1, 1]
    assert KeptProgram(jax.jit(lambda x: x + 1), "", lambda: None)(np.float32(1)) == 2


# --------------------------------------------------------------------------------------------- descriptions

MSE, MAE = LOSSES["mean_squared_error"], METRICS["mae"]


def network(*layers: Layer, features: int = 3) -> Network:
    return Network.of(layers or (sw.LSTM(4), Dense(2)), (None, features))


DIFFERENT: list[tuple[Network, Loss, tuple[Any, ...], Any]] = [
    (network(), MSE, (), sw.Adam()),
    (network(features=4), MSE, (), sw.Adam()),
    (network(sw.LSTM(5), Dense(2)), MSE, (), sw.Adam()),
    (network(GRU(4), Dense(2)), MSE, (), sw.Adam()),
    (network(GRU(4, reset_after=False), Dense(2)), MSE, (), sw.Adam()),
    (network(sw.LSTM(4, dropout=0.1), Dense(2)), MSE, (), sw.Adam()),
    (network(sw.LSTM(4, recurrent_dropout=0.1), Dense(2)), MSE, (), sw.Adam()),
    (network(sw.LSTM(4, learn_initial_state=True), Dense(2)), MSE, (), sw.Adam()),
    (network(sw.LSTM(4, activation="relu"), Dense(2)), MSE, (), sw.Adam()),
    (network(sw.LSTM(4, go_backwards=True), Dense(2)), MSE, (), sw.Adam()),
    (network(sw.LSTM(4, use_bias=False), Dense(2)), MSE, (), sw.Adam()),
    (network(sw.LSTM(4, kernel_regularizer=sw.layers.L1L2(l2=0.1)), Dense(2)), MSE, (), sw.Adam()),
    (network(sw.LSTM(4, return_sequences=True), Dense(2)), MSE, (), sw.Adam()),
    (network(sw.LSTM(4), Dense(2, activation="tanh")), MSE, (), sw.Adam()),
    (network(), LOSSES["mean_absolute_error"], (), sw.Adam()),
    (network(), MSE, (MAE,), sw.Adam()),
    (network(), MSE, (MAE, METRICS["rmse"]), sw.Adam()),
    (network(), MSE, (), sw.Adam(0.01)),
    (network(), MSE, (), sw.Adam(beta_1=0.8)),
    (network(), MSE, (), sw.Adam(clipnorm=1.0)),
    (network(), MSE, (), sw.Adam(clipvalue=1.0)),
    (network(), MSE, (), sw.Adam(schedules.ExponentialDecay(0.01, 10, 0.9))),
    (network(), MSE, (), sw.Adam(schedules.ExponentialDecay(0.01, 10, 0.8))),
    (network(), MSE, (), sw.SGD()),
]


def test_different_trainings_have_different_descriptions() -> None:
    described = [describe(*training) for training in DIFFERENT]
    assert None not in described
    assert len(set(described)) == len(DIFFERENT)
    assert describe(network(), MSE, (), sw.Adam()) == described[0]


def test_what_users_write_themselves_has_none() -> None:
    def mine(y_true: Any, y: Any) -> Any:
        return (y_true - y) ** 4

    class Own(sw.Adam):
        pass

    class Mine(Dense):
        pass

    assert describe(network(), MSE, (), optax.adam(0.1)) is None
    assert describe(network(), MSE, (), Own()) is None
    assert describe(network(), MSE, (), sw.Adam(lambda step: 0.1 / (1 + step))) is None
    assert describe(network(), Loss("mine", mine, "real"), (), sw.Adam()) is None
    assert describe_network(network(sw.LSTM(4), Mine(2))) is None
