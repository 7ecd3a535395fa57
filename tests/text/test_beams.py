"""Beam search: the best of all continuations where it keeps enough, and never worse than what it keeps."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import refused
from networks import random_weights
from statewise.errors import ConfigurationError
from statewise.text.beams import search_of

TEXT = "abacadabra cabbra dabba " * 8


@pytest.fixture(scope="module", params=[None, 2], ids=["carried", "window"])
def model(request: pytest.FixtureRequest) -> sw.TextModel:
    made = sw.TextModel(units=8, embedding=4, window=request.param, seed=3)
    made.fit(TEXT, epochs=2, verbose=0)
    random_weights(made.model, scale=1.5)
    return made


def log_probability(model: sw.TextModel, prompt: np.ndarray[Any, Any], symbols: tuple[int, ...]) -> float:
    """Of symbols after a prompt, one by one."""
    total, before = 0.0, prompt.tolist()
    for symbol in symbols:
        read = np.array([before[-model.window :] if model.window else before])
        y = np.asarray(model.model(read)[0], np.float64)
        total += float(np.log(y[0, -1, symbol] if y.ndim == 3 else y[0, symbol]))
        before.append(symbol)
    return total


def searched(model: sw.TextModel, prompt: np.ndarray[Any, Any], length: int, beams: int) -> Any:
    return search_of(model.model.network, model.window, beams).search(model.model.params, prompt, length)


def test_with_enough_beams_it_finds_the_best_of_all(model: sw.TextModel) -> None:
    prompt = model.vocabulary.encode("cabb")
    count = len(model.vocabulary)
    found = searched(model, prompt, 3, count**2)
    everything = {symbols: log_probability(model, prompt, symbols) for symbols in product(range(count), repeat=3)}
    best = max(everything, key=lambda symbols: everything[symbols])
    assert tuple(found.symbols) == best
    assert found.log_probability == pytest.approx(everything[best], abs=1e-4)


def test_one_beam_is_greedy_and_more_find_no_less(model: sw.TextModel) -> None:
    prompt = model.vocabulary.encode("abra")
    greedy = model.generate("abra", length=70, temperature=0)
    alone = searched(model, prompt, 70, 1)
    assert "".join(model.vocabulary.pieces(iter(alone.symbols), after=prompt.tolist())) == greedy
    several = searched(model, prompt, 70, 5)
    assert several.log_probability >= alone.log_probability - 1e-3
    short = tuple(several.symbols)
    assert several.log_probability == pytest.approx(log_probability(model, prompt, short), rel=1e-3)
    assert model.generate("abra", length=70, beams=5) == model.generate("abra", length=70, beams=5, seed=9)


def test_the_state_after_it_is_that_of_the_text() -> None:
    made = sw.TextModel(units=8, seed=3)
    made.fit(TEXT, epochs=1, verbose=0)
    text = made.generate("abra", length=9, beams=3, state="carry")
    assert made.state is not None
    read = made.vocabulary.encode("abra" + text)
    _, state = made.model(read[None])
    for found, expected in zip(made.state["lstm"], state["lstm"], strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    more = made.generate(" ", length=4, beams=3, state="continue")
    assert len(more) == 4


def test_mistakes(model: sw.TextModel) -> None:
    refused(lambda: model.generate("abra", beams=0), ConfigurationError, ["beams", "got 0"])
    for option in ({"temperature": 0.5}, {"top_k": 3}, {"top_p": 0.5}):
        with pytest.raises(ConfigurationError, match=r"beams: a beam search excludes"):
            model.generate("abra", beams=2, **option)
