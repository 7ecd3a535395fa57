"""The picture of a framing: a row is a sample, a box a time step; arrows show where the state and the answers go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from statewise.foundation.markup import label, line, svg
from statewise.recipes.framing import SKIPPED, Framing, Sample

STEPS = 16
"""Samples with more steps are shown without their middle."""

LETTERS = 24
"""Longer labels are shown without their end."""

_LEFT, _GAP, _BOX, _LETTER = 78.0, 11.0, 26.0, 7.3  # px: of rows' names, between boxes, boxes' height, a letter
_CUT = "\N{HORIZONTAL ELLIPSIS}"


def picture(framing: Framing) -> str:
    """Returns the framing as SVG: the answers are to the right of the last step, or below each step."""
    samples = [Sample(_shown(sample.steps), _shown(sample.answers)) for sample in framing.samples]
    widest = max((_width(word) for sample in samples for word in (*sample.steps, *_below(sample))), default=_BOX)
    rows = [_Row(number, sample, max(_BOX, widest), framing.carried) for number, sample in enumerate(samples)]
    top = 8.0
    parts: list[str] = []
    for number, row in enumerate(rows):
        parts += row.parts(top)
        if framing.carried == 1 and number + 1 < len(rows):
            parts += row.handed_on(top)
        top += row.height
    return svg(max((row.right for row in rows), default=0) + 4, top, _told(framing), parts, "picture")


def _told(framing: Framing) -> str:
    first = framing.samples[0] if framing.samples else Sample((), ())
    return f"{framing.heading}. {framing.state} The first: {', '.join(first.steps)}; answer: {', '.join(first.answers)}"


@dataclass(frozen=True)
class _Row:
    """A sample in the drawing.

    Attributes:
        number: of the sample, from 0.
        sample: the part that is shown.
        width: of a box.
        carried: as in `Framing`.
    """

    number: int
    sample: Sample
    width: float
    carried: int

    @property
    def each_step(self) -> bool:
        return bool(_below(self.sample))

    @property
    def height(self) -> float:
        return _BOX + (34 if self.each_step else 0) + (24 if self.carried == 1 else 12)

    @property
    def end(self) -> float:
        return self._left(len(self.sample.steps)) - _GAP

    @property
    def right(self) -> float:
        answer = 0 if self.each_step else 30 + _width(self.sample.answers[0])
        return self.end + max(answer, 2 * _GAP)

    def _left(self, step: int) -> float:
        return _LEFT + _GAP + step * (self.width + _GAP)

    def parts(self, top: float) -> Iterator[str]:
        middle = top + _BOX / 2
        yield label(0, middle + 4, f"sample {self.number + 1}", "name", "start")
        if self.carried == 0 or self.number < self.carried:
            yield f'<circle cx="{_LEFT - 4:g}" cy="{middle:g}" r="3.5" class="fresh"/>'
            yield from _arrow(_LEFT, middle, _LEFT + _GAP, middle, "state")
        for step, word in enumerate(self.sample.steps):
            yield from self._step(step, word, top)
            if step:
                yield from _arrow(self._left(step) - _GAP, middle, self._left(step), middle, "state")
        yield from self._answers(top)

    def _step(self, step: int, word: str, top: float) -> Iterator[str]:
        left = self._left(step)
        if word != _CUT:
            kind = "skipped" if word == SKIPPED else "step"
            yield f'<rect x="{left:.5g}" y="{top:g}" width="{self.width:.5g}" height="{_BOX:g}" rx="3" class="{kind}"/>'
        yield label(left + self.width / 2, top + _BOX / 2 + 4, word, "skips" if word == SKIPPED else "")

    def _answers(self, top: float) -> Iterator[str]:
        if not self.each_step:
            middle = top + _BOX / 2
            yield from _arrow(self.end + 2, middle, self.end + 26, middle, "answer")
            yield label(self.end + 32, middle + 4, self.sample.answers[0], "answers", "start")
            return
        for step, word in enumerate(self.sample.answers):
            x = self._left(step) + self.width / 2
            if word != _CUT:
                yield from _arrow(x, top + _BOX + 2, x, top + _BOX + 16, "answer")
            yield label(x, top + _BOX + 30, word, "answers")

    def handed_on(self, top: float) -> Iterator[str]:
        """Yields the path of the state from the end of this row to the start of the next."""
        leaves = top + _BOX / 2 + (0 if self.each_step else 6)  # where the answer's arrow does not leave
        turn, enters = top + self.height - 11, top + self.height + _BOX / 2
        out, back = self.end + _GAP, _LEFT - 4
        yield f'<path d="M{self.end:.5g} {leaves:g}H{out:.5g}V{turn:g}H{back:g}V{enters:g}" class="state"/>'
        yield from _arrow(back, enters, _LEFT + _GAP, enters, "state")


def _below(sample: Sample) -> tuple[str, ...]:
    """Returns the answers below the steps: none if the sample has a single one for its last step."""
    return sample.answers if len(sample.answers) > 1 else ()


def _shown(words: Sequence[str]) -> tuple[str, ...]:
    short = [word if len(word) <= LETTERS else word[: LETTERS - 1] + _CUT for word in words]
    if len(short) > STEPS:
        half = STEPS // 2
        short = [*short[: half - 1], _CUT, *short[-half:]]
    return tuple(short)


def _width(word: str) -> float:
    return 12 + _LETTER * sum(1.7 if east_asian_width(letter) in "WF" else 1 for letter in word)


def _arrow(x1: float, y1: float, x2: float, y2: float, kind: str) -> Iterator[str]:
    yield line(x1, y1, x2, y2, kind)
    back = (f"{x2 - 4:.5g} {y2 - 3:.5g}", f"{x2 - 4:.5g} {y2 + 3:.5g}")
    if y2 > y1:
        back = (f"{x2 - 3:.5g} {y2 - 4:.5g}", f"{x2 + 3:.5g} {y2 - 4:.5g}")
    yield f'<path d="M{back[0]}L{x2:.5g} {y2:.5g}L{back[1]}" class="{kind}"/>'
