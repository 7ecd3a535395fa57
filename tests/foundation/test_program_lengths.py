"""Rows of many lengths cost what they hold, answer as one by one, and compile few programs."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import statewise as sw
from learning import BATCH, CLASSES, RATE
from networks import copied, random_state, random_weights
from statewise.data import length_buckets as buckets
from statewise.data.length_buckets import LengthBuckets, bucket_by_length
from statewise.data.ragged_rows import RaggedRows
from statewise.foundation.program_lengths import PIECE
from statewise.foundation.random import fold_in, key_of
from statewise.inference import forward as inference
from statewise.inference.forward import forward_of
from statewise.inference.start import Start
from statewise.layers.base import MemorylessLayer
from statewise.models.reader import Flags
from statewise.training import dispatch, programs
from tolerances import assert_close, assert_same

RNG = np.random.default_rng(61)
LENGTHS = np.array([2, 2, 3, 3, 1, 2, 9, 8, 9, 3, 2])  # in order, batches are of 3, 9 and 9 steps; else of 9, 3 and 2
N = len(LENGTHS)
X = [RNG.normal(size=(length, 2)).astype(np.float32) for length in LENGTHS]
Y = [RNG.integers(0, CLASSES, length) for length in LENGTHS]
RESET = [RNG.random(length) < 0.2 for length in LENGTHS]
WEIGHT = [RNG.uniform(0.5, 2, length).astype(np.float32) for length in LENGTHS]
LIMITS = ("LEAST_SHARE", "LEAST_PER_BATCH", "LEAST_SAVED")


@pytest.fixture
def grouped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of like lengths, however small the rows are."""
    for limit in LIMITS:
        monkeypatch.setattr(buckets, limit, 0)


def padded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "LEAST_SAVED", 10**9)


def tagger(dropout: float = 0.0, **options: Any) -> sw.Sequential:
    layers = [
        sw.GRU(4, return_sequences=True, input_shape=(None, 2), recurrent_dropout=dropout, **options),
        sw.Dense(CLASSES, activation="softmax"),
    ]
    model = sw.Sequential(layers, seed=3)
    model.compile(sw.SGD(learning_rate=RATE), "sparse_categorical_crossentropy", ["accuracy"])
    return model


def fit(model: sw.Sequential, x: Any = X, y: Any = Y, **options: Any) -> sw.History:
    return model.fit(x, y, **{"batch_size": BATCH, "epochs": 2, "verbose": 0} | options)


# ------------------------------------------------------------------------------------------------ fit

WAYS: dict[str, dict[str, Any]] = {
    "in-order": {"shuffle": False, "sample_weight": WEIGHT},
    "carry": {"state": "carry", "reset": RESET},
    "warmup": {"state": "warmup:2", "shuffle": False},
    "truncated": {"state": "continue", "tbptt": 2},
    "from-states": {"shuffle": False, "validation_split": 0.3},
}


@pytest.mark.usefixtures("grouped")
@pytest.mark.parametrize("way", WAYS)
def test_training_in_order_equals_that_of_rows_padded_to_the_longest(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropout that is the same at all steps included."""
    found, expected, options = tagger(0.3), tagger(0.3), WAYS[way]
    if way == "from-states":
        options = options | {"state": random_state(found, int(0.7 * N))}
    history = fit(found, **options)
    feed = found.reader.feed(
        X, Y, BATCH, Flags(), class_weight=None, shuffle=False, validation_data=None, validation_split=0.0
    )
    feed = feed.arranged(Start(), False, 3)
    assert isinstance(feed.source, LengthBuckets)
    padded(monkeypatch)
    by_padding = fit(expected, **options)
    assert_close(found.get_weights(), expected.get_weights(), "weights")
    assert_close(copied(found.state), copied(expected.state), "state")
    for name, values in by_padding.history.items():
        assert history.history[name] == pytest.approx(values, rel=1e-5), name


@pytest.mark.usefixtures("grouped")
def test_shuffled_training_takes_batches_of_like_lengths_in_the_order_of_the_seed() -> None:
    """Batch by batch, each as a training of its own, is the same; which batches is `bucket_by_length`'s to say."""
    model, by_hand = tagger(), tagger()
    fit(model, epochs=1)
    steps, target = np.concatenate(X), np.concatenate(Y)
    rows = RaggedRows(LENGTHS, {"x": steps, "y": target}, {"weight": np.arange(N)})
    batches = bucket_by_length(rows, BATCH, sort=True, key=fold_in(key_of(3), 1))
    assert isinstance(batches, LengthBuckets)
    for batch in batches.epoch(0):
        assert batch.weight is not None
        chosen = batch.weight.tolist()
        fit(by_hand, [X[row] for row in chosen], [Y[row] for row in chosen], epochs=1, shuffle=False)
    assert_close(model.get_weights(), by_hand.get_weights(), "weights")


@pytest.mark.usefixtures("grouped")
def test_one_answer_a_row_is_learned_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def trained() -> sw.Sequential:
        model = sw.Sequential([sw.Bidirectional(sw.SimpleRNN(3)), sw.Dense(1)], seed=4)
        model.compile("sgd", "mse")
        model.fit(X, np.arange(N) / N, shuffle=False, batch_size=BATCH, epochs=2, verbose=0)
        return model

    found = trained()
    padded(monkeypatch)
    assert_close(found.get_weights(), trained().get_weights(), "weights")


class Killed(BaseException):
    """Ends a training anywhere."""


class Kill(sw.Callback):
    """Kills a training after a batch in the midst of its second epoch."""

    def on_step(self, record: Any) -> None:
        if (record.epoch, record.step) == (1, 2):
            assert record.steps == 3
            raise Killed


@pytest.mark.usefixtures("grouped")
def test_an_epoch_of_like_lengths_is_resumed_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "DISPATCH_SECONDS", 0.0)  # tells every step
    whole, parted = tagger(0.3), tagger(0.3)
    expected = fit(whole, epochs=3)
    with pytest.raises(Killed):
        fit(parted, epochs=3, checkpoint=tmp_path / "run", callbacks=[Kill()])
    resumed = tagger(0.3)
    found = fit(resumed, epochs=3, checkpoint=tmp_path / "run")
    assert_same(resumed.get_weights(), whole.get_weights(), "weights")
    assert found.history == expected.history


