"""The lock of streams, replaced in forked processes: a thread that held it at the fork does not exist there."""

from __future__ import annotations

import os
import threading
from weakref import WeakSet


class ForkSafeLock:
    """A base class with a lock around each call.

    A forked process gets a new one. A change in progress in another thread at the fork is completed or dropped by the
    child's next call, as after any interruption.
    """

    def make_lock(self) -> None:
        """Creates a new, unlocked lock."""
        self._lock = threading.RLock()  # `on_evict` and signal handlers may read
        _live.add(self)


_live: WeakSet[ForkSafeLock] = WeakSet()


def _replace_locks() -> None:
    for locked in list(_live):
        locked.make_lock()


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_replace_locks)
