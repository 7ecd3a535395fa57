"""The model as streams: one step in, one answer out, without JAX."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from statewise.models.model import Model
from statewise.state import State
from statewise.streaming import Runtime, Stream, Streams


def stream(model: Model, *, engine: str = "auto") -> Stream:
    """Returns the model as a stream: one step goes in, one answer comes out, in microseconds and without JAX.

    Args:
        engine: "numba", the compiled step of `pip install 'statewise[stream]'`; "numpy"; or "auto", the compiled
            step where it can be had. `stream.engine` tells which it is, `stream.fallback` why.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
    >>> stream = model.stream()
    >>> stream.push([0.1, 0.2]).shape
    (1,)
    >>> stream.snapshot()
    State(batch=1, lstm: h [1, 4], c [1, 4])

    Raises:
        StateError: the network reads from both ends.
        MissingExtraError: engine="numba", and it is not installed.
    """
    return Stream(runtime(model, engine))


def streams(
    model: Model,
    *,
    max_streams: int | None = None,
    max_age: float | None = None,
    on_evict: Callable[[Hashable, State], None] | None = None,
    engine: str = "auto",
) -> Streams:
    """Returns the model as many streams by key: `streams.push({key: x, ...})` answers `{key: y, ...}`.

    Args:
        max_streams: how many are kept; those not pushed for longest go first.
        max_age: for how many seconds a stream that is not pushed is kept.
        on_evict: called with the key and state of each that goes, so that nothing is lost.
        engine: as in `stream`.

    Raises:
        StateError: the network reads from both ends.
        MissingExtraError: engine="numba", and it is not installed.
    """
    return Streams(runtime(model, engine), max_streams=max_streams, max_age=max_age, on_evict=on_evict)


def runtime(model: Model, engine: str = "auto") -> Runtime:
    """Returns the network as streams run it, with the weights as they are now; `engine` as in `stream`.

    Any number of `Stream` and `Streams` may share one, in any number of threads.

    Raises:
        StateError: the network reads from both ends.
        MissingExtraError: engine="numba", and it is not installed.
    """
    return Runtime.of(model.network.config(), model.params, engine)
