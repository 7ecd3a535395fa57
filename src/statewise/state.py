"""State: where a network stands in its sequences, as a named, immutable value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import jax

from statewise.errors import StateError
from statewise.layers.base import LayerState

LayerStates = dict[str, LayerState]
"""What runs through compiled programs: each layer's state by the layer's name, empty for those without memory."""


@jax.tree_util.register_pytree_node_class
class State:
    """The memory of a network between two calls: for each layer that has one, `h` and `c` `[B, H]`.

    A value: no call changes it, and it may be kept, passed on or thrown away.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
    >>> state = model.zero_state(3)
    >>> state
    State(batch=3, lstm: h [3, 4], c [3, 4])
    >>> y, state = model([[[0.1, 0.2]], [[0.3, 0.4]], [[0.5, 0.6]]], state)
    >>> state["lstm"].h.shape
    (3, 4)
    """

    __slots__ = ("_layers",)
    _layers: Mapping[str, LayerState]

    def __init__(self, layers: Mapping[str, LayerState]) -> None:
        object.__setattr__(self, "_layers", MappingProxyType({n: s for n, s in layers.items() if s}))

    def __setattr__(self, name: str, value: object) -> None:
        raise StateError("a State cannot be changed; the next one comes out of the call: y, state = model(x, state)")

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __setitem__(self, name: str, value: object) -> None:
        self.__setattr__(name, value)

    def __delitem__(self, name: str) -> None:
        self.__setattr__(name, None)

    @property
    def batch(self) -> int:
        """B, the number of rows; 0 for a network without memory."""
        return next((s.h.shape[0] for s in self._layers.values() if s), 0)

    @property
    def layers(self) -> Mapping[str, LayerState]:
        """The state of each layer that has one, by its name; not to be changed."""
        return self._layers

    def __getitem__(self, name: str) -> LayerState:
        if name not in self._layers:
            known = ", ".join(self._layers) or "none: the network has no memory"
            raise StateError(f"no state for layer {name!r}; layers with a state: {known}")
        return self._layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __repr__(self) -> str:
        sizes = [f"{n}: h {list(s.h.shape)}, c {list(s.c.shape)}" for n, s in self._layers.items() if s]
        return f"State({', '.join([f'batch={self.batch}', *sizes])})"

    def tree_flatten(self) -> tuple[tuple[LayerState, ...], tuple[str, ...]]:
        """Returns the parts by which JAX's transformations see through a State."""
        return tuple(self._layers.values()), tuple(self._layers)

    @classmethod
    def tree_unflatten(cls, names: tuple[str, ...], layers: tuple[LayerState, ...]) -> State:
        """Returns the State of these parts."""
        return cls(dict(zip(names, layers, strict=True)))
