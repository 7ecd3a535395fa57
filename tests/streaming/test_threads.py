"""Several threads on the same streams: each answer and each state is that of one after another."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import statewise as sw
from networks import FEATURES
from statewise.foundation.shapes import Array
from statewise.streaming import Runtime, Stream, Streams
from streamed import ENGINES, built, lstm, parts, runtime_of
from tolerances import assert_close

THREADS, PUSHES = 4, 150


@pytest.fixture(autouse=True)
def _hasty() -> Iterator[None]:
    """Threads take turns every 10 microseconds."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(scope="module", params=ENGINES)
def runtime(request: pytest.FixtureRequest) -> Runtime:
    return runtime_of(built([lstm(8), sw.GRU(5), sw.Dense(2)], (None, FEATURES)), request.param)


def together(work: Callable[[int], None], threads: int = THREADS) -> None:
    """Runs `work(0)` to `work(threads - 1)` at the same time, and raises what any of them raised."""
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            start.wait(20)
            work(number)
        except BaseException as failure:
            failures.append(failure)

    start = threading.Barrier(threads)
    running = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(120)
        assert not thread.is_alive(), "a thread hangs"
    if failures:
        raise failures[0]


def answered(runtime: Runtime, x: Array) -> Array:
    stream = Stream(runtime)
    return np.stack([stream.push(step) for step in x])


@pytest.mark.parametrize("way", ["push", "push_one", "push_rows"])
def test_threads_with_keys_of_their_own(runtime: Runtime, way: str) -> None:
    streams, x = Streams(runtime), np.random.default_rng(1).normal(size=(THREADS, PUSHES, 3, FEATURES))
    got: dict[Any, list[Array]] = {(number, key): [] for number in range(THREADS) for key in range(3)}

    def work(number: int) -> None:
        keys = [(number, key) for key in range(3)]
        for block in x[number]:
            if way == "push_rows":
                answers = dict(zip(keys, streams.push_rows(keys, block), strict=True))
            elif way == "push":
                answers = streams.push(dict(zip(keys, block, strict=True)))
            else:
                answers = {key: streams.push_one(key, row) for key, row in zip(keys, block, strict=True)}
            for key, answer in answers.items():
                got[key].append(answer)

    together(work)
    for (number, key), answers in got.items():
        assert_close(np.stack(answers), answered(runtime, x[number, :, key]), f"y of {number}, {key}")


def test_threads_with_keys_in_common(runtime: Runtime) -> None:
    """All push the same step, so that the order of the threads does not matter: every answer appears once."""
    streams, step = Streams(runtime), np.full(FEATURES, 0.3)
    got: list[list[Array]] = [[] for _ in range(THREADS)]

    def work(number: int) -> None:
        for _ in range(PUSHES):
            got[number].append(streams.push({"a": step, "b": step})["a"])

    together(work)
    found = np.stack([answer for answers in got for answer in answers])
    expected = answered(runtime, np.tile(step, (THREADS * PUSHES, 1)))
    order = np.lexsort(found.T), np.lexsort(expected.T)
    assert_close(found[order[0]], expected[order[1]], "y")
    assert_close(parts(streams.state("a")), parts(streams.state("b")), "state")


def test_threads_with_eviction_lose_no_step(runtime: Runtime) -> None:
    """What goes is kept and brought back: each key's answers are those of one stream, whoever evicts whom."""
    kept: dict[Any, sw.State] = {}
    x = np.random.default_rng(2).normal(size=(THREADS, 6, PUSHES // 3, FEATURES))
    got: dict[Any, list[Array]] = {}
    taking = threading.Lock()  # bringing back takes two calls
    streams = Streams(runtime, max_streams=9, on_evict=kept.__setitem__)

    def work(number: int) -> None:
        for step in range(PUSHES // 3):
            for key in range(6):
                name = (number, key)
                with taking:
                    if name in kept:
                        streams.resume(name, kept.pop(name))
                    got.setdefault(name, []).append(streams.push_one(name, x[number, key, step]))
                assert len(streams) <= 9

    together(work)
    assert len(kept) == THREADS * 6 - 9
    for (number, key), answers in got.items():
        assert_close(np.stack(answers), answered(runtime, x[number, key]), f"y of {number}, {key}")


def test_threads_that_evict_each_other_share_no_state(runtime: Runtime) -> None:
    """Nothing is brought back: an answer is that of a fresh stream, or of the key's state before."""
    streams, x = Streams(runtime, max_streams=20), np.random.default_rng(3).normal(size=(THREADS, FEATURES))
    possible = [answered(runtime, np.tile(x[number], (PUSHES, 1))) for number in range(THREADS)]

    def work(number: int) -> None:
        for turn in range(PUSHES):
            answer = streams.push({(number, turn % 10): x[number], (number, 11 + turn % 3): x[number]})
            for y in answer.values():
                assert np.isclose(possible[number], y, atol=1e-5).all(axis=1).any()

    together(work)
    slots = list(streams._table.slots.values())
    assert len(streams) == len(set(slots)) == 20


def test_threads_on_one_stream_answer_each_step_once(runtime: Runtime) -> None:
    stream, step = Stream(runtime), np.full(FEATURES, 0.3)
    got: list[Array] = []
    together(lambda _: got.extend(stream.push(step) for _ in range(PUSHES)))
    found, expected = np.stack(got), answered(runtime, np.tile(step, (THREADS * PUSHES, 1)))
    assert_close(found[np.lexsort(found.T)], expected[np.lexsort(expected.T)], "y")
    assert stream.steps == THREADS * PUSHES


def test_reading_and_upgrading_between_pushes_of_others(runtime: Runtime) -> None:
    other = runtime_of(built([lstm(8), sw.GRU(5), sw.Dense(2)], (None, FEATURES), seed=2), runtime.engine.name)
    streams, step = Streams(runtime), np.full(FEATURES, 0.3)

    def work(number: int) -> None:
        for turn in range(PUSHES // 2):
            if number == 0:
                streams.upgrade(other if turn % 2 else runtime)
            elif number == 1:
                keys, state = streams.snapshot()
                assert len(keys) == state.batch
                assert all(key in streams for key in keys)
            else:
                streams.push({(number, turn): step, (number, "steady"): step})

    together(work)
    assert len(streams) == 2 * (PUSHES // 2) + 2


CHILDREN = """
import os, signal, sys, threading, time
import numpy as np
from statewise.streaming import Stream, Streams
from streamed import built, lstm, runtime_of
runtime = runtime_of(built([lstm()], (None, 2)), sys.argv[1])
streams, stream, stop = Streams(runtime), Stream(runtime), False

def work():
    while not stop:
        streams.push({key: [1.0, 2.0] for key in range(50)})
        stream.push([1.0, 2.0])

threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
for _ in range(int(sys.argv[2])):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        streams.push_one("new", [1.0, 2.0])
        stream.push([1.0, 2.0])
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        os._exit(3)
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize("count", [5, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_process_that_is_forked_while_another_thread_pushes_pushes_too(engine: str, count: int) -> None:
    """That thread is not in the child, and cannot let go of the lock that it holds there."""
    path = os.pathsep.join(part for part in sys.path if part)
    command = [sys.executable, "-W", "ignore", "-c", CHILDREN, engine, str(count)]
    assert subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, timeout=200, check=False).returncode == 0
