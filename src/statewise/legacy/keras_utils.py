"""keras.utils, and the modules below it."""

from __future__ import annotations

from statewise.legacy.categories import categorical_probas_to_classes, normalize, probas_to_classes, to_categorical
from statewise.legacy.download import get_file
from statewise.legacy.errors import lacking
from statewise.legacy.seeds import set_random_seed
from statewise.legacy.sequence import Sequence, pad_sequences

__all__ = [
    "Sequence",
    "categorical_probas_to_classes",
    "get_file",
    "normalize",
    "pad_sequences",
    "probas_to_classes",
    "set_random_seed",
    "to_categorical",
]

__getattr__ = lacking("keras.utils", __all__)
