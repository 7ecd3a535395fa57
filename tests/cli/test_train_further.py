"""`statewise train`: a model from a file is trained further, and no file is replaced that may be better."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mistakes import STORY, sw
from statewise.cli.main import main
from statewise.data.codecs import split_text
from statewise.diagnostics.plots import is_ours
from statewise.storage.artifact import read_artifact

Run = Callable[[str], tuple[int, str, str]]

SIZES = "--units 3 --embedding 2 --dropout 0 --seed 5"
FAST = "--epochs 2 --learning-rate 0.01 --no-plot"
TRAINING, HELD_OUT = split_text(STORY, 0.1)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    model = sw.TextModel(units=3, embedding=2, dropout=0.0, seed=5)
    model.fit(TRAINING, epochs=2, learning_rate=0.01, validation_text=HELD_OUT, verbose=0)
    model.save(place := tmp_path_factory.mktemp("prepared") / "model")
    return place.read_bytes()


@pytest.fixture
def folder(tmp_path: Path, prepared: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "m.statewise").write_bytes(prepared)
    (tmp_path / "story.txt").write_text(STORY)
    (tmp_path / "other.txt").write_text("Zebras ran. The cat saw 10 of them. " * 4)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:  # noqa: ARG001 - goes there
    def run(line: str) -> tuple[int, str, str]:
        return main(shlex.split(f"train {line}")), *capsys.readouterr()

    return run


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"m.statewise", "story.txt", "other.txt"}


def content(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    artifact = read_artifact(path)
    return artifact.header, {name: array.tobytes() for name, array in artifact.arrays.items()}


def press_ctrl_c(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Presses it while the epoch of that number is scored."""
    validate, scored = sw.TextModel._validate, 0

    def pressed(this: Any, ids: Any) -> Any:
        nonlocal scored
        scored += 1
        if scored == at:
            signal.raise_signal(signal.SIGINT)
        return validate(this, ids)

    monkeypatch.setattr(sw.TextModel, "_validate", pressed)
    monkeypatch.setattr("statewise.foundation.interrupt.TWICE_SECONDS", -1.0)  # the tests before press it too


def test_a_model_is_trained_further_in_its_own_file(run: Run, folder: Path, prepared: bytes) -> None:
    status, out, err = run(f"story.txt --model m.statewise {FAST}")
    assert (status, names(folder)) == (0, set())
    assert "m.statewise: trained for 2 epochs so far; training continues" in out
    assert "LSTM(3), dropout 0;" in out
    assert "seed 5" in out
    assert "wrote m.statewise" in out
    assert "worse" not in err
    (folder / "expected").write_bytes(prepared)
    expected, found = sw.load("expected"), sw.load("m.statewise")
    expected.fit(TRAINING, epochs=2, learning_rate=0.01, validation_text=HELD_OUT, verbose=0)
    for weight, kept in zip(found.get_weights(), expected.get_weights(), strict=True):
        assert (weight == kept).all()
    assert found.model.epochs_done == 4
    status, out, _ = run(f"story.txt --model m.statewise --seed 5 --units 3 {FAST} --quiet --json")
    result = json.loads(out)
    assert (result["epochs"], result["epochs_before"], result["files"]) == (2, 4, ["m.statewise"])
    assert result["before"]["loss"] == pytest.approx(expected.evaluate(HELD_OUT).loss)
    assert result["score"]["loss"] < result["before"]["loss"]


def test_another_text_and_its_symbols(run: Run, folder: Path, prepared: bytes) -> None:
    status, out, _ = run(f"other.txt --model m.statewise --new-symbols add --out new.statewise {FAST} --patience 5")
    assert (status, names(folder)) == (0, {"new.statewise"})
    assert "other.txt: 130 characters to train on, 19 distinct" in out
    assert "7 new symbols added to the 14 in its vocabulary: '0' '1' 'T' 'Z' 'b' 'f' 'o'" in out
    assert len(sw.load("new.statewise").vocabulary) == 21
    assert (folder / "m.statewise").read_bytes() == prepared


