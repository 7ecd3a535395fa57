"""How well a network predicts a sequence: each symbol is scored once, and none with a cold state."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statewise.data.codecs import Vocabulary
from statewise.data.windows import windows
from statewise.errors import DataError
from statewise.foundation.forks import check_process
from statewise.foundation.shapes import Array
from statewise.inference.forward import forward_of
from statewise.network import Network, NetworkParams
from statewise.state import LayerStates
from statewise.text.baselines import Baselines

MAX_ROWS = 32
"""The maximum number of rows that a long sequence is split into."""

WARMUP = 256
"""Each row first reads this many symbols before its own, so that its state is as if it had read them all."""

STEPS = 256
"""Steps per dispatch."""


@dataclass(frozen=True)
class TextScore:
    """How well a model predicts a text, compared with unigram and bigram counts on the same symbols.

    Attributes:
        loss: mean negative log probability of the actual tokens, in nats.
        perplexity: exp(loss), the effective number of equally likely tokens.
        bits_per_character: the total loss of the scored tokens in bits, divided by their number of characters.
        accuracy: fraction of tokens that were the most likely.
        tokens: number of scored tokens.
        unknown: number of tokens that are not in the vocabulary; they were skipped.
        unigram_loss, unigram_accuracy: of a model that knows only the frequency of each token.
        bigram_loss, bigram_accuracy: of a model that knows only the previous token.
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


class Scores(NamedTuple):
    """The scores of a sequence; the first symbol, or the first window, is not predicted."""

    position: Array  # [N] index of each scored symbol in the sequence
    loss: Array  # [N] -log p of the symbol, in nats
    hit: Array  # [N] bool, whether it was the most likely

    def since(self, position: int) -> Scores:
        """Returns the scores of the symbols from `position` on."""
        later = self.position >= position
        return Scores(self.position[later], self.loss[later], self.hit[later])


def count_scorable(ids: Array, window: int | None) -> int:
    """Returns the number of symbols in `ids` that can be predicted and are known."""
    if window is None:
        return int((ids[1:] >= 0).sum())
    if len(ids) <= window:
        return 0
    x, y = windows(ids, window)[:2]
    return int(((x >= 0).all(axis=1) & (y >= 0)).sum())


def check_scorable(what: str, ids: Array, tokens: str, window: int | None, warmup: int = 0) -> None:
    """Raises DataError, which names `what`, unless some symbol of `ids` can be scored."""
    if count_scorable(ids[max(0, warmup - 1) :], window) == 0:
        known = int((ids >= 0).sum())
        raise DataError(
            f"{what} has {len(ids)} {tokens} token(s), {known} of them known: expected at least one known "
            f"token after {max(window or 1, warmup)} other(s), so that there is something to score"
        )


def score_sequence(
    network: Network, params: NetworkParams, ids: Array, window: int | None, start: LayerStates | None = None
) -> tuple[Scores, LayerStates]:
    """Returns the scores of all symbols of `ids [N]` that can be predicted, and the states `[1, H]` after the last.

    There must be at least one. `start` is the state `[1, H]` before the first symbol; None is the initial state.

    Symbols numbered -1 are unknown to the network: they are skipped and not scored. Rows warmed up with `WARMUP`
    symbols differ far less from one row that reads everything than rows that start cold
    (docs/decisions/0006-scoring.md).
    """
    check_process()
    if window is not None:
        return _score_windows(network, params, ids, window), {}
    transitions = len(ids) - 1
    rows = min(MAX_ROWS, math.ceil(transitions / (2 * WARMUP)))
    length = math.ceil(transitions / rows)
    starts = np.arange(rows) * length - (WARMUP if rows > 1 else 0)
    steps = math.ceil((length + (WARMUP if rows > 1 else 0)) / STEPS) * STEPS
    position = starts[:, None] + np.arange(steps)  # of the input; the symbol it predicts is the next one
    real = (position >= 0) & (position < transitions)
    position = np.clip(position, 0, transitions - 1)
    x, y = ids[position], ids[position + 1]
    own = real & (np.arange(steps) >= (WARMUP if rows > 1 else 0)) & (y >= 0)
    own &= position < (np.arange(rows)[:, None] + 1) * length
    states = network.initial_state(params, rows)
    if start is not None:  # for the first row, which has no warmup
        states = jax.tree.map(lambda fresh, given: jnp.asarray(fresh).at[0].set(given[0]), states, start)
    loss, hit, states = _score_rows(network, params, states, np.maximum(x, 0), np.maximum(y, 0), real & (x >= 0))
    order = np.argsort(position[own], kind="stable")
    last = jax.tree.map(lambda part: part[-1:], states)
    if ids[-1] >= 0:  # it was predicted, but not read yet
        _, last = forward_of(network)(params, jnp.asarray(ids[None, -1:]), last)
    return Scores((position[own] + 1)[order], loss[own][order], hit[own][order]), last


def beside_baselines(scores: Scores, ids: Array, vocabulary: Vocabulary, baselines: Baselines) -> TextScore:
    """Returns the total score of `ids`, with unigrams and bigrams on the same symbols."""
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


def _score_rows(
    network: Network, params: NetworkParams, states: LayerStates, x: Array, y: Array, mask: Array
) -> tuple[Array, Array, LayerStates]:
    program = _program(network)
    losses, hits = [], []
    for first in range(0, x.shape[1], STEPS):
        part = slice(first, first + STEPS)
        states, loss, hit = program(params, states, x[:, part], y[:, part], mask[:, part])
        losses.append(np.asarray(loss, np.float64))
        hits.append(np.asarray(hit))
    return np.concatenate(losses, axis=1), np.concatenate(hits, axis=1), states


def _score_windows(network: Network, params: NetworkParams, ids: Array, length: int) -> Scores:
    x, y = windows(ids, length)[:2]
    known = (x >= 0).all(axis=1) & (y >= 0)
    position = np.arange(length, len(ids))[known]
    x, y = x[known], y[known]
    program, losses, hits = _program(network), [], []
    for first in range(0, len(x), STEPS):
        part = slice(first, first + STEPS)
        missing = max(0, first + STEPS - len(x))
        batch = np.pad(x[part], [(0, missing), (0, 0)])
        _, loss, hit = program(params, network.initial_state(params, STEPS), batch, np.pad(y[part], (0, missing)), None)
        losses.append(np.asarray(loss, np.float64)[: STEPS - missing])
        hits.append(np.asarray(hit)[: STEPS - missing])
    return Scores(position, np.concatenate(losses), np.concatenate(hits))


@lru_cache(maxsize=16)
def _program(network: Network):  # type: ignore[no-untyped-def]  # a jitted function
    bare, _ = network.without_head()

    @jax.jit
    def score(
        params: NetworkParams, states: LayerStates, x: jax.Array, y: jax.Array, mask: jax.Array | None
    ) -> tuple[LayerStates, jax.Array, jax.Array]:
        logits, states = bare.apply(params, x, states, mask=mask)
        loss = jax.nn.logsumexp(logits, axis=-1) - jnp.take_along_axis(logits, y[..., None], -1)[..., 0]
        return states, loss, jnp.argmax(logits, axis=-1) == y

    return score
