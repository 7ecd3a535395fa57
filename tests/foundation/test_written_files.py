"""Files: written whole, with the permissions of what they replace, and nothing left beside them."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import statewise as sw
from mistakes import refused, trained
from statewise.errors import FileError, StatewiseError
from statewise.foundation import files
from statewise.foundation.files import as_path, check_writable, read_text, write_whole
from statewise.storage.artifact import Artifact, artifact_from_bytes, artifact_to_bytes, read_artifact, write_artifact

LONGEST = 255


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".part"))


def mode_of(place: Path) -> int:
    return stat.S_IMODE(place.stat().st_mode)


# -- permissions -------------------------------------------------------------------------------------------------------


@pytest.fixture
def umask() -> Iterator[Callable[[int], None]]:
    before = os.umask(0)
    os.umask(before)
    yield lambda mask: (os.umask(mask), None)[1]
    os.umask(before)


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002, 0o000])
def test_a_new_file_has_what_the_umask_leaves(tmp_path: Path, umask: Callable[[int], None], mask: int) -> None:
    umask(mask)
    write_whole(tmp_path / "m", b"new")
    assert mode_of(tmp_path / "m") == 0o666 & ~mask


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o660, 0o666, 0o444, 0o755])
def test_a_replaced_file_keeps_its_mode(tmp_path: Path, umask: Callable[[int], None], mode: int) -> None:
    umask(0o022)
    place = tmp_path / "m"
    place.write_bytes(b"old")
    place.chmod(mode)
    write_whole(place, b"new")
    assert (mode_of(place), place.read_bytes()) == (mode, b"new")


def test_models_and_states_stay_private(tmp_path: Path) -> None:
    model, state = tmp_path / "m", tmp_path / "s"
    for place, save in ((model, trained().save), (state, trained().initial_state(2).save)):
        place.touch(mode=0o600)
        save(place)
        assert mode_of(place) == 0o600


def test_what_is_being_written_is_never_more_open_than_what_it_replaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, seen = tmp_path / "m", list[int]()
    place.touch(mode=0o600)
    fsync = os.fsync

    def look(descriptor: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    write_whole(place, b"new")
    assert seen[0] == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_replaced_file_keeps_its_owner(tmp_path: Path) -> None:
    place = tmp_path / "m"
    place.touch(mode=0o640)
    os.chown(place, 1234, 2345)
    write_whole(place, b"new")
    assert (place.stat().st_uid, place.stat().st_gid, mode_of(place)) == (1234, 2345, 0o640)


# -- temporary files ---------------------------------------------------------------------------------------------------


def test_leftovers_go_at_the_next_save_to_that_name_and_nothing_else_does(tmp_path: Path) -> None:
    ours = [".m.abcd0123.part", ".m.zzzzzzzz.part"]
    others = [".n.abcd0123.part", ".m.n.abcd0123.part", ".m.abc.part", "m.abcd0123.part", ".m.abcd0123.part.txt"]
    for name in [*ours, *others]:
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / ".m.folder00.part").mkdir()
    write_whole(tmp_path / "m", b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, ".m.folder00.part", "m"])


def test_a_leftover_that_is_a_link_or_a_pipe_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"kept")
    (tmp_path / ".m.aaaaaaaa.part").symlink_to(tmp_path / "precious")
    os.mkfifo(tmp_path / ".m.bbbbbbbb.part")
    write_whole(tmp_path / "m", b"new")
    assert (tmp_path / "precious").read_bytes() == b"kept"
    assert len(left_in(tmp_path)) == 2


def test_the_temporary_file_of_a_writer_that_lives_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One saves in the midst of another's save to the same name; the last to finish wins."""
    place, nested, fsync = tmp_path / "m", list[int](), os.fsync

    def save_meanwhile(descriptor: int) -> None:
        if not nested:
            nested.append(1)
            write_whole(place, b"inner")
            assert place.read_bytes() == b"inner"
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", save_meanwhile)
    write_whole(place, b"outer")
    assert (place.read_bytes(), left_in(tmp_path)) == (b"outer", [])


