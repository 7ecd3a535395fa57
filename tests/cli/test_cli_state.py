"""The commands that are about states: verify, memory, and train --checkpoint."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import STORY
from statewise.cli.main import main

Run = Callable[[str], tuple[int, str, str]]

X = np.random.default_rng(61).normal(size=(3, 12, 2)).astype(np.float32)
Y = np.random.default_rng(62).normal(size=(3, 12, 1)).astype(np.float32)
FLAGS = np.random.default_rng(63).random((3, 12)) < 0.5


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Models, texts and arrays, good ones and others."""
    folder = tmp_path_factory.mktemp("prepared")
    text = sw.TextModel(units=3, embedding=2)
    text.fit(STORY, epochs=1, verbose=0)
    text.save(folder / "text")
    tagger = sw.Sequential([sw.LSTM(3, return_sequences=True), sw.Dense(1)], seed=1)
    tagger.compile("adam", "mse")
    tagger.fit(X, Y, verbose=0)
    tagger.save(folder / "tagger")
    plain = sw.Sequential([sw.Dense(1)], seed=1)
    plain.compile("adam", "mse")
    plain.fit(X, Y, verbose=0)
    plain.save(folder / "plain")
    sw.Sequential([sw.LSTM(3, input_shape=(None, 2))]).save(folder / "uncompiled")
    np.save(folder / "x.npy", X)
    np.save(folder / "objects.npy", np.array([X, None], object), allow_pickle=True)
    np.savez(folder / "data.npz", x=X, y=Y)
    np.savez_compressed(folder / "flags.npz", x=X, y=Y, mask=FLAGS, reset=FLAGS)
    np.savez(folder / "one.npz", x=X[:, :1], y=Y[:, :1])
    np.savez(folder / "wide.npz", x=np.zeros((2, 12, 5)), y=Y[:2])
    np.savez(folder / "numbers.npz", x=X, mask=FLAGS.astype(int))
    np.savez(folder / "other.npz", z=X)
    np.savez(folder / "objects.npz", x=np.array([X, None], object))
    np.save(folder / "words.npy", np.array(["mice", "cat"]))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    data, flags = files["data.npz"], bytearray(files["flags.npz"])
    flags[120:160] = bytes(40)
    return {
        **files,
        "story.txt": STORY.encode(),
        "empty.npy": b"",
        "text.npy": STORY.encode(),
        "short.npy": files["x.npy"][:-30],
        "short.npz": data[: len(data) // 2],
        "flipped.npz": bytes(flags),
    }


@pytest.fixture
def folder(tmp_path: Path, prepared: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with all that in it."""
    for name, content in prepared.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:  # noqa: ARG001 - goes there
    """Runs a command line in that folder and returns its status, stdout and stderr."""

    def run(line: str) -> tuple[int, str, str]:
        try:
            status = main(shlex.split(line))
        except SystemExit as end:  # argparse's way out
            status = int(end.code or 0)
        return status, *capsys.readouterr()

    return run


# --------------------------------------------------------------------------------------------- verify


@pytest.mark.parametrize("data", ["text story.txt", "tagger x.npy", "tagger data.npz", "tagger flags.npz"])
def test_verify_shows_a_table_and_ends_with_status_0(data: str, run: Run) -> None:
    status, out, err = run(f"verify {data}")
    assert (status, err) == (0, "")
    assert out.startswith(f"{data.partition(' ')[0]}: the whole pass over ")
    assert out.endswith("\nall within tolerance\n")
    assert "streaming runtime" in out


def test_verify_json_is_one_object(run: Run) -> None:
    status, out, _ = run("verify tagger x.npy --json")
    found = json.loads(out)
    assert status == 0
    assert (found["passed"], found["rows"], found["steps"]) == (True, 3, 12)
    assert {check["name"] for check in found["checks"]} >= {"single steps", "rows reset", "saved and loaded"}
    assert all(check["difference"] <= check["tolerance"] for check in found["checks"])


@pytest.mark.parametrize("data", ["text story.txt", "tagger flags.npz"])
def test_verify_ends_with_status_1_if_something_differs(data: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    push = sw.Stream.push
    monkeypatch.setattr(sw.Stream, "push", lambda this, x: 1.01 * push(this, x))
    status, out, err = run(f"verify {data}")
    assert (status, err) == (1, "")
    assert [line.split("  ")[0] for line in out.splitlines() if line.endswith("FAILED")] == [
        "streaming runtime",
        f"1 of {10 if 'story' in data else 11} FAILED",
    ]
    status, out, err = run(f"verify {data} --json")
    assert (status, err) == (1, "")
    assert json.loads(out)["passed"] is False


def test_verify_takes_a_tolerance(run: Run) -> None:
    assert run("verify tagger x.npy --tolerance 0")[0] == 1
    assert run("verify tagger x.npy --tolerance 1e-3")[0] == 0


def test_verify_in_json_has_no_numbers_that_json_has_not(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    push = sw.Stream.push
    monkeypatch.setattr(sw.Stream, "push", lambda this, x: np.nan * push(this, x))
    status, out, _ = run("verify tagger x.npy --json")
    assert status == 1

    def refuse(word: str) -> None:
        pytest.fail(f"{word} is no JSON")

    assert json.loads(out, parse_constant=refuse)["passed"] is False


# --------------------------------------------------------------------------------------------- memory


@pytest.mark.parametrize("data", ["tagger data.npz", "tagger flags.npz", "text story.txt --steps 8"])
def test_memory_shows_a_table_and_a_sentence(data: str, run: Run) -> None:
    status, out, err = run(f"memory {data}")
    assert (status, err) == (0, "")
    for expected in ("state reset every", "never in a row", "steps back", "gate  ", "lstm f"):
        assert expected in out
    assert out.splitlines()[-1].startswith("This model uses ")
    assert ("carrying the state from batch to batch" in out) == data.startswith("text")


def test_memory_json_is_one_object(run: Run) -> None:
    status, out, _ = run("memory tagger data.npz --json")
    found = json.loads(out)
    assert status == 0
    assert list(found["losses"]) == ["1", "2", "4", "8", "12"]
    assert len(found["gradient"]) == 12
    assert set(found["gates"]["lstm"]) == {"i", "f", "o"}
    assert found["carried"] is None
    assert found["conclusion"].endswith(".")


def test_memory_draws_a_picture(run: Run, folder: Path) -> None:
    status, out, _ = run("memory tagger data.npz --plot inner/memory.png")
    assert (status, out.splitlines()[-1]) == (0, "picture: inner/memory.png")
    assert (folder / "inner" / "memory.png").read_bytes().startswith(b"\x89PNG")


# ------------------------------------------------------------------------------------------- mistakes

ARRAYS = "what numpy.save or numpy.savez wrote"
MISTAKES: dict[str, tuple[str, ...]] = {
    "verify": ("required: MODEL, DATA", "`statewise verify --help`"),
    "verify missing x.npy": ("no model file missing",),
    "verify story.txt x.npy": ("story.txt is not a model file",),
    "verify tagger missing.npy": ("no file missing.npy", "numpy.save or numpy.savez"),
    "verify tagger inner": ("inner", ".npy or .npz"),
    "verify tagger story.txt": ("story.txt is not a file of arrays", ARRAYS),
    "verify tagger text.npy": ("text.npy is not a file of arrays", ARRAYS),
    "verify tagger empty.npy": ("empty.npy is not a file of arrays", ARRAYS),
    "verify tagger short.npy": ("short.npy is not a file of arrays, or is damaged", ARRAYS),
    "verify tagger short.npz": ("short.npz is not a file of arrays, or is damaged", ARRAYS),
    "verify tagger flipped.npz": ("flipped.npz is not a file of arrays, or is damaged", ARRAYS),
    "verify tagger objects.npy": ("objects.npy", ARRAYS),
    "verify tagger objects.npz": ("objects.npz", ARRAYS),
    "verify tagger other.npz": ("other.npz lacks 'x' (it has z)", "numpy.savez('other.npz', x=x)"),
    "verify tagger wide.npz": ("x: expected [B, T, 2], got [2, 12, 5]",),
    "verify tagger words.npy": ("x: expected real numbers, got text such as 'mice'",),
    "verify tagger numbers.npz": ("mask: expected bool values", "mask = mask != 0"),
    "verify tagger x.npy --tolerance -1": ("tolerance: expected a number >= 0, got -1.0",),
    "verify tagger x.npy --tolerance nan": ("tolerance: expected a number >= 0, got nan",),
    "verify tagger x.npy --tolerance little": ("--tolerance", "expected a number, got 'little'"),
    "verify text x.npy": ("x.npy is binary; expected UTF-8 text",),
    "verify text missing.txt": ("no text file missing.txt",),
    "memory": ("required: MODEL, DATA", "`statewise memory --help`"),
    "memory tagger x.npy": ("x.npy lacks 'y' (it has x)", "numpy.savez('x.npy', x=x, y=y)"),
    "memory tagger other.npz": ("other.npz lacks 'x'", "x=x, y=y"),
    "memory tagger one.npz": ("at least 2 steps",),
    "memory plain data.npz": ("no memory", "LSTM(32)"),
    "memory uncompiled data.npz": ("not compiled",),
    "memory text story.txt --steps 1": ("steps: expected an integer >= 2, got 1",),
    "memory tagger data.npz --plot memory.mice": ("cannot draw a .mice file", ".png, .svg or .pdf"),
    "memory tagger data.npz --plot missing/memory.png": ("missing/memory.png", "does not exist"),
    "train story.txt --checkpoint missing/kept": ("cannot write missing/kept", "does not exist"),
    "train story.txt --checkpoint inner": ("cannot write inner", "it is a folder"),
    "train story.txt --checkpoint ''": ("expected the name of a file",),
    "train story.txt --checkpoint story.txt": ("story.txt: it is the training text", "--checkpoint"),
    "train story.txt --checkpoint story.statewise": ("the model is written there",),
    "train story.txt --checkpoint story.png --units 3 --epochs 1": ("story.png", "--checkpoint"),
    "train story.txt --checkpoint text --units 3 --embedding 2 --epochs 1 --quiet": (
        "text holds a model, but no training to continue",
    ),
}


@pytest.mark.parametrize(("line", "words"), MISTAKES.items(), ids=MISTAKES)
def test_every_mistake_is_one_line_and_status_2(line: str, words: tuple[str, ...], run: Run, folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    status, out, err = run(line)
    assert (status, out) == (2, ""), err
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert not [word for word in words if word not in err], err
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_a_picture_that_cannot_be_written_is_noticed_before_the_work(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(*_: Any, **__: Any) -> None:
        pytest.fail("the report began before the mistake was found")

    monkeypatch.setattr(sw.Sequential, "memory_report", begin)
    assert run("memory tagger data.npz --plot memory.mice")[0] == 2
    assert run("memory tagger data.npz --plot missing/memory.png")[0] == 2


# ----------------------------------------------------------------------------------------- checkpoint

TRAIN = "train story.txt --units 3 --embedding 2 --epochs 4 --quiet --no-plot --json --seed 5"


class Killed(BaseException):
    """Ends a training."""


def test_an_interrupted_train_goes_on_from_its_checkpoint(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, _ = run(f"{TRAIN} --out whole")
    expected = json.loads(out)
    assert status == 0
    evaluate = sw.TextModel._validate
    scored = 0

    def interrupted(this: sw.TextModel, ids: Any) -> dict[str, float]:
        nonlocal scored
        scored += 1
        if scored == 3:
            raise Killed
        return evaluate(this, ids)

    monkeypatch.setattr(sw.TextModel, "_validate", interrupted)
    with pytest.raises(Killed):
        run(f"{TRAIN} --out cut --checkpoint kept")
    assert not (folder / "cut").exists()
    loaded = sw.load(folder / "kept")
    assert isinstance(loaded, sw.TextModel)
    status, out, _ = run(f"{TRAIN} --out cut --checkpoint kept")
    found = json.loads(out)
    assert status == 0
    assert scored == 5  # two epochs, the one that was interrupted, and two more
    for name in ("epochs", "loss", "accuracy", "score", "sample", "best_epoch"):
        assert found[name] == expected[name], name
    assert run(f"{TRAIN} --out cut --checkpoint kept")[0] == 0  # finished: nothing is trained again
    assert scored == 5


def test_train_refuses_the_checkpoint_of_another_training(run: Run) -> None:
    assert run(f"{TRAIN} --out first --checkpoint kept")[0] == 0
    status, out, err = run(f"{TRAIN.replace('--seed 5', '--seed 6')} --out second --checkpoint kept")
    assert (status, out) == (2, "")
    assert err.startswith("statewise: kept is the checkpoint of another training: seed was 5, now 6;")
    assert err.count("\n") == 1
