"""Loss and metrics of a training as a notebook shows them: a small chart each, under the last values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from statewise.foundation.curves import Curve, curves_chart, thinned
from statewise.foundation.notebook import ABOVE, BELOW

CHARTS = 8
"""The maximum number of charts."""

KINDS = {"training": "training", "held": "held out"}
"""The CSS classes of the curves, in words."""

STYLE = f"""
.statewise svg {{ display: block; font: 11px system-ui, sans-serif; max-width: 100%; height: auto; }}
.statewise svg text {{ fill: currentColor; opacity: .7; }}
.statewise svg path {{ fill: none; stroke: currentColor; opacity: .5; }}
.statewise svg .grid {{ opacity: .15; }}
.statewise svg .training, .statewise svg .held {{
  opacity: 1; stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; vector-effect: non-scaling-stroke;
}}
.statewise svg .training {{ stroke: rgb({BELOW}); }}
.statewise svg .held {{ stroke: rgb({ABOVE}); stroke-dasharray: 5 3; }}
.statewise span.training {{ border-bottom: 2px solid rgb({BELOW}); }}
.statewise span.held {{ border-bottom: 2px dashed rgb({ABOVE}); }}
"""
"""The CSS rules of the charts."""


def history_charts(history: Mapping[str, Sequence[float]], done: int) -> str:
    """Returns a chart of each quantity by epoch, training and held-out data together.

    Args:
        history: a list by name, as in `History`.
        done: the number of the last finished epoch, from 1.
    """
    names = list(dict.fromkeys(name.removeprefix("val_") for name in history))
    drawn = "".join(_figure(name, history, done) for name in names[:CHARTS])
    left_out = ", ".join(map(escape, names[CHARTS:]))
    return drawn + (f'<p class="quiet">Not shown: {left_out}.</p>' if left_out else "")


def _figure(name: str, history: Mapping[str, Sequence[float]], done: int) -> str:
    keys = {"training": name, "held": f"val_{name}"}
    measured = {kind: history[key] for kind, key in keys.items() if history.get(key)}
    last = "; ".join(f'<span class="{kind}">{KINDS[kind]}</span> {values[-1]:.4g}' for kind, values in measured.items())
    lines = [(_curve(values, done), kind) for kind, values in measured.items()]
    drawable = any(len(curve) > 1 for curve, _ in lines)  # a single point is not a curve
    chart = curves_chart(f"{name} by epoch", lines, "curves", 320) if drawable else ""
    return f"<figure><figcaption><b>{escape(name)}</b> {last}</figcaption>{chart}</figure>"


def _curve(values: Sequence[float], done: int) -> Curve:
    """Returns the points of values whose last one is that of epoch `done`."""
    return [(done - len(values) + place, value) for place, value in thinned(list(map(float, values)))]
