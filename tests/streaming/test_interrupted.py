"""An exception at any line of any call leaves all streams as before the call or all as after it, and usable.

The oracle is a plain `Stream` for each key, which shares nothing with `Streams` but the step.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

import statewise
import statewise as sw
from networks import FEATURES
from statewise.errors import LifecycleError
from statewise.foundation.shapes import Array
from statewise.streaming import Runtime, Stream, Streams
from streamed import ENGINES, built, lstm, parts, runtime_of
from tolerances import assert_close

FOLDER = str(Path(statewise.__file__).parent / "streaming")
RNG = np.random.default_rng(8)
X = RNG.normal(size=(40, FEATURES))
KEYS = "abcde"


@cache
def runtime(engine: str, seed: int = 1) -> Runtime:
    layers = [lstm(3, learn_initial_state=True), sw.GRU(2), sw.Dense(2)]
    return runtime_of(built(layers, (None, FEATURES), seed), engine)


PUBLIC = {"push", "push_one", "push_rows", "resume", "restore", "drop", "clear", "upgrade"}
"""Functions whose one line takes a lock and lets go of it; Python looks for signals nowhere on that way out."""


@contextmanager
def raising(error: BaseException, at: int, event: str = "line") -> Iterator[None]:
    """Raises `error` at the line, or "opcode", of that number among those of the package that are carried out."""
    count = 0

    def trace(frame: FrameType, kind: str, _: Any) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(FOLDER):
            return None
        frame.f_trace_opcodes = event == "opcode"
        if kind == event and not (event == "opcode" and frame.f_code.co_name in PUBLIC):
            count += 1
            if count == at:
                raise error
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


# -------------------------------------------------------------------------------------------------- the cases


@dataclass
class World:
    """Streams, and what is known of them: a state for each key, in the order of the pushes."""

    streams: Streams
    states: dict[Any, sw.State]
    now: list[float]
    gone: list[Any] = field(default_factory=list)


def world(engine: str, **options: Any) -> World:
    """Five streams, of which each was pushed a different number of times, and one that went."""
    now: list[float] = [0.0]
    gone: list[Any] = []
    streams = Streams(runtime(engine), max_age=1e9, clock=lambda: now[0], on_evict=lambda key, _: gone.append(key))
    singles = {key: Stream(runtime(engine)) for key in KEYS}
    streams.push({"z": X[0]})
    for last in range(len(KEYS)):
        now[0] += 1
        for key in KEYS[last:]:
            streams.push({key: X[last]})
            singles[key].push(X[last])
    streams.drop("z")
    streams._max_streams, streams._max_age = options.get("max_streams"), options.get("max_age")
    return World(streams, {key: stream.state for key, stream in singles.items()}, now, gone)


def stepped(engine: str, state: sw.State | None, x: Array, seed: int = 1) -> sw.State:
    stream = Stream(runtime(engine, seed), state)
    stream.push(x)
    return stream.state


def pushed(engine: str, states: dict[Any, sw.State], keys: Any, gone: Any = ()) -> dict[Any, sw.State]:
    """Returns what a push of `keys` makes of the states, the keys last and in their order."""
    left = {key: state for key, state in states.items() if key not in gone}
    after = {key: stepped(engine, left.pop(key, None), X[20 + place]) for place, key in enumerate(keys)}
    return {**left, **after}


def steps(keys: Any) -> dict[Any, Array]:
    return {key: X[20 + place] for place, key in enumerate(keys)}


def rows(keys: Any) -> Array:
    block: Array = X[20 : 20 + len(keys)]
    return block


def foreign(engine: str) -> sw.State:
    return stepped(engine, None, X[30])


@dataclass
class Case:
    """A call, and what it makes of five streams."""

    name: str
    call: Callable[[Streams, str], Any]
    after: Callable[[dict[Any, sw.State], str], dict[Any, sw.State]]
    options: dict[str, Any] = field(default_factory=dict)
    wait: float = 0.0
    seed: int = 1  # of the weights afterwards
    quick: bool = True


def push(name: str, keys: Any, gone: Any = (), quick: bool = True, **options: Any) -> Iterator[Case]:
    """The cases of a push as a dict and as rows."""
    wait = options.pop("wait", 0.0)
    ways: dict[str, Callable[[Streams, str], Any]] = {
        "push": lambda streams, _: streams.push(steps(keys)),
        "push_rows": lambda streams, _: streams.push_rows(list(keys), rows(keys)),
    }
    if len(keys) == 1:
        ways["push_one"] = lambda streams, _: streams.push_one(keys[0], X[20])
    for way, call in ways.items():
        shown = quick and way == ("push_one" if len(keys) == 1 else "push_rows")
        yield Case(f"{way}-{name}", call, lambda s, e: pushed(e, s, keys, gone), options, wait, quick=shown)


CASES = [
    *push("known", "b"),
    *push("new", ["n"]),
    *push("new-in-growth", [*range(9)]),
    *push("all-again", KEYS, quick=False),
    *push("reordered", "dab", quick=False),
    *push("evicting-one", ["n"], gone="a", quick=False, max_streams=5),
    *push("evicting", ["n", "d", "m"], gone="ab", max_streams=5),
    *push("too-old", ["n", "a"], gone="ab", quick=False, max_age=3.5, wait=1.0),
    *push("all-too-old", ["a"], gone=KEYS, quick=False, max_age=3.5, wait=9.0),
    Case("push-nobody", lambda s, _: s.push({}), lambda s, _: {"e": s["e"]}, {"max_age": 3.5}, 3.5, quick=False),
    Case("resume-known", lambda s, e: s.resume("b", foreign(e)), lambda s, e: moved(s, "b", foreign(e)), quick=False),
    Case("resume-new", lambda s, e: s.resume("n", foreign(e)), lambda s, e: moved(s, "n", foreign(e)), quick=False),
    Case(
        "resume-evicting",
        lambda s, e: s.resume("n", foreign(e)),
        lambda s, e: moved({key: s[key] for key in "bcde"}, "n", foreign(e)),
        {"max_streams": 5},
    ),
    Case(
        "restore",
        lambda s, e: s.restore(([*"ven"], sw.State.concat([foreign(e)] * 3))),
        lambda _, e: dict.fromkeys("ven", foreign(e)),
    ),
    Case("drop", lambda s, _: s.drop("c"), lambda s, _: {key: s[key] for key in "abde"}),
    Case("clear", lambda s, _: s.clear(), lambda *_: {}, quick=False),
    Case("upgrade", lambda s, e: s.upgrade(runtime(e, 2)), lambda s, _: s, seed=2),
]


def moved(states: dict[Any, sw.State], key: Any, state: sw.State) -> dict[Any, sw.State]:
    return {**{other: kept for other, kept in states.items() if other != key}, key: state}


# ---------------------------------------------------------------------------------------------------- the check


def same(states: dict[Any, sw.State], streams: Streams) -> bool:
    """Returns whether streams are there under the same keys, in the same order and in these states."""
    return list(streams) == list(states) and all(close(streams.state(key), states[key]) for key in states)


def close(one: sw.State, other: sw.State) -> bool:
    mine, theirs = parts(one), parts(other)
    return all(np.allclose(mine[name], theirs[name], atol=1e-5) for name in theirs)


def check_slots(streams: Streams) -> None:
    """Fails unless the streams' slots are distinct, and used and free ones are all there are."""
    table = streams._table
    taken = [*table.slots.values(), *table.free]
    assert sorted(taken) == list(range(table.used))
    assert table.used <= table.store.size <= len(table.pushed)


