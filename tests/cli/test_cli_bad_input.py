"""Every mistake on the command line: one line on stderr, nothing on stdout, status 2, and the folder as it was."""

from __future__ import annotations

import errno
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mistakes import STORY, TINY, sw
from statewise.cli.main import main
from statewise.diagnostics import plots
from statewise.foundation import files
from statewise.storage import artifact

Folder = dict[str, bytes | None]  # what is in it: content by name, None for folders
Run = Callable[..., tuple[int, str, str]]

COUNTS = ("units", "layers", "embedding", "window", "batch-size", "steps", "epochs", "length")
FAST = "--units 3 --embedding 2 --epochs 1 --quiet"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Texts and models, good ones and others."""
    folder = tmp_path_factory.mktemp("prepared")
    model = sw.TextModel(**TINY)
    model.fit(STORY, epochs=1, verbose=0)
    model.save(folder / "good")
    windowed = sw.TextModel(**TINY, window=5)
    windowed.fit(STORY, epochs=1, verbose=0)
    windowed.save(folder / "windowed")
    sw.Sequential([sw.LSTM(2, input_shape=(3, 1))]).save(folder / "other")
    good = (folder / "good").read_bytes()
    return {
        "story.txt": STORY.encode(),
        "empty.txt": b"",
        "blank.txt": b" \n\t\n",
        "one.txt": b"a",
        "accents.txt": ("the mice ate the xénias. " * 9).encode(),
        "latin.txt": "caf\xe9 caf\xe9".encode("latin1"),
        "binary.txt": b"the\0mice" * 9,
        "picture.svg": b"<svg>the mice saw the cat</svg>",
        "good.statewise": good,
        "windowed.statewise": (folder / "windowed").read_bytes(),
        "other.statewise": (folder / "other").read_bytes(),
        "short.statewise": good[: len(good) // 2],
        "flipped.statewise": good[:-9] + bytes([good[-9] ^ 1]) + good[-8:],
        "newer.statewise": good.replace(b'"version":"1"', b'"version":"7"'),
    }


@pytest.fixture
def folder(tmp_path: Path, prepared: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with all that in it."""
    for name, content in prepared.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listing(folder: Path) -> Folder:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line and returns its status, stdout and stderr."""

    def run(line: str) -> tuple[int, str, str]:
        try:
            status = main(shlex.split(line))
        except SystemExit as end:  # argparse's way out
            status = int(end.code or 0)
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails whatever begins to train."""

    def begin(*_: object, **__: object) -> None:
        pytest.fail("training began before the mistake was found")

    monkeypatch.setattr(sw.TextModel, "fit", begin)


def mistakes(table: dict[str, tuple[str, ...]]) -> pytest.MarkDecorator:
    """Command lines and what their message cannot do without."""
    return pytest.mark.parametrize(("line", "words"), table.items(), ids=table)


def check(folder: Path, run: Run, line: str, words: tuple[str, ...]) -> None:
    before = listing(folder)
    status, out, err = run(line)
    assert (status, out) == (2, ""), err
    assert err.endswith("\n")
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    missing = [word for word in words if word not in err]
    assert not missing, f"{missing} not in: {err}"
    assert listing(folder) == before


