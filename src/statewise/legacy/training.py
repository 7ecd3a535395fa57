"""How a model of Keras's is fitted and scored: as coarsely as its callbacks, states and shuffling allow.

Statewise trains whole epochs in one call, and that is what happens where nobody looks. A callback needs to be called
after each epoch, one that looks at batches after each batch; layers of which only some are stateful are seen to before
each batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import statewise as sw
from statewise.data.batches import NOTHING_COUNTS
from statewise.errors import ConfigurationError, DataError, warn
from statewise.foundation.shapes import check_whole
from statewise.legacy.arrays import Rows
from statewise.legacy.batches import Batches, Samples, as_batches
from statewise.legacy.callback import CallbackList, History, watched
from statewise.legacy.dialect import current
from statewise.legacy.display import Display, read_verbose
from statewise.legacy.errors import unsupported
from statewise.legacy.logs import Logs
from statewise.legacy.options import in_keras_2_words, refuse
from statewise.legacy.spellings import note

if TYPE_CHECKING:
    from statewise.legacy.model import Sequential

THREADS = "workers use_multiprocessing max_queue_size max_q_size nb_worker pickle_safe"
OLD = {"nb_epoch": "epochs"}
IDLE = f"{THREADS} show_accuracy"


class Fit:
    """One call of `fit`."""

    def __init__(self, model: Sequential, display: Display, callbacks: Any, epochs: range, batch_size: int) -> None:
        self.model, self.display, self.epochs, self.batch_size = model, display, epochs, batch_size
        self.history = History()
        params = {
            "epochs": epochs.stop,
            "steps": display.steps,
            "samples": display.samples,
            "batch_size": batch_size,
            "verbose": display.verbose,
            "metrics": model.metrics_names,
        }
        self.callbacks = CallbackList(callbacks, model, params)
        self.quiet = not self.callbacks.callbacks
        self.callbacks.callbacks.append(self.history)
        self.history.set_model(model)
        self.history.set_params(params)
        model.history, model.stop_training = self.history, False
        if not epochs:
            warn(f"fit trains nothing: epochs={epochs.stop} is the number of the last epoch, {epochs.start} were done")

    def finish(self, epoch: int, logs: Logs) -> None:
        """Does what is done after each epoch."""
        self.display.epoch_ends(logs)
        self.callbacks.call("on_epoch_end", epoch, logs)

    def at_once(self, rows: Rows, validation: Rows | None, shuffle: bool) -> None:
        """Trains all epochs in one call."""
        model = self.model
        if self.epochs:
            self.display.epoch_begins(self.epochs.start)
            _fit(model, rows, self.batch_size, len(self.epochs), shuffle, validation, _Reader(self))

    def one_by_one(self, rows: Rows, validation: Batches | None, shuffle: Any) -> None:
        """Trains epoch by epoch, so that callbacks find the model as it is and what they change is kept."""
        model, by_batch = self.model, self.model.by_batch or self.callbacks.want_batches
        mixing = model.stateful or shuffle == "batch" or by_batch  # then statewise does not shuffle

        def learn_epoch() -> Logs:
            ordered = rows.pick(_order(model, len(rows), shuffle, self.batch_size)) if shuffle and mixing else rows
            if by_batch:
                return self.batches(Batches.of(ordered, self.batch_size))
            history = _fit(model, ordered, self.batch_size, 1, bool(shuffle) and not mixing).history
            return model.compiled.logs({name: values[-1] for name, values in history.items()})

        self.epoch_by_epoch(learn_epoch, validation)

    def epoch_by_epoch(self, learn_epoch: Callable[[], Logs], validation: Batches | None) -> None:
        """Calls what trains an epoch and returns its numbers, until the last epoch or a callback ends it."""
        self.callbacks.call("on_train_begin", Logs())
        for epoch in self.epochs:
            self.display.epoch_begins(epoch)
            self.callbacks.call("on_epoch_begin", epoch, Logs())
            logs = learn_epoch()
            if validation is not None:
                self.callbacks.call("on_test_begin", Logs())
                logs |= score(self.model, validation, "val_")
                self.callbacks.call("on_test_end", Logs(logs))
            self.finish(epoch, logs)
            if self.model.stop_training:
                break
        self.callbacks.call("on_train_end", Logs())

    def batches(self, batches: Batches) -> Logs:
        """Trains on each batch, and returns the means of their numbers."""
        model, means = self.model, _Means()
        for number, rows in enumerate(batches):
            self.callbacks.call("on_train_batch_begin", number, Logs(batch=number, size=len(rows)))
            logs = learn(model, rows)
            if answers := model.count_answers(rows.x):
                means.add(logs, len(rows), answers)
            if self.display.live:
                self.display.step(number + 1, means.logs())
            self.callbacks.call("on_train_batch_end", number, Logs(logs, batch=number, size=len(rows)))
            if model.stop_training:
                break
        return means.logs()


class _Reader(sw.Callback):
    """Statewise's view of a fit in which no callback looks at the model."""

    reads_model = False

    def __init__(self, fit: Fit) -> None:
        self._fit, self._shift = fit, fit.epochs.start - fit.model.core.epochs_done

    def on_step(self, record: Any) -> None:
        self._fit.display.step(record.step, self._fit.model.compiled.logs(record.logs))

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> bool | None:
        compiled = self._fit.model.compiled
        own = compiled.logs({name: value for name, value in logs.items() if not name.startswith("val_")})
        validated = {name[4:]: value for name, value in logs.items() if name.startswith("val_")}
        number = epoch + self._shift
        self._fit.finish(number, Logs(own | compiled.logs(validated, "val_")))
        if number + 1 < self._fit.epochs.stop:
            self._fit.display.epoch_begins(number + 1)
        return False


