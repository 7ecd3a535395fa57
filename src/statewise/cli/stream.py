"""stream: answer each line of stdin as it arrives, with a state that can outlive the process."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from statewise.cli.output import put
from statewise.cli.stream_saving import FileSaver, SaveInterval, StateSaver, StoreSaver
from statewise.errors import ConfigurationError, FileError, StatewiseError

if TYPE_CHECKING:
    from statewise.cli.stream_answers import Answerer
    from statewise.storage.artifact import Artifact
    from statewise.streaming import Runtime

HELP = """
A numeric model reads one JSON value per line: 0.5 or [0.1, 0.2], or {"key": "pump", "x": [0.1, 0.2]} for one of many
streams; "reset": true starts the stream fresh. A text model reads text, or with --json lines such as "text" or
{"key": "alice", "x": "text"}, and answers each symbol with its surprise in nats and the most likely next symbols. A
refused line changes nothing; a line that repeats the "id" of its stream's last line gets the same answer
again (after a restart only with --durable). Exit status: 0 at the end of the input, 1 if a line was refused, 2 if the
command cannot start or save, 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP; the state is saved in every case.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.epilog = HELP
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument(
        "--state", metavar="FILE", help="continue from the state in FILE if there is one, and save it there"
    )
    parser.add_argument(
        "--save-every",
        metavar="N|SECONDS",
        help="save the state every N lines (1000) or seconds (30s) (default: at the end)",
    )
    parser.add_argument(
        "--durable",
        action="store_true",
        help="answer each line only after its state is saved in FILE, a database: not even kill -9 loses it",
    )
    parser.add_argument(
        "--max-streams", type=int, metavar="N", help="keep only the N most recently used streams (default: all)"
    )
    parser.add_argument(
        "--top", type=int, metavar="K", help="for a text model: show the K most likely symbols (default: 5)"
    )
    parser.add_argument(
        "--engine",
        choices=("auto", "native", "numpy"),
        default="auto",
        help="what computes a step; auto is the native library if there is one",
    )
    parser.add_argument("--json", action="store_true", help="also use JSON lines for text models and for refused lines")


def run(options: argparse.Namespace) -> int:
    """Streams as specified by `options`."""
    if options.top is not None and options.top < 1:
        raise ConfigurationError(f"--top: expected an integer >= 1, got {options.top}")
    if sys.stdout is None:  # closed before the start
        raise FileError("stdout is closed; expected somewhere to write answers, such as `> answers.jsonl`")
    answerer, saver = _open(options)
    with _stopping() as stop:
        try:
            refused = _answer_lines(answerer, saver, stop, options.json)
        finally:
            saver.close()
    return 128 + stop.signal if stop.signal else int(refused)


# -- lines -----------------------------------------------------------------------------------------------------------


class _Stop(BaseException):
    """Interrupts the wait for a line."""


class _Stopping:
    """The signal that requested the end; the current line is answered first."""

    def __init__(self) -> None:
        self.signal, self.waiting = 0, False

    def ask(self, number: int, _: object) -> None:
        self.signal = number
        if self.waiting:
            self.waiting = False
            raise _Stop

    def lines(self) -> Iterator[bytes]:
        """Yields the lines of stdin as they arrive, until the last or a signal."""
        while line := self._line():
            yield line

    def _line(self) -> bytes:
        """Returns the next line, or b"". A signal before `waiting` is seen here; one after it raises."""
        try:
            self.waiting = True
            line = b"" if self.signal or sys.stdin is None else sys.stdin.buffer.readline()  # None if closed
            self.waiting = False
        except _Stop:
            return b""
        except OSError as error:
            self.waiting = False
            raise FileError(f"cannot read stdin: {error.strerror or error}; expected lines") from None
        return line


def _signals() -> list[signal.Signals]:
    """Returns the signals that request the end; under `nohup`, SIGHUP is ignored."""
    asked = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # Windows has none
        asked.append(signal.SIGHUP)
    return asked


