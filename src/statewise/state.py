"""State: where a network stands in its sequences, as a named, immutable value. Does not need JAX."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, cast

import numpy as np

from statewise.errors import FileError, ShapeError, StateError
from statewise.foundation import heat_map, notebook
from statewise.foundation.forks import is_forked
from statewise.foundation.shapes import as_array, check_finite, check_whole
from statewise.foundation.words import plural
from statewise.kernels.states import LayerState
from statewise.phrasebook.guard import guard_attributes
from statewise.storage.artifact import (
    Artifact,
    artifact_from_bytes,
    artifact_to_bytes,
    read_artifact,
    write_artifact,
)
from statewise.storage.state_file import check_part, from_arrays, kind_of

LayerStates = dict[str, LayerState]
"""What runs through compiled programs: each layer's state by the layer's name, empty for those without memory."""


class Owner(Protocol):
    """The part of a model that a state uses."""

    def check_state(self, state: State) -> None:
        """Raises StateError unless the state belongs to this model."""


@guard_attributes
class State:
    """The memory of a network between two calls: for each layer that has one, `h` and `c` `[B, H]`.

    A value: no call changes it, and it may be kept, saved, forked, passed on or thrown away.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
    >>> state = model.initial_state(3)
    >>> state
    State(batch=3, lstm: h [3, 4], c [3, 4])
    >>> y, state = model([[[0.1, 0.2]], [[0.3, 0.4]], [[0.5, 0.6]]], state)
    >>> state["lstm"].h.shape
    (3, 4)
    >>> state.rows([2, 0]).batch, state.fork(10).batch, sw.State.concat([state, state]).batch
    (2, 30, 6)
    >>> state.reset([0, 1, 2]) == model.initial_state(3)
    True
    """

    __slots__ = ("_initial", "_layers")
    _layers: Mapping[str, LayerState]
    _initial: Mapping[str, LayerState]

    def __init__(self, layers: Mapping[str, LayerState], initial: Mapping[str, LayerState] | None = None) -> None:
        """Takes each layer's state, and the rows `[H]` in which sequences start where those are learned."""
        known = {name: map_parts(_frozen, part) for name, part in layers.items() if part}
        starts = {name: map_parts(_frozen, part) for name, part in (initial or {}).items()}
        object.__setattr__(self, "_layers", MappingProxyType(known))
        object.__setattr__(self, "_initial", MappingProxyType(starts))

    # -- reading -----------------------------------------------------------------------------------------------

    @property
    def batch(self) -> int:
        """B, the number of rows; 0 for a network without memory."""
        return next((int(part.shape[0]) for state in self._layers.values() for part in parts_of(state).values()), 0)

    @property
    def layers(self) -> Mapping[str, LayerState]:
        """The state of each layer that has one, by its name; must not be changed."""
        return self._layers

    @property
    def learned(self) -> Mapping[str, LayerState]:
        """The rows, parts `[H]`, in which sequences start, for layers where those are learned instead of zeros."""
        return self._initial

    def __getitem__(self, name: str) -> Any:
        if name not in self._layers:
            known = ", ".join(self._layers) or "none: the network has no memory"
            raise StateError(f"no state for layer {name!r}; layers with a state: {known}")
        return self._layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __repr__(self) -> str:
        sizes = [
            f"{name}: " + ", ".join(f"{place} {list(part.shape)}" for place, part in parts_of(state).items())
            for name, state in self._layers.items()
        ]
        return f"State({', '.join([f'batch={self.batch}', *sizes])})"

    def _repr_html_(self) -> str:
        """Returns what notebooks show: a heat map of each part."""
        arrays = {
            f"{name} {place}": np.asarray(part)
            for name, state in self._layers.items()
            for place, part in parts_of(state).items()
        }
        heading = f"State of {plural(self.batch, 'row')}" if arrays else "State of a network without memory"
        return notebook.output(heading, heat_map.heat_maps(arrays), style=heat_map.STYLE)

    def __eq__(self, other: object) -> bool:
        """Returns whether both hold the same numbers for the same layers."""
        if not isinstance(other, State):
            return NotImplemented
        mine, theirs = self._arrays(), other._arrays()
        return mine.keys() == theirs.keys() and all(np.array_equal(mine[name], theirs[name]) for name in mine)

    __hash__ = None  # type: ignore[assignment]  # equal by value, and arrays have no hash

    # -- new states from this one ------------------------------------------------------------------------------

    def rows(self, index: object) -> State:
        """Returns the state of some rows: a number, a slice, a list of numbers, or bool `[B]`.

        >>> import statewise as sw
        >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2))], seed=7)
        >>> model.initial_state(8).rows(slice(2, 5))
        State(batch=3, lstm: h [3, 4], c [3, 4])

        Raises:
            StateError: there are no such rows.
        """
        chosen = self._chosen(index)
        return self._each(lambda part: part[chosen])

    @staticmethod
    def concat(states: Iterable[State]) -> State:
        """Returns one state with the rows of all states, in order.

        Raises:
            StateError: there are none, or they belong to different networks.
        """
        if isinstance(states, State):
            raise StateError("State.concat expects a list of states: State.concat([first, second])")
        listed = list(states)
        if not listed or not all(isinstance(state, State) for state in listed):
            raise StateError(f"State.concat expects a list of at least one State, got {listed!r}")
        first = listed[0]
        for other in listed[1:]:
            if other.sizes() != first.sizes():
                raise StateError(
                    f"states of different networks cannot be joined: {describe_sizes(first.sizes())} and "
                    f"{describe_sizes(other.sizes())}"
                )
        joined = {name: map_parts(_joined, *(state[name] for state in listed)) for name in first}
        return State(joined, first._initial)

    def fork(self, n: int) -> State:
        """Returns each row `n` times, with its copies together: rows r n to r n + n - 1 are those of row r.

        >>> import statewise as sw
        >>> sw.Sequential([sw.LSTM(4, input_shape=(None, 2))], seed=7).initial_state(1).fork(5).batch
        5
        """
        check_whole("n", n)
        return self._each(lambda part: part[np.repeat(np.arange(self.batch), n)])

    def reset(self, rows: object = None) -> State:
        """Returns the state with `rows` (as in `rows`; by default all) starting fresh and the others unchanged.

        Raises:
            StateError: there are no such rows.
        """
        fresh = np.zeros(self.batch, bool)
        fresh[slice(None) if rows is None else self._chosen(rows)] = True

        def renewed(part: Any, start: Any) -> Any:
            part, start = _computable(part), _computable(start)
            return _module_of(part).where(fresh[:, None], start, part)

        zeros = {name: map_parts(lambda _: np.float32(0), state) for name, state in self._layers.items()}
        starts = {**zeros, **self._initial}
        return State({n: map_parts(renewed, state, starts[n]) for n, state in self._layers.items()}, self._initial)

    def replace(self, name: str, **parts: object) -> State:
        """Returns the state with parts of one layer replaced: `state.replace("lstm", h=h, c=c)`, each `[B, H]`.

        Raises:
            StateError: there is no such layer or part.
            ShapeError: a part has another shape.
            DataError: NaN, or something other than numbers.
        """
        layer = self[name]
        fields = getattr(layer, "_fields", ())
        if unknown := [part for part in parts if part not in fields or isinstance(getattr(layer, part), tuple)]:
            raise StateError(f"the state of {name!r} has no part {unknown[0]!r}; expected {' or '.join(fields)}")
        for part, value in parts.items():
            expected, array = getattr(layer, part), as_array(f"{name}.{part}", value)
            check_finite(f"{name}.{part}", array)
            if array.shape != expected.shape:
                raise ShapeError(f"{name}.{part}: expected shape {list(expected.shape)}, got {list(array.shape)}")
            parts[part] = array.astype(expected.dtype)
        return State({**self._layers, name: layer._replace(**parts)}, self._initial)

    def _each(self, change: Callable[[Any], Any]) -> State:
        layers = {name: map_parts(lambda a: change(_computable(a)), state) for name, state in self._layers.items()}
        return State(layers, self._initial)

    def _chosen(self, index: object) -> Any:
        """Returns the numbers of the rows that `index` means; JAX would silently use the last for one too large."""
        if not self._layers:  # a network without memory has the same state for any rows
            return np.arange(0)
        try:
            chosen = np.arange(self.batch)[cast("Any", list(index) if isinstance(index, tuple | range) else index)]
        except (IndexError, TypeError, ValueError):
            raise StateError(
                f"the state has rows 0 .. {self.batch - 1}, got {' '.join(repr(index).split())}; expected numbers, a "
                "slice, or bool for each"
            ) from None
        if chosen.size == 0 or chosen.ndim > 1:
            raise StateError(f"expected one or more of the rows 0 .. {self.batch - 1}, got {index!r}")
        return np.atleast_1d(chosen)

    def sizes(self) -> dict[str, dict[str, tuple[int, ...]]]:
        """Returns the sizes of each layer's parts without batch axis, which all states of one network share."""
        return {
            name: {place: tuple(part.shape[1:]) for place, part in parts_of(state).items()}
            for name, state in self._layers.items()
        }

    # -- files -------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Writes the state to one file, completely or not at all.

        Raises:
            FileError: it cannot be written there.
        """
        write_artifact(path, self.to_artifact())

    def to_bytes(self) -> bytes:
        """Returns the bytes of the file that `save` writes, for a database or a message.

        >>> import statewise as sw
        >>> state = sw.Sequential([sw.LSTM(4, input_shape=(None, 2))], seed=7).initial_state(1)
        >>> sw.State.from_bytes(state.to_bytes()) == state
        True
        """
        return artifact_to_bytes(self.to_artifact())

    @staticmethod
    def from_bytes(content: bytes, model: Owner | None = None) -> State:
        """Returns the state from bytes that `to_bytes` returned; with `model`, only if it belongs to that model.

        Raises:
            FileError: the bytes are damaged, cut short, or hold something else.
            StateError: the state belongs to another network.
        """
        if not isinstance(content, bytes | bytearray | memoryview):
            raise FileError(f"expected the bytes that state.to_bytes() returned, got {type(content).__name__}")
        artifact = artifact_from_bytes(bytes(content), "the bytes object", "state")
        return State._of(artifact, "the bytes object", model)

    def to_artifact(self) -> Artifact:
        """Returns the contents of a file with this state."""
        kinds = {name: kind_of(state) for name, state in self._layers.items()}
        return Artifact("state", {"layers": kinds, "learnt": list(self._initial)}, self._arrays())

    @staticmethod
    def load(path: str | Path, model: Owner | None = None) -> State:
        """Returns the state in a file that `save` wrote; with `model`, only if it belongs to that model.

        Raises:
            FileError: the file is missing, damaged, or holds something else.
            StateError: the state belongs to another network.
        """
        return State._of(read_artifact(path, "state"), path, model)

    @staticmethod
    def _of(artifact: Artifact, path: str | Path, model: Owner | None) -> State:
        state = State.of_artifact(artifact, path)
        if model is not None:
            model.check_state(state)
        return state

    @staticmethod
    def of_artifact(artifact: Artifact, path: str | Path) -> State:
        """Returns the state in an artifact that was read from the file `path`."""
        if artifact.kind != "state":
            raise FileError(f"{path} holds a {artifact.kind} model, not a state; statewise.load reads it")
        kinds, learned = artifact.header["layers"], artifact.header["learnt"]
        try:
            layers = {name: from_arrays(f"state[{name!r}]", kind, artifact) for name, kind in kinds.items()}
            initial = {name: from_arrays(f"initial[{name!r}]", kinds[name], artifact) for name in learned}
            state = State(layers, initial)
            state._check_parts()
        except FileError as error:
            raise FileError(f"{path}: {error}") from None
        return state

    def _check_parts(self) -> None:
        """Raises FileError unless all parts are real numbers, `[B, H]` with one B, and one H for h and c together."""
        everything = [part for state in self._layers.values() for part in parts_of(state).values()]
        rows = everything[0].shape[:1] if everything else ()
        for name, state in self._layers.items():
            starts, units = parts_of(self._initial.get(name, ())), dict[str, int]()
            for place, part in parts_of(state).items():
                inside, _, last = place.rpartition(".")
                group = inside if last in ("h", "c") else place
                own = units.setdefault(group, part.shape[-1] if part.ndim else 0)
                check_part(f"{name}.{place}", part, (*rows, own))
                if place in starts:
                    check_part(f"where {name}.{place} starts", starts[place], (own,))

    def _arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        return {
            f"{group}[{name!r}].{place}": np.asarray(part)
            for group, states in (("state", self._layers), ("initial", self._initial))
            for name, state in states.items()
            for place, part in parts_of(state).items()
        }

    # -- a value -----------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: object) -> None:
        raise StateError(
            "a State cannot be changed; the next one comes from y, state = model(x, state), or from "
            "state.replace(layer, h=..., c=...)"
        )

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __setitem__(self, name: str, value: object) -> None:
        self.__setattr__(name, value)

    def __delitem__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __copy__(self) -> State:
        return self

    def __deepcopy__(self, memory: object) -> State:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return State, (dict(self._layers), dict(self._initial))


def map_parts(change: Callable[..., Any], first: Any, *others: Any) -> Any:
    """Returns a layer's state with `change` applied to each array and those at the same place in `others`."""
    if not isinstance(first, tuple):
        return change(first, *others)
    mapped = [map_parts(change, *same) for same in zip(first, *others, strict=True)]
    return type(first)(*mapped)


