"""Learner: a vocabulary and a network that learn one text after another."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from statewise.data.codecs import Vocabulary, check_content
from statewise.data.tokens import check_tokens
from statewise.errors import COPY_AGAIN, ConfigurationError, FileError, LifecycleError
from statewise.foundation import notebook
from statewise.foundation.shapes import Array, check_rate, check_whole
from statewise.foundation.words import plural
from statewise.models.sequential import Sequential
from statewise.optimizers.optimizer import Optimizer
from statewise.phrasebook.guard import guard
from statewise.state import State
from statewise.storage.artifact import Artifact, write_artifact
from statewise.storage.pytrees import fill_leaves, name_leaves
from statewise.text.baselines import COUNTS, Baselines, checksum
from statewise.text.fit_task import FitTask, describe, explain_checkpoint, read_vocabulary, warn_of_clauses
from statewise.text.passage_hashes import PassageHashes
from statewise.text.plan import Plan, frame, text_layers
from statewise.text.scoring import check_scorable, score_sequence
from statewise.text.vocabulary_growth import grow_vocabulary
from statewise.training.callbacks import Callback, OnBehalf
from statewise.training.checkpoint import Checkpoint
from statewise.training.fitting_callbacks import Callbacks, read_callbacks
from statewise.training.history import History
from statewise.training.learned import Learned

OPTIONS = ("tokens", "units", "layers", "embedding", "dropout", "window", "seed")
"""The constructor's arguments of a text model."""


