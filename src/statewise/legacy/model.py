"""Keras 2's Sequential, around statewise's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from statewise.errors import ConfigurationError
from statewise.foundation.shapes import Array
from statewise.legacy import files, states
from statewise.legacy.arrays import Tensor, read_x
from statewise.legacy.batches import THREADS, as_batches, counted_steps
from statewise.legacy.callback import watched
from statewise.legacy.dialect import current
from statewise.legacy.errors import not_there, unsupported
from statewise.legacy.layer import Layer
from statewise.legacy.layers import deserialize
from statewise.legacy.options import in_keras_2_words
from statewise.legacy.spellings import note
from statewise.legacy.summary import summarize
from statewise.legacy.trainable import Trainable


class Sequential(Trainable):
    """A stack of layers; `core`, a `statewise.Sequential`, does the work.

    Args:
        layers: to begin with.
        name: what the model is called.
    """

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Returns the layer of that name, or at that place."""
        if name is None and index is not None:
            return self.layers[index]
        names = [layer.name for layer in self.layers]
        if name not in names:
            raise ConfigurationError(f"no layer is named {name!r}: expected one of {', '.join(names)}")
        return self.layers[names.index(name)]

    def summary(
        self, line_length: int = 65, positions: object = None, print_fn: Callable[[str], object] = print
    ) -> None:
        """Prints layers, output shapes and numbers of weights."""
        summarize(self, line_length, print_fn)

    def reset_states(self) -> None:
        """Resets the states of all layers."""
        note("model.reset_states()", "model.reset_state()")
        if self._core is not None:
            self._core.reset_state()

    def __getattr__(self, name: str) -> Any:
        raise not_there(name, f"model.{name}", "docs/legacy.md lists what a model has")

    # -- predict -----------------------------------------------------------------------------------------------

    @in_keras_2_words("predict", without=THREADS)
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = 0,
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Returns the outputs for all rows, in the order of the rows."""
        if hasattr(x, "__next__") or hasattr(x, "on_epoch_end"):
            return self.predict_generator(x, steps, callbacks)
        array = read_x(x, self.row_shape)
        self.build_for(array.shape[1:])
        size = states.check_rows(self, len(array), batch_size)
        with watched(self, callbacks, "predict"):
            return states.predict(self, array[: None if steps is None else steps * size], size)

    def predict_on_batch(self, x: Any) -> Any:
        """Returns the outputs for one batch."""
        return self.predict(x, batch_size=len(x))

    @in_keras_2_words("predict_generator", None, f"{THREADS} verbose")
    def predict_generator(
        self, generator: Any, steps: int | None = None, callbacks: Any = None, val_samples: int | None = None
    ) -> Any:
        """Returns the outputs for all rows that a generator yields."""
        counted = counted_steps("predict_generator(val_samples=)", steps, val_samples)
        batches = as_batches(self, generator, counted, targets=False, called="steps")
        with watched(self, callbacks, "predict"):
            return np.concatenate([self.predict_on_batch(rows.x) for rows in batches])

    def predict_proba(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Any:
        """Returns the outputs for all rows, which are probabilities if the last layer says so."""
        note("model.predict_proba(x)", "model.predict(x)")
        return self.predict(x, batch_size)

    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Array:
        """Returns the most likely class of each answer or, for a single output, whether it is above one half."""
        answers = self.predict(x, batch_size)
        if answers.shape[-1] > 1:
            note("model.predict_classes(x)", "model.predict(x).argmax(axis=-1)")
            return np.asarray(answers.argmax(axis=-1))
        note("model.predict_classes(x)", "(model.predict(x) > 0.5).astype(int)")
        return np.asarray((answers > 0.5).astype("int32"))

    def _make_predict_function(self) -> None:
        """Does nothing: predictions are compiled when they are first asked for."""

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        """Returns the outputs for one batch."""
        return np.asarray(self.predict_on_batch(np.asarray(x))).view(Tensor)

    # -- files -------------------------------------------------------------------------------------------------

    def get_config(self) -> Any:
        """Returns the layers, as JSON holds them; since TensorFlow 2 in a dict, with the model's name."""
        layers = files.config_of(self)
        return {"name": self.name, "layers": layers} if current().as_written else layers

    @classmethod
    def from_config(cls, config: Any) -> Sequential:
        """Returns a model of the layers that `get_config` described, with fresh weights."""
        known = config if isinstance(config, dict) else {"layers": config}
        model = cls([deserialize(entry) for entry in known["layers"]], known.get("name"))
        shape = known.get("build_input_shape")
        if shape is not None and model.row_shape is None:
            model.build(shape)
        return model

    def to_json(self, **options: Any) -> str:
        """Returns the layers as text; `model_from_json` reads it."""
        return files.to_json(self, **options)

    to_yaml = to_json
    """The same text, since what is JSON is YAML."""

    def save(self, filepath: str | Path, overwrite: bool = True, include_optimizer: bool = True, **_: object) -> None:
        """Writes the model to one file, whatever it is called: layers, weights, how it is trained."""
        files.save(self, filepath)

    def save_weights(self, filepath: str | Path, overwrite: bool = True, save_format: object = None) -> None:
        """Writes the model to one file, for `load_weights`."""
        files.save(self, filepath)

    def load_weights(self, filepath: str | Path, by_name: bool = False) -> None:
        """Takes the weights of a file that `save` or `save_weights` wrote."""
        if by_name:
            raise unsupported("load_weights(by_name=True)", "write layer.set_weights(other_layer.get_weights())")
        files.load_weights(self, filepath)
