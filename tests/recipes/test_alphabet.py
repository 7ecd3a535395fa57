"""What the recipes of the alphabet claim, run shortened where they are long; and that what is left out is left out."""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import statewise as sw
from statewise.recipes.alphabet import batch, naive, prefix, stateful, timesteps, variable, window
from statewise.recipes.alphabet.letters import (
    ALPHABET,
    following,
    lettered,
    likeliest,
    listen,
    numbers,
    one_hot,
    padded,
    percent,
    percent_right,
    runs,
    train_one_by_one,
)
from statewise.recipes.recipe import Trial

MODULES = [naive, window, timesteps, batch, stateful, prefix, variable]
WITH_ROWS_LEFT_OUT = [naive, window, timesteps, batch]


@lru_cache
def trial(module: ModuleType) -> Trial:
    """Returns one short run of the recipe."""
    run: Trial = module.RECIPE.trial(1, **module.RECIPE.short)
    return run


def figure(module: ModuleType, name: str) -> float:
    return trial(module).figures[name]


# -------------------------------------------------------------------------------------------------- the claims

pytestmark = pytest.mark.filterwarnings("ignore::statewise.StatewiseWarning")


@pytest.mark.parametrize("module", MODULES)
def test_a_run_measures_what_the_recipe_names(module: ModuleType) -> None:
    assert list(trial(module).figures) == [figure.name for figure in module.RECIPE.figures]
    assert all(np.isfinite(value) and 0 <= value <= 100 for value in trial(module).figures.values())


@pytest.mark.parametrize("module", [naive, window])
def test_one_step_is_not_enough_in_500_epochs(module: ModuleType) -> None:
    assert 70 <= figure(module, "accuracy") < 98


def test_features_have_no_order() -> None:
    assert figure(window, "backwards") > 75


def test_three_steps_are_enough_even_if_they_hold_one_letter() -> None:
    assert figure(timesteps, "accuracy") > 90
    assert figure(timesteps, "one_letter") > 90
    assert figure(timesteps, "shorter") < 30


def test_a_window_read_backwards_is_answered_by_its_first_letter() -> None:
    assert figure(timesteps, "backwards") > 90
    assert trial(timesteps).answers["CBA to YXW"][0] == "F"


def test_5000_passes_are_enough_in_any_order() -> None:
    assert figure(batch, "accuracy") == 100
    assert figure(batch, "random") == 100


@pytest.mark.parametrize("module", WITH_ROWS_LEFT_OUT)
def test_answers_never_seen_are_never_given(module: ModuleType) -> None:
    assert figure(module, "left_out") == 0


def test_the_carried_state_counts_and_the_letters_are_not_read() -> None:
    assert figure(stateful, "accuracy") == 100
    assert figure(stateful, "recited") == 100
    assert figure(stateful, "from_k") == 100
    assert figure(stateful, "cold") == 0
    assert figure(stateful, "counted") == 100
    assert figure(stateful, "mixed") < 25


def test_a_masked_prefix_does_what_a_carried_state_does() -> None:
    assert figure(prefix, "masked") > 60
    assert figure(prefix, "streamed") == figure(prefix, "masked")
    assert figure(prefix, "zeros") < figure(prefix, "masked")
    assert figure(prefix, "masked_middle") < 5


def test_only_distinct_letters_carry_over_to_runs_never_drawn() -> None:
    assert figure(variable, "one_hot_held_out") > 75
    assert figure(variable, "held_out") < 50


@pytest.mark.slow
@pytest.mark.parametrize("module", [naive, batch])
def test_5000_passes_one_by_one_are_enough_with_one_step(module: ModuleType) -> None:
    network, (x, y) = module.model(2), module.data()
    train_one_by_one(network, x, y, 5000)
    assert percent_right(network, x, module.ANSWERS) == 100


@pytest.mark.slow
def test_20_passes_are_enough_if_letters_are_one_hot() -> None:
    network = sw.Sequential([sw.LSTM(32, input_shape=(1, 26)), sw.Dense(26, activation="softmax")], seed=2)
    x = one_hot("".join(naive.LETTERS))[:, None]
    train_one_by_one(network, x, one_hot(naive.ANSWERS), 20)
    assert percent_right(network, x, naive.ANSWERS) == 100


@pytest.mark.slow
def test_500_passes_in_one_batch_are_too_few() -> None:
    x, y = batch.data()
    reached = [percent_right(batch.trained(seed, x, y, 500)[0], x, batch.ANSWERS) for seed in range(10)]
    assert 17 < np.mean(reached) < 27


@pytest.mark.slow
def test_runs_of_any_length_are_known_by_heart() -> None:
    figures = variable.RECIPE.trial(2).figures
    assert figures["accuracy"] > 95
    assert figures["held_out"] < 50
    assert figures["one_hot_held_out"] > 85


@pytest.mark.slow
def test_a_masked_prefix_is_learned_whole() -> None:
    figures = prefix.RECIPE.trial(2).figures
    assert figures["masked"] == figures["streamed"] == 100
    assert figures["masked_middle"] == 0


