"""fit: trains a model, optionally continuing from a checkpoint."""

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
from statewise.models.freezing import check_trainable
from statewise.models.interface import AnyModel
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


def fit(  # noqa: PLR0913 - Keras's arguments, all by keyword
    model: AnyModel,
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

    Ctrl-C stops the training; the model keeps the weights of the last finished epoch.

    Args:
        x: `[N, T, F]`, or symbols `[N, T]`; a list of arrays `[T, F]` of different lengths; the result of
            `lanes(...)` or `windows(...)`; or, for data larger than memory, an iterable of batches `(x, y)` or
            `(x, y, sample_weight)` that can be iterated once per epoch.
        y: targets, as the loss expects them: `[N, V]` one-hot, `[N]` classes, `[N, T]` a class for each step, ...
        batch_size: B; by default 32, or that of the lanes.
        epochs: how many more epochs to train for. The model counts its epochs in `epochs_done` and derives randomness
            from that count, so that n calls with one epoch equal one call with n.
        initial_epoch: overrides that count with the number of epochs already done; `epochs` is then the number of the
            last epoch, as in Keras.
        shuffle: whether to shuffle rows in each epoch; by default unless the state is carried. If row lengths differ a
            lot, rows of similar lengths then share a batch (docs/decisions/0019-lengths.md).
        sample_weight: `[N]` or `[N, T]`, multiplied into the loss, not into metrics.
        class_weight: a weight for each class, `{0: 1.0, 1: 5.0}`, multiplied into the weights of the rows or steps
            with that target; for losses whose y is one class per row or step. Not applied to validation data.
        validation_data: `(x, y)`, `(x, y, sample_weight)`, lanes or windows, evaluated after each epoch; or a
            function that returns its own logs.
            Validation starts fresh, and carries the state from batch to batch if training does.
        validation_split: fraction of the samples, at the end, to validate on instead; for windows, the last ones in
            time, which share no value with the others.
        callbacks: `Callback`s, or functions `f(epoch, logs)`; one alone, or several in a list.
        verbose: 0 silent, 1 or "auto" a progress bar, 2 one line per epoch.
        state: "fresh" starts every row fresh; "carry" carries the state of row r of batch k to row r of batch k+1,
            starts each epoch fresh, and stores the final state in `model.state`; "continue" is like "carry", but
            starts from `model.state` and carries it from epoch to epoch until `model.reset_state()`, as
            `stateful=True` did in Keras 2 (a learned initial state is trained only at steps where `reset` is True);
            "warmup:n" starts fresh and excludes the first n steps from the loss; a `State` of B rows starts each
            epoch and is carried from batch to batch; a `State` of N rows starts each row.
        reset: bool `[N, T]`; True resets that row to the initial state before that step.
        mask: bool `[N, T]`; False skips that step: the state does not change, no loss counts, and NaN is allowed.
        tbptt: truncated backpropagation through time: an update every k steps, with gradients through k steps; with
            `(k1, k2)` an update every k1 steps, with gradients through k2 (if k2 < k1, the first k1 - k2 only
            advance the state); with "random:k" lengths around k (Merity et al. 2018). By default one update per
            batch, with gradients through all its steps.
        checkpoint: a file where this training is saved as it goes, with the state of callbacks. If it exists, the
            training continues from it exactly as if it had not been interrupted, even in the middle of an epoch.
            Different Optax transformations cannot be distinguished.

    Raises:
        ShapeError, DataError, ConfigurationError, StateError, LifecycleError: an argument is invalid; nothing was
            trained.
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
    check_trainable(network)
    losses = [(target.output, target.loss) for target in settings.targets]
    warn_if_unlearnable(network, losses, x, feed.data, feed.steps, start)
    file = checkpoint if isinstance(checkpoint, Checkpoint | None) else Checkpoint(checkpoint, model.to_artifact)
    return _fit(model, plan, callback_list, file, counted=initial_epoch is None, verbose=bool(verbose))


def _fit(
    model: AnyModel, plan: Plan, callback_list: CallbackList, file: Checkpoint | None, *, counted: bool, verbose: bool
) -> History:
    """Trains as planned; `counted` says whether epochs continue the model's own count."""
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
    if kept is not None and not position.step:  # the same numbers, in the arrays of the training
        run = position.run
        learned = {"params": run.params, "optimizer": run.optimizer, "statistics": run.statistics}
        model.train_state = replace(model.train_state, **learned)
    training = _training(
        model, plan, position, one_by_one=plan.feed.validation is not None or callback_list.reads_model
    )

    def adopt() -> None:
        run, before = training.run, model.train_state
        state = model.network.state_of(run.params, run.states) if plan.start.keep else before.state
        model.train_state = TrainState(
            run.params, run.statistics, True, run.optimizer, {}, state, training.position.epoch
        )

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


def _identity(model: AnyModel, plan: Plan, measured: dict[str, object]) -> Identity:
    described = plan.describe(model.network, model.seed, model.settings)
    checksum = model.train_state.checksum(with_state=plan.start.across_epochs)
    return Identity({**described, **measured}, checksum, plan.first, plan.last)


def _recall(model: AnyModel, kept: Kept, callback_list: CallbackList) -> History:
    """Restores the model and the callbacks from a training that is already finished."""
    callback_list.recall(model, kept.callback_states)
    model.become(kept.artifact)  # as at the end of the training
    model.history = kept.history
    return kept.history


def _training(model: AnyModel, plan: Plan, position: Position, *, one_by_one: bool) -> Training | StreamedTraining:
    run = _run(model, plan.layout) if position.step else position.run  # the result of the last finished epoch
    keys, source, initial = Keys.of(model.seed), plan.feed.source, plan.start.batch
    if isinstance(source, LengthBuckets | CheckedBatches):
        return StreamedTraining(model.programs, run, position, keys, source, plan.layout, initial, plan.last)
    return Training(model.programs, run, position, keys, padded(source), plan.layout, initial, plan.last, one_by_one)


def _run(model: AnyModel, layout: Layout) -> Run:
    """Returns the initial `Run` of a training."""
    states, order, totals = model.programs.fresh(layout.batch_size, layout.order)
    learned, network = model.train_state, model.network
    if layout.across_epochs and learned.state is not None:
        states = network.check_state(learned.state)
    elif layout.across_epochs and network.learned_states(learned.params):
        states = network.initial_state(learned.params, layout.batch_size)
    return Run(learned.params, learned.optimizer, states, order, totals, learned.statistics)
