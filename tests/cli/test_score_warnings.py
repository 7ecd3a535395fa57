"""What a score does not say is said above it: unknown symbols, and text that the model was trained on."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mistakes import sw
from statewise.cli.main import main
from statewise.data.codecs import split_text

Run = Callable[[str], tuple[int, str, str]]

TEXT = "".join(map(chr, 97 + np.random.default_rng(8).integers(0, 20, 1200)))
TRAINING, HELD_OUT = split_text(TEXT, 0.25)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("warnings")
    model = sw.TextModel(units=3, embedding=2)
    model.fit(TRAINING, epochs=1, validation_text=HELD_OUT, verbose=0)
    model.save(folder / "m.statewise")
    texts = {
        "all": TEXT,
        "training": TRAINING,
        "part": TRAINING[200:400],
        "held": HELD_OUT,
        "foreign": "ab" + "XYZW" * 30 + "cd" * 20,
        "some": "abcdXY" * 30,
    }
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(folder)

    def run(line: str) -> tuple[int, str, str]:
        return main(shlex.split(line)), *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("all", "the model was trained on about 74 % of this text"),
        ("training", "the model was trained on all of this text"),
        ("part", "the model was trained on all of this text"),
        ("foreign", "120 of 162 characters are unknown to the model"),
        ("held", None),
        ("some", None),
    ],
)
def test_evaluate_warns_above_the_score(text: str, warning: str | None, run: Run) -> None:
    status, out, _ = run(f"evaluate m.statewise {text}.txt")
    above, _, _ = out.partition("score on ")
    assert (status, "warning: " in out) == (0, warning is not None)
    assert above.startswith(f"warning: {warning}" if warning else "")
    found = json.loads(run(f"evaluate m.statewise {text}.txt --json")[1])
    assert len(found["warnings"]) == (warning is not None)
    assert found["learned_share"] == pytest.approx({"all": 0.75, "training": 1, "part": 1}.get(text, 0), abs=0.05)


@pytest.mark.parametrize("command", ["verify", "memory"])
def test_a_check_refuses_a_text_that_is_mostly_unknown(command: str, run: Run) -> None:
    status, out, err = run(f"{command} m.statewise foreign.txt")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "foreign.txt: 120 of 162 characters are unknown to the model" in err
    status, out, _ = run(f"{command} m.statewise some.txt")
    assert (status, out.startswith("60 unknown characters left out\n")) == (0, True)
    assert json.loads(run(f"{command} m.statewise some.txt --json")[1])["unknown"] == 60


def test_train_warns_of_what_is_held_out(run: Run, folder: Path) -> None:
    rest = "--epochs 1 --no-plot --quiet --json --out new --force"
    for share, warned in ((0.25, False), (0.6, True)):
        result = json.loads(run(f"train all.txt --model m.statewise --held-out {share} {rest}")[1])
        assert [warning.partition(" of ")[0] for warning in result["warnings"]] == [
            "the model was trained on about 54 %"
        ] * warned
    (folder / "turned.txt").write_text("abcd" * 60 + "XYZW" * 20)
    result = json.loads(run(f"train turned.txt --units 3 --embedding 2 --held-out 0.3 {rest}")[1])
    assert [warning.partition(" unknown")[0] for warning in result["warnings"]] == ["80 of 96 characters are"]


def test_memory_replaces_no_picture_unasked(run: Run, folder: Path) -> None:
    (folder / "photo.png").write_bytes(b"precious")
    status, _, err = run("memory m.statewise held.txt --steps 8 --plot photo.png")
    assert (status, (folder / "photo.png").read_bytes()) == (2, b"precious")
    assert "photo.png already exists; choose another file, or add --force" in err
    assert run("memory m.statewise held.txt --steps 8 --plot photo.png --force")[0] == 0
    assert (folder / "photo.png").read_bytes().startswith(b"\x89PNG")
