"""`model.memory_report` on networks whose memory is known exactly: they echo what they read some steps before."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from mistakes import STORY, case, refused, story, table
from networks import random_weights
from statewise.diagnostics.memory import GateUse, MemoryReport
from statewise.errors import DataError, FileError, LifecycleError, StatewiseError
from statewise.kernels.lstm import LSTMWeights, lstm_step
from statewise.kernels.states import LSTMState

ROWS, STEPS, LONGEST = 6, 16, 4
SMALL = 1e-2
"""Inputs are scaled by this, so that tanh is nearly the identity."""

Array = np.ndarray[Any, np.dtype[Any]]
X: Array = np.random.default_rng(51).choice([-1.0, 1.0], (ROWS, STEPS, 1)).astype(np.float32)


def echo(lag: int, *, each_step: bool = True, learnt: bool = False) -> sw.Sequential:
    """Returns a network that answers, nearly exactly, x[t - lag], and 0 where there was none.

    A shift register: i and o are open, f is closed, and each unit takes over what the one before it held.
    """
    units = LONGEST
    kernel, recurrent = np.zeros((1, 4, units)), np.zeros((units, 4, units))
    kernel[0, 2, 0] = SMALL
    recurrent[np.arange(units - 1), 2, np.arange(1, units)] = 1.0
    bias = np.repeat([20.0, -20.0, 0.0, 20.0], units)
    readout = np.zeros((units, 1))
    readout[lag] = 1 / SMALL
    memory = sw.LSTM(units, return_sequences=each_step, learn_initial_state=learnt, input_shape=(None, 1))
    model = sw.Sequential([memory, sw.Dense(1, use_bias=False)], seed=1)
    model.compile("adam", "mse")
    start = [np.zeros(units)] * 2 if learnt else []
    wide = 4 * units
    model.set_weights([kernel.reshape(1, wide), recurrent.reshape(units, wide), bias, *start, readout])
    return model


def echoed(x: Array, lag: int) -> Array:
    return np.pad(x, [(0, 0), (lag, 0), (0, 0)])[:, : x.shape[1]]


def report(lag: int, *, each_step: bool = True, noise: float = 0.0, **options: Any) -> MemoryReport:
    y = echoed(X, lag) + noise * np.random.default_rng(52).normal(size=X.shape)
    return echo(lag, each_step=each_step).memory_report(X, y if each_step else y[:, -1], **options)


# ------------------------------------------------------------------------------------- losses by span


@pytest.mark.slow
@pytest.mark.parametrize("lag", [0, 2, 3])
def test_the_loss_at_each_span_is_that_of_the_steps_it_cuts_off(lag: int) -> None:
    """Reset every k steps, the first `lag` of each k but the first lose what they would echo: an error of 1 each."""
    found = report(lag)
    assert list(found.losses) == [1, 2, 4, 8, STEPS]
    place = np.arange(STEPS)
    expected = {span: float(np.mean((place % span < lag) & (place >= lag))) for span in found.losses}
    assert found.losses == pytest.approx(expected, abs=1e-3)
    assert found.carried is None


@pytest.mark.slow
@pytest.mark.parametrize(("lag", "spans"), [(0, 1), (1, 2), (2, 4)])
def test_one_answer_a_row_sees_exactly_the_last_steps(lag: int, spans: int) -> None:
    found = report(lag, each_step=False)
    assert found.losses == pytest.approx({span: float(span <= lag) for span in (1, 2, 4, 8, STEPS)}, abs=1e-3)
    assert found.uses == spans


@pytest.mark.slow
@pytest.mark.parametrize("steps", [2, 9])
def test_spans_double_up_to_the_whole_row(steps: int) -> None:
    losses = echo(1).memory_report(X[:, :steps], echoed(X[:, :steps], 1)).losses
    assert list(losses) == [*(2**power for power in range(5) if 2**power < steps), steps]


@pytest.mark.parametrize(("lag", "noise"), [(1, 0.0), (2, 0.0), (3, 0.3)])
def test_an_echo_uses_as_many_steps_as_it_echoes_over(lag: int, noise: float) -> None:
    """The steps it reads, its own included, or the next power of two; not the whole row."""
    found = report(lag, noise=noise)
    assert lag + 1 <= found.uses <= 4
    assert f"uses about {found.uses} of the 16 steps in a row" in found.conclusion
    assert "longer rows or a longer tbptt hardly help" in found.conclusion


@pytest.mark.parametrize(("each_step", "noise"), [(True, 0.0), (False, 0.3)], ids=["each-step", "last"])
def test_what_answers_by_its_own_step_uses_no_memory(each_step: bool, noise: float) -> None:
    found = report(0, each_step=each_step, noise=noise)
    assert (found.uses, found.reach) == (1, 1)
    assert found.conclusion == "This model uses no memory: it does as well given the last step alone."


@pytest.mark.slow
def test_a_trained_echo_is_told_from_what_needs_no_memory() -> None:
    """Two models of one kind, trained alike; one must remember the step before the last, the other nothing."""
    x = np.random.default_rng(53).choice([-1.0, 1.0], (64, 12, 1))
    noise = 0.5 * np.random.default_rng(54).normal(size=x.shape)
    unseen = np.random.default_rng(55).choice(
        [-1.0, 1.0], (64, 12, 1)
    )  # of what it trained on, it has learnt the noise
    more_noise = 0.5 * np.random.default_rng(56).normal(size=x.shape)

    def trained(lag: int) -> MemoryReport:
        model = sw.Sequential([sw.LSTM(6, return_sequences=True), sw.Dense(1)], seed=2)
        model.compile(sw.Adam(learning_rate=0.02), "mse")
        model.fit(x, echoed(x, lag) + noise, batch_size=16, epochs=120, verbose=0)
        return model.memory_report(unseen, echoed(unseen, lag) + more_noise)

    remembering, forgetting = trained(2), trained(0)
    assert 3 <= remembering.uses <= 4
    assert forgetting.uses == 1
    assert remembering.losses[1] > 2 * remembering.losses[12]
    assert int(np.argmax(remembering.gradient)) == 2
    assert int(np.argmax(forgetting.gradient)) == 0


def test_resets_that_are_given_stay() -> None:
    """Reset before step 8, no span sees further back than that; nor do gradients."""
    reset = np.zeros((ROWS, STEPS), bool)
    reset[:, 8] = True
    found = report(2, reset=reset)
    assert found.losses[STEPS] == pytest.approx(2 / STEPS, abs=1e-3)
    assert found.losses[8] == pytest.approx(2 / STEPS, abs=1e-3)


# ---------------------------------------------------------------------------------------------- lanes


def lanes(lag: int) -> sw.Lanes:
    series = np.random.default_rng(55).choice([-1.0, 1.0], 96)
    y = np.concatenate([np.zeros(lag), series[: len(series) - lag]])
    return sw.lanes(series, y, batch_size=2, steps=4)


def test_lanes_say_whether_carrying_pays() -> None:
    """Of 24 batches of 2 rows of 4 steps: fresh, 2 of each 4 steps have nothing to echo; carried, only the first."""
    found = echo(2).memory_report(lanes(2))
    assert found.losses[4] == pytest.approx(0.5, abs=0.03)
    assert found.carried == pytest.approx(2 / 96, abs=1e-3)
    assert "carrying the state from batch to batch pays" in found.conclusion
    assert f"(loss {found.carried:.4f} instead of {found.losses[4]:.4f})" in found.conclusion
    assert "never (carried)" in str(found)


def test_lanes_say_when_carrying_does_not_pay() -> None:
    found = echo(0).memory_report(lanes(0))
    assert found.carried == pytest.approx(found.losses[4], abs=1e-6)
    assert "carrying the state from batch to batch does not pay" in found.conclusion


def test_a_report_moves_neither_state_nor_weights() -> None:
    model = echo(2)
    before = model.get_weights()
    model.memory_report(lanes(2))
    assert model.state is None
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


# ----------------------------------------------------------------------------------------- gradients


@pytest.mark.parametrize("lag", [0, 3])
@pytest.mark.parametrize("each_step", [True, False], ids=["each-step", "last"])
def test_the_gradient_of_an_echo_is_where_its_sound_was(lag: int, each_step: bool) -> None:
    """And nowhere else, lag 0 first; where the echo is exact its loss has no gradient, so that it is made inexact."""
    model = echo(lag, each_step=each_step)
    y = echoed(X, lag) + 0.5
    found = model.memory_report(X, y if each_step else y[:, -1])
    assert found.gradient == pytest.approx([float(back == lag) for back in range(STEPS)], abs=1e-3)
    assert found.reach == lag + 1


def small(each_step: bool) -> tuple[sw.Sequential, Array, Array]:
    model = sw.Sequential([sw.LSTM(3, return_sequences=each_step, input_shape=(None, 2)), sw.Dense(2)], seed=1)
    model.compile("sgd", "mse")
    random_weights(model)
    rng = np.random.default_rng(56)
    x = rng.normal(size=(2, 4, 2)).astype(np.float32)
    return model, x, rng.normal(size=(2, 4, 2) if each_step else (2, 2)).astype(np.float32)


@pytest.mark.parametrize("each_step", [True, False], ids=["each-step", "last"])
def test_the_gradient_equals_numeric_differences(each_step: bool) -> None:
    """Root mean square over rows, and over the answers in the second half of a row, those that look so far back."""
    model, x, y = small(each_step)
    found = model.memory_report(x, y).gradient
    probes = [2, 3] if each_step else [3]

    def losses(x: Array) -> Array:
        answers = np.asarray(model(x)[0], np.float64)
        errors = ((answers - y) ** 2).mean(axis=-1)
        return errors[:, probes].sum(axis=0) if each_step else errors.sum(axis=0, keepdims=True)

    squares, step = np.zeros((len(probes), 4)), 2e-3
    for row, time, feature in np.ndindex(*x.shape):
        shift = np.zeros_like(x)
        shift[row, time, feature] = step
        squares[:, time] += ((losses(x + shift) - losses(x - shift)) / (2 * step)) ** 2
    by_lag = [[squares[number, probe - lag] for number, probe in enumerate(probes) if lag <= probe] for lag in range(4)]
    expected = np.sqrt([np.mean(lags) for lags in by_lag])
    assert found == pytest.approx(expected / expected.max(), abs=2e-3)


def test_gradients_are_by_what_the_memory_reads_be_it_symbols() -> None:
    found = story().memory_report(STORY, steps=8)
    assert len(found.gradient) == 8
    assert max(found.gradient) == 1.0
    assert all(0 <= size <= 1 for size in found.gradient)


def test_masked_steps_have_no_loss_and_so_no_gradient() -> None:
    """Rows filled up and masked say of memory what they say as long as they are."""
    model, x, y = small(each_step=True)
    mask = np.ones((2, 6), bool)
    mask[:, 4:] = False
    filled = [np.pad(a, [(0, 0), (0, 2), (0, 0)]) for a in (x, y)]
    found, expected = model.memory_report(*filled, mask=mask), model.memory_report(x, y)
    assert found.losses[6] == pytest.approx(expected.losses[4])
    assert found.gradient[0] > 0
    assert not any(found.gradient[4:])


# ---------------------------------------------------------------------------------------------- gates


@pytest.mark.slow
@pytest.mark.parametrize("flagged", [False, True], ids=["plain", "reset-and-mask"])
def test_gate_shares_are_those_counted_by_hand(flagged: bool) -> None:
    model = sw.Sequential([sw.LSTM(5, return_sequences=True, input_shape=(None, 2)), sw.Dense(2)], seed=1)
    model.compile("sgd", "mse")
    random_weights(model, scale=2.0)
    rng = np.random.default_rng(57)
    x, y = rng.normal(size=(2, 4, 6, 2)).astype(np.float32)
    reset = (rng.random((4, 6)) < 0.3) & flagged
    mask = (rng.random((4, 6)) < 0.7) | (not flagged)
    weights = LSTMWeights(*(jnp.asarray(model.params["lstm"][name]) for name in model.network.layers[0].weight_names))
    state, values = LSTMState(*jnp.zeros((2, 4, 5))), []
    for step in range(6):
        state = LSTMState(*(jnp.where(reset[:, step, None], 0.0, part) for part in state))
        z = x[:, step] @ weights.kernel + state.h @ weights.recurrent_kernel + weights.bias
        values.append(np.asarray(1 / (1 + np.exp(-z)))[mask[:, step]].reshape(-1, 4, 5))
        new = lstm_step(weights, x[:, step], state)
        state = LSTMState(*(jnp.where(mask[:, step, None], a, b) for a, b in zip(new, state, strict=True)))
    gates = np.concatenate(values)
    expected = {
        gate: (float((gates[:, at] < 0.1).mean()), float((gates[:, at] > 0.9).mean()))
        for gate, at in (("i", 0), ("f", 1), ("o", 3))
    }
    flags: dict[str, Any] = {"reset": reset, "mask": mask} if flagged else {}
    found = model.memory_report(x, y, **flags).gates
    assert list(found) == ["lstm"]
    assert list(found["lstm"]) == list(expected)
    for gate, use in found["lstm"].items():
        assert (use.closed, use.open) == pytest.approx(expected[gate]), gate


def test_an_echos_gates_are_as_it_was_made() -> None:
    assert report(1).gates == {"lstm": {"i": GateUse(0.0, 1.0), "f": GateUse(1.0, 0.0), "o": GateUse(0.0, 1.0)}}


@pytest.mark.slow
def test_each_layer_and_kind_has_its_gates() -> None:
    layers = [
        sw.GRU(2, return_sequences=True),
        sw.LSTM(3, return_sequences=True, learn_initial_state=True),
        sw.Dense(1),
    ]
    model = sw.Sequential(layers, seed=1)
    model.compile("sgd", "mse")
    found = model.memory_report(X, X)
    assert {name: tuple(gates) for name, gates in found.gates.items()} == {"gru": ("z", "r"), "lstm": ("i", "f", "o")}


# --------------------------------------------------------------------------------- what it looks like


def test_the_report_prints_a_table_and_a_sentence() -> None:
    found = report(2)
    lines = str(found).splitlines()
    assert lines[0] == "state reset every    loss     last step*"
    assert lines[6] == "* loss on the last step given only this many real steps (the rest from another row)"
    assert lines[1].startswith("1 step  ")
    assert lines[5].startswith("never in a row  ")
    lags = [line.split()[0] for line in lines[9 : lines.index("gate                 below 0.1  above 0.9") - 1]]
    assert lags == ["0", "1", "2", "4", "8", "15"]
    assert "lstm f                 100.0%       0.0%" in lines
    assert lines[-1] == found.conclusion
    assert found.conclusion.endswith(".")
    assert "\n" not in found.conclusion


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_picture_is_drawn(kind: str, tmp_path: Path) -> None:
    found = echo(2).memory_report(lanes(2)) if kind == "png" else report(0)
    found.plot(tmp_path / f"memory.{kind}")
    beginning = {"png": b"\x89PNG", "svg": b"<?xml"}[kind]
    assert (tmp_path / f"memory.{kind}").read_bytes().startswith(beginning)


def test_a_picture_of_gates_that_are_not_known_is_drawn_too(tmp_path: Path) -> None:
    MemoryReport({1: 1.0, 2: 0.5}, {1: 1.0, 2: 0.5}, None, (1.0, 0.0), {}, 2, 1, "").plot(tmp_path / "memory.png")
    assert (tmp_path / "memory.png").exists()


def test_a_picture_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"\.png, \.svg or \.pdf"):
        report(0).plot(tmp_path / "memory.mice")


# ------------------------------------------------------------------------------------------- refused


def compiled(*layers: Any) -> sw.Sequential:
    model = sw.Sequential(layers, seed=1)
    model.compile("sgd", "mse")
    return model


@table(
    case("no-memory", lambda: compiled(sw.Dense(1)).memory_report(X, X), DataError, "no memory", "LSTM(32)"),
    case("one-step", lambda: echo(0).memory_report(X[:, :1], X[:, :1]), DataError, "at least 2 steps", "[N, T, F]"),
    case("no-targets", lambda: echo(0).memory_report(X), DataError, "y is missing"),
    case(
        "not-compiled",
        lambda: sw.Sequential([sw.LSTM(2)]).memory_report(X, X),
        LifecycleError,
        "not compiled",
    ),
)
def test_what_cannot_be_reported_on_is_refused(
    action: Callable[[], object], error: type[StatewiseError], words: tuple[str, ...]
) -> None:
    refused(action, error, words)


def test_nothing_that_cannot_be_done_is_advised_to_a_network_that_reads_from_both_ends() -> None:
    """Its state cannot be carried, nor its training truncated."""
    model = compiled(sw.Bidirectional(sw.LSTM(2, return_sequences=True)), sw.Dense(1))
    try:
        said = model.memory_report(X, X).conclusion
    except StatewiseError as error:
        said = str(error)
        assert "both ends" in said
    assert "tbptt" not in said
    assert "carrying the state" not in said


def two_echoes(lags: tuple[int, int]) -> sw.Model:
    """Returns a network that echoes a number, plus a symbol, 0 or 1, as -1 or 1, plus a number of the row."""
    a, b = sw.Input((None, 1), name="a"), sw.Input((None,), name="b", axis="a")
    row = sw.Input((1,), name="row")
    read = {"a": a, "b": sw.Embedding(2, 1, name="table")(b)}
    cells = {name: sw.LSTM(LONGEST, return_sequences=True, name=f"of_{name}")(value) for name, value in read.items()}
    kept = [sw.Dense(1, use_bias=False, name=f"from_{name}")(h) for name, h in cells.items()]
    model = sw.Model([a, b, row], sw.Add()([*kept, sw.RepeatLike()([row, a])]), seed=1)
    model.compile("adam", "mse")
    known = {"table": [np.array([[-1.0], [1.0]])]}
    for name, lag in zip(read, lags, strict=True):
        *cell, readout = echo(lag).get_weights()
        known |= {f"of_{name}": cell, f"from_{name}": [readout]}
    names = dict.fromkeys(name for name, _ in model.network.weight_names)
    model.set_weights([array for name in names for array in known[name]])
    return model


@pytest.mark.parametrize("lags", [(0, 2), (3, 1)])
def test_several_inputs_that_move_together_have_one_report(lags: tuple[int, int]) -> None:
    rng, last = np.random.default_rng(60), max(lags)
    x = {"a": X, "b": rng.integers(0, 2, (ROWS, STEPS)), "row": rng.normal(size=(ROWS, 1)).astype("float32")}
    y = echoed(X, lags[0]) + echoed(2.0 * x["b"][..., None] - 1, lags[1]) + x["row"][:, None]
    found = two_echoes(lags).memory_report(x, y + np.random.default_rng(52).normal(size=X.shape) / 10)
    assert found.uses in (last + 1, last + 2)
    assert found.reach == last + 1
    assert set(found.gates) == {"of_a", "of_b"}
    assert [lag for lag, size in enumerate(found.gradient) if size > 0.5] == sorted(lags)


def test_several_outputs_or_time_axes_are_refused() -> None:
    a, b = sw.Input((None, 1), name="a"), sw.Input((None, 1), name="b")
    zeros = np.zeros((ROWS, 2))
    for inputs, outputs, x, y, words in (
        (a, [sw.LSTM(2)(a), sw.GRU(2)(a)], X, [zeros, zeros], "one output"),
        ([a, b], sw.Add()([sw.LSTM(2)(a), sw.GRU(2)(b)]), [X, X], zeros, "one time axis, got 'a', 'b'"),
    ):
        model: Any = sw.Model(inputs, outputs, seed=1)
        model.compile("adam", "mse")
        with pytest.raises(StatewiseError, match=words):
            model.memory_report(x, y)


def test_losses_that_are_zero_are_no_division() -> None:
    model = echo(0)
    model.set_weights([0 * weight for weight in model.get_weights()])
    found = model.memory_report(X, 0 * X)
    assert set(found.losses.values()) == {0.0}
    assert (found.uses, found.reach) == (1, 0)
    assert not any(math.isnan(size) for size in found.gradient)


def test_a_single_row_has_a_reset_in_place_of_another_past() -> None:
    model = echo(2)
    x = np.random.default_rng(7).normal(size=(1, STEPS, 1))
    assert model.memory_report(x, echoed(x, 2)).uses in (3, 4)


@pytest.mark.slow
def test_windows_that_lie_side_by_side_do_not_lend_each_other_their_past() -> None:
    series = np.random.default_rng(8).normal(size=200)
    framed = sw.windows(series, 6)
    model = sw.Sequential([sw.LSTM(8), sw.Dense(1)], seed=1)
    model.compile(sw.Adam(learning_rate=0.02), "mse")
    model.fit(framed.x[..., None], framed.x.mean(axis=1), epochs=60, verbose=0)
    order = np.random.default_rng(9).permutation(len(framed.x))
    reports = [
        model.memory_report(framed.x[rows][..., None], framed.x[rows].mean(axis=1)) for rows in (slice(None), order)
    ]
    assert reports[0].knowing[1] == pytest.approx(reports[1].knowing[1], rel=0.35)


@pytest.mark.slow
def test_padding_on_the_right_does_not_change_a_report() -> None:
    model = sw.Sequential([sw.LSTM(4), sw.Dense(1)], seed=1)
    model.compile("adam", "mse")
    x = np.random.default_rng(10).normal(size=(8, 6, 1)).astype(np.float32)
    model.fit(x, x[:, 0], epochs=2, verbose=0)
    padded = np.concatenate([x, np.zeros((8, 2, 1))], axis=1)
    mask = np.arange(8)[None].repeat(8, axis=0) < 6
    plain, longer = model.memory_report(x, x[:, 0]), model.memory_report(padded, x[:, 0], mask=mask)
    assert longer.losses[2] == pytest.approx(plain.losses[2], rel=1e-5)
    assert longer.gradient[:6] == pytest.approx(plain.gradient, rel=1e-4)