@mistakes(
    {
        "": ("required: COMMAND", "`statewise --help`"),
        "trian": ("'trian'", "did you mean 'train'?", "generate", "evaluate", "info", "`statewise --help`"),
        "help genrate": ("'genrate'", "did you mean 'generate'?"),
        "recipes shw": ("'shw'", "did you mean 'show'?", "`statewise recipes --help`"),
        "--colour": ("--colour", "`statewise --help`"),
        "train": ("required: TEXT", "`statewise train --help`"),
        "train story.txt --colour red": ("unknown option --colour; ", "`statewise train --help`"),
        "train story.txt more.txt": ("unexpected argument 'more.txt'", "`statewise train --help`"),
        "generate --lenght 3": ("unknown option --lenght: did you mean --length?", "`statewise generate --help`"),
        "generate good.statewise --lenght=3": ("unknown option --lenght: did you mean --length?",),
        "recipes run --repeat-s 3": ("unknown option --repeat-s: did you mean --repeats?", "recipes run --help"),
        "run --quite tutorial.py --help": ("unknown option --quite: did you mean --quiet?", "`statewise run --help`"),
        "train story.txt --units": ("--units", "expected one argument"),
        "train story.txt --tokens letters": ("--tokens", "'letters'", "char, word"),
        "train story.txt --plot x.png --no-plot": ("--plot", "--no-plot", "not allowed"),
        "generate good.statewise": ("required: --prompt", "`statewise generate --help`"),
        "evaluate good.statewise": ("required: TEXT", "`statewise evaluate --help`"),
        "info good.statewise story.txt": ("story.txt", "`statewise info --help`"),
        **{
            f"train story.txt --{option} {value}": (f"--{option}", "expected an integer", f"got '{value}'")
            for option in (*COUNTS, "patience", "seed")
            for value in ("1.5", "many")
        },
        **{
            f"train story.txt --{option} much": (f"--{option}", "expected a number", "got 'much'")
            for option in ("dropout", "learning-rate", "held-out", "temperature")
        },
        "generate good.statewise --prompt the --length 1.5": ("--length", "expected an integer", "got '1.5'"),
        "generate good.statewise --prompt the --top-p most": ("--top-p", "expected a number", "got 'most'"),
    }
)
def test_commands_that_do_not_parse(folder: Path, run: Run, line: str, words: tuple[str, ...]) -> None:
    check(folder, run, line, words)


