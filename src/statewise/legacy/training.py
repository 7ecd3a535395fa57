"""How a Keras model is trained and scored: in as few calls as its callbacks, states and shuffling allow.

Statewise trains whole epochs in one call, and that is what happens if nothing looks at the model in between. A callback
has to be called after each epoch, one that looks at batches after each batch; if only some layers are stateful, the
others are reset before each batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

import statewise as sw
from statewise.data.batches import NOTHING_COUNTS
from statewise.errors import DataError, warn
from statewise.foundation.shapes import Array
from statewise.legacy import states
from statewise.legacy.arrays import Rows
from statewise.legacy.batches import Batches
from statewise.legacy.callback import CallbackList, History
from statewise.legacy.display import Display
from statewise.legacy.logs import Logs
from statewise.legacy.stack import Stack


def by_batch(model: Stack) -> bool:
    """Returns whether statewise has to be called for each batch.

    This is the case if some recurrent layers keep their state and others do not, and if steps with an answer are
    masked: Keras's loss is the mean of the batches' means, however many steps count in each.
    """
    return states.mixed(model) or _masks_answers(model)


def count_answers(model: Stack, x: Array) -> int:
    """Returns how many answers to `x` count, or the number of rows if each has the same number."""
    if not _masks_answers(model):
        return len(x)
    mask = model.core.network.mask_of_answers(jnp.asarray(x), None)
    return len(x) if mask is None else int(jnp.broadcast_to(mask, (len(x), mask.shape[1])).sum())


def _masks_answers(model: Stack) -> bool:
    masks = any(isinstance(layer.core, sw.Masking) or layer.options.get("mask_zero") for layer in model.layers[:1])
    return masks and model.core.network.answers_each_step


class Fit:
    """One call of `fit`."""

    def __init__(self, model: Stack, display: Display, callbacks: Any, epochs: range, batch_size: int) -> None:
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
        """Does the work after each epoch."""
        self.display.epoch_ends(logs)
        self.callbacks.call("on_epoch_end", epoch, logs)

    def on_rows(self, rows: Rows, validation: Batches | None, shuffle: Any) -> None:
        """Trains on rows in memory, all epochs in one call where nothing looks at the model between them."""
        model = self.model
        if validation is not None and validation.rows is not None:
            self.callbacks.show(validation.rows)
        self.display.begin()
        mixing = shuffle == "batch" or by_batch(model) or (model.stateful and (shuffle or validation is not None))
        if self.quiet and not mixing and (validation is None or validation.batch_size == self.batch_size):
            self.at_once(rows, None if validation is None else validation.rows, bool(shuffle))
        else:
            self.one_by_one(rows, validation, shuffle)

    def at_once(self, rows: Rows, validation: Rows | None, shuffle: bool) -> None:
        """Trains all epochs in one call."""
        model = self.model
        if self.epochs:
            self.display.epoch_begins(self.epochs.start)
            _fit(model, rows, self.batch_size, len(self.epochs), shuffle, validation, _Reader(self))

    def one_by_one(self, rows: Rows, validation: Batches | None, shuffle: Any) -> None:
        """Trains epoch by epoch, so that callbacks see the current model and what they change is kept."""
        model, each_batch = self.model, by_batch(self.model) or self.callbacks.want_batches
        mixing = model.stateful or shuffle == "batch" or each_batch  # then statewise does not shuffle

        def learn_epoch() -> Logs:
            ordered = rows.pick(_order(model, len(rows), shuffle, self.batch_size)) if shuffle and mixing else rows
            if each_batch:
                return self.batches(Batches.of(ordered, self.batch_size))
            history = _fit(model, ordered, self.batch_size, 1, bool(shuffle) and not mixing).history
            return model.compiled.logs({name: values[-1] for name, values in history.items()})

        self.epoch_by_epoch(learn_epoch, validation)

    def epoch_by_epoch(self, learn_epoch: Callable[[], Logs], validation: Batches | None) -> None:
        """Calls `learn_epoch` until the last epoch, or until a callback ends the training."""
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
            if answers := count_answers(model, rows.x):
                means.add(logs, len(rows), answers)
            if self.display.live:
                self.display.step(number + 1, means.logs())
            self.callbacks.call("on_train_batch_end", number, Logs(logs, batch=number, size=len(rows)))
            if model.stop_training:
                break
        return means.logs()


class _Reader(sw.Callback):
    """The callback through which statewise reports a fit in which no callback looks at the model."""

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


def _order(model: Stack, rows: int, shuffle: Any, batch_size: int) -> np.ndarray[Any, Any]:
    """Returns the rows in the order of this epoch; "batch" shuffles whole batches."""
    rng = np.random.default_rng([model.core.seed, model.core.epochs_done])
    if shuffle != "batch":
        return rng.permutation(rows)
    whole = rows - rows % batch_size
    batches = np.arange(whole).reshape(-1, batch_size)
    return np.concatenate([rng.permutation(batches).reshape(-1), np.arange(whole, rows)])


def _fit(
    model: Stack,
    rows: Rows,
    batch_size: int,
    epochs: int,
    shuffle: bool,
    validation: Rows | None = None,
    reader: sw.Callback | None = None,
) -> sw.History:
    """Returns the history of statewise's epochs."""
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
        state=states.word(model),
    )
    if history.interrupted:
        raise KeyboardInterrupt
    return history


def _parts(rows: Rows | None) -> tuple[Any, ...] | None:
    return None if rows is None else tuple(part for part in (rows.x, rows.y, rows.weight) if part is not None)


def learn(model: Stack, rows: Rows) -> Logs:
    """Returns the loss and metrics of one batch, from before its update."""
    states.forget(model)
    history = _fit(model, rows, len(rows), 1, shuffle=False)
    return model.compiled.logs({name: values[0] for name, values in history.history.items()})


def _evaluate(model: Stack, rows: Rows, batch_size: int) -> dict[str, float]:
    return model.core.evaluate(
        rows.x, rows.y, batch_size=batch_size, sample_weight=rows.weight, state=states.word(model), return_dict=True
    )


def score(model: Stack, batches: Batches, prefix: str = "") -> Logs:
    """Returns the loss and metrics over batches, which change the states of stateful layers as in Keras 2."""
    means = _Means()
    if batches.rows is not None and not by_batch(model):
        means.add(_evaluate(model, batches.rows, batches.batch_size), 1, 1)
    else:
        for rows in batches:
            states.forget(model)
            if answers := count_answers(model, rows.x):
                means.add(_evaluate(model, rows, len(rows)), len(rows), answers)
        if means.empty:
            raise DataError(NOTHING_COUNTS)
    return model.compiled.logs(means.logs(), prefix)
