"""The choice of a stream's engine: the native step if there is a native library, otherwise NumPy."""

from __future__ import annotations

from typing import NamedTuple

from statewise.errors import ConfigurationError, unknown_name
from statewise.foundation.shapes import Shape
from statewise.native.library import library, loaded

ENGINES = ("auto", "native", "numpy")

MAX_SYMBOLS = 2**24
"""float32, in which the native step reads symbols, represents every integer up to this one."""


class Engine(NamedTuple):
    """The chosen engine; `fallback` says why "auto" chose NumPy, otherwise it is None."""

    name: str
    fallback: str | None = None


def choose_engine(engine: object, step_shape: Shape, symbols: int | None) -> Engine:
    """Returns the engine for a network that reads steps of that shape.

    Raises:
        ConfigurationError: there is no such engine, or it cannot run the network.
    """
    if engine == "numba":
        raise ConfigurationError("engine='numba': streams no longer use Numba; write engine='native', or leave it out")
    if engine not in ENGINES:
        raise unknown_name("engine", engine, ENGINES)
    if engine == "numpy":
        return Engine("numpy")
    reason = _why_unsupported(step_shape, symbols) or _why_missing()
    if reason is None:
        return Engine("native")
    if engine == "native":
        raise ConfigurationError(f"engine='native': {reason}; write engine='numpy'")
    return Engine("numpy", reason)


def _why_unsupported(step_shape: Shape, symbols: int | None) -> str | None:
    if symbols is not None:
        return None if symbols <= MAX_SYMBOLS else f"the native step supports at most {MAX_SYMBOLS:,} symbols"
    if len(step_shape) == 1 and step_shape[0] is not None:
        return None
    sizes = ", ".join("?" if size is None else str(size) for size in step_shape)
    return f"the native step supports steps of shape [F], but this network has steps of shape [{sizes}]"


def _why_missing() -> str | None:
    return None if library() is not None else f"there is no native library, since {loaded().reason}"
