"""`statewise run`: its options come before the script, the script's own after it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from statewise.cli.main import main

SHOW = "import sys\nprint(sys.argv[1:])\nfrom statewise.legacy.spellings import note\nnote('lr=', 'Adam(rate)')\n"


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "tutorial.py"
    path.write_text(SHOW)
    return str(path)


@pytest.mark.parametrize(
    "arguments", [[], ["--help"], ["-h", "x"], ["--quiet", "--fix-print"], ["--version"], ["7", "-n=3"]]
)
@pytest.mark.parametrize("options", [[], ["--quiet"], ["--fix-print", "--quiet"]])
def test_what_follows_the_script_is_the_scripts(
    script: str, options: list[str], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *options, script, *arguments]) == 0
    out, err = capsys.readouterr()
    assert out == f"{arguments}\n"
    assert ("old spelling" in err) == ("--quiet" not in options)


def test_the_status_is_the_scripts(script: str) -> None:
    Path(script).write_text("raise SystemExit(5)")
    assert main(["run", script]) == 5


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "statewise: cannot read {script}: No such file or directory\n"),
        ("print 7", "statewise: tutorial.py line 1: `print 7` is Python 2; run with --fix-print, or write print(7)\n"),
    ],
)
def test_what_cannot_run_is_one_line(
    script: str, source: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    os.remove(script) if source is None else Path(script).write_text(source)
    assert main(["run", script]) == 2
    assert capsys.readouterr() == ("", message.format(script=script))
    assert source is None or main(["run", "--fix-print", script]) == 0


def test_a_script_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["run", "--quiet"])
    assert end.value.code == 2
    assert "SCRIPT" in capsys.readouterr().err


def test_a_reader_who_has_seen_enough_is_no_error(script: str) -> None:
    Path(script).write_text("for line in range(99999):\n    print(line)\n")
    command = f"{sys.executable} -m statewise run {script} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_script_without_keras_starts_without_jax(script: str) -> None:
    Path(script).write_text("import sys\nprint('jax' in sys.modules, sorted(sys.argv[1:]))\n")
    command = [sys.executable, "-m", "statewise", "run", script, "b", "a"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "False ['a', 'b']\n"
