"""Inspection of a model: its layers and weights, `verify`, and `memory_report`."""

from __future__ import annotations

import sys
from pathlib import Path

from statewise.data.batches import Samples
from statewise.data.lanes import Lanes
from statewise.data.ragged_rows import padded
from statewise.diagnostics.memory import MemoryReport, report_memory
from statewise.diagnostics.verification import TOLERANCE, Verification
from statewise.diagnostics.verification import verify as compare
from statewise.errors import ConfigurationError, FileError, unknown_name
from statewise.foundation.files import as_path, write_whole
from statewise.inference.named_rows import read_named
from statewise.inference.rows import read_rows
from statewise.inference.start import Start
from statewise.layers import Layer
from statewise.models.evaluating import measure
from statewise.models.interface import AnyModel
from statewise.models.reader import Flags, unframe
from statewise.network import count_weights, draw, summarize


def get_layer(model: AnyModel, name: str | None = None, index: int | None = None) -> Layer:
    """Returns a layer by its name, as shown by `summary`, or by its index.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)])
    >>> model.get_layer("lstm").units, model.get_layer(index=-1).name
    (4, 'dense')

    Raises:
        ConfigurationError: there is no such layer.
    """
    layers = model.layers
    if isinstance(name, int) and index is None:
        name, index = None, name
    if name is not None:
        names = [layer.name for layer in layers if layer.name is not None]
        if name not in names:
            raise unknown_name("layer", name, names)
        return layers[names.index(name)]
    if isinstance(index, bool) or not isinstance(index, int) or not -len(layers) <= index < len(layers):
        raise ConfigurationError(f"layer index: expected 0 .. {len(layers) - 1}, or a name, got {index!r}")
    return layers[index]


def count_params(model: AnyModel) -> int:
    """Returns the number of weights."""
    return sum(count_weights(weights) for weights in model.params.values())


def summary(model: AnyModel) -> None:
    """Prints the layers with their output shapes and numbers of weights."""
    sys.stdout.write(summarize(model.network, model.params) + "\n")


def plot(model: AnyModel, path: str | Path) -> None:
    """Draws the network into an SVG file: its layers with shapes and weights, and what each of them reads.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)])
    >>> import tempfile
    >>> model.plot(f"{tempfile.mkdtemp()}/network.svg")

    Raises:
        LifecycleError: the model does not know its input yet.
        FileError: the name does not end in .svg, or the file cannot be written.
    """
    if as_path(path).suffix.lower() != ".svg":
        raise FileError(f"cannot draw {path}: the drawing is SVG; name a file that ends in .svg")
    write_whole(path, draw(model.network, model.params).encode())


def verify(
    model: AnyModel, x: object, *, reset: object = None, mask: object = None, tolerance: float = TOLERANCE
) -> Verification:
    """Returns how much the outputs for `x` differ when it is split, padded, ordered, saved or streamed differently.

    Args:
        x: as in `predict`; only its first 8 rows and 200 steps are used.
        reset: as in `predict`.
        mask: as in `predict`.
        tolerance: the largest allowed difference, relative to the largest number in each array or to 1.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
    >>> model.verify([[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]]]).passed
    True
    """
    x, _, _, reset, mask = unframe(x, None, None, reset, mask, symbols=model.reads_symbols)
    network = model.built_for(x)
    rows = read_rows(network, x, reset, mask) if network.single else read_named(network, x, reset, mask)
    return compare(model, rows, tolerance, type(model).from_artifact)


def memory_report(
    model: AnyModel,
    x: object,
    y: object = None,
    *,
    batch_size: int | None = None,
    sample_weight: object = None,
    reset: object = None,
    mask: object = None,
) -> MemoryReport:
    """Returns how many steps back the model uses, from its losses, gradients and gates on these data.

    Arguments as in `evaluate`. For data from `lanes(...)` it also says whether carrying the state helps.

    Raises:
        DataError: rows have only one step, or the network has no memory.
    """
    read, size = model.reader.rows(x, y, batch_size, Flags(sample_weight, reset, mask))
    samples = padded(read)

    def loss(samples: Samples, carry: bool) -> float:
        return measure(model, samples, size, Start(carry=carry))[0]["loss"]

    lanes = x.batch_size if isinstance(x, Lanes) else None
    return report_memory(model.programs.objective, model.train_state.known, samples, loss, lanes)
