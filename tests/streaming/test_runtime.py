"""The network in NumPy: step by step it is the network in JAX at once, for every kind of layer and from any state."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from mistakes import case, refused, table
from networks import CASES, FEATURES, SYMBOLS, Case, random_state, random_weights, random_x
from statewise.data.codecs import Vocabulary
from statewise.errors import ConfigurationError, FileError, ShapeError, StateError, StatewiseError
from statewise.foundation.shapes import Array
from statewise.kernels.activations import ACTIVATIONS
from statewise.layers import GRU, Activation, Bidirectional, Dense, Embedding, Layer, Masking
from statewise.operations import FUNCTIONS
from statewise.storage.artifact import Artifact, write_artifact
from statewise.streaming.numpy_activations import ACTIVATIONS as IN_NUMPY
from statewise.streaming.runtime import Runtime
from streamed import BATCH, ENGINES, STEPS, STREAMED, built, gru, lstm, marked, masked_x, model_of, parts, runtime_of
from tolerances import assert_close, assert_same, differ


def activated(name: str) -> list[Layer]:
    return [Dense(5, activation=name), lstm(3), Activation(name)]


ACTIVATED = [Case(f"activation-{name}", partial(activated, name)) for name in ("gelu", "softmax", "swish")]


@dataclass(frozen=True)
class Subject:
    """A network in both forms, with input for it."""

    case: Case
    model: sw.Model
    runtime: Runtime
    x: Array

    def run(self, state: sw.State | None) -> tuple[list[Array], sw.State]:
        """Returns the answers of the runtime, step by step, and the state after the last."""
        states = self.runtime.fresh(BATCH) if state is None else self.runtime.states_in(state, BATCH, "a test")
        answers = []
        for t in range(STEPS):
            y, states = self.runtime.step(self.x[:, t], states)
            answers.append(y)
        return answers, self.runtime.state_of(states)


@pytest.fixture(scope="module", params=marked(STREAMED + ACTIVATED))
def subject(request: pytest.FixtureRequest) -> Subject:
    case: Case = request.param
    return Subject(case, model_of(case), runtime_of(model_of(case), "numpy"), masked_x(case))


@pytest.mark.parametrize("start", ["fresh", "random"])
def test_step_by_step_equals_the_whole(subject: Subject, start: str) -> None:
    state = None if start == "fresh" else random_state(subject.model, BATCH)
    y, end = subject.model(subject.x, state)
    answers, after = subject.run(state)
    assert_close(np.stack(answers, axis=1) if subject.case.every_step else answers[-1], np.asarray(y), "y")
    assert_close(parts(after), parts(end), "state")
    assert all(answer.dtype == np.float32 for answer in answers)
    assert all(part.dtype == np.float32 for part in parts(after).values())


def test_each_answer_is_that_to_all_so_far(subject: Subject) -> None:
    """Networks that answer once a sequence answer each push, too, as if the sequence ended there."""
    state = random_state(subject.model, BATCH)
    answers, _ = subject.run(state)
    for t in (1, STEPS - 1):
        y = np.asarray(subject.model(subject.x[:, : t + 1], state)[0])
        assert_close(answers[t], y[:, -1] if subject.case.every_step else y, f"y of step {t}")


def test_a_step_changes_none_of_its_arguments(subject: Subject) -> None:
    states = subject.runtime.states_in(random_state(subject.model, BATCH), BATCH, "a test")
    states = jax.tree.map(np.array, states)
    x = subject.x[:, 1].copy()
    before = jax.tree.map(np.array, states)
    first = jax.tree.map(np.array, subject.runtime.step(x, states))
    assert_same(states, before, "states")
    assert_same(x, subject.x[:, 1], "x")
    assert_same(jax.tree.map(np.array, subject.runtime.step(x, states)), first, "the same step again")


def test_the_state_matters(subject: Subject) -> None:
    """Guards the tests above, which would all pass if states were ignored."""
    if subject.runtime.fresh(1):
        assert differ(subject.run(random_state(subject.model, BATCH))[0], subject.run(None)[0])


def test_fresh_states_are_the_models(subject: Subject) -> None:
    expected = subject.model.initial_state(BATCH)
    state = subject.runtime.state_of(subject.runtime.fresh(BATCH))
    assert_same(parts(state), parts(expected), "state")
    assert_same(parts(sw.State(state.learned)), parts(sw.State(expected.learned)), "where sequences start")
    if not expected.batch:  # no memory, no rows to reset
        return
    moved = subject.run(random_state(subject.model, BATCH))[1]
    assert_same(parts(moved.reset([0, 1, 2])), parts(expected), "state after reset")


@pytest.mark.parametrize("kept", [[True, False, True], [False] * 3, [True] * 3])
def test_masked_rows_stay_as_they_are(subject: Subject, kept: list[bool]) -> None:
    mask, state = np.array(kept), random_state(subject.model, BATCH)
    y, end = subject.model(subject.x[:, :1], state, mask=mask[:, None])
    answer, states = subject.runtime.step(subject.x[:, 0], subject.runtime.states_in(state, BATCH, "a test"), mask)
    assert_close(answer, np.asarray(y)[:, 0] if subject.case.every_step else np.asarray(y), "y")
    assert_close(parts(subject.runtime.state_of(states)), parts(end), "state")


# ------------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_the_layers(name: str) -> None:
    near: Array = np.random.default_rng(1).normal(size=(4, 6)).astype(np.float32)
    edges: Array = np.array([[0.0, -3.0, 3.0, -80.0, 80.0, 1e-6]], np.float32)
    for x in (near, 4 * near, edges):
        if name != "exponential" or np.abs(x).max() < 80:
            assert_close(IN_NUMPY[name](x.copy()), np.asarray(ACTIVATIONS[name](jnp.asarray(x))), name)


@pytest.mark.parametrize("name", sorted({"sigmoid", "softmax", "softplus", "tanh", "silu", "elu", "selu", "gelu"}))
def test_activations_bear_large_numbers_without_a_warning(name: str) -> None:
    x = np.array([[-1e30, -1e4, 0, 1e4, 1e30]], np.float32)
    y = IN_NUMPY[name](x)
    assert np.isfinite(y).all()
    assert y.dtype == np.float32


def test_there_is_every_activation() -> None:
    assert set(IN_NUMPY) == set(ACTIVATIONS) == set(FUNCTIONS)


SIGMOIDS: dict[str, list[Layer]] = {
    "dense": [sw.LSTM(4), Dense(3, activation="sigmoid")],
    "activation": [sw.LSTM(4), Dense(3), Activation("sigmoid")],
    "simple": [sw.SimpleRNN(3, activation="sigmoid")],
    "each-step": [sw.LSTM(4, return_sequences=True), sw.TimeDistributed(Dense(3, activation="sigmoid"))],
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", SIGMOIDS)
def test_small_probabilities_keep_their_digits(name: str, engine: str) -> None:
    """As 1 / (1 + e^20) is 2.06e-9, not 0, a logarithm may follow. Gates need no such digits: they are factors."""
    model = built(SIGMOIDS[name], (None, 2))
    weights = [np.zeros_like(weight) for weight in model.get_weights()]
    weights[-1] = logits = np.array([-12.0, -20.0, -30.0], np.float32)
    model.set_weights(weights)
    expected = 1 / (1 + np.exp(-logits.astype(np.float64)))
    np.testing.assert_allclose(model.stream(engine=engine).push([0.3, -0.7]), expected, rtol=1e-5)


def test_a_step_goes_with_the_last_who_uses_it() -> None:
    """Weights are not kept alive until a collection of garbage: a server makes a runtime for each upgrade."""
    runtime = runtime_of(built([sw.LSTM(4), Dense(3)], (None, 2)))
    step = weakref.ref(runtime.step)
    gc.disable()
    try:
        del runtime
        assert step() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("cell", [sw.LSTM, GRU])
@pytest.mark.parametrize("units", [1, 50])
def test_wide_and_narrow_layers(cell: Any, units: int) -> None:
    model = built([cell(units, return_sequences=True), Dense(1)], (None, 1))
    random_weights(model, scale=0.7 / np.sqrt(units))  # larger ones make it chaotic: rounding grows with every step
    x = np.random.default_rng(4).normal(size=(2, 40, 1)).astype(np.float32)
    runtime, answers = runtime_of(model), []
    states = runtime.fresh(2)
    for t in range(x.shape[1]):
        y, states = runtime.step(x[:, t], states)
        answers.append(y)
    y, end = model(x)
    assert_close(np.stack(answers, axis=1), np.asarray(y), "y")
    assert_close(parts(runtime.state_of(states)), parts(end), "state")


def test_the_runtime_keeps_the_weights_it_was_made_with() -> None:
    model = built([Embedding(SYMBOLS, 3), lstm(), gru(3), Dense(2)], (None,))
    params: Any = {layer: {name: np.array(a) for name, a in group.items()} for layer, group in model.params.items()}
    runtime, x = Runtime.of(model.network.config(), params), np.array([1, 2])
    before, _ = runtime.step(x, runtime.fresh(2))
    for group in params.values():
        for array in group.values():
            array[...] += 1
    assert_same(runtime.step(x, runtime.fresh(2))[0], before, "y")


# --------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("kind", ["sequential", "text"])
def test_a_model_file_becomes_the_same_runtime(kind: str, tmp_path: Path) -> None:
    model = built([Embedding(SYMBOLS, 3), lstm(name="it's"), gru(3, learn_initial_state=True), Dense(2)], (None,))
    artifact = model.to_artifact()
    options = {"tokens": "char", "units": 4, "layers": 1, "embedding": 3, "dropout": 0.1, "window": None, "seed": 0}
    vocabulary = Vocabulary("char", tuple("abcdefg")).config()
    header = {**artifact.header, **({"options": options, "vocabulary": vocabulary} if kind == "text" else {})}
    write_artifact(tmp_path / "model", Artifact(kind, header, artifact.arrays))
    runtime, opened, x = runtime_of(model), Runtime.open(tmp_path / "model"), np.array([1, 2])
    assert_same(opened.step(x, opened.fresh(2)), runtime.step(x, runtime.fresh(2)), "y")


def test_a_network_as_older_files_describe_it_has_keras_defaults() -> None:
    model = built([lstm(), Dense(2)], (None, FEATURES))
    config = model.network.config()
    kept = {"kind", "name", "units"}
    config["layers"] = [{name: value for name, value in layer.items() if name in kept} for layer in config["layers"]]
    x, runtime, older = random_x(CASES[0], 2, 1)[:, 0], runtime_of(model), Runtime.of(config, model.params)
    assert_same(older.step(x, older.fresh(2)), runtime.step(x, runtime.fresh(2)), "y")


@pytest.mark.parametrize("engine", ENGINES)
def test_neither_files_nor_steps_need_jax(engine: str, tmp_path: Path) -> None:
    built([Masking(), lstm(), gru(3, learn_initial_state=True), Dense(2)], (None, 2)).save(tmp_path / "model")
    code = """
