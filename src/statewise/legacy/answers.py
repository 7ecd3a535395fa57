"""What a model of Keras's answers: predictions, as they are or as classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from statewise.foundation.shapes import Array
from statewise.legacy.arrays import read_x
from statewise.legacy.batches import as_batches
from statewise.legacy.callback import watched
from statewise.legacy.options import in_keras_2_words
from statewise.legacy.spellings import note
from statewise.legacy.training import THREADS, counted_steps

if TYPE_CHECKING:
    from statewise.legacy.model import Sequential


@in_keras_2_words("predict", without=THREADS)
def predict(
    self: Sequential,
    x: Any,
    batch_size: int | None = None,
    verbose: Any = 0,
    steps: int | None = None,
    callbacks: Any = None,
) -> Any:
    """Returns the outputs for all rows, in the order of the rows."""
    if hasattr(x, "__next__") or hasattr(x, "on_epoch_end"):
        return predict_generator(self, x, steps, callbacks)
    array = read_x(x, self.row_shape)
    core = self.build_for(array.shape[1:])
    size = self.states.check(len(array), batch_size)
    with watched(self, callbacks, "predict"):
        return self.states.predict(core, array[: None if steps is None else steps * size], size)


def predict_on_batch(self: Sequential, x: Any) -> Any:
    """Returns the outputs for one batch."""
    return predict(self, x, batch_size=len(x))


@in_keras_2_words("predict_generator", None, f"{THREADS} verbose")
def predict_generator(
    self: Sequential, generator: Any, steps: int | None = None, callbacks: Any = None, val_samples: int | None = None
) -> Any:
    """Returns the outputs for all rows that a generator yields."""
    counted = counted_steps("predict_generator(val_samples=)", steps, val_samples)
    batches = as_batches(self, generator, counted, targets=False, called="steps")
    with watched(self, callbacks, "predict"):
        return np.concatenate([predict_on_batch(self, rows.x) for rows in batches])


def predict_proba(self: Sequential, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Any:
    """Returns the outputs for all rows, which are probabilities if the last layer says so."""
    note("model.predict_proba(x)", "model.predict(x)")
    return predict(self, x, batch_size)


def predict_classes(self: Sequential, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Array:
    """Returns the likeliest class of each answer, or, of a single output, whether it is over a half."""
    answers = predict(self, x, batch_size)
    if answers.shape[-1] > 1:
        note("model.predict_classes(x)", "model.predict(x).argmax(axis=-1)")
        return np.asarray(answers.argmax(axis=-1))
    note("model.predict_classes(x)", "(model.predict(x) > 0.5).astype(int)")
    return np.asarray((answers > 0.5).astype("int32"))
