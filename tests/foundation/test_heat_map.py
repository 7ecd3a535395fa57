"""What a State shows in a notebook: its numbers, cell by cell, as far as there is room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from notebooks import Shown
from statewise.foundation.heat_map import CELLS, ROWS, UNITS
from statewise.kernels.states import BidirectionalState, GRUState, LSTMState
from statewise.state import State, parts_of


def drawn(*shape: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def lstm(rows: int, units: int, seed: int = 1) -> LSTMState:
    return LSTMState(drawn(rows, units, seed=seed), drawn(rows, units, seed=seed + 1))


SMALL = State(
    {"<i>a</i>": lstm(3, 5), "b & c": GRUState(drawn(3, 2)), "both": BidirectionalState(lstm(3, 4), lstm(3, 4))}
)
LARGE = State({"lstm": lstm(64, 256)})
MANY = State({f"lstm_{number}": lstm(64, 256) for number in range(50)})


def cells(shown: Shown) -> list[tuple[str, int, float]]:
    """Returns class, unit and number of each cell, in the order of arrays, rows and units."""
    found = []
    for cell in shown.of("i"):
        if title := cell.attributes.get("title"):
            unit, number = title.removeprefix("unit ").split(": ")
            found.append((cell.attributes["class"], int(unit), float(number)))
    return found


def test_every_number_of_a_small_state_is_in_its_cell() -> None:
    parts = [np.asarray(part) for name in SMALL for part in parts_of(SMALL[name]).values()]
    found = cells(Shown(SMALL))
    assert [number for _, _, number in found] == pytest.approx(np.concatenate([p.ravel() for p in parts]), rel=1e-3)
    assert [unit for _, unit, _ in found] == [unit for part in parts for _ in part for unit in range(part.shape[1])]


def test_layers_and_sizes_are_named_as_they_are() -> None:
    captions = Shown(SMALL).words("figcaption")
    assert [caption.rpartition("]")[0] + "]" for caption in captions] == [
        "<i>a</i> h [3, 5]",
        "<i>a</i> c [3, 5]",
        "b & c h [3, 2]",
        *(f"both {side}.{part} [3, 4]" for side in ("forward", "backward") for part in "hc"),
    ]


def test_color_tells_sign_and_size() -> None:
    values = np.array([[-2.0, -1.0, 0.0, 1.0, 2.0]], np.float32)
    assert [kind for kind, _, _ in cells(Shown(State({"gru": GRUState(values)})))] == ["n10", "n5", "z", "p5", "p10"]


def test_what_is_no_finite_number_does_not_hide_the_others() -> None:
    values = np.array([[np.nan, np.inf, -np.inf, 0.5, -1.0]], np.float32)
    shown = Shown(State({"gru": GRUState(values)}))
    assert [kind for kind, _, _ in cells(shown)] == ["nan", "p10", "n10", "p5", "n10"]
    assert "-1 to 0.5" in shown.words("figcaption")[0]
    assert "no finite value" in Shown(State({"gru": GRUState(values[:, :3])})).words("figcaption")[0]


def test_a_fresh_state_has_no_color() -> None:
    shown = Shown(State({"gru": GRUState(np.zeros((2, 3), np.float32))}))
    assert {kind for kind, _, _ in cells(shown)} == {"z"}
    assert "all 0" in shown.words("figcaption")[0]


@pytest.mark.parametrize("state", [LARGE, MANY], ids=["large", "many"])
def test_a_large_state_stays_small(state: State) -> None:
    shown = Shown(state)
    assert len(shown.html) < 60_000
    assert len(cells(shown)) <= CELLS


def test_what_is_left_out_is_told() -> None:
    told = Shown(LARGE).words("p")[-1]
    assert f"first {ROWS} of 64 rows" in told
    assert f"first {UNITS} units" in told
    assert "first 12 of 100 arrays" in Shown(MANY).words("p")[-1]
    assert "Shown" not in Shown(SMALL).html
    first = np.asarray(LARGE["lstm"].h)[:ROWS, :UNITS]
    assert [n for _, _, n in cells(Shown(LARGE))][: first.size] == pytest.approx(first.ravel(), rel=1e-3)


def test_a_network_without_memory_says_so() -> None:
    shown = Shown(State({}))
    assert shown.words("p") == ["State of a network without memory"]
