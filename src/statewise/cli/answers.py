"""What `statewise stream` answers: requests read from lines, steps pushed, states kept in a file. Does without JAX."""

from __future__ import annotations

import json
from math import isfinite, log
from typing import Any, NamedTuple

import numpy as np

from statewise.artifact import ANEW, Artifact, write_artifact
from statewise.data.codecs import Vocabulary
from statewise.errors import DataError, FileError
from statewise.shapes import Array
from statewise.state import State
from statewise.streaming import Runtime, Snapshot, Streams
from statewise.streaming.snapshot import is_unicode, read_snapshot
from statewise.streaming.steps import read_steps


class _Request(NamedTuple):
    """What a line asks for."""

    key: Any = None
    x: Any = None
    reset: bool = False

    @property
    def named(self) -> dict[str, Any]:
        return {} if self.key is None else {"key": self.key}


def _read_text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"expected UTF-8, got byte {line[error.start]:#04x} at position {error.start}") from None


def _read_request(text: str, such_as: str) -> _Request:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"expected JSON such as {such_as}, got {text.strip()!r:.60} ({error})") from None
    if not isinstance(value, dict):
        return _Request(x=value)
    if unknown := sorted(value.keys() - {"key", "x", "reset"}):
        raise DataError(f"expected an object of key, x and reset, got {unknown[0]!r:.60}")
    request = _Request(**value)
    if type(request.key) not in (str, int, type(None)):
        raise DataError(f"key: expected text or a whole number, got {json.dumps(request.key):.60}")
    if isinstance(request.key, str) and not is_unicode(request.key):
        raise DataError(f"key: expected Unicode text, got half a surrogate pair in {json.dumps(request.key):.60}")
    if not isinstance(request.reset, bool):
        raise DataError(f"reset: expected true or false, got {json.dumps(request.reset):.60}")
    if "x" not in value and not request.reset:
        raise DataError('expected a step, "x", or "reset": true; got neither')
    return request


class Answerer:
    """Answers lines for a model of numbers."""

    def __init__(self, runtime: Runtime, max_streams: int | None) -> None:
        self._runtime, self._max_streams = runtime, max_streams
        self._streams = Streams(runtime, max_streams=max_streams, on_evict=self.forget)

    def forget(self, key: Any, _: object) -> None:
        """Forgets what there is beside the state of a stream that goes."""

    def answer(self, line: bytes) -> list[str]:
        """Returns the answers to a line.

        Raises:
            DataError, ShapeError: it does not fit; nothing has changed.
        """
        text = _read_text(line)
        if not text.strip():
            return []
        request = _read_request(text, "[0.1, 0.2]")
        if request.reset and request.x is None:
            return [self._reset(request)]
        if isinstance(request.x, bool) or request.x is None:
            raise DataError(f"x: expected numbers, got {json.dumps(request.x)}")
        y = self._push(request)
        values, bare = _as_json(y), not text.lstrip().startswith("{")
        return [json.dumps(values if bare else {**request.named, "y": values})]

    def _reset(self, request: _Request) -> str:
        if request.key in self._streams:
            self._streams.drop(request.key)
        return json.dumps({**request.named, "reset": True})

    def _push(self, request: _Request) -> Array:
        """Returns the answer to a step, taken afresh if so asked; a step that does not fit leaves the stream."""
        step = {request.key: request.x}
        if request.reset and request.key in self._streams:
            read_steps(self._runtime, step)
            self._streams.drop(request.key)
        return self._streams.push(step)[request.key]

    def save(self, path: str) -> None:
        """Writes where all streams stand."""
        self._streams.snapshot().save(path)

    def restore(self, artifact: Artifact, path: str) -> list[Any]:
        """Goes on from what was read from a file, the latest streams of it, and returns the keys of all."""
        if "keys" in artifact.header:
            snapshot = Snapshot.of_artifact(artifact, path)
        else:
            snapshot = Snapshot([None], State.of_artifact(artifact, path))
        keys, state = read_snapshot(snapshot)
        surplus = 0 if self._max_streams is None else max(len(keys) - self._max_streams, 0)
        self._streams.restore((keys[surplus:], state.rows(slice(surplus, None)) if surplus else state))
        return keys


