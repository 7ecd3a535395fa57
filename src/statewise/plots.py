"""Pictures."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from statewise.errors import FileError, MissingExtraError
from statewise.files import write_whole
from statewise.history import History


def plot_history(history: History, path: str | Path, *, title: str = "") -> None:
    """Draws loss and metrics by epoch, training and validation, into a PNG, SVG or PDF file.

    Raises:
        MissingExtraError: matplotlib is not installed.
        FileError: the file cannot be written, or ends in something that cannot be drawn.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("a picture", "plot") from None
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
    kind = Path(path).suffix.lstrip(".") or "png"
    picture = BytesIO()
    try:
        figure.savefig(picture, format=kind, dpi=130)
    except ValueError:
        raise FileError(f"cannot draw a .{kind} file; name one that ends in .png, .svg or .pdf") from None
    write_whole(path, picture.getvalue())
