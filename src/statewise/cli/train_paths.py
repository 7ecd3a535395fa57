"""The files that `train` writes: all writable, and none replaces another file unless requested."""

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
"""The header fields that stay the same throughout a training and determine every number in it."""


@dataclass(frozen=True)
class TrainPaths:
    """Paths of the model and the picture. Only a finished training replaces a model that `existed` before."""

    out: Path
    picture: Path | None
    existed: bool

    def beside(self, why: str, superseded: Callable[[Path], bool] = lambda _: False) -> TrainPaths:
        """Returns paths next to these that are free, or hold a `superseded` model and its picture.

        For example `fable-interrupted.statewise` or, if that is taken, `fable-interrupted-2.statewise`.
        """
        base = re.sub(r"-(interrupted|further)(-\d+)?$", "", self.out.stem)
        for number in count(1):
            stem = f"{base}-{why}" + (f"-{number}" if number > 1 else "")
            out, picture = self.out.with_stem(stem), self.picture and self.picture.with_stem(stem)
            if os.path.lexists(out) and not superseded(out):
                continue
            if picture is None or not os.path.lexists(picture) or _is_of(picture, out):
                break
        return TrainPaths(out, picture, existed=False)


def read_train_paths(options: argparse.Namespace) -> TrainPaths:
    """Returns the paths of the model and the picture.

    Raises:
        FileError: a path is not writable, is used twice, or holds a file that would be replaced without --force.
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
    paths = TrainPaths(out, picture, out.exists())
    _check_free(options, paths, checkpoint)
    return paths


def _default(options: argparse.Namespace) -> str:
    if options.model is not None:
        return str(options.model)
    if options.text == STDIN:
        raise ConfigurationError("-: a text from stdin has no file name to derive the model's from; add --out FILE")
    return f"{Path(options.text).stem}.statewise"


def _check_distinct(options: argparse.Namespace, out: Path, picture: Path | None, checkpoint: Path | None) -> None:
    taken = {} if options.text == STDIN else {Path(options.text).resolve(): "it is the training text"}
    for option, what, path in (
        ("--out", "model", out),
        ("--plot", "picture", picture),
        ("--checkpoint", "", checkpoint),
    ):
        if path is None:
            continue
        if (reason := taken.get(path.resolve())) is not None:
            raise FileError(f"cannot write {path}: {reason}; choose another file with {option}")
        taken[path.resolve()] = f"the {what} is written there"
        if options.model is not None:
            taken.setdefault(as_path(options.model).resolve(), "it is the model to train")


def _check_free(options: argparse.Namespace, paths: TrainPaths, checkpoint: Path | None) -> None:
    """Raises FileError if an existing file would be replaced without --force."""
    out = paths.out
    further = f"statewise train {shlex.quote(options.text)} --model {shlex.quote(str(out))}"
    if options.force:
        return
    picture = paths.picture
    if picture is not None and picture.exists() and not (paths.existed and _is_of(picture, out)):
        raise FileError(
            f"{picture} already exists; choose another file with --plot, "
            "skip it with --no-plot, or replace it with --force"
        )
    if not paths.existed:
        return
    if options.model is not None and out.resolve() == as_path(options.model).resolve():
        if "resume" in _header(out):
            raise FileError(
                f"{out} is a training checkpoint that the model would replace; choose another file with --out"
            )
        return
    if checkpoint is None or not _same_training(out, checkpoint):
        way = f"`{further}` continues training that model, " if _header(out).get("kind") == "text" else ""
        raise FileError(f"{out} already exists; {way}--out chooses another file, --force replaces this one")


def _is_of(picture: Path, out: Path) -> bool:
    """Returns whether a picture belongs to a model, so that further training may replace both."""
    from statewise.diagnostics.plots import is_ours

    return is_ours(picture, out.name) or (picture == out.with_suffix(".png") and is_ours(picture))


def supersedes(model: TextModel, place: Path) -> bool:
    """Returns whether a model continues the training of the one in a file."""
    made, kept = model.to_artifact().header, _header(place)
    same = all(made.get(name) == kept.get(name) for name in DESCRIPTION)
    return same and "resume" not in kept and kept["epochs"] <= made["epochs"]


def _same_training(out: Path, checkpoint: Path) -> bool:
    """Returns whether a model was written by the training in a checkpoint, finished or interrupted."""
    model, kept = _header(out), _header(checkpoint)
    return bool(model) and "resume" in kept and all(model.get(name) == kept.get(name) for name in DESCRIPTION)


def _header(path: Path) -> dict[str, Any]:
    """Returns the header of a model file, with its kind; empty for anything else."""
    from statewise.storage.artifact import read_artifact

    try:
        artifact = read_artifact(path)
        return {**artifact.header, "kind": artifact.kind}
    except FileError:
        return {}
