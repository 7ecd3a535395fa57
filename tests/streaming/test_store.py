"""Streams on disk: what is written is there, whole, whatever happens; what does not fit is refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import refused
from networks import FEATURES
from statewise.errors import DataError, FileError, LifecycleError, StateError
from statewise.streaming import Runtime, Snapshot, Streams
from statewise.streaming.file_lock import Lock
from statewise.streaming.store import StoredStream, StreamStore, is_store
from streamed import built, lstm, parts, runtime_of
from tolerances import assert_same


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return runtime_of(built([lstm(learn_initial_state=True), sw.GRU(3)], (None, FEATURES)), "numpy")


@pytest.fixture
def streams(runtime: Runtime) -> Streams:
    streams, rng = Streams(runtime), np.random.default_rng(3)
    for _ in range(2):
        streams.push({key: rng.normal(size=FEATURES) for key in (("hall", 3), None, "b\u00e9", 7)})
    return streams


def kept_of(streams: Streams, *keys: Any) -> list[StoredStream]:
    return [StoredStream(key, streams.state(key), {"more": np.arange(3.0)}, ["a note", 5]) for key in keys or streams]


def snapshot_of(store: StreamStore) -> Snapshot:
    kept = store.load()
    return Snapshot([one.key for one in kept], sw.State.concat([one.state for one in kept]))


def test_what_is_written_is_there_in_the_order_it_was_written(tmp_path: Path, streams: Streams) -> None:
    path = tmp_path / "pumps"
    with StreamStore.open(path, streams._runtime) as store:
        store.write(kept_of(streams))
    with StreamStore.open(path, streams._runtime) as store:
        assert snapshot_of(store) == streams.snapshot()
        assert all(one.notes == ["a note", 5] for one in store.load())
        assert_same([one.arrays["more"] for one in store.load()], [np.arange(3.0)] * 4, "arrays")
        assert parts(store.load()[0].state.reset()).keys() == parts(streams.state(7)).keys()
        streams.push_one(None, [0.1, 0.2, 0.3])
        streams.drop(7)
        store.write(kept_of(streams, None), [7, "never there"])
        assert snapshot_of(store) == streams.snapshot()
    restored = Streams(streams._runtime)
    with StreamStore.open(path, streams._runtime) as store:
        restored.restore(snapshot_of(store))
    assert restored.snapshot() == streams.snapshot()


def test_keys_that_are_one_to_a_dict_are_one_here(tmp_path: Path, streams: Streams) -> None:
    state = streams.state(7)
    with StreamStore.open(tmp_path / "s", streams._runtime) as store:
        store.write([StoredStream(key, state) for key in (1, 1.0, True, np.int64(1), "1", 1.5)])
        assert [one.key for one in store.load()] == [1, "1", 1.5]
        refused(lambda: store.write([StoredStream(b"raw", state)]), DataError, ["text, numbers"])
        refused(
            lambda: store.write([StoredStream("new", state), StoredStream(b"raw", state)], ["1"]),
            DataError,
            ["text, numbers"],
        )
        assert [one.key for one in store.load()] == [1, "1", 1.5]


@pytest.mark.parametrize("alone", [True, False])
def test_a_plain_file_is_taken_over(tmp_path: Path, streams: Streams, alone: bool) -> None:
    path = tmp_path / "state"
    if alone:
        streams.restore(([None], streams.state(7)))
        streams.state(None).save(path)
    else:
        streams.snapshot().save(path)
    path.chmod(0o600)
    with StreamStore.open(path, streams._runtime) as store:
        assert snapshot_of(store) == streams.snapshot()
    assert is_store(path)
    assert path.stat().st_mode & 0o777 == 0o600, "as private as it was"
    assert sorted(place.name for place in tmp_path.iterdir()) == [".state.lock", "state"]


def test_a_second_one_is_refused_until_the_first_lets_go(tmp_path: Path, streams: Streams) -> None:
    for name in ("state", "\u00e9" * 120):
        first = StreamStore.open(tmp_path / name, streams._runtime)
        words = ["in use by another process", "another file"]
        refused(lambda name=name: StreamStore.open(tmp_path / name, streams._runtime), FileError, words)  # type: ignore[misc]
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(tmp_path / name)
        refused(lambda: Lock.of(tmp_path / "link"), FileError, words)
        first.close()
        first.close()
        StreamStore.open(tmp_path / name, streams._runtime).close()


def test_the_longest_names_have_locks_of_their_own(tmp_path: Path) -> None:
    locks = [Lock.of(tmp_path / (letter * 255)) for letter in "ab"]
    refused(lambda: Lock.of(tmp_path / ("a" * 255)), FileError, ["in use"])
    for lock in locks:
        lock.release()


def test_what_is_no_store_of_this_network_is_refused_and_left_alone(tmp_path: Path, streams: Streams) -> None:
    other = runtime_of(built([lstm(2)], (None, FEATURES)), "numpy")
    with StreamStore.open(tmp_path / "store", streams._runtime) as store:
        store.write(kept_of(streams))
    (tmp_path / "text").write_text("hello")
    streams.snapshot().save(tmp_path / "plain")
    database = sqlite3.connect(tmp_path / "foreign")
    database.executescript("CREATE TABLE mine (x)")
    database.close()
    (tmp_path / "folder").mkdir()
    for name, network, error, words in (
        ("store", other, StateError, ["another network", "expected lstm: h [B, 2]", "got lstm: h [B, 4]"]),
        ("plain", other, StateError, ["another network", "expected lstm: h [B, 2]", "got lstm: h [B, 4]"]),
        ("text", streams._runtime, FileError, ["text is not a state file"]),
        ("foreign", streams._runtime, FileError, ["SQLite database", "did not write"]),
        ("folder", streams._runtime, FileError, ["it is a folder"]),
        ("nowhere/store", streams._runtime, FileError, ["does not exist"]),
    ):
        before = (tmp_path / name).read_bytes() if (tmp_path / name).is_file() else None
        refused(lambda name=name, network=network: StreamStore.open(tmp_path / name, network), error, words)  # type: ignore[misc]
        assert before is None or (tmp_path / name).read_bytes() == before


def test_damage_is_found(tmp_path: Path, streams: Streams) -> None:
    """Whichever bit of a row it is, and whatever is cut off the file."""
    path = tmp_path / "store"
    with StreamStore.open(path, streams._runtime) as store:
        store.write(kept_of(streams))
        before = [one.state for one in store.load()]
    whole, rng, found = path.read_bytes(), np.random.default_rng(4), 0
    for trial in range(60):
        damaged = bytearray(whole)
        if trial % 5:
            damaged[rng.integers(len(whole))] ^= 1 << int(rng.integers(8))
        else:
            del damaged[rng.integers(len(whole)) :]
        path.write_bytes(damaged)
        try:
            with StreamStore.open(path, streams._runtime) as store:
                loaded = store.load()
                assert not loaded or [one.state for one in loaded] == before, "read what was never written"
        except (FileError, StateError):
            found += 1
    assert found > 15


def test_a_full_disk_changes_nothing(tmp_path: Path, streams: Streams) -> None:
    with StreamStore.open(tmp_path / "store", streams._runtime) as store:
        store.write(kept_of(streams))
        (pages,) = store._database.execute("PRAGMA page_count").fetchone()
        store._database.execute(f"PRAGMA max_page_count = {pages}")
        many = [StoredStream(key, streams.state(7)) for key in range(100)]
        refused(lambda: store.write(many, ["b\u00e9"]), FileError, ["cannot write", "the disk is full"])
        assert snapshot_of(store) == streams.snapshot()


def test_a_change_costs_the_same_with_many_keys(tmp_path: Path, streams: Streams) -> None:
    """Pages of the file that one write touches, which no clock can disturb."""
    touched = []
    for count in (10, 3000):
        with StreamStore.open(tmp_path / str(count), streams._runtime) as store:
            store.write([StoredStream(f"key {key}", streams.state(7)) for key in range(count)])
        with StreamStore.open(tmp_path / str(count), streams._runtime) as store:
            store.write([StoredStream("key 5", streams.state(7))])
            touched.append((tmp_path / f"{count}-wal").stat().st_size)
    assert touched[1] < 3 * touched[0]


KILLED = """
import sys, numpy as np
from statewise.streaming import Runtime, Streams
from statewise.streaming.store import StoredStream, StreamStore
runtime = Runtime.open(sys.argv[1], "numpy")
streams = Streams(runtime)
store = StreamStore.open(sys.argv[2], runtime)
for step in range(10_000):
    streams.push({key: [step / 1000] for key in "abc"})
    store.write([StoredStream(key, streams.state(key), notes=step) for key in "abc"])
    print(step, flush=True)
