"""Every step of a sequence is in the lanes once, and rows go on from batch to batch."""

from __future__ import annotations

import numpy as np
import pytest

from statewise.data.lanes import Lanes, lanes, windows

# (symbols, rows, steps); the comment says what is special
CASES = [
    (9, 2, 2),  # fits exactly
    (2, 1, 1),  # the shortest sequence
    (2, 1, 5),  # one transition, more steps
    (10, 3, 4),  # fits in rows, not in steps
    (11, 3, 4),  # a short last row
    (14, 6, 2),  # rows so short that the last one is empty
    (101, 7, 5),
    (97, 4, 8),
    (65, 32, 64),  # one batch
]
cases = pytest.mark.parametrize(("count", "batch_size", "steps"), CASES, ids=str)


def framed(count: int, batch_size: int, steps: int) -> tuple[Lanes, np.ndarray]:
    """Returns the lanes of 1, 2, 3, ... and their mask: zeros can only be padding."""
    result = lanes(np.arange(1, count + 1), batch_size, steps)
    mask = np.ones(result.x.shape, bool) if result.mask is None else result.mask
    return result, mask


@cases
def test_each_transition_comes_exactly_once(count: int, batch_size: int, steps: int) -> None:
    result, mask = framed(count, batch_size, steps)
    seen = sorted(zip(result.x[mask].tolist(), result.y[mask].tolist(), strict=True))
    assert seen == [(at, at + 1) for at in range(1, count)]


@cases
def test_shapes_are_whole_batches(count: int, batch_size: int, steps: int) -> None:
    result, mask = framed(count, batch_size, steps)
    assert result.x.shape == result.y.shape == mask.shape
    assert result.x.shape[1] == steps
    assert result.x.shape[0] % batch_size == 0
    assert result.batch_size == batch_size
    assert result.mask is None or not result.mask.all()


@cases
def test_row_r_of_a_batch_goes_on_from_row_r_of_the_one_before(count: int, batch_size: int, steps: int) -> None:
    result, mask = framed(count, batch_size, steps)
    batches = result.x.reshape(-1, batch_size, steps)
    flags = mask.reshape(-1, batch_size, steps)
    for row in range(batch_size):
        lane, real = batches[:, row].reshape(-1), flags[:, row].reshape(-1)
        taken = lane[real]
        assert (np.diff(taken) == 1).all(), f"lane {row}: {taken.tolist()}"
        assert real[: len(taken)].all(), f"lane {row}: padding comes before its end"


@cases
def test_lanes_follow_one_another_and_are_of_one_length(count: int, batch_size: int, steps: int) -> None:
    result, mask = framed(count, batch_size, steps)
    by_lane = result.x.reshape(-1, batch_size, steps).swapaxes(0, 1).reshape(batch_size, -1)
    lengths = mask.reshape(-1, batch_size, steps).swapaxes(0, 1).reshape(batch_size, -1).sum(axis=1)
    longest = -(-(count - 1) // batch_size)
    full = (count - 1) // longest
    assert lengths.tolist()[:full] == [longest] * full
    assert lengths.sum() == count - 1
    assert [lane[0] for lane in by_lane[:full]] == [1 + row * longest for row in range(full)]


def test_a_full_frame_needs_no_mask() -> None:
    assert lanes(np.arange(9), 2, 2).mask is None
    assert lanes(np.arange(8), 2, 2).mask is not None


@pytest.mark.parametrize(("count", "length"), [(2, 1), (7, 3), (20, 19)])
def test_each_window_comes_once_with_the_symbol_after_it(count: int, length: int) -> None:
    ids = np.random.default_rng(0).integers(0, 9, count)
    x, y = windows(ids, length)
    expected = [(ids[at : at + length].tolist(), ids[at + length]) for at in range(count - length)]
    assert list(zip(x.tolist(), y.tolist(), strict=True)) == expected


def test_windows_are_no_views() -> None:
    ids = np.arange(6)
    x, _ = windows(ids, 2)
    x[0, 1] = 99
    assert ids.tolist() == [0, 1, 2, 3, 4, 5]
    assert x[1, 0] == 1
