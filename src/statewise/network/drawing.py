"""A network as a drawing: a box for each layer, from the input at the top to the output at the bottom, in SVG."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from statewise.foundation.markup import label, svg
from statewise.foundation.shapes import describe
from statewise.layers.nodes import place_of_input
from statewise.network.network import Network, NetworkParams
from statewise.network.table import LayerRow, layer_rows

_HEIGHT, _DOWN, _ACROSS, _EDGE = 46.0, 34.0, 28.0, 16.0  # px: of a box, between boxes, beside them, around all
_PER_LETTER, _LEAST = 7.2, 120.0  # px: of a box's width

_STYLE = """<style>
.network { font: 12px/1.3 system-ui, sans-serif; background: #fff; }
.network text { fill: #222; } .network .quiet { fill: #667; font-size: 11px; }
.network rect { fill: #f4f5f8; stroke: #99a; rx: 6px; } .network .end { fill: #fff; }
.network .memory { fill: #dfebf9; stroke: #2d7dc8; } .network .frozen { stroke-dasharray: 4 3; }
.network .edge { fill: none; stroke: #667; stroke-width: 1.3; } .network .tip { fill: #667; }
</style>"""

_ARROW = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z" class="tip"/></marker></defs>'
)


class _Box(NamedTuple):
    """A box: what it says, and where it is."""

    first: str
    second: str
    kind: str
    rank: int
    x: float  # of its center
    width: float

    @property
    def top(self) -> float:
        return _EDGE + self.rank * (_HEIGHT + _DOWN)


def draw(network: Network, params: NetworkParams) -> str:
    """Returns the drawing of a network as SVG text.

    Layers with a state are blue, frozen ones dashed; a line shows what a layer reads.
    """
    boxes = _placed(network, params)
    width = max(box.x + box.width / 2 for box in boxes.values()) + _EDGE
    height = max(box.top for box in boxes.values()) + _HEIGHT + _EDGE
    read = ((source, place) for place in range(len(network.nodes)) for source in _sources(network, place))
    edges = [(boxes[source], boxes[place]) for source, place in read]
    beside = [_path(start, end, list(boxes.values())) for start, end in edges]
    width = max([width, *(reach + _EDGE for _, reach in beside)])
    drawn = [*(path for path, _ in beside), *map(_box, boxes.values())]
    return svg(round(width), round(height), "network", [_STYLE, _ARROW, *drawn], "network")


def _placed(network: Network, params: NetworkParams) -> dict[int, _Box]:
    """Returns a box for each input, node and named output, by place: each lower than what it reads."""
    given = {place_of_input(number): entry for number, entry in enumerate(network.inputs)}
    ranks = dict.fromkeys(given, 0)
    for place in range(len(network.nodes)):
        ranks[place] = 1 + max(ranks[source] for source in _sources(network, place))
    texts = {place: (entry.name, describe(entry.shape), "end") for place, entry in given.items()}
    texts |= {place: _texts(network, place, row) for place, row in enumerate(layer_rows(network, params))}
    rows: dict[int, list[int]] = defaultdict(list)
    for place, rank in ranks.items():
        rows[rank].append(place)
    widths = {place: max(_LEAST, _PER_LETTER * max(map(len, text[:2])) + 20) for place, text in texts.items()}
    total = max(sum(widths[place] + _ACROSS for place in row) - _ACROSS for row in rows.values())
    boxes: dict[int, _Box] = {}
    for rank in sorted(rows):
        row = sorted(rows[rank], key=lambda place: _center(network, place, boxes))
        left = _EDGE + (total - sum(widths[place] + _ACROSS for place in row) + _ACROSS) / 2
        for place in row:
            boxes[place] = _Box(*texts[place], rank, left + widths[place] / 2, widths[place])
            left += widths[place] + _ACROSS
    return boxes


def _texts(network: Network, place: int, row: LayerRow) -> tuple[str, str, str]:
    layer = network.nodes[place].layer
    weights = "" if row.weights == "0" else f", {row.weights}{'' if row.weights.startswith('as') else ' weights'}"
    kinds = [name for name, true in (("memory", layer.has_memory), ("frozen", layer.frozen)) if true]
    named = [output.name for output in network.outputs if output.place == place and output.name != row.layer]
    answers = f" → {named[0]}" if named and len(network.outputs) > 1 else ""
    return f"{row.layer}: {row.kind}", f"{row.output}{weights}{answers}", " ".join(kinds)


def _sources(network: Network, place: int) -> list[int]:
    """Returns the places of what a node reads and starts in, each once."""
    node = network.nodes[place]
    return list(dict.fromkeys((*node.sources, *node.start)))


def _center(network: Network, place: int, boxes: dict[int, _Box]) -> float:
    """Returns the mean position of what a node reads, by which the nodes of a rank are ordered."""
    sources = _sources(network, place) if place >= 0 else ()
    return sum(boxes[source].x for source in sources) / len(sources) if sources else 0.0


def _box(box: _Box) -> str:
    left, kind = box.x - box.width / 2, escape(box.kind)
    place = f'x="{left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" height="{_HEIGHT:.0f}"'
    first, second = label(box.x, box.top + 19, box.first), label(box.x, box.top + 36, box.second, "quiet")
    return f'<rect {place} class="{kind}"/>{first}{second}'


def _path(start: _Box, end: _Box, boxes: Sequence[_Box]) -> tuple[str, float]:
    """Returns the line between two boxes, and how far right it reaches; it goes around boxes that are in its way."""
    bottom, top = start.top + _HEIGHT, end.top
    crossed = [
        box
        for box in boxes
        if start.rank < box.rank < end.rank
        and abs(start.x + (end.x - start.x) * (box.rank - start.rank) / (end.rank - start.rank) - box.x)
        < box.width / 2 + 6
    ]
    if not crossed:
        middle = (bottom + top) / 2
        curve = f"C{start.x:.1f} {middle:.1f} {end.x:.1f} {middle:.1f} {end.x:.1f} {top:.1f}"
        return _edge(f"M{start.x:.1f} {bottom:.1f}{curve}"), 0.0
    beside = max(box.x + box.width / 2 for box in boxes if start.rank <= box.rank <= end.rank)
    side = beside + 8 + 6 * (end.rank - start.rank)
    leave, enter = start.x + 0.3 * start.width, end.x + 0.3 * end.width
    high, low, bend = bottom + _DOWN / 2, top - _DOWN / 2, 8
    return _edge(
        f"M{leave:.1f} {bottom:.1f}Q{leave:.1f} {high:.1f} {leave + bend:.1f} {high:.1f}"
        f"H{side - bend:.1f}Q{side:.1f} {high:.1f} {side:.1f} {high + bend:.1f}"
        f"V{low - bend:.1f}Q{side:.1f} {low:.1f} {side - bend:.1f} {low:.1f}"
        f"H{enter + bend:.1f}Q{enter:.1f} {low:.1f} {enter:.1f} {top:.1f}"
    ), side


def _edge(curve: str) -> str:
    return f'<path d="{curve}" class="edge" marker-end="url(#tip)"/>'
