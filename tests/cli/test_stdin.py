"""`-`: wherever a command reads a text or a prompt, stdin does too."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mistakes import STORY, TINY, sw
from statewise.cli.main import main
from statewise.storage.artifact import read_artifact

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stdin")
    model = sw.TextModel(**TINY)
    model.fit(STORY, epochs=1, verbose=0)
    model.save(folder / "m.statewise")
    sw.Sequential([sw.LSTM(2, input_shape=(3, 1))]).save(folder / "numbers.statewise")
    (folder / "story.txt").write_text(STORY)
    return folder


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line with something on stdin, and returns its status, stdout and stderr."""
    monkeypatch.chdir(folder)

    def run(line: str, given: bytes = STORY.encode()) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
        return main(line.split()), *capsys.readouterr()

    return run


@pytest.mark.parametrize("command", ["evaluate", "verify", "memory --steps 8"])
def test_a_text_on_stdin_is_read_as_one_in_a_file(command: str, run: Run) -> None:
    name, *more = command.split()
    printed = [run(" ".join([name, "m.statewise", text, *more, "--json"])) for text in ("story.txt", "-")]
    assert printed[0] == printed[1]
    assert printed[0][0] == 0


def test_train_from_stdin_makes_the_same_model(run: Run, folder: Path) -> None:
    sizes = "--units 3 --embedding 2 --epochs 1 --no-plot --quiet --json"
    results = []
    for text, out in (("story.txt", "one"), ("-", "two")):
        status, printed, _ = run(f"train {text} --out {out} {sizes}")
        results.append(json.loads(printed) | {"seconds": 0, "files": []})
        assert status == 0
    assert results[0] == results[1]
    one, two = (read_artifact(folder / name) for name in ("one", "two"))
    assert one.header == two.header
    assert all((array == two.arrays[name]).all() for name, array in one.arrays.items())


def test_a_prompt_on_stdin_comes_without_its_line_break(run: Run) -> None:
    more = "--length 5 --temperature 0 --json"
    _, given, _ = run(f"generate m.statewise --prompt mice {more}")
    assert run(f"generate m.statewise --prompt - {more}", b"mice\n") == (0, given, "")


@pytest.mark.parametrize(
    ("line", "given", "words"),
    [
        ("train -", STORY.encode(), "add --out FILE"),
        ("train - --out new --prompt -", STORY.encode(), "--prompt -: stdin is already the training text"),
        ("train - --out new", b"", "stdin is empty; expected text"),
        ("evaluate m.statewise -", b"caf\xe9", "stdin is not UTF-8: byte 0xe9 at position 3"),
        ("generate m.statewise --prompt -", b"\n", "stdin is blank"),
        ("verify numbers.statewise -", b"", "expected a file of arrays"),
        ("memory numbers.statewise -", b"", "expected a file of arrays"),
    ],
)
def test_what_cannot_be_read_from_stdin_is_one_line(line: str, given: bytes, words: str, run: Run) -> None:
    status, out, err = run(line, given)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err
