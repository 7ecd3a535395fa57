"""Symbolic values, with which a graph of layers is written: `h = LSTM(32)(x)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

from statewise.errors import ConfigurationError, ShapeError
from statewise.foundation.shapes import Shape, check_sizes, describe
from statewise.phrasebook.guard import guard_making

_numbers = count()


class Tensor:
    """What an input or a layer will have once there are data. Made by `sw.Input` and by calling a layer.

    It holds no numbers, only how they come about; `sw.Model(x, y)` makes a model of that. `a + b`, `a - b` and `a * b`
    stand for `Add`, `Subtract` and `Multiply` of two tensors. Tensors are compared by identity.

    Attributes:
        row_shape: the shape without batch axis; None stands for any number of steps.
        layer: the `Layer` whose output it is; None for an input.
        sources: what that layer reads.
        start: what the layer's state starts in, a tensor for each part; empty if that is the layer's own.
        name: of an input.

    >>> import statewise as sw
    >>> x = sw.Input((None, 8))
    >>> h = sw.LSTM(32, return_sequences=True)(x)
    >>> h.shape
    (None, None, 32)
    """

    __slots__ = ("layer", "name", "number", "row_shape", "sources", "start")

    def __init__(
        self,
        row_shape: Shape,
        layer: Any = None,
        sources: tuple[Tensor, ...] = (),
        start: tuple[Tensor, ...] = (),
        name: str = "",
    ) -> None:
        self.row_shape, self.layer, self.sources, self.start, self.name = row_shape, layer, sources, start, name
        self.number = next(_numbers)  # a tensor's sources have lower ones

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape with batch axis, as Keras writes it."""
        return (None, *self.row_shape)

    def __repr__(self) -> str:
        made = f"Input {self.name!r}" if self.layer is None else f"output of {type(self.layer).__name__}"
        return f"<{made}: {describe(self.row_shape)}>"

    def __add__(self, other: object) -> Tensor:
        return self._joined("Add", other)

    def __sub__(self, other: object) -> Tensor:
        return self._joined("Subtract", other)

    def __mul__(self, other: object) -> Tensor:
        return self._joined("Multiply", other)

    def _joined(self, kind: str, other: object) -> Tensor:
        """Returns what a layer of that kind makes of two tensors, as `kind()([self, other])` does."""
        if not isinstance(other, Tensor):
            raise self._no_numbers()
        from statewise import layers

        joined: Tensor = getattr(layers, kind)()([self, other])
        return joined

    def __getitem__(self, _: object) -> Any:
        raise self._no_numbers()

    def __bool__(self) -> bool:
        raise self._no_numbers()

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise self._no_numbers()

    def __iter__(self) -> Any:
        raise self._no_numbers()

    def _no_numbers(self) -> ConfigurationError:
        return ConfigurationError(
            f"{self!r} is symbolic and has no numbers: write layers such as sw.Add()([a, b]) around it, make "
            "model = sw.Model(x, y), and call model(data)"
        )


@guard_making
class Input(Tensor):
    """An input of a graph, for `sw.Model`.

    Args:
        shape: of a row: `(T, F)`, T often None for any number of steps; `(None,)` for symbols, which an `Embedding`
            reads; `(F,)` for rows without steps.
        name: what data, errors, drawings and files call it; "input" by default, and "input_1", ... for further ones.
        axis: the name of its time axis, its own by default. Inputs of equal axis move together: step t of one belongs
            to step t of the other, so that layers can join them.

    >>> import statewise as sw
    >>> sw.Input((None, 8), name="readings")
    <Input 'readings': [B, T, 8]>
    >>> sw.Input((None, 2), name="weather", axis="readings")
    <Input 'weather': [B, T, 2]>

    Raises:
        ConfigurationError: that is not a shape, or not a name.
    """

    __slots__ = ("axis", "named")

    def __init__(self, shape: Sequence[int | None], *, name: str | None = None, axis: str | None = None) -> None:
        for what, given in (("name", name), ("axis", axis)):
            if given is not None and (not isinstance(given, str) or not given or "/" in given):
                raise ConfigurationError(f"Input {what}: expected text without '/', got {given!r}")
        super().__init__(check_sizes("Input shape", shape), name="input" if name is None else name)
        self.axis, self.named = axis, name is not None


Several = Sequence[Tensor] | Mapping[str, Tensor]
"""Inputs or outputs of a model, if there are several."""


class Tensors(NamedTuple):
    """Inputs or outputs of a model, and the form in which they were given."""

    tensors: tuple[Tensor, ...]
    names: tuple[str | None, ...]  # the keys of a dict; None where there are none
    form: str  # "one", "list" or "dict"


