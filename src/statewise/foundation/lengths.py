"""Which numbers of steps a network gets a program for, so that rows of many lengths do with few programs.

What it costs and why these limits: docs/decisions/0019-lengths.md.
"""

from __future__ import annotations

PIECE = 256
"""Longer rows are read in pieces of so many steps, where a network can continue from the state that a piece left."""

SHORTEST, SHORTEST_WHOLE = 32, 64
"""Lengths are rounded up to powers of two from here: of rows that are read in pieces, and of those that are not.

So seven programs serve any lengths, or, if rows are not read in pieces, lengths up to 1,024.
"""

COMPILING, MOST_LARGE = 10_000, 3
"""Rows are not rounded up where that would add more steps than this: a program of their own is quicker, for a few."""


class Lengths:
    """The lengths that one function of a network has been asked for, of which the first few are compiled as they are.

    Args:
        own: how many those are; a single step is another.
        piece: how long a program may be at most, if rows can be read in pieces.

    >>> lengths = Lengths(own=1, piece=256)
    >>> [lengths.pieces(steps) for steps in (70, 10, 70, 300, 1)]
    [[70], [32], [70], [256, 64], [1]]
    """

    def __init__(self, own: int, piece: int | None = None) -> None:
        self._left, self._large, self._piece = own, MOST_LARGE, piece
        self._own = {1}

    def pieces(self, steps: int, times: int = 1) -> list[int]:
        """Returns the lengths of the programs that read rows of so many `steps`, one after another, `times` times."""
        if steps in self._own:
            return [steps]
        if self._left > 0:
            self._left -= 1
            self._own.add(steps)
            return [steps]
        rounded = self.rounded(steps)
        if self._large > 0 and (sum(rounded) - steps) * times > COMPILING:
            self._large -= 1
            self._own.add(steps)
            return [steps]
        return rounded

    def rounded(self, steps: int) -> list[int]:
        """Returns the same for rows whose length will hardly come again."""
        if steps == 1:
            return [1]
        if self._piece is None:
            return [_power(steps, SHORTEST_WHOLE)]
        whole, rest = divmod(steps, self._piece)
        return [self._piece] * whole + ([_power(rest, SHORTEST)] if rest else [])


def _power(steps: int, least: int) -> int:
    """Returns the next power of two from `steps` and from `least`."""
    return max(least, 1 << (steps - 1).bit_length())