def parts_of(state: Any, prefix: str = "") -> dict[str, Any]:
    """Returns the arrays of a layer's state by their path in it: `h`, `c`, or `forward.h`, ..."""
    parts: dict[str, Any] = {}
    for field in getattr(state, "_fields", ()):
        part = getattr(state, field)
        parts |= parts_of(part, f"{prefix}{field}.") if isinstance(part, tuple) else {prefix + field: part}
    return parts


def describe_sizes(sizes: Mapping[str, Mapping[str, tuple[int, ...]]]) -> str:
    """Returns what `State.sizes` gave as users read it: `lstm: h [B, 4], c [B, 4]`."""
    listed = [
        f"{name}: " + ", ".join(f"{place} [{', '.join(['B', *map(str, size)])}]" for place, size in parts.items())
        for name, parts in sizes.items()
    ]
    return "; ".join(listed) or "no memory"


def _frozen(part: Any) -> Any:
    """Returns a read-only array: JAX's are, NumPy's are copied and locked."""
    if isinstance(part, np.ndarray) and (part.flags.writeable or part.base is not None):
        part = part.copy()
        part.setflags(write=False)
    return part


def _joined(*parts: Any) -> Any:
    listed = [_computable(part) for part in parts]
    return _module_of(listed[0]).concat(listed)


def _computable(part: Any) -> Any:
    """Returns an array that can be computed with: in a forked process a JAX array cannot."""
    return np.asarray(part) if is_forked() else part


def _module_of(array: Any) -> Any:
    """Returns numpy or jax.numpy, whichever the array belongs to."""
    return array.__array_namespace__()
