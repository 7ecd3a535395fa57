"""Sequential: define, compile, fit, evaluate, predict. The only object here that changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import jax
import numpy as np

from statewise.data.batches import Samples
from statewise.data.lanes import Lanes
from statewise.data.ragged_rows import RaggedRows, padded
from statewise.diagnostics.memory import MemoryReport, report_memory
from statewise.diagnostics.verification import TOLERANCE, Verification, verify
from statewise.errors import LifecycleError
from statewise.foundation.shapes import check_whole
from statewise.inference.forward import forward_of, predict_rows
from statewise.inference.rows import read_input, read_rows
from statewise.inference.start import Start, check_warmup, read_start, warn_unused
from statewise.layers import Layer
from statewise.layers.recurrent import Recurrent
from statewise.models.display import Display
from statewise.models.feed import ROWS, unframe
from statewise.models.trainable import Trainable
from statewise.state import State, parts_of
from statewise.streaming import Runtime, Stream, Streams


class Sequential(Trainable):
    """A stack of layers that is defined, compiled, fitted, evaluated and used for predictions.

    The model itself is a function of its input and a state: `y, state = model(x, state)`. That call changes
    nothing; `fit` changes the weights, and only `state="carry"` and `"continue"` change `model.state`.

    Args:
        layers: the first may name its input, `input_shape=(T, F)`; otherwise the first data tell.
        seed: all randomness (weights, shuffling, dropout) derives from it and from how many epochs were trained.

    >>> import numpy as np
    >>> import statewise as sw
    >>> x = np.linspace(0, 1, 60, dtype="float32").reshape(20, 3, 1)
    >>> model = sw.Sequential([sw.LSTM(8), sw.Dense(1)], seed=7)
    >>> model.compile("adam", "mse")
    >>> history = model.fit(x, x[:, -1], epochs=3, verbose=0)
    >>> len(history.history["loss"])
    3
    >>> model.predict(x).shape
    (20, 1)
    >>> model
    Sequential(lstm: LSTM(8), dense: Dense(1), 329 weights, compiled with adam, trained for 3 epochs)
    """

    def __init__(self, layers: Iterable[Layer] = (), *, seed: int = 0) -> None:
        super().__init__(layers, seed)

    # -- shown ------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return str(self._display)

    def _repr_html_(self) -> str:
        return self._display.to_html()

    @property
    def _display(self) -> Display:
        kind, layers = type(self).__name__, tuple(self._layers)
        return Display(kind, layers, self._network, self._params, self._settings, self.epochs_done)

    # -- answers -----------------------------------------------------------------------------------------------

    def predict(
        self,
        x: object,
        *,
        batch_size: int | None = None,
        state: str | State = "fresh",
        reset: object = None,
        mask: object = None,
        return_state: bool = False,
    ) -> Any:
        """Returns the outputs for all rows: `[N, V]`, or `[N, T, V]` where every step has one.

        Arguments as in `evaluate`. For a list of rows of different lengths it returns a list, where every step has
        an answer; "warmup:n" leaves out the answers of the first n steps. With `return_state` it returns
        `(y, State)`: the states in which the N rows ended (or, where rows go on in the next batch, the last ones).

        Raises:
            LifecycleError: the weights are still random; `y, state = model(x)` looks at those.
        """
        x, _, size, reset, mask = unframe(x, None, batch_size, reset, mask, symbols=self._reads_symbols())
        if not self._trained:
            raise LifecycleError(
                "the model was never trained: call model.fit(x, y) first, or set_weights; "
                "y, state = model(x) shows what its random weights answer"
            )
        network = self._build_for(x)
        rows = read_input(network, x, reset, mask)
        size = min(size, rows.rows)
        start = read_start(state, network, rows.rows, size, self.state)
        warn_unused(start, self.state)
        check_warmup(start, rows.steps)
        answers: Any
        answers, states = predict_rows(network, self._params, rows, size, start)
        ended = network.state_of(self._params, states)
        if start.keep:
            self.state = ended
        last = network.layers[-1]
        if isinstance(last, Recurrent) and last.return_state:
            answers = [answers, *(np.asarray(part) for part in parts_of(states[network.names[-1]]).values())]
        return (answers, ended) if return_state else answers

    def __call__(
        self, x: object, state: State | None = None, *, reset: object = None, mask: object = None
    ) -> tuple[Any, State]:
        """Returns `(y, state)`: the outputs for `x [B, T, F]`, and the state after its last step.

        Changes nothing, `model.state` included.

        Args:
            x: input of any number of rows and steps, or a list of rows of different lengths.
            state: where the rows start; None starts them afresh.
            reset: bool `[B, T]`; True starts that row afresh before that step.
            mask: bool `[B, T]`; False skips that step.

        Raises:
            StateError: the state belongs to another network or has another number of rows, or the network reads
                from both ends, so that nothing goes on from it.
        """
        network = self._build_for(x)
        rows = read_input(network, x, reset, mask)
        batch = rows.rows
        fresh = network.initial_state(self._params, batch)
        states = fresh if state is None else network.check_state(state, batch)
        if network.looks_ahead and state is not None and state != network.state_of(self._params, fresh):
            network.check_continuable("model(x, state)")
        if isinstance(rows, RaggedRows):
            answers, after = predict_rows(network, self._params, rows, min(ROWS, batch), Start(rows=states))
            answers = answers if isinstance(answers, list) else jax.device_put(answers)
            return answers, network.state_of(self._params, after)
        y, after = forward_of(network)(self._params, rows.x, states, reset=rows.reset, mask=rows.mask)
        return (rows.restore(np.asarray(y)) if rows.ragged else y), network.state_of(self._params, after)

    # -- streams -----------------------------------------------------------------------------------------------

    def stream(self, *, engine: str = "auto") -> Stream:
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
        return Stream(self.runtime(engine))

    def streams(
        self,
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
        return Streams(self.runtime(engine), max_streams=max_streams, max_age=max_age, on_evict=on_evict)

    def runtime(self, engine: str = "auto") -> Runtime:
        """Returns the network as streams run it, with the weights as they are now; `engine` as in `stream`.

        Any number of `Stream` and `Streams` may share one, in any number of threads.

        Raises:
            StateError: the network reads from both ends.
            MissingExtraError: engine="numba", and it is not installed.
        """
        return Runtime.of(self.network.config(), self.params, engine)

    # -- proof and advice --------------------------------------------------------------------------------------

    def verify(
        self, x: object, *, reset: object = None, mask: object = None, tolerance: float = TOLERANCE
    ) -> Verification:
        """Returns how much the answers for `x` differ when it is cut, padded, ordered, saved or streamed otherwise.

        Args:
            x: as in `predict`; its first 8 rows and 200 steps are looked at.
            reset: as in `predict`.
            mask: as in `predict`.
            tolerance: the largest difference allowed, relative to the largest number of each array or to 1.

        >>> import statewise as sw
        >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
        >>> model.verify([[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]]]).passed
        True
        """
        x, _, _, reset, mask = unframe(x, None, None, reset, mask, symbols=self._reads_symbols())
        network = self._build_for(x)
        return verify(self, read_rows(network, x, reset, mask), tolerance, type(self).from_artifact)

    def memory_report(
        self,
        x: object,
        y: object = None,
        *,
        batch_size: int | None = None,
        sample_weight: object = None,
        reset: object = None,
        mask: object = None,
    ) -> MemoryReport:
        """Returns how many steps back the model uses, from its losses, gradients and gates on these data.

        Arguments as in `evaluate`. For what `lanes(...)` returned it says besides whether carrying the state pays.

        Raises:
            DataError: rows of one step, or a network without memory.
        """
        read, size = self._read(x, y, batch_size, sample_weight, reset, mask)
        samples = padded(read)
        size = min(size, samples.rows)

        def measure(samples: Samples, carry: bool) -> float:
            return self._evaluate(samples, size, Start(carry=carry))[0]["loss"]

        lanes = x.batch_size if isinstance(x, Lanes) else None
        return report_memory(self._programs().objective, self.params, samples, measure, lanes)

    # -- states ------------------------------------------------------------------------------------------------

    def initial_state(self, batch: int) -> State:
        """Returns the state in which `batch` fresh sequences start: zeros, or what `learn_initial_state` learnt."""
        states = self.network.initial_state(self.params, check_whole("batch", batch))
        return self.network.state_of(self._params, states)

    def zero_state(self, batch: int) -> State:
        """Returns a state of zeros for `batch` rows: the initial one, unless that is learnt."""
        return self.network.state_of(self.params, self.network.zero_state(check_whole("batch", batch)))

    def reset_state(self) -> None:
        """Forgets `model.state`, so that what continues starts fresh."""
        self.state = None

    def check_state(self, state: State) -> None:
        """Raises StateError, with what was expected and what came, unless `state` is one of this model's."""
        self.network.check_state(state)
