"""What `verbose` shows."""

from __future__ import annotations

import io
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import tqdm

from learning import Dispatches, fit, tagger
from statewise.errors import ConfigurationError
from statewise.training import bars, progress

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


class Kernel:
    """IPython as a Jupyter kernel has it, or as a terminal does."""

    def __init__(self, *, kernel: bool) -> None:
        self.kernel = object() if kernel else None

    def get_ipython(self) -> Kernel:
        return self


def test_1_shows_a_bar_in_a_notebook_without_widgets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", Kernel(kernel=True))
    monkeypatch.setattr(bars, "find_spec", {"ipywidgets": None}.__getitem__)
    fit(tagger(), epochs=3, state="carry", verbose=1)
    assert "epoch 3/3: 100%" in capsys.readouterr().err.split("\r")[-1]


def test_1_shows_the_notebooks_bar_where_there_are_widgets(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def bar(**options: Any) -> Any:
        made.append(tqdm.tqdm(**options, file=io.StringIO()))
        return made[-1]

    monkeypatch.setitem(sys.modules, "IPython", Kernel(kernel=True))
    monkeypatch.setattr(bars, "find_spec", {"ipywidgets": "there"}.__getitem__)
    monkeypatch.setitem(sys.modules, "tqdm.notebook", SimpleNamespace(tqdm=bar))
    fit(tagger(), epochs=3, state="carry", verbose=1)
    assert [bar.n for bar in made] == [9]


def test_1_shows_lines_in_ipython_whose_output_is_piped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", Kernel(kernel=False))
    fit(tagger(), epochs=3, state="carry", verbose=1)
    assert re.fullmatch(LINE.format(3) + "\n", capsys.readouterr().err)


def test_very_large_and_small_numbers_stay_readable() -> None:
    logs = {"zero": 0.0, "small": 0.00012345, "plain": 12.34567, "large": 123456.7}
    shown = {"zero": "0.0000", "small": "1.234e-04", "plain": "12.3457", "large": "1.235e+05"}
    assert progress._readable(logs) == shown


def test_another_verbosity_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="verbose: expected 0, 1 or 2, got 3"):
        fit(tagger(), state="carry", verbose=3)
