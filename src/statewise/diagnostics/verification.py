"""Proof that a model's outputs do not depend on how its input is cut, padded, ordered, saved or streamed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from statewise.diagnostics.drawn_states import draw_state
from statewise.errors import ConfigurationError, ShapeError, StateError
from statewise.foundation import notebook
from statewise.foundation.markup import text_table
from statewise.foundation.named_values import arrays_of
from statewise.foundation.shapes import Array, is_number
from statewise.inference.named_rows import NamedRows
from statewise.inference.rows import Rows
from statewise.layers.registry import kind_of_own, own_layer
from statewise.network import Network
from statewise.network.passing import by_axis
from statewise.state import State, parts_of
from statewise.storage.artifact import Artifact, read_artifact, write_artifact
from statewise.streaming import Stream

ROWS, STEPS = 8, 200
"""The maximum number of rows and steps of the input that are compared: errors show in a few."""

Named = dict[str, Array]
"""Arrays by the name of an input, output or time axis."""

_WHOLE = "the whole pass over"

TOLERANCE = 1e-5
"""Largest difference, relative to the largest number of an array or to 1, that the order of 32-bit sums may cause."""


class Model(Protocol):
    """The part of a Sequential that is used here."""

    form: str
    """In which outputs are returned: "one", a "list" or a "dict"."""

    @property
    def network(self) -> Network:
        """The layers with their names and shapes."""

    def __call__(
        self, x: object, state: State | None = None, *, reset: object = None, mask: object = None
    ) -> tuple[Any, State]:
        """Returns `(y, state)`."""

    def initial_state(self, batch: int) -> State:
        """Returns the state in which fresh sequences start."""

    def stream(self) -> Stream:
        """Returns the model as a stream."""

    def to_artifact(self) -> Artifact:
        """Returns the contents of a model file of it."""


@dataclass(frozen=True)
class Check:
    """One comparison with the whole pass.

    Attributes:
        name: what was done differently.
        difference: the largest, relative to the largest number of the array or to 1; None if not applicable.
        tolerance: the largest allowed difference.
        reason: why it is not applicable.
    """

    name: str
    difference: float | None
    tolerance: float
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether the difference is within its tolerance; NaN is not."""
        return self.difference is None or self.difference <= self.tolerance

    @property
    def words(self) -> tuple[str, str, str]:
        """The difference, the tolerance, and the verdict."""
        if self.difference is None:
            return "-", "", self.reason
        return f"{self.difference:.1e}", f"{self.tolerance:.0e}", "" if self.passed else "FAILED"


