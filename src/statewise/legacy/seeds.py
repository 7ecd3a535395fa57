"""Where a model's randomness comes from: the seed that a script set, for TensorFlow or for NumPy."""

from __future__ import annotations

import random

import numpy as np


class _Chosen:
    seed: int | None = None
    models = 0  # since the seed was set


def set_seed(seed: int) -> None:
    """Makes all models from here on derive from `seed`, as `tf.random.set_seed` did."""
    _Chosen.seed, _Chosen.models = int(seed), 0


def set_random_seed(seed: int) -> None:
    """Seeds Python, NumPy and all models from here on."""
    random.seed(seed)
    np.random.seed(seed)
    set_seed(seed)


def forget_seed() -> None:
    """Makes models derive from NumPy's random numbers again."""
    _Chosen.seed = None


def next_seed() -> int:
    """Returns the seed of the next model: from the seed that was set, or drawn as Keras 2 drew its own, from NumPy."""
    if _Chosen.seed is None:
        return int(np.random.randint(2**31 - 1))
    _Chosen.models += 1
    return int(np.random.default_rng([_Chosen.seed, _Chosen.models]).integers(2**31 - 1))