@pytest.mark.usefixtures("untrained")
@mistakes(
    {
        "train no.txt": ("no text file no.txt", "UTF-8"),
        "train inner": ("inner is a folder", "a text file in it"),
        "train ''": ("expected the name of a file", "''"),
        "train empty.txt": ("empty.txt is empty", "expected text"),
        "train blank.txt": ("blank.txt is blank", "expected text"),
        "train one.txt": ("--held-out 0.1", "1 character", "larger fraction, or 0"),
        "train one.txt --held-out 0": ("1 different char token(s)", "at least two"),
        "train latin.txt": ("latin.txt is not UTF-8", "0xe9 at position 3", "iconv -f latin1 -t utf-8 latin.txt"),
        "train binary.txt": ("binary.txt is binary", "UTF-8"),
        "train good.statewise": ("good.statewise is binary", "UTF-8"),
        **{
            f"train story.txt --{option} {value}": (option.replace("-", "_"), ">= 1", f"got {value}")
            for option in COUNTS
            for value in (0, -1)
        },
        "train story.txt --window 500": ("window is 500", "more tokens"),
        "train story.txt --batch-size 1000": ("batch_size", "at most", "got 1000"),
        "train story.txt --dropout 1.0": ("dropout", "< 1", "got 1.0"),
        "train story.txt --dropout -0.1": ("dropout", "< 1", "got -0.1"),
        "train story.txt --held-out 1.5": ("held_out", "< 1", "got 1.5"),
        "train story.txt --held-out -0.1": ("held_out", "got -0.1"),
        "train story.txt --held-out nan": ("held_out", "got nan"),
        "train story.txt --held-out 0.0001": ("--held-out 0.0001", "117 characters", "larger fraction, or 0"),
        "train story.txt --held-out 0.01": ("what is held out", "1 char token(s)", "at least one known token after 1"),
        "train story.txt --held-out 0.999": ("different char token(s)", "at least two"),
        "train story.txt --patience 2 --held-out 0": ("--patience", "held-out text", "remove --held-out 0"),
        "train story.txt --patience -1": ("patience", ">= 0", "got -1"),
        "train story.txt --learning-rate 0": ("learning_rate", "> 0", "got 0.0"),
        "train story.txt --learning-rate -1": ("learning_rate", "> 0", "got -1.0"),
        "train story.txt --learning-rate nan": ("learning_rate", "> 0", "got nan"),
        "train story.txt --optimizer adm": ("unknown optimizer 'adm'", "did you mean 'adam'?", "rmsprop"),
        "train story.txt --seed -1": ("seed", "from 0 to", "got -1"),
        "train story.txt --seed 9223372036854775808": ("seed", "2**63 - 1", "got 9223372036854775808"),
        "train story.txt --temperature -1": ("temperature", ">= 0", "got -1.0"),
        "train story.txt --temperature nan": ("temperature", ">= 0", "got nan"),
        "train story.txt --prompt ''": ("prompt is empty",),
        "train story.txt --prompt Zoo": ("never saw the char 'Z'", "nor one like it; leave it out"),
        "train story.txt --window 5 --prompt the": ("'the' has 3", "windows of 5", "at least 5"),
        "train story.txt --tokens word --prompt zebra": ("never saw the word 'zebra'", "leave it out"),
        "train story.txt --out no/m.statewise": ("cannot write no/m.statewise", "folder no does not exist", "create"),
        "train story.txt --out inner": ("cannot write inner", "it is a folder", "name a file in it"),
        "train story.txt --out .": ("cannot write .", "it is a folder", "name a file in it"),
        "train story.txt --out ''": ("expected the name of a file", "''"),
        "train story.txt --out story.txt": ("cannot write story.txt", "the training text", "--out"),
        "train story.txt --out ./inner/../story.txt": ("the training text", "--out"),
        "train story.txt --out story.txt/m": ("cannot write story.txt/m", "Not a directory", "another place"),
        "train story.txt --out /proc/m.statewise": ("cannot write /proc/m.statewise", "choose another place"),
        "train story.txt --out /dev/null": ("cannot write /dev/null", "a device or a pipe", "name a file"),
        "train story.txt --out m.png": ("cannot write m.png: the model is written there", "--plot"),
        "train story.txt --out m.svg --plot m.svg": ("cannot write m.svg: the model is written there", "--plot"),
        "train picture.svg --plot picture.svg": ("cannot write picture.svg", "the training text", "--plot"),
        "train story.txt --plot no/loss.png": ("cannot write no/loss.png", "folder no does not exist"),
        "train story.txt --plot inner": ("cannot write inner", "it is a folder"),
        "train story.txt --plot loss.xyz": (".xyz", ".png, .svg or .pdf"),
        "train story.txt --plot picture.svg": ("picture.svg already exists", "--plot", "--no-plot", "--force"),
        "train story.txt --out good.statewise": (
            "good.statewise already exists",
            "`statewise train story.txt --model good.statewise`",
            "--out",
            "--force",
        ),
        "train story.txt --out blank.txt": ("blank.txt already exists; --out chooses another file", "--force"),
        "train story.txt --out other.statewise": ("other.statewise already exists; --out chooses another", "--force"),
        "train story.txt --out flipped.statewise --checkpoint new": ("flipped.statewise already exists", "--force"),
        "train story.txt --model good.statewise --out windowed.statewise": ("windowed.statewise already exists",),
        "train story.txt --model no.statewise": ("no model file no.statewise", "statewise train"),
        "train story.txt --model ''": ("expected the name of a file", "''"),
        "train story.txt --model story.txt": ("cannot write story.txt", "the training text", "--out"),
        "train story.txt --model blank.txt": ("blank.txt is not a model file",),
        "train story.txt --model other.statewise": ("holds a Sequential, not", "load it in Python with statewise.load"),
        "train story.txt --model good.statewise --checkpoint good.statewise": (
            "the model is written there",
            "--checkpoint",
        ),
        "train story.txt --model good.statewise --out new --checkpoint inner/../good.statewise": (
            "it is the model to train",
            "--checkpoint",
        ),
        "train story.txt --model good.statewise --units 4 --window 3 --seed 0 --embedding 2": (
            "good.statewise keeps its network when training continues",
            "got --units 4 (the model has 3), --window 3 (the model has None);",
        ),
        "train accents.txt --model good.statewise": (
            "2 chars that the model does not know, 'x' 'é'",
            "--new-symbols add",
        ),
        "train story.txt --new-symbols add": ("--new-symbols add", "requires --model"),
    }
)
def test_train_finds_every_mistake_before_it_trains(folder: Path, run: Run, line: str, words: tuple[str, ...]) -> None:
    check(folder, run, line, words)


