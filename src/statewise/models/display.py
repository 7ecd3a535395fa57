"""A model as one line or as a table: its layers, what it is compiled with, and for how long it was trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from html import escape
from typing import NamedTuple

from statewise.foundation import notebook
from statewise.foundation.markup import Cell, heading, table, text_table
from statewise.foundation.words import plural
from statewise.layers import Layer
from statewise.layers.nodes import name_layers
from statewise.models.settings import Settings, Target
from statewise.network import Network, NetworkParams, count_weights, describe_inputs, draw, layer_rows, shown_columns
from statewise.optimizers.optimizer import Optimizer


class Display(NamedTuple):
    """The facts shown about a model; `str` is the model's `repr`."""

    kind: str  # the name of its class
    layers: Sequence[Layer]
    network: Network | None  # None until its input is known
    params: NetworkParams
    settings: Settings | None  # None until it is compiled
    epochs: int  # epochs it was trained for

    def __str__(self) -> str:
        names = name_layers(self.layers) if self.network is None else self.network.names
        named = zip(names, self.layers, strict=True)
        layers = [f"{name}: {describe_layer(layer)}" for name, layer in named] or ["no layers"]
        facts = [*layers, self._weights, f"compiled with {self._optimizer}" if self.settings else "", self._training]
        return f"{self.kind}({', '.join(filter(None, facts))})"

    def to_html(self) -> str:
        """Returns the notebook display: the table of `summary`, and what the model is compiled with."""
        shown = _unbuilt_table(self.layers) if self.network is None else layers_table(self.network, self.params)
        facts = "; ".join(filter(None, [self._compiled, self._training]))
        drawn = "" if self.network is None or self.network.is_chain else draw(self.network, self.params)
        return notebook.output(self.kind, f"<p>{escape(facts)}</p>", shown, drawn)

    @property
    def _weights(self) -> str:
        return "not built" if self.network is None else f"{_total(self.params)} weights"

    @property
    def _training(self) -> str:
        return f"trained for {plural(self.epochs, 'epoch')}" if self.epochs else ""

    @property
    def _optimizer(self) -> str:
        optimizer = None if self.settings is None else self.settings.optimizer
        return type(optimizer).__name__.lower() if isinstance(optimizer, Optimizer) else "an Optax transformation"

    @property
    def _compiled(self) -> str:
        if self.settings is None:
            return "not compiled"
        return f"compiled with {self._optimizer}, {'; '.join(map(_describe_target, self.settings.targets))}"


def _describe_target(target: Target) -> str:
    loss = target.loss.name if target.loss.sampling is None else repr(target.loss.sampling)
    metrics = f", metrics {', '.join(target.metrics)}" if target.metrics else ""
    weight = "" if target.weight == 1 else f" (weight {target.weight:g})"
    return f"loss {'' if target.output is None else f'of {target.output} '}{loss}{weight}{metrics}"


def describe_layer(layer: Layer) -> str:
    """Returns a layer's class and positional arguments.

    >>> import statewise as sw
    >>> describe_layer(sw.Bidirectional(sw.LSTM(32, return_sequences=True))), describe_layer(sw.Flatten())
    ('Bidirectional(LSTM(32))', 'Flatten()')
    """
    values = [getattr(layer, entry.name) for entry in fields(layer) if not entry.kw_only]
    return f"{type(layer).__name__}({', '.join(map(_describe_value, values))})"


def _describe_value(value: object) -> str:
    if isinstance(value, Layer):
        return describe_layer(value)
    return getattr(value, "__name__", "...") if callable(value) else repr(value)


def layers_table(network: Network, params: NetworkParams) -> str:
    """Returns the table of `summary` as HTML."""
    columns = shown_columns(network)
    layers = [
        [
            Cell(f"<code>{escape(row.layer)}</code>", "words", "row"),
            Cell(escape(row.kind), "words"),
            Cell(f"<code>{escape(row.output)}</code>", "words"),
            Cell(row.weights),
            Cell(escape(row.reads), "words"),
        ][: len(columns)]
        for row in layer_rows(network, params)
    ]
    head = [heading(name, *([] if name == "weights" else ["words"])) for name in columns]
    return table(f"Input {describe_inputs(network)}, {_total(params)} weights in all", head, [layers])


def _unbuilt_table(layers: Sequence[Layer]) -> str:
    rows = zip(name_layers(layers), map(describe_layer, layers), strict=True)
    return text_table("Not built: the input shape is not known yet", ("layer", "kind"), rows, 2)


def _total(params: NetworkParams) -> str:
    return f"{sum(map(count_weights, params.values())):,}"
