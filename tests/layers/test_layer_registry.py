"""Layers by name: each file has its layer, and does without JAX until something is computed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from mistakes import refused
from statewise import layers
from statewise.errors import ConfigurationError, FileError, StateError
from statewise.foundation.shapes import Array, Shape
from statewise.layers import Layer
from statewise.layers.registry import LAYERS, layer_from_config
from statewise.operations import Step, Vector
from statewise.streaming import Runtime


def test_importing_all_layers_does_not_import_jax() -> None:
    code = """
import sys
from statewise.layers.registry import LAYERS
kinds = [LAYERS[name] for name in LAYERS]
print(len(kinds), [name for name in ("jax", "jaxlib", "optax") if name in sys.modules])
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == f"{len(LAYERS)} []"


def test_an_unknown_layer_is_an_error() -> None:
    assert "LTSM" not in LAYERS
    refused(lambda: layer_from_config({"kind": "LTSM", "units": 2}), FileError, ["layer 'LTSM'", "does not know"])
    inner = {"kind": "TimeDistributed", "name": "own", "layer": {"kind": "Desne", "units": 2}}
    config = {"input_shape": [None, 1], "layers": [inner]}
    refused(lambda: Runtime.of(config, {}), ConfigurationError, ["unknown layer 'Desne'", "did you mean 'Dense'"])
    with pytest.raises(AttributeError, match=r"statewise\.layers has no LTSM: did you mean LSTM"):
        _ = layers.LTSM  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Mute(Layer):
    """A layer that does not say what its step is."""

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def apply(self, *_: object, **__: object) -> tuple[Array, tuple[()]]:  # type: ignore[override]
        raise NotImplementedError


@dataclass(frozen=True)
class Same(Mute):
    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        return Step(x + x)


def test_a_layer_streams_if_it_is_listed_and_describes_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Mute, Same):
        monkeypatch.setitem(layers.LAYERS, kind.__name__, "test_layer_registry")
        monkeypatch.setattr(layers, kind.__name__, kind, raising=False)
    config = {"input_shape": [None, 1], "layers": [{"kind": "Same", "name": "first"}, {"kind": "Mute", "name": "own"}]}
    refused(lambda: Runtime.of(config, {}), StateError, ["'own'", "Mute does not say", "model.predict(x)"])