# ---------------------------------------------------------------------------- evaluate and predict

NETWORKS: dict[str, Any] = {
    "every-step": lambda: [sw.GRU(4, return_sequences=True), sw.Dense(CLASSES, activation="softmax")],
    "last-step": lambda: [sw.SimpleRNN(4, learn_initial_state=True), sw.Dense(CLASSES, activation="softmax")],
    "both-ends": lambda: [
        sw.Bidirectional(sw.SimpleRNN(3, return_sequences=True)),
        sw.Dense(CLASSES, activation="softmax"),
    ],
    "from-the-end": lambda: [sw.SimpleRNN(4, return_sequences=True, go_backwards=True), sw.SimpleRNN(CLASSES)],
}


@pytest.mark.usefixtures("grouped")
@pytest.mark.parametrize("name", NETWORKS)
def test_rows_answer_and_score_as_one_by_one_and_in_their_order(name: str) -> None:
    """As all at once, padded to the longest."""
    model = sw.Sequential(NETWORKS[name](), seed=5)
    model.build((None, None, 2))
    model.compile("sgd", "mse")
    random_weights(model)
    real = np.arange(LENGTHS.max()) < LENGTHS[:, None]
    whole = np.zeros((*real.shape, 2), np.float32)
    whole[real] = np.concatenate(X)
    fresh = model.network.initial_state(model.params, N)
    at_once, ended = jax.jit(model.network.apply)(model.params, whole, fresh, mask=real)
    expected = [y[:length] if y.ndim == 2 else y for y, length in zip(np.asarray(at_once), LENGTHS, strict=True)]
    found, end = model.predict(X, batch_size=BATCH, return_state=True)
    called, after = model(X)
    for answers in (found, called):
        assert len(answers) == N
        assert_close(list(answers), expected, "y")
    assert_close(copied(dict(end.layers)), copied({name: ended[name] for name in end.layers}), "state")
    assert_close(copied(after), copied(end), "state of the call")
    targets = [RNG.normal(size=y.shape).astype(np.float32) for y in expected]
    by_step = expected[0].ndim == 2
    loss = model.evaluate(X, targets if by_step else np.stack(targets), batch_size=BATCH)
    squares = [((y - target) ** 2).mean(axis=-1).ravel() for y, target in zip(expected, targets, strict=True)]
    assert loss == pytest.approx(np.concatenate(squares).mean(), rel=1e-5)


# ------------------------------------------------------------------------------------------ programs


@pytest.fixture
def counter() -> Iterator[sw.Sequential]:
    """A model whose programs nobody else has."""
    model = sw.Sequential([sw.SimpleRNN(2, return_sequences=True), sw.Dense(1, name="counted")], seed=7)
    model.build((None, None, 1))
    model.compile("sgd", "mse")
    random_weights(model)
    yield model
    forward_of.cache_clear()
    programs.programs_for.cache_clear()


