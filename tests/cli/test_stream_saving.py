"""statewise stream and its file: what was answered is there, after kill -9 or on a full disk; one process at a time."""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import STORY
from statewise.cli.main import main
from statewise.cli.stream_saving import SaveInterval
from statewise.errors import ConfigurationError, FileError
from statewise.foundation import files
from statewise.storage import artifact
from statewise.streaming import Runtime, Snapshot
from statewise.streaming.store import StreamStore, is_store

Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(2)], seed=1).save(folder / "pumps")
    sw.Sequential([sw.LSTM(3, input_shape=(None, 2)), sw.Dense(2)], seed=1).save(folder / "other")
    text = sw.TextModel(units=3, embedding=2, tokens="word")
    text.fit(STORY, epochs=1, verbose=0)
    text.save(folder / "words")
    return folder


@pytest.fixture
def run(models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command with lines on stdin, and returns its status, the lines of stdout, and stderr."""
    monkeypatch.chdir(models)

    def run(line: str, stdin: str) -> tuple[int, list[str], str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        status = main(["stream", *shlex.split(line)])
        out, err = capsys.readouterr()
        return status, out.splitlines(), err

    return run


def numbers(count: int, seed: int = 1, ids: bool = True) -> list[str]:
    """Lines for a model of two features: a few keys, now and then a reset."""
    rng, lines = np.random.default_rng(seed), []
    for number in range(count):
        line: dict[str, Any] = {"key": f"pump {rng.integers(4)}", "x": rng.normal(size=2).round(3).tolist()}
        if ids:
            line["id"] = number
        if rng.random() < 0.1:
            line["reset"] = True
        lines.append(json.dumps(line))
    return lines


def words(count: int, seed: int = 1) -> list[str]:
    rng = np.random.default_rng(seed)
    some = ["the mice", "the", "saw the cat", "mice"]
    return [
        json.dumps({"key": int(rng.integers(3)), "x": some[rng.integers(4)], "id": number}) for number in range(count)
    ]


# --------------------------------------------------------------------------------------------------- a process


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "statewise", "stream", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def killed(folder: Path, lines: list[str], after: float, *arguments: str) -> list[str]:
    """Returns what is answered to `lines` until the command is killed, `after` seconds from its first answer on."""
    with started(folder, *arguments) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(line + "\n" for line in lines).encode())
        process.stdin.flush()
        first = process.stdout.readline()
        time.sleep(after)
        process.kill()
        rest = process.stdout.read()
        return [line for line in (first + rest).decode().split("\n")[:-1] if line]


def through_kills(
    folder: Path, model: str, lines: list[str], state: Path, kills: int, seed: int
) -> tuple[list[str], int]:
    """Returns the answers to all lines, each asked again until it is answered, and how many kills came in the midst."""
    rng, count = np.random.default_rng(seed), 0
    answers: list[str] = []
    options = [*model.split(), "--durable", "--state", str(state)]
    for _ in range(kills):
        if (place := answered(answers)) >= len(lines) - 1:
            break
        came = killed(folder, lines[place:], float(rng.uniform(0, 0.02)), *options)
        count += len(came) < len(lines) - place
        answers = without_cut_text(lines, answers + came)
    with started(folder, *options) as process:
        rest = "".join(line + "\n" for line in lines[answered(answers) :])
        out, err = process.communicate(rest.encode(), timeout=60)
        assert (process.returncode, err) == (0, b"")
    return answers + out.decode().splitlines(), count


def answered(answers: list[str]) -> int:
    """Returns how many lines were answered: their ids are their places."""
    return json.loads(answers[-1])["id"] + 1 if answers else 0


def without_cut_text(lines: list[str], answers: list[str]) -> list[str]:
    """Returns the answers without those of a last text that was not answered to its end."""
    last = json.loads(lines[answered(answers) - 1])
    of_last = [answer for answer in answers if json.loads(answer)["id"] == last["id"]]
    is_cut = isinstance(last["x"], str) and len(of_last) < len(last["x"].split())
    return answers[: len(answers) - len(of_last)] if is_cut else answers


@pytest.mark.parametrize(
    ("model", "make", "kills"),
    [
        ("pumps", numbers, 2),
        pytest.param("words --json", words, 3, marks=pytest.mark.slow),
        pytest.param("pumps", numbers, 60, marks=pytest.mark.slow),
        pytest.param("words --json", words, 40, marks=pytest.mark.slow),
    ],
    ids=["numbers", "words", "numbers-many", "words-many"],
)
def test_no_answered_line_is_lost_by_kills(
    models: Path, run: Run, tmp_path: Path, model: str, make: Callable[[int, int], list[str]], kills: int
) -> None:
    """What is asked again under the same id was answered to the end or not at all: the answers are those of one run."""
    lines = make(kills * 25, kills)
    _, expected, _ = run(model, "\n".join(lines))
    answers, count = through_kills(models, model, lines, tmp_path / "state", kills, seed=kills)
    assert answers == expected
    print(f"{count} kills in the midst")  # noqa: T201
    assert count >= min(kills, 2) / 2


@pytest.mark.parametrize("loops", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_after_a_kill_the_state_is_that_of_the_lines_answered(models: Path, tmp_path: Path, loops: int) -> None:
    """Or of one more, without an id: the line that was written, and not yet answered."""
    for loop in range(loops):
        lines, state = [line for line in numbers(300, loop, ids=False) if "reset" not in line], tmp_path / f"{loop}"
        after = 0.001 + 0.05 * loop / max(loops, 10)
        count = len(killed(models, lines, after, "pumps", "--durable", "--state", str(state)))
        runtime = Runtime.open(models / "pumps", "numpy")
        with StreamStore.open(state, runtime) as store:
            kept = {one.key: one.state for one in store.load()}
        assert any(kept == states_after(models, lines[: count + more]) for more in (0, 1))


def states_after(models: Path, lines: list[str]) -> dict[str, sw.State]:
    streams: dict[str, sw.Stream] = {}
    for line in map(json.loads, lines):
        stream = streams.setdefault(line["key"], sw.Stream.open(models / "pumps"))
        stream.push(line["x"])
    return {key: stream.state for key, stream in streams.items()}


@pytest.mark.parametrize("loops", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_after_a_kill_what_was_saved_every_few_lines_is_there(models: Path, tmp_path: Path, loops: int) -> None:
    for loop in range(loops):
        lines, state = numbers(200, loop, ids=False), tmp_path / f"{loop}"
        lines = [line for line in lines if "reset" not in line]
        options = ("pumps", "--state", str(state), "--save-every", "10")
        count = len(killed(models, lines, 0.1, *options))
        if not state.exists():
            assert count <= 10
            continue
        keys, rows = Snapshot.load(state)
        kept = {key: rows.rows(row) for row, key in enumerate(keys)}
        counts = [saved for saved in range(10, 200, 10) if count - 11 <= saved <= count + 10]
        assert any(kept == states_after(models, lines[:saved]) for saved in counts)
        leftovers = [place for place in tmp_path.iterdir() if place.name.endswith(".part")]
        assert len(leftovers) <= loop + 1


def test_a_state_is_saved_by_the_clock_while_no_line_comes(models: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with started(models, "pumps", "--state", str(state), "--save-every", "0.05s") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"[1, 2]\n")
        process.stdin.flush()
        process.stdout.readline()
        until = time.monotonic() + 20
        while not state.exists() and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
    stream = sw.Stream.open(models / "pumps")
    stream.push([1, 2])
    assert sw.State.load(state) == stream.state


def test_a_second_process_on_a_state_is_refused(models: Path, tmp_path: Path, run: Run) -> None:
    for number, (first, second) in enumerate([("", ""), ("--durable", "--durable")]):
        state = tmp_path / f"{number}"
        with started(models, "pumps", "--state", str(state), *first.split()) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(b"[1, 2]\n")
            process.stdin.flush()
            process.stdout.readline()
            status, out, err = run(f"pumps --state {state} {second}", "[1, 2]")
            assert (status, out, err.count("\n")) == (2, [], 1)
            assert "in use by another process" in err
            process.kill()
            process.wait(20)
        assert run(f"pumps --state {state} {first}", "[1, 2]")[0] == 0, "the kill let go of it"


# ------------------------------------------------------------------------------------------------- in one process


@pytest.mark.parametrize(("model", "make"), [("pumps", numbers), ("words --json", words)])
def test_runs_with_a_store_answer_as_one(run: Run, tmp_path: Path, model: str, make: Any) -> None:
    lines, state = make(60), tmp_path / "state"
    _, whole, _ = run(model, "\n".join(lines))
    answers: list[str] = []
    for start in range(0, 60, 20):
        way = "" if start == 0 else "--durable"  # a plain file is taken over
        status, out, _ = run(f"{model} --state {state} {way}", "\n".join(lines[start : start + 20]))
        answers += out
        assert status == 0
    assert answers == whole
    assert is_store(state)


def test_the_latest_streams_are_kept_in_a_store(run: Run, tmp_path: Path) -> None:
    lines = [json.dumps({"key": key, "x": [1, 2]}) for key in "abcad"]
    state = tmp_path / "state"
    run(f"pumps --state {state} --durable", "\n".join(lines))
    assert [one.key for one in loaded(state)] == ["b", "c", "a", "d"]
    run(f"pumps --state {state} --durable --max-streams 2", json.dumps({"key": "d", "x": [3, 4]}))
    assert [one.key for one in loaded(state)] == ["a", "d"]
    run(f"pumps --state {state} --durable", '{"key": "a", "reset": true}')
    assert [one.key for one in loaded(state)] == ["d"]


def loaded(state: Path) -> list[Any]:
    with StreamStore.open(state, Runtime.open("pumps", "numpy")) as store:
        return store.load()


@pytest.mark.parametrize("durable", ["", "--durable"])
def test_a_line_that_comes_again_is_answered_again_and_pushed_once(run: Run, tmp_path: Path, durable: str) -> None:
    state = tmp_path / "state"
    line = '{"key": "a", "x": [1, 2], "id": "n 1"}'
    other = '{"key": "b", "x": [1, 2], "id": "n 1"}'
    _, first, _ = run(f"pumps --state {state} {durable}", "\n".join([line, line, other, line]))
    assert first[0] == first[1] == first[3] == first[2].replace('"b"', '"a"')
    assert json.loads(first[0])["id"] == "n 1"
    after = run("pumps", "\n".join([line, '{"key": "a", "x": [3, 4]}']))[1][1]
    again = [line] if durable else []
    _, second, _ = run(f"pumps --state {state} {durable}", "\n".join([*again, '{"key": "a", "x": [3, 4]}']))
    assert second[-1] == after
    assert second[: len(again)] == first[: len(again)]
    assert run("pumps", "\n".join([line, '{"key": "a", "x": [3, 4]}', line]))[1][2] != first[0], "not the last one"


def test_a_line_that_cannot_be_written_is_not_answered(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, write, count = tmp_path / "state", StreamStore.write, [0]

    def full(self: StreamStore, *args: Any) -> None:
        count[0] += 1
        if count[0] > 2:
            raise FileError(f"cannot write {state}: the disk is full; free some space")
        write(self, *args)

    lines = numbers(5, ids=False)
    _, expected, _ = run("pumps", "\n".join(lines))
    with monkeypatch.context() as patch:
        patch.setattr(StreamStore, "write", full)
        status, out, err = run(f"pumps --durable --state {state}", "\n".join(lines))
    assert (status, out, err.count("\n")) == (2, expected[:2], 1)
    assert "disk is full" in err
    assert "not answered; the state before it is safe" in err
    assert run(f"pumps --durable --state {state}", "\n".join(lines[2:]))[1] == expected[2:]


def fill_disk(monkeypatch: pytest.MonkeyPatch, *full: Path) -> None:
    """Lets the disk be full for what is in some folders."""
    write = files.write_whole

    def write_whole(path: Any, content: bytes) -> None:
        if Path(path).parent in full:
            raise FileError(f"cannot write {path}: the disk is full; free some space or choose another place")
        write(path, content)

    monkeypatch.setattr(artifact, "write_whole", write_whole)


def test_a_disk_that_filled_up_does_not_cost_the_state(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    lines = numbers(6)
    _, expected, _ = run("pumps", "\n".join(lines))
    with monkeypatch.context() as patch:
        fill_disk(patch, tmp_path / "full")
        status, out, err = run(f"pumps --state {tmp_path / 'full' / 'state'} --save-every 2", "\n".join(lines[:4]))
    assert (status, out) == (2, expected[:4])
    told, last = err.splitlines()
    assert "the disk is full" in told
    assert "will retry" in told
    (rescued,) = (tmp_path / "temporary").iterdir()
    assert re.search(r"the disk is full.*The state is in ", last)
    assert last.endswith(str(rescued))
    assert rescued.stat().st_mode & 0o022 == 0
    assert run(f"pumps --state {rescued}", "\n".join(lines[4:]))[1] == expected[4:]


def test_a_state_that_fits_nowhere_is_lost_in_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    fill_disk(monkeypatch, tmp_path)
    status, out, err = run(f"pumps --state {tmp_path / 'state'}", "[1, 2]")
    assert (status, len(out), err.count("\n")) == (2, 1, 1)
    assert "the state is lost" in err
    assert [place.name for place in tmp_path.iterdir()] == [".state.lock"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pumps --durable", ["--durable", "add --state FILE"]),
        ("pumps --save-every 5", ["--save-every", "add --state FILE"]),
        ("pumps --state s --save-every 5 --durable", ["remove one of them"]),
        ("pumps --state s --save-every often", ["--save-every", "1000", "30s", "'often'"]),
        ("pumps --state s --save-every 0", ["--save-every", "'0'"]),
        ("pumps --state store", ["add --durable"]),
        ("other --state store --durable", ["another network", "expected lstm: h [B, 3]", "got lstm: h [B, 4]"]),
        ("words --state store --durable", ["another network"]),
        ("pumps --state pumps --durable", ["not a state"]),
    ],
)
def test_what_does_not_go_together_is_one_line(run: Run, line: str, words: list[str]) -> None:
    run("pumps --state store --durable", "[1, 2]")
    before = Path("store").read_bytes()
    status, out, err = run(line, "[1, 2]")
    assert (status, out, err.count("\n")) == (2, [], 1)
    assert all(word in err for word in words), err
    assert Path("store").read_bytes() == before


def test_a_state_with_nan_is_refused_by_name(run: Run) -> None:
    stream = sw.Stream.open("pumps")
    nan = stream.state["lstm"]._replace(h=np.full((1, 4), np.nan, np.float32))
    sw.State({"lstm": nan}).save("nan")
    for way in ("", "--durable"):
        status, out, err = run(f"pumps --state nan {way}", "[1, 2]")
        assert (status, out) == (2, [])
        assert "got nan in lstm.h of row 0" in err


def test_how_often_to_save() -> None:
    assert (SaveInterval.of("1000"), SaveInterval.of("30s"), SaveInterval.of("0.5s")) == (
        SaveInterval(1000),
        SaveInterval(None, 30.0),
        SaveInterval(None, 0.5),
    )
    for text in ("", "-1", "0", "0s", "1.5", "s", "5 m", "nan", "1e9s", "9" * 400 + "s"):
        with pytest.raises(ConfigurationError, match="--save-every"):
            SaveInterval.of(text)
