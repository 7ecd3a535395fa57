"""submodel: a part of a model as a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from statewise.errors import ConfigurationError, unknown_name
from statewise.layers.tensors import Tensor
from statewise.models.layer_stack import LayerStack
from statewise.models.view import View
from statewise.network.parts import between

Part = str | Tensor
"""The name of an input or a layer, or a tensor of the graph that the model was written with."""


def submodel(
    model: Any, inputs: Part | Sequence[Part] | Mapping[str, Part], outputs: Part | Sequence[Part] | Mapping[str, Part]
) -> Any:
    """Returns a part of the model as a model: a live view of its weights, to call but not to fit.

    Args:
        inputs: names of inputs or layers, as in `summary`, one or several: what those output is what the part is given.
            Where a layer's output has a time axis, the part's input has it, too.
        outputs: names of the layers that make the outputs, one or several; in a dict with other names for them.

    >>> import statewise as sw
    >>> x = sw.Input((None, 3), name="x")
    >>> h = sw.LSTM(4, return_sequences=True, name="encoder")(x)
    >>> model = sw.Model(x, sw.Dense(2, name="head")(h), seed=7)
    >>> encoder = model.submodel("x", "encoder")
    >>> y, state = encoder([[[0.1, 0.2, 0.3]]])
    >>> y.shape, model.submodel("encoder", "head")(y)[0].shape
    ((1, 1, 4), (1, 1, 2))

    Raises:
        ConfigurationError: there is no layer of that name, or the outputs are made of more than those inputs.
    """
    network = model.network
    places = {name: network.place_of(name) for name in (*(x.name for x in network.inputs), *network.names)}
    given, made = (_parts(model, what, part, places) for what, part in (("inputs", inputs), ("outputs", outputs)))
    part = between(network, given[0], made[0])
    view = View.of(model, part.nodes)
    return model.viewing(LayerStack.of_network(part), view, made[1])


def _parts(model: Any, what: str, given: Any, places: Mapping[str, int]) -> tuple[dict[str, int], str]:
    """Returns places by name, and the form in which they were given."""
    form = "one" if isinstance(given, str | Tensor) else "dict" if isinstance(given, Mapping) else "list"
    listed: list[tuple[Any, Any]] = [(None, given)]
    if isinstance(given, Mapping):
        listed = list(given.items())
    elif form == "list":
        listed = [(None, part) for part in given] if isinstance(given, list | tuple) else []
    if not listed:
        example = next(iter(places))
        raise ConfigurationError(f"submodel {what}: expected names of layers, such as {example!r}, got {given!r}")
    found: dict[str, int] = {}
    tensors = {} if model.graph is None else model.graph.places
    for key, part in listed:
        place = tensors.get(part.number) if isinstance(part, Tensor) else places.get(part)
        if place is None and isinstance(part, Tensor):
            raise ConfigurationError(f"submodel {what}: {part!r} is not in the graph of this model")
        if place is None:
            raise unknown_name("layer", part, places)
        name = key if isinstance(key, str) else model.network.name_of(place)
        found[name] = place
    return found, form
