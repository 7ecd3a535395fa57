"""Drawings of networks: a box for each layer, a line for all that it reads, nothing over anything else."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

import statewise as sw
from mistakes import refused
from networks import CASES, LOOKING_AHEAD, Case
from statewise.errors import FileError, LifecycleError
from statewise.network import draw

NAMESPACE = "{http://www.w3.org/2000/svg}"


def drawn(model: sw.Model) -> Any:
    return Xml.fromstring(draw(model.network, model.params))


def boxes(drawing: Any) -> list[tuple[float, float, float, float]]:
    """The left, top, right and bottom of each box."""
    found = []
    for box in drawing.iter(f"{NAMESPACE}rect"):
        x, y, width, height = (float(box.get(name)) for name in ("x", "y", "width", "height"))
        found.append((x, y, x + width, y + height))
    return found


@pytest.mark.parametrize("case", [*CASES, *LOOKING_AHEAD], ids=lambda case: case.name)
def test_every_layer_has_a_box_and_a_line_from_each_that_it_reads(case: Case) -> None:
    model = case.model()
    drawing = drawn(model)
    texts = [text.text or "" for text in drawing.iter(f"{NAMESPACE}text")]
    for name, layer in zip(model.network.names, model.network.layers, strict=True):
        assert any(text.startswith(f"{name}: {type(layer).__name__}") for text in texts), name
    edges = [path for path in drawing.iter(f"{NAMESPACE}path") if path.get("class") == "edge"]
    assert len(edges) == sum(len(set(node.sources)) for node in model.network.nodes)
    width, height = float(drawing.get("width")), float(drawing.get("height"))
    found = boxes(drawing)
    assert len(found) == 1 + len(model.network.nodes)
    assert all(left >= 0 and top >= 0 and right <= width and bottom <= height for left, top, right, bottom in found)
    for one, other in combinations(found, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    for edge in edges:
        for x, y in corners(edge.get("d")):
            assert 0 <= x <= width
            assert not any(left < x < right and top < y < bottom for left, top, right, bottom in found)


def corners(path: str) -> list[tuple[float, float]]:
    """The points where the parts of a path end."""
    x = y = 0.0
    found = []
    for letter, numbers in re.findall(r"([MCQHV])([^MCQHV]*)", path):
        values = [float(number) for number in numbers.split()]
        x = values[-1] if letter == "H" else x if letter == "V" else values[-2]
        y = values[-1] if letter != "H" else y
        found.append((x, y))
    return found


def test_shared_frozen_and_odd_names() -> None:
    cell = sw.LSTM(3, return_sequences=True, trainable=False)
    model = sw.Sequential([cell, cell, sw.Dense(2, name="<a & b>")])
    model.build((None, None, 3))
    drawing = drawn(model)
    texts = " | ".join(text.text or "" for text in drawing.iter(f"{NAMESPACE}text"))
    assert "lstm_1: LSTM, frozen | [B, T, 3], as lstm" in texts
    assert "<a & b>: Dense | [B, T, 2], 8 weights" in texts
    kinds = [box.get("class") for box in drawing.iter(f"{NAMESPACE}rect")]
    assert kinds.count("memory frozen") == 2


def test_a_file(tmp_path: Path) -> None:
    model = CASES[0].model()
    model.plot(tmp_path / "network.svg")
    assert (tmp_path / "network.svg").read_text() == draw(model.network, model.params)
    refused(lambda: model.plot(tmp_path / "network.png"), FileError, ["network.png", ".svg"])
    refused(lambda: sw.Sequential([sw.LSTM(3)]).plot(tmp_path / "a.svg"), LifecycleError, ["does not know its input"])


def test_a_notebook_shows_the_drawing_of_a_graph() -> None:
    assert "<svg" not in CASES[0].model()._repr_html_()
    graph = next(case for case in CASES if case.name == "skip-connection")
    assert '<svg class="network"' in graph.model()._repr_html_()
