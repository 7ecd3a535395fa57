"""keras.losses, and keras.objectives of Keras 1."""

from __future__ import annotations

from statewise.legacy.errors import lacking
from statewise.legacy.quantities import Quantity, makers, quantities, read

FUNCTIONS = quantities(
    "mean_squared_error mse MSE mean_absolute_error mae MAE mean_absolute_percentage_error mape MAPE"
    " mean_squared_logarithmic_error msle MSLE squared_hinge hinge categorical_hinge logcosh log_cosh"
    " categorical_crossentropy sparse_categorical_crossentropy binary_crossentropy huber huber_loss poisson"
    " kullback_leibler_divergence kl_divergence kld KLD cosine_proximity cosine_similarity cosine"
)
CLASSES = makers(
    MeanSquaredError="mean_squared_error",
    MeanAbsoluteError="mean_absolute_error",
    MeanAbsolutePercentageError="mean_absolute_percentage_error",
    MeanSquaredLogarithmicError="mean_squared_logarithmic_error",
    BinaryCrossentropy="binary_crossentropy",
    CategoricalCrossentropy="categorical_crossentropy",
    SparseCategoricalCrossentropy="sparse_categorical_crossentropy",
    Hinge="hinge",
    SquaredHinge="squared_hinge",
    CategoricalHinge="categorical_hinge",
    Huber="huber",
    LogCosh="logcosh",
    Poisson="poisson",
    KLDivergence="kullback_leibler_divergence",
    CosineSimilarity="cosine_similarity",
)
globals().update(FUNCTIONS, **CLASSES)


def get(identifier: object) -> Quantity:
    """Returns the loss of that name."""
    return read("loss", identifier)


__all__ = ["get", *FUNCTIONS, *CLASSES]  # noqa: PLE0604 - all of them text

__getattr__ = lacking("keras.losses", __all__)