@pytest.fixture
def compiled() -> Iterator[list[str]]:
    """What is compiled meanwhile."""
    seen: list[str] = []

    def note(event: str, *_: Any, **__: Any) -> None:
        if event.endswith("backend_compile_duration"):
            seen.append(event)

    jax.monitoring.register_event_duration_secs_listener(note)
    yield seen
    jax.monitoring.unregister_event_duration_listener(note)


LONG = RNG.normal(size=(2, 1000, 1)).astype(np.float32)


def asked(what: str, model: sw.Sequential, steps: int) -> Any:
    x = LONG[:, :steps]
    if what == "call":
        return model(x)[0]
    if what == "predict":
        return model.predict(x)
    if what == "list":
        return model.predict([x[0], x[1, : steps // 2]])
    return model.evaluate(x, np.sin(x))


@pytest.mark.parametrize("what", ["call", "predict", "list", "evaluate"])
def test_forty_lengths_compile_seven_programs_and_answer_as_ever(
    what: str, counter: sw.Sequential, compiled: list[str]
) -> None:
    apply, params = counter.network.apply, counter.params
    expected = np.asarray(jax.jit(apply)(params, LONG, counter.network.zero_state(2))[0])
    compiled.clear()
    lengths = [1 + (what == "list"), *RNG.permutation(np.arange(3, 1000, 26)), 1000]
    assert len(lengths) == 41
    for steps in lengths:
        found, wanted = asked(what, counter, int(steps)), expected[:, :steps]
        if what == "evaluate":
            assert found == pytest.approx(((wanted - np.sin(LONG[:, :steps])) ** 2).mean(), rel=1e-4)
        elif what == "list":
            assert_close(found, [wanted[0], wanted[1, : steps // 2]], f"y of {steps} steps")
        else:
            assert_close(np.asarray(found), wanted, f"y of {steps} steps")
    assert 2 < len(compiled) <= 7


def test_flags_and_states_hold_in_rows_that_are_read_in_pieces(counter: sw.Sequential) -> None:
    steps = 2 * PIECE + 70
    x, start = LONG[:, :steps], random_state(counter, 2)
    flags = {name: RNG.random((2, steps)) < share for name, share in (("reset", 0.02), ("mask", 0.8))}
    states = counter.network.check_state(start)
    expected, ended = jax.jit(counter.network.apply)(counter.params, x, states, **flags)
    for known in (5, 6):
        counter(x[:, :known])
    y, end = counter(x, start, **flags)
    assert_close(np.asarray(y), np.asarray(expected), "y")
    assert_close(copied(dict(end.layers)), copied({name: ended[name] for name in end.layers}), "state")


def test_the_first_lengths_are_run_as_they_are(counter: sw.Sequential) -> None:
    """The usual case, one length or two, costs nothing for what other lengths would need."""
    for steps in (40, 50, 1):
        counter(LONG[:, :steps])
        kept: Any = forward_of(counter.network)._programs
        assert ((2, steps, 1), "<f4") in [shapes[0] for shapes in kept._programs]


def test_a_layer_of_ones_own_is_not_given_padding() -> None:
    """Nobody knows whether it heeds masks."""

    class Centered(MemorylessLayer):
        def output_shape(self, shape: Any) -> Any:
            return shape

        def transform(self, params: Any, x: Any, rng: Any) -> Any:
            return x - x.mean(axis=1, keepdims=True)

    model = sw.Sequential([Centered(input_shape=(None, 1)), sw.SimpleRNN(2, return_sequences=True)], seed=1)
    for steps in (4, 5, 6):
        x: Any = LONG[:, :steps]
        expected, _ = model.network.apply(model.params, x, model.network.zero_state(2))
        assert_close(np.asarray(model(x)[0]), np.asarray(expected), f"y of {steps} steps")


def test_old_programs_go(counter: sw.Sequential, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many shapes, numbers of rows here, the last used are kept; the memory of the others is given back."""
    monkeypatch.setattr(inference, "KEPT", 1)
    monkeypatch.setattr(programs, "KEPT", 1)
    y = np.ones((9, 2, 1))
    for rows in (1, 2):
        x = np.ones((rows, 2, 1))
        counter(x)
        counter.fit(x, y[:rows], batch_size=rows, verbose=0)
        counter.evaluate(x, y[:rows])
        if rows == 1:
            held: list[Any] = [
                forward_of(counter.network)._programs,
                counter.programs.train,
                counter.programs.evaluate,
            ]
            first = [weakref.ref(next(iter(kept._programs.values())).run) for kept in held]
            assert None not in [program() for program in first]
    gc.collect()
    assert [len(kept) for kept in held] == [1, 1, 1]
    assert [program() for program in first] == [None] * 3
