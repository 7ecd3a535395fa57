"""Compiled epochs against training by hand: what a batch's loss, gradient and order are."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from learning import BATCH, MASK, RATE, ROWS, WEIGHT, Dispatches, X, Y, fit, logs_of, plain, train_by_hand
from tolerances import assert_close, assert_same

# -------------------------------------------------------------------------------------------- by hand

CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "mask-and-weight": {"mask": MASK, "weight": WEIGHT},
    "carry": {"carry": True},
}


def fit_as(carry: bool = False, mask: Any = None, weight: Any = None) -> sw.Sequential:
    model = plain()
    options: dict[str, Any] = {"state": "carry"} if carry else {"shuffle": False}
    fit(model, epochs=2, mask=mask, sample_weight=weight, **options)
    return model


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_training_equals_training_by_hand(case: dict[str, Any]) -> None:
    """Two epochs with a short last batch: weights, losses, metrics, states.

    By hand, a carried state is a constant of the next batch's loss: gradients stop at the edge.
    """
    model = fit_as(**case)
    hand = train_by_hand(plain(), RATE, epochs=2, **case)
    assert_close(model.params, hand.params, "weights")
    assert model.history is not None
    assert_close(logs_of(model.history), hand.logs, "logs")
    if case.get("carry"):
        assert model.state is not None
        assert_close(model.state["lstm"], hand.states["lstm"], "state")
    else:
        assert model.state is None


def test_what_training_by_hand_tells_apart() -> None:
    """Guards the test above: each case is another training, and so is a state that lives on between epochs."""
    results = [train_by_hand(plain(), RATE, epochs=2, **case).params for case in CASES.values()]
    results.append(train_by_hand(plain(), RATE, epochs=2, carry=True, fresh_each_epoch=False).params)
    for index, result in enumerate(results):
        for other in results[index + 1 :]:
            distances = jax.tree.map(lambda a, b: float(jnp.abs(a - b).max()), result, other)
            assert max(jax.tree.leaves(distances)) > 1e-3


@pytest.mark.parametrize("where", ["masked", "weightless"])
def test_what_does_not_count_cannot_be_felt(where: str) -> None:
    """Other inputs at masked steps, other targets where steps are masked or weigh nothing: the same, bit for bit."""
    hidden = ~MASK if where == "masked" else WEIGHT == 0
    noise = np.random.default_rng(8).normal(size=X.shape)
    x = np.where(hidden[..., None], noise, X) if where == "masked" else X
    y = np.where(hidden, (Y + 1) % 3, Y)
    model = plain()
    options: dict[str, Any] = {"batch_size": BATCH, "epochs": 2, "verbose": 0, "shuffle": False}
    model.fit(x, y, mask=MASK, sample_weight=WEIGHT, **options)
    assert_same(model.get_weights(), fit_as(mask=MASK, weight=WEIGHT).get_weights(), "weights")


def test_weights_of_rows_are_weights_of_all_their_steps() -> None:
    per_row = np.linspace(0, 2, ROWS)
    per_step = np.repeat(per_row[:, None], X.shape[1], axis=1)
    losses = [
        plain().evaluate(X, Y, batch_size=BATCH, mask=MASK, sample_weight=weight, return_dict=True)
        for weight in (per_row, per_step)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


@pytest.mark.parametrize("batch_size", [3, BATCH])
def test_evaluate_equals_the_mean_by_hand_for_any_batch_size(batch_size: int) -> None:
    model = plain()
    hand = train_by_hand(plain(), 0.0, epochs=1, mask=MASK, weight=WEIGHT)
    logs = model.evaluate(X, Y, batch_size=batch_size, mask=MASK, sample_weight=WEIGHT, return_dict=True)
    assert isinstance(logs, dict)
    assert logs == pytest.approx({name: values[0] for name, values in hand.logs.items()}, rel=1e-5)


def test_a_network_with_one_answer_a_row_counts_rows() -> None:
    """A masked step is skipped there too, but every row has its answer."""
    model = sw.Sequential([sw.LSTM(3), sw.Dense(2)], seed=1)
    model.compile("sgd", "mse")
    y = np.random.default_rng(9).normal(size=(ROWS, 2))
    loss = model.evaluate(X, y, batch_size=BATCH, mask=MASK)
    answers, _ = model(X, mask=MASK)
    assert loss == pytest.approx(float(np.mean((np.asarray(answers) - y) ** 2)), rel=1e-5)


def test_a_network_without_weights_has_a_loss_too() -> None:
    model = sw.Sequential([sw.Activation("tanh")])
    model.compile("sgd", "mse")
    x, y = np.random.default_rng(4).normal(size=(2, 6, 3))
    history = model.fit(x, y, epochs=1, verbose=0)
    assert history.history["loss"][0] == pytest.approx(float(np.mean((np.tanh(x) - y) ** 2)), rel=1e-5)


def test_the_loss_of_a_long_epoch_is_not_rounded_away() -> None:
    """The sum of 30,000 float32 losses is as exact as one of them."""
    model = sw.Sequential([sw.Dense(1, use_bias=False, input_shape=(1,))])
    model.compile(sw.SGD(learning_rate=1e-30), "mae")
    model.set_weights([[[1.0]]])
    x = np.full((30_000, 1), 0.1)
    history = model.fit(x, 0 * x, batch_size=1, epochs=1, verbose=0)
    assert history.history["loss"][0] == pytest.approx(float(np.float32(0.1)), rel=1e-7)
    assert model.evaluate(x, 0 * x, batch_size=1) == pytest.approx(float(np.float32(0.1)), rel=1e-7)


# ------------------------------------------------------------------------------------------- shuffling


class StepLosses(sw.Callback):
    """Takes the loss of every single step out of the running means."""

    def __init__(self) -> None:
        self.epochs: list[list[float]] = []
        self._means: list[float] = []

    def on_step(self, record: Any) -> None:
        self._means.append(record.logs["loss"])

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> bool | None:
        sums = np.array([*self._means, logs["loss"]]) * np.arange(1, len(self._means) + 2)
        self.epochs.append(np.diff(sums, prepend=0.0).tolist())
        self._means = []
        return None


ROWS_SEEN = [1, 2, 3, 4, 5, 6, 7]


def orders(seed: int, monkeypatch: pytest.MonkeyPatch, **options: Any) -> list[list[int]]:
    """Returns in which order each epoch saw its rows: row r has a loss of r squared and weighs 1/r.

    The rate is too small to change anything. A row that lost its weight would not be told as a whole number.
    """
    model = sw.Sequential([sw.Dense(1, use_bias=False, input_shape=(1,))], seed=seed)
    model.compile(sw.SGD(learning_rate=1e-30), "mse")
    model.set_weights([[[1.0]]])
    Dispatches(monkeypatch).shortest()
    steps, x = StepLosses(), np.array(ROWS_SEEN, float)[:, None]
    weight = 1 / x[:, 0]
    model.fit(x, 0 * x, batch_size=1, epochs=4, verbose=0, callbacks=[steps], sample_weight=weight, **options)
    assert_close(np.array(steps.epochs, np.float32), np.rint(steps.epochs), "losses")
    return [np.rint(losses).astype(int).tolist() for losses in steps.epochs]


def test_shuffling_shows_each_row_and_its_weight_once_an_epoch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = orders(1, monkeypatch)
    assert [sorted(order) for order in seen] == [ROWS_SEEN] * 4
    assert len({tuple(order) for order in seen}) == 4
    assert orders(1, monkeypatch) == seen
    assert orders(2, monkeypatch) != seen


def test_without_shuffling_rows_come_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    assert orders(1, monkeypatch, shuffle=False) == [ROWS_SEEN] * 4


# --------------------------------------------------------------------------------------------- dropout


def test_dropout_is_drawn_anew_for_every_batch_and_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """All batches are the same and the rate changes nothing: only dropout tells their losses apart."""
    model = sw.Sequential([sw.Dropout(0.5), sw.Dense(1)], seed=1)
    model.compile(sw.SGD(learning_rate=1e-30), "mse")
    Dispatches(monkeypatch).shortest()
    steps, x = StepLosses(), np.tile(np.random.default_rng(3).normal(size=(2, 40)), (3, 1))
    model.fit(x, x[:, 0], batch_size=2, epochs=3, verbose=0, shuffle=False, callbacks=[steps])
    losses = np.round(steps.epochs, 4).ravel().tolist()
    assert len(losses) == len(set(losses)) == 9
    assert len({model.evaluate(x[:2], x[:2, 0]) for _ in range(2)}) == 1  # and nothing is dropped here
