"""Decoders that start in an encoder's state: when they start, when they go on, and when they start again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import statewise as sw
from graphs import bridge, encoder_decoder
from networks import random_weights
from statewise.state import parts_of
from tolerances import assert_close, assert_same, differ

RNG = np.random.default_rng(17)
SOURCE = RNG.normal(size=(3, 6, 2)).astype("float32")
TARGET = RNG.normal(size=(3, 5, 3)).astype("float32")
KINDS = {"encoder-decoder": encoder_decoder, "bridge": bridge}


@pytest.fixture(scope="module", params=list(KINDS))
def model(request: pytest.FixtureRequest) -> sw.Model:
    made = KINDS[request.param]()
    random_weights(made)
    return made


def first(y: Any) -> Any:
    """The output at each step of the decoder."""
    return np.asarray(y[0] if isinstance(y, list) else y)


def decoder(state: sw.State) -> dict[str, Any]:
    return {part: np.asarray(array) for part, array in parts_of(state["decoder"]).items()}


def test_a_decoder_has_not_started_before_its_first_step(model: sw.Model) -> None:
    fresh = model.initial_state(3)
    assert not any(part.any() for part in decoder(fresh).values())
    y, read = model({"source": SOURCE})
    assert first(y).dtype == object  # None, since no step was taken there
    assert not any(part.any() for part in decoder(read).values())
    _, begun = model({"target": TARGET[:, :1]}, read)
    assert (decoder(begun)["started"] == 1).all()
    assert np.abs(decoder(begun)["reached.h"]).min() > 0


def test_reading_more_of_the_source_makes_the_decoder_start_again(model: sw.Model) -> None:
    """Wherever it was: then it starts at the end of all that the encoder has read."""
    _, state = model({"source": SOURCE[:, :4], "target": TARGET})
    _, state = model({"source": SOURCE[:, 4:]}, state)
    assert not any(part.any() for part in decoder(state).values())
    y, end = model({"target": TARGET}, state)
    whole, last = model({"source": SOURCE, "target": TARGET})
    assert_close(first(y), first(whole), "y")
    assert_close({n: end[n] for n in end}, {n: last[n] for n in last}, "state")


def test_a_decoder_goes_on_in_rows_whose_source_was_masked(model: sw.Model) -> None:
    _, before = model({"source": SOURCE[:, :4], "target": TARGET[:, :2]})
    mask = {"source": np.array([[True, True], [False, False], [False, True]])}
    _, state = model({"source": SOURCE[:, 4:]}, before, mask=mask)
    assert_same(decoder(state.rows(1)), decoder(before.rows(1)), "the row whose source was masked")
    assert decoder(state)["started"].tolist() == [[0], [1], [0]]
    together, _ = model({"source": SOURCE[:, 4:], "target": TARGET[:, 2:]}, before, mask=mask)
    apart, _ = model({"target": TARGET[:, 2:]}, state)
    assert_close(first(together), first(apart), "y")


def test_a_reset_within_the_target_returns_to_the_encoders_end(model: sw.Model) -> None:
    """Each part of a row between resets is what a fresh decoder makes of it, also where the encoder was reset."""
    reset = {"target": np.zeros((3, 5), bool), "source": np.zeros((3, 6), bool)}
    reset["target"][0, 2] = reset["target"][1, 3] = reset["source"][0, 4] = True
    y, _ = model({"source": SOURCE, "target": TARGET}, reset=reset)
    for row, cut, since in ((0, 2, 4), (1, 3, 0)):
        _, read = model({"source": SOURCE[row : row + 1, since:]})
        for part in (slice(0, cut), slice(cut, None)):
            alone, _ = model({"target": TARGET[row : row + 1, part]}, read)
            assert_close(first(y)[row, part], first(alone)[0], f"row {row}, {part}")


def test_a_reset_of_the_encoder_alone_moves_the_start_and_not_a_decoder_that_runs(model: sw.Model) -> None:
    """Where all steps after a reset are masked, nothing was read: the decoder goes on where it was."""
    _, before = model({"source": SOURCE, "target": TARGET[:, :2]})
    nothing = np.zeros((3, 1), bool)
    _, state = model({"source": SOURCE[:, :1]}, before, mask={"source": nothing}, reset={"source": ~nothing})
    assert not np.asarray(state["encoder"].h).any()
    assert_same(decoder(state), decoder(before), "decoder")
    after_reset, _ = model({"target": TARGET[:, 2:]}, state, reset={"target": np.eye(1, 3, dtype=bool).repeat(3, 0)})
    fresh, _ = model({"target": TARGET[:, 2:]})
    assert_close(first(after_reset), first(fresh), "y after a reset")


def test_state_reset_makes_a_row_fresh_without_the_model(model: sw.Model) -> None:
    x = {"source": SOURCE, "target": TARGET}
    _, state = model(x)
    cleared = state.reset([False, True, False])
    assert decoder(cleared)["started"].tolist() == [[1], [0], [1]]
    y, _ = model({"target": TARGET}, cleared)
    fresh, _ = model({"target": TARGET})
    on, _ = model({"target": TARGET}, state)
    assert_close(first(y)[1], first(fresh)[1], "the row that was reset")
    assert_close(first(y)[[0, 2]], first(on)[[0, 2]], "the others")
    assert differ(first(y)[1], first(on)[1])


def test_states_of_decoders_are_saved_forked_and_joined(model: sw.Model, tmp_path: Any) -> None:
    _, state = model({"source": SOURCE, "target": TARGET})
    state.save(tmp_path / "state")
    assert sw.State.load(tmp_path / "state") == state
    forked = state.rows([1]).fork(3)
    y, _ = model({"target": TARGET[[0, 0, 0]]}, forked)
    assert_same(first(y)[0], first(y)[2], "copies")
    assert sw.State.concat([state.rows([0]), state.rows([1, 2])]) == state


def test_a_decoder_whose_source_moved_while_its_own_steps_were_masked_starts_again(model: sw.Model) -> None:
    _, before = model({"source": SOURCE[:, :4], "target": TARGET[:, :2]})
    nothing = {"target": np.array([[False, False], [True, False], [False, False]])}
    _, state = model({"source": SOURCE[:, 4:], "target": TARGET[:, :2]}, before, mask=nothing)
    assert decoder(state)["started"].tolist() == [[0], [1], [0]]
    assert not decoder(state)["reached.h"][[0, 2]].any()
    y, _ = model({"target": TARGET}, state)
    whole, _ = model({"source": SOURCE, "target": TARGET})
    assert_close(first(y)[[0, 2]], first(whole)[[0, 2]], "y")
