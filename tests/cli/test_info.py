"""What `statewise info` says of an installation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import statewise as sw
from statewise.cli.installation import describe_installation, installation
from statewise.cli.main import main
from statewise.cli.training_summary import describe_training
from statewise.foundation.program_cache import ProgramCache


def test_info_without_a_model_is_what_a_bug_report_wants(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    printed = capsys.readouterr().out
    for expected in (
        f"statewise {sw.__version__}",
        "Python 3.",
        "jax 0.",
        "numpy 2.",
        "computes on ",
        "compiled programs",
    ):
        assert expected in printed
    assert main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["statewise"] == sw.__version__
    assert facts["packages"]["jax"] is not None
    assert {"folder", "on", "writable", "programs", "bytes"} <= facts["cache"].keys()


def test_info_says_why_programs_are_not_kept() -> None:
    facts = installation()
    without = {**facts["cache"], "folder": "/somewhere", "on": False}
    assert "cannot be created or read" in describe_installation(facts | {"cache": without})[-1]
    unwritable = {**without, "on": True, "writable": False}
    assert "the folder is not writable" in describe_installation(facts | {"cache": unwritable})[-1]


def test_info_says_that_jax_chose_the_folder(tmp_path: Path) -> None:
    before = jax.config.values["jax_compilation_cache_dir"]
    try:
        jax.config.update("jax_compilation_cache_dir", str(tmp_path))
        facts = installation()
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
    assert facts["cache"]["chosen_by_jax"]
    assert facts["cache"]["most_bytes"] is None
    assert "never removes anything" in describe_installation(facts)[-1]


def test_a_user_without_a_home_has_no_cache_and_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("statewise.foundation.program_cache.user_cache_folder", nowhere)
    before = jax.config.values["jax_compilation_cache_dir"]
    try:
        jax.config.update("jax_compilation_cache_dir", None)
        cache = installation()["cache"]
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
    assert (cache["folder"], cache["on"], cache["writable"]) == (None, False, False)
    assert main(["info", "--clear-cache"]) == 2
    assert "no cache to clear" in capsys.readouterr().err


def test_clear_cache_removes_compiled_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STATEWISE_CACHE", str(tmp_path))
    cache = ProgramCache.of_user()
    cache.make()
    for name in ("one", "two"):
        (cache.folder / f"{name}-cache").write_bytes(b"program")
    assert main(["info", "--clear-cache"]) == 0
    assert capsys.readouterr().out == f"removed 2 compiled programs from {cache.folder}\n"
    assert main(["info", "--clear-cache", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"folder": str(cache.folder), "removed": 0}
    assert cache.sizes() == []


def refuse(_: Path) -> None:
    raise PermissionError


def test_what_cannot_be_removed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STATEWISE_CACHE", str(tmp_path))
    (tmp_path / "xla").mkdir()
    (tmp_path / "xla" / "one-cache").write_bytes(b"program")
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    assert main(["info", "--clear-cache"]) == 2
    assert "cannot remove 1 compiled program" in capsys.readouterr().err


# -- models and checkpoints --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    model = sw.Sequential([sw.LSTM(2, input_shape=(3, 1)), sw.Dense(1)], seed=1)
    model.compile(sw.SGD(0.25, momentum=0.5, clipnorm=2.0), "mse")
    model.save(folder / "new.statewise")
    x, y = np.ones((6, 3, 1)), np.ones((6, 1))
    model.fit(x, y, epochs=2, batch_size=2, checkpoint=folder / "ended", verbose=0)
    model.save(folder / "trained.statewise")
    with pytest.raises(InterruptedError):
        model.fit(x, y, epochs=5, batch_size=2, checkpoint=folder / "cut", callbacks=[cut_short], verbose=0)
    return folder


def cut_short(epoch: int, _: dict[str, float]) -> None:
    """Ends a training as an exception does, in its second epoch."""
    if epoch == 3:
        raise InterruptedError


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (
            "new.statewise",
            "not trained yet; compiled with SGD, learning rate 0.25, momentum 0.5, norm of each gradient",
        ),
        (
            "trained.statewise",
            "trained with SGD, learning rate 0.25, momentum 0.5, norm of each gradient clipped at 2, for",
        ),
        ("trained.statewise", ", for 2 epochs; loss mean_squared_error"),
        ("ended", "the checkpoint of a finished training: 2 of 2 epochs done"),
        ("cut", "an unfinished training: 2 of 5 epochs done; the same command or call continues it"),
    ],
)
def test_info_says_how_a_model_was_trained(
    name: str, line: str, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", str(models / name)]) == 0
    printed = capsys.readouterr().out
    assert line in printed
    assert "{" not in printed
    assert main(["info", str(models / name), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    checkpoint = {"ended": {"first": 0, "last": 2, "epoch": 2}, "cut": {"first": 2, "last": 7, "epoch": 4}}.get(name)
    found = facts["checkpoint"]
    assert checkpoint == (found and {key: found[key] for key in ("first", "last", "epoch")})


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0.5, "learning rate 0.5"),
        (sw.CosineDecay(0.1, decay_steps=10, alpha=0.5), "learning rate 0.1 with cosine decay to 0.05"),
        (
            sw.ExponentialDecay(0.2, decay_steps=1000, decay_rate=0.9),
            "learning rate 0.2, multiplied by 0.9 every 1,000",
        ),
        (sw.PiecewiseConstantDecay((10, 20), (0.3, 0.2, 0.1)), "learning rate 0.3, then 0.2, then 0.1"),
        (sw.InverseTimeDecay(0.2, decay_steps=10, decay_rate=1.0), "learning rate 0.2 with InverseTimeDecay"),
    ],
)
def test_schedules_are_told_in_words(rate: Any, words: str) -> None:
    model = sw.Sequential([sw.LSTM(2, input_shape=(3, 1)), sw.Dense(1)])
    model.compile(sw.Adam(rate), "mse")
    assert words in describe_training(model.to_artifact().header)
