"""HTML that a notebook shows instead of a `repr`: self-contained, without scripts, in the notebook's own colors.

Text and lines take the color of the surrounding text, and hues are readable on white and on black. A media query would
not do: a notebook's theme may differ from the system's.
"""

from __future__ import annotations

from html import escape

BELOW, ABOVE = "45,125,200", "217,95,2"
"""RGB for numbers below and above 0, and for training and held-out data: color-blind people can distinguish them."""

_STYLE = """
.statewise { font: 13px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums; overflow-x: auto; }
.statewise p { margin: .25em 0; }
.statewise figure { display: inline-block; margin: .4em 1.5em .4em 0; vertical-align: top; }
.statewise figcaption, .statewise caption { text-align: left; white-space: nowrap; padding: 0 0 .3em; color: inherit; }
.statewise .quiet, .statewise caption { opacity: .7; font-size: 12px; }
div.statewise table { border-collapse: collapse; border: 0; margin: .4em 0; color: inherit; font-size: 12px; }
div.statewise table th, div.statewise table td {
  padding: .2em .8em; border: 0; border-bottom: 1px solid rgba(128,128,128,.3); text-align: right; white-space: nowrap;
}
div.statewise table thead th { white-space: normal; max-width: 14em; vertical-align: bottom; }
div.statewise table .words { text-align: left; }
div.statewise table tr > :first-child { padding-left: 0; }
"""


def output(heading: str, *parts: str, style: str = "") -> str:
    """Returns what a notebook shows: a bold heading, then the parts, which are HTML; `style` adds CSS rules.

    >>> output("a < b", "<p>not so</p>").endswith('</style><p><b>a &lt; b</b></p><p>not so</p></div>')
    True
    """
    sheet = f"<style>{_STYLE}{style}</style>"
    return f'<div class="statewise">{sheet}<p><b>{escape(heading)}</b></p>{"".join(parts)}</div>'