def read_tensors(what: str, given: object) -> Tensors:
    """Returns the inputs or outputs of a model: one symbolic tensor, or a list or dict of them.

    Raises:
        ConfigurationError: something else was given, or a tensor or a name twice.
    """
    if isinstance(given, Tensor):
        return Tensors((given,), (None,), "one")
    form = "dict" if isinstance(given, Mapping) else "list"
    values = list(given.values() if isinstance(given, Mapping) else given if isinstance(given, list | tuple) else [])
    if not values or not all(isinstance(value, Tensor) for value in values):
        wrong = next((value for value in values if not isinstance(value, Tensor)), given)
        raise ConfigurationError(
            f"Model {what}: expected what sw.Input(shape) or a layer returned, or a list or dict of those, got "
            f"{type(wrong).__name__}; a list of layers makes sw.Sequential([...])"
        )
    if len({id(value) for value in values}) < len(values):
        raise ConfigurationError(f"Model {what}: expected different tensors, got one of them twice")
    keys = list(given) if isinstance(given, Mapping) else [None] * len(values)
    if wrong_keys := [key for key in keys if key is not None and not isinstance(key, str)]:
        raise ConfigurationError(f"Model {what}: expected names as keys, got {wrong_keys[0]!r}")
    return Tensors(tuple(values), tuple(keys), form)


def layers_of(outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> list[Any]:
    """Returns the layers that make the outputs of the inputs, in the order in which they were written."""
    given, found, todo = {x.number for x in inputs}, dict[int, Any](), list(outputs)
    while todo:
        tensor = todo.pop()
        if tensor.number not in given and tensor.number not in found and tensor.layer is not None:
            found[tensor.number] = tensor.layer
            todo += (*tensor.sources, *tensor.start)
    return [found[number] for number in sorted(found)]


def output_of(layer: Any, given: object, initial_state: object = None) -> Tensor | list[Tensor]:
    """Returns what `layer` will output for a tensor, or for a list of those that a layer such as `Add` joins.

    With `return_state`, that is a list: the outputs, and then each part of the layer's last state.

    Raises:
        ConfigurationError: something else was given, or another number of tensors.
        ShapeError: the layer cannot read them.
    """
    kind = type(layer).__name__
    sources = (given,) if isinstance(given, Tensor) else tuple(given) if isinstance(given, list | tuple) else ()
    if not sources or not all(isinstance(source, Tensor) for source in sources):
        raise ConfigurationError(
            f"{kind}: a layer is called with what sw.Input(shape) or another layer returned, to write a graph for "
            f"sw.Model(x, y), got {type(given).__name__}; for numbers make a model and call y, state = model(x)"
        )
    if not layer.takes_one and isinstance(given, Tensor):
        raise ConfigurationError(f"{kind}: expected a list of tensors to join, as in {kind}()([a, b]), got one tensor")
    if not layer.joins and not isinstance(given, Tensor):
        raise ConfigurationError(
            f"{kind}: expected one tensor, got a list of {len(sources)}; sw.Concatenate()([a, b]) joins them"
        )
    if layer.input_shape is not None:
        raise ConfigurationError(f"{kind}: input_shape is that of the tensor it is called with; leave it out")
    shape = layer.output_shape(*(source.row_shape for source in sources))
    y = Tensor(shape, layer, sources, _start(layer, initial_state))
    if getattr(layer, "return_attention_scores", False):
        from statewise.layers.attention import AttentionScores

        return [y, Tensor((shape[0], sources[1].row_shape[0]), AttentionScores(), (y,))]
    if not layer.returns_state and not layer.parts_of_output:
        return y
    from statewise.layers.final_state import Features, FinalState

    sizes = layer.parts_of_output
    parts = [Features(sum(sizes[:place]), size) for place, size in enumerate(sizes)]
    outputs = [Tensor((*shape[:-1], part.size), part, (y,)) for part in parts] or [y]
    states = layer.state_sizes if layer.returns_state else {}
    return [*outputs, *(Tensor((size,), FinalState(part), (y,)) for part, size in states.items())]


def _start(layer: Any, given: object) -> tuple[Tensor, ...]:
    """Returns the tensors that a layer's state starts in."""
    if given is None:
        return ()
    kind, sizes = type(layer).__name__, layer.state_sizes
    parts = (given,) if isinstance(given, Tensor) else tuple(given) if isinstance(given, list | tuple) else ()
    shapes = " and ".join(f"[B, {size}]" for size in sizes.values())
    if not sizes:
        raise ConfigurationError(f"{kind} initial_state: only layers such as LSTM and GRU can start in given values")
    size = next(iter(sizes.values()))
    expected = f"{'a tensor such as the one' if len(sizes) == 1 else f'{len(sizes)} tensors such as those'} that "
    expected += f"{kind}({size}, return_state=True)(x) returns after its output, {shapes}"
    if not all(isinstance(part, Tensor) for part in parts) or not parts:
        wrong = next((part for part in parts if not isinstance(part, Tensor)), given)
        raise ConfigurationError(
            f"{kind} initial_state: expected {expected}, got {type(wrong).__name__}; model(x, state) "
            "starts from numbers"
        )
    found = [part.row_shape for part in parts]
    if found != [(size,) for size in sizes.values()]:
        raise ShapeError(f"{kind} initial_state: expected {expected}, got {', '.join(map(describe, found))}")
    if layer.learned_start:
        raise ConfigurationError(
            f"{kind}: expected either learn_initial_state=True or initial_state=[...], got both; leave one out"
        )
    return parts
