"""The life cycle: each recipe's shapes and claims, and that what is held out was never learned from."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.lifecycle import many_classes, one_series, reading, regression, state, two_classes, two_series

SEED = 5
PRINTED = [0.11612834, 0.20493418, 0.29793766, 0.39445466, 0.49376178, 0.59512401, 0.69782174, 0.80117452, 0.90455914]


@pytest.mark.parametrize(
    ("module", "x_shape", "y_shape", "answer_shape"),
    [
        (regression, (9, 1, 1), (9, 1), (1,)),
        (two_classes, (500, 10, 1), (500, 1), (1,)),
        (many_classes, (500, 16, 1), (500, 3), (3,)),
        (state, (1280, 10, 2), (1280, 10, 1), (None, 1)),
        (one_series, (290, 10, 1), (290, 1), (1,)),
        (two_series, (440, 10, 2), (440, 1), (1,)),
    ],
)
def test_samples_time_steps_and_features_are_as_told(
    module: ModuleType, x_shape: tuple[int, ...], y_shape: tuple[int, ...], answer_shape: tuple[int | None, ...]
) -> None:
    framing = module.framing()
    assert (framing.x_shape, framing.y_shape) == (x_shape, y_shape)
    assert module.model(SEED).network.output_shape == answer_shape


def test_regression_rounds_rightly_on_what_it_learned_and_between() -> None:
    with pytest.warns(sw.StatewiseWarning, match="one time step"):
        trial = regression.trial(SEED)
    assert trial.figures["rounded"] == trial.figures["between"] == 100.0
    assert 0 < trial.figures["loss"] < 1000
    assert len(trial.curves["loss by epoch"]) == 1000


def test_the_published_answers_have_the_published_loss_and_round_rightly() -> None:
    loss, rounded, *_ = regression.RECIPE.figures
    errors = np.array(PRINTED) - regression.data()[1][:, 0]
    assert loss.published is not None
    assert rounded.published is not None
    assert loss.published.value == pytest.approx(1e6 * np.mean(errors**2), abs=0.01)
    assert rounded.published.value == 100.0 * np.mean(np.abs(errors) < 0.05)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::statewise.StatewiseWarning")
@pytest.mark.parametrize("gates", ["sigmoid", "hard_sigmoid"])
def test_the_published_loss_is_that_of_a_good_run_with_the_gates_of_then_and_of_now(gates: str) -> None:
    x, y = regression.data()
    losses = []
    for seed in range(60):
        network = sw.Sequential([sw.LSTM(10, input_shape=(1, 1), recurrent_activation=gates), sw.Dense(1)], seed=seed)
        network.compile("adam", "mean_squared_error")
        network.fit(x, y, epochs=1000, batch_size=len(x), verbose=0)
        losses.append(1e6 * network.evaluate(x, y, return_dict=True)["loss"])
    assert 0 < np.mean(np.array(losses) <= 45.45) < 0.2


def test_two_classes_are_told_apart_by_the_average_and_not_by_the_sum() -> None:
    figures = two_classes.trial(SEED).figures
    assert figures["accuracy"] > 90
    assert figures["clear"] > 98
    assert figures["average_of_twenty"] > 70
    assert 40 < figures["sum_of_twenty"] < 60


def test_many_classes_are_told_apart_also_at_periods_that_were_not_learned() -> None:
    trial = many_classes.trial(SEED)
    assert trial.figures["accuracy"] > 95
    assert min(trial.figures.values()) > 60  # by chance 33
    assert len(trial.curves["held-out loss by epoch"]) == 40


def test_waves_are_what_they_are_said_to_be() -> None:
    x, y = many_classes.data(SEED, 0)
    square = x[y[:, 1] == 1]
    assert len(square) > 100
    np.testing.assert_allclose(np.abs(square).mean(), 1.0, atol=0.05)
    np.testing.assert_allclose(square.std(axis=1).mean(), 1.0, atol=0.1)
    assert x[y[:, 0] == 1].std() == pytest.approx(np.sqrt(1 / 2 + many_classes.NOISE**2), abs=0.05)  # a sine
    assert x[y[:, 2] == 1].std() == pytest.approx(np.sqrt(1 / 3 + many_classes.NOISE**2), abs=0.05)  # a straight line


@pytest.mark.slow
def test_each_way_to_manage_state_is_right_where_the_sequence_ends_as_the_state_does() -> None:
    figures = state.trial(SEED).figures
    for name in ("record_carried", "days_one", "days_batches"):
        assert figures[name] > 99
    assert figures["record_rows"] > 97
    for name in ("record_one", "record_batches"):
        assert 60 < figures[name] < 80
    assert figures["days_carried"] < 95


def test_a_gate_is_open_from_its_opening_until_it_is_shut() -> None:
    events = np.random.default_rng(SEED).choice(3, (7, 30), p=[0.7, 0.15, 0.15])
    expected = np.zeros(events.shape)
    for row, happening in enumerate(events):
        gate = 0
        for step, event in enumerate(happening):
            gate = gate if event == 0 else int(event == 1)
            expected[row, step] = gate
    np.testing.assert_array_equal(state.is_open(events), expected)


def test_a_record_and_days_are_the_same_events_with_other_answers() -> None:
    x, answers = state.data(SEED, 0)
    np.testing.assert_array_equal(answers["record"][0], answers["days"][0])
    happened = np.maximum.accumulate(x.any(axis=2), axis=1)[:, :, None]
    np.testing.assert_array_equal(answers["record"][happened], answers["days"][happened])
    assert not answers["days"][~happened].any()
    assert answers["record"][~happened].any()


def test_one_series_is_predicted_better_than_by_its_last_value_and_no_better_than_the_noise() -> None:
    trial = one_series.trial(SEED)
    figures = trial.figures
    assert 0.8 * one_series.NOISE < figures["straight_rule"] < figures["error"] < 0.5 * figures["last_value"]
    assert figures["lifted"] > 2 * figures["last_value"]
    assert list(trial.curves) == ["loss by epoch", "held-out loss by epoch"]


def test_the_second_series_brings_what_the_first_does_not_hold() -> None:
    trial = two_series.trial(SEED)
    figures = trial.figures
    assert 0.8 * two_series.NOISE < figures["error"] < 0.2
    assert figures["alone"] > 3 * figures["error"]
    assert figures["kept"] < min(figures["alone"], figures["last_value"])
    alone = trial.curves["held-out loss by epoch, reaction alone"]
    assert alone[-1] > min(alone)


@pytest.mark.parametrize("parts", [one_series.data(one_series.series(1)), two_series.data(two_series.series(1), [1])])
def test_no_noisy_value_is_both_learned_from_and_held_out(parts: tuple[Array, Array, Array, Array]) -> None:
    learned, held_out = (np.union1d(x, y) for x, y in (parts[:2], parts[2:]))
    both = np.intersect1d(learned, held_out)
    assert set(both) <= {0.0}  # the reaction begins with zeros


def test_a_reaction_is_what_the_driver_was_three_steps_before() -> None:
    driver, reaction = two_series.series(SEED).T
    noise = reaction[3:] - 0.6 * reaction[2:-1] - 0.5 * driver[:-3]
    assert noise.std() == pytest.approx(two_series.NOISE, rel=0.15)
    assert abs(np.corrcoef(noise, driver[:-3])[0, 1]) < 0.15


def test_nothing_in_the_reaction_tells_more_than_its_last_value() -> None:
    learned_x, learned_y, x, y = two_series.data(np.concatenate([two_series.series(seed) for seed in range(20)]), [1])
    by_rule = reading.typical_error(one_series.by_a_straight_rule(learned_x, learned_y, x), y)
    by_last_value = reading.typical_error(two_series.KEPT * x[:, -1], y)
    assert by_rule == pytest.approx(by_last_value, rel=0.02)
    assert by_last_value == pytest.approx(0.51, abs=0.015)


def test_a_straight_rule_finds_the_weights_that_made_the_answers() -> None:
    random = np.random.default_rng(SEED)
    weights, x, others = random.normal(size=(10, 1)), random.normal(size=(40, 10, 1)), random.normal(size=(5, 10, 1))
    found = one_series.by_a_straight_rule(x, x[:, :, 0] @ weights + 2, others)
    np.testing.assert_allclose(found, others[:, :, 0] @ weights + 2, atol=1e-9)


def test_numbers_and_errors_are_read_as_they_are() -> None:
    assert reading.number(np.array([0.1, -0.516])) == "0.10, -0.52"
    assert reading.typical_error(np.array([1.0, 2.0]), np.array([4.0, -2.0])) == pytest.approx(12.5**0.5)
