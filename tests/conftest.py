"""Settings of the whole suite."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import jax
import pytest

MAPPED = Path("/proc/self/maps")
MOST_MAPPINGS = 4_000
"""A compiled program takes a few memory mappings, and about 0.1 MB for each; at 65,530, Linux's limit, XLA crashes."""

QUICK_XLA = "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
"""XLA's older code generator, which compiles small programs in a third of the time; jaxlib 0.11 dropped it."""


def pytest_configure() -> None:
    """Compiles quickly, since compilation is most of the suite's time; `make test-all` compiles as users do.

    Before anything is imported: what a test module compiles at its top is kept for all that follow. Processes that
    tests start do the same.
    """
    _keep_no_programs()
    if os.environ.get("STATEWISE_FULL_OPTIMIZATION"):
        return
    jax.config.update("jax_disable_most_optimizations", True)
    os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
    flags = os.environ.get("XLA_FLAGS", "")
    if jax.__version_info__ < (0, 11) and QUICK_XLA not in flags:  # XLA aborts at a flag that it does not know
        os.environ["XLA_FLAGS"] = f"{flags} {QUICK_XLA}"


def _keep_no_programs() -> None:
    """Has programs traced each time, since tests change what they are made of; processes that tests start keep them."""
    from statewise.foundation import engine

    engine.kept_folder = lambda: None


@pytest.fixture(scope="module", autouse=True)
def room_for_programs() -> Iterator[None]:
    """Forgets the compiled programs of the modules before, once they are many."""
    yield
    if MAPPED.exists() and MAPPED.read_text().count("\n") > MOST_MAPPINGS:
        jax.clear_caches()
