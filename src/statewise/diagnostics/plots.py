"""Plots in picture files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from statewise.errors import DataError, FileError, MissingExtraError
from statewise.foundation.files import as_path, read_whole, write_whole
from statewise.training.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure


MAKER = "statewise"
SIGNED = {"png": ("Software", "Software\0"), "svg": ("Creator", "<dc:title>"), "pdf": ("Creator", "/Creator (")}
"""How a picture names its creator, by format: Matplotlib's metadata key, and what precedes the name in the file."""


def plot_history(history: History, path: str | Path, *, title: str = "", owner: str = "") -> None:
    """Draws loss and metrics by epoch, training and validation, into a PNG, SVG or PDF file.

    Args:
        history: what `fit` returned.
        path: where the picture goes.
        title: what stands above it.
        owner: the name of the model's file, by which `is_ours` recognizes the picture.

    Raises:
        MissingExtraError: matplotlib is not installed.
        FileError: the file cannot be written, or its extension is not supported.
    """
    check_picture(path)
    from matplotlib.figure import Figure

    if not history.epoch:
        raise DataError("the history has no epochs to draw; fit for at least one")
    names = [name for name in history.history if not name.startswith("val_")]
    figure = Figure(figsize=(5.2 * len(names), 3.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        epochs = [epoch + 1 for epoch in history.epoch]
        marker = "o" if len(epochs) < 30 else None
        axes.plot(epochs, history.history[name], label="training", marker=marker, markersize=3)
        if f"val_{name}" in history.history:
            axes.plot(epochs, history.history[f"val_{name}"], label="held out", marker=marker, markersize=3)
            axes.legend(frameon=False)
        axes.set(xlabel="epoch", title=name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    _write(figure, path, owner)


def plot_memory(
    path: str | Path,
    losses: Mapping[int, float],
    carried: float | None,
    gradient: Sequence[float],
    gates: Mapping[str, tuple[float, float]],
    uses: int,
    reach: int,
) -> None:
    """Draws the contents of a memory report: loss by how long the state is kept, gradient by steps back, gates.

    Raises:
        MissingExtraError: matplotlib is not installed.
        FileError: the file cannot be written, or its extension is not supported.
    """
    check_picture(path)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 3.8), layout="constrained")
    kept, fading, saturation = figure.subplots(1, 3)
    kept.plot(list(losses), list(losses.values()), marker="o", markersize=3)
    kept.axvline(uses, color="tab:orange", linestyle="--", label=f"uses about {uses:,} step(s)")
    if carried is not None:
        kept.axhline(carried, color="tab:green", linestyle=":", label="carried from batch to batch")
    kept.set_xscale("log", base=2)
    kept.set_xticks(list(losses), [f"{span:,}" for span in losses])
    kept.set(xlabel="state reset every ... steps", title="loss")
    fading.plot(range(1, len(gradient) + 1), gradient, marker="o" if len(gradient) < 30 else None, markersize=3)
    fading.axvline(reach, color="tab:orange", linestyle="--", label=f"reaches {reach:,} step(s)")
    fading.set_yscale("log")
    fading.set_ylim(bottom=max(1e-6, 0.5 * min((size for size in gradient if size > 0), default=1e-6)))
    fading.xaxis.get_major_locator().set_params(integer=True)
    fading.set(xlabel="steps back from the output", title="gradient, share of the largest")
    names = list(gates)
    saturation.barh(names, [-closed for closed, _ in gates.values()], label="below 0.1")
    saturation.barh(names, [opened for _, opened in gates.values()], label="above 0.9")
    saturation.set(xlim=(-1, 1), title="gates nearly closed | nearly open")
    saturation.set_xticks([-1, -0.5, 0, 0.5, 1], ["100 %", "50 %", "0", "50 %", "100 %"])
    saturation.invert_yaxis()
    for axes in (kept, fading, saturation):
        axes.legend(frameon=False, fontsize="small")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    _write(figure, path)


def _write(figure: Figure, path: str | Path, owner: str = "") -> None:
    picture = BytesIO()
    metadata = {SIGNED[_kind(path)][0]: _signature(owner)} if _kind(path) in SIGNED else None
    figure.savefig(picture, format=_kind(path), dpi=130, metadata=metadata)
    write_whole(path, picture.getvalue())


def check_picture(path: str | Path) -> None:
    """Raises MissingExtraError or FileError now if no picture can be written to `path` later."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("a picture", "plot") from None
    if _kind(path) not in Figure().canvas.get_supported_filetypes():
        raise FileError(f"cannot draw a .{_kind(path)} file; name one that ends in .png, .svg or .pdf")


def is_ours(path: str | Path, owner: str = "") -> bool:
    """Returns whether statewise drew the picture in a file, for the model `owner` if that is given."""
    try:
        return _kind(path) in SIGNED and f"{SIGNED[_kind(path)][1]}{_signature(owner)}".encode() in read_whole(path)
    except OSError:
        return False


def _signature(owner: str) -> str:
    """Returns what a picture is signed with: letters that no kind of file escapes."""
    return f"{MAKER} {crc32(owner.encode()):08x}" if owner else MAKER


def _kind(path: str | Path) -> str:
    return as_path(path).suffix.lstrip(".").lower() or "png"
