"""What a recipe is: a published experiment as code, the numbers it measures, and the published figures."""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from statewise.recipes.framing import Framing

if TYPE_CHECKING:
    from statewise.models.sequential import Sequential

LEADS = ("Question", "Framing", "Expect", "Beyond")
"""How the paragraphs of a recipe's text begin; "Beyond" says what it can do on cases that it was not trained on."""


@dataclass(frozen=True)
class Published:
    """A figure as it was published, of one run: `value`, or anything from `value` up to `to`."""

    value: float
    source: str
    to: float | None = None
    note: str = ""

    @property
    def span(self) -> tuple[float, float]:
        """The smallest and the largest published value."""
        return self.value, self.value if self.to is None else self.to


@dataclass(frozen=True)
class Figure:
    """A number that each run of a recipe measures.

    Attributes:
        name: its key in `Trial.figures`.
        meaning: what it is, in a few words.
        unit: "%", "s", "nats" or "" for a bare number.
        published: the published figure; None if there is none.
        solved: a run solves the problem if its figure is at least this (at most, with `falls`); None if there is
            nothing to solve.
        falls: whether smaller is better, as for a loss.
        unseen: whether it is measured on cases that the run was not trained on.
    """

    name: str
    meaning: str
    unit: str = "%"
    published: Published | None = None
    solved: float | None = None
    falls: bool = False
    unseen: bool = False


@dataclass(frozen=True)
class Trial:
    """The result of one run of a recipe.

    Attributes:
        figures: a number for each of the recipe's figures.
        answers: what the network answered, by question; shown as is.
        curves: values by epoch (or by what the name says), to be plotted.
    """

    figures: Mapping[str, float]
    answers: Mapping[str, str] = field(default_factory=dict)
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """A published experiment: code that runs it once from a seed, and the texts about it.

    Its text is the docstring of the module that holds `trial`: a title, then paragraphs that begin with `LEADS`.

    Attributes:
        name: as on the command line; its family comes first, as in "alphabet-naive".
        figures: what each run measures, the published figure first.
        framing: returns the picture of its data.
        model: returns the built model for a seed, not yet trained.
        trial: `trial(seed, **short)` runs the experiment once.
        seconds: about how long one run takes on one core, after compiling.
        short: arguments of `trial` that make it a matter of seconds, to test that everything works.
    """

    name: str
    figures: tuple[Figure, ...]
    framing: Callable[[], Framing]
    model: Callable[[int], Sequential]
    trial: Callable[..., Trial]
    seconds: float
    short: Mapping[str, object] = field(default_factory=dict)

    @property
    def module(self) -> ModuleType:
        """The module that holds the recipe."""
        return sys.modules[self.trial.__module__]

    @property
    def title(self) -> str:
        """The first line of its text."""
        return inspect.cleandoc(self.module.__doc__ or "").splitlines()[0]

    @property
    def paragraphs(self) -> dict[str, str]:
        """Its text by `LEADS`, each paragraph on one line."""
        told = inspect.cleandoc(self.module.__doc__ or "").split("\n\n")[1:]
        lines = [" ".join(paragraph.split()) for paragraph in told]
        return {lead: rest.strip() for lead, _, rest in (line.partition(".") for line in lines)}

    def summary(self) -> str:
        """Returns its network as a table of layers."""
        from statewise.network import summarize

        network = self.model(0)
        return summarize(network.network, network.params)

    @property
    def path(self) -> Path:
        """The file that holds it."""
        return Path(str(self.module.__file__))

    @cached_property
    def code(self) -> str:
        """The source of its file."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def version(self) -> str:
        """Twelve hexadecimal digits that change with its code and the code its family shares, but not with texts."""
        digest = hashlib.sha256(_bare(self.code).encode())
        for file in sorted(self.path.parent.iterdir()):
            if file.suffix == ".bin":
                digest.update(file.read_bytes())
            elif file.suffix == ".txt":  # read as text: a checkout may have other line ends
                digest.update(file.read_text(encoding="utf-8").encode())
            elif file.suffix == ".py" and "\nRECIPE = " not in (code := file.read_text(encoding="utf-8")):
                digest.update(_bare(code).encode())
        return digest.hexdigest()[:12]


def _bare(code: str) -> str:
    """Returns the code without what cannot change a run: imports, docstrings, comments, layout, what `RECIPE` says."""
    tree = ast.parse(code)
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.Import | ast.ImportFrom) or _names_the_recipe(node))
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            told = ast.get_docstring(node, clean=False) is not None
            node.body = node.body[told:] or [ast.Pass()]
    return ast.unparse(tree)


def _names_the_recipe(node: ast.stmt) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any(isinstance(target, ast.Name) and target.id == "RECIPE" for target in targets)