class _Means:
    """Means of the logs of batches: of the loss by their rows, of metrics by the answers that count in them."""

    def __init__(self) -> None:
        self._sums, self._rows, self._answers = Logs(), 0, 0

    def add(self, logs: Mapping[str, float], rows: int, answers: int) -> None:
        """Adds a batch."""
        for name, value in logs.items():
            weight = rows if name == "loss" else answers
            self._sums[name] = dict.get(self._sums, name, 0.0) + value * weight
        self._rows, self._answers = self._rows + rows, self._answers + answers

    def logs(self) -> Logs:
        """Returns the means so far."""
        counts = {"loss": self._rows}
        return Logs({name: total / counts.get(name, self._answers) for name, total in self._sums.items()})

    @property
    def empty(self) -> bool:
        """Whether nothing was added."""
        return self._rows == 0


def _order(model: Sequential, rows: int, shuffle: Any, batch_size: int) -> np.ndarray[Any, Any]:
    """Returns the rows in the order of this epoch; with "batch" whole batches change places."""
    rng = np.random.default_rng([model.core.seed, model.core.epochs_done])
    if shuffle != "batch":
        return rng.permutation(rows)
    whole = rows - rows % batch_size
    batches = np.arange(whole).reshape(-1, batch_size)
    return np.concatenate([rng.permutation(batches).reshape(-1), np.arange(whole, rows)])


def _fit(
    model: Sequential,
    rows: Rows,
    batch_size: int,
    epochs: int,
    shuffle: bool,
    validation: Rows | None = None,
    reader: sw.Callback | None = None,
) -> sw.History:
    """Returns the history of so many epochs of statewise's."""
    history = model.core.fit(
        rows.x,
        rows.y,
        batch_size=batch_size,
        epochs=epochs,
        shuffle=shuffle,
        sample_weight=rows.weight,
        validation_data=_parts(validation),
        callbacks=() if reader is None else (reader,),
        verbose=0,
        state=model.states.word,
    )
    if history.interrupted:
        raise KeyboardInterrupt
    return history


def _parts(rows: Rows | None) -> tuple[Any, ...] | None:
    return None if rows is None else tuple(part for part in (rows.x, rows.y, rows.weight) if part is not None)


