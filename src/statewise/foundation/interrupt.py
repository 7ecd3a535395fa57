"""Ctrl-C as a request: running code finishes its current step, and then checks whether to stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

TWICE_SECONDS = 2.0
"""A second Ctrl-C within this time ends the program, even if the first only ended one of many short fits."""


class Interrupt:
    """Whether Ctrl-C was pressed."""

    _last = -TWICE_SECONDS  # shared by all, so that pressing twice works across fits

    def __init__(self) -> None:
        self.requested = False

    def press(self, signum: int, frame: FrameType | None) -> None:
        """Records a Ctrl-C; the second of two in quick succession raises KeyboardInterrupt."""
        now = time.monotonic()
        twice, Interrupt._last = now - Interrupt._last < TWICE_SECONDS, now
        if twice:
            raise KeyboardInterrupt
        self.requested = True


@contextmanager
def graceful_interrupt() -> Iterator[Interrupt]:
    """Turns Ctrl-C into `interrupt.requested` inside the block; outside the main thread it has no effect."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = signal.signal(signal.SIGINT, interrupt.press)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