@contextmanager
def _stopping() -> Iterator[_Stopping]:
    stop = _Stopping()
    before = {number: signal.signal(number, stop.ask) for number in _signals()}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _answer_lines(answerer: Answerer, saver: StateSaver, stop: _Stopping, as_json: bool) -> bool:
    """Answers each line, and returns whether any was refused."""
    refused = False
    for number, line in enumerate(stop.lines(), start=1):
        try:
            with saver.lock:
                answers = answerer.answer(line)
        except StatewiseError as error:
            refused, message = True, " ".join(str(error).splitlines())
            if as_json:
                answers = [json.dumps({"line": number, "error": message})]
            else:
                sys.stderr.write(f"statewise: line {number}: {message}\n")
                continue
        saver.before_answer()
        for answer in answers:
            put(answer)
        sys.stdout.flush()
        saver.after_answer()
    return refused


# -- opening ---------------------------------------------------------------------------------------------------------


def _open(options: argparse.Namespace) -> tuple[Answerer, StateSaver]:
    """Returns what answers lines, restored from the state file, and what saves that file."""
    from statewise.foundation.files import as_path

    every = _save_every(options)
    if not as_path(options.model).exists():
        raise FileError(f"no model file {options.model}; `statewise train` and `model.save` create one")
    from statewise.storage.artifact import read_artifact

    artifact = read_artifact(options.model)
    runtime = _runtime(artifact, options)
    answerer = _answerer(artifact, runtime, options)
    if options.state is None:
        return answerer, StateSaver()
    if options.durable:
        return answerer, _open_store(answerer, runtime, options.state)
    return answerer, _open_file(answerer, options.state, every)


def _save_every(options: argparse.Namespace) -> SaveInterval:
    for option, given in (("--save-every", options.save_every is not None), ("--durable", options.durable)):
        if given and options.state is None:
            raise ConfigurationError(f"{option}: expected a file to save to; add --state FILE")
    if options.save_every is None:
        return SaveInterval()
    if options.durable:
        raise ConfigurationError("--save-every: --durable saves every line; remove one of them")
    return SaveInterval.of(options.save_every)


def _open_file(answerer: Answerer, path: str, every: SaveInterval) -> StateSaver:
    from statewise.foundation.files import as_path, check_writable
    from statewise.storage.artifact import read_artifact
    from statewise.streaming.file_lock import Lock
    from statewise.streaming.store import is_store

    check_writable(path)
    lock = Lock.of(path)
    try:
        if is_store(path):
            raise FileError(f"{path} is a database created with --durable; add --durable")
        if as_path(path).exists():
            answerer.restore(read_artifact(path, "state"), path)
    except BaseException:
        lock.release()
        raise
    return FileSaver(answerer, path, lock, every)


def _open_store(answerer: Answerer, runtime: Runtime, path: str) -> StateSaver:
    from statewise.streaming.store import StreamStore

    store = StreamStore.open(path, runtime)
    try:
        answerer.take_over(store.load(), path)
    except BaseException:
        store.close()
        raise
    return StoreSaver(answerer, store)


def _runtime(artifact: Artifact, options: argparse.Namespace) -> Runtime:
    from statewise.streaming import Runtime

    runtime = Runtime.of_artifact(artifact, options.model, options.engine)
    if runtime.inputs or runtime.form != "one":
        raise ConfigurationError(
            f"{options.model}: expected a model with one input and one output, got inputs or outputs by name; in "
            "Python, statewise.Stream.open(path) streams it"
        )
    return runtime


def _answerer(artifact: Artifact, runtime: Runtime, options: argparse.Namespace) -> Answerer:
    from statewise.cli.stream_answers import Answerer, TextAnswerer
    from statewise.data.codecs import Vocabulary

    if artifact.kind != "text":
        if options.top is not None:
            raise ConfigurationError(f"--top: expected a text model; {options.model} is a numeric model")
        return Answerer(runtime, options.max_streams)
    if (window := artifact.header["options"]["window"]) is not None:
        raise ConfigurationError(
            f"{options.model} reads windows of {window} and carries no state from one symbol to the next; train "
            "one without --window"
        )
    vocabulary = Vocabulary.from_config(artifact.header["vocabulary"])
    return TextAnswerer(runtime, options.max_streams, vocabulary, options.top or 5, options.json)
