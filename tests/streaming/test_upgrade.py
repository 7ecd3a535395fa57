"""New weights under running streams: the states stay, the answers are those of the new network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import STORY
from networks import FEATURES
from statewise.layers import GRU, Dense
from statewise.streaming import Stream, Streams
from streamed import ENGINES, built, lstm, parts, runtime_of
from tolerances import assert_close

X = np.random.default_rng(9).normal(size=(12, FEATURES))


def model_of(seed: int) -> sw.Sequential:
    return built([lstm(learn_initial_state=True), GRU(3), Dense(2)], (None, FEATURES), seed)


@pytest.fixture(params=["model", "runtime", "path", "text-path"])
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The new model, in each of the ways to give it."""
    new = model_of(2)
    new.save(tmp_path / "new")
    ways = {"model": new, "runtime": runtime_of(new), "path": tmp_path / "new", "text-path": str(tmp_path / "new")}
    return ways[request.param]


@pytest.mark.parametrize("engine", ENGINES)
def test_pushes_continue_from_the_old_states_with_new_weights(engine: str, given: Any) -> None:
    streams, stream = Streams(runtime_of(model_of(1), engine), max_streams=3), Stream(runtime_of(model_of(1), engine))
    for place in range(5):
        streams.push({"ab"[place % 2]: X[place], 3: X[place]})
        stream.push(X[place])
    before, state = streams.snapshot(), stream.state
    for running in (streams, stream):
        running.upgrade(given)
    assert (list(streams), stream.steps) == (before.keys, 5)
    assert_close(parts(streams.snapshot().state), parts(before.state), "states")
    whole, end = model_of(2)(X[None, 5:7].astype("float32"), before.state.rows(before.keys.index("a")))
    answers = [streams.push_one("a", x) for x in X[5:7]]
    assert_close(np.stack(answers)[-1], np.asarray(whole)[0].reshape(-1, 2)[-1], "y of a")
    assert_close(parts(streams.state("a")), parts(end), "state of a")
    fresh, _ = model_of(2)(X[None, 7:8].astype("float32"))
    assert_close(streams.push({"new": X[7]})["new"], np.asarray(fresh)[0].reshape(-1, 2)[-1], "y of a fresh one")
    assert list(streams) == [3, "a", "new"]
    whole, _ = model_of(2)(X[None, 5:6].astype("float32"), state)
    assert_close(stream.push(X[5]), np.asarray(whole)[0].reshape(-1, 2)[-1], "y of the stream")


def test_a_model_of_a_text_is_taken_too() -> None:
    models = []
    for seed in (1, 2):
        text = sw.TextModel(units=3, embedding=2, seed=seed)
        text.fit(STORY, epochs=1, verbose=0)
        models.append(text)
    streams = models[0].model.streams()
    streams.push({"a": 1, "b": 2})
    expected = Streams(models[1].model.runtime())
    expected.restore(streams.snapshot())
    streams.upgrade(models[1])
    assert_close(streams.push({"a": 3})["a"], expected.push({"a": 3})["a"], "y")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_refused_upgrade_changes_nothing(engine: str) -> None:
    streams, twin = (Streams(runtime_of(model_of(1), engine)) for _ in range(2))
    for running in (streams, twin):
        running.push({"a": X[0], "b": X[1]})
    with pytest.raises(sw.StatewiseError):
        streams.upgrade(built([lstm(5), Dense(2)], (None, FEATURES)))
    assert streams.snapshot() == twin.snapshot()
    assert_close(streams.push({"a": X[2]}), twin.push({"a": X[2]}), "y")
