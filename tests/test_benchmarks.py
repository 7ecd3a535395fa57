"""The benchmarks' own logic: rounds, ratios, agreement, regressions, results and the table. No peer is needed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.__main__ import PAGES  # noqa: E402
from benchmarks.harness import driver  # noqa: E402
from benchmarks.harness.agreement import difference, numbers  # noqa: E402
from benchmarks.harness.check import regressions, unclear, uncompared  # noqa: E402
from benchmarks.harness.claim import Claim, Faster, Timed, Under, load, names  # noqa: E402
from benchmarks.harness.figures import ratios, spread  # noqa: E402
from benchmarks.harness.outcome import Measured, outcome, read, verdict, write  # noqa: E402
from benchmarks.harness.summary import LINES, Line, summary  # noqa: E402
from benchmarks.harness.table import BEGIN, END, put, table  # noqa: E402
from benchmarks.harness.units import amount, digits  # noqa: E402

SLOWDOWNS = [1.0, 1.3, 0.9, 1.1, 1.05, 2.0, 1.0]
"""What a busy machine does to both sides of a round."""


def example(goals: list[Faster | Under], tolerance: float | None = 1e-3) -> Claim:
    def nobody(_: Any) -> Timed:
        raise AssertionError

    contenders = {"statewise": nobody, "pytorch": nobody}
    return Claim(work="a network", unit="a step", contenders=contenders, goals=goals, tolerance=tolerance)


def measured(ours: list[float], theirs: list[float], **peer: Any) -> dict[str, dict[str, Measured]]:
    us = Measured({"seconds": ours, "MB grown": [100.0]}, result=[1.0, 2.0], versions={"jax": "1"})
    them = Measured({"seconds": theirs, "MB grown": [50.0]}, **({"result": [1.0, 2.001]} | peer))
    return {"": {"statewise": us, "pytorch": them}}


def rounds(ratio: float, noise: float = 0.0, seed: int = 1) -> tuple[list[float], list[float]]:
    """Ours and theirs over 21 rounds, `ratio` apart but for `noise`."""
    rng = np.random.default_rng(seed)
    ours = [1e-3 * factor for factor in SLOWDOWNS * 3]
    scatter = np.exp(noise * rng.normal(size=len(ours)))
    return ours, [float(ratio * our * factor) for our, factor in zip(ours, scatter, strict=True)]


def kept(ratio: float, noise: float = 0.0, seed: int = 1) -> dict[str, Any]:
    goals: list[Faster | Under] = [Faster("pytorch", must=4, aim=8), Under(must=400, figure="MB grown")]
    return outcome("some-claim", example(goals), measured(*rounds(ratio, noise, seed)))


# -- figures ---------------------------------------------------------------------------------------------------------


def test_spread_is_that_of_numpy() -> None:
    values = np.random.default_rng(1).normal(size=11).tolist()
    np.testing.assert_allclose(spread(values), np.percentile(values, [50, 25, 75]))
    assert spread([3.5]) == (3.5, 3.5, 3.5)


def test_a_busy_machine_does_not_move_the_ratio_of_a_round() -> None:
    ours, theirs = rounds(6.0)
    assert spread(ratios(theirs, ours)) == pytest.approx((6.0, 6.0, 6.0))


def test_results_are_compared_whatever_they_are_made_of() -> None:
    ours = numbers([np.array([[1.0, -4.0]]), (2, [np.float32(0.5)])])
    assert ours == [1.0, -4.0, 2.0, 0.5]
    assert difference([1.0, -4.0, 2.0, 0.3], ours) == pytest.approx(0.05)
    for other in ([1.0, -4.0, 2.0], [1.0, -4.0, 2.0, float("nan")]):
        assert difference(other, ours) == float("inf")


def test_figures_as_people_read_them() -> None:
    assert [amount("seconds", s) for s in (2.5, 0.0123, 8.214e-6, 6.6e-7)] == ["2.5 s", "12.3 ms", "8.21 µs", "0.66 µs"]
    assert amount("MB at most", 312.4) == "312 MB"
    assert [digits(value) for value in (1234.5, 79.25, 0.0)] == ["1230", "79.2", "0"]


# -- outcomes --------------------------------------------------------------------------------------------------------


def test_an_outcome_holds_all_that_a_reader_must_know() -> None:
    found = json.loads(json.dumps(kept(6.0, noise=0.05)))
    assert {"claim", "work", "unit", "tolerance", "machine", "cases", "goals", "failures"} == set(found)
    assert {"cpu", "cores", "avx512", "system", "python", "library"} == set(found["machine"])
    ours, theirs = (found["cases"][""]["contenders"][name] for name in ("statewise", "pytorch"))
    assert len(ours["figures"]["seconds"]["rounds"]) == 21
    assert theirs["ratios"]["seconds"]["median"] == pytest.approx(6.0, rel=0.1)
    assert theirs["difference"] == pytest.approx(0.0005)
    assert ours["versions"] == {"jax": "1"}
    assert [goal["verdict"] for goal in found["goals"]] == ["must", "must"]


@pytest.mark.parametrize(
    ("peer", "told"),
    [
        ({"result": [1.0, 2.1]}, "pytorch computed something else: 0.05 apart, allowed 0.001"),
        ({"result": [1.0]}, "pytorch computed something else: inf apart, allowed 0.001"),
        ({"crashed": True, "note": "out of memory", "result": None}, "pytorch crashed: out of memory"),
    ],
)
def test_who_disagrees_or_crashes_fails_the_claim(peer: dict[str, Any], told: str) -> None:
    found = outcome("some-claim", example([Faster("pytorch")]), measured(*rounds(6.0), **peer))
    assert found["failures"] == [f"some-claim: {told}"]


def test_who_has_nothing_to_compare_does_not_fail() -> None:
    assert outcome("some-claim", example([]), measured(*rounds(6.0), result=None))["failures"] == []


def test_a_peer_that_is_not_there_leaves_its_goal_open() -> None:
    cases = measured(*rounds(6.0))
    cases[""]["pytorch"] = Measured(note="torch is not installed")
    found = outcome("some-claim", example([Faster("pytorch", must=4)]), cases)
    assert found["goals"][0]["reached"] is None
    assert found["failures"] == []
    assert "not measured" in table([found])


def test_a_claim_fails_where_statewise_itself_was_not_measured() -> None:
    cases = measured(*rounds(6.0))
    cases[""]["statewise"] = Measured(note="optax is not installed")
    found = outcome("some-claim", example([Faster("pytorch", must=4)]), cases)
    assert found["failures"] == ["some-claim: statewise was not measured: optax is not installed"]


def test_a_figure_of_zero_makes_no_ratio() -> None:
    found = outcome("some-claim", example([Faster("pytorch")]), measured([0.0, 0.0], [1.0, 1.0]))
    assert found["goals"][0]["reached"] is None


def test_who_does_other_work_is_marked_in_the_table() -> None:
    cases = measured(*rounds(6.0), result=None, note="drops the state")
    text = table([outcome("some-claim", example([Faster("pytorch", must=4)]), cases)])
    assert "| PyTorch\\* |" in text
    assert "Not the same work. some-claim: PyTorch, drops the state." in text


@pytest.mark.parametrize(
    ("goal", "value", "expected"),
    [
        (Faster("pytorch", must=4, aim=8), 9.0, "aim"),
        (Faster("pytorch", must=4, aim=8), 5.0, "must"),
        (Faster("pytorch", must=4, aim=8), 3.9, "short of it"),
        (Faster("pytorch"), 0.1, ""),
        (Under(must=3e-6, aim=1e-6), 0.9e-6, "aim"),
        (Under(must=3e-6, aim=1e-6), 3.1e-6, "short of it"),
        (Under(aim=1e-6), 2e-6, ""),
    ],
)
def test_verdicts(goal: Faster | Under, value: float, expected: str) -> None:
    assert verdict(goal, value) == expected


def test_results_are_written_and_read(tmp_path: Path) -> None:
    found = kept(6.0)
    write(found, tmp_path)
    assert read(tmp_path) == [found]
    lines = (tmp_path / "some-claim.json").read_text(encoding="utf-8").splitlines()
    assert all(line.endswith("],") for line in lines if '"rounds": [' in line)


# -- regressions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "noise"), [(0.75, 0.0), (0.75, 0.03), (0.7, 0.15), (0.6, 0.3)])
def test_a_loss_of_more_than_a_fifth_is_found(share: float, noise: float) -> None:
    worse = regressions(kept(6.0), kept(6.0 * share, noise))
    assert list(worse) == [("", "seconds", "pytorch")]
    assert worse["", "seconds", "pytorch"].startswith("some-claim, against PyTorch: ")
    assert worse["", "seconds", "pytorch"].endswith("was 6 x (6 to 6)")


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_no_regression(seed: int) -> None:
    assert not regressions(kept(6.0, noise=0.15, seed=100 + seed), kept(6.0, noise=0.15, seed=seed))


def test_less_than_a_fifth_and_rounds_scattered_around_it_are_none() -> None:
    assert not regressions(kept(6.0), kept(6.0 * 0.82))
    noisy = kept(6.0 * 0.78, noise=0.2)
    assert not regressions(kept(6.0), noisy)
    assert [line.rpartition(": ")[2] for line in unclear(kept(6.0), noisy)] == ["too noisy to tell"]
    assert unclear(kept(6.0), kept(6.0 * 0.82)) == []


def test_memory_is_compared_as_it_is_and_absolute_seconds_are_not() -> None:
    before, now = kept(6.0), kept(6.0)
    now["goals"][1]["reached"] = {"median": 130.0, "lower": 130.0, "upper": 130.0, "rounds": 1}
    assert list(regressions(before, now)) == [("", "MB grown", "")]
    for found in (before, now):
        found["goals"][1]["figure"] = "seconds"
    assert not regressions(before, now)


def test_a_peer_that_is_missing_now_is_named() -> None:
    now = kept(6.0)
    now["goals"][0]["reached"] = None
    assert not regressions(kept(6.0), now)
    assert uncompared(kept(6.0), now) == ["some-claim, against PyTorch: not measured"]
    assert uncompared(kept(6.0), now, absent=["pytorch"]) == []


# -- the table -------------------------------------------------------------------------------------------------------


def test_the_table_goes_between_the_markers_again_and_again() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = put(page, table([kept(6.0)]))
    assert once == put(once, table([kept(6.0)]))
    assert once.startswith("before\n")
    assert once.endswith("\nafter\n")
    assert "old" not in once


@pytest.mark.parametrize("page", ["", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_a_page_without_markers_is_refused(page: str) -> None:
    with pytest.raises(SystemExit, match="expected one line"):
        put(page, "")


def test_what_falls_short_is_said_in_the_table() -> None:
    row = next(line for line in table([kept(3.0)]).splitlines() if "PyTorch" in line)
    assert "| **3 x** (3 to 3) | 4 x, **short of it** | 8 x |" in row
    assert "short of it" not in table([kept(6.0)])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_those_of_the_committed_results(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == put(text, PAGES[page](read()))


def test_the_summary_shows_what_was_measured_and_says_where_we_are_slower() -> None:
    goals: list[Faster | Under] = [Faster("pytorch", must=4), Faster("pytorch", case="other")]
    cases = {case: contenders for case in ("", "other") for contenders in measured(*rounds(0.5)).values()}
    found = outcome("text", example(goals), cases) | {"claim": "text"}
    row = next(line for line in summary([found]).splitlines() if "PyTorch" in line)
    assert row.endswith("| 1.05 ms | PyTorch | 525 µs | **0.5 x**, slower |")
    assert len(summary([found]).splitlines()) == 3
    assert summary([]) == "Not measured yet: run `make bench`."


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.claim)
def test_each_line_of_the_summary_is_a_goal_of_its_claim(line: Line) -> None:
    assert (line.peer, line.case, line.figure) in {(g.peer, g.case, g.figure) for g in load(line.claim).goals}


# -- the claims ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", names())
def test_every_claim_has_its_parts_without_any_peer(name: str) -> None:
    claim = load(name)
    assert "statewise" in claim.contenders
    assert len(claim.contenders) > 1
    assert {goal.case for goal in claim.goals} <= set(claim.cases)
    assert {goal.peer for goal in claim.goals} - {None} == set(claim.contenders) - {"statewise"}  # nobody in vain
    assert any(goal.must is not None for goal in claim.goals)
    doc = sys.modules[f"benchmarks.claims.{name.replace('-', '_')}"].__doc__
    assert doc is not None


def test_an_unknown_claim_is_refused() -> None:
    with pytest.raises(SystemExit, match="no claim 'tiny'; expected one of generate, large"):
        load("tiny")


# -- the turns -------------------------------------------------------------------------------------------------------

CLAIM = '''
"""A claim of a test."""

import os, sys, time
from benchmarks.harness.claim import Claim, Faster, Timed, Unable

def ours(case):
    return Timed(lambda n: time.sleep(0.001 * n) or [case], note="rested")

def slower(case):
    print("a framework's greeting")
    return Timed(lambda n: time.sleep(0.003 * n) or [case])

def other(case):
    return Timed(lambda n: time.sleep(0.001 * n) or [case + 1])

def missing(case):
    import a_framework_that_is_not_there

def unable(case):
    raise Unable("has no such layer")

def crashes(case):
    def work(n):
        if n > 1:
            os._exit(3)
        time.sleep(0.001 * n)
        return [case]
    return Timed(work)

CLAIM = Claim(
    work="nothing", unit="a nap", tolerance=0.0, seconds=0.01, cases={"seven": 7},
    contenders=dict(statewise=ours, slower=slower, other=other, missing=missing, unable=unable, crashes=crashes),
    goals=[Faster("slower", must=1.5, case="seven")],
)
'''


@pytest.fixture
def sleepy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A claim of its own package, which the processes find before the real one."""
    package = tmp_path / "benchmarks"
    package.mkdir()
    (package / "harness").symlink_to(ROOT / "benchmarks" / "harness")
    (package / "claims").mkdir()
    (package / "claims" / "sleepy.py").write_text(CLAIM)
    monkeypatch.setattr("benchmarks.harness.process.ROOT", tmp_path)
    return "sleepy"


def test_contenders_take_turns_in_processes_of_their_own(sleepy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scope: dict[str, Any] = {}
    exec(CLAIM, scope)
    monkeypatch.setattr(driver, "load", lambda _: scope["CLAIM"])
    said: list[str] = []
    found = driver.measure(sleepy, {}, 3, said.append)
    contenders = found["cases"]["seven"]["contenders"]
    assert contenders["statewise"]["note"] == "rested"
    assert len(contenders["slower"]["figures"]["seconds"]["rounds"]) == 3
    assert found["goals"][0]["reached"]["median"] > 1
    assert contenders["missing"]["note"] == "a_framework_that_is_not_there is not installed"
    assert contenders["unable"]["note"] == "has no such layer"
    assert found["failures"] == [
        "seven: other computed something else: 0.14 apart, allowed 0",
        "seven: crashes crashed: it ended without a word",
    ]
    assert said[:2] == ["sleepy seven", f"  statewise: {said[1].split()[1]} passes a turn; rested"]
