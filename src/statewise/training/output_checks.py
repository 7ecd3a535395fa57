"""What a network outputs: whether a loss that compares probabilities, or classes, can use it."""

from __future__ import annotations

from statewise.errors import ConfigurationError
from statewise.layers import Activation, Bidirectional, Dense, Dropout, Layer, SimpleRNN, TimeDistributed
from statewise.layers.masking import Masking
from statewise.layers.recurrent import Recurrent
from statewise.layers.shaping import Shaping
from statewise.network import Network
from statewise.objectives.losses import Loss

PROBABILITIES = ("softmax", "sigmoid", "hard_sigmoid", "hard_sigmoid_keras_2")
"""Activations whose outputs lie between 0 and 1, as a loss that takes logarithms of probabilities needs them."""

POSITIVE = ("exponential", "softplus")
"""Activations whose outputs are positive, which a cross-entropy of classes divides by their sum."""

_ACCEPTED: dict[str, tuple[str, ...]] = {
    "binary_crossentropy": PROBABILITIES,
    "kullback_leibler_divergence": PROBABILITIES,
    "categorical_crossentropy": PROBABILITIES + POSITIVE,
    "sparse_categorical_crossentropy": PROBABILITIES + POSITIVE,
}


def head_of(network: Network) -> tuple[Layer, str] | None:
    """Returns the layer that makes a network's outputs, and the name of its activation.

    Layers that only rearrange, drop or pass on their input are skipped, wrappers are unwrapped. The activation of an
    LSTM or GRU is that of its output. None if the layer is of another kind.
    """
    layer = next((layer for layer in map(_inner, network.from_output) if not _passes_on(layer)), None)
    return (layer, layer.activation) if isinstance(layer, Dense | Activation | Recurrent) else None


def _inner(layer: Layer) -> Layer:
    return _inner(layer.layer) if isinstance(layer, TimeDistributed | Bidirectional) else layer


def _passes_on(layer: Layer) -> bool:
    linear = isinstance(layer, Activation) and layer.activation == "linear"
    return linear or isinstance(layer, Dropout | Masking | Shaping)


def one_output(network: Network, loss: Loss) -> ConfigurationError | None:
    """Returns the error if a network with one output should choose among classes, which it cannot; else None."""
    if network.width != 1:
        return None
    if loss.name in _ACCEPTED and loss.name != "binary_crossentropy":
        return ConfigurationError(
            f"{_called(loss)}: expected an output for each class, got one output, which cannot distinguish "
            "classes; for yes or no write Dense(1, activation='sigmoid') and loss='binary_crossentropy', "
            "for V classes Dense(V, activation='softmax')"
        )
    if _softmax_of_one(network):
        return ConfigurationError(
            "softmax: expected several outputs, got one, whose softmax is always 1; write "
            "Dense(1, activation='sigmoid') with loss='binary_crossentropy' for yes or no, Dense(1) for a number"
        )
    return None


def _softmax_of_one(network: Network) -> bool:
    """Returns whether the one output of a network is a softmax over that output alone."""
    layers = map(_inner, network.from_output)
    last = next((layer for layer in layers if isinstance(layer, Shaping) or not _passes_on(layer)), None)
    return isinstance(last, Dense | Activation | SimpleRNN) and last.activation == "softmax"


def no_probabilities(network: Network, loss: Loss) -> str | None:
    """Returns the warning for a loss that takes logarithms of outputs that are not probabilities; else None."""
    head = head_of(network) if loss.sampling is None else None  # SampledSoftmax refuses any other head
    if loss.name not in _ACCEPTED or head is None or head[1] in _ACCEPTED[loss.name]:
        return None
    layer, found = head
    better = f"activation='{'sigmoid' if loss.name == 'binary_crossentropy' else 'softmax'}'"
    within = isinstance(layer, Dense | Activation)
    write = f"{better} in it" if within else f"another layer after it, Dense({network.width}, {better})"
    return (
        f"loss={loss.name!r} compares probabilities, but the last layer, {type(layer).__name__}, has "
        f"activation={found!r}, which does not output any: write {write}"
    )


def _called(loss: Loss) -> str:
    return f"loss={loss.name!r}" if loss.sampling is None else "SampledSoftmax"
