"""The locks of streams, which a forked process renews: whoever held one at the fork is not there to let go of it."""

from __future__ import annotations

import os
import threading
from weakref import WeakSet


class Locked:
    """What takes turns: with a lock around each call, and another that is held while a call changes something.

    In a process that is forked from this one both are new. What another thread was changing at the fork is completed or
    dropped by the child's next call, as after any interruption.
    """

    def take_locks(self) -> None:
        """Takes locks that nobody holds."""
        self._lock = threading.RLock()  # `on_evict` and a signal's handler may read
        self._changing = threading.Lock()
        _live.add(self)


_live: WeakSet[Locked] = WeakSet()


def _renew() -> None:
    for locked in list(_live):
        locked.take_locks()


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_renew)