# ------------------------------------------------------------------------------- one computation, read in two ways


def test_a_masked_prefix_is_read_as_a_carried_state_reads_it() -> None:
    model = prefix.model(seed=4)
    at_once, _ = model(padded(prefix.PREFIXES, 25), mask=lettered(prefix.PREFIXES, 25))
    state, one_by_one = None, []
    for number in padded(list(ALPHABET[:25]), 1):
        y, state = model(number[None], state)
        one_by_one.append(np.asarray(y)[0])
    np.testing.assert_allclose(np.asarray(at_once), one_by_one, atol=1e-5)


def test_listening_with_a_stream_and_with_a_state_is_the_same() -> None:
    model = stateful.model(seed=4)
    stream = model.stream()
    pushed = likeliest(np.stack([stream.push(number) for number in numbers("QUICKLY")]))
    assert listen(model, "QUICKLY") == pushed


def test_reciting_feeds_each_answer_back() -> None:
    model = stateful.model(seed=4)
    said = stateful.recite(model, "K", 6)
    assert len(said) == 6
    assert listen(model, "K" + said[:-1]) == said


# ---------------------------------------------------------------------------------------------- what is left out


@pytest.mark.parametrize("module", WITH_ROWS_LEFT_OUT)
def test_the_last_training_does_without_five_rows(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[tuple[Any, Any]] = []
    fit = sw.Sequential.fit

    def watched(network: sw.Sequential, x: Any, y: Any, **options: Any) -> Any:
        learned.append((x, y))
        return fit(network, x, y, **options)

    monkeypatch.setattr(sw.Sequential, "fit", watched)
    module.trial(3, epochs=1)
    (x, y), (rest_x, rest_y) = learned[0], learned[-1]
    rows = {(letters.tobytes(), answer.tobytes()) for letters, answer in zip(x, y, strict=True)}
    rest = {(letters.tobytes(), answer.tobytes()) for letters, answer in zip(rest_x, rest_y, strict=True)}
    assert rest < rows
    assert len(rows) - len(rest) == 5


def test_runs_are_drawn_as_published() -> None:
    drawn = variable.draw(np.random.default_rng(0))
    assert len(drawn) == 1000
    assert all(run in ALPHABET[:25] and 1 <= len(run) <= 5 for run in drawn)
    assert len(set(drawn)) > 110
    assert "Y" not in drawn


def test_all_runs_but_one_can_be_drawn_and_nearly_always_are() -> None:
    every = {ALPHABET[start:end] for start in range(25) for end in range(start + 1, min(start + 5, 25) + 1)}
    found = [set(variable.draw(np.random.default_rng(seed))) for seed in range(30)]
    assert len(every) == 115
    assert every - set().union(*found) == {"Y"}
    assert sum(len(runs) == 114 for runs in found) > 25


@pytest.mark.parametrize("seed", range(5))
def test_runs_held_out_are_never_drawn_nor_is_the_same_input(seed: int) -> None:
    rng = np.random.default_rng(seed)
    held = variable.held_out(rng)
    drawn = variable.draw(rng, frozenset(held))
    inputs = {row.tobytes() for row in padded(drawn, 5)}
    assert len(set(held)) == 20
    assert len(drawn) == 1000
    assert not any(row.tobytes() in inputs for row in padded(held, 5))


# --------------------------------------------------------------------------------------------------- the letters


@pytest.mark.parametrize("length", [1, 3])
def test_runs_go_through_the_alphabet(length: int) -> None:
    found, answers = runs(length)
    assert "".join(run[0] for run in found) == ALPHABET[: 26 - length]
    assert answers == ALPHABET[length:]


def test_padded_runs_end_where_the_steps_end() -> None:
    asked = ["B", "XYZ", "KLMNO"]
    x, real = padded(asked, 6), lettered(asked, 6)
    assert x.shape == (3, 6, 1)
    assert x.dtype == np.float32
    for row, flags, run in zip(x[..., 0] * 26, real, asked, strict=True):
        assert [ALPHABET[round(float(number))] for number in row[flags]] == list(run)
        assert not row[~flags].any()
        assert flags.tolist() == [False] * (6 - len(run)) + [True] * len(run)


def test_one_hot_runs_are_padded_like_numbers() -> None:
    x = variable.filled_one_hot(["B", "KLM"], 4)
    assert x.shape == (2, 4, 26)
    assert (x.sum(axis=-1) == lettered(["B", "KLM"], 4)).all()
    assert likeliest(x[1, 1:]) == "KLM"


def test_answers_are_counted_letter_by_letter() -> None:
    assert following(["A", "CD", "XY"]) == "BEZ"
    assert percent("BEZZ", "BCDZ") == 50.0
    with pytest.raises(ValueError, match="longer"):
        percent("B", "BC")


def test_a_carried_training_warns_that_no_gradient_reaches_back() -> None:
    with pytest.warns(sw.StatewiseWarning, match="no gradient reaches it"):
        stateful.trial(0, epochs=1)
