"""The form of an entry: why a word is not there, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Answer(NamedTuple):
    """Why a word is not there, as a clause, and the Python to write; without that it is to be left out.

    In what to write, `{call}` stands for the call that the word came to.
    """

    reason: str = ""
    write: str = ""

    def said(self, call: str = "") -> str:
        """Returns the answer as the end of a message.

        >>> Answer("layers have sizes", "sw.{call}(32)").said("LSTM")
        'layers have sizes; write sw.LSTM(32)'
        >>> Answer("the devices are found without it").said()
        'the devices are found without it; leave it out'
        """
        way_out = f"write {self.write.replace('{call}', call)}" if self.write else "leave it out"
        return f"{self.reason}; {way_out}" if self.reason else way_out


def spread(table: Mapping[str, Answer]) -> dict[str, Answer]:
    """Returns a table whose keys are several words each, separated by spaces, with an entry for each word."""
    return {word: answer for words, answer in table.items() for word in words.split()}
