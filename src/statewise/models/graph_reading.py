"""A graph as a user wrote it: what a model of it consists of, and whose weights it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from statewise.layers.nodes import nodes_of_graph
from statewise.layers.tensors import layers_of, read_tensors
from statewise.models.layer_stack import LayerStack
from statewise.models.view import View, Written, parent_of, written


class GraphRead(NamedTuple):
    """What a graph consists of."""

    stack: LayerStack
    form: str  # of its outputs: "one", a "list" or a "dict"
    places: Mapping[int, int]  # of its tensors, by their numbers
    written: Written  # its layers
    view: View | None  # if its layers belong to another model


def read_graph(inputs: object, outputs: object) -> GraphRead:
    """Returns what the graph between symbolic inputs and outputs consists of.

    Raises:
        ConfigurationError: the outputs are not made of those inputs alone, names do not fit, or some of its layers
            belong to another model.
        ShapeError: a layer does not fit.
    """
    given, made = read_tensors("inputs", inputs), read_tensors("outputs", outputs)
    parent, known = parent_of(layers_of(made.tensors, given.tensors)) or (None, {})
    graph = nodes_of_graph(given.tensors, made.tensors, known)
    view = None if parent is None else View.of(parent, graph.nodes)
    stack, layers = LayerStack.of_graph(given, made, graph), [node.layer for node in graph.nodes]
    return GraphRead(stack, made.form, graph.places, written(layers, graph.nodes), view)
