"""The compiled step's installation and cache: what is broken or damaged costs time, or NumPy is chosen openly."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import statewise as sw
from statewise.foundation.cache_folder import step_folders, user_cache_folder
from statewise.layers import Dense
from statewise.streaming import engines
from streamed import built, lstm

CODE = """
import sys, statewise.streaming as s, statewise.errors as e
stream = s.Stream.open(sys.argv[1])
try:
    engine = s.Stream.open(sys.argv[1], engine="numba").engine
except e.ConfigurationError as error:
    engine = str(error)
print(stream.push(0.5), stream.engine, stream.fallback, engine, sep="|")
"""


def told(model: Path, **environment: str) -> list[str]:
    """Returns what a new process answers, its engine, why it is that, and what comes of `engine="numba"`."""
    return subprocess.run(
        [sys.executable, "-c", CODE, str(model)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("|")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    built([lstm(), Dense(1)], (None, 1)).save(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("how", ["import", "jit"])
def test_a_numba_that_does_not_work_leaves_numpy_which_says_so(model: Path, tmp_path: Path, how: str) -> None:
    (tmp_path / "broken" / "numba").mkdir(parents=True)
    (tmp_path / "broken" / "numba" / "__init__.py").write_text("raise ImportError('numba needs another NumPy')")
    broken = {"PYTHONPATH": str(tmp_path / "broken")} if how == "import" else {"NUMBA_DISABLE_JIT": "1"}
    y, engine, fallback, insisted = told(model, STATEWISE_CACHE=str(tmp_path / "cache"), **broken)
    assert y == str(sw.Stream.open(model, engine="numpy").push(0.5))
    assert engine == "numpy"
    assert "Numba is installed but cannot be used" in fallback
    assert how == "jit" or "numba needs another NumPy" in fallback
    assert insisted.strip() == f"engine='numba': {fallback}"


@pytest.mark.slow
def test_a_cache_that_is_damaged_or_cannot_be_made_costs_time_only(model: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    package = Path(engines.__file__).parent
    before = set(package.rglob("*.nb?"))
    first = told(model, STATEWISE_CACHE=str(cache))
    assert first[1:3] == ["numba", "None"]
    entries = {path: path.stat().st_size for path in cache.rglob("*") if path.is_file()}
    assert entries
    for path in entries:
        path.write_bytes(b"damaged")
    assert told(model, STATEWISE_CACHE=str(cache)) == first
    assert {path: path.stat().st_size > 100 for path in entries} == dict.fromkeys(entries, True), "rebuilt"
    (tmp_path / "file").write_text("no folder")
    assert told(model, STATEWISE_CACHE=str(tmp_path / "file")) == first
    assert set(package.rglob("*.nb?")) == before


def test_threads_that_compile_at_once_leave_numbas_settings() -> None:
    numba = pytest.importorskip("numba")
    before = numba.config.CACHE_DIR
    engines._load_numba_step.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        steps = list(pool.map(lambda _: engines.load_numba_step(), range(4)))
    assert (len(set(steps)), numba.config.CACHE_DIR) == (1, before)


def test_the_folder_of_a_new_version_takes_the_place_of_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATEWISE_CACHE", str(tmp_path))
    for age in range(6):
        (tmp_path / f"numba-{age}").mkdir()
        os.utime(tmp_path / f"numba-{age}", (1000 - age, 1000 - age))
    new = engines._cache_folder()
    assert step_folders() == [*(tmp_path / f"numba-{age}" for age in (2, 1, 0)), new]
    assert engines._cache_folder() == new


def test_without_a_home_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def home(_: Any = None) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("STATEWISE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert (engines._cache_folder(), step_folders()) == (None, [])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache_folder() == tmp_path / "statewise"
