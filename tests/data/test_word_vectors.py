"""Word vectors: files of gensim, files written here by hand, and every kind of broken file."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import case, refused, table
from statewise.errors import ConfigurationError, DataError, FileError, ShapeError
from tolerances import assert_same, differ

GOLDEN = Path(__file__).parent.parent / "golden" / "word_vectors.json"
WORDS = ("the", "mice", "naïve", "老鼠", "\t")
VECTORS = np.random.default_rng(31).normal(size=(5, 3)).astype(np.float32)
HEADER = b"5 3\n"
TEXT = HEADER + b"".join(
    b"%s %s \n" % (word.encode(), " ".join(f"{v:.9g}" for v in row).encode())
    for word, row in zip(WORDS, VECTORS, strict=True)
)
"""With a blank at the end of each line, as word2vec itself writes it."""

RECORDS = [word.encode() + b" " + struct.pack("<3f", *row) for word, row in zip(WORDS, VECTORS, strict=True)]
FORMATS = {
    "text": TEXT,
    "text-of-windows": TEXT.replace(b" \n", b"\r\n"),
    "text-that-ends-early": TEXT[:-2],
    "binary": HEADER + b"".join(RECORDS),
    "binary-with-line-breaks": HEADER + b"".join(record + b"\n" for record in RECORDS),
}
formats = pytest.mark.parametrize("content", FORMATS.values(), ids=FORMATS)


def read(path: Path, content: bytes, **options: Any) -> sw.WordVectors:
    path.write_bytes(content)
    return sw.read_word_vectors(path, **options)


# ------------------------------------------------------------------------------------------------ formats


@pytest.mark.parametrize("ending", [".txt", ".bin"])
def test_files_of_gensim(ending: str) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    vectors = sw.read_word_vectors(GOLDEN.with_suffix(ending))
    assert vectors.words == tuple(golden["words"])
    assert_same(vectors.vectors, np.float32(golden["vectors"]))


@formats
def test_files_by_hand(tmp_path: Path, content: bytes) -> None:
    vectors = read(tmp_path / "v", content)
    assert vectors.words == WORDS
    assert_same(vectors.vectors, VECTORS)


@formats
@pytest.mark.parametrize("limit", [1, 4, 9])
def test_the_first_ones(tmp_path: Path, content: bytes, limit: int) -> None:
    vectors = read(tmp_path / "v", content, limit=limit)
    assert vectors.words == WORDS[:limit]
    assert_same(vectors.vectors, VECTORS[:limit])


def test_the_first_ones_of_a_file_that_is_cut_or_broken_behind_them(tmp_path: Path) -> None:
    for content in (FORMATS["binary"][:-30], TEXT[:-30], TEXT.replace(b"mice", b"the")):
        assert read(tmp_path / "v", content, limit=1).words == WORDS[:1]


@pytest.mark.parametrize("binary", [True, False])
def test_what_is_saved_is_read_bit_for_bit(tmp_path: Path, binary: bool) -> None:
    rng = np.random.default_rng(32)
    array = (rng.normal(size=(300, 7)) * 10.0 ** rng.integers(-40, 38, (300, 7))).astype(np.float32)
    words = tuple(f"{chr(0x3B1 + number)}{number}" for number in range(300))
    sw.WordVectors(words, array).save(tmp_path / "v", binary=binary)
    vectors = sw.read_word_vectors(tmp_path / "v")
    assert vectors.words == words
    assert_same(vectors.vectors, array)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dimensions", [2, 50])
def test_text_and_binary_are_told_apart(tmp_path: Path, seed: int, dimensions: int) -> None:
    """Also for floats whose bytes look like letters in part, which positive ones of one size do most."""
    array = np.abs(np.random.default_rng(seed).normal(0.3, 0.1, (9, dimensions))).astype(np.float32)
    vectors = sw.WordVectors(tuple("abcdefghi"), array)
    for binary in (True, False):
        vectors.save(tmp_path / "v", binary=binary)
        assert_same(sw.read_word_vectors(tmp_path / "v").vectors, array)


# -------------------------------------------------------------------------------------------------- value


def test_a_value_that_does_not_change() -> None:
    array = VECTORS.copy()
    vectors = sw.WordVectors(WORDS, array)
    array[:] = 0
    assert_same(vectors.vectors, VECTORS)
    with pytest.raises(ValueError, match="read-only"):
        vectors["mice"][0] = 1
    assert (len(vectors), "mice" in vectors, "cat" in vectors, 3 in vectors) == (5, True, False, False)
    assert repr(vectors) == "WordVectors(5 words, vectors [5, 3])"


def test_an_embedding_starts_from_them() -> None:
    vectors, symbols = sw.WordVectors(WORDS, VECTORS), ["cat", "老鼠", "the", "dog"]
    matrix, missing = vectors.embedding(symbols, seed=3)
    assert missing == ("cat", "dog")
    assert matrix.dtype == np.float32
    assert matrix.shape == (4, 3)
    assert_same(matrix[1:3], VECTORS[[3, 0]])
    unknown = matrix[[0, 3]]
    assert 0 < np.abs(unknown).max() < 0.05
    assert len(np.unique(unknown)) == 6
    assert_same(vectors.embedding(symbols, seed=3)[0], matrix)
    assert differ(vectors.embedding(symbols, seed=4)[0][0], matrix[0])
    assert_same(vectors.embedding(["mice"])[0], VECTORS[[1]])
    assert vectors.embedding(["x", "y"])[1] == ("x", "y")


# ------------------------------------------------------------------------------------------------- broken

NO_VECTORS = ("not a file of word vectors", "'10000 300'")
CUT = ("cut short", "expected 5 words of 3 numbers", "limit=")

BROKEN: dict[str, tuple[bytes, Any, tuple[str, ...]]] = {
    "empty": (b"", FileError, NO_VECTORS),
    "a-text": (b"once upon a time\nthere was a cat\n", FileError, NO_VECTORS),
    "a-picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", FileError, NO_VECTORS),
    "no-header": (TEXT.removeprefix(HEADER), FileError, (*NO_VECTORS, "GloVe")),
    "no-words": (b"0 3\n", FileError, NO_VECTORS),
    "below-zero": (b"-5 3\n", FileError, NO_VECTORS),
    "nothing-else": (HEADER, FileError, CUT),
    "cut-text": (TEXT[: TEXT.index("老".encode())], FileError, CUT),
    "cut-in-a-line": (TEXT.rstrip().rsplit(b" ", 1)[0], FileError, ("line 6", "a word and 3 numbers", "copy it")),
    "cut-binary": (FORMATS["binary"][:-2], FileError, CUT),
    "cut-in-a-word": (HEADER + b"".join(RECORDS[:4]) + b"ca", FileError, CUT),
    "huge-header": (b"999999999999 300\n" + RECORDS[0], FileError, ("cut short", "expected 999999999999 words")),
    "more-text": (TEXT + b"cat 1 2 3\n", FileError, ("expected 5 words", "got more", "copy it")),
    "more-binary": (FORMATS["binary"] + RECORDS[0], FileError, ("expected 5 words", "got more")),
    "fewer-numbers": (b"2 3\na 1 2 3\nb 1 2\n", FileError, ("line 3", "a word and 3 numbers", "b 1 2")),
    "more-numbers": (b"2 3\na 1 2 3 4\nb 1 2 3 4\n", FileError, ("line 2", "a word and 3 numbers", "a 1 2 3 4")),
    "a-blank-line": (b"2 1\na 1\n\nb 1\n", FileError, ("line 3", "a word and 1 numbers")),
    "no-number": (b"2 2\na 1 x\nb 1 2\n", FileError, ("line 2", "a word and 2 numbers", "a 1 x")),
    "no-blank": (HEADER + b"\xff" * 9000, FileError, ("a word of more than 4096 bytes", "damaged")),
    "nan": (b"2 2\na 1 2\nb nan 2\n", DataError, ("NaN", "[1, 0]")),
    "beyond-float32": (b"2 2\na 1 2\nb 1e39 2\n", DataError, ("infinite", "[1, 0]")),
    "nan-binary": (b"1 2\na " + struct.pack("<2f", 1, np.nan), DataError, ("NaN", "[0, 1]")),
    "twice": (TEXT.replace(b"mice", b"the"), DataError, ("'the' has two vectors", "one for each")),
    "twice-binary": (HEADER + b"".join([*RECORDS[:4], RECORDS[1]]), DataError, ("'mice' has two vectors",)),
    "no-word": (b"2 2\na 1 2\n 1 2\n", DataError, ("without blanks", "got ''")),
    "latin1": (b"2 2\na 1 2\nna\xefve 1 2\n", DataError, ("word 2", "not UTF-8")),
    "latin1-binary": (b"1 2\nna\xefve " + struct.pack("<2f", 0.3, -2), DataError, ("word 1", "not UTF-8")),
}


@pytest.mark.parametrize(("content", "error", "words"), BROKEN.values(), ids=BROKEN)
def test_broken_files(tmp_path: Path, content: bytes, error: Any, words: tuple[str, ...]) -> None:
    path = tmp_path / "vectors"
    refused(lambda: read(path, content), error, (str(path), *words))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    refused(lambda: sw.read_word_vectors(tmp_path / "no"), FileError, ("no file", "no; expected word vectors"))
    refused(lambda: sw.read_word_vectors(tmp_path), FileError, ("cannot read", str(tmp_path), "directory"))
    place = tmp_path / "no" / "v"
    refused(lambda: sw.WordVectors(WORDS, VECTORS).save(place), FileError, ("cannot write", "create it first"))


def vectors(words: Any = WORDS, array: Any = VECTORS) -> Callable[[], object]:
    return lambda: sw.WordVectors(words, array)


@table(
    case("path", lambda: sw.read_word_vectors(None), FileError, "expected the name of a file", "None"),  # type: ignore[arg-type]
    case("limit", lambda: sw.read_word_vectors("v", limit=0), ConfigurationError, "limit", ">= 1", "got 0"),
    case("unknown", lambda: sw.WordVectors(WORDS, VECTORS)["cat"], DataError, "no vector for 'cat'", "in vectors"),
    case("seed", lambda: sw.WordVectors(WORDS, VECTORS).embedding(["a"], seed=-1), ConfigurationError, "seed", "-1"),
    case("rows", vectors(array=VECTORS[:4]), ShapeError, "[5, D]", "got [4, 3]"),
    case("axes", vectors(array=VECTORS[0]), ShapeError, "[5, D]", "got [3]"),
    case("none", vectors((), np.zeros((0, 3))), ShapeError, "[0, D]", "got [0, 3]"),
    case("text", vectors(array=[["a"]] * 5), DataError, "expected real numbers", "'a'"),
    case("nan", vectors(array=VECTORS * np.nan), DataError, "vectors has 15 NaN"),
    case("twice", vectors((*WORDS[:4], "mice")), DataError, "'mice' has two vectors"),
    case("blank", vectors((*WORDS[:4], "a b")), DataError, "without blanks or line breaks", "got 'a b'"),
    case("break", vectors((*WORDS[:4], "a\n")), DataError, "without blanks or line breaks", r"got 'a\n'"),
    case("number", vectors((*WORDS[:4], 5)), DataError, "without blanks or line breaks", "got 5"),
)
def test_mistakes(action: Any, error: Any, words: Any) -> None:
    refused(action, error, words)
