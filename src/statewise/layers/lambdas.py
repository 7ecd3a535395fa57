"""A function of the user's own as a layer: Lambda."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from statewise.errors import ConfigurationError, ShapeError
from statewise.foundation.shapes import Shape, check_sizes, describe
from statewise.kernels.states import LayerState
from statewise.layers.base import Flags, MemorylessLayer, Params, check_layer
from statewise.layers.shaping import as_new_steps
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax

ROWS = 13
"""How many rows shapes are traced with."""

SIZES = (840, 1680)
"""What stands for an unknown size where shapes are traced; a size of the output that differs for both is unknown."""


class Given(NamedTuple):
    """The shape of the output that the user wrote."""

    shape: Shape

    def __call__(self, *shapes: Shape) -> Shape:
        """Returns that shape, whatever goes in."""
        return self.shape


@dataclass(frozen=True)
class Traced:
    """The shape of the output as JAX traces it."""

    function: Callable[..., Any]
    per_step: bool

    def __call__(self, *shapes: Shape) -> Shape:
        """Returns what comes out when `shapes` go in, all without batch axis."""
        steps = [shape for shape in shapes if len(shape) > 1]
        if self.per_step and not steps:
            listed = ", ".join(map(describe, shapes))
            raise ShapeError(f"Lambda: per_step=True expects input with steps, [B, T, ...], got {listed}; leave it out")
        first, second = (self._traced(shapes, size) for size in SIZES)
        if self.per_step:
            self._check_steps(first, _filled(steps[0], SIZES[0])[0], steps[0])
        return tuple(a if a == b else None for a, b in zip(first, second, strict=True))

    def _traced(self, shapes: Sequence[Shape], size: int) -> tuple[int, ...]:
        """Returns the shape of the output where unknown sizes are `size`."""
        import jax
        import jax.numpy as jnp

        given = [jax.ShapeDtypeStruct((ROWS, *_filled(shape, size)), jnp.float32) for shape in shapes]
        listed = ", ".join(map(describe, shapes))
        try:
            found = jax.eval_shape(lambda *values: called(self.function, values, None), *given)
        except Exception as error:
            raise ShapeError(
                f"Lambda: the function fails for {listed}: {str(error).splitlines()[0]:.120}; write it with "
                "jax.numpy; if it needs the number of steps, give that to the input, or output_shape= to the layer"
            ) from error
        if len(found.shape) < 2 or found.shape[0] != ROWS:
            raise ShapeError(
                f"Lambda: expected a function that returns a row [B, ...] for each row of {listed}, got "
                f"{describe(found.shape[1:]) if found.shape[:1] == (ROWS,) else list(found.shape)}; keep the first "
                "axis, and features: y[:, None] adds an axis"
            )
        return tuple(found.shape[1:])

    def _check_steps(self, found: Shape, steps: int | None, shape: Shape) -> None:
        if len(found) < 2 or found[0] != steps:
            raise ShapeError(
                f"Lambda: per_step=True promises a step for each step of {describe(shape)}, got "
                f"{describe(tuple(None if size == SIZES[0] else size for size in found))}; leave it out"
            )


@guard_making
@dataclass(frozen=True)
class Lambda(MemorylessLayer):
    """Applies a function of JAX arrays, without weights: `sw.Lambda(lambda x: x[:, -1])(h)`, or to `[a, b]`.

    The function is given `[B, ...]`, or a list of those, and returns one. It treats each row by itself. It is compiled:
    what it reads besides its arguments is read once. No file holds it, so `model.save` and streams refuse the model.

    Which steps it reads is unknown, so the network reads rows whole, not in pieces, and does not carry states; its
    output's steps, if there are any, are new ones. With `per_step=True` you promise that step t of the output depends
    on step t of the input only; the network then reads pieces, carries, and skips masked steps as without the layer.

    Args:
        function: of one array, or of a list of arrays where the layer is called with one. If it has an argument `mask`,
            it is given that, bool `[B, T]`. Without it, and without `per_step`, masked steps and rows of different
            lengths are refused, since it would read what is not there.
        per_step: whether it treats each step by itself.
        output_shape: the shape that comes out, without batch axis; found by tracing the function by default.

    Raises:
        ConfigurationError: that is no function, or no shape.

    >>> import statewise as sw
    >>> x = sw.Input((None, 8))
    >>> sw.Lambda(lambda x: x[:, -1] - x[:, 0])(x)
    <output of Lambda: [B, 8]>
    >>> sw.Lambda(lambda pair: pair[0] * pair[1], per_step=True)([x, sw.Dense(8)(x)])
    <output of Lambda: [B, T, 8]>
    """

    function: Callable[..., Any]
    per_step: bool = field(default=False, kw_only=True)
    output_shape: Any = field(default=None, kw_only=True)  # here it is a value: what `Layer.output_shape` does

    def __post_init__(self) -> None:
        check_layer(self)
        if not callable(self.function):
            raise ConfigurationError(
                f"Lambda: expected a function of arrays, such as lambda x: x[:, -1], got {self.function!r:.60}"
            )
        try:
            hash(self.function)
        except TypeError:
            raise ConfigurationError(
                f"Lambda: expected a function, got {type(self.function).__name__}, which cannot be a key of a dict; "
                "write lambda x: f(x)"
            ) from None
        if not isinstance(self.per_step, bool):
            raise ConfigurationError(f"Lambda per_step: expected True or False, got {self.per_step!r}")
        if not isinstance(self.output_shape, Given | Traced):
            object.__setattr__(self, "output_shape", self._shape_of(self.output_shape))

    def _shape_of(self, given: object) -> Given | Traced:
        if given is None:
            return Traced(self.function, self.per_step)
        shape = check_sizes("Lambda output_shape", given)
        if not shape:
            raise ConfigurationError("Lambda output_shape: expected at least one size, such as (8,), got ()")
        return Given(shape)

    @property
    def joins(self) -> bool:
        return True

    @property
    def takes_one(self) -> bool:
        return True

    @property
    def keeps_steps(self) -> bool:
        return self.per_step

    @property
    def reads_from(self) -> str:
        return "the start" if self.per_step else "both ends, as far as is known without per_step=True"

    @property
    def takes_padding(self) -> bool:
        return self.per_step

    def pass_on(self, reset: jax.Array | None, mask: jax.Array | None, shape: Shape) -> Flags:
        return (reset, mask) if self.per_step else as_new_steps(reset, mask, shape)

    def transform(self, params: Params, x: Any, rng: jax.Array | None) -> jax.Array:
        return self._checked(called(self.function, _values(x), None))

    def apply(
        self,
        params: Params,
        x: Any,
        state: LayerState,
        *,
        reset: jax.Array | None = None,
        mask: jax.Array | None = None,
        rng: jax.Array | None = None,
    ) -> tuple[jax.Array, LayerState]:
        values = _values(x)
        stepped = any(value.ndim > 2 for value in values)
        if stepped and mask is not None and not self.per_step and not _takes_mask(self.function):
            raise ShapeError(
                "Lambda: its function reads whole rows, and would read steps that are masked, or fill up rows of "
                "different lengths; give it an argument mask, bool [B, T], as in lambda x, mask: ..., or promise "
                "per_step=True if it treats each step by itself"
            )
        return self._checked(called(self.function, values, mask)), state

    def _checked(self, y: jax.Array) -> jax.Array:
        """Returns the output after checking that it has the shape that was given."""
        if isinstance(self.output_shape, Given):
            shape, found = self.output_shape(), y.shape[1:]
            if len(shape) != len(found) or any(w not in (None, s) for w, s in zip(shape, found, strict=True)):
                raise ShapeError(
                    f"Lambda: its function returns {describe(found)}, but output_shape={shape} was given; correct it"
                )
        return y


def called(function: Callable[..., Any], values: Sequence[jax.Array], mask: jax.Array | None) -> jax.Array:
    """Returns what a user's function makes of one value, or of a list of several, as real numbers."""
    import jax.numpy as jnp

    options = {}
    if _takes_mask(function):
        steps = next((value.shape[1] for value in values if value.ndim > 2), 1)
        options["mask"] = jnp.ones((values[0].shape[0], steps), bool) if mask is None else mask
    y = jnp.asarray(function(values[0] if len(values) == 1 else list(values), **options))
    return y if jnp.issubdtype(y.dtype, jnp.floating) else y.astype(values[0].dtype)


def _values(x: Any) -> Sequence[Any]:
    return x if isinstance(x, list | tuple) else (x,)


def _takes_mask(function: Callable[..., Any]) -> bool:
    try:
        return "mask" in inspect.signature(function).parameters
    except ValueError:  # a function that does not tell
        return False


def _filled(shape: Shape, size: int) -> tuple[int, ...]:
    return tuple(size if known is None else known for known in shape)