import sys
import weakref
import statewise.streaming as streaming
imported = [name for name in ("scipy", "jax") if name in sys.modules]
assert not imported, imported
stream = streaming.Stream.open(sys.argv[1], engine=sys.argv[2])
stream.push([0.5, 1.0])
kept = stream.snapshot()
kept.save(sys.argv[1] + ".state")
stream.restore(type(kept).load(sys.argv[1] + ".state"))
streams = streaming.Streams.open(sys.argv[1], engine=sys.argv[2], max_streams=1)
streams.push({"a": [0.5, 1.0]}), streams.push({"b": [0.5, 1.0]})
streams.restore(streams.snapshot())
print([name for name in sys.modules if name.split(".")[0] in ("jax", "jaxlib", "optax", "scipy", "tqdm")])
"""
    out = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path / "model"), engine],
        capture_output=True,
        text=True,
        check=False,
    )
    assert out.stdout.strip() == "[]", out.stdout + out.stderr


def opened(tmp_path: Path, artifact: Artifact) -> Runtime:
    write_artifact(tmp_path / "model", artifact)
    return Runtime.open(tmp_path / "model")


def test_files_of_other_things_are_refused(tmp_path: Path) -> None:
    model = built([lstm(), Dense(2)], (None, FEATURES))
    model.initial_state(1).save(tmp_path / "state")
    refused(lambda: Runtime.open(tmp_path / "state"), FileError, ["state", "expected a model", "model.save"])
    refused(lambda: Runtime.open(tmp_path / "nothing"), FileError, ["no model file"])
    whole = model.to_artifact()
    headers: list[dict[str, Any]] = [{}, {"network": 5}, {"network": {"input_shape": [None, 3], "layers": []}}]
    for header in headers:
        artifact = Artifact("sequential", header, {})
        refused(partial(opened, tmp_path, artifact), FileError, ["damaged", "network", "create it again"])
    bare = Artifact("sequential", whole.header, {})
    refused(lambda: opened(tmp_path, bare), FileError, ["'lstm'", "size 4", "got none", "create it again"])
    odd = {**whole.arrays, "params['dense']['kernel']": np.zeros((3, 2), np.float32)}
    message = ["'dense'", "expected kernel [4, 2]", "got [3, 2]"]
    refused(lambda: opened(tmp_path, Artifact("sequential", whole.header, odd)), FileError, message)


UNTRAINED = {"seed": 0, "trained": False, "compiled": None, "state": None}
EMBEDDING = {"kind": "Embedding", "name": "embedding", "input_dim": 5, "output_dim": 2}
DENSE = {"kind": "Dense", "name": "dense", "units": 1, "use_bias": False}


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([DENSE, EMBEDDING], ["'embedding'", "numbers of symbols", "first layer"]),
        ([{"kind": "TimeDistributed", "name": "embedding", "layer": EMBEDDING}], ["Embedding", "the first layer"]),
        ([DENSE, {**DENSE}], ["different names", "['dense', 'dense']"]),
    ],
    ids=["later", "inside", "twice"],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_file_cannot_make_a_step_look_up_what_was_not_checked(
    tmp_path: Path, layers: list[dict[str, Any]], words: list[str], engine: str
) -> None:
    """The compiled step works on addresses."""
    header = {"network": {"input_shape": [None, 1], "layers": layers}, **UNTRAINED}
    arrays = {
        "params['dense']['kernel']": np.ones((1, 1), np.float32),
        "params['embedding']['embeddings']": np.ones((5, 2), np.float32),
    }
    write_artifact(tmp_path / "model", Artifact("sequential", header, arrays))
    refused(lambda: Runtime.open(tmp_path / "model", engine), FileError, [*words, "create it again"])


def test_a_file_with_a_layer_that_reads_from_both_ends_says_why_not(tmp_path: Path) -> None:
    built([Bidirectional(sw.LSTM(3))], (None, 2)).save(tmp_path / "model")
    refused(lambda: Runtime.open(tmp_path / "model"), StateError, ["'bidirectional'", "both ends", "predict"])


# ------------------------------------------------------------------------------------------------- mistakes


def description(**options: Any) -> dict[str, Any]:
    layer = {"kind": "LSTM", "name": "lstm", "units": 2, **options}
    return {"input_shape": [None, 1], "layers": [layer]}


WEIGHTS = {"lstm": {"kernel": np.zeros((1, 8)), "recurrent_kernel": np.zeros((2, 8)), "bias": np.zeros(8)}}


@table(
    case(
        "both-ends",
        lambda: runtime_of(built([Bidirectional(sw.LSTM(3, return_sequences=True)), Dense(1)], (None, 2))),
        StateError,
        "'bidirectional'",
        "both ends",
        "before the last has come",
        "model.predict(x)",
        "LSTM",
    ),
    case(
        "kind",
        lambda: Runtime.of(description(kind="LTSM"), WEIGHTS),
        ConfigurationError,
        "unknown layer 'LTSM'",
        "did you mean 'LSTM'",
    ),
    case(
        "activation",
        lambda: Runtime.of(description(activation="tahn"), WEIGHTS),
        ConfigurationError,
        "unknown activation 'tahn'",
        "'tanh'",
    ),
    case(
        "gates",
        lambda: Runtime.of(description(recurrent_activation=["sigmoid"]), WEIGHTS),
        ConfigurationError,
        "unknown activation ['sigmoid']",
    ),
    case(
        "missing-weight",
        lambda: Runtime.of(description(learn_initial_state=True), WEIGHTS),
        ShapeError,
        "'lstm'",
        "expected initial_h [2]",
        "got kernel, recurrent_kernel, bias",
    ),
    case(
        "shape",
        lambda: Runtime.of(description(units=3), WEIGHTS),
        ShapeError,
        "expected kernel [1, 12]",
        "got [1, 8]",
    ),
)
def test_what_is_no_network_is_refused(action: Any, error: type[StatewiseError], words: tuple[str, ...]) -> None:
    refused(action, error, words)