"""


def test_a_transaction_is_whole_after_a_kill(tmp_path: Path) -> None:
    model = built([lstm(2)], (None, 1))
    model.save(tmp_path / "model")
    runtime, streams = runtime_of(model, "numpy"), Streams(runtime_of(model, "numpy"))
    command = [sys.executable, "-c", KILLED, str(tmp_path / "model"), str(tmp_path / "store")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(20)]
        process.kill()
        said += [int(line) for line in process.stdout]
    with StreamStore.open(tmp_path / "store", runtime) as store:
        kept = store.load()
    (steps,) = {one.notes for one in kept}
    assert steps in (said[-1], said[-1] + 1)
    for step in range(steps + 1):
        streams.push({key: [step / 1000] for key in "abc"})
    assert_same([parts(one.state) for one in kept], [parts(streams.state(key)) for key in "abc"], "states")


# -------------------------------------------------------------------------------------------------- bytes


def test_states_go_through_bytes(streams: Streams, tmp_path: Path) -> None:
    state = streams.snapshot().state
    content = state.to_bytes()
    loaded = sw.State.from_bytes(content)
    assert loaded == state
    assert loaded.reset() == state.reset(), "where sequences start is kept, too"
    state.save(tmp_path / "state")
    assert sw.State.from_bytes((tmp_path / "state").read_bytes()) == state
    (tmp_path / "bytes").write_bytes(content)
    assert sw.State.load(tmp_path / "bytes") == state
    rng = np.random.default_rng(5)
    for _ in range(200):
        damaged = bytearray(content)
        damaged[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
        with pytest.raises(FileError):
            sw.State.from_bytes(bytes(damaged))
        with pytest.raises(FileError):
            sw.State.from_bytes(content[: rng.integers(len(content))])
    refused(lambda: sw.State.from_bytes("text"), FileError, ["to_bytes", "str"])  # type: ignore[arg-type]
    other = built([lstm(2)], (None, FEATURES))
    refused(lambda: sw.State.from_bytes(content, other), StateError, ["another network"])


# -- found by a review -------------------------------------------------------------------------------------------------


def killed_while_open(path: Path, streams: Streams) -> None:
    """Leaves a store as a kill does: with changes that lie in the file beside it."""
    with StreamStore.open(path, streams._runtime) as store:
        store.write(kept_of(streams))
        kept = {beside: Path(f"{path}{beside}").read_bytes() for beside in ("", "-wal")}
    assert len(kept["-wal"]) > 0
    for beside, content in kept.items():
        Path(f"{path}{beside}").write_bytes(content)


def test_what_a_killed_process_left_beside_a_store_is_not_played_into_another(tmp_path: Path, streams: Streams) -> None:
    path, other = tmp_path / "pumps", Streams(streams._runtime)
    killed_while_open(path, streams)
    with StreamStore.open(path, streams._runtime) as store:
        assert snapshot_of(store) == streams.snapshot()  # into its own it is
    killed_while_open(path, streams)
    path.unlink()
    with StreamStore.open(path, streams._runtime) as store:
        assert store.load() == []
    killed_while_open(path, streams)
    other.push({"restored": [0.5, 0.25, 0.125]})
    path.write_bytes(b"")
    other.snapshot().save(path)
    with StreamStore.open(path, streams._runtime) as store:
        assert snapshot_of(store) == other.snapshot()


def test_keys_within_tuples_are_one_too(tmp_path: Path, streams: Streams) -> None:
    state = streams.state(7)
    with StreamStore.open(tmp_path / "pumps", streams._runtime) as store:
        store.write([StoredStream(key, state) for key in ((1, (2.0,)), (1.0, (2,)), (True, (2,)))])
        assert [kept.key for kept in store.load()] == [(1, (2,))]
        refused(lambda: store.write([StoredStream(10**5000, state)]), DataError, ["up to 4,096 bits"])
    refused(lambda: store.write([StoredStream(7, state)]), LifecycleError, ["was closed; open it again"])


def test_an_interruption_at_any_line_of_a_write_is_before_it_or_after_it(tmp_path: Path, streams: Streams) -> None:
    """Ctrl-C also comes right after the call that began a transaction, before the next line."""
    lines, written = 0, False
    with StreamStore.open(tmp_path / "pumps", streams._runtime) as store:
        while not written:
            left = lines = lines + 1

            def interrupt(frame: Any, event: str, _: Any) -> Any:
                nonlocal left
                if not frame.f_code.co_filename.endswith("streaming/store.py"):
                    return None
                left -= event == "line"
                if left == 0:
                    raise KeyboardInterrupt
                return interrupt

            sys.settrace(interrupt)
            try:
                store.write(kept_of(streams, 7))
                written = left > 0
            except KeyboardInterrupt:
                pass
            finally:
                sys.settrace(None)
            assert len(store.load()) in (0, 1)
            store.write(delete=[7])
    assert lines > 20


def test_a_store_that_does_not_say_whose_it_is_is_damaged(tmp_path: Path, streams: Streams) -> None:
    StreamStore.open(tmp_path / "pumps", streams._runtime).close()
    with sqlite3.connect(tmp_path / "pumps") as database:
        database.execute("DELETE FROM network")
    database.close()
    refused(
        lambda: StreamStore.open(tmp_path / "pumps", streams._runtime), FileError, ["which network", "-wal and -shm"]
    )


def test_what_a_killed_process_left_while_it_made_a_store_is_removed(tmp_path: Path, streams: Streams) -> None:
    (tmp_path / ".pumps.0123abcd.part").write_bytes(b"half of it")
    StreamStore.open(tmp_path / "pumps", streams._runtime).close()
    assert not list(tmp_path.glob("*.part"))
