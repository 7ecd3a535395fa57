"""Attention: at each step, a mean of other steps, weighted by how well they fit."""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from statewise.errors import ConfigurationError, ShapeError, StateError, unknown_name
from statewise.foundation.random import Key, glorot_uniform
from statewise.foundation.shapes import Array, Shape, check_rate, check_whole, describe
from statewise.kernels.states import AttentionState, LayerState
from statewise.layers.base import Flags, Layer, MemorylessLayer, Params, check_layer
from statewise.layers.dropout import draw_noise
from statewise.layers.step_windows import since_last_reset
from statewise.operations import Affine, Apply, Constant, Input, Joined, Kept, Slice, Step, Vector
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax

FAR = 1e9
"""What is taken from the score of a step that is not there, as in Keras: its weight is then 0."""


class WithScores(NamedTuple):
    """What attention gives, and the weights `[B, T, S]` with which it read the steps."""

    y: Any
    scores: Any


class _Seen(NamedTuple):
    """The steps that may be attended to."""

    keys: jax.Array  # [B, S, K]
    values: jax.Array  # [B, S, F]
    visible: jax.Array | None  # bool [B, T, S] or [B, 1, S]; None if all are


@dataclass(frozen=True)
class _Attending(Layer):
    """What both kinds of attention have in common."""

    causal: bool = field(default=False, kw_only=True)
    window: int | None = field(default=None, kw_only=True)
    dropout: float = field(default=0.0, kw_only=True)
    return_attention_scores: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        check_layer(self)
        kind = type(self).__name__
        check_rate(f"{kind} dropout", self.dropout)
        if self.window is not None:
            check_whole(f"{kind} window", self.window)
        for option in ("causal", "return_attention_scores", "use_scale"):
            if not isinstance(getattr(self, option), bool):
                raise ConfigurationError(f"{kind} {option}: expected True or False, got {getattr(self, option)!r}")

    @abstractmethod
    def scores(self, params: Params, query: jax.Array, keys: jax.Array) -> jax.Array:
        """Returns how well each key `[B, S, K]` fits each query `[B, T, K]`: `[B, T, S]`."""

    @abstractmethod
    def score(self, query: Vector, key: Vector, weights: Mapping[str, Array]) -> Vector:
        """Returns the same for one query and one key, as operations: one number."""

    @property
    def joins(self) -> bool:
        return True

    @property
    def steps_from(self) -> int | None:
        return 0

    @property
    def reads_back(self) -> bool:
        return self.causal or self.window is not None

    @property
    def unbounded(self) -> bool:
        return self.causal and self.window is None

    @property
    def has_memory(self) -> bool:
        return self.window is not None and self.window > 1

    def output_shape(self, *shapes: Shape) -> Shape:
        kind = type(self).__name__
        if not 2 <= len(shapes) <= 3 or any(len(shape) != 2 or shape[-1] is None for shape in shapes):
            raise ShapeError(
                f"{kind}: expected a query, values and, if they are others, keys, [B, T, F] each, as in "
                f"{kind}()([query, values]), got {', '.join(map(describe, shapes))}"
            )
        query, values, keys = shapes[0], shapes[1], shapes[-1]
        if query[1] != keys[1]:
            raise ShapeError(
                f"{kind}: expected queries and keys with the same features, got {describe(query)} and "
                f"{describe(keys)}; a Dense({query[1]}) before it can change them"
            )
        if len(shapes) == 3 and values[0] != keys[0]:
            raise ShapeError(f"{kind}: expected a key for each value, got {describe(keys)} for {describe(values)}")
        return (query[0], values[1])

    def zero_state(self, batch: int, *shapes: Shape) -> LayerState:
        if not self.has_memory or self.window is None:
            return ()
        from statewise.foundation.engine import zeros

        width = sum(shape[-1] or 0 for shape in shapes[1:])
        return AttentionState(zeros(batch, (self.window - 1) * width), zeros(batch, self.window - 1))

    def apply(
        self,
        params: Params,
        x: Any,
        state: LayerState,
        *,
        reset: jax.Array | None = None,
        mask: jax.Array | None = None,
        rng: jax.Array | None = None,
    ) -> tuple[Any, LayerState]:
        return self.apply_across(params, x, state, own=(reset, mask), others=[None] * (len(x) - 1), rng=rng)

    def apply_across(
        self,
        params: Params,
        x: Sequence[jax.Array],
        state: LayerState,
        *,
        own: Flags,
        others: Sequence[Flags | None],
        rng: jax.Array | None = None,
    ) -> tuple[Any, LayerState]:
        import jax.numpy as jnp

        after = state
        query, values, keys = x[0], x[1], x[-1]
        if others[0] is not None:
            real = since_last_reset(*others[0])
            seen = _Seen(keys, values, None if real is None else real[:, None])
        elif self.has_memory:
            seen, after = self._with_past(x, state, own)
        else:
            rows, steps = query.shape[:2]
            seen = _Seen(keys, values, self._visible(own, (rows, steps)))
        scores = _softmax(self.scores(params, query, seen.keys), seen.visible)
        weights = scores
        if rng is not None and self.dropout:
            weights = scores * draw_noise(rng, self.dropout, scores.shape, scores.dtype)
        y = jnp.einsum("bts,bsf->btf", weights, seen.values)
        if own[1] is not None:
            y = jnp.where(own[1][..., None], y, 0)
        return (WithScores(y, scores) if self.return_attention_scores else y), after

    def _visible(self, own: Flags, shape: tuple[int, int], before: jax.Array | None = None) -> jax.Array | None:
        """Returns bool `[B, T, S]`: which steps each step attends to, of those with the same flags.

        With `before`, bool `[B, N]`, N steps come before them, of which those count.
        """
        import jax.numpy as jnp

        reset, mask = own
        rows, steps = shape
        extra = 0 if before is None else before.shape[1]
        if reset is None and mask is None and before is None and not self.reads_back:
            return None
        real = jnp.ones(shape, bool) if mask is None else mask
        real = real if before is None else jnp.concatenate([before, real], axis=1)
        visible = jnp.broadcast_to(real[:, None], (rows, steps, extra + steps))
        if reset is not None:
            segments = jnp.pad(jnp.cumsum(reset, axis=1), [(0, 0), (extra, 0)])
            visible = visible & (segments[:, extra:, None] == segments[:, None])
        if self.reads_back:
            place = jnp.arange(extra + steps)
            visible = visible & (place[None, extra:, None] >= place[None, None])
        if self.window is not None:
            order = jnp.cumsum(real, axis=1)
            visible = visible & (order[:, extra:, None] - order[:, None] < self.window)
        return visible

    def _with_past(self, x: Sequence[jax.Array], state: Any, own: Flags) -> tuple[_Seen, AttentionState]:
        """Returns the last steps before these and these, and the last steps now."""
        import jax.numpy as jnp

        if not isinstance(state, AttentionState):
            kind = type(self).__name__
            raise StateError(f"{kind} needs its last steps, got {state!r}; start from model.initial_state(batch)")
        rows, steps = x[0].shape[:2]
        reach = state.real.shape[1]
        read = jnp.concatenate(x[1:], axis=-1)
        width = read.shape[-1]
        together = jnp.concatenate([state.past.reshape(rows, reach, width), read], axis=1)
        before = state.real > 0
        visible = self._visible(own, (rows, steps), before)
        last = since_last_reset(*own)
        last = jnp.ones((rows, steps), bool) if last is None else last
        kept = before if own[0] is None else before & ~own[0].any(axis=1, keepdims=True)
        there = jnp.concatenate([kept, last], axis=1)
        # the last steps that are there, in order, behind those that are not
        order = jnp.argsort(there, axis=1, stable=True)[:, -reach:]
        real = jnp.take_along_axis(there, order, axis=1)
        past = jnp.where(real[..., None], jnp.take_along_axis(together, order[..., None], axis=1), 0)
        size = x[1].shape[-1]
        values, keys = together[..., :size], together[..., width - x[-1].shape[-1] :]
        after = AttentionState(past.reshape(rows, reach * width), real.astype(state.real.dtype))
        return _Seen(keys, values, visible), after

    def step(self, x: Any, weights: Mapping[str, Array]) -> Step:
        if self.window is None:
            raise self._unanswerable(
                ": attention without a window reads all steps, and a stream would have to keep them; give it window=n, "
                "or whole sequences to model.predict(x)"
            )
        query, *read = x
        size, key_size = read[0].size or 0, read[-1].size or 0
        nothing = Constant(np.zeros(size, np.float32))
        if not self.has_memory:
            return Step(Kept(read[0], nothing))
        reach, width = self.window - 1, sum(part.size or 0 for part in read)
        past, real = Input(reach * width), Input(reach)
        values = [*(Slice(past, place * width, size) for place in range(reach)), read[0]]
        keys = [*(Slice(past, (place + 1) * width - key_size, key_size) for place in range(reach)), read[-1]]
        absent = FAR * np.append(-np.ones(reach), 0)
        there = Affine((real,), FAR * np.eye(reach, reach + 1, dtype=np.float32), absent.astype(np.float32))
        fits = Joined([self.score(query, key, weights) for key in keys])
        y = _mean(values, Apply("softmax", fits + there))
        one = Constant(np.ones(1, np.float32))
        newer = [Slice(past, width, (reach - 1) * width), *read] if reach > 1 else read
        still_real = [Slice(real, 1, reach - 1), one] if reach > 1 else [one]
        after = AttentionState(Kept(Joined(newer), past), Kept(Joined(still_real), real))
        return Step(Kept(y, nothing), AttentionState(past, real), after)


