"""TextModel: a vocabulary, a Sequential and generation, for learning a text and continuing it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optax

from statewise.artifact import ANEW, Artifact, write_artifact
from statewise.baselines import Baselines
from statewise.callbacks import Callback, OnBehalf, read_callbacks
from statewise.data.codecs import Vocabulary, check_tokens
from statewise.data.lanes import lanes, windows
from statewise.errors import DataError, FileError, LifecycleError
from statewise.generation import Sampling, generator_of
from statewise.history import History
from statewise.layers import LSTM, Dense, Dropout, Embedding, Layer
from statewise.model import Sequential
from statewise.optimizers import Optimizer, get_optimizer
from statewise.scoring import Scores, count_scorable, score_sequence
from statewise.shapes import Array, check_rate, check_seed, check_whole
from statewise.text_plan import Plan, scheduled_optimizer


@dataclass(frozen=True)
class TextScore:
    """How well a model foretells a text, beside what counting symbols achieves on the same ones.

    Attributes:
        loss: mean of -log p of the symbols that came, in nats per token.
        perplexity: e to the loss; among so many equally likely tokens the model seems to choose.
        bits_per_character: the loss of all scored tokens, in bits, over the characters that they have.
        accuracy: share of tokens that were the likeliest.
        tokens: how many tokens were scored.
        unknown: how many are not in the vocabulary; they were skipped.
        unigram_loss, unigram_accuracy: of a model that knows only how frequent each token is.
        bigram_loss, bigram_accuracy: of a model that knows only the token before.
    """

    loss: float
    perplexity: float
    bits_per_character: float
    accuracy: float
    tokens: int
    unknown: int
    unigram_loss: float
    unigram_accuracy: float
    bigram_loss: float
    bigram_accuracy: float


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
            callbacks: as in `Sequential.fit`; `model` is this TextModel.
            verbose: as in `Sequential.fit`.

        Raises:
            DataError: the text is too short.
            ConfigurationError: an option out of its range.
        """
        vocabulary = Vocabulary.of(text, self.tokens)
        ids = vocabulary.encode(text)
        plan = Plan.of(len(ids), self.window, batch_size, steps, epochs)
        configured = _configured(optimizer, learning_rate, plan)
        readers = [OnBehalf(self, callback) for callback in read_callbacks(callbacks)]
        held_out = None if validation_text is None else self._read_held_out(vocabulary, validation_text)
        if self._vocabulary != vocabulary:  # whatever can be wrong was found: what was learnt before may go
            self._define(vocabulary)
        self._vocabulary, self._baselines = vocabulary, Baselines.of(ids, len(vocabulary))
        self._model.compile(configured, "sparse_categorical_crossentropy", ["accuracy"])
        framing = self._frame(ids, plan)
        return self._model.fit(
            **framing,
            batch_size=plan.batch_size,
            epochs=plan.epochs,
            validation_data=None if held_out is None else lambda: self._validate(held_out),
            callbacks=readers,
            verbose=verbose,
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
        _configured(optimizer, learning_rate, plan)
        if validation_text is not None:
            self._read_held_out(vocabulary, validation_text)
        return plan

    def _read_held_out(self, vocabulary: Vocabulary, text: str) -> Array:
        ids = vocabulary.encode_known(text)
        self._check_scorable("validation_text (what is held out)", ids)
        return ids

    def _define(self, vocabulary: Vocabulary) -> None:
        locked = (None, 1, None)
        layers: list[Layer] = [Embedding(len(vocabulary), self.embedding, input_shape=(None,))]
        for number in range(self.layers):
            last = number == self.layers - 1 and self.window is not None
            layers.append(LSTM(self.units, return_sequences=not last))
            if self.dropout:
                layers.append(Dropout(self.dropout, noise_shape=None if last else locked))
        self._model = Sequential([*layers, Dense(len(vocabulary), activation="softmax")], seed=self.seed)

    def _frame(self, ids: Array, plan: Plan) -> dict[str, Any]:
        if self.window is not None:
            x, y = windows(ids, self.window)
            return {"x": x, "y": y}
        framed = lanes(ids, plan.batch_size, plan.steps)
        return {"x": framed.x, "y": framed.y, "mask": framed.mask, "state": "carry"}

    def _validate(self, ids: Array) -> dict[str, float]:
        scores = self._scores(ids)
        return {"loss": float(scores.loss.mean()), "accuracy": float(scores.hit.mean())}

    # -- evaluate ----------------------------------------------------------------------------------------------

    def evaluate(self, text: str) -> TextScore:
        """Returns how well the model foretells `text`, from a fresh state, beside unigrams and bigrams.

        Raises:
            DataError: nothing in it can be scored.
        """
        vocabulary, baselines = self._require_fitted()
        ids = vocabulary.encode_known(text)
        scores = self._scores(ids)
        target, previous = ids[scores.position], ids[scores.position - 1]
        unigram_loss, unigram_hit = baselines.unigram(target)
        bigram_loss, bigram_hit = baselines.bigram(previous, target)
        bigram_loss = np.where(previous < 0, unigram_loss, bigram_loss)
        loss = float(scores.loss.mean())
        characters = sum(len(vocabulary.symbols[number]) for number in target.tolist())
        return TextScore(
            loss=loss,
            perplexity=math.exp(min(loss, 700.0)),
            bits_per_character=float(scores.loss.sum()) / math.log(2) / characters,
            accuracy=float(scores.hit.mean()),
            tokens=len(target),
            unknown=int((ids < 0).sum()),
            unigram_loss=float(unigram_loss.mean()),
            unigram_accuracy=float(unigram_hit.mean()),
            bigram_loss=float(bigram_loss.mean()),
            bigram_accuracy=float(np.where(previous < 0, unigram_hit, bigram_hit).mean()),
        )

    def _scores(self, ids: Array) -> Scores:
        self._check_scorable("the text", ids)
        return score_sequence(self._model.network, self._model.params, ids, self.window)

    def _check_scorable(self, what: str, ids: Array) -> None:
        if count_scorable(ids, self.window) == 0:
            known = int((ids >= 0).sum())
            raise DataError(
                f"{what} has {len(ids)} {self.tokens} token(s), {known} of them known: expected at least one known "
                f"after {self.window or 1} other(s), so that there is something to score"
            )

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
    ) -> str:
        """Returns `length` tokens that go on from `prompt`, which is not repeated.

        Args:
            prompt: where to go on from.
            length: how many tokens.
            temperature: 0 takes the likeliest; 1 draws as the model says; below 1 more careful, above bolder.
            top_k: draw among the k likeliest only.
            top_p: draw among the likeliest that together reach this probability.
            seed: one seed gives one text.

        Raises:
            DataError: the prompt is empty, too short for the window, or has a symbol that the model never saw.
            ConfigurationError: an option out of its range.
        """
        return "".join(
            self.stream(prompt, length, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
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
    ) -> Iterator[str]:
        """Yields the pieces of text that `generate` returns joined, as they come; arguments as there.

        Words come with the blank before them, so that prompt and pieces written one after another are a text.
        """
        vocabulary, _ = self._require_fitted()
        sampling = Sampling(temperature, top_k, top_p)
        check_whole("length", length)
        check_seed(seed)
        ids = vocabulary.read_prompt(prompt, self.window)
        generator = generator_of(self._model.network, self.window)
        symbols = generator.symbols(self._model.params, ids, length, sampling, seed)
        return vocabulary.pieces(symbols, previous=vocabulary.symbols[int(ids[-1])])

    # -- save, load, and what callbacks ask for ----------------------------------------------------------------

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
        vocabulary, baselines = self._require_fitted()
        inner = self._model.to_artifact()
        options = {
            name: getattr(self, name)
            for name in ("tokens", "units", "layers", "embedding", "dropout", "window", "seed")
        }
        header = {**inner.header, "options": options, "vocabulary": vocabulary.config()}
        counts = {f"baselines.{name}": array for name, array in asdict(baselines).items()}
        write_artifact(path, Artifact("text", header, inner.arrays | counts))

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
        return model


def _configured(
    optimizer: str | Optimizer, learning_rate: float, plan: Plan
) -> Optimizer | optax.GradientTransformation:
    if isinstance(optimizer, str):
        return scheduled_optimizer(optimizer, learning_rate, plan.updates)
    return get_optimizer(optimizer)
