"""PassageHashes against sets of slices; a model knows what it was trained on, and what was held out from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mistakes import sw
from statewise.errors import FileError
from statewise.storage.artifact import read_artifact, write_artifact
from statewise.text.passage_hashes import LENGTH, MAX_HASHES, PassageHashes

RNG = np.random.default_rng(3)
LEARNED, OTHER = (RNG.integers(0, 40, 30_000).astype(np.int32) for _ in range(2))


def slices(ids: np.ndarray, length: int) -> set[tuple[int, ...]]:
    return {tuple(ids[first : first + length]) for first in range(len(ids) - length + 1)}


@pytest.mark.parametrize("tokens", LENGTH)
def test_shares_are_those_of_the_passages_themselves(tokens: str) -> None:
    learned, mixed = LEARNED[:700], np.concatenate([OTHER[:100], LEARNED[300:500], OTHER[100:200]])
    known, given = slices(learned, LENGTH[tokens]), slices(mixed, LENGTH[tokens])
    expected = len(known & given) / len(given)
    assert 0.1 < expected < 0.6
    assert PassageHashes.of(learned, tokens).share_of(mixed, tokens) == pytest.approx(expected)


def test_a_sample_of_a_long_text_estimates_its_share() -> None:
    learned = PassageHashes.of(LEARNED, "char")
    assert len(learned.hashes) == MAX_HASHES
    assert learned.share_of(LEARNED[12_000:13_000], "char") == 1.0
    assert learned.share_of(OTHER, "char") == 0.0
    mixed = np.concatenate([LEARNED[:5_000], OTHER[:15_000]])
    assert learned.share_of(mixed, "char") == pytest.approx(0.25, abs=0.03)


def test_what_was_held_out_was_not_learned_even_if_it_repeats() -> None:
    period = np.tile(LEARNED[:90], 20)
    assert PassageHashes.of(period, "char").share_of(period[:400], "char") == 1.0
    assert PassageHashes.of(period[:1500], "char", held_out=period[1500:]).share_of(period[1500:], "char") == 0.0


def test_passages_of_several_texts_add_up() -> None:
    both = PassageHashes.of(LEARNED, "char").and_of(PassageHashes.of(OTHER[:2_000], "char"))
    assert len(both.hashes) == MAX_HASHES
    assert both.share_of(LEARNED[:4_000], "char") == both.share_of(OTHER[:2_000], "char") == 1.0
    assert both.share_of(OTHER[4_000:], "char") == 0.0


def test_passages_with_unknown_symbols_and_short_texts_do_not_count() -> None:
    broken = np.where(np.arange(500) % 60 == 30, -1, LEARNED[:500])
    known = PassageHashes.of(LEARNED, "char")
    assert known.share_of(broken.astype(np.int32), "char") == 0.0
    assert known.share_of(LEARNED[:63], "char") == known.share_of(LEARNED[:0], "char") == 0.0


def test_hashes_stay_what_they_are() -> None:
    """Files hold them."""
    assert PassageHashes.of(np.arange(18), "word").hashes.tolist() == [
        4605113315753494108,
        5570637537047619862,
        14944319335152808119,
    ]


def test_a_model_keeps_them_in_its_file_and_older_files_load(tmp_path: Path) -> None:
    text = "".join(map(chr, 97 + RNG.integers(0, 20, 900)))
    model = sw.TextModel(units=3, embedding=2)
    model.fit(text[:700], epochs=1, validation_text=text[700:], verbose=0)
    model.save(tmp_path / "m")
    same = sw.load(tmp_path / "m")
    for part, expected in ((text[:700], 1.0), (text[100:300], 1.0), (text[700:], 0.0), (text[500:], 137 / 337)):
        assert model.learned_share(part) == same.learned_share(part) == pytest.approx(expected)
    artifact = read_artifact(tmp_path / "m")
    del artifact.arrays["passages"]
    write_artifact(tmp_path / "old", artifact)
    old = sw.load(tmp_path / "old")
    assert (old.learned_share(text[100:300]), old.learned_share(text[:700])) == (0.0, 1.0)


@pytest.mark.parametrize("passages", [np.zeros((2, 2), np.uint64), np.array([2, 1], np.uint64), np.zeros(3, np.int32)])
def test_a_file_with_other_passages_is_damaged(passages: np.ndarray, tmp_path: Path) -> None:
    model = sw.TextModel(units=3, embedding=2)
    model.fit("the mice ran. " * 9, epochs=1, verbose=0)
    artifact = model.to_artifact()
    artifact.arrays["passages"] = passages
    write_artifact(tmp_path / "m", artifact)
    with pytest.raises(FileError, match="passages: expected distinct hashes"):
        sw.load(tmp_path / "m")
