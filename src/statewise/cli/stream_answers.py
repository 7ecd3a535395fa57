"""The answers of `statewise stream`: parses request lines, pushes steps, exports and restores states. No JAX."""

from __future__ import annotations

import json
from math import isfinite, log
from typing import Any, NamedTuple

import numpy as np

from statewise.data.codecs import Vocabulary
from statewise.errors import COPY_AGAIN, DataError, FileError
from statewise.foundation.characters import clean_lines
from statewise.foundation.shapes import Array
from statewise.state import State
from statewise.storage.artifact import Artifact
from statewise.streaming import Runtime, Snapshot, Streams
from statewise.streaming.snapshot import is_unicode, read_snapshot
from statewise.streaming.step_input import read_steps
from statewise.streaming.store import StoredStream


class _Request(NamedTuple):
    """What a line asks for."""

    key: Any = None
    x: Any = None
    reset: bool = False
    id: Any = None
    bare: bool = False  # the line was only a step, so the answer is only y

    @property
    def named(self) -> dict[str, Any]:
        given = {"key": self.key, "id": self.id}
        return {name: value for name, value in given.items() if value is not None}


class _Last(NamedTuple):
    """The id of a stream's last line and its answers, repeated if the same line comes again."""

    id: Any
    answers: list[str]


def _read_text(line: bytes) -> str:
    try:
        return line.decode().removeprefix("\ufeff")  # byte-order mark of a file
    except UnicodeDecodeError as error:
        raise DataError(f"expected UTF-8, got byte {line[error.start]:#04x} at position {error.start}") from None


def _read_request(text: str, such_as: str) -> _Request:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"expected JSON such as {such_as}, got {text.strip()!r:.60} ({error})") from None
    if not isinstance(value, dict):
        return _Request(x=value, bare=True)
    if unknown := sorted(value.keys() - {"key", "x", "reset", "id"}):
        raise DataError(f"expected an object with key, x, reset and id, got {unknown[0]!r:.60}")
    request = _Request(**value)
    for name, given in (("key", request.key), ("id", request.id)):
        if type(given) not in (str, int, type(None)):
            raise DataError(f"{name}: expected a string or an integer, got {json.dumps(given):.60}")
        if isinstance(given, str) and not is_unicode(given):
            raise DataError(f"{name}: expected Unicode text, got half a surrogate pair in {json.dumps(given):.60}")
    if not isinstance(request.reset, bool):
        raise DataError(f"reset: expected true or false, got {json.dumps(request.reset):.60}")
    if "x" not in value and not request.reset:
        raise DataError('expected a step, "x", or "reset": true; got neither')
    return request


class Answerer:
    """Answers lines for a numeric model."""

    def __init__(self, runtime: Runtime, max_streams: int | None) -> None:
        self._runtime, self._max_streams = runtime, max_streams
        self._streams = Streams(runtime, max_streams=max_streams, on_evict=self.forget)
        self._last: dict[Any, _Last] = {}
        self._changed: dict[Any, None] = {}  # keys of streams changed since the last call of `changes`, in order

    def forget(self, key: Any, _: object) -> None:
        """Forgets what is stored with the state of a removed stream."""
        self._last.pop(key, None)
        self._changed[key] = None

    def answer(self, line: bytes) -> list[str]:
        """Returns the answers to a line; if it repeats the id of the stream's last line, the same answers as before.

        Raises:
            DataError, ShapeError: the line is invalid; nothing has changed.
        """
        request = self._request(_read_text(line))
        if request is None:
            return []
        last = self._last.get(request.key)
        if request.id is not None and last is not None and last.id == request.id:
            return last.answers
        answers = self._answers(request)
        if request.id is not None and request.key in self._streams:
            self._last[request.key] = _Last(request.id, answers)
        elif last is not None:
            self._last.pop(request.key, None)
        return answers

    def _request(self, text: str) -> _Request | None:
        """Returns the request in a line; None for a blank line."""
        return _read_request(text, "[0.1, 0.2]") if text.strip() else None

    def _answers(self, request: _Request) -> list[str]:
        if request.reset and request.x is None:
            return [self._reset(request)]
        if isinstance(request.x, bool) or request.x is None:
            raise DataError(f"x: expected numbers, got {json.dumps(request.x)}")
        values = _as_json(self._push(request))
        return [json.dumps(values if request.bare else {**request.named, "y": values})]

    def _reset(self, request: _Request) -> str:
        if request.key in self._streams:
            self._streams.drop(request.key)
            self.forget(request.key, None)
        return json.dumps({**request.named, "reset": True})

    def _push(self, request: _Request) -> Array:
        """Returns the answer to a step, from a fresh state if requested; an invalid step changes nothing."""
        if request.reset and request.key in self._streams:
            read_steps(self._runtime, {request.key: request.x})
            self._streams.drop(request.key)
        return self._step(request.key, request.x)

    def _step(self, key: Any, x: object) -> Array:
        y = self._streams.push_one(key, x)
        self._changed.pop(key, None)
        self._changed[key] = None
        return y

    # -- save and restore --------------------------------------------------------------------------------------

    def changes(self) -> tuple[list[StoredStream], list[Any]]:
        """Returns the streams changed since the last call, and the keys of the removed ones."""
        changed, self._changed = list(self._changed), {}
        put = [self._kept(key) for key in changed if key in self._streams]
        return put, [key for key in changed if key not in self._streams]

    def _kept(self, key: Any) -> StoredStream:
        return StoredStream(key, self._streams.state(key), self._arrays(key), self._last.get(key))

    def _arrays(self, key: Any) -> dict[str, Array]:
        """Returns the arrays stored with a stream's state."""
        return {}

    def to_artifact(self) -> Artifact:
        """Returns the file contents for all streams."""
        return self._streams.snapshot().to_artifact()

    def restore(self, artifact: Artifact, path: str) -> list[Any]:
        """Continues the most recent streams of a file, and returns the keys of all its streams."""
        keys, state = read_snapshot(Snapshot.of_artifact(artifact, path, alone=True))
        surplus = self._surplus(len(keys))
        self._streams.restore((keys[surplus:], state.rows(slice(surplus, None)) if surplus else state))
        return keys

    def take_over(self, streams: list[StoredStream], path: str) -> None:
        """Continues the most recent streams of a store; the others are deleted by the next write."""
        surplus = self._surplus(len(streams))
        self._changed = {kept.key: None for kept in streams[:surplus]}
        if kept := streams[surplus:]:
            self._streams.restore(([one.key for one in kept], State.concat([one.state for one in kept])))
        for one in kept:
            if one.notes is not None:
                self._last[one.key] = _Last(*one.notes)
            self._take_arrays(one, path)

    def _take_arrays(self, kept: StoredStream, path: str) -> None:
        """Restores the arrays stored with a stream's state."""

    def _surplus(self, count: int) -> int:
        return 0 if self._max_streams is None else max(count - self._max_streams, 0)


