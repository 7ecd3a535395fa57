"""A network that streams run on, without JAX: its step in NumPy, and what the compiled step is told of it.

XLA takes 60 microseconds to dispatch a step from Python, however small; NumPy takes about 10.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from statewise.errors import (
    COPY_AGAIN,
    ConfigurationError,
    FileError,
    StateError,
    StatewiseError,
    unknown_kind,
    unknown_name,
)
from statewise.foundation.shapes import Array, Shape
from statewise.state import LayerStates, State, describe_sizes, map_parts, parts_of
from statewise.storage.artifact import Artifact, read_artifact
from statewise.storage.header import weights_by_layer
from statewise.streaming.cells import Cell, Entry, GRUCell, LSTMCell, SimpleCell, Transform, activation_of
from statewise.streaming.engines import choose_engine
from statewise.streaming.instructions import Program, assemble

# -- layers by kind --------------------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """One layer, ready to step."""

    advance: Cell | Transform | None  # None does nothing
    features: int | None  # of what comes out; None where it is not known
    counts: Transform | None = None  # of the network's input: bool [n], True where the step counts


CELLS: dict[str, type[Cell]] = {"GRU": GRUCell, "LSTM": LSTMCell, "SimpleRNN": SimpleCell}


def _recurrent(entry: Entry) -> _Part:
    if entry.options.get("go_backwards"):
        raise _reading_from(entry, "the end")
    cell = CELLS[entry.options["kind"]](entry)
    return _Part(cell, cell.units)


def _dense(entry: Entry) -> _Part:
    units = entry.options["units"]
    kernel, bias = entry.take("kernel", entry.features, units), entry.bias(units)
    activation = activation_of(entry.options.get("activation", "linear"))

    def advance(x: Array) -> Array:
        z = x.dot(kernel)
        z += bias
        return activation(z)

    return _Part(advance, units)


def _lone_activation(entry: Entry) -> _Part:
    name = entry.options["activation"]
    return _Part(None if name == "linear" else activation_of(name), entry.features)


def _embedding(entry: Entry) -> _Part:
    vectors = entry.take("embeddings", entry.options["input_dim"], entry.options["output_dim"])
    counts = (lambda x: x != 0) if entry.options.get("mask_zero") else None
    return _Part(lambda x: vectors[x], entry.options["output_dim"], counts)


def _masking(entry: Entry) -> _Part:
    value = float(entry.options.get("mask_value", 0.0))

    def counts(x: Array) -> Array:
        return (x != value).any(axis=-1)

    return _Part(lambda x: np.where(counts(x)[..., None], x, np.float32(0)), entry.features, counts)


def _time_distributed(entry: Entry) -> _Part:
    return _part_of(_inside(entry))._replace(counts=None)


def _inside(entry: Entry) -> Entry:
    """Returns the layer in a TimeDistributed, and any other as it is."""
    inner = entry.options["kind"] == "TimeDistributed"
    return replace(entry, options=entry.options["layer"]) if inner else entry


def _bidirectional(entry: Entry) -> _Part:
    raise _reading_from(entry, "both ends")


def _reading_from(entry: Entry, where: str) -> StateError:
    return StateError(
        f"layer {entry.name!r} reads its input from {where}, so that no step can be answered before the last has "
        "come; give whole sequences to model.predict(x), or use an LSTM in its place, reading from the start"
    )


def _shaping(entry: Entry) -> _Part:
    raise StateError(
        f"layer {entry.name!r}: {entry.options['kind']} lays out whole rows, and a stream sees one step at a time; "
        "give whole sequences to model.predict(x)"
    )


KINDS: dict[str, Callable[[Entry], _Part]] = {
    "Activation": _lone_activation,
    "Bidirectional": _bidirectional,
    "Dense": _dense,
    "Dropout": lambda entry: _Part(None, entry.features),
    "Embedding": _embedding,
    "Flatten": _shaping,
    "GRU": _recurrent,
    "LSTM": _recurrent,
    "Masking": _masking,
    "Permute": _shaping,
    "RepeatVector": _shaping,
    "Reshape": _shaping,
    "SimpleRNN": _recurrent,
    "TimeDistributed": _time_distributed,
}
"""How each kind of layer is made ready, by the names of `layers.registry`."""


def _part_of(entry: Entry) -> _Part:
    kind = entry.options["kind"]
    if kind not in KINDS:
        raise unknown_name("layer", kind, KINDS)
    return KINDS[kind](entry)


def _kinds_in(options: Mapping[str, Any]) -> list[str]:
    """Returns the kind of a layer, and of those inside it."""
    return [options["kind"], *(_kinds_in(options["layer"]) if "layer" in options else [])]


def _described(
    config: Mapping[str, Any], params: Mapping[str, Mapping[str, Any]]
) -> tuple[Shape, int | None, list[Entry], list[_Part]]:
    """Returns the shape of a step, how many symbols there are if it is one, and the layers in both forms."""
    first, shape = config["layers"][0], tuple(config["input_shape"])
    symbols = first["input_dim"] if first["kind"] == "Embedding" else None
    step_shape = shape[1:] if symbols is not None or len(shape) > 1 else shape
    features = step_shape[-1] if step_shape else None
    entries: list[Entry] = []
    parts: list[_Part] = []
    names = [options["name"] for options in config["layers"]]
    if len(set(names)) < len(names):
        raise ConfigurationError(f"layers: expected a name of its own for each, got {names!r:.200}")
    for options in config["layers"]:
        entry = Entry(options["name"], options, params.get(options["name"], {}), features)
        _check_place(entry, first=not entries)
        parts.append(_part_of(entry))
        entries.append(_inside(entry))
        features = parts[-1].features
    return step_shape, symbols, entries, parts


def _check_place(entry: Entry, *, first: bool) -> None:
    """Raises ConfigurationError if a layer cannot follow those before: the compiled step looks up what it is given."""
    if _inside(entry).options["kind"] == "Embedding" and (not first or entry.options["kind"] != "Embedding"):
        raise ConfigurationError(
            f"layer {entry.name!r}: an Embedding reads numbers of symbols; expected it by itself, as the first layer"
        )


# -- the network -----------------------------------------------------------------------------------------------------


class Runtime:
    """A network with its weights as they were when it was made, stepped by `y, states = runtime.step(x, states)`.

    Nothing in it changes, so that any number of streams and threads may share it.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
    >>> runtime = Runtime.of(model.network.config(), model.params)
    >>> y, states = runtime.step(np.zeros((3, 2), np.float32), runtime.fresh(3))
    >>> y.shape, runtime.state_of(states)
    ((3, 1), State(batch=3, lstm: h [3, 4], c [3, 4]))
    """

    def __init__(
        self, step_shape: Shape, symbols: int | None, entries: Sequence[Entry], parts: Sequence[_Part], engine: str
    ) -> None:
        """Takes what `of` makes of a network's description."""
        layers = [(entry.name, part) for entry, part in zip(entries, parts, strict=True)]
        self.step_shape = step_shape  # of one step's x: [F], or [] for a symbol; None where any size fits
        self.symbols = symbols  # V if the network reads whole numbers 0 .. V-1
        self._counts = layers[0][1].counts
        self._layers = [(name, part.advance) for name, part in layers if part.advance is not None]
        self._cells = {name: advance for name, advance in self._layers if isinstance(advance, Cell)}
        self._learnt = {name: cell.learnt for name, cell in self._cells.items() if cell.learnt}
        self.sizes = self.state_of(self.fresh(1)).sizes()
        self.engine = choose_engine(engine, step_shape, symbols)
        self.program: Program | None = None  # what the compiled step runs
        if self.engine.name == "numba":
            features = 1 if symbols is not None else step_shape[0] or 0
            self.program = assemble(entries, self._cells, self.fresh(1), features, skips=self._counts is not None)

    @classmethod
    def of(cls, config: Mapping[str, Any], params: Mapping[str, Mapping[str, Any]], engine: str = "auto") -> Runtime:
        """Returns the runtime of a network.

        Args:
            config: what `Network.config()` describes it by.
            params: arrays of any kind, by layer and name: `params["lstm"]["kernel"]`. They are copied.
            engine: what streams of the network run on: "numba", the compiled step; "numpy"; or "auto", the compiled
                step if Numba is installed and it can run the network. `runtime.engine` tells which it is, and why.

        Raises:
            StateError: a layer cannot answer step by step: it reads from the end, or lays out whole rows.
            ConfigurationError: a layer, an activation or an engine that does not exist, or cannot run the network.
            MissingExtraError: engine="numba", and it is not installed.
            ShapeError: a weight is missing or has another shape.
        """
        return cls(*_described(config, params), engine)

    @classmethod
    def open(cls, path: str | Path, engine: str = "auto") -> Runtime:
        """Returns the runtime of the network in a model file, read without JAX; `engine` as in `of`.

        Raises:
            FileError: the file is missing, damaged, or holds something else.
            StateError: a layer cannot answer step by step: it reads from the end, or lays out whole rows.
        """
        return cls.of_artifact(read_artifact(path), path, engine)

    @classmethod
    def of_artifact(cls, artifact: Artifact, path: str | Path, engine: str = "auto") -> Runtime:
        """Returns the runtime of the network in what was read from the file `path`, as `open`."""
        if artifact.kind not in ("sequential", "text"):
            raise FileError(f"{path} holds a {artifact.kind!r}; expected a model, as model.save(path) writes one")
        try:
            config = artifact.header["network"]
            if unknown := [kind for entry in config["layers"] for kind in _kinds_in(entry) if kind not in KINDS]:
                raise unknown_kind("layer", unknown[0])
            described = _described(config, weights_by_layer(config, artifact.arrays))
        except StateError:
            raise
        except FileError as error:
            raise FileError(f"{path}: {error}") from None
        except StatewiseError as error:
            raise FileError(f"{path}: {error}; {COPY_AGAIN}") from None
        except (LookupError, ArithmeticError, TypeError, ValueError, AttributeError) as error:
            raise FileError(
                f"{path} is damaged: its header does not describe a model ({error!r}); {COPY_AGAIN}"
            ) from None
        return cls(*described, engine)

    def step(self, x: Array, states: LayerStates, mask: Array | None = None) -> tuple[Array, LayerStates]:
        """Returns `(y [n, V], states)` after one step of each of `n` rows; changes none of its arguments.

        `y` may be the very array that is a state's h: copy what is handed to users.

        Args:
            x: float32 `[n, F]`, or symbols `[n]`.
            states: where the rows stand; of every layer that has a state.
            mask: bool `[n]`; False skips the step for that row: its state passes through, and its last output repeats.
        """
        mask = self._mask_of(x, mask)
        after: LayerStates = {}
        for name, advance in self._layers:
            if isinstance(advance, Cell):
                after[name] = new = _kept(mask, advance(x, states[name]), states[name])
                x = new.h
            else:
                x = advance(x)
        return x, after

    def _mask_of(self, x: Array, mask: Array | None) -> Array | None:
        if self._counts is not None:
            mask = self._counts(x) if mask is None else self._counts(x) & mask
        return None if mask is None or mask.all() else mask

    # -- states ------------------------------------------------------------------------------------------------

    def fresh(self, n: int) -> LayerStates:
        """Returns the states in which `n` sequences start: zeros, or what `learn_initial_state` learnt."""
        return {name: cell.fresh(n) for name, cell in self._cells.items()}

    def state_of(self, states: LayerStates) -> State:
        """Returns the states of all layers as a State."""
        return State(states, self._learnt)

    def states_in(self, state: object, rows: int, what: str) -> LayerStates:
        """Returns what `state` holds, in NumPy, after checking that it is this network's and has so many rows.

        Raises:
            StateError: it is not; the message calls those who go on from it `what`.
        """
        if not isinstance(state, State):
            raise StateError(f"state: expected a State for {what}, got {type(state).__name__}; snapshot() returns one")
        if (found := state.sizes()) != self.sizes:
            raise StateError(
                f"this state belongs to another network: expected {describe_sizes(self.sizes)}, got "
                f"{describe_sizes(found)}; take one that snapshot() returned for this network"
            )
        if self._cells and state.batch != rows:
            raise StateError(
                f"expected a state with {rows} row(s) for {what}, got {state.batch}; choose rows with state.rows(...)"
            )
        with np.errstate(over="ignore"):
            states = {name: map_parts(lambda part: np.asarray(part, np.float32), state[name]) for name in state}
        _check_finite(states, what)
        return states


def _check_finite(states: LayerStates, what: str) -> None:
    for name, state in states.items():
        for place, part in parts_of(state).items():
            if not (finite := np.isfinite(part)).all():
                row = int(np.argwhere(~finite)[0, 0])
                raise StateError(
                    f"expected finite numbers in the state for {what}, got {part[row][~finite[row]][0]:g} in "
                    f"{name}.{place} of row {row}; start that row fresh: state.reset([{row}])"
                )


class RunsOn:
    """Tells what a stream's runtime runs on."""

    @property
    def _runtime(self) -> Runtime:
        raise NotImplementedError

    @property
    def engine(self) -> str:
        """What computes the steps: "numba", the compiled step, or "numpy"."""
        return self._runtime.engine.name

    @property
    def fallback(self) -> str | None:
        """Why it is NumPy though the choice was left open; None where there is nothing to explain."""
        return self._runtime.engine.fallback


def _kept(mask: Array | None, new: Any, old: Any) -> Any:
    return new if mask is None else map_parts(lambda n, o: np.where(mask[:, None], n, o), new, old)
