"""A history as a line and as curves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from notebooks import Shown
from statewise import History


def history(epochs: int, *names: str, first: int = 0) -> History:
    made = History()
    for epoch, values in enumerate(np.random.default_rng(1).uniform(0.1, 2, (epochs, len(names))).tolist()):
        made.add(first + epoch, dict(zip(names, values, strict=True)))
    return made


def test_a_line_tells_how_it_ended() -> None:
    made = History([0, 1], {"loss": [0.5, 0.25], "val_loss": [1.0, math.nan]}, interrupted=True, seconds=12.34)
    assert repr(made) == "History(2 epochs, interrupted, loss 0.25, val_loss nan, 12.3 s)"
    assert repr(History()) == "History(0 epochs, 0 s)"


@pytest.mark.parametrize("first", [0, 100])
def test_each_quantity_is_a_curve_with_its_last_value(first: int) -> None:
    made = history(20, "loss", "a <b> & c", "val_loss", first=first)
    shown = Shown(made)
    captions, (_, last) = shown.words("figcaption"), made.last
    assert captions == [
        f"loss training {last['loss']:.4g}; held out {last['val_loss']:.4g}",
        f"a <b> & c training {last['a <b> & c']:.4g}",
    ]
    assert shown.words("title") == ["loss by epoch", "a <b> & c by epoch"]
    assert len(shown.of("path", kind="training")) == 2
    assert len(shown.of("path", kind="held")) == 1
    assert str(first + 20) in shown.words("text", kind="tick")


def test_what_only_held_out_data_have_is_shown() -> None:
    assert Shown(history(3, "loss", "val_f1")).words("figcaption")[1].startswith("f1 held out ")


def test_long_trainings_and_many_quantities_stay_small() -> None:
    names = [f"metric_{number}" for number in range(50)]
    shown = Shown(history(3000, *names))
    assert len(shown.html) < 60_000
    assert "metric_49" in shown.words("p")[-1]


def test_there_is_no_curve_of_one_epoch_or_of_nothing_finite() -> None:
    assert not Shown(history(1, "loss", first=60)).of("svg")
    assert not Shown(History([0, 1], {"loss": [math.nan, math.inf]})).of("svg")
    assert Shown(History()).words("p") == ["History: 0 epochs, 0 s"]
