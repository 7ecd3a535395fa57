"""Where randomness comes from: NumPy's seed, or TensorFlow's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from statewise.legacy import backend, keras_utils, tensorflow
from statewise.legacy.layers import LSTM, Dense
from statewise.legacy.models import Sequential

SEEDS: dict[str, Callable[[int], None]] = {
    "numpy.random.seed": np.random.seed,
    "tf.random.set_seed": tensorflow.random.set_seed,
    "tf.set_random_seed": tensorflow.set_random_seed,
    "keras.utils.set_random_seed": keras_utils.set_random_seed,
}


@pytest.fixture(autouse=True)
def unseeded() -> Iterator[None]:
    state = np.random.get_state()
    yield
    backend.clear_session()
    np.random.set_state(state)


def drawn() -> np.ndarray[Any, Any]:
    """Weights of two kinds: statewise's own, and those of an initializer."""
    model = Sequential([LSTM(2, input_shape=(None, 1)), Dense(2, kernel_initializer="he_normal")])
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


@pytest.mark.parametrize("name", SEEDS)
def test_the_same_seed_gives_the_same_models(name: str) -> None:
    seed = SEEDS[name]
    runs = []
    for number in (7, 7, 8):
        seed(number)
        runs.append([drawn(), drawn()])
    np.testing.assert_array_equal(runs[0], runs[1])
    for other in (runs[0][1], runs[2][0]):  # the next model, and another seed
        assert np.count_nonzero(runs[0][0] == other) <= np.count_nonzero(np.isin(other, [0, 1]))


def test_without_a_seed_every_model_is_another() -> None:
    assert not np.array_equal(drawn(), drawn())


def test_clear_session_forgets_names_and_keeps_the_seed() -> None:
    tensorflow.random.set_seed(7)
    first = drawn()
    tensorflow.random.set_seed(7)
    backend.clear_session()
    assert LSTM(1).name == "lstm"
    np.testing.assert_array_equal(drawn(), first)


def test_set_random_seed_seeds_numpy_too() -> None:
    keras_utils.set_random_seed(3)
    first = np.random.random(3)
    keras_utils.set_random_seed(3)
    np.testing.assert_array_equal(np.random.random(3), first)
