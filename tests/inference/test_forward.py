"""Predictions batch by batch are those of one call, and a short last batch moves no state that it should not."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import statewise as sw
from learning import BATCH, MASK, ROWS, X, Y, tagger
from networks import copied, random_state, random_weights, rows
from tolerances import assert_close, assert_same

RESET = np.random.default_rng(21).random(MASK.shape) < 0.2
FLAGS: dict[str, dict[str, Any]] = {"plain": {}, "reset-and-mask": {"reset": RESET, "mask": MASK}}
flagged = pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)


@pytest.fixture
def model() -> sw.Sequential:
    model = tagger()
    random_weights(model)
    return model


def by_hand(model: sw.Sequential, start: sw.State, flags: dict[str, Any]) -> tuple[Any, sw.State]:
    """Returns the outputs of consecutive batches, row r going on from row r, and where each row ends."""
    state, outputs = start, []
    for first in range(0, ROWS, BATCH):
        part = slice(first, min(first + BATCH, ROWS))
        size = part.stop - first
        given = {name: flag[part] for name, flag in flags.items()}
        y, after = model(X[part], rows(state, slice(size)), **given)
        state = jax.tree.map(lambda old, new, size=size: old.at[:size].set(new), state, after)
        outputs.append(np.asarray(y))
    return np.concatenate(outputs), state


@flagged
@pytest.mark.parametrize("batch_size", [3, BATCH, ROWS, 99])
def test_predictions_do_not_depend_on_the_batch_size(
    model: sw.Sequential, batch_size: int, flags: dict[str, Any]
) -> None:
    y, _ = model(X, **flags)
    assert_close(model.predict(X, batch_size=batch_size, **flags), np.asarray(y), "y")


@flagged
def test_predict_goes_on_from_batch_to_batch(model: sw.Sequential, flags: dict[str, Any]) -> None:
    start = random_state(model, BATCH)
    expected, _ = by_hand(model, start, flags)
    before = copied(start)
    assert_close(model.predict(X, batch_size=BATCH, state=start, **flags), expected, "y")
    assert_same(copied(start), before, "the state that was given")
    assert model.state is None


@flagged
def test_rows_that_a_short_last_batch_lacks_keep_their_state(model: sw.Sequential, flags: dict[str, Any]) -> None:
    """Two rows end after three batches, the other two after two; so says predict, and so does evaluate."""
    start = random_state(model, BATCH)
    _, end = by_hand(model, start, flags)
    model.state = start
    model.predict(X, batch_size=BATCH, state="continue", **flags)
    assert_close(model.state, end, "state after predict")
    model.state = start
    model.evaluate(X, Y, batch_size=BATCH, state="continue", **flags)
    assert_close(model.state, end, "state after evaluate")


def test_carry_starts_fresh_where_there_is_no_state_yet(model: sw.Sequential) -> None:
    expected, end = by_hand(model, model.zero_state(BATCH), {})
    assert_close(model.predict(X, batch_size=BATCH, state="carry"), expected, "y")
    assert_close(model.state, end, "state")
    model.reset_state()
    assert_close(model.predict(X, batch_size=BATCH, state="carry"), expected, "y after reset_state")


def test_evaluate_goes_on_from_batch_to_batch(model: sw.Sequential) -> None:
    start = random_state(model, BATCH)
    p, _ = by_hand(model, start, {})
    logs = model.evaluate(X, Y, batch_size=BATCH, state=start, return_dict=True)
    assert isinstance(logs, dict)
    expected = -np.log(np.take_along_axis(p, Y[..., None], axis=-1)).mean()
    assert logs["loss"] == pytest.approx(expected, rel=1e-5)
    assert model.state is None
