"""Settings of the whole suite."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import jax
import pytest

MAPPED = Path("/proc/self/maps")
MOST_MAPPINGS = 20_000
"""Linux gives a process 65,530 memory mappings, of which each compiled program takes dozens; XLA crashes without."""


def pytest_configure() -> None:
    """Halves the suite's time, most of which is compilation; `make test-all` compiles as users do.

    Before anything is imported: what a test module compiles at its top is kept for all that follow.
    """
    if not os.environ.get("STATEWISE_FULL_OPTIMISATION"):
        jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture(scope="module", autouse=True)
def room_for_programs() -> Iterator[None]:
    """Forgets the compiled programs of the modules before, once they are many."""
    yield
    if MAPPED.exists() and MAPPED.read_text().count("\n") > MOST_MAPPINGS:
        jax.clear_caches()
