"""keras.regularizers: penalties on weights."""

from __future__ import annotations

from statewise.errors import unknown_name
from statewise.layers import L1L2
from statewise.legacy.errors import lacking, unsupported
from statewise.legacy.spellings import note


def l1(l: float = 0.01, l1: float | None = None) -> L1L2:  # noqa: E741 - Keras's name
    """Returns a penalty on the sum of the sizes."""
    return L1L2(l1=l if l1 is None else l1)


def l2(l: float = 0.01, l2: float | None = None) -> L1L2:  # noqa: E741 - Keras's name
    """Returns a penalty on the sum of the squares."""
    return L1L2(l2=l if l2 is None else l2)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Returns a penalty on both."""
    return L1L2(l1=l1, l2=l2)


def l1l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Returns a penalty on both, as Keras 1 called it."""
    note("l1l2(...)", "sw.L1L2(l1=..., l2=...)")
    return l1_l2(l1, l2)


def WeightRegularizer(l1: float = 0.0, l2: float = 0.0) -> L1L2:  # noqa: N802 - Keras 1's name
    """Returns a penalty on both, as Keras 1's class made it."""
    note("WeightRegularizer(...)", "sw.L1L2(l1=..., l2=...)")
    return l1_l2(l1, l2)


L1, L2 = l1, l2
BY_NAME = {"l1": l1, "l2": l2, "l1_l2": l1_l2, "l1l2": l1l2, "L1L2": L1L2, "L1": l1, "L2": l2}


def get(identifier: object) -> L1L2 | None:
    """Returns the penalty with that name or description, or the object if it already is one.

    Raises:
        ConfigurationError: there is none of that name.
        UnsupportedError: a custom function.
    """
    if identifier is None or isinstance(identifier, L1L2):
        return identifier
    if isinstance(identifier, dict):
        return BY_NAME[identifier["class_name"]](**identifier["config"])
    if callable(identifier) and identifier not in BY_NAME.values():
        raise unsupported("a custom regularizer", "write regularizers.l1_l2(l1, l2)")
    if not isinstance(identifier, str) or identifier not in BY_NAME:
        raise unknown_name("regularizer", identifier, BY_NAME)
    return BY_NAME[identifier]()


__all__ = [
    "L1",
    "L1L2",
    "L2",
    "WeightRegularizer",
    "get",
    "l1",
    "l1_l2",
    "l1l2",
    "l2",
]

__getattr__ = lacking("keras.regularizers", __all__)
