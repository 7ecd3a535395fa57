"""Models that are graphs: a chain is the same as Sequential, weights are shared, files keep them, mistakes are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import refused
from networks import random_weights, skip_connection
from statewise.errors import ConfigurationError, FileError, ShapeError
from statewise.layers.tensors import Tensor
from statewise.storage.artifact import read_artifact, write_artifact

RNG = np.random.default_rng(4)
X = RNG.normal(size=(6, 5, 3)).astype("float32")
Y = RNG.normal(size=(6, 5, 2)).astype("float32")


def trained(model: sw.Model, epochs: int = 3) -> list[float]:
    model.compile("adam", "mse")
    losses: list[float] = model.fit(X, Y, batch_size=2, epochs=epochs, verbose=0, state="carry").history["loss"]
    return losses


def graph(seed: int = 0) -> sw.Model:
    x = sw.Input((None, 3), name="readings")
    return sw.Model(x, skip_connection(x), seed=seed)


# ------------------------------------------------------------------------------------------------- a chain


def test_a_chain_is_a_sequential_bit_for_bit() -> None:
    layers = [sw.LSTM(4, return_sequences=True, dropout=0.2), sw.Dropout(0.3), sw.Dense(2)]
    x = sw.Input((None, 3))
    tensor: Tensor = x
    for layer in layers:
        tensor = layer(tensor)
    chain, stack = sw.Model(x, tensor, seed=7), sw.Sequential(layers, seed=7)
    stack.build((None, None, 3))
    assert chain.network == stack.network
    assert trained(chain) == trained(stack)
    assert (chain.predict(X) == stack.predict(X)).all()


def test_steps_that_were_given_are_free_if_no_layer_needs_them() -> None:
    x = sw.Input((5, 3))
    assert sw.Model(x, sw.LSTM(2)(x))(X[:, :2])[0].shape == (6, 2)
    with pytest.raises(ShapeError, match=r"\[B, 5, 3\]"):
        sw.Model(x, sw.Dense(2)(sw.Flatten()(x)))(X[:, :2])


# ------------------------------------------------------------------------------------------------- sharing


def test_a_layer_used_twice_has_its_weights_once_and_two_states() -> None:
    cell = sw.LSTM(3, return_sequences=True)
    model = sw.Sequential([cell, cell, sw.Dense(2)], seed=2)
    model.build((None, None, 3))
    assert [layer.name for layer in model.layers] == ["lstm", "dense"]
    assert sorted(model.params) == ["dense", "lstm"]
    assert list(model.initial_state(1)) == ["lstm", "lstm_1"]
    twice = sw.Sequential([sw.LSTM(3, return_sequences=True), sw.LSTM(3, return_sequences=True), sw.Dense(2)])
    twice.build((None, None, 3))
    cell_weights, dense = model.get_weights()[:3], model.get_weights()[3:]
    twice.set_weights([*cell_weights, *cell_weights, *dense])
    assert (model(X)[0] == twice(X)[0]).all()


def test_the_gradient_of_shared_weights_is_the_sum_of_both_uses() -> None:
    """One update of SGD moves shared weights by what it moves two equal layers together."""
    cell = sw.SimpleRNN(3, return_sequences=True)
    one = sw.Sequential([cell, cell, sw.Dense(2)], seed=2)
    two = sw.Sequential(
        [sw.SimpleRNN(3, return_sequences=True), sw.SimpleRNN(3, return_sequences=True), sw.Dense(2)], seed=2
    )
    for model in (one, two):
        model.build((None, None, 3))
        model.compile(sw.SGD(0.1), "mse")
    random_weights(one)
    before = one.get_weights()
    two.set_weights([*before[:3], *before[:3], *before[3:]])
    for model in (one, two):
        model.fit(X, Y, batch_size=6, epochs=1, verbose=0)
    moved = [after - start for after, start in zip(two.get_weights(), [*before[:3], *before], strict=True)]
    for place in range(3):
        np.testing.assert_allclose(one.get_weights()[place] - before[place], moved[place] + moved[3 + place], atol=1e-6)


def test_regularizers_of_shared_weights_count_once() -> None:
    cell = sw.SimpleRNN(3, return_sequences=True, kernel_regularizer=sw.L1L2(l2=0.5))
    model = sw.Sequential([cell, cell], seed=2)
    model.build((None, None, 3))
    penalty = model.network.penalty(model.params)
    assert penalty is not None
    assert float(penalty) == pytest.approx(0.5 * float((model.get_weights()[0] ** 2).sum()), rel=1e-5)


def test_a_named_layer_gets_a_number_where_it_occurs_again() -> None:
    cell = sw.LSTM(3, return_sequences=True, name="cell")
    model = sw.Sequential([cell, sw.Dense(3), cell])
    model.build((None, None, 3))
    assert model.network.names == ("cell", "dense", "cell_1")


# ------------------------------------------------------------------------------------------------- files, copies


def test_a_file_keeps_the_graph(tmp_path: Path) -> None:
    model = graph(seed=3)
    losses = trained(model)
    model.save(tmp_path / "graph.statewise")
    again = sw.load(tmp_path / "graph.statewise")
    assert type(again) is sw.Model
    assert again.network.config() == model.network.config()
    assert (again.predict(X) == model.predict(X)).all()
    stream = sw.Stream.open(tmp_path / "graph.statewise")
    np.testing.assert_allclose([stream.push(step) for step in X[0]], model.predict(X[:1])[0], atol=1e-5)
    assert trained(again, 2) == trained(model, 2) != losses


def test_a_sequential_that_shares_a_layer_is_kept_as_one(tmp_path: Path) -> None:
    cell = sw.LSTM(3, return_sequences=True)
    model = sw.Sequential([cell, cell], seed=1)
    model.build((None, None, 3))
    model.save(tmp_path / "model")
    again = sw.load(tmp_path / "model")
    assert type(again) is sw.Sequential
    assert list(again.params) == ["lstm"]
    assert (again(X)[0] == model(X)[0]).all()


def test_training_goes_on_from_a_checkpoint_bit_for_bit(tmp_path: Path) -> None:
    whole, first, second = graph(1), graph(1), graph(1)
    expected = trained(whole, 4)
    first.compile("adam", "mse")
    first.fit(X, Y, batch_size=2, epochs=2, verbose=0, state="carry", checkpoint=tmp_path / "c")
    second.compile("adam", "mse")
    history = second.fit(X, Y, batch_size=2, epochs=4, verbose=0, state="carry", checkpoint=tmp_path / "c")
    assert history.history["loss"] == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sources": ["dense"]}, "reads \\['dense'\\]: expected what is before it"),
        ({"sources": []}, "expected what is before it"),
        ({"sources": 3}, "expected a list"),
        ({"weights": "other"}, "expected weights of layer 'lstm'"),
        ({"weights": "lstm_1"}, "has the weights of 'lstm_1'"),
    ],
)
def test_a_damaged_graph_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    model = graph()
    model.save(tmp_path / "model")
    artifact = read_artifact(tmp_path / "model")
    artifact.header["network"]["layers"][0].update(change)
    write_artifact(tmp_path / "bad", artifact)
    with pytest.raises(FileError, match=message):
        sw.load(tmp_path / "bad")


# ------------------------------------------------------------------------------------------------- what it shows


def test_the_summary_says_what_each_layer_reads(capsys: pytest.CaptureFixture[str]) -> None:
    graph().summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "input 'readings' [B, T, 3]"
    assert lines[1].split() == ["layer", "kind", "output", "weights", "reads"]
    reads = {line.split()[0]: line.split("  ")[-1] for line in lines[3:-1]}
    assert reads["concatenate"] == "readings, lstm, dense"
    assert reads["add"] == "lstm, lstm_1"


def test_shared_weights_are_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    cell = sw.LSTM(3, return_sequences=True)
    model = sw.Sequential([cell, cell])
    model.build((None, None, 3))
    model.summary()
    assert "as lstm" in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------- mistakes


def wrong(value: object) -> Any:
    """A value whose type the type checker refuses."""
    return value


def test_tensors_have_no_numbers() -> None:
    x = sw.Input((None, 3))
    assert sw.Model(x, x * x - (x + x)).network.names == ("multiply", "add", "subtract")
    uses = (
        lambda: np.asarray(x),
        lambda: bool(x),
        lambda: list(x),
        lambda: x + 1,
        lambda: wrong(x) * 2.0,
        lambda: x[:, 0],
    )
    for use in uses:
        refused(use, ConfigurationError, ["symbolic", "sw.Model(x, y)"])
    refused(lambda: sw.LSTM(3)(wrong(X)), ConfigurationError, ["LSTM", "sw.Input(shape)", "ndarray"])
    refused(lambda: sw.LSTM(3)([x, x]), ConfigurationError, ["LSTM", "one tensor", "Concatenate"])
    refused(lambda: sw.Add()(x), ConfigurationError, ["Add", "a list of tensors"])
    refused(lambda: sw.LSTM(3, input_shape=(None, 3))(x), ConfigurationError, ["input_shape", "leave it out"])


def test_inputs_and_outputs_that_do_not_belong_together() -> None:
    x, other = sw.Input((None, 3), name="readings"), sw.Input((None, 3), name="other")
    y = sw.LSTM(3)(x)
    refused(lambda: sw.Model(other, y), ConfigurationError, ["'readings'", "'other'", "not among the inputs"])
    named = sw.LSTM(3, name="readings")(x)
    refused(lambda: sw.Model(x, named), ConfigurationError, ["'readings'", "the input and a layer"])
    refused(lambda: sw.Model(x, x), ConfigurationError, ["at least one layer"])
    refused(lambda: sw.Model(x, sw.Add()([y, sw.LSTM(3)(other)])), ConfigurationError, ["'other'"])
    refused(lambda: sw.Model([x, other], y), ConfigurationError, ["no output", "'other'"])
    refused(lambda: sw.Model([x, x], y), ConfigurationError, ["inputs", "twice"])
    refused(lambda: sw.Model(x, wrong({3: y})), ConfigurationError, ["outputs", "names as keys", "3"])
    refused(lambda: sw.Model(wrong([sw.LSTM(3)]), y), ConfigurationError, ["inputs", "sw.Input", "Sequential"])


def test_a_layer_has_the_name_that_the_summary_shows() -> None:
    x = sw.Input((None, 1))
    y, h, c = sw.LSTM(3, return_state=True, name="encoder")(x)
    model = sw.Model(x, sw.Dense(1)(sw.Concatenate()([y, h, c])), seed=1)
    assert [layer.name for layer in model.layers] == ["encoder", "encoder_h", "encoder_c", "concatenate", "dense"]
    assert model.get_layer("encoder_h").name == "encoder_h"
    assert "encoder_h: FinalState('h')" in repr(model)


def test_a_value_without_steps_is_told_how_to_be_joined_with_one_that_has_some() -> None:
    with pytest.raises(
        sw.StatewiseError, match=r"got \[B, T, 3\], \[B, 3\]; sw.RepeatLike\(\)\(\[row, steps\]\) repeats"
    ):
        sw.Concatenate()([sw.Input((None, 3)), sw.Input((3,))])


def test_the_only_output_may_be_named_as_one_of_several() -> None:
    x = sw.Input((None, 1))
    named, plain = (sw.Model(x, {"load": sw.Dense(1, name="load")(sw.LSTM(3)(x))}, seed=1) for _ in range(2))
    named.compile("adam", {"load": "mse"}, metrics={"load": ["mae"]})
    plain.compile("adam", "mse", metrics=["mae"])
    assert named.settings == plain.settings
    rows, y, weight = np.ones((4, 5, 1)) * np.arange(4).reshape(4, 1, 1), np.arange(4.0)[:, None], np.arange(4.0)
    named.fit(rows, {"load": y}, sample_weight={"load": weight}, epochs=2, verbose=0)
    plain.fit(rows, y, sample_weight=weight, epochs=2, verbose=0)
    assert named.evaluate(rows, {"load": y}, sample_weight={}) == plain.evaluate(rows, y)
    with pytest.raises(sw.StatewiseError, match="unknown output in loss 'laod': did you mean 'load'"):
        named.compile("adam", {"laod": "mse"})
    with pytest.raises(sw.StatewiseError, match="no scored output 'laod'; expected 'load'"):
        named.fit(rows, y, sample_weight={"laod": weight})


def test_layers_that_do_not_fit() -> None:
    x = sw.Input((None, 3))
    refused(lambda: sw.LSTM(3)(sw.LSTM(3)(x)), ShapeError, ["LSTM", "return_sequences=True"])
    steps = sw.RepeatVector(4)(sw.LSTM(3)(x))
    y = sw.Add()([sw.LSTM(3, return_sequences=True)(sw.Input((4, 3))), steps])
    refused(lambda: sw.Model(x, y), ConfigurationError, ["not among the inputs"])
    fixed = sw.Input((4, 3))
    made = sw.Add()([sw.LSTM(3, return_sequences=True)(fixed), sw.RepeatVector(4)(sw.LSTM(3)(fixed))])
    refused(lambda: sw.Model(fixed, made), ShapeError, ["'add'", "the same steps"])


def test_a_shared_layer_reads_the_same_features() -> None:
    x, cell = sw.Input((None, 3)), sw.LSTM(4, return_sequences=True)
    refused(lambda: sw.Model(x, cell(cell(x))), ShapeError, ["'lstm_1'", "the weights of 'lstm'", "[B, T, 4]"])


def test_symbols_are_read_by_embeddings_alone() -> None:
    x = sw.Input((None,))
    vectors = sw.Embedding(5, 3)(x)
    y = sw.Concatenate()([vectors, sw.Embedding(5, 2)(x)])
    assert sw.Model(x, y)([[1, 2, 4]])[0].shape == (1, 3, 5)
    refused(lambda: sw.Model(x, sw.Embedding(5, 3)(vectors)), ShapeError, ["Embedding"])
    rows = sw.Input((3,))
    mixed = sw.Concatenate()([sw.LSTM(2)(sw.Embedding(5, 3)(rows)), sw.Dense(2)(rows)])
    refused(lambda: sw.Model(rows, mixed), ShapeError, ["'embedding'", "as integers", "'dense'", "as real numbers"])


def test_a_layer_inside_another_is_not_shared() -> None:
    x, dense = sw.Input((None, 3)), sw.Dense(3)
    refused(lambda: sw.Model(x, sw.TimeDistributed(dense)(dense(x))), ConfigurationError, ["Dense", "again"])


def test_two_layers_that_skip_different_steps_skip_both_kinds() -> None:
    """Also as a stream, where both conditions become one."""
    x = sw.Input((None, 3))
    both = sw.Add()([sw.Masking(0.0)(x), sw.Masking(-1.0)(x)])
    model = sw.Model(x, sw.LSTM(4, return_sequences=True)(both), seed=1)
    rows = np.random.default_rng(2).normal(size=(3, 8, 3)).astype("float32")
    rows[0, 2], rows[0, 5], rows[1, 0], rows[1, 1], rows[2, 7] = 0.0, -1.0, -1.0, 0.0, 0.0
    found = model.verify(rows)
    assert found.passed, f"\n{found}"
    assert found.checks[-1].difference is not None
