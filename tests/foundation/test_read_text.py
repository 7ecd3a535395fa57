"""Texts as they come from disk."""

from __future__ import annotations

from pathlib import Path

import pytest

import statewise as sw
from statewise.errors import DataError


@pytest.mark.parametrize(
    "content",
    [
        b"one\ntwo\n\n\xc3\xa9\n",
        b"one\r\ntwo\r\n\r\n\xc3\xa9\r\n",
        b"one\rtwo\r\r\xc3\xa9\r",
        b"\xef\xbb\xbfone\n\xef\xbb\xbftwo\r\n\n\xc3\xa9\n\xef\xbb\xbf",
    ],
)
def test_line_ends_and_byte_order_marks_are_taken_out(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(content)
    assert sw.read_text(tmp_path / "text") == "one\ntwo\n\n\xe9\n"


def test_nothing_but_byte_order_marks_is_empty(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"\xef\xbb\xbf" * 2)
    with pytest.raises(DataError, match=r"text is empty; expected text"):
        sw.read_text(tmp_path / "text")


def test_a_wrong_byte_is_named_with_its_place_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"\xef\xbb\xbfcaf\xe9")
    with pytest.raises(DataError, match=r"byte 0xe9 at position 6; .*latin1"):
        sw.read_text(tmp_path / "text")
