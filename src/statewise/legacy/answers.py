"""What a model of Keras's answers: predictions, as they are or as classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from statewise.legacy.arrays import read_x
from statewise.legacy.batches import as_batches
from statewise.legacy.options import in_keras_2_words
from statewise.legacy.spellings import note
from statewise.legacy.training import OLD, THREADS
from statewise.shapes import Array

if TYPE_CHECKING:
    from statewise.legacy.model import Sequential


@in_keras_2_words("predict", without=f"{THREADS} callbacks")
def predict(self: Sequential, x: Any, batch_size: int | None = None, verbose: Any = 0, steps: int | None = None) -> Any:
    """Returns the outputs for all rows, in the order of the rows."""
    if hasattr(x, "__next__") or hasattr(x, "on_epoch_end"):
        return predict_generator(self, x, steps)
    array = read_x(x, self.row_shape)
    core = self.build_for(array.shape[1:])
    return self.states.predict(core, array, self.states.check(len(array), batch_size))


def predict_on_batch(self: Sequential, x: Any) -> Any:
    """Returns the outputs for one batch."""
    return predict(self, x, batch_size=len(x))


@in_keras_2_words("predict_generator", OLD, f"{THREADS} callbacks verbose")
def predict_generator(self: Sequential, generator: Any, steps: int | None = None) -> Any:
    """Returns the outputs for all rows that a generator yields."""
    batches = as_batches(self, generator, steps, targets=False, called="steps")
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
