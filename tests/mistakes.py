"""Tables of mistakes: what a user does wrong, the error it ends in, the words its message cannot do without."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

import statewise
from statewise.errors import StatewiseError

sw: Any = statewise  # what users write is not always what the types allow

X = np.random.default_rng(11).normal(size=(6, 3, 2)).astype(np.float32)
Y = np.random.default_rng(12).normal(size=(6, 2)).astype(np.float32)
STORY = "the mice saw the cat and the mice ran. " * 3
TINY: dict[str, Any] = {"units": 3, "embedding": 2}

Error = type[StatewiseError]
Action = Callable[[], object]


def case(name: str, action: Action, error: Error, *words: str) -> Any:
    """A mistake, its error, and what the message must say: what was expected, what came, what to write."""
    return pytest.param(action, error, words, id=name)


def each(name: str, act: Callable[[Any], object], error: Error, *words: str, of: Iterable[object]) -> Iterator[Any]:
    """The same mistake with several values; the message must name the option and show the value."""
    for value in of:
        yield case(f"{name}={value!r}", partial(act, value), error, name, repr(value), *words)


def table(*mistakes: Any) -> pytest.MarkDecorator:
    """Runs a test once for each of these."""
    return pytest.mark.parametrize(("action", "error", "words"), mistakes)


def refused(action: Action, error: Error, words: Iterable[str]) -> None:
    """Fails unless `action` raises exactly `error`, with all `words` on its one line."""
    with pytest.raises(StatewiseError) as caught:
        action()
    message = str(caught.value)
    assert type(caught.value) is error, message
    assert "\n" not in message
    missing = [word for word in words if word not in message]
    assert not missing, f"{missing} not in: {message}"


def model_of(*layers: Any, loss: str = "mse", metrics: Any = ()) -> Any:
    """A compiled model that has seen nothing yet."""
    model = sw.Sequential(layers, seed=1)
    model.compile("adam", loss, metrics)
    return model


def regression(**options: Any) -> Any:
    """Reads `X`, answers `Y`."""
    return model_of(sw.LSTM(3), sw.Dense(2), **options)


def fit(model: Any, *data: Any, **options: Any) -> Any:
    """Fits without a word."""
    return model.fit(*data, verbose=0, **options)


def learn(*data: Any, **options: Any) -> Any:
    """Fits a new regression, on `X` and `Y` where no data are given."""
    return fit(regression(), *(data or (X, Y)), **options)


@cache
def trained() -> Any:
    """A fitted regression; no mistake may change it."""
    model = regression()
    fit(model, X, Y)
    return model


def read(text: object = STORY, *, window: object = None, tokens: str = "char", **options: Any) -> Any:
    """Fits a new TextModel."""
    return fit(sw.TextModel(**TINY, tokens=tokens, window=window), text, **{"epochs": 1, **options})


@cache
def story(**options: Any) -> Any:
    """A fitted TextModel; no mistake may change it."""
    model = sw.TextModel(**TINY, **options)
    fit(model, STORY, epochs=1)
    return model
