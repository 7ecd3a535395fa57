"""The network of a stream, without JAX: its NumPy step, and its program for the native step.

XLA takes 60 microseconds to dispatch a step from Python, however small; NumPy takes about 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from statewise.errors import COPY_AGAIN, ConfigurationError, FileError, StateError, StatewiseError, unknown_name
from statewise.foundation.shapes import Array
from statewise.layers.registry import LAYERS
from statewise.state import LayerStates, State, describe_sizes, map_parts, parts_of
from statewise.storage.artifact import Artifact, read_artifact
from statewise.storage.header import weights_by_layer
from statewise.streaming.assembler import Program, assemble
from statewise.streaming.composition import Composed, compose
from statewise.streaming.engines import choose_engine
from statewise.streaming.native_table import checked
from statewise.streaming.numpy_step import write_step

FORMS = ("one", "list", "dict")
"""The forms of answers; several outputs have one of the last two."""


class Runtime:
    """A network with a copy of its weights, advanced by `y, states = runtime.step(x, states)`.

    It is immutable, so any number of streams and threads may share it.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
    >>> runtime = Runtime.of(model.network.config(), model.params)
    >>> y, states = runtime.step(np.zeros((3, 2), np.float32), runtime.fresh(3))
    >>> y.shape, runtime.state_of(states)
    ((3, 1), State(batch=3, lstm: h [3, 4], c [3, 4]))
    """

    def __init__(self, network: Composed, engine: str, form: str | None = None) -> None:
        """Takes a network as returned by `compose`."""
        self.step_shape, self.symbols = network.step_shape, network.symbols
        self.inputs, self.outputs = network.inputs, network.outputs
        self.form = _check_form(form, len(self.outputs))
        self._before, self._learned = network.step.before, network.learned
        self._step = write_step(network.step)
        self.sizes = self.state_of(self.fresh(1)).sizes()
        self.engine = choose_engine(engine, self.step_shape, self.symbols)
        self.program: Program | None = None  # for the native step
        if self.engine.name == "native":
            self.program = checked(assemble(network.step, self.fresh(1)))

    @classmethod
    def of(
        cls,
        config: Mapping[str, Any],
        params: Mapping[str, Mapping[str, Any]],
        engine: str = "auto",
        form: str | None = None,
    ) -> Runtime:
        """Returns the runtime of a network.

        Args:
            config: the network as `Network.config()` returns it.
            params: arrays of any kind, by layer and name: `params["lstm"]["kernel"]`. They are copied.
            engine: "native"; "numpy"; or "auto", the native one if there is one and it can run the network.
                `runtime.engine` says which one was chosen, and why.
            form: how streams return answers: "one", for a network of one output; a "list", in the order of the
                outputs; or a "dict", by their names. By default "one", or a dict of several.

        Raises:
            StateError: a layer cannot run step by step because it needs whole sequences.
            ConfigurationError: a layer, an activation or an engine does not exist, or cannot run the network.
            ShapeError: a weight is missing or has another shape.
        """
        if unknown := [kind for entry in config["layers"] for kind in _kinds_in(entry) if kind not in LAYERS]:
            raise unknown_name("layer", unknown[0], LAYERS)
        return cls(compose(config, params), engine, form)

    @classmethod
    def open(cls, path: str | Path, engine: str = "auto") -> Runtime:
        """Returns the runtime of the network in a model file, read without JAX; `engine` as in `of`.

        Raises:
            FileError: the file is missing, damaged, or holds something else.
            StateError: a layer cannot run step by step because it needs whole sequences.
        """
        return cls.of_artifact(read_artifact(path), path, engine)

    @classmethod
    def of_artifact(cls, artifact: Artifact, path: str | Path, engine: str = "auto") -> Runtime:
        """Returns the runtime of the network in an artifact read from `path`; errors as in `open`."""
        if artifact.kind not in ("sequential", "graph", "text"):
            raise FileError(f"{path} holds a {artifact.kind!r}; expected a model, as model.save(path) writes one")
        try:
            config = artifact.header["network"]
            composed = compose(config, weights_by_layer(config, artifact.arrays))
            form = _check_form(artifact.header.get("form"), len(composed.outputs))
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
        return cls(composed, engine, form)

    def in_form(self, y: Array) -> Any:
        """Returns answers `[..., V]` as streams do: by output, as `form` says."""
        if self.form == "one":
            return y
        by_name = {name: y[..., start : None if size is None else start + size] for name, start, size in self.outputs}
        return by_name if self.form == "dict" else list(by_name.values())

    def step(self, x: Array, states: LayerStates, mask: Array | None = None) -> tuple[Array, LayerStates]:
        """Returns `(y [n, V], states)` after one step of `n` rows; modifies none of its arguments.

        `y` may share its array with a state's h: copy it before returning it to users.

        Args:
            x: float32 `[n, F]`, or symbols `[n]`.
            states: the states of the rows, by layer.
            mask: bool `[n]`; False skips the step for that row: its state passes through, and its last output repeats.
        """
        return self._step(x, states, mask)

    # -- states ------------------------------------------------------------------------------------------------

    def fresh(self, n: int) -> LayerStates:
        """Returns the initial states of `n` sequences: zeros, or what `learn_initial_state` learned."""
        states = {}
        for name, state in self._before.items():
            zeros = map_parts(lambda part: np.zeros(part.size, np.float32), state)
            states[name] = map_parts(lambda row: np.repeat(row[None], n, axis=0), self._learned.get(name, zeros))
        return states

    def state_of(self, states: LayerStates) -> State:
        """Returns the states of all layers as a State."""
        return State(states, self._learned)

    def states_in(self, state: object, rows: int, what: str) -> LayerStates:
        """Returns the arrays of `state`, after checking that it fits this network and has `rows` rows.

        Raises:
            StateError: it does not; `what` names the streams in the message.
        """
        if not isinstance(state, State):
            raise StateError(f"state: expected a State for {what}, got {type(state).__name__}; use one from snapshot()")
        if (found := state.sizes()) != self.sizes:
            raise StateError(
                f"this state belongs to another network: expected {describe_sizes(self.sizes)}, got "
                f"{describe_sizes(found)}; use one that snapshot() returned for this network"
            )
        if self._before and state.batch != rows:
            raise StateError(
                f"expected a state with {rows} row(s) for {what}, got {state.batch}; select rows with state.rows(...)"
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


class EngineInfo:
    """The engine of a stream's runtime."""

    @property
    def _runtime(self) -> Runtime:
        raise NotImplementedError

    @property
    def engine(self) -> str:
        """What computes the steps: "native" or "numpy"."""
        return self._runtime.engine.name

    @property
    def fallback(self) -> str | None:
        """Why engine="auto" chose NumPy; otherwise None."""
        return self._runtime.engine.fallback


def _check_form(form: str | None, outputs: int) -> str:
    """Returns the form of answers, by default that of the number of outputs."""
    if form is None:
        return "one" if outputs == 1 else "dict"
    if form not in FORMS or (form == "one" and outputs > 1):
        raise ConfigurationError(f"form: expected {' or '.join(map(repr, FORMS[outputs > 1 :]))}, got {form!r:.60}")
    return form


def _kinds_in(options: Mapping[str, Any]) -> list[str]:
    """Returns the kind of a layer and of the layers inside it."""
    return [options["kind"], *(_kinds_in(options["layer"]) if "layer" in options else [])]
