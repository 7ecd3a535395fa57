"""What users do wrong with graphs of several inputs, outputs and time axes: one message, with the way out."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

import graphs
from mistakes import case, each, refused, sw, table
from statewise.errors import ArgumentError, ConfigurationError, ShapeError, StateError

ROWS = 4
READINGS, PLANT = np.zeros((ROWS, 5, 3), "float32"), np.zeros((ROWS, 2), "float32")
SOURCE, TARGET = np.zeros((ROWS, 5, 2), "float32"), np.zeros((ROWS, 6, 3), "float32")
X: dict[str, Any] = {"readings": READINGS, "plant": PLANT}
TWO: dict[str, Any] = {"source": SOURCE, "target": TARGET}
Y: dict[str, Any] = {"load": READINGS, "alarm": np.zeros((ROWS, 1), "float32")}
LOSS = {"load": "mse", "alarm": "binary_crossentropy"}
ON = np.ones((ROWS, 5), bool)

a, b = sw.Input((None, 3), name="a"), sw.Input((None, 3), name="b")
five, row = sw.Input((5, 3), name="five"), sw.Input((2,), name="row")


def last(x: Any, units: int = 3, **options: Any) -> Any:
    return sw.LSTM(units, **options)(x)


def steps(x: Any, units: int = 3, **options: Any) -> Any:
    return sw.LSTM(units, return_sequences=True, **options)(x)


def ended(x: Any) -> list[Any]:
    """The last h and c."""
    state: list[Any] = last(x, return_state=True)[1:]
    return state


def twins(name: str = "x") -> Any:
    one, two = sw.Input((None, 3), name=name), sw.Input((None, 3), name=name)
    return sw.Model([one, two], sw.Add()([last(one), last(two)]))


@cache
def compiled(graph: Callable[[], Any], loss: str | None = "mse") -> Any:
    """A compiled graph; no mistake may change it."""
    model = graph()
    if loss is not None:
        model.compile("adam", LOSS if len(model.network.outputs) > 1 else loss)
    return model


def compiling(**options: Any) -> Any:
    graphs.two_outputs().compile("adam", **{"loss": LOSS, **options})


def fit(graph: Callable[[], Any], x: Any, y: Any, **options: Any) -> Any:
    return compiled(graph).fit(x, y, verbose=0, **options)


def static(x: Any, y: Any = READINGS, **options: Any) -> Any:
    return fit(graphs.static_input, x, y, **options)


def coupled(x: Any, y: Any = READINGS) -> Any:
    return fit(graphs.same_axis, x, y)


def outputs(y: Any, **options: Any) -> Any:
    return fit(graphs.two_outputs, READINGS, y, **options)


def decode(x: Any = TWO, **options: Any) -> Any:
    return fit(graphs.encoder_decoder, x, TARGET, **options)


def call(graph: Callable[[], Any], *data: Any, **options: Any) -> Any:
    return compiled(graph)(*data, **options)


def applied(graph: Callable[[], Any], x: Any, **options: Any) -> Any:
    return compiled(graph).apply(compiled(graph).params, x, **options)


GRAPHS = [
    case(
        "other-input",
        lambda: sw.Model(a, sw.Add()([last(a), last(b)])),
        ConfigurationError,
        "<Input 'b': [B, T, 3]>, which is not among the inputs",
        "'a'",
        "give it, too",
    ),
    case(
        "other-input-to-start-in",
        lambda: sw.Model(a, sw.LSTM(3)(a, initial_state=ended(b))),
        ConfigurationError,
        "'b'",
        "not among the inputs",
    ),
    case("two-inputs-of-one-name", twins, ConfigurationError, "two are called 'x'", "sw.Input(shape, name='x')"),
    case(
        "key-and-name-differ",
        lambda: sw.Model({"q": a, "b": b}, sw.Add()([last(a), last(b)])),
        ConfigurationError,
        "the key 'q'",
        "<Input 'a'",
        "call both the same",
    ),
    case(
        "input-and-layer-of-one-name",
        lambda: sw.Model([a, b], sw.Add()([last(a, name="a"), last(b)])),
        ConfigurationError,
        "the input and a layer are both called 'a'",
        "name the input",
    ),
    case(
        "two-layers-of-one-name",
        lambda: sw.Model([a, b], sw.Add()([last(a, name="q"), last(b, name="q")])),
        ConfigurationError,
        "two layers are called 'q'",
    ),
    case("shapes", lambda: sw.Add()([last(a, 3), last(b, 4)]), ShapeError, "Add", "[B, 3], [B, 4]", "a Dense"),
    case(
        "axes",
        lambda: sw.Model([a, b], sw.Add(name="sum")([steps(a), steps(b)])),
        ShapeError,
        "layer 'sum'",
        "different time axes",
        "sw.Input(shape, name=..., axis='a')",
    ),
    case(
        "axes-made",
        lambda: sw.Model(five, sw.Concatenate(name="beside")([steps(five), sw.RepeatVector(5)(last(five))])),
        ShapeError,
        "layer 'beside'",
        "different time axes",
        "one output per row",
    ),
    case("features", lambda: sw.Attention()([steps(a), steps(b, 4)]), ShapeError, "[B, T, 4]", "a Dense(3)"),
    case("no-values", lambda: sw.Attention()([steps(a)]), ShapeError, "Attention()([query, values])"),
    case("no-steps", lambda: sw.AdditiveAttention()([last(a), steps(b)]), ShapeError, "[B, T, F] each", "[B, 3]"),
    case(
        "causal-across-axes",
        lambda: sw.Model([a, b], sw.Attention(name="look", causal=True)([steps(a), steps(b)])),
        ShapeError,
        "layer 'look'",
        "causal and window",
        "leave them out",
    ),
    case(
        "window-across-axes",
        lambda: sw.Model([a, b], sw.AdditiveAttention(name="look", window=3)([steps(a), steps(b)])),
        ShapeError,
        "layer 'look'",
        "leave them out",
    ),
    case("score-mode", lambda: sw.Attention(score_mode="dots"), ConfigurationError, "did you mean 'dot'"),
    *each("use_scale", lambda value: sw.Attention(use_scale=value), ConfigurationError, of=("yes", 3, None)),
    *each("window", lambda value: sw.Attention(window=value), ConfigurationError, of=(0, 2.5, True)),
    case("row-and-steps", lambda: sw.RepeatLike()([a, row]), ShapeError, "[B, T, 3], [B, 2]", "RepeatLike()([row, "),
    case("two-rows", lambda: sw.RepeatLike()([row]), ShapeError, "RepeatLike()([row, steps])", "[B, 2]"),
    case("dot", lambda: sw.Dot(axes=1)([a, b]), ShapeError, "Dot(axes=(1, 1))", "axes=2", "[B, T, 3], [B, T, 3]"),
    case("dot-axes", lambda: sw.Dot(axes="last"), ConfigurationError, "Dot axes", "(2, 1)", "'last'"),
    case("dot-nothing", sw.Dot, ArgumentError, "Dot needs axes"),
]


@table(*GRAPHS)
def test_a_bad_graph_is_refused(action: Any, error: Any, words: Any) -> None:
    refused(action, error, words)


STARTS = [
    case("count", lambda: sw.LSTM(3)(b, initial_state=ended(a)[:1]), ShapeError, "2 tensors", "got [B, 3]"),
    case("output-too", lambda: sw.LSTM(3)(b, initial_state=last(a, return_state=True)), ShapeError, "after its output"),
    case("size", lambda: sw.LSTM(4)(b, initial_state=ended(a)), ShapeError, "LSTM(4, return_state=True)", "[B, 3]"),
    case("kind", lambda: sw.GRU(3)(b, initial_state=ended(a)), ShapeError, "GRU(3, return_state=True)", "a tensor"),
    case("steps", lambda: sw.GRU(3)(b, initial_state=steps(a)), ShapeError, "GRU", "[B, T, 3]"),
    case(
        "numbers",
        lambda: sw.GRU(3)(b, initial_state=[np.zeros((1, 3))]),
        ConfigurationError,
        "GRU initial_state",
        "got ndarray",
        "model(x, state)",
    ),
    case(
        "learned",
        lambda: sw.LSTM(3, learn_initial_state=True)(b, initial_state=ended(a)),
        ConfigurationError,
        "either learn_initial_state=True or initial_state",
        "leave one out",
    ),
    case("dense", lambda: sw.Dense(3)(b, initial_state=ended(a)), ConfigurationError, "Dense", "LSTM and GRU"),
    case(
        "both-ends",
        lambda: sw.Bidirectional(sw.LSTM(3))(b, initial_state=ended(a)),
        ShapeError,
        "Bidirectional",
        "4 tensors",
    ),
]


@table(*STARTS)
def test_a_bad_start_is_refused(action: Any, error: Any, words: Any) -> None:
    refused(action, error, words)


DATA = [
    case("missing", lambda: static({"readings": READINGS}), ShapeError, "'plant' is missing", "'readings', 'plant'"),
    case("unknown", lambda: static({**X, "plan": PLANT}), ShapeError, "no input 'plan'", "'readings', 'plant'"),
    case("short-list", lambda: static([READINGS]), ShapeError, "a list in that order", "list of 1"),
    case("long-list", lambda: static([READINGS, PLANT, PLANT]), ShapeError, "'readings', 'plant'", "list of 3"),
    case("array", lambda: static(READINGS), ShapeError, "a dict of the inputs 'readings', 'plant'", "ndarray"),
    case("swapped", lambda: static([PLANT, READINGS]), ShapeError, "input 'readings'", "[B, T, 3]", "[4, 2]"),
    case("rows", lambda: static({**X, "plant": PLANT[:3]}), ShapeError, "'plant'", "4 row(s), as 'readings'", "got 3"),
    case("steps", lambda: coupled([READINGS, SOURCE[:, :4]]), ShapeError, "'weather'", "5 step(s), as 'readings'"),
    case(
        "lengths",
        lambda: coupled([[READINGS[0, :2], READINGS[0]], [SOURCE[0, :2], SOURCE[0, :3]]], READINGS[:2]),
        ShapeError,
        "'weather'",
        "as long as those of 'readings'",
    ),
    case("call-nothing", lambda: call(graphs.static_input, {}), ShapeError, "'readings' is missing"),
    case("call-no-row", lambda: call(graphs.static_input, {"readings": READINGS}), ShapeError, "'plant' is missing"),
    case(
        "call-half-an-axis",
        lambda: call(graphs.same_axis, {"readings": READINGS}),
        ShapeError,
        "'weather' is missing",
        "all inputs of a time axis together",
    ),
    case(
        "apply-steps",
        lambda: applied(graphs.same_axis, {"readings": READINGS, "weather": SOURCE[:, :4]}),
        ShapeError,
        "'weather'",
        "5 step(s), as 'readings'",
    ),
    case(
        "apply-rows",
        lambda: applied(graphs.same_axis, {"readings": READINGS, "weather": SOURCE[:3]}),
        ShapeError,
        "'weather'",
        "4 row(s), as 'readings'",
    ),
    case("apply-nothing", lambda: applied(graphs.same_axis, {}), ShapeError, "'readings' is missing"),
    case("fit-a-part", lambda: decode({"target": TARGET}), ShapeError, "'source' is missing"),
    case(
        "attends-to-what-is-not-kept",
        lambda: call(graphs.attending(sw.Attention), {"target": TARGET}),
        ShapeError,
        "layer 'attention' reads 'encoder'",
        "give the inputs that it is made of",
    ),
    case("y-missing", lambda: outputs({"load": READINGS}), ShapeError, "'alarm' has a loss, but no targets"),
    case("y-unknown", lambda: outputs({**Y, "lod": READINGS}), ShapeError, "no output 'lod'", "'load', 'alarm'"),
    case("y-array", lambda: outputs(READINGS), ShapeError, "a dict of the outputs 'load', 'alarm'", "ndarray"),
    case("y-short-list", lambda: outputs([READINGS]), ShapeError, "in that order", "list of 1"),
    case("y-swapped", lambda: outputs([Y["alarm"], Y["load"]]), ShapeError, "output 'load'", "[B, 5, 3]", "[4, 1]"),
    case("weight-unknown", lambda: outputs(Y, sample_weight={"lod": np.ones(4)}), ShapeError, "no scored output 'lod'"),
    case("weight-rows", lambda: outputs(Y, sample_weight={"alarm": np.ones(3)}), ShapeError, "output 'alarm'", "[4]"),
    case(
        "class-weight",
        lambda: outputs(Y, class_weight={0: 1.0, 1: 2.0}),
        ConfigurationError,
        "class_weight",
        "sample_weight={output: weights}",
    ),
    case(
        "validation",
        lambda: outputs(Y, validation_data=(READINGS, {"load": READINGS})),
        ShapeError,
        "'alarm' has a loss, but no targets",
    ),
]


@table(*DATA)
def test_bad_data_are_refused(action: Any, error: Any, words: Any) -> None:
    refused(action, error, words)


AXES = [
    case("array", lambda: decode(mask=ON), ShapeError, "mask", "a dict by time axis, 'source', 'target'", "ndarray"),
    case("unknown", lambda: decode(mask={"sorce": ON}), ShapeError, "no time axis 'sorce'", "'source', 'target'"),
    case("shape", lambda: decode(reset={"target": ON}), ShapeError, "reset", "[4, 6]", "[4, 5]"),
    case("no-steps", lambda: static(X, mask={"plant": ON}), ShapeError, "no time axis 'plant'", "'readings'"),
    case(
        "only-axis",
        lambda: call(graphs.skip_connection, READINGS, mask={"reading": ON}),
        ShapeError,
        "no time axis 'reading'",
        "'readings'",
    ),
    case(
        "absent",
        lambda: call(graphs.encoder_decoder, {"source": SOURCE}, mask={"target": np.ones((4, 6), bool)}),
        ShapeError,
        "the inputs of the time axis 'target' are missing",
    ),
    case("apply-array", lambda: applied(graphs.encoder_decoder, TWO, mask=ON), ShapeError, "a dict by time axis"),
    case("apply-unknown", lambda: applied(graphs.encoder_decoder, TWO, mask={"sorce": ON}), ShapeError, "'sorce'"),
    case("tbptt", lambda: decode(tbptt=2), ConfigurationError, "tbptt", "one time axis", "'source', 'target'"),
    case("tbptt-outputs", lambda: outputs(Y, tbptt=2), ConfigurationError, "tbptt", "got both", "leave tbptt out"),
    case("warmup", lambda: decode(state="warmup:2"), ConfigurationError, "state='warmup:2'", "one time axis"),
    case("stream", lambda: compiled(graphs.encoder_decoder).stream(), StateError, "use model(x, state)"),
    case(
        "carry",
        lambda: fit(graphs.attending(sw.Attention), TWO, TARGET, state="carry"),
        StateError,
        "state='carry'",
        "layer 'attention'",
        "with a fresh state",
    ),
    case(
        "other-state",
        lambda: call(graphs.encoder_decoder, TWO, compiled(graphs.static_input).initial_state(4)),
        StateError,
        "belongs to another network",
        "decoder: started [B, 1]",
    ),
]


@table(*AXES)
def test_what_needs_a_time_axis_names_it(action: Any, error: Any, words: Any) -> None:
    refused(action, error, words)


COMPILING = [
    case("loss", lambda: compiling(loss={"loda": "mse"}), ConfigurationError, "output in loss 'loda'", "'load'"),
    case("loss-list", lambda: compiling(loss=["mse"]), ConfigurationError, "'load', 'alarm', got 1", "{'load': 'mse'}"),
    case("loss-none", lambda: compiling(loss={}), ConfigurationError, "at least one output", "loss={'load': 'mse'}"),
    case("metrics", lambda: compiling(metrics={"loda": ["mae"]}), ConfigurationError, "output in metrics 'loda'"),
    case("metrics-list", lambda: compiling(metrics=[["mae"]]), ConfigurationError, "metrics", "got 1", "['mae']"),
    case(
        "metrics-without-loss",
        lambda: compiling(loss={"load": "mse"}, metrics={"alarm": ["mae"]}),
        ConfigurationError,
        "'alarm'",
        "has no loss",
    ),
    case("weights", lambda: compiling(loss_weights={"loda": 1}), ConfigurationError, "output in loss_weights 'loda'"),
    case("weights-list", lambda: compiling(loss_weights=[1]), ConfigurationError, "loss_weights", "got 1"),
    case(
        "weights-without-loss",
        lambda: compiling(loss={"load": "mse"}, loss_weights={"alarm": 1}),
        ConfigurationError,
        "'alarm'",
        "has no loss",
    ),
    *each(
        "loss_weights",
        lambda value: compiling(loss_weights={"load": value}),
        ConfigurationError,
        "'load'",
        "a number >= 0",
        of=("1", -1, float("nan"), float("inf")),
    ),
    case("sampled", lambda: compiling(loss=sw.SampledSoftmax(3)), ConfigurationError, "one output"),
    case(
        "loss-of-another",
        lambda: graphs.skip_connection().compile("adam", {"load": "mse", "alarm": "mse"}),
        ConfigurationError,
        "output in loss",
        "'load'",
    ),
    case(
        "weights-of-one",
        lambda: graphs.skip_connection().compile("adam", "mse", loss_weights=[1]),
        ConfigurationError,
        "loss_weights",
        "one output",
        "leave them out",
    ),
]


@table(*COMPILING)
def test_bad_losses_metrics_and_weights_are_refused(action: Any, error: Any, words: Any) -> None:
    refused(action, error, words)


@pytest.mark.parametrize("flags", [{"readings": ON}, ON], ids=["by-axis", "alone"])
def test_flags_of_the_only_axis_may_be_named(flags: Any) -> None:
    """Not a mistake: dicts are read for one axis, too."""
    y, _ = call(graphs.skip_connection, READINGS, mask=flags)
    assert y.shape == (ROWS, 5, 3)