class TextAnswerer(Answerer):
    """Answers lines for a model of a text; remembers what it foretold, so that it can say how surprised it is."""

    def __init__(
        self, runtime: Runtime, max_streams: int | None, vocabulary: Vocabulary, top: int, as_json: bool
    ) -> None:
        super().__init__(runtime, max_streams)
        self._vocabulary, self._top, self._as_json = vocabulary, top, as_json
        self._foretold: dict[Any, Array] = {}

    def forget(self, key: Any, _: object) -> None:
        """Forgets what was foretold of a stream that goes."""
        self._foretold.pop(key, None)

    def answer(self, line: bytes) -> list[str]:
        """Returns an answer for each symbol in a line, which changes nothing if one is unknown."""
        text = _read_text(line)
        request = self._request_in(text) if self._as_json else _Request(x=self._raw(text))
        if request is None:
            return []
        if not isinstance(request.x, str) and not (request.reset and request.x is None):
            raise DataError(f'x: expected text such as "the", got {json.dumps(request.x):.60}')
        symbols = self._vocabulary.encode(request.x or "").tolist()
        reset = [self._reset(request)] if request.reset else []
        return [self._symbol(request, symbol) for symbol in symbols] or reset

    def _request_in(self, text: str) -> _Request | None:
        return _read_request(text, '"text"') if text.strip() else None

    def _raw(self, text: str) -> str:
        """Returns a line without its end, unless that is a symbol which the model knows."""
        if text.endswith("\r\n"):
            text = text[:-2] + "\n"
        return text if "\n" in self._vocabulary.numbers else text.removesuffix("\n")

    def _reset(self, request: _Request) -> str:
        self.forget(request.key, None)
        return super()._reset(request)

    def _symbol(self, request: _Request, symbol: int) -> str:
        before = self._foretold.get(request.key)
        surprise = None if before is None else _surprise(before[symbol])
        after = self._foretold[request.key] = self._streams.push({request.key: symbol})[request.key]
        names = self._vocabulary.symbols
        order = (-after).argsort()[: self._top].tolist()
        likeliest = {names[number]: _rounded(after[number]) for number in order}
        if self._as_json:
            return json.dumps({**request.named, "symbol": names[symbol], "surprise": surprise, "next": likeliest})
        shown = "  ".join(f"{name!r} {_shown(share, '.1%').replace('%', ' %')}" for name, share in likeliest.items())
        return f"{names[symbol]!r:<10} {_shown(surprise, '.4f'):>8}  next: {shown}"

    def save(self, path: str) -> None:
        """Writes where all streams stand, and what they foretold."""
        artifact = self._streams.snapshot().to_artifact()
        if len(self._streams):
            unknown = np.full(len(self._vocabulary), np.nan, np.float32)
            artifact.arrays["foretold"] = np.stack([self._foretold.get(key, unknown) for key in self._streams])
        write_artifact(path, artifact)

    def restore(self, artifact: Artifact, path: str) -> list[Any]:
        """Goes on from what was read from a file; a state that Python saved lacks what it foretold."""
        keys = super().restore(artifact, path)
        if "foretold" in artifact.arrays:
            foretold = artifact.arrays["foretold"]
            if foretold.shape != (len(keys), len(self._vocabulary)):
                raise FileError(f"{path} is of a model with another vocabulary, or damaged; {ANEW}")
            rows = zip(keys, foretold, strict=True)
            self._foretold = {key: row for key, row in rows if key in self._streams and not np.isnan(row[0])}
        return keys


def _surprise(probability: Any) -> float | None:
    return _rounded(-log(max(float(probability), 1e-45)))  # float32 has nothing smaller than 1e-45 but 0


def _rounded(value: Any) -> float | None:
    """Returns a number for an answer, None where it is NaN or infinite: JSON has neither."""
    return round(float(value), 6) if isfinite(value) else None


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _as_json(y: Array) -> Any:
    """Returns an answer as nested lists, its numbers as short as float32 is."""
    if y.ndim:
        return [_as_json(row) for row in y]
    return float(str(y)) if isfinite(y) else None
