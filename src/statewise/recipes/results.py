"""Runs as they are kept: one JSON file each, in a folder per recipe, from which a later command continues."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from statewise import __version__
from statewise.errors import FileError
from statewise.foundation.curves import thinned
from statewise.foundation.files import check_writable, write_whole
from statewise.recipes.recipe import Recipe, Trial


@dataclass(frozen=True)
class Run:
    """One run as it is kept: what `Trial` holds, and how it was made.

    Attributes:
        seed: of the run.
        version: `Recipe.version` of the code that ran.
        short: whether it was shortened, so that its figures mean nothing.
        seconds: how long it took, compiling included.
        figures: by name.
        answers: by question.
        curves: by name, `(place, value)` for each point that is kept.
        warnings: the warnings of statewise.
        statewise: the version of this library.
    """

    seed: int
    version: str
    short: bool
    seconds: float
    figures: dict[str, float]
    answers: dict[str, str] = field(default_factory=dict)
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    statewise: str = __version__

    @classmethod
    def of(cls, recipe: Recipe, seed: int, short: bool, trial: Trial, seconds: float, warnings: Iterable[str]) -> Run:
        """Returns the run that gave `trial`.

        Raises:
            ValueError: the trial's figures are not those that the recipe names.
        """
        if list(trial.figures) != [figure.name for figure in recipe.figures]:
            raise ValueError(f"{recipe.name}: its trial measured {list(trial.figures)}, not what its figures name")
        return cls(
            seed,
            recipe.version,
            short,
            round(seconds, 3),
            {name: float(value) for name, value in trial.figures.items()},
            dict(trial.answers),
            {name: thinned(list(map(float, values))) for name, values in trial.curves.items()},
            list(warnings),
        )


class Results:
    """A folder with the runs of recipes."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def prepare(self) -> None:
        """Makes the folder.

        Raises:
            FileError: it cannot be made, or nothing can be written there.
        """
        _make(self.folder)
        try:
            check_writable(self.folder / "run.json")
        except FileError as error:
            raise FileError(f"cannot keep runs in {self.folder} ({error}); choose another folder") from None

    def path(self, recipe: Recipe, run: Run) -> Path:
        """Returns the file of a run."""
        return self.folder / recipe.name / f"{run.seed}-{run.version}{'-short' if run.short else ''}.json"

    def of(self, recipe: Recipe, *, short: bool = False) -> list[Run]:
        """Returns the runs of the recipe's current version, by seed; files of earlier versions stay and are not read.

        Args:
            recipe: the recipe.
            short: whether to return the shortened runs, if the recipe can be shortened.

        Raises:
            FileError: a file holds something else.
        """
        ending = f"-{recipe.version}{'-short' if short and recipe.short else ''}.json"
        files = [file for file in (self.folder / recipe.name).glob("*.json") if file.name.endswith(ending)]
        return sorted((_read(file, recipe) for file in files), key=lambda run: run.seed)

    def add(self, recipe: Recipe, run: Run) -> None:
        """Writes a run to its own file, replacing one with the same seed and version.

        Raises:
            FileError: the file cannot be written.
        """
        path = self.path(recipe, run)
        _make(path.parent)
        content = {"recipe": recipe.name, **_plain(run)}
        write_whole(path, json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1).encode())


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise FileError(f"cannot keep runs in {folder}: it is a file; name a folder") from None
    except OSError as error:
        raise FileError(f"cannot keep runs in {folder}: {error.strerror}; choose another folder") from None


def _plain(run: Run) -> dict[str, Any]:
    """Returns a run for JSON, which has no NaN and no infinity: None stands for them."""
    plain = asdict(run)
    plain["figures"] = {name: _finite(value) for name, value in run.figures.items()}
    plain["curves"] = {name: [(place, _finite(value)) for place, value in line] for name, line in run.curves.items()}
    return plain


def _read(path: Path, recipe: Recipe) -> Run:
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
        name, figures, curves = entry.pop("recipe"), entry.pop("figures"), entry.pop("curves")
        found = {name: _number(value) for name, value in figures.items()}
        lines = {name: [(int(place), _number(value)) for place, value in line] for name, line in curves.items()}
        run = Run(**entry, figures=found, curves=lines)
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise _foreign(path, recipe, repr(error)) from None
    if name != recipe.name or list(found) != [figure.name for figure in recipe.figures]:
        raise _foreign(path, recipe, f"it is one of {name!r} with {list(found)}")
    return run


def _foreign(path: Path, recipe: Recipe, reason: str) -> FileError:
    return FileError(f"{path} does not hold a run of {recipe.name}: {reason}; move it away, or choose another folder")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
