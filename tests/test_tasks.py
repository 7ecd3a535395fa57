"""Tasks that cannot be done without memory, learnt by the scripts in `examples/` at sizes that take seconds.

Each is scored on new data, beside what can be had without memory: by the formula, and measured, as what remains of
the trained model when its state is reset at every step.
"""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw

SEED = 3
EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name: str) -> Any:
    """Returns a script of `examples/` as a module."""
    spec = spec_from_file_location(f"examples_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


echo, adding, copy_memory, carried_state, t_maze = map(
    example, ["echo", "adding", "copy_memory", "carried_state", "t_maze"]
)
streamflow, two_heads, convolution_first, dates = map(
    example, ["streamflow", "two_heads", "convolution_first", "dates"]
)


def without_memory(model: sw.Sequential, x: Any, y: Any) -> dict[str, float]:
    """Returns the scores of a model that forgets everything before each step."""
    scores = model.evaluate(x, y, reset=np.ones(x.shape[:2], bool), return_dict=True)
    assert isinstance(scores, dict)
    return scores


# ------------------------------------------------------------------------------------------------ echo with a lag


@pytest.mark.parametrize("lag", [1, *(pytest.param(lag, marks=pytest.mark.slow) for lag in (2, 4))])
def test_an_echo_is_learnt_through_lanes(lag: int) -> None:
    model = echo.train(SEED, lag, epochs=30, verbose=0)
    unseen, chance = echo.echo(2 * SEED + 1, lag, 1000), 1 / echo.SYMBOLS
    reachable = (echo.STEPS - lag + lag * chance) / echo.STEPS  # in the first `lag` steps of a batch one can but guess
    assert echo.accuracy(model, unseen, carry=True) > 0.99
    assert echo.accuracy(model, unseen, carry=False) < reachable + 0.02
    assert without_memory(model, unseen.x, unseen.y)["accuracy"] < chance + 0.03


# --------------------------------------------------------------------------------------------- the adding problem


def test_numbers_are_added_across_25_steps() -> None:
    model, _ = adding.train(SEED, length=25, rows=2000, verbose=0)
    x, y = adding.adding(2 * SEED + 1, 1000, 25)
    assert model.evaluate(x, y) < adding.BASELINE / 3
    assert without_memory(model, x, y)["loss"] > 0.9 * adding.BASELINE


@pytest.mark.slow
def test_numbers_are_added_across_100_steps() -> None:
    model, _ = adding.train(SEED, length=100, verbose=0)
    x, y = adding.adding(2 * SEED + 1, 2000, 100)
    assert model.evaluate(x, y) < adding.SOLVED


# ---------------------------------------------------------------------------------------------------- copy memory


@pytest.mark.slow
def test_three_symbols_are_copied_across_10_steps() -> None:
    model = copy_memory.network(SEED, units=32)
    model.fit(*copy_memory.copy(2 * SEED, 2000, 10, remember=3), batch_size=20, epochs=30, verbose=0)
    x, y = copy_memory.copy(2 * SEED + 1, 500, 10, remember=3)
    assert model.evaluate(x, y) < copy_memory.baseline(10, remember=3) / 3
    assert copy_memory.recall(model, x, y) > 0.9  # guessing: 1 / 8
    assert without_memory(model, x, y)["loss"] > 0.9 * copy_memory.baseline(10, remember=3)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_symbols_are_copied_across_30_steps() -> None:
    model = copy_memory.network(seed=0, units=100)
    copy_memory.fit(model, seed=0, wait=30, verbose=0)
    x, y = copy_memory.copy(seed=1, rows=1000, wait=30)
    assert model.evaluate(x, y) < copy_memory.baseline(30) / 5
    assert copy_memory.recall(model, x, y) > 0.9


# -------------------------------------------------------------------------------------------------- carried state


def test_a_key_shown_before_the_batch_is_out_of_reach_of_a_fresh_state() -> None:
    with pytest.warns(sw.StatewiseWarning, match="write state='carry' to carry the state"):
        model = carried_state.train(SEED, "fresh", epochs=10, verbose=0)
    right = carried_state.accuracy(model, carried_state.keys(2 * SEED + 1, 50), "fresh")
    assert abs(right - carried_state.CHANCE) < 0.05  # 1000 keys: one standard deviation of guessing is 0.014


def test_a_key_shown_before_the_batch_comes_with_a_carried_state() -> None:
    model = carried_state.train(SEED, "carry", epochs=10, verbose=0)
    unseen = carried_state.keys(2 * SEED + 1, 50)
    assert carried_state.accuracy(model, unseen, "carry") > 0.99
    assert abs(carried_state.accuracy(model, unseen, "fresh") - carried_state.CHANCE) < 0.05


# ---------------------------------------------------------------------------------------------------- the scripts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "options"),
    [
        (echo, ["--lag", "1"]),
        (adding, ["--length", "10"]),
        (copy_memory, ["--wait", "1", "--units", "8"]),
        (carried_state, []),
    ],
    ids=["echo", "adding", "copy_memory", "carried_state"],
)
def test_the_script_says_what_it_reached(
    script: Any, options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", [script.__name__, *options, "--epochs", "1"])
    script.main()
    assert "seed 0" in capsys.readouterr().out


# --------------------------------------------------------------------------------------------------------- T-maze


def test_a_sign_is_remembered_to_the_end_of_a_corridor_by_rewards() -> None:
    model = t_maze.policy(SEED)
    rewards = t_maze.reinforce(model, length=6, updates=60, seed=SEED)
    assert abs(np.mean(rewards[:2])) < 0.3
    assert np.mean(rewards[-10:]) > 0.95
    assert t_maze.rewarded(model, length=6, episodes=100, seed=1) > 0.95


def test_and_by_example_in_episodes_end_to_end() -> None:
    model = t_maze.policy(SEED)
    assert t_maze.imitate(model, length=6, epochs=40, seed=SEED) > 0.95
    assert t_maze.rewarded(model, length=6, episodes=100, seed=1) > 0.95
    x, right, junction, _ = t_maze.recorded(7, 64, 3, 6)
    blind = model.predict(x, reset=np.ones(right.shape, bool)).argmax(axis=-1)
    assert abs((blind == right)[junction > 0].mean() - 0.5) < 0.15


# ------------------------------------------------------------------------------------------- several inputs and outputs


@pytest.fixture(scope="module")
def forecaster() -> tuple[sw.Model, Any]:
    """A network that learned from some rivers, and others."""
    model = streamflow.network(SEED)
    x, y = streamflow.cases(streamflow.rivers(SEED, 16), streamflow.LOOK, 5 * streamflow.YEAR, 7)
    model.fit(x, y, batch_size=64, epochs=12, verbose=0)
    return model, streamflow.rivers(SEED + 1, 6)


def test_flows_are_forecast_better_than_by_todays(forecaster: tuple[sw.Model, Any]) -> None:
    model, unseen = forecaster
    x, y = streamflow.cases(unseen, 5 * streamflow.YEAR, 8 * streamflow.YEAR, 5)
    persistent = np.repeat(streamflow.flow_of(x["past"][:, -1:, 2:]), streamflow.DAYS, axis=1)
    by_network = streamflow.efficiency(streamflow.flow_of(model.predict(x)), y, 6).mean()
    assert by_network > streamflow.efficiency(persistent, y, 6).mean() + 0.05


def test_a_hindcast_that_reads_each_day_once_is_one_that_reads_all_anew(forecaster: tuple[sw.Model, Any]) -> None:
    model, unseen = forecaster
    last = unseen["past"].shape[1] - 1
    anew = {"past": unseen["past"], "future": unseen["future"][:, last], "catchment": unseen["catchment"]}
    daily = streamflow.day_by_day(model, unseen, last - 20)[:, -1]
    np.testing.assert_allclose(daily, streamflow.flow_of(model.predict(anew)), rtol=1e-4, atol=1e-4)


def test_what_one_head_learns_serves_the_other() -> None:
    shared, weights, _ = two_heads.train(SEED, ["next", "alarm"], share=0.01, epochs=60)
    alone, fewer, _ = two_heads.train(SEED, ["alarm"], share=0.01, epochs=60)
    other, more, _ = two_heads.train(SEED, ["next"], share=0.01, epochs=60)
    assert shared["right"] > alone["right"] + 0.01
    assert shared["error"] < other["error"] + 0.01
    assert weights < 0.6 * (fewer + more)
    error, right = two_heads.best(*two_heads.machines(2, 100, 200))
    assert shared["error"] > error
    assert shared["right"] < right


# ------------------------------------------------------------------------------------------------ a convolution first


def test_tones_are_found_by_a_convolution_and_their_order_is_kept() -> None:
    pooled, right, _ = convolution_first.train("convolution, pooling, LSTM", SEED, rows=1000, epochs=14)
    assert right > 0.8
    alone = convolution_first.network("LSTM alone", SEED)
    alone.build((None, None, 1))
    assert abs(alone.count_params() - pooled.count_params()) < 100


# ------------------------------------------------------------------------------------- dates, with attention


def test_dates_are_translated_and_attended_to() -> None:
    """Of few dates in few epochs it learns the format and the year; what it attends to are shares of all it reads."""
    model, looking = dates.translator(24, SEED)
    accuracy = dates.learn(model, 1500, 5, SEED)
    assert accuracy[-1] > accuracy[0]
    texts, answers = dates.draw(40, SEED + 1)
    found = dates.translate(model, texts, beams=2)
    assert np.mean([len(text) == 10 and text[4] == "-" for text in found]) > 0.9
    assert np.mean([text[:2] == answer[:2] for text, answer in zip(found, answers, strict=True)]) > 0.5
    shares = dates.attended(looking, texts[0], answers[0])
    assert shares.shape == (10, len(texts[0]))
    assert np.allclose(shares.sum(axis=1), 1.0, atol=1e-5)
