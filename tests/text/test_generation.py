"""Continuing a sequence equals doing it by hand, and symbols are drawn as often as they should be."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import oracle
import statewise as sw
from networks import copied
from statewise.errors import ConfigurationError
from statewise.generation import sampling
from statewise.generation.sampling import Sampling, draw
from statewise.native.library import library
from statewise.text import generation
from statewise.text.generation import SymbolGenerator, generator_of
from texts import SYMBOLS, WINDOW, greedy_by_window, keys, reader, step_by_step, symbols
from tolerances import assert_same

LENGTH = 150  # crosses the boundary between dispatches twice
GREEDY = Sampling(temperature=0.0)


@pytest.fixture(autouse=True, params=["native", "xla"])
def _engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything holds for the native loop and for XLA's programs."""
    if request.param == "xla":
        monkeypatch.setattr(generation, "loop_of", lambda *_: None)
    elif library() is None:
        pytest.skip("the native library is not built")


@pytest.fixture(scope="module")
def model() -> sw.Sequential:
    return reader()


@pytest.fixture(scope="module")
def windowed() -> sw.Sequential:
    return reader(window=True)


def generate(
    model: sw.Sequential, prompt: Any, length: int, sampling: Sampling, seed: int = 0, window: int | None = None
) -> list[int]:
    generator = generator_of(model.network, window)
    return list(generator.symbols(model.params, prompt, length, sampling, seed))


# ----------------------------------------------------------------------------------------- by hand


def gumbel(key: jax.Array, logits: jax.Array) -> jax.Array:
    return jax.random.gumbel(key, logits.shape)


@pytest.mark.parametrize("prompt", [1, 3, 8])
def test_generating_after_a_prefix_equals_step_by_step(model: sw.Sequential, prompt: int) -> None:
    """Prompts that are padded to a power of two, and those that are not."""
    given = symbols(prompt, seed=prompt)
    expected = step_by_step(model, given, LENGTH, lambda logits, _: jnp.argmax(logits))
    assert len(set(expected)) > 4, "a network that repeats one symbol shows nothing"
    assert generate(model, given, LENGTH, GREEDY) == expected


def test_drawing_after_a_prefix_equals_drawing_step_by_step(model: sw.Sequential) -> None:
    key, options = jax.random.key(5), {"temperature": jnp.float32(0.9), "top_k": jnp.int32(7)}
    choose = jax.jit(lambda logits, index: draw(logits, gumbel(jax.random.fold_in(key, index), logits), options))
    expected = step_by_step(model, symbols(8), LENGTH, choose)
    assert generate(model, symbols(8), LENGTH, Sampling(0.9, top_k=7), seed=5) == expected


def test_a_prefix_may_be_cut_anywhere(model: sw.Sequential) -> None:
    """What was generated becomes part of the prompt: the rest stays the same."""
    given = symbols(4)
    whole = generate(model, given, LENGTH, GREEDY)
    for cut in (1, 3, 4):
        prompt = np.concatenate([given, np.array(whole[:cut], np.int32)])
        assert generate(model, prompt, LENGTH - cut, GREEDY) == whole[cut:]


def test_window_models_equal_a_sliding_window(windowed: sw.Sequential) -> None:
    given = symbols(WINDOW + 3)  # more than the window: only its end counts
    expected = greedy_by_window(windowed, given, 80)
    assert len(set(expected)) > 3
    assert generate(windowed, given, 80, GREEDY, window=WINDOW) == expected
    assert generate(windowed, given[-WINDOW:], 80, GREEDY, window=WINDOW) == expected


def test_the_dispatch_boundary_changes_nothing(model: sw.Sequential, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = generate(model, symbols(4), LENGTH, Sampling())
    monkeypatch.setattr(generation, "SYMBOLS_PER_DISPATCH", 7)
    again = SymbolGenerator(model.network, None).symbols(model.params, symbols(4), LENGTH, Sampling(), seed=0)
    assert list(again) == expected


@pytest.mark.parametrize("length", [1, 63, 64, 65, 128])
def test_exactly_so_many_symbols_as_asked_for(model: sw.Sequential, length: int) -> None:
    whole = generate(model, symbols(4), LENGTH, Sampling())
    assert generate(model, symbols(4), length, Sampling()) == whole[:length]


# ---------------------------------------------------------------------------------------- sampling


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(top_k=1),
        Sampling(top_p=1e-6),
        Sampling(temperature=1e-4),
        Sampling(temperature=5.0, top_k=1),
        Sampling(temperature=0.0, top_k=3, top_p=0.5),
    ],
    ids=["top_k=1", "top_p=1e-6", "temperature=1e-4", "hot-top_k=1", "temperature=0"],
)
def test_what_leaves_no_choice_is_greedy(model: sw.Sequential, sampling: Sampling) -> None:
    assert generate(model, symbols(4), 70, sampling) == generate(model, symbols(4), 70, GREEDY)


def test_one_seed_gives_one_text(model: sw.Sequential) -> None:
    first, again, other = (generate(model, symbols(4), LENGTH, Sampling(), seed) for seed in (3, 3, 4))
    assert first == again
    assert first != other