@mistakes(
    {
        "generate no.statewise --prompt the": (
            "no model file no.statewise",
            "statewise train TEXT --out",
        ),
        "generate '' --prompt the": ("expected the name of a file", "''"),
        "generate inner --prompt the": ("inner is a folder", "expected a model file"),
        "generate story.txt --prompt the": ("story.txt is not a model file", "create it again"),
        "generate short.statewise --prompt the": ("short.statewise is not a model file", "cut short", "copy it again"),
        "generate flipped.statewise --prompt the": ("flipped.statewise is damaged", "checksum", "copy it again"),
        "generate newer.statewise --prompt the": ("format version 7", "up to 1", "pip install --upgrade statewise"),
        "generate other.statewise --prompt the": ("holds a Sequential, not", "load it in Python with statewise.load"),
        "generate good.statewise --prompt ''": ("prompt is empty", "at least one token"),
        "generate good.statewise --prompt Zoo": ("never saw the char 'Z'", "nor one like it; leave it out"),
        "generate windowed.statewise --prompt the": ("'the' has 3", "windows of 5", "at least 5"),
        "generate good.statewise --prompt the --length 0": ("length", ">= 1", "got 0"),
        "generate good.statewise --prompt the --temperature -1": ("temperature", ">= 0", "got -1.0"),
        "generate good.statewise --prompt the --temperature nan": ("temperature", ">= 0", "got nan"),
        "generate good.statewise --prompt the --top-k 0": ("top_k", ">= 1", "got 0"),
        "generate good.statewise --prompt the --beams 0": ("beams", ">= 1", "got 0"),
        "generate good.statewise --prompt the --beams 2 --top-k 3": ("beams", "excludes", "top_k"),
        "generate good.statewise --prompt the --top-p 0": ("top_p", "0 < top_p <= 1", "got 0.0"),
        "generate good.statewise --prompt the --top-p 2": ("top_p", "0 < top_p <= 1", "got 2.0"),
        "generate good.statewise --prompt the --seed -1": ("seed", "from 0 to", "got -1"),
        "evaluate no.statewise story.txt": ("no model file no.statewise", "statewise train"),
        "evaluate other.statewise story.txt": ("holds a Sequential, not", "load it in Python with statewise.load"),
        "evaluate good.statewise no.txt": ("no text file no.txt",),
        "evaluate good.statewise empty.txt": ("empty.txt is empty",),
        "evaluate good.statewise one.txt": ("1 char token(s)", "at least one known token after 1"),
        "evaluate story.txt story.txt": ("story.txt is not a model file",),
        "info good.statewise --clear-cache": ("--clear-cache", "no model", "statewise info --clear-cache"),
        "info no.statewise": ("no model file no.statewise", "statewise train"),
        "info inner": ("inner is a folder", "expected a model file"),
        "info story.txt": ("story.txt is not a model file", "create it again"),
        "info flipped.statewise": ("flipped.statewise is damaged", "checksum"),
    }
)
def test_models_prompts_and_options_that_do_not_fit(folder: Path, run: Run, line: str, words: tuple[str, ...]) -> None:
    check(folder, run, line, words)


def test_a_message_stays_on_one_line_whatever_is_in_it(folder: Path, run: Run) -> None:
    check(folder, run, "info 'no\nsuch\nfile'", ("no model file no such file",))


