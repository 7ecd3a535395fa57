"""Streams of a model: one step in, one answer out, without JAX."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from statewise.models.interface import AnyModel
from statewise.state import State
from statewise.streaming import Runtime, Stream, Streams


def stream(model: AnyModel, *, engine: str = "auto") -> Stream:
    """Returns a stream of the model: one step in, one answer out, in microseconds and without JAX.

    Args:
        engine: "native"; "numpy"; or "auto", the native one if there is a native library. `stream.engine` says
            which one was chosen, `stream.fallback` why.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
    >>> stream = model.stream()
    >>> stream.push([0.1, 0.2]).shape
    (1,)
    >>> stream.snapshot()
    State(batch=1, lstm: h [1, 4], c [1, 4])

    Raises:
        StateError: the network needs whole sequences.
        ConfigurationError: engine="native", and there is no native library.
    """
    return Stream(runtime(model, engine))


def streams(
    model: AnyModel,
    *,
    max_streams: int | None = None,
    max_age: float | None = None,
    on_evict: Callable[[Hashable, State], None] | None = None,
    engine: str = "auto",
) -> Streams:
    """Returns many streams of the model by key: `streams.push({key: x, ...})` returns `{key: y, ...}`.

    Args:
        max_streams: maximum number of streams; the least recently pushed are evicted first.
        max_age: seconds without a push after which a stream is evicted.
        on_evict: called with the key and state of each evicted stream, so that its state can be saved.
        engine: as in `stream`.

    Raises:
        StateError: the network needs whole sequences.
        ConfigurationError: engine="native", and there is no native library.
    """
    return Streams(runtime(model, engine), max_streams=max_streams, max_age=max_age, on_evict=on_evict)


def runtime(model: AnyModel, engine: str = "auto") -> Runtime:
    """Returns the model's network for streams, with a copy of the current weights; `engine` as in `stream`.

    Any number of `Stream` and `Streams` may share one, in any number of threads.

    Raises:
        StateError: the network needs whole sequences.
        ConfigurationError: engine="native", and there is no native library.
    """
    return Runtime.of(model.network.config(), model.train_state.known, engine)
