"""TextModel: a vocabulary, a Sequential and generation, for learning a text and continuing it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import asdict
from pathlib import Path

from statewise.artifact import ANEW, Artifact, write_artifact
from statewise.data.codecs import Vocabulary, check_tokens
from statewise.data.lanes import Lanes
from statewise.data.windows import Windows
from statewise.errors import ConfigurationError, DataError, FileError, LifecycleError, StateError
from statewise.history import History
from statewise.learned import Learned
from statewise.leaves import fill_leaves, name_leaves
from statewise.memory import MemoryReport
from statewise.model import Sequential
from statewise.optimizers import Optimizer
from statewise.shapes import Array, check_rate, check_seed, check_whole
from statewise.start import Start, read_start, warn_unused
from statewise.state import LayerStates, State
from statewise.text.baselines import Baselines
from statewise.text.generation import Sampling, generator_of
from statewise.text.plan import Plan, frame, text_layers
from statewise.text.scoring import Scores, TextScore, beside_baselines, count_scorable, score_sequence
from statewise.training.callbacks import Callback, OnBehalf, read_callbacks
from statewise.training.checkpoint import Checkpoint
from statewise.verification import ROWS, STEPS, TOLERANCE, Verification


class TextModel:
    """Learns a text and continues it.

    By default the text is read as contiguous rows, the state carried from batch to batch, and every symbol is
    foretold from all before it. With `window=n` it is foretold from the n symbols before it and nothing else, as the
    classic story generators do.

    Args:
        tokens: `char` or `word`.
        units: size of each LSTM layer.
        layers: how many LSTM layers.
        embedding: size of the vector of each symbol.
        dropout: share of features dropped in training, the same ones at every step of a batch.
        window: how many symbols foretell the next; None carries the state instead.
        seed: all randomness derives from it.

    >>> model = TextModel(tokens="word", units=16, window=2, seed=7)
    >>> history = model.fit("the mice saw the cat and the mice ran", epochs=40, learning_rate=0.02, verbose=0)
    >>> model.generate("saw the", length=2, temperature=0)
    'cat and'
    """

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
        self.state: State | None = None

    # -- what it knows -----------------------------------------------------------------------------------------

    @property
    def vocabulary(self) -> Vocabulary:
        """The symbols of the training text."""
        return self._require_fitted()[0]

    @property
    def model(self) -> Sequential:
        """The network: symbols `[B, T]` in, probabilities out."""
        self._require_fitted()
        return self._model

    def _require_fitted(self) -> tuple[Vocabulary, Baselines]:
        if self._vocabulary is None or self._baselines is None:
            raise LifecycleError("the model knows no text yet: call fit(text) first")
        return self._vocabulary, self._baselines

    # -- learn -------------------------------------------------------------------------------------------------

    def fit(
        self,
        text: str,
        *,
        batch_size: int | None = None,
        steps: int = 64,
        epochs: int | None = None,
        optimizer: str | Optimizer = "adam",
        learning_rate: float = 0.005,
        validation_text: str | None = None,
        checkpoint: str | Path | None = None,
        callbacks: Sequence[Callback | Callable[[int, dict[str, float]], bool | None]] = (),
        verbose: int = 1,
    ) -> History:
        """Learns `text` and returns the loss and accuracy of each epoch.

        Args:
            text: what to learn; its symbols become the vocabulary.
            batch_size: rows that are read side by side; by default as many as leave each at least two batches, up
                to 32.
            steps: symbols of each row in a batch: how far back gradients reach. Without meaning for windows.
            epochs: how often to go through the text; by default as often as makes about 3,000 updates, at least
                6 times and at most 200.
            optimizer: by name, with gradients clipped to a global norm of 1 and a learning rate that falls along a
                cosine; or a configured one, used as it is.
            learning_rate: its highest value, where the optimiser is given by name.
            validation_text: a text that is held out, scored after each epoch.
            checkpoint: as in `Sequential.fit`: the training goes on from this file if it was interrupted.
            callbacks: as in `Sequential.fit`; `model` is this TextModel.
            verbose: as in `Sequential.fit`.

        Raises:
            DataError: the text is too short.
            ConfigurationError: an option out of its range.
        """
        vocabulary = Vocabulary.of(text, self.tokens)
        ids = vocabulary.encode(text)
        plan = Plan.of(len(ids), self.window, batch_size, steps, epochs)
        configured = plan.optimizer(optimizer, learning_rate)
        readers = [OnBehalf(self, callback) for callback in read_callbacks(callbacks)]
        held_out = None if validation_text is None else self._read_held_out(vocabulary, validation_text)
        if self._vocabulary != vocabulary:  # whatever can be wrong was found: what was learnt before may go
            self._define(vocabulary)
        self._vocabulary, self._baselines = vocabulary, Baselines.of(ids, len(vocabulary))
        self._model.compile(configured, "sparse_categorical_crossentropy", ["accuracy"])
        return self._model.fit(
            frame(ids, self.window, plan.batch_size, plan.steps),
            state="carry" if self.window is None else "fresh",
            batch_size=plan.batch_size,
            epochs=plan.epochs,
            validation_data=None if held_out is None else lambda: self._validate(held_out),
            callbacks=readers,
            verbose=verbose,
            checkpoint=None if checkpoint is None else Checkpoint(checkpoint, self.to_artifact),
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
    ) -> Plan:
        """Returns how `fit` would go through `text`, with what it leaves open filled in; raises what it would."""
        vocabulary = Vocabulary.of(text, self.tokens)
        plan = Plan.of(len(vocabulary.encode(text)), self.window, batch_size, steps, epochs)
        plan.optimizer(optimizer, learning_rate)
        if validation_text is not None:
            self._read_held_out(vocabulary, validation_text)
        return plan

    def _read_held_out(self, vocabulary: Vocabulary, text: str) -> Array:
        ids = vocabulary.encode_known(text)
        self._check_scorable("validation_text (what is held out)", ids)
        return ids

    def _define(self, vocabulary: Vocabulary) -> None:
        layers = text_layers(
            len(vocabulary), self.embedding, self.units, self.layers, self.dropout, each_step=self.window is None
        )
        self._model, self.state = Sequential(layers, seed=self.seed), None

    def _validate(self, ids: Array) -> dict[str, float]:
        scores, _ = self._scores(ids, Start())
        return {"loss": float(scores.loss.mean()), "accuracy": float(scores.hit.mean())}

    # -- evaluate ----------------------------------------------------------------------------------------------

    def evaluate(self, text: str, *, state: str | State = "fresh") -> TextScore:
        """Returns how well the model foretells `text`, beside unigrams and bigrams.

        Args:
            text: what is foretold; its first symbol is read only.
            state: where it starts: "fresh"; a `State` of one row; "carry", which starts fresh and leaves the end in
                `self.state`; "continue", which starts from there; or "warmup:n", which scores nothing of the first n
                symbols.

        Raises:
            DataError: nothing in it can be scored.
            StateError: the state belongs to another network, or the model reads windows, which have none.
        """
        vocabulary, baselines = self._require_fitted()
        ids = vocabulary.encode_known(text)
        start = self._start(state)
        scores, end = self._scores(ids, start)
        self._keep(start, end)
        return beside_baselines(scores, ids, vocabulary, baselines)

    def _scores(self, ids: Array, start: Start) -> tuple[Scores, LayerStates]:
        self._check_scorable("the text", ids, start.warmup)
        scores, end = score_sequence(self._model.network, self._model.params, ids, self.window, start.lanes)
        return scores.since(start.warmup), end

    def _check_scorable(self, what: str, ids: Array, warmup: int = 0) -> None:
        if count_scorable(ids[max(0, warmup - 1) :], self.window) == 0:
            known = int((ids >= 0).sum())
            raise DataError(
                f"{what} has {len(ids)} {self.tokens} token(s), {known} of them known: expected at least one known "
                f"after {max(self.window or 1, warmup)} other(s), so that there is something to score"
            )

    # -- proof and advice --------------------------------------------------------------------------------------

    def verify(self, text: str, *, tolerance: float = TOLERANCE) -> Verification:
        """Returns how much the answers differ when the text is read otherwise, as `Sequential.verify`.

        Raises:
            DataError: too few symbols of the text are known.
        """
        framed = self._frame_known(text, ROWS, STEPS, 1)
        return self.model.verify(framed.x, mask=getattr(framed, "mask", None), tolerance=tolerance)

    def memory_report(self, text: str, *, steps: int = 64) -> MemoryReport:
        """Returns how many symbols back the model uses, as `Sequential.memory_report`.

        Args:
            text: what is foretold.
            steps: symbols of a row: how far back is looked. Without meaning for windows.

        Raises:
            DataError: too few symbols of the text are known.
        """
        return self.model.memory_report(self._frame_known(text, 32, check_whole("steps", steps, 2), 4))

    def _frame_known(self, text: str, rows: int, steps: int, batches: int) -> Lanes | Windows:
        """Returns the symbols of `text` that the model knows, in at most so many rows and steps.

        There are fewer rows if a short text would not make so many batches of them.
        """
        ids = self.vocabulary.encode_known(text)
        ids = ids[ids >= 0]
        self._check_scorable("the text, without what the model does not know,", ids)
        rows = max(1, min(rows, (len(ids) - 1) // (batches * steps)))
        return frame(ids, self.window, rows, min(steps, math.ceil((len(ids) - 1) / rows)))

    # -- states ------------------------------------------------------------------------------------------------

    def _start(self, state: str | State) -> Start:
        start = read_start(state, self._model.network, None, 1, self.state)
        warn_unused(start, self.state)
        if self.window is not None and start != Start():
            raise StateError(
                f"state: this model reads windows of {self.window} and carries none; make a TextModel without window"
            )
        return start

    def _keep(self, start: Start, states: LayerStates) -> None:
        if start.keep:
            self.state = self._model.network.state_of(self._model.params, states)

    def initial_state(self) -> State:
        """Returns the state, of one row, in which a text starts."""
        return self.model.initial_state(1)

    def reset_state(self) -> None:
        """Forgets `self.state`, so that what continues starts fresh."""
        self.state = None

    # -- generate ----------------------------------------------------------------------------------------------

    def generate(
        self,
        prompt: str,
        length: int = 100,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
        state: str | State = "fresh",
    ) -> str:
        """Returns `length` tokens that go on from `prompt`, which is not repeated.

        Args:
            prompt: where to go on from.
            length: how many tokens.
            temperature: 0 takes the likeliest; 1 draws as the model says; below 1 more careful, above bolder.
            top_k: draw among the k likeliest only.
            top_p: draw among the likeliest that together reach this probability.
            seed: one seed gives one text.
            state: where the prompt starts: "fresh"; a `State` of one row; "carry", which starts fresh and leaves in
                `self.state` the state that has read prompt and text; or "continue", which starts from there.

        Raises:
            StateError: the state belongs to another network, or the model reads windows, which have none.
            DataError: the prompt is empty, too short for the window, or has a symbol that the model never saw.
            ConfigurationError: an option out of its range.
        """
        return "".join(
            self.stream(prompt, length, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed, state=state)
        ).lstrip(" " if self.tokens == "word" else "")

    def stream(
        self,
        prompt: str,
        length: int = 100,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
        state: str | State = "fresh",
    ) -> Iterator[str]:
        """Yields the pieces of text that `generate` returns joined, as they come; arguments as there.

        Words come with the blank before them, so that prompt and pieces written one after another are a text.
        """
        vocabulary, _ = self._require_fitted()
        sampling = Sampling(temperature, top_k, top_p)
        check_whole("length", length)
        check_seed(seed)
        start = self._start(state)
        if start.warmup:
            raise ConfigurationError("state='warmup:n': the whole prompt settles the state already; leave it out")
        ids = vocabulary.read_prompt(prompt, self.window)
        generator = generator_of(self._model.network, self.window)

        def symbols() -> Iterator[int]:
            end = yield from generator.symbols(self._model.params, ids, length, sampling, seed, start.lanes)
            self._keep(start, end)

        return vocabulary.pieces(symbols(), previous=vocabulary.symbols[int(ids[-1])])

    # -- save, load, and what callbacks ask for ----------------------------------------------------------------

    @property
    def learned(self) -> Learned:
        """Weights and optimizer, as `Sequential.learned`."""
        return self.model.learned

    @learned.setter
    def learned(self, learned: Learned) -> None:
        self.model.learned = learned

    def get_weights(self) -> list[Array]:
        """Returns copies of all weights, as `Sequential.get_weights`."""
        return self.model.get_weights()

    def set_weights(self, weights: Sequence[object]) -> None:
        """Replaces all weights, as `Sequential.set_weights`."""
        self.model.set_weights(weights)

    def save(self, path: str | Path) -> None:
        """Writes the model to one file, whole or not at all: network, weights, vocabulary, baselines, optimiser.

        Raises:
            FileError: it cannot be written there.
        """
        write_artifact(path, self.to_artifact())
        self._model.warn_of_unsaved(f"{path} lacks")

    def __copy__(self) -> TextModel:
        """Returns a model that learns by itself."""
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        other._model = copy(self._model)
        return other

    def to_artifact(self) -> Artifact:
        """Returns what a model file holds of this model."""
        vocabulary, baselines = self._require_fitted()
        inner = self._model.to_artifact()
        options = {
            name: getattr(self, name)
            for name in ("tokens", "units", "layers", "embedding", "dropout", "window", "seed")
        }
        header = {
            **inner.header,
            "options": options,
            "vocabulary": vocabulary.config(),
            "reads": self.state is not None,
        }
        reading = {} if self.state is None else name_leaves("reads", dict(self.state.layers))
        counts = {f"baselines.{name}": array for name, array in asdict(baselines).items()}
        return Artifact("text", header, inner.arrays | counts | reading)

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> TextModel:
        """Returns the model that `save` described."""
        model = cls(**artifact.header["options"])
        model._vocabulary = Vocabulary.from_config(artifact.header["vocabulary"])
        model._baselines = Baselines(
            *(artifact.array(f"baselines.{name}") for name in ("unigrams", "pairs", "pair_counts"))
        )
        model._model = Sequential.from_artifact(artifact)
        if model._model.network.symbols != len(model._vocabulary):
            raise FileError(f"its vocabulary does not belong to its network; {ANEW}")
        if artifact.header.get("reads"):
            zeros = dict(model._model.zero_state(1).layers)
            model.state = State(fill_leaves("reads", zeros, artifact.arrays))
        return model
