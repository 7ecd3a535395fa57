"""A Keras model that is trained and scored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from statewise.data.batches import NOTHING_COUNTS
from statewise.errors import ConfigurationError, DataError
from statewise.foundation.shapes import check_whole
from statewise.legacy import states
from statewise.legacy.batches import THREADS, Batches, as_batches, counted_steps
from statewise.legacy.callback import History, watched
from statewise.legacy.dialect import current
from statewise.legacy.display import Display, read_verbose
from statewise.legacy.errors import unsupported
from statewise.legacy.logs import Logs
from statewise.legacy.options import in_keras_2_words, refuse
from statewise.legacy.stack import Stack
from statewise.legacy.training import Fit, count_answers, learn, score
from statewise.phrasebook.arguments import KERAS_NAMES
from statewise.phrasebook.reasons import ALL_EPOCHS

OLD = KERAS_NAMES["fit"]
IDLE = f"{THREADS} show_accuracy"


class Trainable(Stack):
    """A stack of layers with Keras's methods for training and evaluation."""

    @in_keras_2_words("fit", OLD, IDLE)
    def fit(
        self,
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
            raise unsupported(f"fit(validation_freq={validation_freq!r})", ALL_EPOCHS.said())
        if y is None:
            return self.fit_generator(
                x, steps_per_epoch, _epochs(epochs), verbose, callbacks, validation_data, validation_steps,
                class_weight, shuffle, initial_epoch,
            )  # fmt: skip
        refuse("fit", "rows and batch_size set it; leave it out if x is an array", steps_per_epoch=steps_per_epoch)
        rows, held_out = self.read(x, y, sample_weight, class_weight), None
        if validation_data is not None and not isinstance(validation_data, tuple | list):
            raise ConfigurationError("validation_data: expected (x, y), as x and y are arrays")
        if validation_data is not None:
            held_out = self.read(*validation_data)
        elif validation_split:
            rows, held_out = rows.split(validation_split)
        if count_answers(self, rows.x) == 0 or (rows.weight is not None and not np.any(rows.weight)):
            raise DataError(NOTHING_COUNTS)
        size, validation = states.check_rows(self, len(rows), batch_size), None
        if held_out is not None:
            given = size if validation_batch_size is None else validation_batch_size
            validation_size = states.check_rows(self, len(held_out), given)
            validation = Batches.of(held_out.first(validation_steps, validation_size), validation_size)
        validated = 0 if validation is None else validation.samples
        display = Display(read_verbose(verbose), _epochs(epochs), -(-len(rows) // size), len(rows), validated)
        run = Fit(self, display, callbacks, range(initial_epoch, _epochs(epochs)), size)
        run.on_rows(rows, validation, shuffle)
        return run.history

    @in_keras_2_words("fit_generator", OLD, IDLE)
    def fit_generator(
        self,
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

    @in_keras_2_words("train_on_batch", None, "accuracy")
    def train_on_batch(
        self, x: Any, y: Any, sample_weight: Any = None, class_weight: Mapping[int, float] | None = None
    ) -> Any:
        """Returns the loss, or a list of it and the metrics, of a batch, and makes one update."""
        rows = self.read(x, y, sample_weight, class_weight)
        states.check_batch(self, len(rows))
        return _values(learn(self, rows))

    @in_keras_2_words("test_on_batch", None, "accuracy")
    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> Any:
        """Returns the loss, or a list of it and the metrics, of a batch."""
        rows = self.read(x, y, sample_weight)
        states.check_batch(self, len(rows))
        return _values(score(self, Batches.of(rows, len(rows))))

    @in_keras_2_words("evaluate", None, IDLE)
    def evaluate(
        self,
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
            return self.evaluate_generator(x, steps, callbacks)
        rows = self.read(x, y, sample_weight)
        size = states.check_rows(self, len(rows), batch_size)
        rows = rows.first(steps, size)
        display = Display(read_verbose(verbose), 1, -(-len(rows) // size), len(rows))
        with watched(self, callbacks, "test"):
            logs = score(self, Batches.of(rows, size))
        display.scored(logs)
        return dict(logs) if return_dict else _values(logs)

    @in_keras_2_words("evaluate_generator", None, f"{IDLE} verbose")
    def evaluate_generator(
        self, generator: Any, steps: int | None = None, callbacks: Any = None, val_samples: int | None = None
    ) -> Any:
        """Returns the loss, or a list of it and the metrics, over what a generator yields."""
        counted = counted_steps("evaluate_generator(val_samples=)", steps, val_samples)
        with watched(self, callbacks, "test"):
            return _values(score(self, as_batches(self, generator, counted, called="steps")))


def _epochs(epochs: int | None) -> int:
    """Returns the number of epochs of a fit; the default is that of the script's Keras."""
    return (10 if current().name == "keras1" else 1) if epochs is None else check_whole("epochs", epochs, 0)


def _values(logs: Logs) -> Any:
    """Returns the loss, or a list of the loss and each metric."""
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
