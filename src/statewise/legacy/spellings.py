"""Old spellings: noted where they are used, listed once at the end, each with what to write in statewise."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NamedTuple

from statewise.errors import ConfigurationError
from statewise.phrasebook.reasons import WEIGHTS


class Spelling(NamedTuple):
    """An old spelling: where it was first used, and what to write instead."""

    line: int | None
    old: str
    modern: str


@dataclass
class _Record:
    script: str | None = None
    lines: dict[tuple[str, str], int | None] = field(default_factory=dict)


_record = _Record()

_WEIGHTS = f"{WEIGHTS.reason}; for others, call {WEIGHTS.write}"
OWN = {
    "kernel_initializer": _WEIGHTS,
    "recurrent_initializer": _WEIGHTS,
    "embeddings_initializer": _WEIGHTS,
    "kernel_regularizer": "kernel_regularizer=sw.L1L2(l2=...)",
    "recurrent_regularizer": "recurrent_regularizer=sw.L1L2(l2=...)",
    "bias_regularizer": "bias_regularizer=sw.L1L2(l2=...)",
    "learning_rate": "sw.Adam(learning_rate=...), and so the others",
}
"""What to write in statewise for arguments that it names differently from Keras 2."""


@contextmanager
def recording(script: str) -> Iterator[None]:
    """Returns a context with a record of its own, whose lines are those of the file `script`."""
    global _record  # noqa: PLW0603 - one script runs at a time
    before, _record = _record, _Record(script)
    try:
        yield
    finally:
        _record = before


def note(old: str, modern: str) -> None:
    """Notes that the spelling `old` was used, and that it is `modern` in statewise.

    The first use counts, with its line of the script; later ones cost one look into a dict.
    """
    if (old, modern) not in _record.lines:
        _record.lines[old, modern] = line_of(_record.script)


def renamed(call: str, options: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Returns the keyword arguments `options` of `call` with each old name replaced by `names[old]`, and noted.

    Raises:
        ConfigurationError: an argument was given in both spellings.

    >>> renamed("fit", {"nb_epoch": 5, "verbose": 2}, {"nb_epoch": "epochs"})
    {'epochs': 5, 'verbose': 2}
    """
    modern: dict[str, Any] = {}
    for given, value in options.items():
        name = names.get(given, given)
        if name in modern:
            old = next(old for old, new in names.items() if new == name and old in options)
            raise ConfigurationError(f"{call} got {old}= and {name}=, which mean the same: write {name}= alone")
        if name != given:
            note(f"{given}=", OWN.get(name, f"{call}({name}=...)"))
        modern[name] = value
    return modern


def noted() -> list[Spelling]:
    """Returns the noted spellings, in the order of the script's lines."""
    return sorted((Spelling(line, *names) for names, line in _record.lines.items()), key=lambda row: row.line or 0)


def listed() -> str:
    """Returns the table of the noted spellings, in the order of the script's lines; empty if there are none.

    >>> with recording("tutorial.py"):
    ...     note("nb_epoch=", "fit(epochs=...)")
    ...     print(listed())
    1 old spelling was used; in statewise, write:
               nb_epoch=  fit(epochs=...)
    """
    if not _record.lines:
        return ""
    rows = noted()
    wide = max(len(row.old) for row in rows)
    few = "1 old spelling was used; in statewise, write:"
    head = few if len(rows) == 1 else f"{len(rows)} old spellings were used; in statewise, write:"
    return "\n".join([head, *(f"  {_place(line):8} {old:{wide}}  {modern}" for line, old, modern in rows)])


def _place(line: int | None) -> str:
    return f"line {line}" if line else ""


def line_of(script: str | None) -> int | None:
    """Returns the line at which `script` is, as the innermost of its frames tells; None if it does not run."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != script:
        frame = frame.f_back
    return frame.f_lineno if frame is not None else None
