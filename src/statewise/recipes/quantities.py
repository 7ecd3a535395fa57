"""Measured numbers as text: each figure with as many decimals as it deserves."""

from __future__ import annotations

import math
from collections.abc import Sequence

from statewise.recipes.recipe import Figure, Published

NONE = "\N{EN DASH}"
"""Stands where there is no number."""

_DIGITS = 4


def decimals(figure: Figure, values: Sequence[float]) -> int:
    """Returns how many decimals the figure's numbers are shown with.

    They are as many as were published; of percentages two, or one where nothing was published; of other numbers at
    least enough for four digits of the largest.

    >>> decimals(Figure("accuracy", "right answers"), [84.0]), decimals(Figure("loss", "loss", "nats"), [0.51, 2.0])
    (1, 3)
    """
    given = max(map(_decimals_of, figure.published.span)) if figure.published else 0
    if figure.unit == "%":
        return max(2, given) if figure.published else 1
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    enough = _DIGITS - 1 - math.floor(math.log10(largest)) if largest else 0
    return max(given, min(max(enough, 0), 6))


def number(value: float, places: int) -> str:
    """Returns a number with `places` decimals, a true minus sign, and no minus before 0.

    >>> number(-0.04, 1), number(1234.5, 0), number(math.nan, 1)
    ('0.0', '1,234', '–')
    """
    if not math.isfinite(value):
        return NONE
    return f"{round(value, places) + 0.0:,.{places}f}".replace("-", "\N{MINUS SIGN}")


def with_unit(text: str, figure: Figure) -> str:
    """Returns a number with the figure's unit.

    >>> with_unit("84.0", Figure("accuracy", "right answers"))
    '84.0\\xa0%'
    """
    return f"{text}\N{NO-BREAK SPACE}{figure.unit}" if figure.unit and text != NONE else text


def between(low: float, high: float, places: int) -> str:
    """Returns two numbers as a range, or one if they look the same.

    >>> between(95.0, 100.0, 1), between(84.0, 84.0, 1)
    ('95.0 to 100.0', '84.0')
    """
    first, last = number(low, places), number(high, places)
    return first if first == last else f"{first} to {last}"


def published(given: Published, places: int) -> str:
    """Returns the published figure, without its unit."""
    return between(*given.span, places)


def seconds(value: float) -> str:
    """Returns a time, with more decimals the shorter it is.

    >>> seconds(0.194), seconds(3.26), seconds(412.7)
    ('0.19', '3.3', '413')
    """
    return number(value, 2 if value < 1 else 1 if value < 100 else 0)


def numbered(seeds: Sequence[int]) -> str:
    """Returns seeds as text, shortened if they are consecutive.

    >>> numbered([0, 1, 2, 3]), numbered([4, 7])
    ('seeds 0 to 3', 'seeds 4, 7')
    """
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"seeds {seeds[0]} to {seeds[-1]}"
    return ("seed " if len(seeds) == 1 else "seeds ") + ", ".join(map(str, seeds))


def _decimals_of(value: float) -> int:
    return len(f"{value:.6f}".rstrip("0").partition(".")[2])
