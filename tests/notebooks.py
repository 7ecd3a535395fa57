"""HTML as a notebook gets it, read back."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any, NamedTuple

VOID = {"br", "hr", "img", "input", "link", "meta"}
HARMLESS = {"div", "style", "p", "b", "i", "span", "code", "figure", "figcaption", "table", "caption"} | {
    *("thead", "tbody", "tr", "th", "td", "svg", "g", "path", "text", "title"),
}
"""No scripts, links, pictures or frames."""


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str]
    text: list[str]


class Shown(HTMLParser):
    """Reads what an object shows in a notebook; asserts that it is well-formed and self-contained."""

    def __init__(self, thing: Any) -> None:
        super().__init__()
        self.html: str = thing._repr_html_()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(self.html)
        self.close()
        assert not self._open, "unclosed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in HARMLESS, tag
        element = Element(tag, {name: value or "" for name, value in attrs}, [])
        assert len(element.attributes) == len(attrs), "an attribute twice"
        for name, value in element.attributes.items():
            assert not name.startswith("on"), name
            assert name == "xmlns" or "//" not in value, value
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open, tag
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text.append(data)
        if any(element.tag == "style" for element in self._open):
            assert "url(" not in data
            assert "@import" not in data

    def of(self, tag: str, **attributes: str) -> list[Element]:
        """Returns the elements of a tag with these attributes, `kind` for `class`, in their order."""
        wanted = {name.replace("kind", "class"): value for name, value in attributes.items()}
        return [e for e in self.elements if e.tag == tag and wanted.items() <= e.attributes.items()]

    def words(self, tag: str, **attributes: str) -> list[str]:
        """Returns the text of each such element."""
        return ["".join(element.text) for element in self.of(tag, **attributes)]
