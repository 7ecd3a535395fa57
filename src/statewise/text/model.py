"""TextModel: a vocabulary, a Sequential and generation, for learning texts and continuing them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from statewise.data.codecs import Vocabulary, check_content
from statewise.data.lanes import Lanes
from statewise.data.windows import Windows
from statewise.diagnostics.memory import MemoryReport
from statewise.diagnostics.verification import ROWS, STEPS, TOLERANCE, Verification
from statewise.errors import ConfigurationError, StateError
from statewise.foundation.shapes import Array, check_seed, check_whole
from statewise.generation.sampling import Sampling
from statewise.inference.start import Start, read_start, warn_unused
from statewise.phrasebook.guard import guard
from statewise.state import LayerStates, State
from statewise.text.beams import search_of
from statewise.text.generation import generator_of
from statewise.text.learner import Learner
from statewise.text.plan import frame
from statewise.text.scoring import Scores, TextScore, beside_baselines, check_scorable, score_sequence


@guard
class TextModel(Learner):
    """Learns a text, or one after another, and continues it.

    By default the text is read as contiguous rows, with the state carried from batch to batch, and every symbol is
    predicted from all symbols before it. With `window=n` it is predicted from only the n symbols before it, as in the
    classic story generators.

    Args:
        tokens: `char` for characters, or `word` for words and punctuation (docs/decisions/0024-text-beyond-ascii.md).
        units: size of each LSTM layer.
        layers: number of LSTM layers.
        embedding: size of each symbol's vector.
        dropout: fraction of features dropped in training, the same ones at every step of a batch.
        window: number of symbols that the next one is predicted from; None carries the state instead.
        seed: all randomness derives from it.

    >>> model = TextModel(tokens="word", units=16, window=2, seed=7)
    >>> model
    TextModel(tokens='word', units=16, window=2, no text learned yet)
    >>> history = model.fit("the mice saw the cat and the mice ran", epochs=40, learning_rate=0.02, verbose=0)
    >>> model.generate("saw the", length=2, temperature=0)
    'cat and'
    >>> model.has_learned("the mice saw the cat and the mice ran")
    True
    """

    # -- evaluate ----------------------------------------------------------------------------------------------

    def evaluate(self, text: str, *, state: str | State = "fresh") -> TextScore:
        """Returns how well the model predicts `text`, compared with unigrams and bigrams.

        Args:
            text: the text to predict; its first symbol is only read.
            state: where it starts: "fresh"; a `State` of one row; "carry", which starts fresh and stores the final
                state in `self.state`; "continue", which starts from that; or "warmup:n", which does not score the
                first n symbols.

        Raises:
            DataError: nothing in the text can be scored, or it is the name of a file.
            StateError: the state belongs to another network, or the model reads windows and has no state.
        """
        vocabulary, baselines = self._require_fitted()
        check_content("text", text)
        ids = vocabulary.encode_known(text)
        start = self._start(state)
        scores, end = self._scores(ids, start)
        self._keep(start, end)
        return beside_baselines(scores, ids, vocabulary, baselines)

    def _scores(self, ids: Array, start: Start) -> tuple[Scores, LayerStates]:
        check_scorable("the text", ids, self.tokens, self.window, start.warmup)
        scores, end = score_sequence(self._model.network, self._model.params, ids, self.window, start.batch)
        return scores.since(start.warmup), end

    # -- verify and memory report ------------------------------------------------------------------------------

    def verify(self, text: str, *, tolerance: float = TOLERANCE) -> Verification:
        """Returns how much the outputs differ when the text is read differently, as in `Sequential.verify`.

        Raises:
            DataError: too few symbols of the text are known, or it is the name of a file.
        """
        framed = self._frame_known(text, ROWS, STEPS, 1)
        return self.model.verify(framed.x, mask=getattr(framed, "mask", None), tolerance=tolerance)

    def memory_report(self, text: str, *, steps: int = 64) -> MemoryReport:
        """Returns how many symbols back the model uses, as in `Sequential.memory_report`.

        Args:
            text: the text to predict.
            steps: symbols per row, the farthest lag measured. Ignored for windows.

        Raises:
            DataError: too few symbols of the text are known, or it is the name of a file.
        """
        return self.model.memory_report(self._frame_known(text, 32, check_whole("steps", steps, 2), 4))

    def _frame_known(self, text: str, rows: int, steps: int, batches: int) -> Lanes | Windows:
        """Returns the known symbols of `text` in at most `rows` rows and `steps` steps.

        There are fewer rows if a short text would otherwise have fewer than `batches` batches.
        """
        check_content("text", text)
        ids = self.vocabulary.encode_known(text)
        ids = ids[ids >= 0]
        check_scorable("the text, without unknown symbols,", ids, self.tokens, self.window)
        rows = max(1, min(rows, (len(ids) - 1) // (batches * steps)))
        return frame(ids, self.window, rows, min(steps, math.ceil((len(ids) - 1) / rows)))

    # -- states ------------------------------------------------------------------------------------------------

    def _start(self, state: str | State) -> Start:
        start = read_start(state, self._model.network, None, 1, self.state)
        warn_unused(start, self.state)
        if self.window is not None and start != Start():
            raise StateError(
                f"state: this model reads windows of {self.window} and has no state; make a TextModel without window"
            )
        return start

    def _keep(self, start: Start, states: LayerStates) -> None:
        if start.keep:
            self.state = self._model.network.state_of(self._model.params, states)

    def initial_state(self) -> State:
        """Returns the initial state of a text, one row."""
        return self.model.initial_state(1)

    def reset_state(self) -> None:
        """Clears `self.state`, so that "continue" starts fresh."""
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
        beams: int = 1,
    ) -> str:
        """Returns `length` tokens that continue `prompt`, which is not repeated.

        Args:
            prompt: the text to continue.
            length: number of tokens.
            temperature: 0 is greedy; 1 samples from the model's probabilities; < 1 sharpens them, > 1 flattens them.
            top_k: sample from the k most likely tokens only.
            top_p: sample from the most likely tokens whose probabilities add up to this.
            seed: random seed; the same seed gives the same text.
            state: where the prompt starts: "fresh"; a `State` of one row; "carry", which starts fresh and stores the
                state after prompt and text in `self.state`; or "continue", which starts from that.
            beams: above 1, a beam search takes the place of sampling: this many continuations are kept at every
                token, and the most likely one is returned. It excludes temperature, top_k and top_p.

        Raises:
            StateError: the state belongs to another network, or the model reads windows and has no state.
            DataError: the prompt is empty, too short for the window, or has a symbol that the model does not know.
            ConfigurationError: an option is out of range.
        """
        options = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        pieces = self.stream(prompt, length, seed=seed, state=state, beams=beams, **options)  # type: ignore[arg-type]
        return "".join(pieces).lstrip(" " if self.tokens == "word" else "")

    def _prepared(self, prompt: str, length: int, state: str | State) -> tuple[Vocabulary, Start, Array]:
        """Returns what a generation starts from, after checking it."""
        vocabulary, _ = self._require_fitted()
        check_whole("length", length)
        start = self._start(state)
        if start.warmup:
            raise ConfigurationError("state='warmup:n': the whole prompt already warms up the state; remove it")
        return vocabulary, start, vocabulary.read_prompt(prompt, self.window)

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
        beams: int = 1,
    ) -> Iterator[str]:
        """Yields the text of `generate` in pieces, as they are generated; same arguments.

        A word includes the space before it, so that the prompt and the pieces can be concatenated. Those of a beam
        search all come at its end.
        """
        sampling = Sampling(temperature, top_k, top_p)
        check_seed(seed)
        if check_whole("beams", beams) > 1 and sampling != Sampling():
            raise ConfigurationError("beams: a beam search excludes temperature, top_k and top_p; remove them")
        vocabulary, start, ids = self._prepared(prompt, length, state)
        generator = generator_of(self._model.network, self.window)

        def symbols() -> Iterator[int]:
            if beams > 1:
                search = search_of(self._model.network, self.window, beams)
                drawn, _, end = search.search(self._model.params, ids, length, start.batch)
                yield from drawn
            else:
                end = yield from generator.symbols(self._model.params, ids, length, sampling, seed, start.batch)
            self._keep(start, end)

        return vocabulary.pieces(symbols(), after=ids.tolist())
