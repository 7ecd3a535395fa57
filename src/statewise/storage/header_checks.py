"""Checks of values in a file's header, and of lists and objects of them. Does not need JAX."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from statewise.errors import FileError

INT32, INT64 = 2**31 - 1, 2**63 - 1

Check = Callable[[str, Any], None]
"""`check(place, value)`: raises FileError unless the value at that place has the right form."""


def refuse(place: str, expected: str, value: object) -> FileError:
    """Returns the error for a value of another form."""
    return FileError(f"{place or 'header'}: expected {expected}, got {reprlib.repr(value)}")


class Maybe(NamedTuple):
    """A field that may be missing."""

    check: Check


def anything(place: str, value: Any) -> None:
    """Accepts any value."""


def nothing(place: str, value: Any) -> None:
    """Accepts no value: there is no such field."""
    raise refuse(place, "no such field in a file of this kind", value)


def flag(place: str, value: Any) -> None:
    """Checks true or false."""
    if not isinstance(value, bool):
        raise refuse(place, "true or false", value)


def text(place: str, value: Any) -> None:
    """Checks text."""
    if not isinstance(value, str):
        raise refuse(place, "text", value)


def number(place: str, value: Any) -> None:
    """Checks a real number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, int) and abs(value) > INT64):
        raise refuse(place, "a number", value)


def plain(place: str, value: Any) -> None:
    """Checks an option whose meaning only its owner knows."""
    if value is not None and not isinstance(value, bool | str):
        number(place, value)


def whole(least: int, most: int) -> Check:
    """Returns the check of an integer from `least` to `most`."""

    def check(place: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise refuse(place, f"an integer from {least} to {most}", value)

    return check


def or_null(inner: Check) -> Check:
    """Returns the check of a value that may be null."""

    def check(place: str, value: Any) -> None:
        if value is not None:
            inner(place, value)

    return check


def list_of(inner: Check) -> Check:
    """Returns the check of a list whose items pass `inner`."""

    def check(place: str, value: Any) -> None:
        if not isinstance(value, list):
            raise refuse(place, "a list", value)
        for index, item in enumerate(value):
            inner(f"{place}[{index}]", item)

    return check


def object_of(inner: Check) -> Check:
    """Returns the check of an object whose values pass `inner`."""

    def check(place: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise refuse(place, "an object", value)
        for name, item in value.items():
            inner(f"{place}.{name}", item)

    return check


def fields(table: Mapping[str, Check | Maybe], others: Check = anything) -> Check:
    """Returns the check of an object that has the fields of the table, and others that pass `others`."""

    def check(place: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise refuse(place, "an object", value)
        for name, field in table.items():
            if name in value:
                (field.check if isinstance(field, Maybe) else field)(f"{place}.{name}".strip("."), value[name])
            elif not isinstance(field, Maybe):
                raise FileError(f"{place or 'header'}: expected a field {name!r}, got {reprlib.repr(list(value))}")
        for name in value.keys() - table.keys():
            others(f"{place}.{name}".strip("."), value[name])

    return check
