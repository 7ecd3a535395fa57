"""Which sequence lengths get a program of their own, so that few programs serve rows of many lengths.

For the costs, and the reasons for these limits, see docs/decisions/0019-lengths.md.
"""

from __future__ import annotations

PIECE = 256
"""Longer rows are read in pieces of this many steps, if the network can continue from the state after a piece."""

SHORTEST, SHORTEST_WHOLE = 32, 64
"""Lengths are rounded up to powers of two from here: for rows that are read in pieces, and for the others.

So seven programs serve any length or, if rows are not read in pieces, lengths up to 1,024.
"""

COMPILING, MOST_LARGE = 10_000, 3
"""Rows are not rounded up if that would add more steps than this: for a few lengths, an exact program is faster."""


class Lengths:
    """The lengths requested of one function of a network; the first few get a program of exactly that length.

    Args:
        own: how many those are, in addition to a single step.
        piece: the length of the longest program, if rows can be read in pieces.

    >>> lengths = Lengths(own=1, piece=256)
    >>> [lengths.pieces(steps) for steps in (70, 10, 70, 300, 1)]
    [[70], [32], [70], [256, 64], [1]]
    """

    def __init__(self, own: int, piece: int | None = None) -> None:
        self._left, self._large, self._piece = own, MOST_LARGE, piece
        self._own = {1}

    def pieces(self, steps: int, times: int = 1) -> list[int]:
        """Returns the lengths of the programs that together read a row of `steps`, in `times` calls."""
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
        """Returns the same for rows of a length that is unlikely to recur."""
        if steps == 1:
            return [1]
        if self._piece is None:
            return [_power(steps, SHORTEST_WHOLE)]
        whole, rest = divmod(steps, self._piece)
        return [self._piece] * whole + ([_power(rest, SHORTEST)] if rest else [])


def _power(steps: int, least: int) -> int:
    """Returns the smallest power of two that is at least `steps` and at least `least`."""
    return max(least, 1 << (steps - 1).bit_length())
