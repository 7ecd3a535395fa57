"""Every layer by its name in a model file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from statewise import layers
from statewise.errors import ConfigurationError, unknown_kind, warn
from statewise.layers.base import Layer
from statewise.layers.lambdas import Lambda
from statewise.layers.regularizers import L1L2


class _Classes(Mapping[str, type[Layer]]):
    """The class of each layer that `statewise.layers` lists; its file is imported when it is asked for."""

    def __getitem__(self, kind: str) -> type[Layer]:
        if kind not in layers.LAYERS:
            raise KeyError(kind)
        return getattr(layers, kind)

    def __iter__(self) -> Iterator[str]:
        return iter(layers.LAYERS)

    def __len__(self) -> int:
        return len(layers.LAYERS)


LAYERS = _Classes()


def layer_to_config(name: str, layer: Layer) -> dict[str, Any]:
    """Returns the layer, called `name`, as JSON holds it.

    Raises:
        ConfigurationError: it, or a layer inside it, is of a custom class; the message says what to do.
    """
    if (own := own_layer(layer)) is not None:
        raise ConfigurationError(f"layer {name!r} is {describe_own(own)}")
    return {"kind": type(layer).__name__, **layer.config()}


def own_layer(layer: Layer) -> Layer | None:
    """Returns the layer, or one inside it, if it is custom: of a class derived from LSTM, say, or a Lambda."""
    return next((part for part in layer.parts if LAYERS.get(type(part).__name__) is not type(part)), None)


def describe_own(layer: Layer) -> str:
    """Returns what a custom layer is, what it cannot do, and what to do instead."""
    return (
        f"{kind_of_own(layer)}, which files and streams do not support: keep the weights with "
        "numpy.savez(path, *model.get_weights()), and pass them to set_weights(...) of a model that your code builds"
    )


def kind_of_own(layer: Layer) -> str:
    """Returns what a custom layer is."""
    return f"a {type(layer).__name__}, {'a function of your own' if type(layer) is Lambda else 'a custom class'}"


def layer_from_config(config: Mapping[str, Any]) -> Layer:
    """Returns the layer that `{"kind": ..., **layer.config()}` described, with the layers and penalties inside it.

    Raises:
        FileError: there is no such kind.
        ConfigurationError: an option is out of its range.
    """
    options = dict(config)
    kind = options.pop("kind")
    if kind not in LAYERS:
        raise unknown_kind("layer", kind)
    inner = {name: _inner(value) for name, value in options.items() if isinstance(value, dict)}
    return LAYERS[kind](**options | inner)


def _inner(config: Mapping[str, Any]) -> Layer | L1L2:
    if config["kind"] != L1L2.__name__:
        return layer_from_config(config)
    return L1L2(**{name: value for name, value in config.items() if name != "kind"})


def warn_of_custom(layers: Iterable[Layer]) -> None:
    """Warns before hours of training, not after, that a layer cannot be saved."""
    own = next((own for layer in layers if (own := own_layer(layer)) is not None), None)
    if own is not None:
        warn(f"model.save will refuse {describe_own(own)}")
