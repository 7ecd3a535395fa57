"""The picture of a framing: what stands where."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from statewise.recipes.framing import SKIPPED, Framing, Sample
from statewise.recipes.report.picture import LETTERS, STEPS, picture

SVG = "{http://www.w3.org/2000/svg}"


def drawn(framing: Framing) -> ElementTree.Element:
    return ElementTree.fromstring(picture(framing))


def words(root: ElementTree.Element, kind: str) -> list[tuple[str, float, float]]:
    found = [text for text in root.iter(f"{SVG}text") if text.get("class") == kind]
    return [(str(text.text), float(text.attrib["x"]), float(text.attrib["y"])) for text in found]


def boxes(root: ElementTree.Element) -> list[tuple[float, float, float]]:
    return [(*(float(box.attrib[name]) for name in ("x", "y", "width")),) for box in root.iter(f"{SVG}rect")]  # type: ignore[misc]


def framing(steps: int, rows: int = 2, *, each_step: bool = False, carried: int = 0) -> Framing:
    labels = [tuple(f"{row}.{step}" for step in range(steps)) for row in range(rows)]
    answers = [tuple(f"={label}" for label in (row if each_step else row[-1:])) for row in labels]
    samples = tuple(Sample(row, told) for row, told in zip(labels, answers, strict=True))
    return Framing((9, steps, 1), (9, 1), samples, "as it is", carried)


def test_each_step_is_a_box_with_its_label_inside() -> None:
    root = drawn(framing(3))
    labels = words(root, "")
    assert [label for label, *_ in labels] == ["0.0", "0.1", "0.2", "1.0", "1.1", "1.2"]
    for (_, x, y), (left, top, width) in zip(labels, boxes(root), strict=True):
        assert left < x < left + width
        assert top < y < top + 26


def test_one_answer_stands_right_of_the_last_box() -> None:
    root = drawn(framing(3))
    for (_, x, y), (left, top, width) in zip(words(root, "answers"), boxes(root)[2::3], strict=True):
        assert x > left + width
        assert top < y < top + 26


def test_an_answer_a_step_stands_below_its_box() -> None:
    root = drawn(framing(4, each_step=True))
    for (answer, x, y), (label, middle, _), (_, top, _) in zip(
        words(root, "answers"), words(root, ""), boxes(root), strict=True
    ):
        assert answer == f"={label}"
        assert x == middle
        assert top + 26 < y < top + 62


@pytest.mark.parametrize("each_step", [False, True])
def test_only_the_first_sample_is_fresh_where_the_state_goes_on(each_step: bool) -> None:
    fresh = [
        len(drawn(framing(2, 3, each_step=each_step, carried=carried)).findall(f"{SVG}circle")) for carried in (0, 1, 2)
    ]
    assert fresh == [3, 1, 2]


def test_the_state_goes_from_the_last_box_to_the_first_of_the_next_row() -> None:
    root = drawn(framing(2, 2, carried=1))
    (way,) = [path.attrib["d"] for path in root.iter(f"{SVG}path") if "V" in path.attrib["d"]]
    (_, last, third, _) = boxes(root)
    start, end = way[1:].partition("H")[0].split(), way.rpartition("V")[2]
    assert float(start[0]) == pytest.approx(last[0] + last[2], abs=0.1)
    assert last[1] < float(start[1]) < last[1] + 26
    assert float(end) == pytest.approx(third[1] + 13)


def test_skipped_steps_are_drawn_as_such() -> None:
    sample = Sample((SKIPPED, SKIPPED, "A"), ("B",))
    root = drawn(Framing((1, 3, 1), (1, 26), (sample,), "padded"))
    assert [box.attrib["class"] for box in root.iter(f"{SVG}rect")] == ["skipped", "skipped", "step"]


def test_long_samples_lose_their_middle_and_long_labels_their_end() -> None:
    steps = tuple(map(str, range(120)))
    root = drawn(Framing((1, 120, 1), (1, 120), (Sample(steps, steps),), "numbers"))
    for kind in ("", "answers"):
        shown = [label for label, *_ in words(root, kind)]
        assert len(shown) == STEPS
        assert (shown[0], shown[-1], shown.count("…")) == ("0", "119", 1)
    root = drawn(Framing((1, 1, 1), (1, 1), (Sample(("x" * 200,), ("y",)),), "long"))
    assert len(words(root, "")[0][0]) == LETTERS


def test_wide_letters_get_wide_boxes() -> None:
    latin, chinese = (
        boxes(drawn(Framing((1, 1), (1,), (Sample((word,), ("?",)),), "symbols")))[0][2]
        for word in ("abcd", "愚公移山")
    )
    assert chinese > 1.3 * latin


@pytest.mark.parametrize("steps", [1, 7, 40])
@pytest.mark.parametrize("each_step", [False, True])
@pytest.mark.parametrize("carried", [0, 1, 2])
def test_nothing_is_drawn_outside(steps: int, each_step: bool, carried: int) -> None:
    root = drawn(framing(steps, 3, each_step=each_step, carried=carried))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert max(left + across for left, _, across in boxes(root)) <= width
    assert max(y for _, _, y in words(root, "answers")) < height
    assert max(x + 7 * len(answer) * (not each_step) for answer, x, _ in words(root, "answers")) <= width


def test_it_is_read_out_and_escaped() -> None:
    root = drawn(Framing((1, 1, 1), (1, 1), (Sample(("<b>",), ("&",)),), "as it is"))
    title = root.findtext(f"{SVG}title") or ""
    assert "1 sample, 1 time step" in title
    assert title.endswith("The first: <b>; answer: &")
