"""New weights for running streams: checks that a network can continue another's states."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from statewise.errors import ConfigurationError, StateError
from statewise.state import describe_sizes
from statewise.streaming.runtime import Runtime


class HasRuntime(Protocol):
    """A model, as streams see it."""

    def runtime(self, engine: str = "auto") -> Runtime:
        """Returns the model's network for streams."""


class HasModel(Protocol):
    """A text model, which contains a model."""

    @property
    def model(self) -> HasRuntime:
        """The model that reads symbols."""


Model = HasRuntime | HasModel | Runtime | str | Path
"""A source of weights: a model, a runtime, or the path of a model file."""


def compatible_runtime(present: Runtime, model: Model) -> Runtime:
    """Returns the runtime of `model` on the engine of `present`, whose states it can continue.

    Raises:
        StateError: its states have other sizes, or its steps another shape.
    """
    runtime = _runtime_of(model, present.engine.name)
    if runtime.sizes != present.sizes:
        raise StateError(
            f"upgrade: the states do not fit: expected {describe_sizes(present.sizes)}, got a model with "
            f"{describe_sizes(runtime.sizes)}; open it as separate streams"
        )
    if _reads(runtime) != _reads(present):
        raise StateError(
            f"upgrade: expected a model that reads {_reads(present)}, got one that reads {_reads(runtime)}; open it as "
            "separate streams, and restore the snapshot there"
        )
    return runtime


def _runtime_of(model: Model, engine: str) -> Runtime:
    if isinstance(model, Runtime):
        return model
    if isinstance(model, str | Path):
        return Runtime.open(model, engine)
    make = getattr(getattr(model, "model", model), "runtime", None)
    if not callable(make):
        raise ConfigurationError(
            f"upgrade: expected a model, a Runtime, or the path of a model file, got {type(model).__name__}"
        )
    runtime: Runtime = make(engine)
    return runtime


def _reads(runtime: Runtime) -> str:
    if runtime.symbols is not None:
        return f"{runtime.symbols} symbols"
    if runtime.inputs:
        return " and ".join(f"{name!r} [{size}]" for name, _, size in runtime.inputs)
    return f"steps of shape [{', '.join('?' if size is None else str(size) for size in runtime.step_shape)}]"