@pytest.mark.usefixtures("untrained")
def test_a_picture_without_matplotlib_is_refused_before_training(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    check(folder, run, "train story.txt --plot loss.png", ("a picture", "pip install 'statewise[plot]'"))


# -- what goes wrong after the training --------------------------------------------------------------------------------


@pytest.fixture
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    place = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def fill_disk(monkeypatch: pytest.MonkeyPatch, *suffixes: str) -> None:
    """Lets the disk be full for files that end so, from now on."""
    write = files.write_whole

    def write_whole(path: Any, content: bytes) -> None:
        if not str(path).endswith(suffixes):
            return write(path, content)
        error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise files.cannot_write(path, error)

    for module in (artifact, plots):
        monkeypatch.setattr(module, "write_whole", write_whole)


def test_a_disk_that_filled_up_does_not_cost_the_model(
    folder: Path, temporary: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = listing(folder)
    fill_disk(monkeypatch, "good.statewise")
    status, out, err = run(f"train story.txt --out good.statewise --force --no-plot {FAST}")
    (rescued,) = temporary.iterdir()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "cannot write good.statewise: the disk is full" in err
    assert f"The trained model is in {rescued}" in err
    assert isinstance(sw.load(rescued), sw.TextModel)
    assert listing(folder) == before


@pytest.mark.usefixtures("folder")
def test_the_report_names_the_place_where_the_model_is(
    temporary: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk(monkeypatch, "good.statewise")
    status, out, err = run(f"train story.txt --out good.statewise --force --no-plot {FAST.replace('--quiet', '')}")
    (rescued,) = temporary.iterdir()
    assert status == 2
    assert f"statewise generate {rescued} " in out
    assert err.splitlines()[-1].endswith(f"The trained model is in {rescued}")


def test_a_model_that_fits_nowhere_is_lost_in_one_line(
    folder: Path, temporary: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk(monkeypatch, ".statewise")
    status, out, err = run(f"train story.txt --no-plot {FAST}")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "the disk is full" in err
    assert "No other folder was writable" in err
    assert list(temporary.iterdir()) == []
    assert not (folder / "story.statewise").exists()


@pytest.mark.usefixtures("folder")
def test_a_picture_that_cannot_be_written_does_not_cost_the_model(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_disk(monkeypatch, ".png")
    status, _, err = run(f"train story.txt {FAST}")
    assert (status, err.count("\n")) == (2, 1)
    assert "cannot write story.png: the disk is full" in err
    assert isinstance(sw.load("story.statewise"), sw.TextModel)


def test_training_without_matplotlib_says_so_and_goes_on(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    status, out, _ = run(f"train story.txt {FAST.replace('--quiet', '')}")
    assert status == 0
    assert "no picture of the loss" in out
    assert "pip install 'statewise[plot]'" in out
    assert (folder / "story.statewise").exists()
    assert not (folder / "story.png").exists()


def test_words_in_short_lines_still_give_a_sample(folder: Path, run: Run) -> None:
    """The sample's beginning, chosen by us, must fit the window and be known to the model."""
    (folder / "lines.txt").write_text("the mice\nran\nthe cat\nsaw\n" * 20 + "a dog\nran\nthe mice\nsaw\n" * 3)
    status, _, err = run(f"train lines.txt --tokens word --window 5 --no-plot {FAST}")
    assert (status, err) == (0, "")


# -- pipes -------------------------------------------------------------------------------------------------------------


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    statewise = f"{shlex.quote(sys.executable)} -m statewise"
    script = f"set -o pipefail; {command.replace('statewise ', statewise + ' ', 1)}"
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    "command",
    [
        "statewise info good.statewise | head -1",
        "statewise info good.statewise | true",
        "statewise generate good.statewise --prompt the --length 50000 | head -c 10",
    ],
)
def test_a_pipe_that_is_closed_early_is_no_mistake(folder: Path, command: str) -> None:
    done = shell(command, folder)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="this system has no /dev/full")
def test_output_to_a_full_disk(folder: Path) -> None:
    done = shell("statewise info good.statewise > /dev/full", folder)
    assert (done.returncode, done.stderr) == (2, "statewise: cannot print: No space left on device\n")


def test_a_mistake_as_the_shell_sees_it(folder: Path) -> None:
    done = shell("statewise train no.txt", folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("statewise: no text file no.txt")
