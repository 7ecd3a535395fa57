"""Whether this process was forked from one that had used JAX. Does not need JAX itself.

A fork does not copy JAX's threads, so a JAX program would wait for them forever. Arrays stay in NumPy there, which is
enough for streams, states and files; an attempt to run a program raises an error.
"""

from __future__ import annotations

import os
import sys

from statewise.errors import LifecycleError

_forked = False


def _note_fork() -> None:
    global _forked  # noqa: PLW0603 - one per process
    _forked = _forked or _jax_had_started()


def _jax_had_started() -> bool:
    bridge = sys.modules.get("jax._src.xla_bridge")
    if bridge is None:
        return "jax" in sys.modules  # a JAX that stores it elsewhere: better to refuse than to wait forever
    return bool(bridge.backends_are_initialized())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def is_forked() -> bool:
    """Returns whether compiled programs would never return in this process."""
    return _forked


def check_process() -> None:
    """Raises LifecycleError right away where a compiled program would never return: in a forked process."""
    if _forked:
        raise LifecycleError(
            "this process was forked from one that had used JAX, whose threads are not forked with it: a model cannot "
            "train or predict here. Start processes with multiprocessing.get_context('spawn') (joblib's default does), "
            "or push steps into model.stream(), which does not use JAX"
        )
