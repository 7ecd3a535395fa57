"""Where `train` puts its files: all of them writable, none in place of another unless that was asked for."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statewise.cli.reading import STDIN
from statewise.errors import ConfigurationError, FileError
from statewise.foundation.files import as_path, check_writable

if TYPE_CHECKING:
    from statewise.text import TextModel

DESCRIPTION = ("network", "seed", "compiled", "options", "vocabulary", "texts")
"""What of a model file's header stays the same throughout a training, whose every number follows from that."""


@dataclass(frozen=True)
class Places:
    """Where model and picture go; `kept`: a model was there before, which only a finished training replaces."""

    out: Path
    picture: Path | None
    kept: bool

    def beside(self, why: str, superseded: Callable[[Path], bool] = lambda _: False) -> Places:
        """Returns places beside these that are free, or hold a model that is `superseded`, with its picture.

        `fable-interrupted.statewise` or, if that is taken, `fable-interrupted-2.statewise`.
        """
        base = re.sub(r"-(interrupted|further)(-\d+)?$", "", self.out.stem)
        for number in count(1):
            stem = f"{base}-{why}" + (f"-{number}" if number > 1 else "")
            out, picture = self.out.with_stem(stem), self.picture and self.picture.with_stem(stem)
            if os.path.lexists(out) and not superseded(out):
                continue
            if picture is None or not os.path.lexists(picture) or _is_of(picture, out):
                break
        return Places(out, picture, kept=False)


def read_places(options: argparse.Namespace) -> Places:
    """Returns where model and picture go.

    Raises:
        FileError: a place cannot be written, serves two purposes, or has a file that nobody asked to replace.
    """
    out = as_path(_default(options) if options.out is None else options.out)
    check_writable(out)
    picture = None
    if not options.no_plot:
        picture = as_path(out.with_suffix(".png") if options.plot is None else options.plot)
        check_writable(picture)
    if options.plot is not None:
        from statewise.diagnostics.plots import check_picture

        check_picture(options.plot)
    checkpoint = None if options.checkpoint is None else as_path(options.checkpoint)
    if checkpoint is not None:
        check_writable(checkpoint)
    _check_distinct(options, out, picture, checkpoint)
    places = Places(out, picture, out.exists())
    _check_free(options, places, checkpoint)
    return places


def _default(options: argparse.Namespace) -> str:
    if options.model is not None:
        return str(options.model)
    if options.text == STDIN:
        raise ConfigurationError("-: a text from stdin has no name to call the model by; add --out FILE")
    return f"{Path(options.text).stem}.statewise"


def _check_distinct(options: argparse.Namespace, out: Path, picture: Path | None, checkpoint: Path | None) -> None:
    taken = {} if options.text == STDIN else {Path(options.text).resolve(): "it is the text to learn"}
    for option, what, path in (
        ("--out", "model", out),
        ("--plot", "picture", picture),
        ("--checkpoint", "", checkpoint),
    ):
        if path is None:
            continue
        if (reason := taken.get(path.resolve())) is not None:
            raise FileError(f"cannot write {path}: {reason}; name another file with {option}")
        taken[path.resolve()] = f"the {what} goes there"
        if options.model is not None:
            taken.setdefault(as_path(options.model).resolve(), "it is the model to train")


def _check_free(options: argparse.Namespace, places: Places, checkpoint: Path | None) -> None:
    """Raises FileError if a file would be replaced that nobody asked to replace."""
    out = places.out
    further = f"statewise train {shlex.quote(options.text)} --model {shlex.quote(str(out))}"
    if options.force:
        return
    picture = places.picture
    if picture is not None and picture.exists() and not (places.kept and _is_of(picture, out)):
        raise FileError(
            f"{picture} exists already; --plot names another file, --no-plot draws none, --force replaces it"
        )
    if not places.kept:
        return
    if options.model is not None and out.resolve() == as_path(options.model).resolve():
        if "resume" in _header(out):
            raise FileError(
                f"{out} is the checkpoint of a training, which its model would replace; name another file with --out"
            )
        return
    if checkpoint is None or not _same_training(out, checkpoint):
        way = f"`{further}` trains that model further, " if _header(out).get("kind") == "text" else ""
        raise FileError(f"{out} exists already; {way}--out names another file, --force replaces this one")


def _is_of(picture: Path, out: Path) -> bool:
    """Returns whether a picture is that of a model, which the picture of its further training replaces."""
    from statewise.diagnostics.plots import is_ours

    return is_ours(picture, out.name) or (picture == out.with_suffix(".png") and is_ours(picture))


def supersedes(model: TextModel, place: Path) -> bool:
    """Returns whether a model has had all of the training, and more, that the one in a file has had."""
    made, kept = model.to_artifact().header, _header(place)
    same = all(made.get(name) == kept.get(name) for name in DESCRIPTION)
    return same and "resume" not in kept and kept["epochs"] <= made["epochs"]


def _same_training(out: Path, checkpoint: Path) -> bool:
    """Returns whether a model was written by the training in a checkpoint, when it ended or was interrupted."""
    model, kept = _header(out), _header(checkpoint)
    return bool(model) and "resume" in kept and all(model.get(name) == kept.get(name) for name in DESCRIPTION)


def _header(path: Path) -> dict[str, Any]:
    """Returns the header of a model file, with its kind; of anything else an empty one."""
    from statewise.storage.artifact import read_artifact

    try:
        artifact = read_artifact(path)
        return {**artifact.header, "kind": artifact.kind}
    except FileError:
        return {}