def check_later_pushes(engine: str, streams: Streams, states: dict[Any, sw.State], seed: int) -> None:
    """Fails unless old and new keys answer as plain streams do, pushed by another thread: no lock is left behind."""
    keys = [*list(states)[::2], "later", 77, 78, 79]
    answers: dict[Any, Array] = {}
    thread = threading.Thread(target=lambda: answers.update(streams.push(steps(keys))), daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), "the streams are locked"
    for place, key in enumerate(keys):
        single = Stream(runtime(engine, seed), states.get(key))
        assert_close(answers[key], single.push(X[20 + place]), f"y of {key}")


def interrupted(engine: str, case: Case, at: int, event: str = "line") -> bool:
    """Interrupts a call at one line or instruction, checks what is left, and returns whether it was interrupted."""
    runtime(engine, case.seed)
    there = world(engine, **case.options)
    there.now[0] += case.wait
    before, after = there.states, case.after(there.states, engine)
    came = True
    try:
        with raising(KeyboardInterrupt() if at % 2 else MemoryError(), at, event):
            case.call(there.streams, engine)
        came = False
    except (KeyboardInterrupt, MemoryError):
        pass
    done = same(after, there.streams)
    assert done or same(before, there.streams), f"{case.name}: neither before nor after, {event} {at}"
    assert came or done
    there.streams._max_streams = there.streams._max_age = None  # so that later pushes evict nobody
    old_weights = case.seed != 1 and there.streams._runtime is runtime(engine)
    check_later_pushes(engine, there.streams, after if done else before, 1 if old_weights else case.seed)
    check_slots(there.streams)
    return came


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "case", [pytest.param(c, id=c.name, marks=[] if c.quick else [pytest.mark.slow]) for c in CASES]
)
def test_an_exception_at_any_line_leaves_before_or_after(engine: str, case: Case) -> None:
    at = 1
    while interrupted(engine, case, at):
        at += 1
    print(f"{case.name}, {engine}: {at - 1} lines")  # noqa: T201
    assert at > 5


INSTRUCTIONS = [case for case in CASES if case.name in ("push_one-known", "push_rows-evicting", "resume-evicting")]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", INSTRUCTIONS, ids=lambda case: case.name)
def test_an_exception_at_any_instruction_leaves_before_or_after(engine: str, case: Case) -> None:
    at = 1
    while interrupted(engine, case, at, "opcode"):
        at += 1
    print(f"{case.name}, {engine}: {at - 1} instructions")  # noqa: T201
    assert at > 200


