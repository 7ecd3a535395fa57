"""Runs of a recipe as they are kept: one JSON file a recipe, from which a later command goes on."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from statewise import __version__
from statewise.errors import FileError
from statewise.files import check_writable, write_whole
from statewise.recipes.recipe import Recipe, Trial

POINTS = 200
"""The most points of a curve that are kept."""


@dataclass(frozen=True)
class Run:
    """One run as it is kept: what `Trial` holds, and how it came about.

    Attributes:
        seed: of the run.
        version: `Recipe.version` of the code that ran.
        short: whether it was a shortened one, whose figures say nothing.
        seconds: how long it took, compiling included.
        figures: by name.
        answers: by question.
        curves: by name, `(place, value)` for each point that is kept.
        warnings: what statewise warned of.
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


def thinned(values: list[float]) -> list[tuple[int, float]]:
    """Returns at most `POINTS` of the values, evenly, the first and the last among them, each with its place from 1.

    >>> thinned([0.5, 0.25])
    [(1, 0.5), (2, 0.25)]
    >>> len(thinned([0.0] * 5000)), thinned([0.0] * 5000)[-1]
    (200, (5000, 0.0))
    """
    count = min(len(values), POINTS)
    places = [round(i * (len(values) - 1) / max(count - 1, 1)) for i in range(count)]
    return [(place + 1, values[place]) for place in places]


class Results:
    """A folder with the runs of recipes."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def prepare(self) -> None:
        """Makes the folder.

        Raises:
            FileError: it cannot be made, or nothing can be written there.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"cannot keep runs in {self.folder}: {error.strerror}; choose another folder") from None
        check_writable(self.folder / "runs.json")

    def path(self, recipe: Recipe) -> Path:
        """Returns the file of a recipe."""
        return self.folder / f"{recipe.name}.json"

    def of(self, recipe: Recipe, *, short: bool = False) -> list[Run]:
        """Returns the runs of the recipe as it is now, by seed; those of earlier versions stay in the file unread."""
        runs = {run.seed: run for run in self._all(recipe) if run.version == recipe.version and run.short == short}
        return [runs[seed] for seed in sorted(runs)]

    def add(self, recipe: Recipe, run: Run) -> None:
        """Writes a run to the file of its recipe.

        Raises:
            FileError: the file cannot be written.
        """
        self.prepare()
        content = {"recipe": recipe.name, "runs": [_plain(kept) for kept in (*self._all(recipe), run)]}
        write_whole(self.path(recipe), json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1).encode())

    def _all(self, recipe: Recipe) -> list[Run]:
        path = self.path(recipe)
        if not path.exists():
            return []
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))["runs"]
            return [_read(entry) for entry in entries]
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise FileError(
                f"{path} does not hold runs of {recipe.name} ({error}); move it away, or choose another folder"
            ) from None


def _plain(run: Run) -> dict[str, Any]:
    """Returns a run as JSON holds it, which has no NaN and no infinity: None stands for them."""
    plain = asdict(run)
    plain["figures"] = {name: _finite(value) for name, value in run.figures.items()}
    plain["curves"] = {name: [(place, _finite(value)) for place, value in line] for name, line in run.curves.items()}
    return plain


def _read(entry: dict[str, Any]) -> Run:
    figures = {name: _number(value) for name, value in entry["figures"].items()}
    curves = {name: [(int(place), _number(value)) for place, value in line] for name, line in entry["curves"].items()}
    return Run(**{**entry, "figures": figures, "curves": curves})


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
