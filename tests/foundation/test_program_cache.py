"""Compiled programs on disk: shared by processes, whole, and not too many."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from statewise.foundation import program_cache
from statewise.foundation.program_cache import ProgramCache

LEARN = """
import sys, warnings
warnings.simplefilter("error")
import statewise as sw
from statewise.foundation import kept_programs
hits, load = [], kept_programs._load
def noted(file):
    hits.append(found := load(file))
    return found
kept_programs._load = noted
model = sw.Sequential([sw.SimpleRNN(2), sw.Dense(1)], seed=7)
model.compile("sgd", "mse")
x = [[[0.1], [0.2]], [[0.3], [0.4]]]
print(repr(model.fit(x, [[0.5], [0.6]], verbose=0).history["loss"][0]), any(hits))
"""


def learn(folder: Path) -> subprocess.Popen[str]:
    """Starts a process that learns with programs kept in `folder`, where a warning is an error."""
    environment = os.environ | {"STATEWISE_CACHE": str(folder)}
    return subprocess.Popen([sys.executable, "-c", LEARN], env=environment, stdout=subprocess.PIPE, text=True)


def answers(*processes: subprocess.Popen[str]) -> list[list[str]]:
    """Returns of each process the loss, and whether it found a program."""
    found = [process.communicate(timeout=200)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return found


def write(cache: ProgramCache, name: str, content: bytes, age: float) -> Path:
    """Writes an entry that is `age` seconds old."""
    path = cache.folder / f"{name}-cache"
    path.write_bytes(content)
    os.utime(path, (time.time() - age,) * 2)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> ProgramCache:
    cache = ProgramCache(tmp_path / "programs")
    assert cache.make()
    return cache


def test_processes_share_a_folder_and_damage_costs_nothing_but_time(tmp_path: Path) -> None:
    (first, _), (second, _) = answers(learn(tmp_path), learn(tmp_path))
    cache = ProgramCache(tmp_path / "xla")
    assert cache.sizes()
    assert answers(learn(tmp_path)) == [[first, "True"]]
    for entry in cache.kept.glob("*.program"):
        entry.write_bytes(entry.read_bytes()[:-100])
    assert answers(learn(tmp_path)) == [[first, "False"]]
    assert first == second


def test_without_a_folder_learning_goes_on(tmp_path: Path) -> None:
    (tmp_path / "xla").write_text("no folder")
    assert answers(learn(tmp_path))[0][1] == "False"


def test_damaged_entries_go_once_they_are_sure_to_be_written(cache: ProgramCache) -> None:
    whole = zlib.compress(os.urandom(500))
    kept = write(cache, "whole", whole, age=60), write(cache, "being_written", whole[:300], age=0)
    damaged = write(cache, "cut", whole[:300], age=60), write(cache, "empty", b"", age=60)
    cache.tidy()
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in damaged)


def test_entries_are_looked_at_once(cache: ProgramCache, monkeypatch: pytest.MonkeyPatch) -> None:
    write(cache, "whole", zlib.compress(b"program"), age=60)
    cache.tidy()
    monkeypatch.setattr(program_cache, "_is_whole", lambda path: pytest.fail(f"looked at {path} again"))
    cache.tidy()


def test_entries_packed_by_zstandard_are_left_alone(cache: ProgramCache) -> None:
    path = write(cache, "zstandard", b"\x28\xb5\x2f\xfd\x00", age=60)
    cache.tidy()
    assert path.exists()


def test_what_is_too_much_goes_oldest_first(cache: ProgramCache, monkeypatch: pytest.MonkeyPatch) -> None:
    content = zlib.compress(os.urandom(1000))
    paths = [write(cache, f"p{age}", content, age=age) for age in (20, 40, 60, 80)]
    monkeypatch.setattr(program_cache, "MOST_BYTES", 2.5 * len(content))
    cache.tidy()
    assert [path.exists() for path in paths] == [True, True, False, False]


def test_what_is_removed_as_damaged_makes_room(cache: ProgramCache, monkeypatch: pytest.MonkeyPatch) -> None:
    content = zlib.compress(os.urandom(1000))
    kept = [write(cache, f"p{age}", content, age=age) for age in (60, 80)]
    write(cache, "cut", content[:900], age=20)
    monkeypatch.setattr(program_cache, "MOST_BYTES", 2 * len(content))
    cache.tidy()
    assert all(path.exists() for path in kept)


def test_what_is_no_readable_file_is_left_alone_and_hinders_nothing(cache: ProgramCache) -> None:
    (cache.folder / "folder-cache").mkdir()
    (cache.folder / "broken-cache").symlink_to(cache.folder / "nowhere")
    damaged = write(cache, "cut", zlib.compress(os.urandom(500))[:300], age=60)
    cache.tidy()
    assert not damaged.exists()
    assert cache.sizes() == []


def test_clearing_leaves_what_is_no_program(cache: ProgramCache) -> None:
    write(cache, "one", b"1", age=0)
    write(cache, "two", b"22", age=0)
    (cache.folder / "notes.txt").write_text("mine")
    assert sorted(cache.sizes()) == [1, 2]
    assert cache.clear() == 2
    assert cache.sizes() == []
    assert [path.name for path in cache.folder.iterdir()] == ["notes.txt"]


def test_a_folder_that_is_not_there_has_no_programs(tmp_path: Path) -> None:
    cache = ProgramCache(tmp_path / "none")
    assert (cache.sizes(), cache.clear(), cache.writable) == ([], 0, False)
