"""Which native library is loaded, and what is said where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from statewise.native import library
from statewise.native.library import FOLDER, loaded, status

BUILT = sorted(path.stem for path in FOLDER.glob("*.so") if path.stem != "processor")

needs_library = pytest.mark.skipif(not BUILT, reason="the native library is not built")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Lets each test load a library of its own, and later tests the usual one."""
    loaded.cache_clear()
    yield
    loaded.cache_clear()


def test_an_installation_without_one_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATEWISE_NATIVE", raising=False)
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    assert status() == "none, since this installation has none: training runs on XLA, streams on NumPy"
    loaded.cache_clear()
    (tmp_path / "missing.txt").write_text("no C++ compiler was found when statewise was installed\n")
    assert status().startswith("none, since no C++ compiler was found when statewise was installed:")


@needs_library
def test_a_file_that_is_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"not a library")
    monkeypatch.setenv("STATEWISE_NATIVE", str(broken))
    assert status().startswith("none, since broken.so cannot be loaded (")


@needs_library
def test_a_library_of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "INTERFACE", 0)
    monkeypatch.delenv("STATEWISE_NATIVE", raising=False)
    assert "is of another version of statewise; install it again" in status()


@needs_library
def test_instructions_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATEWISE_NATIVE", BUILT[0])
    assert status().startswith(BUILT[0])
    loaded.cache_clear()
    monkeypatch.setenv("STATEWISE_NATIVE", "vax")
    assert f"STATEWISE_NATIVE is vax, and there is only {', '.join(BUILT)}" in status()


@needs_library
def test_a_processor_without_the_instructions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its library is not even loaded: that alone might use them."""
    monkeypatch.delenv("STATEWISE_NATIVE", raising=False)
    shutil.copy(FOLDER / "processor.so", tmp_path)
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    assert "this processor has too few instructions" in status()