@guard
class Learner:
    """The part of `TextModel` that learns; the subclass also scores texts and continues them."""

    stop_training = False
    """As in `Sequential`."""

    def __init__(
        self,
        *,
        tokens: str = "char",
        units: int = 256,
        layers: int = 1,
        embedding: int = 64,
        dropout: float = 0.1,
        window: int | None = None,
        seed: int = 0,
    ) -> None:
        self.tokens = check_tokens(tokens)
        self.units = check_whole("units", units)
        self.layers = check_whole("layers", layers)
        self.embedding = check_whole("embedding", embedding)
        self.dropout = check_rate("dropout", dropout)
        self.window = None if window is None else check_whole("window", window)
        self.seed = seed
        self._vocabulary: Vocabulary | None = None
        self._model = Sequential(seed=seed)
        self._baselines: Baselines | None = None
        self._passages = PassageHashes.none()
        self.state: State | None = None

    # -- display ----------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        inner = "no text learned yet" if self._vocabulary is None else repr(self._model)
        return f"{type(self).__name__}({self._summary}, {inner})"

    def _repr_html_(self) -> str:
        """Returns the notebook display: the table of the network, once there is one."""
        table = "<p>no text learned yet</p>" if self._vocabulary is None else self._model._repr_html_()
        return notebook.output(f"{type(self).__name__}: {self._summary}", table)

    @property
    def _summary(self) -> str:
        options = [f"{name}={getattr(self, name)!r}" for name in ("tokens", "units", "window")]
        return ", ".join(options + ([plural(len(self._vocabulary), "symbol")] if self._vocabulary else []))

    # -- facts -------------------------------------------------------------------------------------------------

    @property
    def vocabulary(self) -> Vocabulary:
        """The symbols of the learned texts."""
        return self._require_fitted()[0]

    @property
    def model(self) -> Sequential:
        """The network: symbols `[B, T]` in, probabilities out. Replaced when new symbols are added."""
        self._require_fitted()
        return self._model

    @property
    def options(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {name: getattr(self, name) for name in OPTIONS}

    def has_learned(self, text: str) -> bool:
        """Returns whether exactly this text was learned before."""
        vocabulary, baselines = self._require_fitted()
        return checksum(vocabulary.encode_known(text)) in baselines.texts

    def learned_share(self, text: str) -> float:
        """Returns an estimate of the share of `text` learned before, in passages of 64 characters or 16 words.

        It is 1 for a whole learned text. A training's held-out text (`validation_text`) does not count as learned. It
        is 0 for shorter texts, and for models from files without hashes of passages.
        """
        vocabulary, _ = self._require_fitted()
        if self.has_learned(text):
            return 1.0
        return self._passages.share_of(vocabulary.encode_known(text), self.tokens)

    def _require_fitted(self) -> tuple[Vocabulary, Baselines]:
        if self._vocabulary is None or self._baselines is None:
            raise LifecycleError("the model has not learned a text yet: call fit(text) first")
        return self._vocabulary, self._baselines

    # -- learn -------------------------------------------------------------------------------------------------

    def fit(  # noqa: PLR0913 - all except the text by keyword
        self,
        text: str,
        *,
        batch_size: int | None = None,
        steps: int = 64,
        epochs: int | None = None,
        optimizer: str | Optimizer = "adam",
        learning_rate: float = 0.005,
        validation_text: str | None = None,
        new_symbols: str = "refuse",
        checkpoint: str | Path | None = None,
        callbacks: Callbacks = (),
        verbose: int | str = 1,
    ) -> History:
        """Learns `text` and returns the loss and accuracy of each epoch.

        A model that learned a text before, including a model loaded from a file, continues training, on the same text
        or another: nothing is discarded, and its vocabulary can only grow. Like any network, it drifts toward what it
        was trained on last.

        Args:
            text: the text to learn; its symbols become the vocabulary of a new model.
            batch_size: rows read in parallel; by default as many as leave each row at least two batches, up to 32.
            steps: symbols per row of a batch, through which gradients reach back. Ignored for windows.
            epochs: passes through the text; by default enough for about 3,000 updates, between 6 and 200.
            optimizer: a name, with gradients clipped to a global norm of 1, and a learning rate with warmup and cosine
                decay over this call; or a configured optimizer, used unchanged. A configured optimizer equal to that of
                the last call keeps its moments, so that n calls with one epoch equal one call with n.
            learning_rate: the peak learning rate, if the optimizer is given by name.
            validation_text: a held-out text, scored after each epoch.
            new_symbols: "refuse" another text that has symbols the model does not know, or "add" them: they start
                unlikely, and the model otherwise predicts as before.
            checkpoint: as in `Sequential.fit`: the training continues from this file if it was interrupted.
            callbacks: as in `Sequential.fit`; `model` is this TextModel.
            verbose: as in `Sequential.fit`.

        Raises:
            DataError: the text is too short, is the name of a file, or has symbols new to the model; nothing changed.
            ConfigurationError: an option is out of range, or the checkpoint belongs to another training.
        """
        readers = [OnBehalf(self, callback) for callback in read_callbacks(callbacks)]
        task = self._read(
            text, new_symbols, validation_text, optimizer, learning_rate, size=(batch_size, steps, epochs)
        )
        file = None if checkpoint is None else Checkpoint(checkpoint, partial(self._checkpoint_contents, task))
        before, initial = _Before(self), None
        if before.new:
            warn_of_clauses(task)
        try:
            self._prepare(task, continues=not isinstance(optimizer, str))
            initial = self._model.params
            history = self._train(task, readers, verbose, file)
        except BaseException as error:
            if initial is None or self._model.params is initial:
                before.restore()
            if checkpoint is not None and isinstance(error, ConfigurationError):
                raise explain_checkpoint(error, checkpoint, task.asked) from None
            raise
        if self._model.params is initial and not before.new:  # stopped in its first epoch
            before.restore()
        return history

    def _train(
        self, task: FitTask, readers: Sequence[Callback], verbose: int | str, file: Checkpoint | None
    ) -> History:
        plan, held_out = task.plan, task.held_out
        return self._model.fit(
            frame(task.ids, self.window, plan.batch_size, plan.steps),
            state="carry" if self.window is None else "fresh",
            batch_size=plan.batch_size,
            epochs=plan.epochs,
            validation_data=None if held_out is None else lambda: self._validate(held_out),
            callbacks=readers,
            verbose=verbose,
            checkpoint=file,
        )

    def plan(
        self,
        text: str,
        *,
        batch_size: int | None = None,
        steps: int = 64,
        epochs: int | None = None,
        optimizer: str | Optimizer = "adam",
        learning_rate: float = 0.005,
        validation_text: str | None = None,
        new_symbols: str = "refuse",
    ) -> Plan:
        """Returns the plan that `fit` would use for `text`, with defaults filled in; raises the same errors."""
        return self._read(
            text, new_symbols, validation_text, optimizer, learning_rate, size=(batch_size, steps, epochs)
        ).plan

    def _read(
        self,
        text: str,
        new_symbols: str,
        validation_text: str | None,
        optimizer: str | Optimizer,
        learning_rate: float,
        *,
        size: tuple[int | None, int, int | None],
    ) -> FitTask:
        """Returns the task of a call of `fit`, after checking its arguments."""
        vocabulary = read_vocabulary(text, self.tokens, self._vocabulary, new_symbols)
        ids = vocabulary.encode(text)
        plan, held_out = Plan.of(len(ids), self.window, *size), None
        configured = plan.optimizer(optimizer, learning_rate)
        if validation_text is not None:
            check_content("validation_text", validation_text)
            held_out = vocabulary.encode_known(validation_text)
            check_scorable("validation_text (what is held out)", held_out, self.tokens, self.window)
        asked = describe(self.options, ids, plan, optimizer, learning_rate)
        return FitTask(vocabulary, ids, plan, configured, held_out, asked)

    def _prepare(self, task: FitTask, *, continues: bool) -> None:
        """Prepares the model for a task: a new network, the same one, or one with more symbols.

        With `continues`, an optimizer that is the same as before keeps its moments.
        """
        symbols, known, counts = len(task.vocabulary), self._vocabulary, self._baselines
        if known is None:
            options = (self.embedding, self.units, self.layers, self.dropout)
            self._model = Sequential(text_layers(symbols, *options, each_step=self.window is None), seed=self.seed)
        compiled_for = (task.optimizer, "sparse_categorical_crossentropy", ["accuracy"])
        self._model.recompile(*compiled_for, continues=continues)
        if known is not None and symbols > len(known):
            self._model = grow_vocabulary(self._model, symbols, *compiled_for)
        self._baselines = Baselines.of(task.ids, symbols) if counts is None else counts.and_of(task.ids, symbols)
        self._passages = self._passages.and_of(PassageHashes.of(task.ids, self.tokens, task.held_out))
        self._vocabulary = task.vocabulary

    def _checkpoint_contents(self, task: FitTask) -> Artifact:
        """Returns the contents of a checkpoint of this model."""
        artifact = self.to_artifact()
        return replace(artifact, header={**artifact.header, "plan": task.asked})

    def _validate(self, ids: Array) -> dict[str, float]:
        scores, _ = score_sequence(self._model.network, self._model.params, ids, self.window)
        return {"loss": float(scores.loss.mean()), "accuracy": float(scores.hit.mean())}

    # -- save, load, and what callbacks use --------------------------------------------------------------------

    @property
    def learned(self) -> Learned:
        """Weights and optimizer, as in `Sequential.learned`."""
        return self.model.learned

    @learned.setter
    def learned(self, learned: Learned) -> None:
        self.model.learned = learned

    @property
    def measured(self) -> dict[str, Any] | None:
        """What the logs of its training are measured on."""
        return self.model.measured

    def get_weights(self) -> list[Array]:
        """Returns copies of all weights, as in `Sequential.get_weights`."""
        return self.model.get_weights()

    def set_weights(self, weights: Sequence[object]) -> None:
        """Replaces all weights, as in `Sequential.set_weights`."""
        self.model.set_weights(weights)

    def save(self, path: str | Path) -> None:
        """Writes the model to one file, atomically: network, weights, vocabulary, baselines, optimizer.

        Raises:
            FileError: it cannot be written there.
        """
        write_artifact(path, self.to_artifact())
        self._model.warn_of_unsaved(f"{path} lacks")

    def __copy__(self) -> Self:
        """Returns an independent model."""
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        other._model = copy(self._model)
        return other

    def to_artifact(self) -> Artifact:
        """Returns the contents of this model's file."""
        vocabulary, baselines = self._require_fitted()
        inner = self._model.to_artifact()
        header = {
            **inner.header,
            "options": self.options,
            "vocabulary": vocabulary.config(),
            "texts": list(baselines.texts),
            "reads": self.state is not None,
        }
        reading = {} if self.state is None else name_leaves("reads", dict(self.state.layers))
        counts = {f"baselines.{name}": getattr(baselines, name) for name in COUNTS}
        known = {**counts, "passages": self._passages.hashes}
        return Artifact("text", header, inner.arrays | known | reading)

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Self:
        """Returns the model from the contents of its file."""
        model = cls(**artifact.header["options"])
        model._vocabulary = Vocabulary.from_config(artifact.header["vocabulary"])
        unigrams, pairs, counts = (artifact.array(f"baselines.{name}") for name in COUNTS)
        model._baselines = Baselines(unigrams, pairs, counts, tuple(artifact.header.get("texts", ())))
        model._passages = PassageHashes(artifact.arrays.get("passages", PassageHashes.none().hashes))
        model._model = Sequential.from_artifact(artifact)
        if model._model.network.symbols != len(model._vocabulary):
            raise FileError(f"its vocabulary does not match its network; {COPY_AGAIN}")
        if artifact.header.get("reads"):
            zeros = dict(model._model.zero_state(1).layers)
            model.state = State(fill_leaves("reads", zeros, artifact.arrays))
        return model


class _Before:
    """The attributes of a model before a call of `fit`; they are replaced, never modified in place."""

    def __init__(self, learner: Learner) -> None:
        self._kept = [(owner, vars(owner).copy()) for owner in (learner, learner._model)]
        self.new = learner._vocabulary is None

    def restore(self) -> None:
        """Restores the attributes."""
        for owner, attributes in self._kept:
            vars(owner).update(attributes)
