"""What `verbose` shows."""

from __future__ import annotations

import io
import re
import sys
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tqdm

import statewise
from learning import BATCH, Dispatches, X, Y, fit, tagger
from statewise.errors import ConfigurationError
from statewise.training import bars, progress
from statewise.training.epochs import CompileRecord, StepRecord

sw: Any = statewise

LINE = r"epoch {}/3  [\d.]+ m?s  loss \d\.\d{{4}}  accuracy \d\.\d{{4}}"


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
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for epoch, line in enumerate(lines):
        assert re.fullmatch(LINE.format(epoch + 1), line), line
        assert f"loss {history.history['loss'][epoch]:.4f}" in line


def test_2_counts_on_where_a_training_is_resumed(capsys: pytest.CaptureFixture[str]) -> None:
    fit(tagger(), initial_epoch=1, epochs=3, state="carry", verbose=2)
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["2/3", "3/3"]


def test_epochs_of_one_dispatch_share_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them is told to have taken next to nothing, although all come at once."""
    times: list[float] = []
    monkeypatch.setattr(progress.EpochLines, "on_epoch", lambda *told: times.append(told[-1]))
    Dispatches(monkeypatch).longest()
    history = fit(tagger(), epochs=3, state="carry", verbose=2)
    assert len(times) == 3
    assert sum(times) < history.seconds
    assert min(times) > max(times) / 10


def test_compiling_is_told_before_and_after_it_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    model = tagger(optimizer=sw.Adam(learning_rate=0.0123))  # of no other test: programs are shared
    for told in (1, 0):
        fit(model, epochs=2, state="carry", verbose=2)
        err = capsys.readouterr().err
        assert len(re.findall(r"^compiling: \d layers, \d+ weights \(once.*\)\ncompiled in \d+\.\d s\n", err)) == told
        assert err.count("\n") == 2 * told


def test_each_shape_that_comes_one_after_another_is_compiled_once(capsys: pytest.CaptureFixture[str]) -> None:
    model = sw.Sequential([sw.LSTM(3), sw.Dense(2)], seed=1)
    model.compile(sw.Adam(learning_rate=0.0123), "mse")
    rng = np.random.default_rng(2)
    batches = [(rng.normal(size=(2, steps, 2)), rng.normal(size=(2, 2))) for steps in (2, 3, 2)]
    histories = []
    for told in (2, 0):
        histories.append(model.fit(batches, epochs=2, verbose=2).history["loss"])
        assert capsys.readouterr().err.count("compiled in") == told
    again = sw.Sequential([sw.LSTM(3), sw.Dense(2)], seed=1)
    again.compile(sw.Adam(learning_rate=0.0123), "mse")
    assert again.fit(batches, epochs=2, verbose=0).history["loss"] == histories[0]


def test_1_shows_the_last_line_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    fit(tagger(), epochs=3, state="carry", verbose=1)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.fullmatch(LINE.format(3), shown.err.splitlines()[-1]), shown.err
    assert shown.err.count("epoch") == 1


def test_1_shows_lines_now_and_then_where_nobody_watches(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    fit(tagger(), epochs=3, state="carry", verbose=1)
    assert capsys.readouterr().err.count("epoch") == 3


@pytest.mark.parametrize("shortest", [True, False], ids=["step-by-step", "epochs-together"])
def test_1_shows_a_bar_where_someone_watches(monkeypatch: pytest.MonkeyPatch, shortest: bool) -> None:
    terminal, dispatches = Terminal(), Dispatches(monkeypatch)
    (dispatches.shortest if shortest else dispatches.longest)()
    monkeypatch.setattr("sys.stderr", terminal)
    history = fit(tagger(), epochs=3, state="carry", verbose=1)
    last = terminal.getvalue().split("\r")[-1]
    loss, accuracy = (history.history[name][-1] for name in ("loss", "accuracy"))
    assert last.startswith(f"epoch 3/3  loss {loss:.4f}  accuracy {accuracy:.4f}  100%|"), last
    assert " 9/9 " in last


def test_the_bar_moves_while_a_program_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, waited = Terminal(), threading.Event()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress, "TICK_SECONDS", 0.001)
    bar, model = progress.ProgressBar(), tagger()
    bar.on_train_begin(model, range(2), 5)
    bar.on_compile(CompileRecord(3, 1234))
    while terminal.getvalue().count("compiling") < 4:
        assert not waited.wait(0.01)
    bar.on_compile(CompileRecord(3, 1234, 0.5))
    bar.on_step(StepRecord(0, 2, 5, {"loss": 1.5}))
    bar.on_train_end(model)
    shown = terminal.getvalue().split("\r")
    signs = [line.split()[1] for line in shown if line.startswith("compiling")]
    assert signs[:4] == ["|", "/", "-", "\\"]
    assert "0 s  3 layers, 1,234 weights (once" in terminal.getvalue()
    assert shown[-1].startswith("epoch 1/2  loss 1.5000   20%|")


def test_a_narrow_terminal_has_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    fit(tagger(), epochs=3, state="carry", verbose=1)
    last = terminal.getvalue().rstrip("\n").split("\r")[-1]
    assert re.match(r"epoch 3/3  loss \d\.\d{4}  accuracy \d\.\d{4}  100%\|", last), last


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
    assert re.search(r"epoch 3/3 .* 100%", capsys.readouterr().err.split("\r")[-1])


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
    assert re.fullmatch(LINE.format(3), capsys.readouterr().err.splitlines()[-1])


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
