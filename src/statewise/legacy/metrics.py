"""keras.metrics."""

from __future__ import annotations

from statewise.legacy.errors import lacking
from statewise.legacy.losses import FUNCTIONS as LOSSES
from statewise.legacy.quantities import Quantity, makers, quantities, read

CLASSES = makers(
    MeanSquaredError="mean_squared_error",
    RootMeanSquaredError="root_mean_squared_error",
    MeanAbsoluteError="mean_absolute_error",
    MeanAbsolutePercentageError="mean_absolute_percentage_error",
    MeanSquaredLogarithmicError="mean_squared_logarithmic_error",
    BinaryAccuracy="binary_accuracy",
    CategoricalAccuracy="categorical_accuracy",
    SparseCategoricalAccuracy="sparse_categorical_accuracy",
    BinaryCrossentropy="binary_crossentropy",
    CategoricalCrossentropy="categorical_crossentropy",
    SparseCategoricalCrossentropy="sparse_categorical_crossentropy",
    TopKCategoricalAccuracy="top_k_categorical_accuracy",
)
FUNCTIONS = LOSSES | quantities(
    "binary_accuracy categorical_accuracy sparse_categorical_accuracy top_k_categorical_accuracy"
    " sparse_top_k_categorical_accuracy"
)
globals().update(FUNCTIONS, **CLASSES)


def get(identifier: object) -> Quantity:
    """Returns the metric of that name."""
    return read("metric", identifier)


__all__ = ["get", *FUNCTIONS, *CLASSES]  # noqa: PLE0604 - all of them text

__getattr__ = lacking("keras.metrics", __all__)
