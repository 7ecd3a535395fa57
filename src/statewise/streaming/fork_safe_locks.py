"""Locks of streams, replaced in forked processes: a thread that held one at the fork does not exist there."""

from __future__ import annotations

import os
import threading
from weakref import WeakSet


class ForkSafeLocks:
    """A base class with a lock around each call, and another held while a call changes something.

    A forked process gets new locks. A change in progress in another thread at the fork is completed or dropped by the
    child's next call, as after any interruption.
    """

    def make_locks(self) -> None:
        """Creates new, unlocked locks."""
        self._lock = threading.RLock()  # `on_evict` and signal handlers may read
        self._changing = threading.Lock()
        _live.add(self)


_live: WeakSet[ForkSafeLocks] = WeakSet()


def _replace_locks() -> None:
    for locked in list(_live):
        locked.make_locks()


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_replace_locks)
