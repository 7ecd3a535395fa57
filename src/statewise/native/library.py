"""Loads the native library that suits this processor. Everything works without one, only slower.

`STATEWISE_NATIVE=0` turns it off, `STATEWISE_NATIVE=x86-64-v3` chooses the one for those instructions, and a path
chooses that file.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "lib"

INTERFACE = 4
"""Which functions the library must have, and with which arguments."""

DESCRIBED = {"x86-64-v3": "AVX2", "x86-64-v4": "AVX-512", "aarch64": "NEON"}


class Loaded(NamedTuple):
    """The library and its file, or why there is none."""

    library: ctypes.CDLL | None
    reason: str = ""
    path: str = ""


def library() -> ctypes.CDLL | None:
    """Returns the library, None if there is none for this processor or it is turned off."""
    return loaded().library


def instructions() -> str:
    """Returns the instruction set that the library was built for, such as "x86-64-v4", or "" without one."""
    found = library()
    return "" if found is None else _text(found.statewise_instructions)


def identity() -> str:
    """Returns what distinguishes this library from others: what is compiled with it must not be used with another."""
    found = library()
    return "" if found is None else f"{instructions()} {_text(found.statewise_identity)}"


def status() -> str:
    """Returns in one line which library is used, or why there is none."""
    if library() is None:
        return f"none, since {loaded().reason}: training runs on XLA, streams on NumPy"
    name = instructions()
    return f"{name} ({DESCRIBED.get(name, name)})"


@lru_cache(maxsize=1)
def stream_step() -> Callable[[object, bytes | None], int]:
    """Returns `statewise_stream_step`, see native/library.cpp; it needs a library.

    It takes a reference to a table as `ctypes.byref` returns it, and bytes or None, which are what ctypes passes most
    quickly. It keeps the interpreter's lock: giving that up and taking it again would cost as much as a small step.
    """
    step = ctypes.PyDLL(loaded().path).statewise_stream_step
    step.restype = ctypes.c_long
    return step


def stream_check(table: object) -> int:
    """Calls `statewise_stream_check`, see native/library.cpp, with a reference to a table; it needs a library."""
    check: Callable[[object], int] = ctypes.PyDLL(loaded().path).statewise_stream_check
    check.restype = ctypes.c_long  # type: ignore[attr-defined]
    return check(table)


def generate(table: object, *arguments: int) -> None:
    """Calls `statewise_generate`, see native/library.cpp; other threads may run meanwhile."""
    function = loaded().library.statewise_generate  # type: ignore[union-attr]
    function.restype = ctypes.c_long
    if outcome := function(table, *map(ctypes.c_long, arguments)):
        raise NotImplementedError(f"the native step cannot run this network ({outcome})")


@lru_cache(maxsize=1)
def loaded() -> Loaded:
    """Returns the library or why there is none, always the same."""
    chosen = os.environ.get("STATEWISE_NATIVE", "")
    if chosen == "0":
        return Loaded(None, "STATEWISE_NATIVE=0 turns it off")
    if os.sep in chosen:
        return _load(Path(chosen))
    missing = FOLDER / "missing.txt"
    if not (FOLDER / "processor.so").exists():
        return Loaded(None, missing.read_text().strip() if missing.exists() else "this installation has none")
    name = chosen or _text(ctypes.CDLL(str(FOLDER / "processor.so")).statewise_instructions)
    if not (FOLDER / f"{name}.so").exists():
        known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.so") if path.stem != "processor"))
        return Loaded(
            None,
            f"STATEWISE_NATIVE is {chosen}, and there is only {known}"
            if chosen
            else "this processor has too few instructions",
        )
    return _load(FOLDER / f"{name}.so")


def _load(path: Path) -> Loaded:
    try:
        found = ctypes.CDLL(str(path))
        interface = found.statewise_interface()
    except (OSError, AttributeError) as error:
        return Loaded(None, f"{path.name} cannot be loaded ({error})")
    if interface != INTERFACE:
        return Loaded(None, f"{path.name} is of another version of statewise; install it again")
    return Loaded(found, path=str(path))


def _text(function: ctypes._NamedFuncPointer) -> str:
    function.restype = ctypes.c_char_p
    return str(function().decode())
