"""How many calls of an object's methods are running, found where no interruption can leave it wrong: on the stack."""

from __future__ import annotations

import sys
from collections.abc import Container
from types import CodeType, FrameType


def calls_on_stack(owner: object, methods: Container[CodeType]) -> int:
    """Returns in how many calls of these methods of an object this thread is."""
    count, frame = 0, _caller()
    while frame is not None:
        if frame.f_code in methods and frame.f_locals.get("self") is owner:
            count += 1
        frame = frame.f_back
    return count


def _caller() -> FrameType | None:
    return sys._getframe(1)
