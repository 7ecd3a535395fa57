"""keras.utils.np_utils returns what Keras does, and says which classes it cannot take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from golden.keras_calls import recorded, replay
from mistakes import Action, Error, case, refused, table
from statewise.errors import DataError, StatewiseWarning
from statewise.legacy import categories
from statewise.legacy.categories import (
    categorical_probas_to_classes,
    normalize,
    probas_to_classes,
    to_categorical,
)

PROBABILITIES = np.random.default_rng(2).dirichlet(np.ones(3), size=7)


@recorded("to_categorical")
def test_classes_become_the_rows_of_keras(call: Any) -> None:
    replay(call, to_categorical)


@recorded("normalize")
def test_norms_are_those_of_keras(call: Any) -> None:
    replay(call, normalize)


def test_normalize_leaves_its_argument_alone() -> None:
    x = np.array([[3.0, 4.0]])
    normalize(x)
    assert x.tolist() == [[3.0, 4.0]]


def test_nb_classes_is_num_classes() -> None:
    np.testing.assert_array_equal(to_categorical([1, 0], nb_classes=4), to_categorical([1, 0], 4))


def test_rows_find_their_way_back() -> None:
    classes = np.random.default_rng(1).integers(0, 50, size=(4, 6))
    np.testing.assert_array_equal(to_categorical(classes).argmax(axis=-1), classes)


def test_classes_from_the_end_are_warned_of() -> None:
    with pytest.warns(StatewiseWarning, match="class -1 from the end"):
        assert to_categorical([-1, 1], 3).tolist() == [[0, 0, 1], [0, 1, 0]]


def test_lost_fractions_are_warned_of() -> None:
    with pytest.warns(StatewiseWarning, match="decimal point"):
        assert to_categorical([0.5, 1.0]).tolist() == [[1, 0], [0, 1]]


@table(
    case("beyond", lambda: to_categorical([0, 3], 3), DataError, "0 to 2", "got 0 to 3", "larger num_classes"),
    case("below", lambda: to_categorical([-4, 1], 3), DataError, "0 to 2", "got -4 to 1", "from 0"),
    case("all-below", lambda: to_categorical([-2, -3]), DataError, "got -3 to -2"),
    case("none", lambda: to_categorical([]), DataError, "at least one", "none"),
    case("words", lambda: to_categorical(["cat", "mouse"]), DataError, "class numbers", "'cat'", "number the classes"),
    case("nan", lambda: to_categorical([0.0, np.nan]), DataError, "class numbers", "invalid"),
    case("ragged", lambda: to_categorical([[0], [1, 2]]), DataError, "class numbers", "inhomogeneous"),
)
def test_what_is_no_class(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


def test_the_likeliest_class_is_chosen() -> None:
    likeliest = [max(range(3), key=row.__getitem__) for row in PROBABILITIES.tolist()]
    assert categorical_probas_to_classes(PROBABILITIES).tolist() == likeliest
    assert probas_to_classes(PROBABILITIES).tolist() == likeliest


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_a_single_probability_is_a_class_above_a_half(shape: tuple[int, ...]) -> None:
    assert probas_to_classes(np.array([0.2, 0.5, 0.51, 1.0]).reshape(shape)).tolist() == [0, 0, 1, 1]


def test_each_tool_names_the_modern_one(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: dict[str, str] = {}
    monkeypatch.setattr(categories, "note", noted.__setitem__)
    to_categorical([0, 1], nb_classes=2)
    probas_to_classes(PROBABILITIES)
    probas_to_classes(PROBABILITIES[:, 0])
    assert list(noted) == [
        "to_categorical(y)",
        "nb_classes=",
        "categorical_probas_to_classes(p)",
        "probas_to_classes(p)",
    ]
    assert "sparse_categorical_crossentropy" in noted["to_categorical(y)"]
