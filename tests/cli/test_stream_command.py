"""statewise stream: each line answered as it comes, the state kept however it ends."""

from __future__ import annotations

import io
import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import STORY
from statewise.cli.main import main
from statewise.cli.stream import _Stop, _Stopping

Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(2)], seed=1).save(folder / "pumps")
    sw.Sequential([sw.LSTM(3, input_shape=(None, 1)), sw.Dense(1)], seed=1).save(folder / "other")
    sw.Sequential([sw.Dense(2, input_shape=(None, 4, 3))], seed=1).save(folder / "squares")
    for name, options in (("chars", {}), ("words", {"tokens": "word"}), ("windows", {"window": 2})):
        text: Any = sw.TextModel(units=3, embedding=2, **options)
        text.fit(STORY, epochs=1, verbose=0)
        text.save(folder / name)
    return folder


@pytest.fixture
def run(models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command with lines on stdin, and returns its status, the lines of stdout, and stderr."""
    monkeypatch.chdir(models)

    def run(line: str, stdin: str | bytes) -> tuple[int, list[str], str]:
        raw = stdin if isinstance(stdin, bytes) else stdin.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        status = main(["stream", *shlex.split(line)])
        out, err = capsys.readouterr()
        return status, out.splitlines(), err

    return run


def answers_of(models: Path, steps: Sequence[Sequence[float]]) -> list[Any]:
    stream = sw.Stream.open(models / "pumps")
    return [stream.push(step) for step in steps]


# ---------------------------------------------------------------------------------------------------- numbers


def test_steps_are_answered_by_lists(run: Run, models: Path) -> None:
    steps = [[0.5, 1.0], [-0.25, 2.5], [3.0, 4.0]]
    status, out, err = run("pumps", "\n".join(json.dumps(step) for step in steps))
    assert (status, err) == (0, "")
    assert np.array_equal(np.array([json.loads(line) for line in out], "f"), answers_of(models, steps))


def test_a_step_of_two_dimensions_is_answered_by_nested_lists(run: Run, models: Path) -> None:
    step = np.arange(12.0).reshape(4, 3).tolist()
    status, out, _ = run("squares", f"{json.dumps(step)}\n[1, 2]\n")
    assert (status, len(out)) == (1, 1)
    expected = sw.Stream.open(models / "squares").push(step)
    assert np.array_equal(np.array(json.loads(out[0]), "f"), expected)


def test_keys_have_streams_of_their_own(run: Run, models: Path) -> None:
    first, second = answers_of(models, [[1, 2], [3, 4]])
    lines: list[object] = [
        {"key": "a", "x": [1, 2]},
        {"key": 5, "x": [1, 2]},
        {"x": [1, 2]},
        {"key": "a", "x": [3, 4]},
        [3, 4],
    ]
    status, out, _ = run("pumps", "".join(json.dumps(line) + "\n" for line in lines))
    found = [json.loads(line) for line in out]
    assert status == 0
    assert [line.get("key") for line in found[:4]] == ["a", 5, None, "a"]
    got = np.array([line["y"] for line in found[:4]] + [found[4]], "f")
    assert np.array_equal(got, [first, first, first, second, second])


def test_reset_starts_a_stream_afresh(run: Run, models: Path) -> None:
    first = answers_of(models, [[1, 2]])[0]
    lines = ['{"key": "a", "x": [1, 2]}', '{"key": "a", "reset": true}', '{"key": "a", "x": [1, 2]}']
    status, out, _ = run("pumps", "\n".join([*lines, '{"key": "a", "reset": true, "x": [1, 2]}', '{"reset": true}']))
    found = [json.loads(line) for line in out]
    assert (status, found[1], found[4]) == (0, {"key": "a", "reset": True}, {"reset": True})
    for place in (0, 2, 3):
        assert np.array_equal(np.array(found[place]["y"], "f"), first)


def test_a_reset_with_a_step_that_does_not_fit_leaves_all_as_it_was(run: Run, tmp_path: Path) -> None:
    from statewise.streaming import Snapshot

    lines = ['{"key": "a", "x": [1, 2]}', '{"key": "b", "x": [1, 2]}']
    run(f"pumps --state {tmp_path / 'before'}", "\n".join(lines))
    run(f"pumps --state {tmp_path / 'after'}", "\n".join([*lines, '{"key": "a", "x": [1], "reset": true}']))
    assert Snapshot.load(tmp_path / "after") == Snapshot.load(tmp_path / "before")


BAD = [
    ("nonsense", "expected JSON"),
    ("[1, 2, 3]", "x: expected one step of shape [2], got shape [3]"),
    ("[1, NaN]", "NaN"),
    ('["a", "b"]', "real numbers"),
    ("true", "expected numbers, got true"),
    ("null", "expected numbers, got null"),
    ('{"key": "a"}', '"reset": true; got neither'),
    ('{"key": ["a"], "x": [1, 2]}', "a string or an integer"),
    ('{"key": true, "x": [1, 2]}', "a string or an integer"),
    ('{"key": "\\ud800", "x": [1, 2]}', "Unicode text"),
    ('{"x": [1, 2], "mask": true}', "got 'mask'"),
    ('{"x": [1, 2], "reset": 1}', "true or false"),
    ('{"key": "a", "x": [1], "reset": true}', "x of stream 'a'"),
    ("[" * 100_000, "expected JSON"),
    ("\udcff", "UTF-8"),
]


@pytest.mark.parametrize(("line", "words"), BAD, ids=[str(number) for number in range(len(BAD))])
@pytest.mark.parametrize("as_json", [False, True])
def test_a_bad_line_is_one_error_and_changes_nothing(
    run: Run, models: Path, line: str, words: str, as_json: bool
) -> None:
    first, second = answers_of(models, [[1, 2], [3, 4]])
    lines = ['{"key": "a", "x": [1, 2]}', line, "", '{"key": "a", "x": [3, 4]}']
    raw = "\n".join(lines).encode(errors="surrogateescape")
    status, out, err = run("pumps --json" if as_json else "pumps", raw)
    assert status == 1
    if as_json:
        refused = json.loads(out.pop(1))
        assert (refused["line"], err) == (2, "")
        assert words in refused["error"]
    else:
        assert err.startswith("statewise: line 2: ")
        assert words in err
        assert err.count("\n") == 1
    assert np.array_equal(np.array([json.loads(line)["y"] for line in out], "f"), [first, second])


# ------------------------------------------------------------------------------------------------------ texts


def test_a_text_is_answered_symbol_by_symbol(run: Run, models: Path) -> None:
    text = sw.load(models / "chars")
    assert isinstance(text, sw.TextModel)
    status, out, _ = run("chars --json --top 2", '"the mice"\n{"x": " saw"}')
    found = [json.loads(line) for line in out]
    ids = text.vocabulary.encode("the mice saw")
    shares = np.asarray(text.model(ids[None])[0])[0]
    assert (status, "".join(answer["symbol"] for answer in found)) == (0, "the mice saw")
    assert found[0]["surprise"] is None
    for step in range(1, len(ids)):
        assert found[step]["surprise"] == pytest.approx(-log(shares[step - 1, ids[step]]), abs=1e-5)
        likeliest = np.argsort(-shares[step])[:2]
        assert list(found[step]["next"].values()) == pytest.approx(shares[step, likeliest].tolist(), abs=1e-5)


def test_raw_text_is_read_line_by_line(run: Run) -> None:
    status, out, err = run("words --top 1", "the mice\nzebra the\nthe\n")
    assert status == 1
    assert [line.split()[0] for line in out] == ["'the'", "'mice'", "'the'"]
    assert out[0].split()[1] == "-"
    assert err.startswith("statewise: line 2: the model never saw the word 'zebra'")


def test_a_reset_text_is_not_surprised(run: Run) -> None:
    _, out, _ = run("words --json", '{"key": "a", "x": "the mice"}\n{"key": "a", "x": "the", "reset": true}\n[1]')
    assert [json.loads(line).get("surprise") is None for line in out] == [True, False, True, True]
    assert "expected text" in json.loads(out[-1])["error"]


def test_texts_without_a_symbol_are_answered_by_their_reset_only(run: Run) -> None:
    status, out, _ = run("words --json", '"the"\n{"reset": true, "x": ""}\n""\n"the"')
    found = [json.loads(line) for line in out]
    assert (status, found[1], len(found), found[2]["surprise"]) == (0, {"reset": True}, 3, None)


def test_a_text_model_that_answers_nan_is_answered_in_json(run: Run, models: Path) -> None:
    from statewise.storage.artifact import Artifact, read_artifact, write_artifact

    whole = read_artifact(models / "words")
    broken = {
        name: np.full_like(array, np.nan) if array.dtype.kind == "f" else array for name, array in whole.arrays.items()
    }
    write_artifact(models / "broken", Artifact(whole.kind, whole.header, broken))
    status, out, _ = run("broken --json --top 1", '"the mice"')
    found = [json.loads(line, parse_constant=pytest.fail) for line in out]
    assert (status, [line["surprise"] for line in found]) == (0, [None, None])
    assert [list(line["next"].values()) for line in found] == [[None], [None]]
    assert run("broken --top 1", "the mice")[1][1].split()[1] == "-"


def test_a_model_of_several_inputs_or_outputs_is_refused(run: Run, tmp_path: Path) -> None:
    x, beside = sw.Input((None, 2), name="x"), sw.Input((None, 1), name="beside", axis="x")
    h = sw.LSTM(3)(x)
    sw.Model(x, {"a": h, "b": sw.Dense(1)(h)}).save(tmp_path / "outputs")
    sw.Model([x, beside], sw.LSTM(3)(sw.Concatenate()([x, beside]))).save(tmp_path / "inputs")
    for name in ("outputs", "inputs"):
        status, out, err = run(str(tmp_path / name), "[0.1, 0.2]\n")
        assert (status, out) == (2, [])
        assert "one input and one output" in err
        assert "Stream.open" in err


def test_a_model_of_windows_is_refused(run: Run) -> None:
    status, out, err = run("windows", "the")
    assert (status, out) == (2, [])
    assert "windows of 2" in err


# ----------------------------------------------------------------------------------------------------- states


@pytest.mark.parametrize(
    ("model", "lines"),
    [
        ("pumps", ["[1, 2]", '{"key": "a", "x": [3, 4]}', "[5, 6]", '{"key": "a", "x": [7, 8]}', "[0, 0]"]),
        ("words --json", ['"the mice"', '{"key": "a", "x": "the"}', '{"key": "a", "x": "mice"}', '"saw"']),
    ],
)
def test_two_runs_with_a_state_are_one(run: Run, tmp_path: Path, model: str, lines: list[str]) -> None:
    _, whole, _ = run(model, "\n".join(lines))
    state = tmp_path / "state"
    _, first, _ = run(f"{model} --state {state}", "\n".join(lines[:2]))
    _, second, _ = run(f"{model} --state {state}", "\n".join(lines[2:]))
    assert first + second == whole


def test_a_state_goes_between_python_and_the_command(run: Run, models: Path, tmp_path: Path) -> None:
    _, second = answers_of(models, [[1, 2], [3, 4]])
    stream = sw.Stream.open(models / "pumps")
    stream.push([1, 2])
    stream.state.save(tmp_path / "state")
    _, out, _ = run(f"pumps --state {tmp_path / 'state'}", "[3, 4]")
    assert np.allclose(json.loads(out[0]), second, atol=1e-6)
    stream.push([3, 4])
    assert np.allclose(sw.State.load(tmp_path / "state")["lstm"].h, stream.state["lstm"].h, atol=1e-6)


def test_the_latest_streams_are_kept(run: Run, tmp_path: Path) -> None:
    from statewise.streaming import Snapshot

    lines = "".join(json.dumps({"key": key, "x": [1, 2]}) + "\n" for key in "abcad")
    run(f"pumps --max-streams 2 --state {tmp_path / 'state'}", lines)
    assert Snapshot.load(tmp_path / "state").keys == ["a", "d"]


@pytest.mark.parametrize(("model", "x"), [("pumps", [1, 2]), ("words --json", "the")])
def test_of_a_state_with_more_streams_the_latest_are_kept(run: Run, tmp_path: Path, model: str, x: object) -> None:
    lines = [json.dumps({"key": key, "x": x}) for key in "abc"]
    state = tmp_path / "state"
    run(f"{model} --state {state}", "\n".join(lines))
    status, out, _ = run(f"{model} --max-streams 2 --state {state}", "\n".join([lines[2], lines[1], lines[0]]))
    assert status == 0
    assert out[2] == run(model, lines[0])[1][0], "a was not kept"
    assert out[:2] == [
        line.replace('"c"', key) for key in ('"c"', '"b"') for line in run(model, f"{lines[2]}\n" * 2)[1][1:]
    ]


@pytest.mark.parametrize(
    ("model", "line"), [("chars", "the mice"), ("chars --json", '"the mice"'), ("pumps", "[1, 2]")]
)
def test_byte_order_marks_and_line_ends_make_no_difference(run: Run, model: str, line: str) -> None:
    plain = run(model, f"{line}\n{line}\n")
    assert run(model, f"\ufeff{line}\r\n\ufeff{line}\r\n") == plain == (0, plain[1], "")
    assert run(model, f"{line}\n\ufeff\n{line}\n") == plain or model == "chars"


@pytest.mark.parametrize("model", ["chars --json", "words --json"])
def test_half_a_character_is_refused(run: Run, model: str) -> None:
    status, out, _ = run(model, '"the\\ud800 mice"\n')
    assert (status, len(out), "half of a surrogate pair" in json.loads(out[0])["error"]) == (1, 1, True)


def test_a_key_that_no_file_can_hold_is_refused_before_it_costs_the_state(run: Run, tmp_path: Path) -> None:
    lines = '{"key": "a", "x": [1, 2]}\n{"key": "\\ud800", "x": [1, 2]}\n'
    status, out, err = run(f"pumps --state {tmp_path / 'state'}", lines)
    assert (status, len(out), "half a surrogate pair" in err) == (1, 1, True)
    assert sw.State.load(tmp_path / "state").batch == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("missing", ["no model file missing"]),
        ("pumps --state nowhere/state", ["cannot write nowhere/state", "does not exist"]),
        ("pumps --state other-state", ["another network", "expected lstm: h [B, 4]"]),
        ("pumps --state pumps", ["holds a sequential model, not a state"]),
        ("pumps --top 0", ["--top", ">= 1"]),
        ("pumps --max-streams 0", ["max_streams", ">= 1"]),
    ],
)
def test_what_cannot_start_is_one_line_and_status_2(run: Run, models: Path, line: str, words: list[str]) -> None:
    sw.Stream.open(models / "other").state.save(models / "other-state")
    status, out, err = run(line, "[1, 2]")
    assert (status, out, err.count("\n")) == (2, [], 1)
    assert all(word in err for word in words), err


# -------------------------------------------------------------------------------------------------- a process

CODE = """
import signal, sys
from statewise.cli.main import main
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup make test` has it ignored
status = main(["stream", *sys.argv[1:]])
sys.stderr.write(" ".join(name for name in ("jax", "scipy", "optax") if name in sys.modules))
sys.exit(status)
"""


def started(*arguments: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", CODE, *arguments], stdin=pipe, stdout=pipe, stderr=pipe)


@pytest.mark.parametrize(
    ("end", "expected"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129), (None, 0)]
)
def test_lines_are_answered_at_once_and_the_state_outlives_the_process(
    models: Path, tmp_path: Path, end: signal.Signals | None, expected: int
) -> None:
    process = started(str(models / "pumps"), "--state", str(tmp_path / "state"))
    assert process.stdin is not None
    assert process.stdout is not None
    stream = sw.Stream.open(models / "pumps", engine="auto")
    for step in ([1, 2], [3, 4]):
        process.stdin.write(json.dumps(step).encode() + b"\n")
        process.stdin.flush()
        assert np.array_equal(np.array(json.loads(process.stdout.readline()), "f"), stream.push(step))
    if end is not None:
        process.send_signal(end)
        process.wait(20)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (expected, b""), "JAX was not imported"
    assert sw.State.load(tmp_path / "state") == stream.state


def test_a_signal_at_any_moment_ends_the_wait_once() -> None:
    stop = _Stopping()
    stop.ask(signal.SIGTERM, None)  # while a line is answered: it is not interrupted
    assert (list(stop.lines()), stop.signal, stop.waiting) == ([], signal.SIGTERM, False)
    stop.waiting = True
    with pytest.raises(_Stop):
        stop.ask(signal.SIGINT, None)
    stop.ask(signal.SIGTERM, None)  # while the state is saved


def test_output_that_is_closed_is_said_at_the_start(models: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", CODE, str(models / "pumps"), "--state", str(tmp_path / "state")]
    closed = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command], input=b"[1, 2]\n", stderr=subprocess.PIPE, check=False
    )
    assert (closed.returncode, closed.stderr.count(b"\n")) == (2, 1)
    assert b"stdout is closed" in closed.stderr
    assert not (tmp_path / "state").exists()


def test_a_reader_that_leaves_ends_it_with_the_state_saved(models: Path, tmp_path: Path) -> None:
    process = started(str(models / "chars"), "--state", str(tmp_path / "state"))
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"the\n")
    process.stdin.flush()
    process.stdout.readline()
    process.stdout.close()
    process.stdin.write(b"mice\n")
    process.stdin.close()
    assert process.wait(20) == 0
    assert sw.State.load(tmp_path / "state").batch == 1
    assert process.stderr is not None
    process.stderr.close()


def test_a_state_that_python_kept_of_a_text_is_gone_on_from_and_kept_again(run: Run, tmp_path: Path) -> None:
    stream = sw.Stream.open("chars")
    stream.push(1)
    kept = tmp_path / "kept.state"
    stream.state.save(kept)
    assert run(f"chars --state {kept}", "")[0] == 0  # nothing is pushed, so nothing is predicted
    status, lines, _ = run(f"chars --state {kept}", "th\n")
    assert status == 0
    assert lines[0].split()[1] == "-"
    assert float(lines[1].split()[1]) > 0
