"""What `verbose` shows."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from learning import BATCH, Dispatches, X, Y, fit, tagger
from statewise.errors import ConfigurationError
from statewise.training import progress

LINE = r"epoch {}/3  \d+\.\d\d s  loss \d\.\d{{4}}  accuracy \d\.\d{{4}}"


class Terminal(io.StringIO):
    """A stream that says that someone watches."""

    def isatty(self) -> bool:
        return True


def test_0_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    fit(tagger(), epochs=3, state="carry", verbose=0)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_2_shows_a_line_an_epoch_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    history = fit(tagger(), epochs=3, state="carry", verbose=2)
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert shown.err == ""
    assert len(lines) == 3
    for epoch, line in enumerate(lines):
        assert re.fullmatch(LINE.format(epoch + 1), line), line
        assert f"loss {history.history['loss'][epoch]:.4f}" in line


def test_2_counts_on_where_a_training_is_resumed(capsys: pytest.CaptureFixture[str]) -> None:
    fit(tagger(), initial_epoch=1, epochs=3, state="carry", verbose=2)
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["2/3", "3/3"]


def test_1_shows_the_last_line_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    fit(tagger(), epochs=3, state="carry", verbose=1)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.fullmatch(LINE.format(3) + "\n", shown.err), shown.err


def test_1_shows_lines_now_and_then_where_nobody_watches(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    fit(tagger(), epochs=3, state="carry", verbose=1)
    assert len(capsys.readouterr().err.splitlines()) == 3


@pytest.mark.parametrize("shortest", [True, False], ids=["step-by-step", "epochs-together"])
def test_1_shows_a_bar_where_someone_watches(monkeypatch: pytest.MonkeyPatch, shortest: bool) -> None:
    terminal, dispatches = Terminal(), Dispatches(monkeypatch)
    (dispatches.shortest if shortest else dispatches.longest)()
    monkeypatch.setattr("sys.stderr", terminal)
    history = fit(tagger(), epochs=3, state="carry", verbose=1)
    last = terminal.getvalue().split("\r")[-1]
    assert re.search(r"epoch 3/3: 100%\|\S+\| 9/9 \[", last), last
    assert f"loss={history.history['loss'][-1]:.4f}" in last
    assert f"accuracy={history.history['accuracy'][-1]:.4f}" in last


def test_very_large_and_small_numbers_stay_readable() -> None:
    logs = {"zero": 0.0, "small": 0.00012345, "plain": 12.34567, "large": 123456.7}
    shown = {"zero": "0.0000", "small": "1.234e-04", "plain": "12.3457", "large": "1.235e+05"}
    assert progress._readable(logs) == shown


def test_another_verbosity_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="verbose: expected 0, 1 or 2, got 3"):
        fit(tagger(), state="carry", verbose=3)


# -- evaluations and predictions -------------------------------------------------------------------


def score(verbose: Any) -> None:
    model = tagger()
    model.evaluate(X, Y, batch_size=BATCH, verbose=verbose)
    model.set_weights(model.get_weights())
    model.predict(X, batch_size=BATCH, verbose=verbose)


@pytest.mark.parametrize("verbose", [0, 1, 2, "auto"])
@pytest.mark.parametrize("watched", [True, False])
def test_a_short_run_shows_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verbose: Any, watched: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(progress, "LONG_SECONDS", 1000.0)
    if watched:
        monkeypatch.setattr("sys.stderr", terminal)
    score(verbose)
    shown = capsys.readouterr()
    assert (shown.out, shown.err, terminal.getvalue()) == ("", "", "")


def test_a_long_run_shows_a_bar_where_someone_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(progress, "LONG_SECONDS", 1e-9)
    monkeypatch.setattr("sys.stderr", terminal)
    score(1)
    assert re.search(r"evaluate: 100%\|\S+\| 3/3 \[", terminal.getvalue()), terminal.getvalue()
    assert re.search(r"predict: 100%\|\S+\| 3/3 \[", terminal.getvalue()), terminal.getvalue()


@pytest.mark.parametrize("verbose", [1, 2])
def test_a_long_run_shows_lines_where_nobody_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verbose: int
) -> None:
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    score(verbose)
    shown = capsys.readouterr()
    lines = (shown.err if verbose == 1 else shown.out).splitlines()
    assert lines[-1] == "predict: 3 of 3 batches"
    assert "evaluate: 3 of 3 batches" in lines


def test_batches_of_unknown_number_are_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    tagger().evaluate([(X[:4], Y[:4]), (X[4:], Y[4:])], verbose=1)
    assert capsys.readouterr().err.splitlines()[-1] == "evaluate: 2 batches"


@pytest.mark.parametrize("call", ["evaluate", "predict"])
def test_another_verbosity_of_theirs_is_refused(call: str) -> None:
    model = tagger()
    model.set_weights(model.get_weights())
    with pytest.raises(ConfigurationError, match="verbose: expected 0, 1 or 2, got 3"):
        getattr(model, call)(X, *([Y] if call == "evaluate" else []), verbose=3)
