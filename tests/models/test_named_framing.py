"""Lanes and windows by name, as fit, evaluate, predict and verify take them: the same as their arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import refused
from networks import random_weights
from statewise.errors import ConfigurationError, ShapeError
from tolerances import assert_close, assert_same

LENGTHS = (11, 8)


def data() -> tuple[dict[str, Any], dict[str, Any]]:
    """Two series of two inputs, one of them with one value per step, and of two targets."""
    rng = np.random.default_rng(4)
    x = {"readings": [rng.normal(size=(n, 2)) for n in LENGTHS], "weather": [rng.normal(size=n) for n in LENGTHS]}
    y = {"load": [rng.normal(size=(n, 1)) for n in LENGTHS], "alarm": [rng.normal(size=n) for n in LENGTHS]}
    return x, y


def model_of(static: bool, steps: bool) -> sw.Model:
    """A model of the two inputs, and of one without steps."""
    readings, weather = sw.Input((None, 2), name="readings"), sw.Input((None, 1), name="weather", axis="readings")
    plant = sw.Input((3,), name="plant")
    rows = [sw.RepeatLike()([plant, readings])] if static else []
    h = sw.GRU(4, return_sequences=steps)(sw.Concatenate()([readings, weather, *rows]))
    inputs = [readings, weather, *([plant] if static else [])]
    model = sw.Model(inputs, {"load": sw.Dense(1)(h), "alarm": sw.Dense(1)(h)}, seed=1)
    random_weights(model)
    model.compile("adam", "mse")
    return model


def with_axis(framed: Any) -> dict[str, Any]:
    return {name: array[..., None] if name == "weather" else array for name, array in framed.x.items()}


def test_windows_with_static_rows_are_their_arrays() -> None:
    x, y = data()
    found = sw.windows(x, 3, y=y, static={"plant": np.eye(3)[:2]})
    one, other = model_of(True, False), model_of(True, False)
    given = (with_axis(found), found.y)
    assert one.evaluate(found) == other.evaluate(*given)
    left = one.fit(found, epochs=2, batch_size=4, shuffle=False, verbose=0).history
    right = other.fit(*given, epochs=2, batch_size=4, shuffle=False, verbose=0).history
    assert_same(left, right, "losses")
    assert_same(one.predict(found), other.predict(given[0]), "y")
    assert one.verify(found).passed


def test_a_validation_split_of_named_windows_cuts_in_time() -> None:
    x, y = data()
    found = sw.windows(x, 2, y=y, static={"plant": np.eye(3)[:2]})
    training, held_out = found.split(0.4)
    one, other = model_of(True, False), model_of(True, False)
    left = one.fit(found, validation_split=0.4, shuffle=False, verbose=0).history
    right = other.fit(training, validation_data=held_out, shuffle=False, verbose=0).history
    assert_same(left, right, "losses")


def test_lanes_carry_the_state_of_named_inputs() -> None:
    """Their outputs are those of each series read whole, wherever it was cut."""
    x, y = data()
    model = model_of(False, True)
    framed = sw.lanes(x, y, batch_size=2, steps=4)
    kept = model.fit(framed, state="carry", epochs=1, verbose=0).history
    assert np.isfinite(kept["loss"]).all()
    model.reset_state()
    one_lane = sw.lanes(x, y, batch_size=1, steps=4)
    answers = model.predict(one_lane, state="carry")
    for name, array in answers.items():
        steps = array.reshape(-1, 1)[: sum(LENGTHS)]
        for series, found in zip(range(2), np.split(steps, [LENGTHS[0]]), strict=True):
            whole, _ = model({"readings": x["readings"][series][None], "weather": x["weather"][series][None, :, None]})
            assert_close(found, np.asarray(whole[name])[0], f"{name} of series {series}", 1e-5)


def test_lanes_by_name_are_their_arrays() -> None:
    x, y = data()
    framed = sw.lanes(x, y, batch_size=2, steps=3)
    assert framed.reset is not None
    reset = framed.reset.copy()
    reset[:2, 0] = False
    one, other = model_of(False, True), model_of(False, True)
    options: dict[str, Any] = {"state": "carry", "epochs": 2, "verbose": 0}
    left = one.fit(framed, validation_data=framed, **options).history
    flags: dict[str, Any] = {"mask": framed.mask, "reset": reset}
    right = other.fit(with_axis(framed), framed.y, batch_size=2, shuffle=False, **flags, **options).history
    assert_same(left["loss"], right["loss"], "losses")
    assert len(left["val_loss"]) == 2
    one.reset_state()
    assert one.evaluate(framed, state="carry", return_dict=True)["loss"] == pytest.approx(
        left["val_loss"][-1], rel=1e-5
    )
    assert one.verify(framed).passed


def test_symbols_by_name_have_no_feature_axis() -> None:
    """Beside an input of one number per step, which has one."""
    words, beside = sw.Input((None,), name="words"), sw.Input((None, 1), name="beside", axis="words")
    h = sw.LSTM(3, return_sequences=True)(sw.Concatenate()([sw.Embedding(5, 2)(words), beside]))
    model = sw.Model([words, beside], sw.Dense(1)(h), seed=1)
    model.compile("adam", "mse")
    framed = sw.lanes({"words": np.arange(12) % 5, "beside": np.arange(12.0)}, np.ones(12), batch_size=2, steps=3)
    assert framed.y.shape == (4, 3)
    assert model.fit(framed, state="carry", verbose=0).history["loss"][0] > 0


def test_lanes_and_windows_that_do_not_fit_a_model_say_which_input() -> None:
    x, y = data()
    model = model_of(True, False)
    refused(lambda: model.fit(sw.windows(x, 3, y=y), verbose=0), ShapeError, ["'plant' is missing"])
    refused(
        lambda: model.fit(sw.windows({"reading": x["readings"]}, 3, y=y), verbose=0),
        ShapeError,
        ["'reading'", "no input"],
    )
    framed = sw.lanes(x, y, batch_size=2, steps=3)
    refused(lambda: model.fit(framed, framed.y, verbose=0), ConfigurationError, ["contain their own"])
    refused(lambda: model.fit(framed, validation_split=0.5, verbose=0), ConfigurationError, ["cut through the lanes"])
