"""Learner: a vocabulary and a network that learn one text after another, forgetting nothing."""

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
from statewise.text.growth import grow
from statewise.text.lesson import Lesson, describe, explain_checkpoint, read_vocabulary, warn_of_clauses
from statewise.text.passages import Passages
from statewise.text.plan import Plan, frame, text_layers
from statewise.text.scoring import check_scorable, score_sequence
from statewise.training.callbacks import Callback, OnBehalf
from statewise.training.checkpoint import Checkpoint
from statewise.training.fitting_callbacks import Callbacks, read_callbacks
from statewise.training.history import History
from statewise.training.learned import Learned

OPTIONS = ("tokens", "units", "layers", "embedding", "dropout", "window", "seed")
"""What a text model is made with."""


@guard
class Learner:
    """What `TextModel` is while it learns; that scores texts besides, and continues them."""

    stop_training = False
    """As of `Sequential`."""

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
        self._passages = Passages.none()
        self.state: State | None = None

    # -- shown ------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        inner = "no text learned yet" if self._vocabulary is None else repr(self._model)
        return f"{type(self).__name__}({self._told}, {inner})"

    def _repr_html_(self) -> str:
        """Returns what notebooks show: the table of the network, once there is one."""
        table = "<p>no text learned yet</p>" if self._vocabulary is None else self._model._repr_html_()
        return notebook.output(f"{type(self).__name__}: {self._told}", table)

    @property
    def _told(self) -> str:
        options = [f"{name}={getattr(self, name)!r}" for name in ("tokens", "units", "window")]
        return ", ".join(options + ([plural(len(self._vocabulary), "symbol")] if self._vocabulary else []))

    # -- what it knows -----------------------------------------------------------------------------------------

    @property
    def vocabulary(self) -> Vocabulary:
        """The symbols of the texts that it learned."""
        return self._require_fitted()[0]

    @property
    def model(self) -> Sequential:
        """The network: symbols `[B, T]` in, probabilities out. Another one once there are new symbols."""
        self._require_fitted()
        return self._model

    @property
    def options(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {name: getattr(self, name) for name in OPTIONS}

    def has_learned(self, text: str) -> bool:
        """Returns whether this very text, from its first symbol to its last, was learned before."""
        vocabulary, baselines = self._require_fitted()
        return checksum(vocabulary.encode_known(text)) in baselines.texts

    def learned_share(self, text: str) -> float:
        """Returns about which share of `text` was learned before, counted in passages of 64 characters or 16 words.

        1 for a whole text that was learned. What a training held out (`validation_text`) does not count as learned by
        it. Shorter texts, and models from files older than this, have 0.
        """
        vocabulary, _ = self._require_fitted()
        if self.has_learned(text):
            return 1.0
        return self._passages.share_of(vocabulary.encode_known(text), self.tokens)

    def _require_fitted(self) -> tuple[Vocabulary, Baselines]:
        if self._vocabulary is None or self._baselines is None:
            raise LifecycleError("the model knows no text yet: call fit(text) first")
        return self._vocabulary, self._baselines

    # -- learn -------------------------------------------------------------------------------------------------

    def fit(  # noqa: PLR0913 - all but the text by keyword
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

        A model that learned a text before, also one from a file, continues from there, whether the text is the same or
        another: nothing is thrown away, and its vocabulary at most grows. As any network it drifts towards what it
        reads last.

        Args:
            text: what to learn; its symbols become the vocabulary of a model that has none yet.
            batch_size: rows that are read side by side; by default as many as leave each at least two batches, up
                to 32.
            steps: symbols of each row in a batch: how far back gradients reach. Without meaning for windows.
            epochs: how often to go through the text; by default as often as makes about 3,000 updates, at least
                6 times and at most 200.
            optimizer: by name, with gradients clipped to a global norm of 1 and a learning rate that climbs, then falls
                along a cosine, within this call; or a configured one, used as it is. If a configured one equals that of
                the last call, it continues with its moments, so that n calls of one epoch equal one call of n.
            learning_rate: its highest value, where the optimizer is given by name.
            validation_text: a text that is held out, scored after each epoch.
            new_symbols: "refuse" a further text with symbols that the model does not know; or "add" them: to begin with
                they are unlikely, and the model answers as before in all else.
            checkpoint: as in `Sequential.fit`: the training continues from this file if it was interrupted.
            callbacks: as in `Sequential.fit`; `model` is this TextModel.
            verbose: as in `Sequential.fit`.

        Raises:
            DataError: the text is too short, the name of a file, or has symbols that are new to the model; nothing was
                changed.
            ConfigurationError: an option out of its range, or a checkpoint of another training.
        """
        readers = [OnBehalf(self, callback) for callback in read_callbacks(callbacks)]
        lesson = self._read(
            text, new_symbols, validation_text, optimizer, learning_rate, size=(batch_size, steps, epochs)
        )
        file = None if checkpoint is None else Checkpoint(checkpoint, partial(self._checkpointed, lesson))
        before, begun = _Before(self), None
        if before.new:
            warn_of_clauses(lesson)
        try:
            self._take_up(lesson, continues=not isinstance(optimizer, str))
            begun = self._model.params
            history = self._train(lesson, readers, verbose, file)
        except BaseException as error:
            if begun is None or self._model.params is begun:
                before.restore()
            if checkpoint is not None and isinstance(error, ConfigurationError):
                raise explain_checkpoint(error, checkpoint, lesson.asked) from None
            raise
        if self._model.params is begun and not before.new:  # stopped in its first epoch
            before.restore()
        return history

    def _train(
        self, lesson: Lesson, readers: Sequence[Callback], verbose: int | str, file: Checkpoint | None
    ) -> History:
        plan, held_out = lesson.plan, lesson.held_out
        return self._model.fit(
            frame(lesson.ids, self.window, plan.batch_size, plan.steps),
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
        """Returns how `fit` would go through `text`, with what it leaves open filled in; raises what it would."""
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
    ) -> Lesson:
        """Returns what is to be learned, and how, after finding whatever can be wrong with it."""
        vocabulary = read_vocabulary(text, self.tokens, self._vocabulary, new_symbols)
        ids = vocabulary.encode(text)
        plan, held_out = Plan.of(len(ids), self.window, *size), None
        configured = plan.optimizer(optimizer, learning_rate)
        if validation_text is not None:
            check_content("validation_text", validation_text)
            held_out = vocabulary.encode_known(validation_text)
            check_scorable("validation_text (what is held out)", held_out, self.tokens, self.window)
        asked = describe(self.options, ids, plan, optimizer, learning_rate)
        return Lesson(vocabulary, ids, plan, configured, held_out, asked)

    def _take_up(self, lesson: Lesson, *, continues: bool) -> None:
        """Becomes the model that is to learn a lesson: new, as it is, or with more symbols.

        An optimizer that `continues` keeps its moments, if it is the same as before.
        """
        symbols, known, counts = len(lesson.vocabulary), self._vocabulary, self._baselines
        if known is None:
            options = (self.embedding, self.units, self.layers, self.dropout)
            self._model = Sequential(text_layers(symbols, *options, each_step=self.window is None), seed=self.seed)
        compiled_for = (lesson.optimizer, "sparse_categorical_crossentropy", ["accuracy"])
        self._model.recompile(*compiled_for, continues=continues)
        if known is not None and symbols > len(known):
            self._model = grow(self._model, symbols, *compiled_for)
        self._baselines = Baselines.of(lesson.ids, symbols) if counts is None else counts.and_of(lesson.ids, symbols)
        self._passages = self._passages.and_of(Passages.of(lesson.ids, self.tokens, lesson.held_out))
        self._vocabulary = lesson.vocabulary

    def _checkpointed(self, lesson: Lesson) -> Artifact:
        """Returns what a checkpoint holds of this model."""
        artifact = self.to_artifact()
        return replace(artifact, header={**artifact.header, "plan": lesson.asked})

    def _validate(self, ids: Array) -> dict[str, float]:
        scores, _ = score_sequence(self._model.network, self._model.params, ids, self.window)
        return {"loss": float(scores.loss.mean()), "accuracy": float(scores.hit.mean())}

    # -- save, load, and what callbacks ask for ----------------------------------------------------------------

    @property
    def learned(self) -> Learned:
        """Weights and optimizer, as `Sequential.learned`."""
        return self.model.learned

    @learned.setter
    def learned(self, learned: Learned) -> None:
        self.model.learned = learned

    @property
    def measured(self) -> dict[str, Any] | None:
        """What the logs of its training are measured by."""
        return self.model.measured

    def get_weights(self) -> list[Array]:
        """Returns copies of all weights, as `Sequential.get_weights`."""
        return self.model.get_weights()

    def set_weights(self, weights: Sequence[object]) -> None:
        """Replaces all weights, as `Sequential.set_weights`."""
        self.model.set_weights(weights)

    def save(self, path: str | Path) -> None:
        """Writes the model to one file, whole or not at all: network, weights, vocabulary, baselines, optimizer.

        Raises:
            FileError: it cannot be written there.
        """
        write_artifact(path, self.to_artifact())
        self._model.warn_of_unsaved(f"{path} lacks")

    def __copy__(self) -> Self:
        """Returns a model that learns by itself."""
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        other._model = copy(self._model)
        return other

    def to_artifact(self) -> Artifact:
        """Returns what a model file holds of this model."""
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
        """Returns the model that `save` described."""
        model = cls(**artifact.header["options"])
        model._vocabulary = Vocabulary.from_config(artifact.header["vocabulary"])
        unigrams, pairs, counts = (artifact.array(f"baselines.{name}") for name in COUNTS)
        model._baselines = Baselines(unigrams, pairs, counts, tuple(artifact.header.get("texts", ())))
        model._passages = Passages(artifact.arrays.get("passages", Passages.none().hashes))
        model._model = Sequential.from_artifact(artifact)
        if model._model.network.symbols != len(model._vocabulary):
            raise FileError(f"its vocabulary does not belong to its network; {COPY_AGAIN}")
        if artifact.header.get("reads"):
            zeros = dict(model._model.zero_state(1).layers)
            model.state = State(fill_leaves("reads", zeros, artifact.arrays))
        return model


class _Before:
    """What a model was before a call of `fit`: attributes are replaced, never changed in place."""

    def __init__(self, learner: Learner) -> None:
        self._kept = [(thing, vars(thing).copy()) for thing in (learner, learner._model)]
        self.new = learner._vocabulary is None

    def restore(self) -> None:
        """Makes the model that again."""
        for thing, attributes in self._kept:
            vars(thing).update(attributes)
