"""Runs recipes over seeds, in parallel processes, and keeps each run as soon as it is done."""

from __future__ import annotations

import math
import multiprocessing
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue

from statewise.errors import DivergenceError, StatewiseError, StatewiseWarning
from statewise.recipes.recipe import Recipe, Trial
from statewise.recipes.registry import choose, get
from statewise.recipes.results import Results, Run

LONG_SECONDS = 20
"""Recipes whose runs take longer than this run once, unless they were named."""

CHUNK_SECONDS = 15
"""The least work of one recipe that a process gets, since it compiles once for all of it."""


@dataclass(frozen=True)
class Chunk:
    """Runs of one recipe that one process makes after another."""

    recipe: Recipe
    seeds: tuple[int, ...]

    @property
    def seconds(self) -> float:
        """About how long they take."""
        return self.recipe.seconds * len(self.seeds)


def missing(wanted: Mapping[str, Sequence[int]], results: Results, *, short: bool) -> dict[str, list[int]]:
    """Returns the seeds, by recipe, for which no run is kept yet."""
    left = {}
    for recipe in choose(list(wanted)):
        kept = {run.seed for run in results.of(recipe, short=short)}
        left[recipe.name] = [seed for seed in wanted[recipe.name] if seed not in kept]
    return {name: seeds for name, seeds in left.items() if seeds}


def measure(recipe: Recipe, seed: int, short: bool) -> Run:
    """Runs a recipe once, in this process."""
    began = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", StatewiseWarning)
        trial = _trial(recipe, seed, short)
    said = dict.fromkeys(str(warning.message) for warning in caught)
    return Run.of(recipe, seed, short and bool(recipe.short), trial, time.perf_counter() - began, said)


def _trial(recipe: Recipe, seed: int, short: bool) -> Trial:
    """Returns the result of one run, without numbers if it diverged: the runs of other seeds are still worth having."""
    try:
        return recipe.trial(seed, **(recipe.short if short else {}))
    except DivergenceError as error:
        warnings.warn(str(error), StatewiseWarning, stacklevel=2)
        return Trial({figure.name: math.nan for figure in recipe.figures})


def about(left: Mapping[str, Sequence[int]], jobs: int) -> float:
    """Returns about how many seconds these runs take in `jobs` processes, without compiling."""
    recipes = choose(list(left))
    total = sum(recipe.seconds * len(left[recipe.name]) for recipe in recipes)
    return max(total / jobs, *(recipe.seconds for recipe in recipes))


def run(
    left: Mapping[str, Sequence[int]],
    results: Results,
    *,
    short: bool = False,
    jobs: int = 1,
    told: Callable[[Recipe, Run], None] = lambda *_: None,
) -> None:
    """Makes the runs that are left, the longest first, and keeps each.

    Args:
        left: seeds by recipe, as `missing` returns them.
        results: where the runs are kept.
        short: whether to shorten those that can be shortened.
        jobs: parallel processes.
        told: called with each run once it is kept.

    Raises:
        FileError: nothing can be kept there.
        StatewiseError: a process ended before its run did; what was kept stays.
        KeyboardInterrupt: Ctrl-C was pressed; what was kept stays.
    """
    results.prepare()  # before hours of work, not after
    waiting: SimpleQueue[Chunk] = SimpleQueue()
    chunks = sorted(_chunks(left, short), key=lambda chunk: -chunk.seconds)
    for chunk in chunks:
        waiting.put(chunk)
    telling = threading.Lock()

    def keep(recipe: Recipe, made: Run) -> None:
        results.add(recipe, made)
        with telling:
            told(recipe, made)

    # Leaving the block, whatever for, ends the processes first and then waits for the threads, which read from them.
    with ThreadPoolExecutor(max(jobs, 1)) as threads, ExitStack() as processes:
        workers = [processes.enter_context(Worker(short)) for _ in range(min(jobs, len(chunks)))]
        futures = [threads.submit(_drive, worker, waiting, keep) for worker in workers]
        for future in wait(futures, return_when=FIRST_EXCEPTION).done:
            future.result()


def _chunks(left: Mapping[str, Sequence[int]], short: bool) -> Iterator[Chunk]:
    for recipe in choose(list(left)):
        size = len(left[recipe.name]) if short else max(1, round(CHUNK_SECONDS / recipe.seconds))
        for start in range(0, len(left[recipe.name]), size):
            yield Chunk(recipe, tuple(left[recipe.name][start : start + size]))


class Worker:
    """A process that makes runs."""

    def __init__(self, short: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, short), daemon=True)
        with _deaf_to_interrupts():
            self._process.start()
        theirs.close()

    def make(self, recipe: Recipe, seed: int) -> Run:
        """Returns a run that the process made.

        Raises:
            StatewiseError: the run failed, or the process ended.
        """
        try:
            self.line.send((recipe.name, seed))
            answer: Run | Exception = self.line.recv()
        except (EOFError, OSError):
            raise StatewiseError(
                f"the process that ran {recipe.name} with seed {seed} ended, perhaps because it ran out of memory; the "
                "runs so far are kept: run the same command again with --jobs 1"
            ) from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the process, even in the middle of a run."""
        self._process.kill()
        self._process.join()


def _drive(worker: Worker, waiting: SimpleQueue[Chunk], keep: Callable[[Recipe, Run], None]) -> None:
    """Has a process make one chunk after another until none is left."""
    while True:
        try:
            chunk = waiting.get_nowait()
        except Empty:
            return
        for seed in chunk.seeds:
            keep(chunk.recipe, worker.make(chunk.recipe, seed))


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Makes processes started in the block ignore Ctrl-C from the beginning: this process ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(line: Connection, short: bool) -> None:
    """Makes the requested runs in a thread, where `fit` does not handle Ctrl-C itself and end too early."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it is not inherited, as on Windows
    thread = threading.Thread(target=_answer, args=(line, short))
    thread.start()
    thread.join()


def _answer(line: Connection, short: bool) -> None:
    with suppress(EOFError, OSError):  # the other process is gone
        while True:
            name, seed = line.recv()
            line.send(_made(name, seed, short))


def _made(name: str, seed: int, short: bool) -> Run | Exception:
    """Returns a run, or its error in a form that any process can read."""
    try:
        return measure(get(name), seed, short)
    except StatewiseError as error:
        return StatewiseError(f"{name} with seed {seed}: {error}")
    except Exception:
        return RuntimeError(f"{name} with seed {seed}:\n{traceback.format_exc()}")
