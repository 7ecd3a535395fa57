"""A summary as text, for a terminal, an HTML page or the documentation."""

from __future__ import annotations

from dataclasses import dataclass

from statewise.recipes.quantities import NONE, between, decimals, number, published
from statewise.recipes.statistics import Summary


@dataclass(frozen=True)
class Told:
    """The parts of a summary as text, without units; empty where there is nothing to say.

    Attributes:
        mean: of the runs.
        interval: of the mean.
        median: of the runs.
        runs: the range in which another run would fall.
        solved: how many runs of how many.
        published: the published figure.
        verdict: whether that lies inside the range: "yes", "no, higher", "no, lower", or a dash if that cannot be said.
    """

    mean: str
    interval: str
    median: str
    runs: str
    solved: str
    published: str
    verdict: str


def tell(summary: Summary) -> Told:
    """Returns the summary's parts as text."""
    figure, digits = summary.figure, decimals(summary.figure, summary.values)
    return Told(
        number(summary.mean, digits),
        NONE if summary.interval is None else between(*summary.interval, digits),
        number(summary.median, digits),
        between(summary.least, summary.most, digits),
        "" if summary.solved is None else f"{summary.solved} of {len(summary.values) + summary.lost}",
        "" if figure.published is None else published(figure.published, digits),
        _verdict(summary),
    )


def _verdict(summary: Summary) -> str:
    given = summary.figure.published
    if given is None:
        return ""
    if summary.inside is None:
        return NONE
    if summary.inside:
        return "yes"
    return "no, higher" if given.span[0] > summary.most else "no, lower"
