"""Settings of the whole suite."""

from __future__ import annotations

import os

import jax


def pytest_configure() -> None:
    """Halves the suite's time, most of which is compilation; `make test-all` compiles as users do.

    Before anything is imported: what a test module compiles at its top is kept for all that follow.
    """
    if not os.environ.get("STATEWISE_FULL_OPTIMISATION"):
        jax.config.update("jax_disable_most_optimizations", True)