def test_what_scores_worse_than_before_does_not_replace_it(run: Run, folder: Path, prepared: bytes) -> None:
    line = f"story.txt --model m.statewise {FAST} --optimizer sgd --learning-rate 500 --json --quiet"
    for files in ({"m-further.statewise"}, {"m-further.statewise", "m-further-2.statewise"}):
        status, out, err = run(line)
        result = json.loads(out)
        was, now = result["before"]["loss"], result["score"]["loss"]
        assert (status, names(folder), result["worse"]) == (0, files, True)
        assert was < now
        assert f"the held-out loss rose from {was:.4f} to {now:.4f} in this training" in err
        assert f"{result['files'][0]}; m.statewise is unchanged" in err
        assert result["files"][0] in files
        assert (folder / "m.statewise").read_bytes() == prepared
    run(f"{line} --force")
    assert (folder / "m.statewise").read_bytes() != prepared


def test_a_held_out_part_that_was_learned_is_said_to_be(run: Run) -> None:
    model = sw.load("m.statewise")
    model.fit(STORY, epochs=1, verbose=0)
    model.save("m.statewise")
    _, out, _ = run(f"story.txt --model m.statewise {FAST}")
    assert out.count("the model was trained on all of this text") == 2  # before the training, and above the score


@pytest.mark.parametrize("more", ["", "--force"])
def test_ctrl_c_never_replaces_a_model(
    more: str, run: Run, folder: Path, prepared: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    press_ctrl_c(monkeypatch, at=1)
    line = f"story.txt {SIZES} --out m.statewise" if more else "story.txt --model m.statewise"
    status, out, err = run(f"{line} {FAST} {more} --json --quiet")
    result = json.loads(out)
    assert (status, result["interrupted"], result["epochs"]) == (130, True, 1)
    assert result["files"] == ["m-interrupted.statewise"]
    assert "the model so far is in m-interrupted.statewise; m.statewise is unchanged" in err
    assert "`statewise train story.txt --model m-interrupted.statewise` continues training it" in err
    assert (folder / "m.statewise").read_bytes() == prepared
    assert sw.load("m-interrupted.statewise").model.epochs_done == (1 if more else 3)


def test_interrupted_models_do_not_pile_up(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One takes the place of another that has had no more of the same training, and of no other."""
    with monkeypatch.context() as patched:
        for at in (1, 2):
            press_ctrl_c(patched, at)
            assert run(f"story.txt --model m.statewise {FAST} --epochs 3 --quiet")[0] == 130
            assert sw.load("m-interrupted.statewise").model.epochs_done == 2 + at
            patched.undo()
            patched.chdir(folder)
        press_ctrl_c(patched, at=1)
        run(f"story.txt --model m.statewise {FAST} --epochs 3 --quiet")  # has had less: it goes elsewhere
    assert names(folder) == {"m-interrupted.statewise", "m-interrupted-2.statewise"}
    with monkeypatch.context() as patched:
        press_ctrl_c(patched, at=1)
        run(f"story.txt --model m-interrupted.statewise {FAST} --learning-rate 0.02 --epochs 3 --quiet")
    assert names(folder) == {f"m-interrupted{number}.statewise" for number in ("", "-2", "-3")}
    assert sw.load("m-interrupted.statewise").model.epochs_done == 4


def test_an_interrupted_training_ends_with_what_to_type(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    press_ctrl_c(monkeypatch, at=1)
    _, out, err = run(f"story.txt {SIZES} {FAST} --out new")
    for printed in (out, err):
        assert "`statewise train story.txt --model new` continues training it" in printed


def test_ctrl_c_while_the_model_is_written_waits_for_it(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = sw.TextModel.save

    def pressed(this: Any, path: Path) -> None:
        signal.raise_signal(signal.SIGINT)
        save(this, path)

    monkeypatch.setattr(sw.TextModel, "save", pressed)
    monkeypatch.setattr("statewise.foundation.interrupt.TWICE_SECONDS", -1.0)
    status, out, err = run(f"story.txt --model m.statewise --out new {FAST} --quiet --json")
    assert (status, out, names(folder)) == (130, "", {"new"})
    assert "interrupted; the model is in new" in err


def test_an_interrupted_training_with_a_checkpoint_ends_by_the_same_command(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"story.txt {SIZES} {FAST} --quiet --checkpoint kept"
    assert run(f"{line} --out whole".replace("--checkpoint kept", ""))[0] == 0
    with monkeypatch.context() as patched:
        press_ctrl_c(patched, at=1)
        _, _, err = run(f"{line} --out new")
    assert "the model so far is in new; repeat the same command to continue" in err
    half = content(folder / "new")
    assert run(f"{line} --out new")[0] == 0  # the file is this training's own
    assert content(folder / "new") == content(folder / "whole") != half
    assert run(f"{line} --out new")[0] == 0
    status, _, err = run(f"{line} --out m.statewise")
    assert (status, "m.statewise already exists" in err) == (0, False)  # trained alike, it is the same model


def test_an_interrupted_further_training_ends_by_the_same_command(
    run: Run, folder: Path, prepared: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"story.txt --model m.statewise {FAST} --quiet --checkpoint kept"
    assert run(f"{line} --out whole".replace("--checkpoint kept", ""))[0] == 0
    with monkeypatch.context() as patched:
        press_ctrl_c(patched, at=1)
        _, _, err = run(line)
    assert "the model so far is in m-interrupted.statewise; m.statewise is unchanged; repeat the same command" in err
    assert (folder / "m.statewise").read_bytes() == prepared
    assert run(line)[0] == 0
    assert content(folder / "m.statewise") == content(folder / "whole")


def test_a_checkpoint_does_not_let_another_model_be_replaced(run: Run, folder: Path, prepared: bytes) -> None:
    line = f"story.txt {SIZES} {FAST} --quiet --checkpoint kept"
    assert run(f"{line.replace('0.01', '0.02')} --out new")[0] == 0
    status, _, err = run(f"{line.replace('0.01', '0.02')} --out m.statewise")
    assert (status, "m.statewise already exists" in err) == (2, True)
    assert (folder / "m.statewise").read_bytes() == prepared


def test_more_epochs_of_a_checkpoint_are_told_what_to_write(run: Run) -> None:
    line = f"story.txt {SIZES} {FAST} --quiet --checkpoint kept --out new"
    assert run(line)[0] == 0
    status, _, err = run(line.replace("--epochs 2", "--epochs 5"))
    assert status == 2
    for words in ("kept is the checkpoint of another training: epochs was 2, now 5; ", "--model FILE"):
        assert words in err
    assert "remove" not in err
    assert "decay_steps" not in err
    status, _, err = run(f"story.txt --model kept {FAST}")
    assert (status, "kept is a training checkpoint" in err, "--out" in err) == (2, True, True)
    assert run(f"story.txt --model kept --out more {FAST} --quiet")[0] == 0
    assert isinstance(sw.load("more"), sw.TextModel)


def test_without_a_finished_epoch_there_is_no_model(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = sw.Sequential.fit

    def pressed(this: Any, *data: Any, **options: Any) -> Any:
        class Pressing(sw.Callback):  # type: ignore[misc]
            def on_step(self, *_: Any) -> None:
                signal.raise_signal(signal.SIGINT)

            def on_train_begin(self, *_: Any) -> None:
                signal.raise_signal(signal.SIGINT)

        return fit(this, *data, **{**options, "callbacks": [Pressing()]})

    monkeypatch.setattr("statewise.foundation.interrupt.TWICE_SECONDS", -1.0)
    monkeypatch.setattr("statewise.training.dispatch.Pace.steps", lambda _: 1)
    monkeypatch.setattr(sw.Sequential, "fit", pressed)
    for line in (f"story.txt {SIZES} --out new", "story.txt --model m.statewise"):
        status, out, err = run(f"{line} {FAST} --steps 8 --quiet --json")
        assert (status, out) == (130, "")
        assert "no epoch was finished, so no model is written" in err
    assert names(folder) == set()


# ------------------------------------------------------------------------------------------- kill -9

LONG = (
    "story.txt --units 96 --epochs 30 --batch-size 4 --steps 16 --patience 6 --no-plot --json --quiet --seed 3 "
    "--checkpoint kept"
)
EARLY = (0.3, 1.0, 2.5)
"""After how many seconds it is killed in its beginning."""

LATE = (0.0, 0.02, 0.3, 1.1, 2.7)
"""After how many seconds it is killed since it last wrote its checkpoint, which it does every 5 seconds."""


def test_the_same_command_does_not_train_a_second_time(folder: Path, run: Run) -> None:
    """It may be given again because it was killed after the model was written, and before it said so."""
    line = "story.txt --model m.statewise --checkpoint kept --epochs 2 --held-out 0 --no-plot"
    assert run(f"{line} --quiet")[0] == 0
    once = content(folder / "m.statewise")
    status, _, err = run(f"{line} --quiet")
    assert (status, content(folder / "m.statewise")) == (0, once)
    assert "nothing is left to train; choose another --checkpoint" in err
    assert run(f"{line} --quiet".replace("kept", "another"))[0] == 0
    assert content(folder / "m.statewise")[0]["epochs"] == once[0]["epochs"] + 2


@pytest.mark.parametrize("other", ["story.txt --epochs 3", "second.txt --epochs 2"])
def test_another_training_from_the_end_of_a_checkpoint_is_not_taken_for_it(folder: Path, run: Run, other: str) -> None:
    second = "".join(reversed((folder / "story.txt").read_text()))
    (folder / "second.txt").write_text(second)
    rest = "--model m.statewise --checkpoint kept --held-out 0 --no-plot --quiet"
    assert run(f"story.txt --epochs 2 {rest}")[0] == 0
    before = content(folder / "m.statewise")[0]["epochs"]
    status, _, err = run(f"{other} {rest}")
    assert (status, err) == (0, "")
    assert content(folder / "m.statewise")[0]["epochs"] == before + int(other[-1])


def test_a_picture_of_somebody_elses_is_not_replaced(folder: Path, run: Run) -> None:
    """That of the model's own training is, by that of its further training."""
    (folder / "photo.png").write_bytes(b"precious")
    status, _, err = run("story.txt --model m.statewise --epochs 1 --quiet --plot photo.png")
    assert (status, (folder / "photo.png").read_bytes()) == (2, b"precious")
    assert "photo.png already exists" in err
    for _ in range(2):
        assert run("story.txt --model m.statewise --epochs 1 --quiet --plot own.png --held-out 0")[0] == 0
    assert is_ours(folder / "own.png", "m.statewise")
    own = (folder / "own.png").read_bytes()
    (folder / "n.statewise").write_bytes((folder / "m.statewise").read_bytes())
    status, _, err = run("story.txt --model n.statewise --epochs 1 --quiet --plot own.png")
    assert (status, (folder / "own.png").read_bytes()) == (2, own)
    assert "own.png already exists" in err


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_pictures_of_each_kind_say_whose_they_are(kind: str, folder: Path) -> None:
    history, place = sw.History(epoch=[0], history={"loss": [1.0]}), folder / f"loss.{kind}"
    sw.plot_history(history, place, owner="mäuse (1).statewise")
    assert is_ours(place)
    assert is_ours(place, "mäuse (1).statewise")
    assert not is_ours(place, "m.statewise")


def test_what_scores_worse_on_the_symbols_that_it_knew_does_not_replace_it(folder: Path, run: Run) -> None:
    """Also where the held-out text has symbols that are new, so that the whole scores cannot be compared."""
    before = (folder / "m.statewise").read_bytes()
    (folder / "more.txt").write_text(STORY * 4 + "\u00e9\u00e8 " * 3)
    line = "more.txt --model m.statewise --new-symbols add --epochs 6 --learning-rate 9 --json --no-plot"
    status, out, _ = run(line)
    assert (status, json.loads(out)["worse"]) == (0, True)
    assert (folder / "m.statewise").read_bytes() == before


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_train_ends_with_the_same_file_and_score(folder: Path) -> None:
    (folder / "story.txt").write_text(STORY * 600)

    def start(line: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "statewise", "train", *shlex.split(line)]
        return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    whole, _ = start(f"{LONG} --out whole").communicate()
    (folder / "kept").unlink()
    kept, inside = folder / "kept", 0

    def written() -> int:
        return kept.stat().st_mtime_ns if kept.exists() else 0

    for number, seconds in enumerate(EARLY + LATE):
        before, process = written(), start(f"{LONG} --out cut")
        while number >= len(EARLY) and written() == before and process.poll() is None:
            time.sleep(0.005)
        time.sleep(seconds)
        process.kill()
        process.communicate()
        if process.returncode != -signal.SIGKILL:  # the machine is quick: it ended before it was killed
            break
        inside += kept.exists() and content(kept)[0]["resume"]["step"] > 0
    assert number >= len(EARLY), "it was hardly killed: make the training longer"
    last = start(f"{LONG} --out cut")
    found, expected = json.loads(last.communicate()[0]), json.loads(whole)
    assert (last.returncode, inside > 0) == (0, True)
    for name in ("epochs", "loss", "accuracy", "score", "sample", "best_epoch"):
        assert found[name] == expected[name], name
    assert content(folder / "cut") == content(folder / "whole")
