"""Settings of the whole suite."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from networks import quick_compilation


@pytest.fixture(scope="session", autouse=True)
def _compile_quickly() -> Iterator[None]:
    """Halves the suite's time, most of which is compilation; `make test-all` compiles as users do."""
    if os.environ.get("STATEWISE_FULL_OPTIMISATION"):
        yield
        return
    with quick_compilation():
        yield