class TextAnswerer(Answerer):
    """Answers lines for a text model; stores its last prediction to report each symbol's surprise."""

    def __init__(
        self, runtime: Runtime, max_streams: int | None, vocabulary: Vocabulary, top: int, as_json: bool
    ) -> None:
        super().__init__(runtime, max_streams)
        self._vocabulary, self._top, self._as_json = vocabulary, top, as_json
        self._predicted: dict[Any, Array] = {}

    def forget(self, key: Any, state: object) -> None:
        """Forgets the prediction of a removed stream."""
        super().forget(key, state)
        self._predicted.pop(key, None)

    def _request(self, text: str) -> _Request | None:
        if not self._as_json:
            return _Request(x=self._raw(text))
        return _read_request(text, '"text"') if text.strip() else None

    def _answers(self, request: _Request) -> list[str]:
        """Returns an answer for each symbol in a line; an unknown symbol changes nothing."""
        if not isinstance(request.x, str) and not (request.reset and request.x is None):
            raise DataError(f'x: expected text such as "the", got {json.dumps(request.x):.60}')
        symbols = self._vocabulary.encode(request.x or "").tolist()
        reset = [self._reset(request)] if request.reset else []
        return [self._symbol(request, symbol) for symbol in symbols] or reset

    def _raw(self, text: str) -> str:
        """Returns a line without its newline, unless the newline is in the vocabulary."""
        text = clean_lines(text)
        return text if "\n" in self._vocabulary.numbers else text.removesuffix("\n")

    def _symbol(self, request: _Request, symbol: int) -> str:
        before = self._predicted.get(request.key)
        surprise = None if before is None else _surprise(before[symbol])
        after = self._predicted[request.key] = self._step(request.key, symbol)
        names = self._vocabulary.symbols
        order = (-after).argsort()[: self._top].tolist()
        likeliest = {names[number]: _rounded(after[number]) for number in order}
        if self._as_json:
            return json.dumps({**request.named, "symbol": names[symbol], "surprise": surprise, "next": likeliest})
        shown = "  ".join(f"{name!r} {_shown(share, '.1%').replace('%', ' %')}" for name, share in likeliest.items())
        return f"{names[symbol]!r:<10} {_shown(surprise, '.4f'):>8}  next: {shown}"

    # -- save and restore --------------------------------------------------------------------------------------

    def _arrays(self, key: Any) -> dict[str, Array]:
        return {"predicted": self._predicted[key]} if key in self._predicted else {}

    def to_artifact(self) -> Artifact:
        """Returns the file contents for all streams, with the prediction of each."""
        artifact = super().to_artifact()
        if len(self._streams):
            unknown = np.full(len(self._vocabulary), np.nan, np.float32)
            artifact.arrays["predicted"] = np.stack([self._predicted.get(key, unknown) for key in self._streams])
        return artifact

    def restore(self, artifact: Artifact, path: str) -> list[Any]:
        """Continues from a file; states saved from Python have no predictions."""
        keys = super().restore(artifact, path)
        if "predicted" in artifact.arrays:
            predicted = artifact.arrays["predicted"]
            self._check_predicted(predicted.shape, (len(keys), len(self._vocabulary)), path)
            self._predicted = {key: row for key, row in zip(keys, predicted, strict=True) if self._is_known(key, row)}
        return keys

    def _take_arrays(self, kept: StoredStream, path: str) -> None:
        if (row := kept.arrays.get("predicted")) is not None:
            self._check_predicted(row.shape, (len(self._vocabulary),), path)
            if self._is_known(kept.key, row):
                self._predicted[kept.key] = row

    def _is_known(self, key: Any, row: Array) -> bool:
        return key in self._streams and not np.isnan(row[0])

    def _check_predicted(self, shape: tuple[int, ...], expected: tuple[int, ...], path: str) -> None:
        if shape != expected:
            raise FileError(f"{path} belongs to a model with another vocabulary, or is damaged; {COPY_AGAIN}")


def _surprise(probability: Any) -> float | None:
    return _rounded(-log(max(float(probability), 1e-45)))  # the smallest positive float32


def _rounded(value: Any) -> float | None:
    """Returns a rounded number; None for NaN and infinity, which JSON lacks."""
    return round(float(value), 6) if isfinite(value) else None


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _as_json(y: Array) -> Any:
    """Returns an answer as nested lists, each number with the shortest float32 digits."""
    if y.ndim:
        return [_as_json(row) for row in y]
    return float(str(y)) if isfinite(y) else None
