"""Does memory matter? How many steps back a model really uses, and what that means for its training."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statewise.data.batches import Samples
from statewise.diagnostics.plots import plot_memory
from statewise.errors import ConfigurationError, DataError
from statewise.foundation import notebook
from statewise.foundation.markup import text_table
from statewise.foundation.named_values import arrays_of, each
from statewise.foundation.shapes import Array
from statewise.foundation.words import plural
from statewise.inference.forward import forward_of
from statewise.layers.base import Layer
from statewise.layers.recurrent import Recurrent
from statewise.layers.registry import own_layer
from statewise.network import Network, NetworkParams
from statewise.network.parts import split_at_memory
from statewise.operations import Input, NetworkStep
from statewise.state import LayerStates, map_parts
from statewise.streaming.numpy_step import write_step
from statewise.training.objective import Batch, Objective, Stepped

ENOUGH = 0.95
"""A model uses as many steps as it takes to get this share of the whole benefit of its memory."""

ENOUGH_ROWS = 30
"""With fewer rows the error of their mean is unknown, and the mean is taken as it is."""

FAINT = 0.01
"""A gradient below this share of the largest is not counted; nor is a change of the loss below it."""

PROBES, PROBED_ROWS = 8, 64
"""How many steps back gradients are followed, in how many rows."""

SWAPPED_ROWS = 512
"""The maximum number of rows that are given another row's past."""

OPEN, CLOSED = 0.9, 0.1
"""A gate above or below these values is saturated."""

_KNOWING = "loss on the last step given only this many real steps (the rest from another row)"

Measure = Callable[[Samples, bool], float]
"""Returns the loss on these samples, with the state carried from batch to batch or not."""


@dataclass(frozen=True)
class GateUse:
    """How often a gate is nearly closed (below 0.1) and nearly open (above 0.9), as shares of all units and steps."""

    closed: float
    open: float


@dataclass(frozen=True)
class MemoryReport:
    """What `model.memory_report(x, y)` found; printed, it is a table and a sentence.

    Attributes:
        losses: the loss if the state is reset every 1, 2, 4, ... steps; the last entry is never within a row.
        knowing: the loss on a row's last step if the network sees only the last 1, 2, 4, ... steps of the row, and
            another row's past before them.
        carried: the loss with the state carried from batch to batch; None if rows do not continue from one another.
        gradient: size of the loss's gradient with respect to the input that many steps back, as shares of the largest.
        gates: by layer and gate, how often it is saturated.
        uses: how many steps, the last one included, it takes to get 95 % of the whole benefit of the memory.
        reach: within how many steps gradients are above 1 % of the largest.
        conclusion: what this means, in a sentence.
    """

    losses: dict[int, float]
    knowing: dict[int, float]
    carried: float | None
    gradient: tuple[float, ...]
    gates: dict[str, dict[str, GateUse]]
    uses: int
    reach: int
    conclusion: str

    def __str__(self) -> str:
        lines = ["state reset every    loss     last step*"]
        lines += [f"{name:<17}  {loss:>8}  {knowing:>8}".rstrip() for name, loss, knowing in self._resets]
        lines += [f"* {_KNOWING}", "", "steps back           gradient, as a share of the largest"]
        lines += [f"{lag:<17,}  {self.gradient[lag]:8.4f}" for lag in self._lags]
        if self.gates:
            lines += ["", "gate                 below 0.1  above 0.9"]
        lines += [f"{gate:<17}  {use.closed:10.1%} {use.open:10.1%}" for gate, use in self._named_gates.items()]
        return "\n".join([*lines, "", self.conclusion])

    def __repr__(self) -> str:
        reach = f"gradients reach {plural(self.reach, 'step')} back"
        return f"MemoryReport(uses {self.uses:,} of {plural(max(self.losses), 'step')}, {reach})"

    def _repr_html_(self) -> str:
        """Returns what notebooks show: the conclusion and the tables."""
        lags = [(f"{lag:,}", f"{self.gradient[lag]:.4f}") for lag in self._lags]
        gates = [(gate, f"{use.closed:.1%}", f"{use.open:.1%}") for gate, use in self._named_gates.items()]
        tables = [
            text_table("Loss", ("state reset every", "loss", _KNOWING), self._resets),
            text_table("Gradient, as a share of the largest", ("steps back", "gradient"), lags),
            text_table("How often gates are saturated", ("gate", "below 0.1", "above 0.9"), gates) if gates else "",
        ]
        return notebook.output(self.conclusion, *(f"<figure>{drawn}</figure>" for drawn in tables if drawn))

    @property
    def _resets(self) -> list[tuple[str, str, str]]:
        """How often the state is reset, the loss, and the loss on the last step given only that many real steps."""
        steps = max(self.losses)
        rows = [
            ("never in a row" if span == steps else plural(span, "step"), f"{loss:.4f}", f"{self.knowing[span]:.4f}")
            for span, loss in self.losses.items()
        ]
        return rows if self.carried is None else [*rows, ("never (carried)", f"{self.carried:.4f}", "")]

    @property
    def _lags(self) -> list[int]:
        """The numbers of steps back for which gradients are listed."""
        shown = {0, *(2**power for power in range(12)), len(self.gradient) - 1}
        return sorted(shown & set(range(len(self.gradient))))

    @property
    def _named_gates(self) -> dict[str, GateUse]:
        return {f"{layer} {gate}": use for layer, gates in self.gates.items() for gate, use in gates.items()}

    def plot(self, path: str | Path) -> None:
        """Draws losses, gradients and gates into a picture file; its extension sets the format.

        Raises:
            MissingExtraError: matplotlib is not installed.
            FileError: it cannot be written there.
        """
        gates = {gate: (use.closed, use.open) for gate, use in self._named_gates.items()}
        plot_memory(path, self.losses, self.carried, self.gradient, gates, self.uses, self.reach)