def test_a_file_taken_for_a_leftover_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, taken = files._lock, list[str]()

    def late(descriptor: int, *, wait: bool) -> bool:
        if wait and not taken:
            taken.extend(left_in(tmp_path))
            files._remove_leftovers(tmp_path / "m")
        return lock(descriptor, wait=wait)

    monkeypatch.setattr(files, "_lock", late)
    write_whole(tmp_path / "m", b"new")
    assert len(taken) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["n" * LONGEST, "\u6587" * (LONGEST // 3), "n" * 241, "n" * 100, "n" * 101, "a.b.c"])
def test_names_as_long_as_the_system_takes(tmp_path: Path, name: str) -> None:
    check_writable(tmp_path / name)
    trained().save(tmp_path / name)
    assert isinstance(sw.load(tmp_path / name), sw.Sequential)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_leftovers_of_long_names_go_too(tmp_path: Path) -> None:
    place = tmp_path / ("n" * LONGEST)
    with files._temporary(place) as (_, temporary):
        name = Path(temporary).name
    (tmp_path / name).write_bytes(b"half")
    write_whole(place, b"new")
    assert left_in(tmp_path) == []


def test_a_tilde_is_the_home_folder_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    model = trained()
    model.save("~/m")
    assert isinstance(sw.load("~/m"), sw.Sequential)
    assert sw.Stream.open("~/m", engine="numpy").push(np.zeros(2)).shape == (2,)
    model.initial_state(1).save("~/s")
    assert sw.State.load(Path("~/s")).batch == 1
    (tmp_path / "t.txt").write_text("the mice")
    assert read_text("~/t.txt") == "the mice"
    refused(lambda: model.save("~/no/m"), FileError, (f"the folder {tmp_path / 'no'} does not exist",))
    assert as_path("~mice.bak") == Path("~mice.bak")  # nobody is called so: a file is
    assert as_path("a~") == Path("a~")


@pytest.mark.parametrize("path", [b"bytes", Path("\ud800"), "\ud800", "", "a\0b"], ids=repr)
def test_names_that_no_system_takes(path: object) -> None:
    refused(lambda: as_path(path), FileError, ("expected the name of a file",))


def test_links_in_a_circle_are_refused_and_stay(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "self").symlink_to("self")
    for name in ("a", "self"):
        place = tmp_path / name
        refused(lambda: trained().save(place), FileError, (str(place), "circle"))  # noqa: B023 - called at once
        refused(lambda: sw.load(place), FileError, (str(place),))  # noqa: B023
        assert place.is_symlink()


def test_a_link_to_nothing_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "read", [read_text, sw.load, sw.State.load, sw.Stream.open], ids=["text", "load", "state", "open"]
)
def test_pipes_and_devices_are_refused_at_once(tmp_path: Path, read: Callable[[object], object]) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        refused(lambda: read(place), FileError, (str(place), "a device or a pipe", "a regular file"))  # noqa: B023


def test_bytes_are_read_once_so_that_what_happens_to_the_file_then_is_of_no_matter(tmp_path: Path) -> None:
    place = tmp_path / "m"
    write_artifact(place, Artifact("series", {}, {"a": np.arange(1 << 20)}))
    artifact = read_artifact(place)
    os.truncate(place, 4096)
    assert artifact.arrays["a"].sum() == (1 << 19) * ((1 << 20) - 1)
    refused(lambda: read_artifact(place), FileError, (str(place), "cut short"))


def test_a_file_is_the_same_as_bytes() -> None:
    artifact = trained().to_artifact()
    content = artifact_to_bytes(artifact)
    again = artifact_from_bytes(content, "here")
    assert (again.kind, again.header) == (artifact.kind, {**artifact.header, "kind": artifact.kind})
    assert again.arrays.keys() == artifact.arrays.keys()
    assert all(np.array_equal(again.arrays[name], artifact.arrays[name]) for name in again.arrays)
    refused(lambda: artifact_from_bytes(content[:-1], "here", "state"), FileError, ("here is not a state file",))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint32", "int64", "float16", "float32", "float64", "bfloat16"])
def test_arrays_of_every_type_come_back(dtype: str) -> None:
    array = (
        np.arange(6).reshape(2, 3).astype(np.dtype(__import__("ml_dtypes").bfloat16) if dtype == "bfloat16" else dtype)
    )
    back = artifact_from_bytes(artifact_to_bytes(Artifact("series", {}, {"a": array})), "here").arrays["a"]
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("dtype", ["complex64", "object", "U3", "datetime64[s]"])
def test_arrays_that_no_file_holds_are_refused_when_written(dtype: str) -> None:
    arrays = {"a": np.zeros(2).astype(dtype)}
    refused(
        lambda: artifact_to_bytes(Artifact("series", {}, arrays)), FileError, ("'a'", "float32", "files cannot hold")
    )


# -- kills -------------------------------------------------------------------------------------------------------------

WRITER = """
import sys
import numpy as np
from statewise.storage.artifact import Artifact, write_artifact
sys.stdout.write("ready\\n")
sys.stdout.flush()
for number in range(int(sys.argv[2]), 1 << 40, 2):
    write_artifact(sys.argv[1], Artifact("series", {"number": number}, {"a": np.full(1 << 18, number)}))
"""


def writer(place: Path, first: int) -> subprocess.Popen[bytes]:
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(place), str(first)], env=here, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def check_whole(place: Path) -> int:
    artifact = read_artifact(place)
    assert (artifact.arrays["a"] == artifact.header["number"]).all()
    return int(artifact.header["number"])


@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=pytest.mark.slow)])
def test_saves_that_are_killed_leave_a_whole_file_and_nothing_for_long(tmp_path: Path, kills: int) -> None:
    """Two writers at once to one name, killed at any moment, and read from meanwhile."""
    place, rng, reads = tmp_path / "m", np.random.default_rng(3), 0
    for _ in range(kills):
        writers = [writer(place, 0), writer(place, 1)]
        until = time.monotonic() + 0.05 + 0.1 * rng.random()
        while time.monotonic() < until:
            if place.exists():
                check_whole(place)
                reads += 1
        for process in writers:
            process.send_signal(signal.SIGKILL)
        for process in writers:
            process.communicate()
        check_whole(place)
        write_artifact(place, Artifact("series", {"number": -1}, {"a": np.full(3, -1)}))
        assert left_in(tmp_path) == []
    assert reads >= kills


def test_a_live_writers_file_outlives_a_killed_ones_clean_up(tmp_path: Path) -> None:
    """Saves beside a process that saves all the time: none of its saves fails, which would end it."""
    place = tmp_path / "m"
    process = writer(place, 0)
    for _ in range(40):
        write_artifact(place, Artifact("series", {"number": 1}, {"a": np.full(3, 1)}))
    assert process.poll() is None
    process.kill()
    _, errors = process.communicate()
    assert not errors


def test_no_error_but_ours_comes_from_a_folder_that_vanishes(tmp_path: Path) -> None:
    with pytest.raises(StatewiseError):
        write_whole(tmp_path / "no" / "m", b"new")
