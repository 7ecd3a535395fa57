"""Views: models that have the weights of another one, their parent, and see what training makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import jax

from statewise.errors import ConfigurationError, LifecycleError
from statewise.layers import Layer
from statewise.layers.nodes import Node
from statewise.models.train_state import TrainState

_OWNERS: WeakValueDictionary[int, Any] = WeakValueDictionary()
"""The model whose graph a layer was first written in, by the layer's id; the model keeps its layers."""


class View(NamedTuple):
    """Whose weights a model has."""

    parent: Any
    names: tuple[str, ...]  # of the layers here that have weights, as in the parent
    weightless: tuple[str, ...]  # of the others
    counting: Mapping[str, str]  # nodes with statistics, and the first of the same layer

    @classmethod
    def of(cls, parent: Any, nodes: Sequence[Node]) -> View:
        """Returns the view of the nodes' weights, which the parent calls by the same names."""
        found = {node.weights: bool(node.layer.weight_names) for node in nodes}
        weighted, others = (tuple(name for name, has in found.items() if has is kind) for kind in (True, False))
        counting = {node.name: node.weights for node in nodes if node.layer.initial_statistics((None, 1))}
        return cls(parent, weighted, others, counting)

    def seen(self, own: TrainState) -> TrainState:
        """Returns the parent's weights, with the model's own state."""
        theirs = self.parent.train_state
        params = {name: theirs.params[name] for name in self.names} | {name: {} for name in self.weightless}
        statistics = {}
        for name, first in self.counting.items():
            statistics[name] = theirs.statistics.get(name, theirs.statistics[first])
        return replace(own, params=params, statistics=statistics, trained=theirs.trained, epochs=theirs.epochs)

    def check(self, train_state: TrainState) -> None:
        """Raises LifecycleError if a train state has other weights than the parent."""
        seen = jax.tree.leaves(self.seen(train_state).params)
        given = jax.tree.leaves(train_state.params)
        if len(seen) != len(given) or any(a is not b for a, b in zip(seen, given, strict=True)):
            raise self.refused

    @property
    def refused(self) -> LifecycleError:
        """The error for what only the parent can do."""
        return LifecycleError(
            "this model has the layers of another one, and is a view of its weights: train and change that one; to "
            "train such layers anew, write them again, and load_weights(other, names) takes what is learned"
        )


Written = dict[int, tuple[Layer, str]]
"""Layers as a graph was written with them, and what they are called, by the layers' ids."""


def written(layers: Sequence[Layer], nodes: Sequence[Node]) -> Written:
    """Returns the layers that a graph was written with; the nodes are those of its network."""
    return {id(layer): (layer, node.weights) for layer, node in zip(layers, nodes, strict=True)}


def own(model: Any) -> None:
    """Makes a model the owner of the layers that it was written with."""
    for key in model.graph.written:
        _OWNERS[key] = model


def parent_of(layers: Sequence[Layer]) -> tuple[Any, dict[int, str]] | None:
    """Returns the model that all the layers with weights belong to, and what it calls them by their ids.

    None if they belong to no model.

    Raises:
        ConfigurationError: only some of them belong to a model, or they belong to several.
    """
    weighted = list({id(layer): layer for layer in layers if layer.weight_names}.values())
    owners = [_OWNERS.get(id(layer)) for layer in weighted]
    parents = list({id(owner): owner for owner in owners if owner is not None}.values())
    if not parents:
        return None
    if len(parents) > 1 or None in owners:
        owned = next(layer for layer, owner in zip(weighted, owners, strict=True) if owner is parents[0])
        name, kind = parents[0].graph.written[id(owned)][1], type(owned).__name__
        raise ConfigurationError(
            f"Model: the layer {name!r} ({kind}) belongs to another model already, and others here do not; make the "
            "model that trains all of them first, of which others are views, or write the layers again and take the "
            "weights with model.load_weights(other)"
        )
    return parents[0], {key: name for key, (_, name) in parents[0].graph.written.items()}
