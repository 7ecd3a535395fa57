"""New weights under running streams: whether a network can take over another's states."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from statewise.errors import ConfigurationError, StateError
from statewise.state import describe_sizes
from statewise.streaming.runtime import Runtime


class Runs(Protocol):
    """A model, as far as streams may ask it."""

    def runtime(self, engine: str = "auto") -> Runtime:
        """Returns the network as streams run it."""


class OfText(Protocol):
    """A model of a text, which has one inside."""

    @property
    def model(self) -> Runs:
        """The model that reads symbols."""


Model = Runs | OfText | Runtime | str | Path
"""What has weights: a model, what streams run it by, or its file."""


def runtime_like(present: Runtime, model: Model) -> Runtime:
    """Returns `model` as a runtime that takes over where `present` is, on the same engine.

    Raises:
        StateError: its states are of other sizes, or it reads other steps.
    """
    runtime = _runtime_of(model, present.engine.name)
    if runtime.sizes != present.sizes:
        raise StateError(
            f"upgrade: the states do not fit: expected {describe_sizes(present.sizes)}, got a model with "
            f"{describe_sizes(runtime.sizes)}; open it as streams of its own"
        )
    if (runtime.step_shape, runtime.symbols) != (present.step_shape, present.symbols):
        raise StateError(
            f"upgrade: expected a model that reads {_reads(present)}, got one that reads {_reads(runtime)}; open it as "
            "streams of its own, and restore the snapshot there"
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
    return f"steps of shape [{', '.join('?' if size is None else str(size) for size in runtime.step_shape)}]"
