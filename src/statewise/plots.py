"""Pictures."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from statewise.errors import DataError, FileError, MissingExtraError
from statewise.files import as_path, write_whole
from statewise.history import History


def plot_history(history: History, path: str | Path, *, title: str = "") -> None:
    """Draws loss and metrics by epoch, training and validation, into a PNG, SVG or PDF file.

    Raises:
        MissingExtraError: matplotlib is not installed.
        FileError: the file cannot be written, or ends in something that cannot be drawn.
    """
    check_picture(path)
    from matplotlib.figure import Figure

    if not history.epoch:
        raise DataError("the history has no epoch to draw; fit for at least one")
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
    picture = BytesIO()
    figure.savefig(picture, format=_kind(path), dpi=130)
    write_whole(path, picture.getvalue())


def check_picture(path: str | Path) -> None:
    """Raises MissingExtraError or FileError now if no picture can be drawn into `path` later."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("a picture", "plot") from None
    if _kind(path) not in Figure().canvas.get_supported_filetypes():
        raise FileError(f"cannot draw a .{_kind(path)} file; name one that ends in .png, .svg or .pdf")


def _kind(path: str | Path) -> str:
    return as_path(path).suffix.lstrip(".").lower() or "png"
