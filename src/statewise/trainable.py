"""Trainable: a model that is compiled, fitted, evaluated and saved."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, overload

import jax
import numpy as np

from statewise.artifact import Artifact
from statewise.compiled import Compiled
from statewise.data.batches import CheckedBatches, Samples, unpack
from statewise.data.lanes import Lanes
from statewise.data.like_lengths import LikeLengths
from statewise.data.ragged_rows import RaggedRows, padded
from statewise.data.windows import Windows
from statewise.errors import ConfigurationError
from statewise.history import History
from statewise.layers import Embedding
from statewise.network import Network
from statewise.reading import Feed, Validate, arrange, check_batch_size, input_shape_of, read_samples_of, unframe
from statewise.shapes import check_whole
from statewise.start import Start, check_warmup, read_start
from statewise.state import LayerStates, State
from statewise.training.advice import advise
from statewise.training.callbacks import Callback, read_callbacks
from statewise.training.checkpoint import Checkpoint, fingerprint
from statewise.training.epochs import Position, StreamedTraining, Training, evaluate
from statewise.training.loop import run_epochs
from statewise.training.programs import Keys, Layout, Run
from statewise.training.progress import display
from statewise.training.truncation import check_truncation, read_truncation
from statewise.words import plural


class Trainable(Compiled):
    """A stack of layers that learns and is measured; `Sequential` adds what it is learnt for."""

    def _reads_symbols(self) -> bool:
        return any(isinstance(layer, Embedding) for layer in self._layers[:1])

    def _build_for(self, x: object) -> Network:
        """Returns the network, built for `x` if it was not before."""
        if self._network is None:
            self.build(input_shape_of(x))
        return self.network

    # -- fit ---------------------------------------------------------------------------------------------------

    def fit(  # noqa: PLR0913 - Keras's words, all by keyword
        self,
        x: object,
        y: object = None,
        *,
        batch_size: int | None = None,
        epochs: int = 1,
        initial_epoch: int = 0,
        shuffle: bool | None = None,
        sample_weight: object = None,
        validation_data: Sequence[object] | Lanes | Windows | Validate | None = None,
        validation_split: float = 0.0,
        callbacks: Sequence[Callback | Callable[[int, dict[str, float]], bool | None]] = (),
        verbose: int = 1,
        state: str | State = "fresh",
        reset: object = None,
        mask: object = None,
        tbptt: int | tuple[int, int] | str | None = None,
        checkpoint: str | Path | Checkpoint | None = None,
    ) -> History:
        """Trains and returns the loss and metrics of each epoch.

        Ctrl-C ends training after the last finished epoch, whose weights are kept.

        Args:
            x: `[N, T, F]`, or symbols `[N, T]`; a list of arrays `[T, F]` of different lengths; what `lanes(...)`
                or `windows(...)` returned; or an iterable of batches `(x, y)` or `(x, y, sample_weight)` that can
                be gone through once per epoch, for data larger than memory.
            y: targets, as the loss takes them: `[N, V]` one-hot, `[N]` classes, `[N, T]` classes of each step, ...
            batch_size: B; by default 32, or that of the lanes.
            epochs: the number of the last epoch, counted from 1.
            initial_epoch: how many epochs were done before; a resumed training goes on as if it had never stopped.
                A checkpoint knows this itself.
            shuffle: whether rows are shuffled each epoch; by default unless the state is carried. Of rows of very
                different lengths those of like lengths share a batch then (docs/decisions/0019-lengths.md).
            sample_weight: `[N]` or `[N, T]`, multiplied into the loss.
            validation_data: `(x, y)`, `(x, y, sample_weight)`, lanes or windows, evaluated after each epoch; or a
                function that returns its own logs.
                Rows start afresh there, and go on from batch to batch where the state is carried.
            validation_split: share of the samples, the last ones, to validate on instead; of windows those of the end
                in time, which share no value with the others.
            callbacks: `Callback`s, or functions `f(epoch, logs)`.
            verbose: 0 silent, 1 a live bar, 2 a line an epoch.
            state: "fresh" starts every row afresh; "carry" goes on in row r of batch k+1 from row r of batch k,
                afresh at each epoch, and leaves the end in `model.state`; "continue" does so too, but goes on from
                `model.state` and from epoch to epoch, until `model.reset_state()`, as `stateful=True` did in Keras 2
                (a learnt start is learnt only where `reset` says so); "warmup:n" starts afresh, and the first n steps
                only settle the state; a `State` of B rows is where each epoch starts, its end carried from batch to
                batch; a `State` of N rows is where each row starts.
            reset: bool `[N, T]`; True starts that row afresh before that step.
            mask: bool `[N, T]`; False skips that step: no state moves, no loss counts.
            tbptt: truncated back-propagation through time: an update every k steps, whose gradients reach back
                through k; with `(k1, k2)` an update every k1, back through k2 (of k2 < k1 the first k1 - k2 of each
                only move the state); with "random:k" around k (Merity et al. 2018). By default an update a batch,
                back through all its steps.
            checkpoint: a file that holds the training as it goes; if it is there, the training goes on from it,
                bit for bit as if it had not been interrupted, also inside an epoch. What callbacks remember is not
                in it. An Optax transformation cannot be told from another.

        Raises:
            ShapeError, DataError, ConfigurationError, StateError, LifecycleError: something does not fit; nothing
                was trained.
            DivergenceError: the loss became NaN or infinite; the weights are those of the last good epoch.
        """
        self._require_settings()
        check_whole("epochs", epochs)
        check_whole("initial_epoch", initial_epoch, least=0)
        truncation, readers = read_truncation(tbptt), [*display(verbose), *read_callbacks(callbacks)]
        given = {"sample_weight": sample_weight, "reset": reset, "mask": mask}
        feed = self._feed(x, y, batch_size, given, bool(shuffle), validation_data, validation_split)
        start = read_start(state, self.network, feed.rows, feed.size, self._kept(state, afresh=True))
        if start.through:  # from where `_run` begins, whatever epoch it is
            start = replace(start, lanes=None)
        if start.carry and shuffle:
            raise ConfigurationError(
                "shuffle=True with a carried state: shuffled rows do not go on from one another; leave shuffle out"
            )
        check_warmup(start, *feed.all_steps)
        if isinstance(feed.source, CheckedBatches):
            feed.source.least_steps = start.warmup + 1
        check_truncation(truncation, self.network, feed.steps - start.warmup)
        advise(self.network, x, feed.steps, feed.rows, start)
        shuffled = not start.carry if shuffle is None else bool(shuffle)
        feed = feed.arranged(start, shuffled, self.seed)
        layout = feed.layout(start, shuffled, truncation)
        file = checkpoint if isinstance(checkpoint, Checkpoint | None) else Checkpoint(checkpoint, self.to_artifact)
        history, position = History(), Position(self._run(layout), initial_epoch, 0)
        if file is not None and (kept := file.begin(self._description(feed, start, layout, shuffled))) is not None:
            self._restore(kept.artifact)
            history, position = kept.history, kept.position(self._run(layout))
            if verbose:
                sys.stderr.write(f"going on from {file.path}: {plural(position.epoch, 'epoch')} done\n")
            if kept.ended:
                self.history = history
                return history
        one_by_one = feed.validation is not None or any(reader.reads_model for reader in readers)
        training = self._training(feed, position, start, layout, epochs, one_by_one)
        self.history = run_epochs(
            self,
            training,
            epochs,
            readers,
            take=lambda: self._take(training.run, start.keep),
            measure=lambda: self._validate(feed, start.after),
            history=history,
            checkpoint=file,
        )
        return self.history

    def _feed(
        self,
        x: object,
        y: object,
        batch_size: int | None,
        given: dict[str, object],
        shuffle: bool,
        validation_data: Sequence[object] | Lanes | Windows | Validate | None,
        validation_split: float,
    ) -> Feed:
        if validation_data is not None and validation_split:
            raise ConfigurationError("validation_split and validation_data: expected one of them, got both")
        if validation_split and isinstance(x, Windows):
            x, validation_data = x.split(validation_split)
            validation_split = 0.0
        if validation_split and isinstance(x, Lanes):
            raise ConfigurationError(
                "validation_split would cut through the lanes: cut the series before lanes(...), and pass the lanes of "
                "its end as validation_data"
            )
        read = self._read_samples
        if y is None and not isinstance(x, np.ndarray | jax.Array | Lanes | Windows):
            if any(a is not None for a in given.values()) or shuffle or validation_split:
                raise ConfigurationError(
                    "an iterable of batches goes without sample_weight, reset, mask, shuffle and validation_split: "
                    "let it yield (x, y, sample_weight) in the order to train in"
                )
            batches = CheckedBatches(x, lambda *parts: padded(read(*parts)))
            feed = Feed(batches, batches.batch_size, None, check_batch_size(batch_size))
        else:
            source, size = self._read(x, y, batch_size, **given)
            validation: Samples | RaggedRows | None = None
            if validation_split:
                source, validation = source.split(validation_split)
            feed = Feed(source, min(size, source.rows), validation, size)
        if isinstance(validation_data, Lanes | Windows):
            held_out, size = self._read(validation_data, None, None)
            return feed._replace(validation=held_out, validation_size=size)
        if validation_data is None or callable(validation_data):
            return feed if validation_data is None else feed._replace(validation=validation_data)
        return feed._replace(validation=read(*unpack("validation_data", validation_data)))

    def _read_samples(self, x: object, y: object, weight: object = None) -> Samples | RaggedRows:
        return self._read(x, y, None, weight)[0]

    def _read(
        self,
        x: object,
        y: object,
        batch_size: int | None,
        sample_weight: object = None,
        reset: object = None,
        mask: object = None,
    ) -> tuple[Samples | RaggedRows, int]:
        """Returns rows to learn from or to score, and how many make a batch."""
        target = self._require_settings().loss.target
        x, y, size, reset, mask = unframe(x, y, batch_size, reset, mask, symbols=self._reads_symbols())
        return read_samples_of(self._build_for(x), target, x, y, sample_weight, reset, mask), size

    def _training(
        self, feed: Feed, position: Position, start: Start, layout: Layout, epochs: int, one_by_one: bool
    ) -> Training | StreamedTraining:
        programs, run, keys = self._programs(), self._run(layout), Keys.of(self.seed)
        source = feed.source
        if isinstance(source, LikeLengths | CheckedBatches):
            return StreamedTraining(programs, run, position, keys, source, layout, start.lanes, epochs)
        return Training(programs, run, position, keys, padded(source), layout, start.lanes, epochs, one_by_one)

    def _run(self, layout: Layout) -> Run:
        states, order, totals = self._programs().blank(layout.batch_size, layout.order)
        if layout.through and self.state is not None:
            states = self.network.check_state(self.state)
        elif layout.through and self.network.learnt_states(self._params):
            states = self.network.initial_state(self._params, layout.batch_size)
        return Run(self._params, self._optimizer_state, states, order, totals)

    def _take(self, run: Run, keep: bool) -> None:
        self._params, self._optimizer_state, self._trained = run.params, run.optimizer, True
        if keep:
            self.state = self.network.state_of(run.params, run.states)

    def _description(self, feed: Feed, start: Start, layout: Layout, shuffled: bool) -> dict[str, Any]:
        """Returns what must be the same for a training to go on where another was interrupted."""
        options = {
            "batch_size": layout.batch_size,
            "shuffle": shuffled,
            "state": start.describe(),
            "tbptt": None if layout.truncation is None else asdict(layout.truncation),
        }
        compiled = self._require_settings().config()
        data = {} if feed.data is None else fingerprint(feed.data)
        return {"network": self.network.config(), "seed": self.seed, **compiled, **options, **data}

    def _restore(self, artifact: Artifact) -> None:
        """Becomes what a checkpoint of this same model holds."""
        self._take_artifact(artifact)
        self._optimizer_state = None
        self._programs()

    # -- evaluate ----------------------------------------------------------------------------------------------

    @overload
    def evaluate(
        self,
        x: object,
        y: object = None,
        *,
        batch_size: int | None = None,
        sample_weight: object = None,
        state: str | State = "fresh",
        reset: object = None,
        mask: object = None,
        return_dict: Literal[True],
    ) -> dict[str, float]: ...

    @overload
    def evaluate(
        self,
        x: object,
        y: object = None,
        *,
        batch_size: int | None = None,
        sample_weight: object = None,
        state: str | State = "fresh",
        reset: object = None,
        mask: object = None,
        return_dict: Literal[False] = False,
    ) -> float | list[float]: ...

    def evaluate(
        self,
        x: object,
        y: object = None,
        *,
        batch_size: int | None = None,
        sample_weight: object = None,
        state: str | State = "fresh",
        reset: object = None,
        mask: object = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """Returns the loss, or a list of the loss and each metric, or with `return_dict` a dict of them.

        Arguments as in `fit`, except that "carry" goes on from `model.state` (lanes, whose series begin with them,
        start afresh), and leaves the end there; "continue" goes on with lanes too. Nothing else moves `model.state`,
        and nothing here changes what the model has learnt.
        """
        samples, size = self._read(x, y, batch_size, sample_weight, reset, mask)
        size = min(size, samples.rows)
        start = read_start(state, self.network, samples.rows, size, self._kept(state, afresh=isinstance(x, Lanes)))
        check_warmup(start, samples.steps)
        logs, states = self._evaluate(arrange(samples, size, start), size, start)
        if start.keep:
            self.state = self.network.state_of(self.params, states)
        if return_dict:
            return logs
        return logs["loss"] if len(logs) == 1 else list(logs.values())

    def _kept(self, state: object, *, afresh: bool) -> State | None:
        """Returns where carried rows go on from; None if `afresh`, unless they are to continue."""
        return None if afresh and state != "continue" else self.state

    def _evaluate(
        self, samples: Samples | LikeLengths, size: int, start: Start, *, recurring: bool = False
    ) -> tuple[dict[str, float], LayerStates]:
        layout = Layout(size, padded=samples.rows % size != 0, carry=start.carry, warmup=start.warmup)
        states = self.network.initial_state(self.params, size) if start.lanes is None else start.lanes
        return evaluate(self._programs(), self._params, states, samples, layout, recurring=recurring)

    def _validate(self, feed: Feed, start: Start) -> dict[str, float]:
        held_out = feed.validation
        if held_out is None:
            return {}
        if not callable(held_out):
            size = min(feed.validation_size, held_out.rows)
            return self._evaluate(arrange(held_out, size, start), size, start, recurring=True)[0]
        logs = held_out()
        if not isinstance(logs, dict):
            raise ConfigurationError(f"validation_data: expected the function to return a dict of logs, got {logs!r}")
        return logs
