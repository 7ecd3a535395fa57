"""Where a text starts: `state=` in generate and evaluate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import statewise
from mistakes import STORY, case, refused, story, table
from networks import copied, random_weights
from statewise.errors import ConfigurationError, StateError, StatewiseError
from tolerances import assert_close, assert_same

sw: Any = statewise  # what users write is not always what the types allow
Array = np.ndarray[Any, np.dtype[Any]]


def loss_of(p: Array, y: Array, counted: Array | None = None) -> float:
    """Returns the mean cross-entropy of probabilities `[N, T, V]`."""
    values = -np.log(np.take_along_axis(np.asarray(p, np.float64), y[..., None], axis=-1))[..., 0]
    return float(values.mean() if counted is None else values[counted].mean())


@pytest.fixture
def reader() -> Any:
    model = story()
    random_weights(model, scale=1.0)
    model.reset_state()
    return model


def test_generating_carries_on_exactly(reader: Any) -> None:
    """After generate(prompt, n) the state has read prompt and text; what follows is what would have followed."""
    first = reader.generate("the mice", 7, temperature=0, state="carry")
    ids = reader.vocabulary.encode("the mice" + first)
    _, expected = reader.model(ids[None])
    assert_close(copied(reader.state), copied(expected), "state")
    more = reader.generate(" ran", 5, temperature=0, state="continue")
    assert more == reader.generate("the mice" + first + " ran", 5, temperature=0)
    with pytest.warns(sw.StatewiseWarning, match="state='continue'"):
        assert reader.generate("the mice", 7, temperature=0, state="carry") == first


def test_generating_from_a_state_equals_reading_it_all(reader: Any) -> None:
    _, start = reader.model(reader.vocabulary.encode("the mice")[None])
    before = copied(start)
    found = reader.generate(" saw", 6, temperature=0, state=start)
    assert found == reader.generate("the mice saw", 6, temperature=0)
    assert found != reader.generate(" saw", 6, temperature=0), "a model that forgets shows nothing"
    assert reader.state is None
    assert_same(copied(start), before, "the state that was given")


def test_scoring_carries_on_exactly(reader: Any) -> None:
    text = "the mice saw the cat and the mice ran. "
    whole = reader.evaluate(text + "the mice ran.", state=f"warmup:{len(text)}")
    reader.evaluate(text, state="carry")
    _, expected = reader.model(reader.vocabulary.encode(text)[None])
    assert_close(copied(reader.state), copied(expected), "state")
    carried = reader.state
    rest = reader.evaluate("the mice ran.", state=carried)
    assert rest.tokens == whole.tokens - 1  # the first symbol is read only
    assert_same(copied(reader.state), copied(carried), "state")
    ids = reader.vocabulary.encode("the mice ran.")
    p = np.asarray(reader.model(ids[None, :-1], carried)[0])
    assert rest.loss == pytest.approx(loss_of(p, ids[None, 1:]), rel=1e-4)


def test_warming_up_scores_the_rest(reader: Any) -> None:
    ids = reader.vocabulary.encode(STORY)
    p = np.asarray(reader.model(ids[None, :-1])[0])
    score = reader.evaluate(STORY, state="warmup:20")
    assert score.tokens == len(ids) - 20
    assert score.loss == pytest.approx(loss_of(p[:, 19:], ids[None, 20:]), rel=1e-4)


WINDOWED = ("windows of 3", "has no state", "without window")
TEXTS = [
    case(
        "warmup",
        lambda: story().generate("the", 3, state="warmup:2"),
        ConfigurationError,
        "the whole prompt already warms up the state",
    ),
    case("misspelt", lambda: story().generate("the", 3, state="cary"), ConfigurationError, "did you mean 'carry'?"),
    case(
        "rows",
        lambda: story().generate("the", 3, state=story().initial_state().fork(2)),
        StateError,
        "state has 2 row(s): expected 1",
        "state.rows(...)",
    ),
    case("windows-carry", lambda: story(window=3).generate("the", 3, state="carry"), StateError, *WINDOWED),
    case("windows-score", lambda: story(window=3).evaluate(STORY, state="carry"), StateError, *WINDOWED),
    case("windows-warmup", lambda: story(window=3).evaluate(STORY, state="warmup:5"), StateError, *WINDOWED),
    case(
        "windows-state",
        lambda: story(window=3).generate("the", 3, state=story(window=3).initial_state()),
        StateError,
        *WINDOWED,
    ),
]


@table(*TEXTS)
def test_what_cannot_be_where_a_text_starts(
    action: Callable[[], object], error: type[StatewiseError], words: tuple[str, ...]
) -> None:
    refused(action, error, words)