@jax.jit
def _drawn(logits: jax.Array, keys: jax.Array, options: dict[str, jax.Array]) -> jax.Array:
    return jax.vmap(lambda key: draw(logits, gumbel(key, logits), options))(keys)


def draws(logits: Any, count: int = 20_000, **sampling: float) -> Any:
    """Returns how often each symbol was drawn."""
    drawn = _drawn(jnp.asarray(logits, jnp.float32), keys(count), {"temperature": 1.0, **sampling})
    return np.bincount(np.asarray(drawn), minlength=len(logits))


def assert_frequencies(counts: Any, probabilities: Any) -> None:
    """Fails if counts are further from what is expected than chance allows (chi-square plus six deviations)."""
    possible = probabilities > 0
    assert counts[~possible].sum() == 0, f"impossible symbols were drawn: {np.flatnonzero(~possible & (counts > 0))}"
    expected = probabilities[possible] * counts.sum()
    chi_square, freedom = float(((counts[possible] - expected) ** 2 / expected).sum()), possible.sum() - 1
    bound = freedom + 6 * np.sqrt(2 * freedom) + 6
    assert chi_square < bound, f"chi-square {chi_square:.1f} of {freedom} degrees of freedom, at most {bound:.1f}"


def softmax(logits: Any) -> Any:
    return np.array(oracle.softmax(logits.tolist()))


LOGITS = np.array([0.3, -1.0, 2.0, 0.9, -0.2, 1.4, 0.1])  # the order: 2 5 3 0 6 4 1


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_are_those_of_the_softmax(temperature: float) -> None:
    assert_frequencies(draws(LOGITS, temperature=temperature), softmax(LOGITS / temperature))


def test_the_test_of_frequencies_notices_a_wrong_temperature() -> None:
    with pytest.raises(AssertionError, match="chi-square"):
        assert_frequencies(draws(LOGITS), softmax(LOGITS / 1.1))


@pytest.mark.parametrize("k", [1, 3, 6, 7, 50])
def test_top_k_keeps_the_k_likeliest_in_their_proportions(k: int) -> None:
    kept = np.isin(np.arange(7), [2, 5, 3, 0, 6, 4, 1][:k])
    expected = np.where(kept, softmax(LOGITS), 0.0)
    assert_frequencies(draws(LOGITS, top_k=k), expected / expected.sum())


@pytest.mark.parametrize(("p", "count"), [(0.01, 1), (0.42, 1), (0.43, 2), (0.78, 3), (0.95, 6), (0.99, 7), (1.0, 7)])
def test_top_p_keeps_the_fewest_that_reach_p(p: float, count: int) -> None:
    """The likeliest together have 0.421, 0.652, 0.792, 0.869, 0.932, 0.979 and 1."""
    kept = np.isin(np.arange(7), [2, 5, 3, 0, 6, 4, 1][:count])
    expected = np.where(kept, softmax(LOGITS), 0.0)
    assert_frequencies(draws(LOGITS, top_p=p), expected / expected.sum())


def test_top_p_sees_the_probabilities_at_the_temperature() -> None:
    """At a high temperature more symbols are needed to reach p."""
    cold, hot = (draws(LOGITS, temperature=temperature, top_p=0.5) for temperature in (0.3, 3.0))
    assert np.flatnonzero(cold).tolist() == [2]
    assert np.count_nonzero(hot) == 3


def test_top_k_and_top_p_together_keep_what_both_keep() -> None:
    assert np.flatnonzero(draws(LOGITS, top_k=2, top_p=0.95)).tolist() == [2, 5]
    assert np.flatnonzero(draws(LOGITS, top_k=5, top_p=0.5)).tolist() == [2, 5]


@pytest.mark.parametrize("scale", [0.0, 4.0])
def test_top_p_of_1_keeps_every_symbol_that_has_a_chance(scale: float) -> None:
    """However the sum of 1,000 probabilities is rounded."""
    logits = scale * np.random.default_rng(2).normal(size=1000)
    kept = np.asarray(sampling._kept(jnp.asarray(logits, jnp.float32), {"top_p": jnp.float32(1.0)}))
    assert softmax(logits)[~kept].sum() < 1e-6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
        ({"top_k": 0}, "top_k"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
    ],
)
def test_what_sampling_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Sampling(**options)


# -------------------------------------------------------------------------------------------- texts


def test_generating_and_scoring_a_text_move_no_state() -> None:
    text = "the cat sat on the mat. " * 6
    model = sw.TextModel(units=8, embedding=4, dropout=0.0, seed=2)
    model.fit(text, epochs=2, batch_size=2, steps=2, optimizer=sw.SGD(), verbose=0)
    before = copied(model.model.state)
    assert any(part.any() for part in jax.tree.leaves(before))
    first = model.generate("the c", 30, seed=5)
    model.evaluate(text)
    assert model.generate("the c", 30, seed=5) == first
    assert len(first) == 30
    assert model.generate("the c", 30, seed=6) != first
    assert_same(copied(model.model.state), before, "model.state")


def test_symbols_stay_in_range(model: sw.Sequential) -> None:
    found = generate(model, symbols(1), LENGTH, Sampling(temperature=50.0))
    assert set(found) <= set(range(SYMBOLS))
    assert len(set(found)) == SYMBOLS