def _mean(values: Sequence[Vector], shares: Vector) -> Vector:
    """Returns the sum of the values, each times its share, as operations."""
    size, parts = values[0].size or 0, []
    for place, value in enumerate(values):
        spread = np.zeros((len(values), size), np.float32)
        spread[place] = 1
        parts.append(Affine((shares,), spread, np.zeros(size, np.float32)) * value)
    return reduce(operator.add, parts)


def _softmax(scores: jax.Array, visible: jax.Array | None) -> jax.Array:
    """Returns the shares of what is visible, zeros if nothing is."""
    import jax
    import jax.numpy as jnp

    if visible is None:
        return jax.nn.softmax(scores, axis=-1)
    shares = jax.nn.softmax(jnp.where(visible, scores, scores - FAR), axis=-1)
    return jnp.where(visible, shares, 0)


def _summed(weights: Array | float, source: Vector) -> Vector:
    """Returns the weighted sum of a vector's numbers, as operations."""
    column = np.broadcast_to(np.asarray(weights, np.float32).reshape(-1, 1), (source.size or 0, 1))
    return Affine((source,), np.array(column), np.zeros(1, np.float32))


@guard_making
@dataclass(frozen=True)
class Attention(_Attending):
    """Dot-product attention (Luong et al. 2015): for each query, the mean of the values whose keys fit it best.

    Called with `[query, values]` or `[query, values, keys]`, each `[B, T, F]`; keys are the values by default. Values
    may be on another time axis than queries: a decoder attends to its encoder's steps. A masked step, and one before a
    reset, is not there; the output at a masked step of the query is zeros.

    Args:
        use_scale: whether scores are multiplied by a weight `scale`, initially 1.
        score_mode: "dot"; or "concat", the sum of tanh(query + key), times a weight.
        causal: whether a step attends to itself and those before it only; for values on the query's own time axis.
        window: how many of the last steps it attends to, itself included; implies `causal`. They are its state, so such
            a layer can be read in pieces and streams, as one without a window cannot.
        dropout: fraction of the shares zeroed in training.
        return_attention_scores: whether calling it returns a list: the output, and the shares `[B, T, S]`.

    >>> import statewise as sw
    >>> source, target = sw.Input((None, 8), name="source"), sw.Input((None, 8), name="target")
    >>> y, shares = sw.Attention(return_attention_scores=True)([target, source])
    >>> y.shape, shares.shape
    ((None, None, 8), (None, None, None))
    """

    use_scale: bool = field(default=False, kw_only=True)
    score_mode: str = field(default="dot", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.score_mode not in ("dot", "concat"):
            raise unknown_name("score_mode", self.score_mode, ("dot", "concat"))

    @property
    def weight_names(self) -> tuple[str, ...]:
        scale = ("scale",) if self.use_scale else ()
        return (*scale, "concat_score_weight") if self.score_mode == "concat" else scale

    def weight_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(self.weight_names, ())

    def init(self, key: Key, shape: Shape) -> dict[str, Array]:
        return {name: np.ones((), np.float32) for name in self.weight_names}

    def scores(self, params: Params, query: jax.Array, keys: jax.Array) -> jax.Array:
        import jax.numpy as jnp

        scale = params["scale"] if self.use_scale else 1.0
        if self.score_mode == "dot":
            return jnp.einsum("btf,bsf->bts", query, keys) * scale
        fits = jnp.tanh(scale * (query[:, :, None] + keys[:, None]))
        return params["concat_score_weight"] * fits.sum(axis=-1)

    def score(self, query: Vector, key: Vector, weights: Mapping[str, Array]) -> Vector:
        scale = float(weights["scale"]) if self.use_scale else 1.0
        if self.score_mode == "dot":
            return _summed(scale, query * key)
        size = key.size or 0
        both = Affine((query + key,), scale * np.eye(size, dtype=np.float32), np.zeros(size, np.float32))
        return _summed(float(weights["concat_score_weight"]), Apply("tanh", both))


@guard_making
@dataclass(frozen=True)
class AdditiveAttention(_Attending):
    """Additive attention (Bahdanau et al. 2015): a key fits a query by the weighted sum of tanh(query + key).

    Called with `[query, values]` or `[query, values, keys]`, as `Attention`; masks and resets as there.

    Args:
        use_scale: whether the sum is weighted, by `scale [F]`.
        causal: as in `Attention`.
        window: as in `Attention`.
        dropout: as in `Attention`.
        return_attention_scores: as in `Attention`.

    >>> AdditiveAttention().output_shape((5, 8), (None, 8))
    (5, 8)
    """

    use_scale: bool = field(default=True, kw_only=True)

    @property
    def weight_names(self) -> tuple[str, ...]:
        return ("scale",) if self.use_scale else ()

    def weight_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        return {"scale": (shape[-1] or 0,)} if self.use_scale else {}

    def init(self, key: Key, shape: Shape) -> dict[str, Array]:
        size = shape[-1] or 0
        return {"scale": glorot_uniform(key, (size,), (size, size))} if self.use_scale else {}

    def scores(self, params: Params, query: jax.Array, keys: jax.Array) -> jax.Array:
        import jax.numpy as jnp

        fits = jnp.tanh(query[:, :, None] + keys[:, None])
        return fits @ params["scale"] if self.use_scale else fits.sum(axis=-1)

    def score(self, query: Vector, key: Vector, weights: Mapping[str, Array]) -> Vector:
        return _summed(weights["scale"] if self.use_scale else 1.0, Apply("tanh", query + key))


@guard_making
@dataclass(frozen=True)
class AttentionScores(MemorylessLayer):
    """The shares `[B, T, S]` with which the attention before it reads, as `return_attention_scores=True` returns them.

    >>> AttentionScores().output_shape((5, 8))
    (5, None)
    """

    def __post_init__(self) -> None:
        check_layer(self)

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0], None)

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        return x
