"""Makes the library's handlers known to JAX, or finds out why that is not possible."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any

import jax

from statewise.native.library import identity, library
from statewise.native.self_check import difference

HANDLERS = ("lstm_forward", "lstm_backward", "gru_forward", "gru_backward", "adam")
"""The functions that XLA calls, without their prefix."""

CELLS = ("lstm", "gru")

LARGEST_DIFFERENCE = 1e-5
"""How much the library's results may differ from XLA's, relative to the largest."""


def is_registered() -> bool:
    """Returns whether programs can call the handlers; the first call registers them."""
    return not reason()


@lru_cache(maxsize=1)
def reason() -> str:
    """Returns why programs cannot call the handlers, or "" if they can."""
    found = library()
    if found is None:
        return "there is no native library"
    # The backend must have started: before that, JAX accepts handlers that it cannot use, and its next call dies.
    if jax.default_backend() != "cpu":
        return f"programs run on the {jax.default_backend()}"
    if (largest := difference(found)) > LARGEST_DIFFERENCE:
        return f"its results differ from XLA's by {largest:.1g}"
    try:
        for name in HANDLERS:
            jax.ffi.register_ffi_target(
                _name(name), jax.ffi.pycapsule(getattr(found, f"statewise_{name}")), platform="cpu"
            )
    except Exception as error:
        return f"JAX {jax.__version__} cannot use it ({error})"
    return ""


def target(name: str) -> str:
    """Returns under which name XLA knows a handler; raises RuntimeError if they are not registered."""
    if why := reason():
        raise RuntimeError(f"the native kernels cannot be used: {why}")
    return _name(name)


@lru_cache
def _name(handler: str) -> str:
    """Returns a name that no other library has: programs kept on disk must call the handler they were compiled for."""
    return f"statewise_{handler}_{identity()}".replace(" ", "_")


def tape_size(cell: str, *sizes: int) -> int:
    """Returns how many floats a forward pass keeps for the backward pass; `sizes` are B, T, F and H."""
    return _size("statewise_tape_size", CELLS.index(cell), *sizes)


def panels_size(*sizes: int) -> int:
    """Returns how many floats a backward pass needs for the gradients of the gates; `sizes` are B, T, F and H."""
    return _size("statewise_panels_size", *sizes)


def _size(name: str, *arguments: int) -> int:
    function: Any = getattr(library(), name)
    function.argtypes, function.restype = [ctypes.c_long] * len(arguments), ctypes.c_long
    return int(function(*arguments))