def learn(model: Sequential, rows: Rows) -> Logs:
    """Returns the loss and metrics of one batch, from before the update that it makes."""
    model.states.forget()
    history = _fit(model, rows, len(rows), 1, shuffle=False)
    return model.compiled.logs({name: values[0] for name, values in history.history.items()})


def _evaluate(model: Sequential, rows: Rows, batch_size: int) -> dict[str, float]:
    return model.core.evaluate(
        rows.x, rows.y, batch_size=batch_size, sample_weight=rows.weight, state=model.states.word, return_dict=True
    )


def score(model: Sequential, batches: Batches, prefix: str = "") -> Logs:
    """Returns the loss and metrics over batches, which move the states of stateful layers as in Keras 2."""
    means = _Means()
    if batches.rows is not None and not model.by_batch:
        means.add(_evaluate(model, batches.rows, batches.batch_size), 1, 1)
    else:
        for rows in batches:
            model.states.forget()
            if answers := model.count_answers(rows.x):
                means.add(_evaluate(model, rows, len(rows)), len(rows), answers)
        if means.empty:
            raise DataError(NOTHING_COUNTS)
    return model.compiled.logs(means.logs(), prefix)


# -- what Sequential has as its methods --------------------------------------------------------------------------------


@in_keras_2_words("fit", OLD, IDLE)
def fit(
    self: Sequential,
    x: Any = None,
    y: Any = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    verbose: Any = 1,
    callbacks: Any = None,
    validation_split: float = 0.0,
    validation_data: Any = None,
    shuffle: Any = True,
    class_weight: Mapping[int, float] | None = None,
    sample_weight: Any = None,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    validation_steps: int | None = None,
    validation_batch_size: int | None = None,
    validation_freq: int = 1,
) -> History:
    """Trains, and returns the History."""
    if validation_freq != 1:
        raise unsupported(
            f"fit(validation_freq={validation_freq!r})", "validation comes after each epoch; leave it out"
        )
    if y is None:
        return fit_generator(
            self, x, steps_per_epoch, _epochs(epochs), verbose, callbacks, validation_data, validation_steps,
            class_weight, shuffle, initial_epoch,
        )  # fmt: skip
    refuse("fit", "rows and batch_size say it; leave it out where x is an array", steps_per_epoch=steps_per_epoch)
    rows, validation = self.read(x, y, sample_weight, class_weight), None
    if validation_data is not None and not isinstance(validation_data, tuple | list):
        raise ConfigurationError("validation_data: expected (x, y), as x and y are arrays")
    if validation_data is not None:
        validation = self.read(*validation_data)
    elif validation_split:
        rows, validation = rows.split(validation_split)
    if self.count_answers(rows.x) == 0 or (rows.weight is not None and not np.any(rows.weight)):
        raise DataError(NOTHING_COUNTS)
    size = self.states.check(len(rows), batch_size)
    validation_size = size if validation_batch_size is None else validation_batch_size
    if validation is not None:
        validation_size = self.states.check(len(validation), validation_size)
        validation = validation.first(validation_steps, validation_size)
    steps = -(-len(rows) // size)
    display = Display(
        read_verbose(verbose), _epochs(epochs), steps, len(rows), 0 if validation is None else len(validation)
    )
    run = Fit(self, display, callbacks, range(initial_epoch, _epochs(epochs)), size)
    if validation is not None:
        run.callbacks.show(validation)
    display.begin()
    plain = not (self.by_batch or (self.stateful and (shuffle or validation is not None))) and validation_size == size
    if run.quiet and plain and shuffle != "batch":
        run.at_once(rows, validation, bool(shuffle))
    else:
        run.one_by_one(rows, None if validation is None else Batches.of(validation, validation_size), shuffle)
    return run.history


@in_keras_2_words("fit_generator", OLD, IDLE)
def fit_generator(
    self: Sequential,
    generator: Any,
    steps_per_epoch: int | None = None,
    epochs: int | None = None,
    verbose: Any = 1,
    callbacks: Any = None,
    validation_data: Any = None,
    validation_steps: int | None = None,
    class_weight: Mapping[int, float] | None = None,
    shuffle: Any = True,
    initial_epoch: int = 0,
    samples_per_epoch: int | None = None,
    nb_val_samples: int | None = None,
) -> History:
    """Trains on what a generator or a Sequence yields, batch by batch, and returns the History."""
    steps = counted_steps("fit_generator(samples_per_epoch=)", steps_per_epoch, samples_per_epoch)
    batches = as_batches(self, generator, steps, class_weight, shuffle=bool(shuffle))
    validation = None
    if validation_data is not None:
        steps = counted_steps("fit_generator(nb_val_samples=)", validation_steps, nb_val_samples)
        validation = as_batches(self, validation_data, steps, called="validation_steps")
    display = Display(read_verbose(verbose), _epochs(epochs), batches.steps, batches.samples)
    run = Fit(self, display, callbacks, range(initial_epoch, _epochs(epochs)), batches.batch_size)
    run.epoch_by_epoch(lambda: run.batches(batches), validation)
    return run.history


def counted_steps(call: str, steps: float | None, samples: int | None) -> float | Samples | None:
    """Returns how many batches to take, or, as Keras 1 said it, how many samples."""
    if samples is None:
        return steps
    note(call, "model.fit(batches) goes through an iterable once an epoch")
    return Samples(samples)


def _epochs(epochs: int | None) -> int:
    """Returns how many epochs a fit has, where nothing is said as many as that Keras had."""
    return (10 if current().name == "keras1" else 1) if epochs is None else check_whole("epochs", epochs, 0)


def _values(logs: Logs) -> Any:
    """Returns the loss, or a list of the loss and each metric."""
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


@in_keras_2_words("train_on_batch", None, "accuracy")
def train_on_batch(
    self: Sequential, x: Any, y: Any, sample_weight: Any = None, class_weight: Mapping[int, float] | None = None
) -> Any:
    """Returns the loss, or a list of it and the metrics, of a batch, and makes one update."""
    rows = self.read(x, y, sample_weight, class_weight)
    self.states.check_batch(len(rows))
    return _values(learn(self, rows))


@in_keras_2_words("test_on_batch", None, "accuracy")
def test_on_batch(self: Sequential, x: Any, y: Any, sample_weight: Any = None) -> Any:  # noqa: PT028 - no test
    """Returns the loss, or a list of it and the metrics, of a batch."""
    rows = self.read(x, y, sample_weight)
    self.states.check_batch(len(rows))
    return _values(score(self, Batches.of(rows, len(rows))))


@in_keras_2_words("evaluate", None, IDLE)
def evaluate(
    self: Sequential,
    x: Any = None,
    y: Any = None,
    batch_size: int | None = None,
    verbose: Any = 1,
    sample_weight: Any = None,
    steps: int | None = None,
    callbacks: Any = None,
    return_dict: bool = False,
) -> Any:
    """Returns the loss, or a list of it and the metrics."""
    if y is None:
        return evaluate_generator(self, x, steps, callbacks)
    rows = self.read(x, y, sample_weight)
    size = self.states.check(len(rows), batch_size)
    rows = rows.first(steps, size)
    display = Display(read_verbose(verbose), 1, -(-len(rows) // size), len(rows))
    with watched(self, callbacks, "test"):
        logs = score(self, Batches.of(rows, size))
    display.scored(logs)
    return dict(logs) if return_dict else _values(logs)


@in_keras_2_words("evaluate_generator", None, f"{IDLE} verbose")
def evaluate_generator(
    self: Sequential, generator: Any, steps: int | None = None, callbacks: Any = None, val_samples: int | None = None
) -> Any:
    """Returns the loss, or a list of it and the metrics, over what a generator yields."""
    counted = counted_steps("evaluate_generator(val_samples=)", steps, val_samples)
    with watched(self, callbacks, "test"):
        return _values(score(self, as_batches(self, generator, counted, called="steps")))