STREAM_CALLS: dict[str, tuple[Callable[[Stream, str], Any], Callable[[sw.State, str], sw.State]]] = {
    "push": (lambda stream, _: stream.push(X[5]), lambda state, e: stepped(e, state, X[5])),
    "push-list": (
        lambda stream, _: stream.push([0, 1.5, 2]),
        lambda state, e: stepped(e, state, np.array([0, 1.5, 2])),
    ),
    "restore": (lambda stream, e: stream.restore(foreign(e)), lambda _, e: foreign(e)),
    "reset": (lambda stream, _: stream.reset(), lambda _, e: Stream(runtime(e)).state),
    "upgrade": (lambda stream, e: stream.upgrade(runtime(e, 2)), lambda state, _: state),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", STREAM_CALLS)
def test_an_exception_at_any_line_leaves_one_stream_before_or_after(engine: str, name: str) -> None:
    call, after = STREAM_CALLS[name]
    runtime(engine, 2)
    at, came = 0, True
    while came:
        at += 1
        stream = Stream(runtime(engine))
        stream.push(X[4])
        before = stream.state
        try:
            with raising(KeyboardInterrupt(), at):
                call(stream, engine)
            came = False
        except KeyboardInterrupt:
            pass
        assert close(stream.state, after(before, engine)) or (came and close(stream.state, before))
        pushing = threading.Thread(target=stream.push, args=(X[6],), daemon=True)
        pushing.start()
        pushing.join(20)
        assert not pushing.is_alive(), "the stream is locked"
    assert at > 3


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_signals_at_random_moments_leave_before_or_after(engine: str) -> None:
    """No lines, but whatever Python does between them: large pushes of known and new keys, half of them cut short."""
    streams, rng, cut = Streams(runtime(engine)), np.random.default_rng(1), 0
    singles: dict[Any, Stream] = {}
    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for trial in range(400):
            keys = [int(key) for key in rng.permutation(300 + trial)[:150]]
            x = rng.normal(size=(len(keys), FEATURES))
            before = {key: streams.state(key) for key in keys if key in streams}
            try:
                signal.setitimer(signal.ITIMER_REAL, float(rng.uniform(1e-6, 1.5e-3)))
                streams.push_rows(keys, x)
                signal.setitimer(signal.ITIMER_REAL, 0)
                done = True
            except KeyboardInterrupt:
                cut += 1
                done = keys[0] in streams and (keys[0] not in before or streams.state(keys[0]) != before[keys[0]])
            for key, row in zip(keys, x, strict=True):
                if done:
                    singles.setdefault(key, Stream(runtime(engine))).push(row)
                assert (key in streams) == (key in singles)
            for key in keys[::10]:
                assert key not in streams or close(streams.state(key), singles[key].state)
            check_slots(streams)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    print(f"{cut} of 400 pushes were interrupted")  # noqa: T201
    assert cut > 5


@pytest.mark.parametrize("engine", ENGINES)
def test_a_slot_outside_the_store_is_never_stepped(engine: str) -> None:
    streams = world(engine).streams
    before = streams.snapshot()
    streams._table.slots["a"] = streams._table.store.size
    for call in (lambda: streams.push_one("a", X[0]), lambda: streams.push({"b": X[0], "a": X[1]})):
        with pytest.raises((IndexError, ValueError)):
            call()
    streams._table.slots["a"] = 0
    assert [key for key in "bcde" if streams.state(key) != before.state.rows("abcde".index(key))] == []


def test_a_signal_that_looks_at_the_streams_or_pushes_leaves_the_push_alone() -> None:
    """Handlers run in the during a push: they may read, and are told to push later."""
    for engine in ENGINES:
        at, looked = 1, 0
        while True:
            there = world(engine, max_streams=5)
            after = pushed(engine, there.states, "nd", "a")
            seen: list[Any] = []

            def look(there: World = there, seen: list[Any] = seen) -> None:
                seen.append(list(there.streams.snapshot().keys))
                with pytest.raises(LifecycleError, match="during a push"):
                    there.streams.push({"b": X[0]})

            if not calling(look, at, lambda there=there: there.streams.push(steps("nd"))):  # type: ignore[misc]
                break
            assert same(after, there.streams)
            check_slots(there.streams)
            looked += len(seen)
            at += 3
        assert looked > 10


LOCKED_FILES = ("slot_table.py", "slot_updates.py", "native_states.py", "numpy_states.py")


def calling(look: Callable[[], None], at: int, call: Callable[[], Any]) -> bool:
    """Calls `look` at one line of a call's, if it holds the lock there, and returns whether there was such a line."""
    count = [0]

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.endswith(
            ("slot_table.py", "slot_updates.py", "native_states.py", "numpy_states.py")
        ):
            return trace if frame.f_code.co_filename.startswith(FOLDER) else None
        if event == "line":
            count[0] += 1
            if count[0] == at:
                sys.settrace(None)
                look()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count[0] >= at