def report_memory(
    objective: Objective, params: NetworkParams, samples: Samples, measure: Measure, lanes: int | None
) -> MemoryReport:
    """Returns the report on `samples`; with `lanes`, row r of batch k+1 continues from row r of batch k.

    Raises:
        DataError: rows of one step, which show nothing.
    """
    network, steps = objective.network, samples.steps
    if not network.memory:
        raise DataError("the network has no memory to report on; expected a layer such as LSTM(32) in it")
    network.check_continuable("memory_report")
    if len(network.outputs) > 1:
        raise ConfigurationError(
            "memory_report: expected a model with one output; sw.Model(inputs, y) has one of several"
        )
    network.only_axis("memory_report")
    if steps < 2:
        raise DataError("memory_report needs rows of at least 2 steps, x [N, T, F], to see how far back")
    if lanes is None:
        samples = _ending_together(network, samples)
    losses = {span: measure(_reset_every(samples, span, network.answers_each_step), False) for span in _spans(steps)}
    knowing = _losses_knowing(objective, params, samples, list(losses))
    carried = None if lanes is None else measure(samples, True)
    few, start = _probed(network, params, samples, lanes)
    gradient = _gradient_by_lag(objective, params, few, start)
    uses, reach = _steps_used(list(losses), knowing), int(np.flatnonzero(gradient >= FAINT).max(initial=-1)) + 1
    return MemoryReport(
        losses,
        dict(zip(losses, knowing.mean(axis=1).tolist(), strict=True)),
        carried,
        tuple(gradient.tolist()),
        _gate_use(network, params, few, start),
        uses,
        reach,
        _conclude(losses, carried, uses, reach),
    )


