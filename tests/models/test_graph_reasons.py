"""Where a property does not apply to a graph, the library refuses what would need it: no reason can be wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import statewise as sw
from graphs import (
    AHEAD,
    ATTENDS,
    AXES,
    CASES,
    LANES,
    PROPERTIES,
    ROWS,
    SYMBOL,
    UNBOUNDED,
    Subject,
    applying,
    as_given,
    excused,
)
from statewise.errors import ShapeError, StateError, StatewiseError


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> Subject:
    return Subject.of(request.param)


def refuses_pieces(subject: Subject) -> None:
    assert subject.model.network.whole_only is not None
    with pytest.raises(StateError):
        subject.model.network.check_continuable("pieces")
    with pytest.raises(StatewiseError):
        subject.model.predict(as_given(subject.x), state="warmup:1", batch_size=ROWS)


def refuses_what_is_not_kept(subject: Subject) -> None:
    """Reading the decoder's axis alone fails, and so does reading on from a state."""
    refuses_pieces(subject)
    _, state = subject.model({"source": subject.x["source"]})
    with pytest.raises(ShapeError, match="of which nothing is kept between calls"):
        subject.model({"target": subject.x["target"]}, state)
    refuses_carrying(subject)


def refuses_carrying(subject: Subject) -> None:
    for state in ("carry", "continue", subject.start):
        with pytest.raises(StateError):
            subject.model.predict(as_given(subject.x), state=state, batch_size=ROWS)


def refuses_streams(subject: Subject) -> None:
    with pytest.raises(StateError):
        subject.model.stream()


def refuses_lanes(subject: Subject) -> None:
    network = subject.model.network
    assert not network.single
    series = [np.zeros((4, 3), "float32")] * 2
    subject.model.compile("adam", "mse")
    with pytest.raises(StatewiseError):
        subject.model.fit(sw.lanes(series, series, batch_size=2, steps=2), state="carry", verbose=0)


def has_other_answers(subject: Subject) -> None:
    network = subject.model.network
    assert network.symbols is not None
    assert network.width != network.symbols


REFUSALS: dict[str, list[Callable[[Subject], None]]] = {
    AXES: [refuses_streams],
    LANES: [refuses_lanes],
    SYMBOL: [has_other_answers],
    ATTENDS: [refuses_what_is_not_kept, refuses_streams, refuses_lanes],
    UNBOUNDED: [refuses_pieces, refuses_carrying, refuses_streams],
    AHEAD: [refuses_pieces, refuses_carrying, refuses_streams],
}


@pytest.mark.parametrize(
    ("subject", "reason"),
    [pytest.param(case, reason, id=f"{case.name}: {reason}") for case, reason in excused()],
    indirect=["subject"],
)
def test_where_a_property_does_not_apply_the_library_refuses(subject: Subject, reason: str) -> None:
    for check in REFUSALS[reason]:
        check(subject)


def test_every_property_applies_to_some_graphs() -> None:
    assert all(len(applying(number)) >= 3 for number in PROPERTIES)
    assert all(number in PROPERTIES for case in CASES for number in case.reasons)
