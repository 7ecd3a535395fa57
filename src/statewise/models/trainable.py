"""Trainable: a model that is compiled, fitted, evaluated and saved."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, overload

import jax
import numpy as np

from statewise.data.batches import NOTHING_COUNTS, Samples
from statewise.data.iterable import CheckedBatches, unpack
from statewise.data.lanes import Lanes
from statewise.data.like_lengths import LikeLengths
from statewise.data.ragged_rows import RaggedRows, padded
from statewise.data.windows import Windows
from statewise.errors import ConfigurationError, DataError, StatewiseError
from statewise.foundation.forks import check_process
from statewise.foundation.shapes import is_number
from statewise.inference.rows import counts, input_shape_of, read_samples_of
from statewise.inference.start import Start, check_warmup, read_start, warn_unused
from statewise.layers import Embedding
from statewise.models.compiled import Compiled
from statewise.models.feed import Feed, Validate, arrange, check_batch_size, unframe
from statewise.network import Network
from statewise.state import LayerStates, State
from statewise.training.advice import advise, advise_split
from statewise.training.audience import Audience
from statewise.training.callbacks import Callback, read_callbacks
from statewise.training.checkpoint import Checkpoint, Identity, fingerprint
from statewise.training.count import read_epochs, say_left
from statewise.training.epochs import Position, StreamedTraining, Training, evaluate
from statewise.training.heads import one_output
from statewise.training.history import History
from statewise.training.loop import run_epochs
from statewise.training.programs import Keys, Layout, Run
from statewise.training.progress import display
from statewise.training.truncation import Truncation, check_truncation, read_truncation


class Trainable(Compiled):
    """A stack of layers that learns and is measured; `Sequential` adds what it is learned for."""

    def _reads_symbols(self) -> bool:
        return any(isinstance(layer, Embedding) for layer in self._layers[:1])

    def _build_for(self, x: object) -> Network:
        """Returns the network, built for `x` if it was not before, to be run in this process."""
        check_process()
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
        initial_epoch: int | None = None,
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
            epochs: how many epochs to train for, from where the model is: it counts the epochs it was trained for, in
                `epochs_done`, and draws from that number, so that n calls of one epoch equal one call of n.
            initial_epoch: overrides that count: how many epochs were done before; `epochs` is then the number of the
                last one, as in Keras.
            shuffle: whether rows are shuffled each epoch; by default unless the state is carried. Of rows of very
                different lengths those of like lengths share a batch then (docs/decisions/0019-lengths.md).
            sample_weight: `[N]` or `[N, T]`, multiplied into the loss, not into metrics.
            validation_data: `(x, y)`, `(x, y, sample_weight)`, lanes or windows, evaluated after each epoch; or a
                function that returns its own logs.
                Rows start fresh there, and are carried from batch to batch where the state is.
            validation_split: share of the samples, the last ones, to validate on instead; of windows those of the end
                in time, which share no value with the others.
            callbacks: `Callback`s, or functions `f(epoch, logs)`.
            verbose: 0 silent, 1 a live bar, 2 a line an epoch.
            state: "fresh" starts every row fresh; "carry" carries the state of row r of batch k to row r of batch k+1,
                starts fresh at each epoch, and leaves the end in `model.state`; "continue" does so too, but starts from
                `model.state` and carries it from epoch to epoch, until `model.reset_state()`, as `stateful=True` did
                in Keras 2 (a learned start is learned only where `reset` says so); "warmup:n" starts fresh, and the
                first n steps only settle the state; a `State` of B rows is where each epoch starts, its end carried
                from batch to batch; a `State` of N rows is where each row starts.
            reset: bool `[N, T]`; True starts that row afresh before that step.
            mask: bool `[N, T]`; False skips that step: no state moves, no loss counts, and NaN may stand there.
            tbptt: truncated back-propagation through time: an update every k steps, whose gradients reach back
                through k; with `(k1, k2)` an update every k1, back through k2 (of k2 < k1 the first k1 - k2 of each
                only move the state); with "random:k" around k (Merity et al. 2018). By default an update a batch,
                back through all its steps.
            checkpoint: a file that holds this training as it goes, what callbacks remember included; if it is there,
                the training continues from it, bit for bit as if it had not been interrupted, also inside an epoch.
                Different Optax transformations cannot be distinguished.

        Raises:
            ShapeError, DataError, ConfigurationError, StateError, LifecycleError: something does not fit; nothing
                was trained.
            DivergenceError: the loss became NaN or infinite; the weights are those of the last good epoch.
        """
        self._require_settings()
        first, last = read_epochs(self.epochs_done, epochs, initial_epoch)
        truncation, audience = read_truncation(tbptt), Audience(display(verbose), read_callbacks(callbacks))
        given = {"sample_weight": sample_weight, "reset": reset, "mask": mask}
        feed = self._feed(x, y, batch_size, given, bool(shuffle), validation_data, validation_split)
        start = read_start(state, self.network, feed.rows, feed.size, self.state)
        if start.through:  # from where `_run` begins, whatever epoch it is
            start = replace(start, lanes=None)
        if start.carry and shuffle:
            raise ConfigurationError(
                "shuffle=True with a carried state: shuffled rows do not continue one another; leave shuffle out"
            )
        self._check_learnable(feed, start, truncation)
        advise(self.network, self._require_settings().loss, x, feed.data, feed.steps, start)
        shuffled = not start.carry if shuffle is None else bool(shuffle)
        feed = feed.arranged(start, shuffled, self.seed)
        layout = feed.layout(start, shuffled, truncation)
        file = checkpoint if isinstance(checkpoint, Checkpoint | None) else Checkpoint(checkpoint, self.to_artifact)
        history, position, memory = History(), Position(self._run(layout), first, 0), None
        measured = self._measured_by(feed) if audience.reads_model or file is not None else None
        kept = None
        if file is not None:
            described = {**self._description(start, layout, shuffled), **(measured or {})}
            kept = file.begin(Identity(described, self._checksum(start), first, last))
        if file is not None and kept is not None:
            last = last if initial_epoch is not None else last - first + kept.first
            self._take_artifact(kept.artifact)
            history, memory, position = kept.history, kept.memory, kept.position(self._run(layout))
            if verbose:
                said = say_left(position.epoch - kept.first, last - kept.first, ended=kept.ended)
                sys.stderr.write(f"continuing from {file.path}: {said}\n")
            if kept.final and (kept.ended or position.epoch >= last):
                audience.recall(self, kept.memory)
                self._take_artifact(kept.artifact)  # as the training left it
                self.history = history
                return history
        self.history, self.measured = history, measured if audience.reads_model else None
        one_by_one = feed.validation is not None or audience.reads_model
        training = self._training(feed, position, start, layout, last, one_by_one)
        run_epochs(
            self,
            training,
            last,
            audience,
            take=lambda: self._take(training, start.keep),
            measure=lambda logs: self._measure(logs, feed, start.after),
            history=history,
            checkpoint=file,
            memory=memory,
        )
        return history

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
            batches = CheckedBatches(
                x, lambda *parts: padded(read(*parts)), lambda samples: counts(self.network, samples)
            )
            feed = Feed(batches, batches.batch_size, None, check_batch_size(batch_size))
        else:
            source, size = self._read(x, y, batch_size, **given)
            validation: Samples | RaggedRows | None = None
            if validation_split:
                whole = source
                source, validation = whole.split(validation_split)
                if isinstance(whole, Samples):
                    advise_split(whole, source.rows)
            feed = Feed(source, min(size, source.rows), validation, size)
        if isinstance(validation_data, Lanes | Windows):
            held_out, size = self._read(validation_data, None, None)
            return feed._replace(validation=held_out, validation_size=size)
        if validation_data is None or callable(validation_data):
            return feed if validation_data is None else feed._replace(validation=validation_data)
        return feed._replace(validation=read(*unpack("validation_data", validation_data)))

    def _check_learnable(self, feed: Feed, start: Start, truncation: Truncation | None) -> None:
        """Objects to a training in which nothing can be learned, or whose steps are too few."""
        check_warmup(start, *feed.all_steps)
        if isinstance(feed.source, CheckedBatches):
            feed.source.least_steps = start.warmup + 1
        check_truncation(truncation, self.network, feed.steps - start.warmup)
        for samples in (feed.source, feed.validation):
            if isinstance(samples, Samples | RaggedRows):
                self._check_counts(samples, start)

    def _check_counts(self, samples: Samples | RaggedRows, start: Start) -> None:
        if not counts(self.network, samples, start.warmup):
            self._object_to(DataError(NOTHING_COUNTS))

    def _object_to(self, error: StatewiseError) -> None:
        """Raises `error`, since what it says cannot learn; Keras's scripts, which went on, are only told."""
        raise error

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
        settings = self._require_settings()
        x, y, size, reset, mask = unframe(x, y, batch_size, reset, mask, symbols=self._reads_symbols())
        network, target, measured = self._build_for(x), settings.loss.target, bool(settings.metrics)
        if (error := one_output(network, settings.loss)) is not None:
            self._object_to(error)
        return read_samples_of(network, target, x, y, sample_weight, reset, mask, measured=measured), size

    def _training(
        self, feed: Feed, position: Position, start: Start, layout: Layout, epochs: int, one_by_one: bool
    ) -> Training | StreamedTraining:
        programs, keys = self._programs(), Keys.of(self.seed)
        run = self._run(layout) if position.step else position.run  # what the last finished epoch left
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

    def _take(self, training: Training | StreamedTraining, keep: bool) -> None:
        run = training.run
        self._params, self._optimizer_state, self._trained = run.params, run.optimizer, True
        self.epochs_done, self._logs = training.position.epoch, None
        if keep:
            self.state = self.network.state_of(run.params, run.states)

    def _measure(self, logs: dict[str, float], feed: Feed, start: Start) -> dict[str, float]:
        """Returns the logs of the epoch that the model has behind it, with those of validation."""
        self._logs = logs | {f"val_{name}": value for name, value in self._validate(feed, start).items()}
        return self._logs

    def _checksum(self, start: Start) -> int:
        """Returns by what is known again where a training begins: weights, unless they are random, optimizer, state."""
        self._programs()
        weights, state = self._params if self._trained else None, self.state if start.through else None
        leaves = jax.tree.leaves((weights, self._optimizer_state, state))
        return zlib.crc32(b"".join(np.asarray(leaf).tobytes() for leaf in leaves))

    def _description(self, start: Start, layout: Layout, shuffled: bool) -> dict[str, Any]:
        """Returns what must be the same for a training to continue where another was interrupted."""
        options = {
            "batch_size": layout.batch_size,
            "shuffle": shuffled,
            "state": start.describe(),
            "tbptt": None if layout.truncation is None else asdict(layout.truncation),
        }
        compiled = self._require_settings().config()
        return {"network": self.network.config(), "seed": self.seed, **compiled, **options}

    def _measured_by(self, feed: Feed) -> dict[str, Any]:
        """Returns what logs are measured by; an iterable of batches, or a function of one's own, has no checksum."""
        validation = feed.validation
        rows = validation.source if isinstance(validation, LikeLengths) else validation
        return {
            "loss": self._require_settings().config()["loss"],
            "data": None if feed.data is None else fingerprint(feed.data),
            "validation": fingerprint(rows) if isinstance(rows, Samples | RaggedRows) else None,
        }

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

        Arguments as in `fit`: "carry" starts fresh and leaves the end in `model.state`, "continue" starts from there.
        Nothing else moves `model.state`, and nothing here changes what the model has learned.
        """
        samples, size = self._read(x, y, batch_size, sample_weight, reset, mask)
        size = min(size, samples.rows)
        start = read_start(state, self.network, samples.rows, size, self.state)
        warn_unused(start, self.state)
        check_warmup(start, samples.steps)
        self._check_counts(samples, start)
        logs, states = self._evaluate(arrange(samples, size, start), size, start)
        if start.keep:
            self.state = self.network.state_of(self.params, states)
        if return_dict:
            return logs
        return logs["loss"] if len(logs) == 1 else list(logs.values())

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
        if not isinstance(logs, dict) or not all(is_number(value) for value in logs.values()):
            raise ConfigurationError(
                f"validation_data: expected the function to return a dict of logs, numbers by name, got {logs!r:.80}"
            )
        return logs
