"""The echo recipes: what they claim, and that their windows, resets and left-out cases are what they say."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest

import statewise as sw
from statewise.recipes.echo import context, fresh, lags, missing, no_context, now, sequence, whole
from statewise.recipes.echo.numbers import MISSING, NUMBERS, likeliest, network, one_hot, percent_of_stream, starts
from statewise.recipes.echo.windows import BATCH, learn, samples, told, windows
from statewise.recipes.recipe import Recipe


def measured(recipe: Recipe, **arguments: object) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sw.StatewiseWarning)
        return dict(recipe.trial(3, **(arguments or recipe.short)).figures)


def some(count: int, length: int = 25, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, NUMBERS, (count, length))


def moved(model: sw.Sequential, seed: int = 1) -> sw.Sequential:
    """Returns the model with larger weights, none of them zero, so that its answers differ."""
    random = np.random.default_rng(seed)
    model.set_weights([weight + random.normal(0, 0.7, weight.shape) for weight in model.get_weights()])
    return model


# -- claims ------------------------------------------------------------------------------------------------------------


def test_the_number_shown_now_is_learned_and_one_never_shown_is_not() -> None:
    figures = measured(now.RECIPE)
    assert figures["each_number"] >= 99
    assert figures["left_out"] == 0


@pytest.mark.slow
def test_without_context_nothing_is_learned_until_gradients_reach_the_number() -> None:
    figures = measured(no_context.RECIPE)
    assert figures["new"] < 3
    assert figures["present"] < 20
    assert figures["reached"] > 2 * figures["present"]


def test_with_context_it_is_learned_also_for_new_pairs_and_on_a_stream() -> None:
    figures = measured(context.RECIPE)
    assert min(figures.values()) > 90


@pytest.mark.slow
def test_a_fresh_state_is_enough_for_windows_and_not_for_a_stream() -> None:
    figures = measured(fresh.RECIPE)
    assert figures["fresh"] > 90
    assert min(figures["carried"], figures["carried_stream"]) > 60
    assert figures["fresh_stream"] < 20


@pytest.mark.slow
def test_missing_numbers_are_learned_marked_or_masked() -> None:
    figures = measured(missing.RECIPE)
    assert min(figures[name] for name in ("masked", "masked_missing", "marked", "marked_missing", "afresh")) > 60
    assert min(figures["masked_hole"], figures["marked_hole"]) > 60
    assert figures["afresh_missing"] < 60


@pytest.mark.slow
def test_the_whole_sequence_as_context_begins_to_echo_far_above_chance() -> None:
    figures = measured(whole.RECIPE)
    assert min(figures.values()) > 20
    assert abs(figures["new"] - figures["stream"]) < 15


@pytest.mark.slow
def test_a_larger_lag_is_learned_later_and_never_for_a_stream_from_a_fresh_state() -> None:
    figures = measured(lags.RECIPE)
    assert figures["lag_1"] > 2 * max(figures[f"lag_{lag}"] for lag in (2, 3, 4))
    assert figures["lag_1_stream"] > 2 * max(figures[f"lag_{lag}_stream"] for lag in (2, 3, 4))
    assert figures["fresh_4"] > 80
    assert figures["fresh_4_stream"] < 10


def test_a_sequence_that_is_asked_for_at_each_step_is_soon_echoed_at_lag_1() -> None:
    figures = measured(sequence.RECIPE)
    assert figures["lag_1"] > figures["lag_2"] > figures["lag_4"]
    assert all(abs(figures[f"lag_{lag}"] - figures[f"lag_{lag}_stream"]) < 10 for lag in sequence.LAGS)


@pytest.mark.slow
def test_a_carried_state_costs_little_on_windows_and_serves_for_a_stream() -> None:
    figures = measured(fresh.RECIPE, count=fresh.SEQUENCES)
    assert min(figures["fresh"], figures["carried"], figures["carried_stream"]) > 98
    assert figures["fresh_stream"] < 20


@pytest.mark.slow
def test_missing_numbers_are_learned_as_well_as_others() -> None:
    figures = measured(missing.RECIPE, count=missing.SEQUENCES)
    assert figures.pop("afresh_missing") < 60
    assert min(figures.values()) > 98


@pytest.mark.slow
def test_the_whole_sequence_as_context_serves_for_a_stream_too() -> None:
    assert min(measured(whole.RECIPE, count=whole.SEQUENCES).values()) > 95


@pytest.mark.slow
def test_larger_lags_need_more_than_the_windows_of_the_smallest() -> None:
    figures = measured(lags.RECIPE, count=lags.SEQUENCES)
    assert figures["lag_1"] > 98
    assert figures["lag_1"] > 1.5 * figures["lag_2"] > 1.5 * max(figures["lag_3"], figures["lag_4"])
    assert min(figures["wide_2"], figures["fresh_4"]) > 90
    assert max(figures["lag_4_stream"], figures["fresh_4_stream"]) < 10


@pytest.mark.slow
def test_a_sequence_that_is_asked_for_at_each_step_is_echoed_on_a_stream_as_well() -> None:
    figures = measured(sequence.RECIPE, count=sequence.SEQUENCES)
    assert figures["lag_1"] > 99
    assert figures["lag_1"] > figures["lag_2"] > figures["lag_4"]
    assert all(abs(figures[f"lag_{lag}"] - figures[f"lag_{lag}_stream"]) < 10 for lag in sequence.LAGS)


# -- the data ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [1, 4])
def test_windows_are_those_of_the_published_table(lag: int) -> None:
    numbers = some(3)
    inputs, answers = windows(numbers, lag)
    ends = [(row, end) for row in range(3) for end in range(5, 25)]
    assert inputs.tolist() == [[int(numbers[row, end - back]) for back in (4, 3, 2, 1, 0)] for row, end in ends]
    assert answers.tolist() == [int(numbers[row, end - lag]) for row, end in ends]


def test_windows_with_missing_numbers_end_with_each_number_from_the_second_on() -> None:
    numbers = some(2)
    inputs, answers = windows(missing.filled(numbers))
    ends = [(row, end) for row in range(2) for end in range(1, 25)]
    asked = [[int(numbers[row, at]) if at >= 0 else -1 for at in range(end - 4, end + 1)] for row, end in ends]
    assert inputs.tolist() == asked
    assert answers.tolist() == [int(numbers[row, end - 1]) for row, end in ends]


@pytest.mark.parametrize(
    ("numbers", "batch", "skipped"), [(some(1), BATCH, 0), (missing.filled(some(1)), missing.BATCH, 1)]
)
def test_a_row_of_a_batch_reads_its_sequence_without_a_gap_or_skips_one_number(
    numbers: np.ndarray, batch: int, skipped: int
) -> None:
    places, _ = windows(np.arange(numbers.shape[1])[None])
    assert (places[batch:, 0] - places[:-batch, -1] == 1 + skipped).all()


def test_windows_are_framed_with_the_state_that_their_batches_hand_on() -> None:
    carried = [module.framing().carried for module in (no_context, context, missing, lags, fresh)]
    assert carried == [no_context.BATCH, BATCH, missing.BATCH, BATCH, 0]


def test_a_wide_network_for_lag_2_has_nearly_five_times_the_weights() -> None:
    wide, narrow = (sum(weight.size for weight in lags.model(0, units).get_weights()) for units in (lags.WIDE, 50))
    assert 4.5 < wide / narrow < 5


def test_prefixes_grow_from_two_numbers_to_all() -> None:
    numbers = some(2, 6)
    inputs, answers = whole.prefixes(numbers)
    assert [[n for n in row if n != MISSING] for row in inputs.tolist()] == [
        numbers[row, :end].tolist() for row in range(2) for end in range(2, 7)
    ]
    assert answers.tolist() == inputs[:, -2].tolist()


def test_a_missing_number_is_a_row_of_minus_one_and_another_has_a_single_one() -> None:
    rows = one_hot(np.array([[7, MISSING]]))
    assert (rows[0, 1] == -1).all()
    assert np.flatnonzero(rows[0, 0]).tolist() == [7]
    assert rows[0, 0].sum() == 1


def test_a_lagged_sequence_counts_only_where_there_is_an_answer() -> None:
    numbers = some(2)
    _, answers, counts = sequence.data(numbers, 4)
    assert counts.tolist() == [[0.0] * 4 + [1.0] * 21] * 2
    assert (answers[:, 4:] == numbers[:, :-4]).all()


def test_a_hole_is_never_where_training_had_one_and_never_the_answer() -> None:
    inputs, answers = missing.with_a_hole(some(200, 5), np.random.default_rng(0))
    assert ((inputs == MISSING).sum(axis=1) == 1).all()
    assert set(np.argwhere(inputs == MISSING)[:, 1]) == {1, 2}
    assert (answers == inputs[:, 3]).all()


# -- left out ----------------------------------------------------------------------------------------------------------


def test_pairs_that_are_called_new_were_never_shown() -> None:
    numbers = some(300)
    x, befores = context.never_shown(numbers, np.random.default_rng(0))
    shown = {(int(a), int(b)) for row in numbers for a, b in pairwise(row)}
    asked = list(zip(likeliest(x[:, 3]).tolist(), likeliest(x[:, 4]).tolist(), strict=True))
    assert len(asked) == len(set(asked)) == NUMBERS**2 - len(shown)
    assert not shown & set(asked)
    assert befores.tolist() == [before for before, _ in asked]


class Parrot:
    """Says what it is asked, and remembers what it was shown and asked."""

    def __init__(self, shown: np.ndarray) -> None:
        self.shown, self.asked = set(shown.flat), set[int]()

    def predict(self, x: np.ndarray) -> np.ndarray:
        self.asked |= set(likeliest(x).flat)
        return x[:, -1]


def test_numbers_that_are_left_out_are_asked_for_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    parrots = []

    def trained(_: int, numbers: np.ndarray) -> tuple[Parrot, None]:
        parrots.append(Parrot(numbers))
        return parrots[-1], None

    monkeypatch.setattr(now, "trained", trained)
    assert now.trial(3).figures["left_out"] == 100
    echo, other = parrots
    assert echo.shown == echo.asked == set(range(NUMBERS))
    assert len(other.asked) == now.LEFT_OUT
    assert other.shown == set(range(NUMBERS)) - other.asked


# -- the state ---------------------------------------------------------------------------------------------------------


def test_one_fit_over_all_sequences_is_a_fit_for_each_with_the_state_reset_between_them() -> None:
    numbers = some(3)
    at_once, one_by_one = network(4, 6), network(4, 6)
    learn(at_once, numbers)
    for row in numbers:
        x, y = samples(row[None])
        one_by_one.fit(x, y, batch_size=BATCH, state="carry", verbose=0)
    for a, b in zip(at_once.get_weights(), one_by_one.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_sequences_that_are_asked_together_are_answered_as_alone() -> None:
    model, numbers = moved(network(4, 6)), some(3)
    alone = np.concatenate([told(model, row[None]) for row in numbers])
    assert (told(model, numbers) == alone).all()
    assert (told(model, numbers) != told(model, numbers, state="fresh")).any()


def test_without_context_the_state_never_saw_the_number_asked_for() -> None:
    model, numbers = moved(no_context.model(4)), some(1)
    base = _answers_as_published(model, numbers)
    for place in (8, 15, 20):  # of the number that is changed; sample j shows the number at j + 1
        other = numbers.copy()
        other[0, place] = (other[0, place] + 50) % NUMBERS
        changed = np.flatnonzero((_answers_as_published(model, other) != base).any(axis=-1))
        assert changed.tolist() == list(range(place - 1, no_context.SAMPLES, no_context.BATCH))
        assert place not in changed  # the sample that is asked for it


def _answers_as_published(model: sw.Sequential, numbers: np.ndarray) -> np.ndarray:
    x, _ = no_context.data(numbers)
    reset = starts(len(x), 1, no_context.SAMPLES, no_context.BATCH)
    start = model.initial_state(no_context.BATCH)
    return np.asarray(model.predict(x, batch_size=no_context.BATCH, state=start, reset=reset)[:, 0])


def test_a_stream_is_one_long_row() -> None:
    model, numbers = moved(network(4, 6, each_step=True)), some(1, 3000)
    answers = likeliest(model.predict(one_hot(numbers)))[0].tolist()
    right = sum(answers[step] == numbers[0, step - 2] for step in range(2, 3000))
    assert right > 0  # by chance
    assert percent_of_stream(model, numbers[0], 2) == pytest.approx(100 * right / 2998)
