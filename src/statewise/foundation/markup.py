"""HTML and SVG as text; everything that comes from outside is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


def prose(text: str) -> str:
    """Returns a text as HTML, with the parts between backticks as code.

    >>> prose("`a < b` & more")
    '<code>a &lt; b</code> &amp; more'
    """
    return re.sub(r"`+([^`]+)`+", r"<code>\1</code>", escape(text))


def link(target: str, words: str) -> str:
    """Returns a link to a web address or an anchor on the page, or the bare words if `target` is neither.

    >>> link("#echo", "echo"), link("a book", "echo")
    ('<a href="#echo">echo</a>', 'echo')
    """
    if not target.startswith(("https://", "http://", "#")):
        return escape(words)
    return f'<a href="{escape(target)}">{escape(words)}</a>'


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        content: as HTML.
        kind: its class: "number", "words" or "verdict".
        heads: what it is the heading of, "col", "row" or "rowgroup"; "" if it is not a heading.
        rows, columns: how many of them it spans.
    """

    content: str
    kind: str = "number"
    heads: str = ""
    rows: int = 1
    columns: int = 1

    def __str__(self) -> str:
        tag = "th" if self.heads else "td"
        scope = f' scope="{self.heads}"' if self.heads else ""
        spans = "".join(f' {name}="{n}"' for name, n in (("rowspan", self.rows), ("colspan", self.columns)) if n > 1)
        return f'<{tag}{scope} class="{self.kind}"{spans}>{self.content}</{tag}>'


def heading(words: str, kind: str = "number") -> Cell:
    """Returns the heading of a column."""
    return Cell(escape(words), kind, "col")


def table(caption: str, head: Sequence[Cell], groups: Iterable[Iterable[Sequence[Cell]]], kind: str = "") -> str:
    """Returns a table that scrolls by itself if the page is too narrow.

    Args:
        caption: what it shows, as plain text.
        head: the column headings; empty for a table whose groups have their own headings.
        groups: rows of cells that belong together.
        kind: its class.
    """
    bodies = ("".join(f"<tr>{''.join(map(str, row))}</tr>\n" for row in group) for group in groups)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(caption)}"><table class="{kind}">'
        f"<caption>{escape(caption)}</caption>\n"
        + (f"<thead><tr>{''.join(map(str, head))}</tr></thead>\n" if head else "")
        + "".join(f"<tbody>\n{body}</tbody>" for body in bodies)
        + "</table></div>\n"
    )


def text_table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """Returns a table of plain text; the first `words` columns are aligned as words, the others as numbers."""
    kinds = ["words" if column < words else "number" for column in range(len(head))]
    cells = ([Cell(escape(text), kind) for text, kind in zip(row, kinds, strict=True)] for row in rows)
    return table(caption, list(map(heading, head, kinds)), [cells])


def svg(width: float, height: float, title: str, parts: Iterable[str], kind: str) -> str:
    """Returns a drawing whose `title` screen readers read out and browsers show on hover."""
    return (
        f'<svg class="{kind}" role="img" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def label(x: float, y: float, words: str, kind: str = "", anchor: str = "middle") -> str:
    """Returns words in a drawing, on a baseline at `y`."""
    return f'<text x="{x:.5g}" y="{y:.5g}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Returns a straight line in a drawing."""
    return f'<path d="M{x1:.5g} {y1:.5g}L{x2:.5g} {y2:.5g}" class="{kind}"/>'
