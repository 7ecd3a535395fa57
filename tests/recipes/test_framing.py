"""The picture of `[B, T, F]`."""

from __future__ import annotations

import numpy as np

from statewise.foundation.shapes import Array
from statewise.recipes.framing import Framing


def letters(step: Array) -> str:
    return "".join(chr(65 + int(feature)) for feature in np.atleast_1d(step))


def drawn(framing: Framing) -> list[str]:
    return [" ".join(line.split()) for line in str(framing).splitlines()]


def test_steps_are_boxes_and_features_stand_inside_one() -> None:
    x = np.arange(3)[:, None] + np.arange(3)  # ABC, BCD, CDE
    as_steps = Framing.of(x[:, :, None], x[:, -1] + 1, letters, letters, note="n", rows=1)
    as_features = Framing.of(x[:, None], x[:, -1] + 1, letters, letters, note="n", rows=1)
    assert drawn(as_steps)[4:] == ["sample 1 | A | B | C | -> D", "... and 2 more"]
    assert drawn(as_features)[4:] == ["sample 1 | ABC | -> D", "... and 2 more"]
    assert drawn(as_steps)[0] == "x [3, 3, 1]: 3 samples, 3 time steps, 1 feature y [3]"
    assert drawn(as_features)[0] == "x [3, 1, 3]: 3 samples, 1 time step, 3 features y [3]"


def test_answers_at_each_step_stand_under_their_steps() -> None:
    x = np.array([[0, 1], [2, 3]])
    lines = str(Framing.of(x, x + 1, letters, letters, note="n", each_step=True)).splitlines()
    assert lines[4:6] == ["sample 1   | A | B |", "   ->      | B | C |"]
    assert lines[0].startswith("x [2, 2]: 2 samples, 2 time steps, symbols")


def test_masked_steps_are_shown_as_skipped() -> None:
    x, mask = np.array([[0, 1]]), np.array([[False, True]])
    assert "| - | B |" in str(Framing.of(x, x[:, -1], letters, letters, note="n", mask=mask))


def test_a_carried_state_is_told_between_samples() -> None:
    x = np.arange(3)[:, None]
    told = drawn(Framing.of(x, x[:, 0] + 1, letters, letters, note="n", carried=1))
    assert [line == "the state is carried" for line in told[4:]] == [False, True, False, True, False]


def test_where_the_state_comes_from_is_said_in_a_sentence() -> None:
    x = np.arange(12)[:, None]
    said = [drawn(Framing.of(x, x[:, 0], letters, letters, note="n", carried=carried))[2] for carried in (0, 1, 6)]
    assert said[0] == "Each sample starts from a fresh state."
    assert said[1] == "The state is carried from each sample to the next."
    assert said[2] == "In batches of 6, the state is carried from each sample to the one 6 later."