@dataclass(frozen=True)
class Verification:
    """What `model.verify(x)` found; printed, it is a table."""

    rows: int
    steps: int
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether all differences are within their tolerances."""
        return all(check.passed for check in self.checks)

    def __str__(self) -> str:
        width = max(len(check.name) for check in self.checks)
        lines = [f"{_WHOLE} {self._data}, compared with", "", f"{'':{width}}  largest difference  tolerance"]
        for check in self.checks:
            difference, tolerance, verdict = check.words
            verdict_text = f"{tolerance:>9}{verdict and f'  {verdict}'}" if tolerance else verdict
            lines.append(f"{check.name:{width}}  {difference:>18}  {verdict_text}")
        return "\n".join([*lines, "", self._conclusion])

    def __repr__(self) -> str:
        failed = [check.name for check in self.checks if not check.passed]
        return f"Verification({self._data}, {self._conclusion}{': ' if failed else ''}{', '.join(failed)})"

    def _repr_html_(self) -> str:
        """Returns what notebooks show: the table."""
        rows = [(check.name, *check.words) for check in self.checks]
        head = ("compared with", "largest difference", "tolerance", "")
        return notebook.output(f"Verification: {self._conclusion}", text_table(f"{_WHOLE} {self._data}", head, rows))

    @property
    def _data(self) -> str:
        return f"{self.rows} row(s) of {self.steps} step(s)"

    @property
    def _conclusion(self) -> str:
        failed = sum(not check.passed for check in self.checks)
        made = sum(check.difference is not None for check in self.checks)
        return f"{failed} of {made} FAILED" if failed else "all within tolerance"


def verify(model: Model, rows: Rows | NamedRows, tolerance: float, reload: Callable[[Artifact], Model]) -> Verification:
    """Returns the comparisons for `rows`, starting from a random state, since a zero state would hide errors.

    Raises:
        ConfigurationError: the tolerance is not a number >= 0.
        ShapeError: input without a time axis.
    """
    if not model.network.reads_steps:
        shapes = ", ".join(str(list(array.shape)) for array in arrays_of(rows.x))
        raise ShapeError(f"verify needs an x with a time axis, [N, T, F]; this network reads {shapes}")
    if not is_number(tolerance) or not tolerance >= 0:
        raise ConfigurationError(f"tolerance: expected a number >= 0, got {tolerance!r}")
    return _Comparison(model, rows, float(tolerance), reload).run()


class _Comparison:
    """The whole pass, and the other ways to compute the same. All values are by name, flags by time axis."""

    def __init__(
        self, model: Model, rows: Rows | NamedRows, tolerance: float, reload: Callable[[Artifact], Model]
    ) -> None:
        self.model, self.network, self.tolerance, self.reload = model, model.network, tolerance, reload
        self.axis_of = {
            given.name: signal.axis for given, signal in zip(self.network.inputs, self.network.given, strict=True)
        }
        self.x = {
            name: array[:ROWS] if self.axis_of[name] is None else array[:ROWS, :STEPS]
            for name, array in self.network.by_name(rows.x).items()
        }
        self.reset, self.mask = (
            {axis: flag[:ROWS, :STEPS] for axis, flag in by_axis(self.network, flags).items()}
            for flags in (rows.reset, rows.mask)
        )
        self.lengths = {str(self.axis_of[name]): array.shape[1] for name, array in self.x.items() if self.axis_of[name]}
        self.rows, self.steps = len(next(iter(self.x.values()))), max(self.lengths.values())
        fresh = model.initial_state(self.rows)
        self.start = fresh if self.network.looks_ahead else draw_state(fresh, np.random.default_rng(0))
        self.y, self.end = self._pass(self.x, self.start, self.reset, self.mask)

    def run(self) -> Verification:
        network = self.network
        whole = None if network.whole_only is None else f"not possible: {network.whole_only}"
        fixed = None if _may_be_padded(network) else whole or "not possible: the number of steps is fixed"
        single = "there is one row" if self.rows == 1 else None
        own = ((node.name, own_layer(node.layer)) for node in network.nodes)
        custom = next((f"not possible: layer {name!r} is {kind_of_own(layer)}" for name, layer in own if layer), None)
        checks = [
            *(
                self._check(
                    f"chunks of {size} steps",
                    partial(self._in_chunks, size),
                    whole or ("too few steps" if size >= self.steps else None),
                )
                for size in dict.fromkeys((self.steps // 2, 3))
                if size > 1
            ),
            self._check("single steps", partial(self._in_chunks, 1), whole),
            self._check("each row by itself", self._row_by_row),
            self._check("rows in another order", self._permuted, single),
            self._check("copies of rows, states forked", self._forked),
            self._check("padded on the left, masked", lambda: self._padded(left=True), fixed),
            self._check("padded on the right, masked", lambda: self._padded(left=False), fixed),
            self._check("rows reset", self._reset),
            self._check("saved and loaded", self._reloaded, custom, tolerance=0.0),
            self._check("streaming runtime", self._streamed, whole or custom or self._unstreamed()),
        ]
        return Verification(self.rows, self.steps, tuple(checks))

    def _check(
        self, name: str, measure: Callable[[], float], reason: str | None = None, tolerance: float | None = None
    ) -> Check:
        allowed = self.tolerance if tolerance is None else tolerance
        return Check(name, None, allowed, reason) if reason else Check(name, measure(), allowed)

    def _pass(
        self, x: Named, state: State | None, reset: Named, mask: Named, model: Model | None = None
    ) -> tuple[Named, State]:
        """Returns the outputs by name, and the state, of one call."""
        several = len(self.network.axes) > 1
        flags = [(flag or None) if several else next(iter(flag.values()), None) for flag in (reset, mask)]
        given: Any = x if len(self.axis_of) > 1 else next(iter(x.values()))
        y, state = (model or self.model)(given, state, reset=flags[0], mask=flags[1])
        return self._by_output(y), state

    def _by_output(self, y: Any) -> Named:
        names = [output.name for output in self.network.outputs]
        if self.model.form != "dict":
            y = dict(zip(names, y if self.model.form == "list" else [y], strict=True))
        return {name: np.asarray(array) for name, array in y.items() if array is not None}

    def _of_rows(self, rows: Any, state: State) -> tuple[Named, State]:
        """Returns what some rows give that start in `state`."""
        parts = ({name: array[rows] for name, array in given.items()} for given in (self.x, self.reset, self.mask))
        x, reset, mask = parts
        return self._pass(x, state, reset, mask)

    def _in_chunks(self, size: int) -> float:
        """One time axis after the other, each in chunks of so many steps."""
        state, answers = self.start, dict[str, list[Array]]()
        for axis in self.network.axes:
            for first in range(0, self.lengths[axis], size):
                part = slice(first, first + size)
                x = {
                    name: array if self.axis_of[name] is None else array[:, part]
                    for name, array in self.x.items()
                    if self.axis_of[name] in (None, axis)
                }
                reset, mask = ({axis: flag[axis][:, part]} if axis in flag else {} for flag in (self.reset, self.mask))
                y, state = self._pass(x, state, reset, mask)
                for name, array in y.items():
                    answers.setdefault(name, []).append(array)
        joined = {
            name: np.concatenate(found, axis=1) if self._each_step(name) else found[-1]
            for name, found in answers.items()
        }
        return _difference((joined, state), (self.y, self.end))

    def _each_step(self, output: str) -> bool:
        return self.network.toward(output).answers_each_step

    def _row_by_row(self) -> float:
        single = [self._of_rows([row], self.start.rows(row)) for row in range(self.rows)]
        y = {name: np.concatenate([y[name] for y, _ in single]) for name in self.y}
        return _difference((y, State.concat([state for _, state in single])), (self.y, self.end))

    def _permuted(self) -> float:
        order = np.roll(np.arange(self.rows), 1)
        return _difference(self._of_rows(order, self.start.rows(order)), (_taken(self.y, order), self.end.rows(order)))

    def _forked(self) -> float:
        twice = np.repeat(np.arange(self.rows), 2)
        return _difference(self._of_rows(twice, self.start.fork(2)), (_taken(self.y, twice), self.end.fork(2)))

    def _padded(self, left: bool) -> float:
        extra = 5
        room = (extra, 0) if left else (0, extra)
        x = {name: array if self.axis_of[name] is None else _pad_steps(array, room) for name, array in self.x.items()}
        mask = {axis: self.mask.get(axis, np.ones((self.rows, steps), bool)) for axis, steps in self.lengths.items()}
        mask = {axis: _pad_steps(flag, room, zeros=True) for axis, flag in mask.items()}
        reset = {axis: _pad_steps(flag, room, zeros=True) for axis, flag in self.reset.items()}
        y, state = self._pass(x, self.start, reset, mask)
        part = slice(extra, None) if left else slice(-extra)
        y = {name: array[:, part] if self._each_step(name) else array for name, array in y.items()}
        return _difference((y, state), (self.y, self.end))

    def _reset(self) -> float:
        """Every other row is reset before its first step: it must be as if fresh, and the others unchanged."""
        fresh = np.arange(self.rows) % 2 == 0
        reset = {}
        for axis, steps in self.lengths.items():
            reset[axis] = self.reset.get(axis, np.zeros((self.rows, steps), bool)).copy()
            reset[axis][fresh, 0] = True
        found = self._pass(self.x, self.start, reset, self.mask)
        return _difference(found, self._pass(self.x, self.start.reset(fresh), self.reset, self.mask))

    def _reloaded(self) -> float:
        with tempfile.TemporaryDirectory() as folder:
            write_artifact(Path(folder) / "model", self.model.to_artifact())
            self.start.save(Path(folder) / "state")
            other, start = self.reload(read_artifact(Path(folder) / "model")), State.load(Path(folder) / "state")
        return _difference(self._pass(self.x, start, self.reset, self.mask, other), (self.y, self.end))

    def _unstreamed(self) -> str | None:
        """Returns why there is no stream of a network that can be read in pieces; None if there is one."""
        if len(self.network.axes) > 1:
            return "not possible: a stream has one time axis"
        if wired := [node.name for node in self.network.nodes if node.start]:
            return f"not possible: layer {wired[0]!r} starts in values of the graph"
        try:
            self.model.stream()
        except StateError as error:
            return f"not possible: {error}"
        return None

    def _streamed(self) -> float:
        return float(np.max([self._streamed_row(row) for row in range(min(self.rows, 2))]))

    def _streamed_row(self, row: int) -> float:
        axis = self.network.axes[0]
        mask, reset = self.mask.get(axis), self.reset.get(axis)
        stream, answers, steps = self.model.stream(), [], []
        stream.restore(self.start.rows(row))
        for step in range(self.steps):
            if reset is not None and reset[row, step]:
                stream.reset()
            if mask is None or mask[row, step]:
                x = {
                    name: array[row] if self.axis_of[name] is None else array[row, step]
                    for name, array in self.x.items()
                }
                answers.append(self._by_output(stream.push(x if len(x) > 1 else next(iter(x.values())))))
                steps.append(step)
        found: list[Any] = [stream.snapshot()]
        expected: list[Any] = [self.end.rows(row)]
        ended = answers and (reset is None or not reset[row, steps[-1] + 1 :].any())
        for name, array in self.y.items():
            if answers and self._each_step(name):
                found.append(np.stack([y[name] for y in answers]))
                expected.append(array[row, steps])
            elif ended:
                found.append(answers[-1][name])
                expected.append(array[row])
        return _difference(found, expected)


def _taken(values: Named, rows: Array) -> Named:
    return {name: array[rows] for name, array in values.items()}


def _may_be_padded(network: Network) -> bool:
    """Returns whether rows may be padded with steps, and outputs are then found where they were, or a few steps on."""
    outputs = [network.toward(output.name) for output in network.outputs]
    found = all(own.answers_each_step or own.output_shape[0] is not None for own in outputs)
    pairs = zip(network.inputs, network.given, strict=True)
    free = all(signal.axis is None or given.shape[0] is None for given, signal in pairs)
    return free and found and all(node.layer.takes_padding or network.axis_read(node) is None for node in network.nodes)


def _pad_steps(array: Array, room: tuple[int, int], zeros: bool = False) -> Array:
    """Returns `[B, T, ...]` with steps added, by default like their neighbors, so that an ignored mask shows."""
    width = [(0, 0), room] + [(0, 0)] * (array.ndim - 2)
    return np.pad(array, width) if zeros else np.pad(array, width, mode="edge")


def _difference(found: Sequence[Any], expected: Sequence[Any]) -> float:
    """Returns the largest difference of arrays and states, relative to the largest expected number in each or to 1."""
    largest = 0.0
    for got, want in zip(_arrays(found), _arrays(expected), strict=True):
        scaled = np.abs(got.astype(np.float64) - want) / np.abs(want).max(initial=1.0)
        largest = float(np.maximum(largest, scaled.max(initial=0.0)))  # keeps NaN
    return largest


def _arrays(values: Sequence[Any]) -> list[Array]:
    listed = []
    for value in values:
        if isinstance(value, State):
            listed += [np.asarray(part) for state in value.layers.values() for part in parts_of(state).values()]
        elif isinstance(value, Mapping):
            listed += [value[name] for name in sorted(value)]
        else:
            listed.append(np.asarray(value))
    return listed