def _losses_knowing(objective: Objective, params: NetworkParams, samples: Samples, spans: list[int]) -> Array:
    """Returns `[spans, N]`: the loss on each row's last step, by how many steps up to it are the row's own.

    The steps before those are another row's past: real, but of no use. A reset there would also measure how well the
    network handles a cold start, which it may never have seen so close to an output. The other row is a distant one,
    since neighboring windows have almost the same past; a single row has to use a reset.
    """
    bare, head = objective.network.without_head()
    chosen = np.linspace(0, samples.rows - 1, min(samples.rows, SWAPPED_ROWS)).astype(int)
    batch = _batch_of(samples, chosen)
    rows, steps, each_step = len(chosen), samples.steps, objective.network.answers_each_step
    real = bare.mask_of(batch.x, batch.mask)
    real = jnp.ones((rows, steps), bool) if real is None else real
    last = steps - 1 - jnp.argmax(real[:, ::-1], axis=1)  # [N] where each row ends
    place = jnp.arange(steps)[None] - last[:, None]  # 0 at the last step, -1 before it
    begin = bare.initial_state(params, rows)

    def read(part: jax.Array, states: LayerStates) -> tuple[jax.Array, LayerStates]:
        reset = None if batch.reset is None else batch.reset & part
        return bare.apply(params, batch.x, states, reset=reset, mask=real & part)

    @jax.jit
    def loss(span: jax.Array) -> jax.Array:
        _, past = read(place <= -span, begin)
        past = jax.tree.map(lambda part: jnp.roll(part, rows // 2, axis=0), past) if rows > 1 else begin
        logits, _ = read(place > -span, past)
        values = objective.loss.on(head)(batch.y, logits)
        return jnp.take_along_axis(values, last[:, None], axis=1)[:, 0] if each_step else values

    return np.stack([np.asarray(loss(jnp.int32(span)), np.float64) for span in spans])[:, np.asarray(real.any(axis=1))]


def _batch_of(samples: Samples, rows: Array | slice) -> Batch:
    return Batch(*jax.tree.map(lambda a: jnp.asarray(a[rows]), tuple(samples[:5])))


def _ending_together(network: Network, samples: Samples) -> Samples:
    """Returns the rows shifted so that all end at the last step, where the last output is and counting starts."""
    batch = _batch_of(samples, slice(None))
    real = network.mask_of(batch.x, batch.mask)
    if real is None:
        return samples
    x, y, *others = batch.ending_together(real, Stepped.of(network))[:5]
    weight, mask, reset = (None if part is None else np.asarray(part) for part in others)
    return Samples(each(np.asarray, x), np.asarray(y), weight, mask, reset)


def _probed(network: Network, params: NetworkParams, samples: Samples, lanes: int | None) -> tuple[Batch, LayerStates]:
    """Returns a few rows and their initial states: for lanes those of the second batch, since the first is atypical.

    A second batch that is mostly padding shows nothing; then the first is used after all.
    """
    count = min(samples.rows if lanes is None else lanes, PROBED_ROWS)
    batch, start = _batch_of(samples, slice(count)), network.initial_state(params, count)
    if lanes is None or samples.rows < 2 * lanes:
        return batch, start
    second = _batch_of(samples, slice(lanes, lanes + count))
    if second.mask is not None and second.mask.mean() < 0.5:
        return batch, start
    _, start = forward_of(network)(params, batch.x, start, reset=batch.reset, mask=batch.mask)
    return second, start


def _spans(steps: int) -> list[int]:
    return [*(2**power for power in range(math.ceil(math.log2(steps)))), steps]


def _reset_every(samples: Samples, span: int, each_step: bool) -> Samples:
    """Returns the samples with the state reset every `span` steps, counted from the end if the output is there."""
    if span == samples.steps:
        return samples
    place = np.arange(samples.steps) if each_step else samples.steps - np.arange(samples.steps)
    reset = np.broadcast_to(place % span == 0, (samples.rows, samples.steps))
    return samples._replace(reset=reset if samples.reset is None else reset | samples.reset)


def _steps_used(spans: list[int], knowing: Array) -> int:
    """Returns the first span that lacks almost none of the benefit of the whole row, or none that is measurable.

    A difference within two standard errors of the mean over the rows is not measurable, if there are enough rows.
    """
    lacking = knowing - knowing[-1]
    rows = lacking.shape[1]
    unseen = 2 * lacking.std(axis=1) / math.sqrt(rows) * (rows >= ENOUGH_ROWS)
    faint = max((1 - ENOUGH) * lacking.mean(axis=1)[0], FAINT * abs(knowing[-1].mean()))
    next_to_nothing = np.maximum(faint, unseen)
    return spans[int(np.argmax(lacking.mean(axis=1) <= next_to_nothing))]


def _conclude(losses: dict[int, float], carried: float | None, uses: int, reach: int) -> str:
    steps, last = max(losses), list(losses.values())[-1]
    clauses = [f"This model uses about {uses:,} of the {plural(steps, 'step')} in a row"]
    if uses == 1:
        clauses = ["This model uses no memory: it does as well given the last step alone"]
    if carried is not None:
        paid = carried < last - FAINT * abs(last)
        pays, without = ("pays off", " instead of") if paid else ("does not pay off", ", without it")
        clauses.append(f"carrying the state from batch to batch {pays} (loss {carried:.4f}{without} {last:.4f})")
    if uses == 1:
        return "; ".join(clauses) + "."
    if 0 < reach < steps:
        clauses.append(f"gradients fade after {plural(reach, 'step')}, so longer rows or a longer tbptt hardly help")
    elif uses > steps // 2 and reach:
        clauses.append(
            f"gradients still arrive from {plural(steps, 'step')} back, so longer rows or a longer tbptt may help"
        )
    elif reach:
        clauses.append("steps further back add nothing, so longer rows or a longer tbptt hardly help")
    return "; ".join(clauses) + "."


def _gradient_by_lag(objective: Objective, params: NetworkParams, batch: Batch, start: LayerStates) -> Array:
    """Returns `[T]`: the RMS, over rows and probes, of the gradient with respect to what the memory reads."""
    network, (front, rest) = objective.network, split_at_memory(objective.network)
    if any(symbols is not None for symbols in rest.symbols_by_input):
        raise DataError(
            "memory_report: expected one layer that turns symbols into numbers before all others, so that gradients "
            "can be taken by those; call one Embedding, and give its output to the layers that read the symbols"
        )
    steps = network.steps_of(batch.x)[network.axes[0]]
    x = network.by_name(batch.x) | front.outputs_by_name(front.apply(params, batch.x, start)[0])
    stepped = [given.name for given, signal in zip(network.inputs, network.given, strict=True) if signal.axis]
    mask = network.mask_of(batch.x, batch.mask)
    bare, head = rest.without_head()
    each_step = network.answers_each_step

    def loss(read: dict[str, jax.Array], probe: jax.Array) -> jax.Array:
        logits, _ = bare.apply(params, bare.as_given(x | read), start, reset=batch.reset, mask=mask)
        values = objective.loss.on(head)(batch.y, logits)
        if not each_step:
            return jnp.sum(values)
        return jnp.sum(values[:, probe] if mask is None else values[:, probe] * mask[:, probe])

    probes = np.unique(np.linspace(steps // 2, steps - 1, PROBES).astype(int)) if each_step else np.array([steps - 1])

    def squares_of(read: dict[str, jax.Array], probe: jax.Array) -> jax.Array:
        gradients = jax.grad(loss)(read, probe).values()
        return sum((jnp.sum(part**2, axis=(0, *range(2, part.ndim))) for part in gradients), jnp.zeros(steps))

    read = {name: x[name] for name in stepped}
    squares = jax.jit(lambda read: jax.lax.map(lambda probe: squares_of(read, probe), probes))(read)
    total, count = np.zeros(steps), np.zeros(steps)
    for probe, by_step in zip(probes, np.asarray(squares, np.float64), strict=True):
        total[: probe + 1] += by_step[: probe + 1][::-1]
        count[: probe + 1] += 1
    sizes = np.sqrt(total / np.maximum(count, 1))
    return sizes / max(sizes.max(), np.finfo(np.float64).tiny)


def _gate_use(
    network: Network, params: NetworkParams, batch: Batch, start: LayerStates
) -> dict[str, dict[str, GateUse]]:
    """Returns how saturated the gates of each layer are.

    Left out are those inside other layers, and of layers that start in values of the graph.
    """
    mask = network.mask_of(batch.x, batch.mask)
    shape = (arrays_of(batch.x)[0].shape[0], network.steps_of(batch.x)[network.axes[0]])
    real = np.ones(shape, bool) if mask is None else np.asarray(mask)
    found = {}
    for use in network.uses(params, batch.x, start, reset=batch.reset, mask=batch.mask):
        name, layer = use.node.name, use.node.layer
        if isinstance(layer, Recurrent) and own_layer(layer) is None and not use.node.start:
            weights = params[use.node.weights]
            given = jax.tree.map(np.asarray, (weights, use.x, start[name], batch.reset, mask))
            if gates := _gate_values(layer, *given):
                found[name] = {gate: _saturation(values[real]) for gate, values in gates.items()}
    return found


def _gate_values(
    layer: Layer, weights: dict[str, Array], x: Array, state: Any, reset: Array | None, mask: Array | None
) -> dict[str, Array]:
    """Returns how far each gate is open at each step, `[B, T, H]` by the gate's name."""
    step = layer.step(read := Input(x.shape[-1]), weights)
    fresh = layer.learned_state(weights) or map_parts(lambda _: np.float32(0), state)
    values = {}
    for gate, value in step.gates.items():
        advance = write_step(NetworkStep(read, value, {"": step.before}, {"": step.after}))
        states, opened = {"": state}, []
        for t in range(x.shape[1]):
            if reset is not None:
                begin = reset[:, t, None]
                states = {"": map_parts(lambda new, old, at=begin: np.where(at, new, old), fresh, states[""])}
            answer, states = advance(x[:, t], states, None if mask is None else mask[:, t])
            opened.append(answer)
        values[gate] = np.stack(opened, axis=1)
    return values


def _saturation(values: Array) -> GateUse:
    return GateUse(float((values < CLOSED).mean()), float((values > OPEN).mean()))
