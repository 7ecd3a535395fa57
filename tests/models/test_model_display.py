"""What a model, and what it answers with, are as a line and in a notebook."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import optax
import pytest

import statewise as sw
from notebooks import Shown
from statewise.diagnostics.memory import GateUse, MemoryReport
from statewise.diagnostics.verification import Check, Verification

X = np.random.default_rng(1).normal(size=(4, 3, 2)).astype(np.float32)
NAME = "<b>'first' & \"only\""


def model(**options: Any) -> sw.Sequential:
    return sw.Sequential([sw.LSTM(4, name=NAME, **options), sw.Dense(1)], seed=7)


def weights(model: sw.Sequential) -> str:
    return f"{sum(array.size for array in model.get_weights()):,}"


def test_a_line_tells_what_a_model_is() -> None:
    assert repr(sw.Sequential()) == "Sequential(no layers, not built)"
    made = model()
    assert repr(made) == f"Sequential({NAME}: LSTM(4), dense: Dense(1), not built)"
    made.build((None, None, 2))
    assert repr(made) == f"Sequential({NAME}: LSTM(4), dense: Dense(1), {weights(made)} weights)"
    made.compile(optax.sgd(0.1), "mse")
    assert repr(made).endswith(" weights, compiled with an Optax transformation)")


def test_a_line_tells_how_far_a_model_is_trained() -> None:
    made = model()
    made.compile("rmsprop", "mse")
    assert repr(made).endswith("not built, compiled with rmsprop)")
    made.fit(X, X[:, -1, :1], epochs=2, verbose=0)
    assert repr(made).endswith(f"{weights(made)} weights, compiled with rmsprop, trained for 2 epochs)")


def test_a_subclass_has_its_own_name() -> None:
    class Mine(sw.Sequential):
        pass

    assert repr(Mine([sw.Flatten()])) == "Mine(flatten: Flatten(), not built)"


def test_a_notebook_shows_the_summary(capsys: pytest.CaptureFixture[str]) -> None:
    made = model(input_shape=(None, 2))
    made.compile("adam", "mse", metrics=["mae"])
    shown = Shown(made)
    made.summary()
    summary = capsys.readouterr().out.splitlines()
    body = [*shown.words("th"), *shown.words("td")]
    for line in (summary[1], *summary[3:-1]):
        assert set(re.split(r"\s{2,}", line.strip())) <= set(body), line
    assert weights(made) in shown.words("caption")[0]
    assert "adam, loss mean_squared_error, metrics mae" in "".join(shown.words("p"))


def test_a_notebook_shows_a_model_that_is_not_built() -> None:
    shown = Shown(model())
    assert shown.words("td") == [NAME, "LSTM(4)", "dense", "Dense(1)"]
    assert "not compiled" in shown.words("p")
    assert not Shown(sw.Sequential()).of("td")


def test_a_text_model_says_what_it_reads() -> None:
    text = sw.TextModel(tokens="word", units=4, window=2)
    assert repr(text) == "TextModel(tokens='word', units=4, window=2, no text learned yet)"
    assert "no text learned yet" in Shown(text).words("p")
    text.fit("a b c a b c a b c", epochs=1, verbose=0)
    assert f"{len(text.vocabulary)} symbols, {text.model!r})" in repr(text)
    assert Shown(text).words("caption") == Shown(text.model).words("caption")


CHECKS = (Check("<whole> & parts", 1e-3, 1e-5), Check("saved", 0.0, 0.0), Check("streamed", None, 1e-5, "reads < back"))


def test_a_verification_names_what_failed() -> None:
    found = Verification(8, 20, CHECKS)
    assert repr(found) == "Verification(8 row(s) of 20 step(s), 1 of 2 FAILED: <whole> & parts)"
    shown = Shown(found)
    assert "1 of 2 FAILED" in shown.words("p")[0]
    assert shown.words("td")[3::4] == ["FAILED", "", "reads < back"]
    for line in str(found).splitlines()[3:6]:
        assert set(re.split(r"\s{2,}", line)) <= set(shown.words("td"))
    assert repr(Verification(8, 20, CHECKS[1:])) == "Verification(8 row(s) of 20 step(s), all within tolerance)"


def test_a_memory_report_shows_what_it_prints() -> None:
    gates = {NAME: {"f": GateUse(0.25, 0.5)}}
    report = MemoryReport({1: 0.5, 2: 0.25}, {1: 0.75, 2: 0.125}, 0.0625, (1.0, 0.5), gates, 2, 1, "Two <b> three.")
    assert repr(report) == "MemoryReport(uses 2 of 2 steps, gradients reach 1 step back)"
    shown = Shown(report)
    assert shown.words("p") == ["Two <b> three."]
    printed = [re.split(r"\s{2,}| (?=\d+\.\d%$)", line) for line in str(report).splitlines()]
    rows = [row for row in printed if len(row) > 1 and re.fullmatch(r"[\d.]+%?", row[-1])]
    assert len(rows) == 6
    assert [word for word in shown.words("td") if word] == [word for row in rows for word in row]
