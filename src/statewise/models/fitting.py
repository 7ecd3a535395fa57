"""fit: trains a model, also from where a checkpoint left it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from statewise.data.batch_iterables import CheckedBatches
from statewise.data.lanes import Lanes
from statewise.data.length_buckets import LengthBuckets
from statewise.data.ragged_rows import padded
from statewise.data.windows import Windows
from statewise.inference.start import read_start
from statewise.models.evaluating import validate
from statewise.models.feed import Validate
from statewise.models.model import Model
from statewise.models.plan import Plan
from statewise.models.reader import Flags
from statewise.models.train_state import TrainState
from statewise.optimizers.optimizer import with_rate_of
from statewise.state import State
from statewise.training.callback_list import CallbackList
from statewise.training.checkpoint import Checkpoint, Identity, Kept
from statewise.training.epoch_count import describe_progress, read_epochs
from statewise.training.epochs import Position, StreamedTraining, Training
from statewise.training.fit_warnings import warn_if_unlearnable
from statewise.training.fitting_callbacks import Callbacks, read_callbacks
from statewise.training.history import History
from statewise.training.loop import run_epochs
from statewise.training.programs import Keys, Layout, Run
from statewise.training.progress import display
from statewise.training.truncation import read_truncation


def fit(  # noqa: PLR0913 - Keras's words, all by keyword
    model: Model,
    x: object,
    y: object = None,
    *,
    batch_size: int | None = None,
    epochs: int = 1,
    initial_epoch: int | None = None,
    shuffle: bool | None = None,
    sample_weight: object = None,
    class_weight: Mapping[int, float] | None = None,
    validation_data: Sequence[object] | Lanes | Windows | Validate | None = None,
    validation_split: float = 0.0,
    callbacks: Callbacks = (),
    verbose: int | str = 1,
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
        class_weight: a weight for each class, `{0: 1.0, 1: 5.0}`, multiplied into the weights of the rows or steps
            whose target it is; for losses of classes, of which y has one a row or step. Not for what is validated on.
        validation_data: `(x, y)`, `(x, y, sample_weight)`, lanes or windows, evaluated after each epoch; or a
            function that returns its own logs.
            Rows start fresh there, and are carried from batch to batch where the state is.
        validation_split: share of the samples, the last ones, to validate on instead; of windows those of the end
            in time, which share no value with the others.
        callbacks: `Callback`s, or functions `f(epoch, logs)`; one alone, or several in a list.
        verbose: 0 silent, 1 or "auto" a live bar, 2 a line an epoch.
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
    settings, reader = model.settings, model.reader
    epoch_range = read_epochs(model.train_state.epochs, epochs, initial_epoch)
    truncation, callback_list = read_truncation(tbptt), CallbackList(display(verbose), read_callbacks(callbacks))
    feed = reader.feed(
        x,
        y,
        batch_size,
        Flags(sample_weight, reset, mask),
        shuffle=shuffle,
        validation_data=validation_data,
        validation_split=validation_split,
        class_weight=class_weight,
    )
    network = model.network
    start = read_start(state, network, feed.rows, feed.size, model.state)
    plan = Plan.of(network, model.seed, feed, start, truncation, shuffle, epoch_range)
    for rows in (feed.source, feed.validation):
        if rows is not None and not callable(rows):
            reader.check_counts(network, rows, start.warmup)
    warn_if_unlearnable(network, settings.loss, x, feed.data, feed.steps, start)
    file = checkpoint if isinstance(checkpoint, Checkpoint | None) else Checkpoint(checkpoint, model.to_artifact)
    return _fit(model, plan, callback_list, file, counted=initial_epoch is None, verbose=bool(verbose))


def _fit(
    model: Model, plan: Plan, callback_list: CallbackList, file: Checkpoint | None, *, counted: bool, verbose: bool
) -> History:
    """Trains as planned; epochs that are `counted` are those of the model's own count."""
    measured = plan.measured_by(model.settings) if callback_list.reads_model or file is not None else None
    position, history, callback_states = Position(_run(model, plan.layout), plan.first, 0), History(), None
    kept = None if file is None else file.begin(_identity(model, plan, measured or {}))
    if file is not None and kept is not None:
        plan = replace(plan, last=plan.last - plan.first + kept.first) if counted else plan
        model.become(kept.artifact)
        history, callback_states, position = kept.history, kept.callback_states, kept.position(_run(model, plan.layout))
        if verbose:
            said = describe_progress(position.epoch - kept.first, plan.last - kept.first, ended=kept.ended)
            sys.stderr.write(f"continuing from {file.path}: {said}\n")
        if kept.final and (kept.ended or position.epoch >= plan.last):
            return _recall(model, kept, callback_list)
    model.history, model.measured = history, measured if callback_list.reads_model else None
    if kept is not None and not position.step:  # the same numbers, in the arrays that the training has
        run = position.run
        model.train_state = replace(model.train_state, params=run.params, optimizer=run.optimizer)
    training = _training(
        model, plan, position, one_by_one=plan.feed.validation is not None or callback_list.reads_model
    )

    def adopt() -> None:
        run, before = training.run, model.train_state
        state = model.network.state_of(run.params, run.states) if plan.start.keep else before.state
        model.train_state = TrainState(run.params, True, run.optimizer, {}, state, training.position.epoch)

    def follow() -> None:
        own, optimizer = training.run.optimizer, model.train_state.optimizer
        if optimizer is not None and optimizer is not own:  # a callback may have set the learning rate
            training.continue_with(with_rate_of(own, optimizer))

    def measure(logs: dict[str, float]) -> dict[str, float]:
        logs = logs | validate(model, plan.feed, plan.start.after)
        model.train_state = replace(model.train_state, logs=logs)
        return logs

    run_epochs(model, training, plan.last, callback_list, adopt, measure, history, file, callback_states, follow=follow)
    return history


def _identity(model: Model, plan: Plan, measured: dict[str, object]) -> Identity:
    described = plan.describe(model.network, model.seed, model.settings)
    checksum = model.train_state.checksum(with_state=plan.start.across_epochs)
    return Identity({**described, **measured}, checksum, plan.first, plan.last)


def _recall(model: Model, kept: Kept, callback_list: CallbackList) -> History:
    """Makes the model, and the callbacks, what a training left that is over already."""
    callback_list.recall(model, kept.callback_states)
    model.become(kept.artifact)  # as the training left it
    model.history = kept.history
    return kept.history


def _training(model: Model, plan: Plan, position: Position, *, one_by_one: bool) -> Training | StreamedTraining:
    run = _run(model, plan.layout) if position.step else position.run  # what the last finished epoch left
    keys, source, initial = Keys.of(model.seed), plan.feed.source, plan.start.batch
    if isinstance(source, LengthBuckets | CheckedBatches):
        return StreamedTraining(model.programs, run, position, keys, source, plan.layout, initial, plan.last)
    return Training(model.programs, run, position, keys, padded(source), plan.layout, initial, plan.last, one_by_one)


def _run(model: Model, layout: Layout) -> Run:
    """Returns where a training begins."""
    states, order, totals = model.programs.fresh(layout.batch_size, layout.order)
    learned, network = model.train_state, model.network
    if layout.across_epochs and learned.state is not None:
        states = network.check_state(learned.state)
    elif layout.across_epochs and network.learned_states(learned.params):
        states = network.initial_state(learned.params, layout.batch_size)
    return Run(learned.params, learned.optimizer, states, order, totals)
