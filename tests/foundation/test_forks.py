"""Forked processes: they answer, or say at once why not; they never hang."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mistakes import story

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

COMMON = """
import os, pickle, signal, sys, warnings
warnings.filterwarnings("ignore", message="os.fork", category=RuntimeWarning)  # JAX's own
import jax
import numpy as np
import statewise as sw
jax.config.update("jax_disable_most_optimizations", True)
from statewise.errors import LifecycleError

def make():
    model = sw.Sequential([sw.LSTM(3, input_shape=(None, 2)), sw.Dense(1)], seed=7)
    model.compile("adam", "mse")
    return model

def trained():
    model = make()
    model.build((None, None, 2))
    model.set_weights([np.ones_like(weight) / 3 for weight in model.get_weights()])
    return model

x = np.random.default_rng(3).normal(size=(6, 4, 2)).astype("float32")
y = x.sum((1, 2))[:, None]

def child(act):
    "Returns what the child said: fine, refused, the error, or that it hung."
    read, write = os.pipe()
    if not (pid := os.fork()):
        signal.alarm(20)
        try:
            act()
            said = "fine"
        except LifecycleError as error:
            said = "refused" if "spawn" in str(error) and "model.stream()" in str(error) else str(error)
        except BaseException as error:
            said = repr(error)
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(read) as pipe:
        return pipe.read() if os.WIFEXITED(status) else "hung"
"""

AFTER = """
model = trained()
_, state = model(x)
model.save(sys.argv[1])
pickled = pickle.dumps(model)
text = sw.load(sys.argv[2])
learned = sw.Sequential([sw.LSTM(3, learn_initial_state=True, input_shape=(None, 2))])

def grandchild():
    if child(lambda: model.predict(x)) == "refused":
        model.predict(x)

refused = {
    "fit": lambda: model.fit(x, y, verbose=0),
    "fit-batches": lambda: model.fit([(x, y)], verbose=0),
    "fit-new": lambda: make().fit(x, y, verbose=0),
    "evaluate": lambda: model.evaluate(x, y),
    "predict": lambda: model.predict(x),
    "call": lambda: model(x),
    "verify": lambda: model.verify(x),
    "memory": lambda: model.memory_report(x, y),
    "rate": lambda: model.learning_rate,
    "generate": lambda: text.generate("the ", 5),
    "text-fit": lambda: text.fit("the mice", verbose=0),
    "text-evaluate": lambda: text.evaluate("the mice"),
    "learned": lambda: learned.initial_state(2),
    "grandchild": grandchild,
}
fine = {
    "stream": lambda: np.testing.assert_allclose(
        [model.stream(engine="numpy").push(row) for row in x[:, 0]], model_step, atol=1e-6
    ),
    "streams": lambda: model.streams(engine="numpy").push({"a": x[0, 0]}),
    "learned-stream": lambda: learned.stream(engine="numpy").push(x[0, 0]),
    "load": lambda: sw.load(sys.argv[1]).stream(engine="numpy").push(x[0, 0]),
    "unpickle": lambda: pickle.loads(pickled).stream(engine="numpy").push(x[0, 0]),
    "save": lambda: model.save(sys.argv[1] + "2"),
    "weights": lambda: model.set_weights(model.get_weights()),
    "new": lambda: make().get_weights(),
    "initial": lambda: model.initial_state(3),
    "rows": lambda: state.rows([2, 0]).fork(2).reset([0]),
    "concat": lambda: sw.State.concat([state, state]).save(sys.argv[1] + "s"),
}
model_step = np.asarray(model(x[:, :1])[0])
for name, act in refused.items():
    print(name, child(act))
print("--")
for name, act in fine.items():
    print(name, child(act))
"""

BEFORE = """
def train():
    model = make()
    model.fit(x, y, verbose=0)
    model.predict(x)

print("before", child(train))
train()
print("parent fine")
"""

POOL = """
import multiprocessing

model = trained()

def work(number):
    try:
        model.predict(x)
    except LifecycleError:
        return number
    return "answered"

with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map_async(work, range(4)).get(20))
    print(len(pool.map_async(type(model).get_weights, [model] * 3).get(20)))  # pickled into the children
"""


def lines(code: str, *arguments: object) -> list[str]:
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", COMMON + textwrap.dedent(code), *map(str, arguments)]
    done = subprocess.run(command, env=here, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_after_jax_was_used_a_child_streams_and_is_refused_the_rest_at_once(tmp_path: Path) -> None:
    story().save(tmp_path / "text")
    said = lines(AFTER, tmp_path / "m", tmp_path / "text")
    cut = said.index("--")
    assert [line for line in said[:cut] if not line.endswith(" refused")] == []
    assert [line for line in said[cut + 1 :] if not line.endswith(" fine")] == []
    assert (cut, len(said) - cut - 1) == (14, 11)


def test_before_jax_was_used_a_child_trains() -> None:
    assert lines(BEFORE) == ["before fine", "parent fine"]


def test_a_pool_of_forked_workers_gets_an_error_and_no_hang() -> None:
    assert lines(POOL) == ["[0, 1, 2, 3]", "3"]
