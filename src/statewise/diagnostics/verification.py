"""Proof that a model's outputs do not depend on how its input is cut, padded, ordered, saved or streamed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import jax
import numpy as np

from statewise.errors import ConfigurationError, ShapeError
from statewise.foundation import notebook
from statewise.foundation.markup import text_table
from statewise.foundation.shapes import Array, is_number
from statewise.inference.rows import Rows
from statewise.network import Network
from statewise.state import State, parts_of
from statewise.storage.artifact import Artifact, read_artifact, write_artifact
from statewise.streaming import Stream

ROWS, STEPS = 8, 200
"""The maximum number of rows and steps of the input that are compared: errors show in a few."""

_WHOLE = "the whole pass over"

TOLERANCE = 1e-5
"""Largest difference, relative to the largest number of an array or to 1, that the order of 32-bit sums may cause."""


class Model(Protocol):
    """The part of a Sequential that is used here."""

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


def verify(model: Model, rows: Rows, tolerance: float, reload: Callable[[Artifact], Model]) -> Verification:
    """Returns the comparisons for `rows`, starting from a random state, since a zero state would hide errors.

    Raises:
        ConfigurationError: the tolerance is not a number >= 0.
        ShapeError: input without a time axis.
    """
    if not model.network.reads_steps:
        raise ShapeError(f"verify needs an x with a time axis, [N, T, F]; this network reads {list(rows.x.shape)}")
    if not is_number(tolerance) or not tolerance >= 0:
        raise ConfigurationError(f"tolerance: expected a number >= 0, got {tolerance!r}")
    return _Comparison(model, rows, float(tolerance), reload).run()


class _Comparison:
    """The whole pass, and the other ways to compute the same."""

    def __init__(self, model: Model, rows: Rows, tolerance: float, reload: Callable[[Artifact], Model]) -> None:
        self.model, self.tolerance, self.reload = model, tolerance, reload
        self.x = rows.x[:ROWS, :STEPS]
        self.reset, self.mask = (None if a is None else a[:ROWS, :STEPS] for a in (rows.reset, rows.mask))
        self.rows, self.steps = self.x.shape[:2]
        network = model.network
        self.start = model.initial_state(self.rows) if network.looks_ahead else _random_state(model, self.rows)
        self.y, self.end = self._pass(slice(None), slice(None), self.start)

    def run(self) -> Verification:
        network = self.model.network
        whole = None if network.whole_only is None else f"not possible: {network.whole_only}"
        fixed = None if _may_be_padded(network) else whole or "not possible: the number of steps is fixed"
        single = "there is one row" if self.rows == 1 else None
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
            self._check("saved and loaded", self._reloaded, tolerance=0.0),
            self._check("streaming runtime", self._streamed, whole),
        ]
        return Verification(self.rows, self.steps, tuple(checks))

    def _check(
        self, name: str, measure: Callable[[], float], reason: str | None = None, tolerance: float | None = None
    ) -> Check:
        allowed = self.tolerance if tolerance is None else tolerance
        return Check(name, None, allowed, reason) if reason else Check(name, measure(), allowed)

    def _pass(self, rows: Any, steps: slice, state: State | None) -> tuple[Array, State]:
        reset, mask = (None if flag is None else flag[rows, steps] for flag in (self.reset, self.mask))
        y, state = self.model(self.x[rows, steps], state, reset=reset, mask=mask)
        return np.asarray(y), state

    def _in_chunks(self, size: int) -> float:
        state, answers = self.start, []
        for first in range(0, self.steps, size):
            y, state = self._pass(slice(None), slice(first, first + size), state)
            answers.append(y)
        y = np.concatenate(answers, axis=1) if self.model.network.answers_each_step else answers[-1]
        return _difference((y, state), (self.y, self.end))

    def _row_by_row(self) -> float:
        single = [self._pass([row], slice(None), self.start.rows(row)) for row in range(self.rows)]
        y = np.concatenate([y for y, _ in single])
        return _difference((y, State.concat([state for _, state in single])), (self.y, self.end))

    def _permuted(self) -> float:
        order = np.roll(np.arange(self.rows), 1)
        found = self._pass(order, slice(None), self.start.rows(order))
        return _difference(found, (self.y[order], self.end.rows(order)))

    def _forked(self) -> float:
        twice = np.repeat(np.arange(self.rows), 2)
        found = self._pass(twice, slice(None), self.start.fork(2))
        return _difference(found, (self.y[twice], self.end.fork(2)))

    def _padded(self, left: bool) -> float:
        extra = 5
        room = (extra, 0) if left else (0, extra)
        mask = np.ones((self.rows, self.steps), bool) if self.mask is None else self.mask
        x, mask = _pad_steps(self.x, room), _pad_steps(mask, room, zeros=True)
        reset = None if self.reset is None else _pad_steps(self.reset, room, zeros=True)
        y, state = self.model(x, self.start, reset=reset, mask=mask)
        if self.model.network.answers_each_step:
            y = y[:, extra:] if left else y[:, : self.steps]
        return _difference((np.asarray(y), state), (self.y, self.end))

    def _reset(self) -> float:
        """Every other row is reset before its first step: it must be as if fresh, and the others unchanged."""
        fresh = np.arange(self.rows) % 2 == 0
        reset = np.zeros((self.rows, self.steps), bool) if self.reset is None else self.reset.copy()
        reset[fresh, 0] = True
        found = self.model(self.x, self.start, reset=reset, mask=self.mask)
        expected = self._pass(slice(None), slice(None), self.start.reset(fresh))
        return _difference((np.asarray(found[0]), found[1]), expected)

    def _reloaded(self) -> float:
        with tempfile.TemporaryDirectory() as folder:
            write_artifact(Path(folder) / "model", self.model.to_artifact())
            self.start.save(Path(folder) / "state")
            other, start = self.reload(read_artifact(Path(folder) / "model")), State.load(Path(folder) / "state")
        y, end = other(self.x, start, reset=self.reset, mask=self.mask)
        return _difference((np.asarray(y), end), (self.y, self.end))

    def _streamed(self) -> float:
        differences = []
        for row in range(min(self.rows, 2)):
            stream, answers = self.model.stream(), []
            stream.restore(self.start.rows(row))
            for step in range(self.steps):
                if self.reset is not None and self.reset[row, step]:
                    stream.reset()
                if self.mask is None or self.mask[row, step]:
                    answers.append((step, stream.push(self.x[row, step])))
            expected = self.end.rows(row)
            differences.append(_difference((stream.snapshot(),), (expected,)))
            if answers and self.model.network.answers_each_step:
                steps = [step for step, _ in answers]
                differences.append(_difference((np.stack([y for _, y in answers]),), (self.y[row, steps],)))
            elif answers and (self.reset is None or not self.reset[row, answers[-1][0] + 1 :].any()):
                differences.append(_difference((answers[-1][1],), (self.y[row],)))
        return float(np.max(differences))


def _may_be_padded(network: Network) -> bool:
    """Returns whether rows may be padded with steps, and outputs are then found where they were, or a few steps on."""
    found = network.answers_each_step or network.output_shape[0] is not None
    return network.input_shape[0] is None and found and all(layer.takes_padding for layer in network.layers)


def _random_state(model: Model, batch: int) -> State:
    rng = np.random.default_rng(0)
    zero = model.initial_state(batch)
    drawn: State = jax.tree.map(lambda part: rng.uniform(-0.9, 0.9, part.shape).astype(part.dtype), zero)
    return State(drawn.layers, zero.learned)


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
        else:
            listed.append(np.asarray(value))
    return listed
