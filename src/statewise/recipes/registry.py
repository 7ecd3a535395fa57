"""All recipes, in the order in which they are listed."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module

from statewise.errors import unknown_name
from statewise.recipes.recipe import Recipe

MODULES = (
    "alphabet.naive",
    "alphabet.window",
    "alphabet.timesteps",
    "alphabet.batch",
    "alphabet.stateful",
    "alphabet.prefix",
    "alphabet.variable",
    "echo.now",
    "echo.no_context",
    "echo.context",
    "echo.fresh",
    "echo.missing",
    "echo.whole",
    "echo.lags",
    "echo.sequence",
    "story.published",
    "story.layers",
    "story.wider",
    "story.longer",
    "story.embedding",
    "story.vectors",
    "story.vocabulary",
    "story.chinese",
    "story.carried",
    "lifecycle.regression",
    "lifecycle.two_classes",
    "lifecycle.many_classes",
    "lifecycle.state",
    "lifecycle.one_series",
    "lifecycle.two_series",
)


@cache
def every() -> tuple[Recipe, ...]:
    """Returns all recipes."""
    return tuple(import_module(f"statewise.recipes.{module}").RECIPE for module in MODULES)


def get(name: str) -> Recipe:
    """Returns the recipe with exactly this name.

    Raises:
        ConfigurationError: there is none; the message suggests the closest name.
    """
    for recipe in every():
        if recipe.name == name:
            return recipe
    raise unknown_name("recipe", name, [recipe.name for recipe in every()])


def choose(names: Sequence[str]) -> tuple[Recipe, ...]:
    """Returns the recipes with these names, in the order in which they are listed.

    "alphabet" stands for its whole family, unless a recipe has exactly that name; "story*" for all that begin with it.

    Raises:
        ConfigurationError: there is none of that name; the message suggests the closest name.
    """
    chosen = {recipe.name for name in names for recipe in _of(name)}
    return tuple(recipe for recipe in every() if recipe.name in chosen)


def _of(name: str) -> list[Recipe]:
    if any(recipe.name == name for recipe in every()):
        return [get(name)]
    pattern = name if "*" in name else f"{name}-*"
    return [recipe for recipe in every() if fnmatchcase(recipe.name, pattern)] or [get(name)]
