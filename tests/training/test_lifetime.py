"""Compiled programs go with the last model that uses them."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import statewise as sw
from statewise.inference.forward import forward_of
from statewise.training.programs import programs_for

MAPPED = Path("/proc/self/maps")
X = np.random.default_rng(3).normal(size=(4, 2, 1)).astype(np.float32)


def learnt(name: str) -> sw.Sequential:
    """Returns a model whose programs no model has that is called otherwise."""
    model = sw.Sequential([sw.SimpleRNN(2), sw.Dense(1, name=name)], seed=7)
    model.compile("sgd", "mse")
    model.fit(X, X[:, -1], verbose=0)
    model.evaluate(X, X[:, -1])
    model.predict(X)
    return model


def forget() -> None:
    """Lets go of what is kept for models to come."""
    programs_for.cache_clear()
    forward_of.cache_clear()
    gc.collect()


def mappings() -> int:
    return MAPPED.read_text().count("\n")


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    forget()
    yield
    forget()


def test_models_that_are_like_another_share_its_programs() -> None:
    first, second = learnt("shared"), learnt("shared")
    assert first.programs is second.programs
    assert first.programs is not learnt("other").programs


def test_programs_stay_while_a_model_has_them() -> None:
    model = learnt("kept")
    train = model.programs.train
    forget()
    compiled = len(train)
    model.fit(X, X[:, -1], verbose=0)
    assert len(train) == compiled


def test_programs_go_with_the_last_model() -> None:
    gone = weakref.ref(learnt("gone").programs)
    forget()
    assert gone() is None


@pytest.mark.skipif(not MAPPED.exists(), reason="the system does not say what it maps")
def test_the_memory_of_programs_is_given_back() -> None:
    learnt("first")
    forget()
    before = mappings()
    model = learnt("second")
    taken = mappings() - before
    del model
    forget()
    assert mappings() - before < taken / 4
