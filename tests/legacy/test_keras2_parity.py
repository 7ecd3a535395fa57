"""Keras 2's numbers: the scripts that tf-keras ran, run again on `statewise.legacy`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import statewise.legacy as keras
from golden.keras2_case import Array, Arrays
from golden.keras2_cases import CASES
from networks import quick_compilation

TRAJECTORIES = Path(__file__).parents[1] / "golden" / "keras2_trajectories.npz"


class Tolerance(NamedTuple):
    """The largest difference allowed, relative to the expected number or to `floor`, whichever is larger."""

    relative: float
    floor: float


LOSSES = Tolerance(1e-4, floor=0.01)
NUMBERS = Tolerance(1e-4, floor=1.0)
"""Of weights and predictions. Weights differ most where a gradient is next to nothing: Adam and RMSprop divide it by
its own size, noise and all.
"""


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with quick_compilation():
        yield


@pytest.fixture(scope="module")
def recorded() -> dict[str, Arrays]:
    """The arrays of each case by their keys, and those that the cases share as "data"."""
    groups: dict[str, Arrays] = {}
    with np.load(TRAJECTORIES) as file:
        for name in file:
            group, _, key = name.partition("/")
            groups.setdefault(group, {})[key] = file[name]
    return groups


def furthest(key: str, got: Array, want: Array) -> tuple[float, str]:
    """The largest difference in tolerances, NaN counting as infinite, and a description of it."""
    tolerance = NUMBERS if key in ("weights", "prediction", "predicted") else LOSSES
    difference = np.abs(got.astype(np.float64) - want) / np.maximum(np.abs(want), tolerance.floor)
    difference = np.where(np.isnan(difference), np.inf, difference)
    place = np.unravel_index(int(difference.argmax()), difference.shape)
    return float(difference[place] / tolerance.relative), (
        f"{key}{[int(i) for i in place]}: {got[place]!r}, Keras {want[place]!r}, off by {difference[place]:.1e} "
        f"(tolerance {tolerance.relative:.0e})"
    )


def test_the_file_holds_the_cases(recorded: dict[str, Arrays]) -> None:
    assert recorded.keys() - {"data", "tf_keras_version", "tensorflow_version"} == CASES.keys()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if case.often else pytest.mark.slow) for name, case in CASES.items()]
)
def test_scripts_repeat_keras_2(name: str, recorded: dict[str, Arrays]) -> None:
    case, wanted = CASES[name], dict(recorded[name])
    ours = case.run(keras, recorded["data"], wanted.pop("initial_weights"))
    assert {key: array.shape for key, array in ours.items()} == {key: array.shape for key, array in wanted.items()}
    distance, description = max(furthest(key, ours[key], array) for key, array in wanted.items())
    assert distance <= 1, f"{name}: {description}"
