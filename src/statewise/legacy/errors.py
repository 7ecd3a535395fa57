"""What statewise does not support of Keras: one honest sentence for each name, raised when a script uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from statewise.errors import StatewiseError, nearest
from statewise.legacy.namespace import submodule
from statewise.phrasebook import reasons
from statewise.phrasebook.names import SHARED


class UnsupportedError(StatewiseError, AttributeError):
    """Something in Keras that statewise does not support; the message says what to write instead.

    It is an AttributeError, so that `hasattr` and `from keras.layers import ...` follow Python's own rules.
    """


TRAINABLE = "all weights are trained; leave it out"
CONSTRAINT = f"{reasons.CONSTRAINT.reason}; write kernel_regularizer=l2(...), or clipnorm= in the optimizer"
FUNCTIONAL = "the functional Model(inputs, outputs) is planned; a stack of layers is Sequential([...])"

_SENTENCES = {
    "GaussianNoise GaussianDropout AlphaDropout": "write Dropout(rate) instead",
    "LeakyReLU PReLU ELU ThresholdedReLU ParametricSoftplus SReLU": (
        "write Activation('relu') or Activation('elu') instead"
    ),
    "Model Graph clone_model": FUNCTIONAL,
    "Conv1D Convolution1D AtrousConvolution1D MaxPooling1D AveragePooling1D MaxPool1D AvgPool1D GlobalMaxPooling1D"
    " GlobalAveragePooling1D GlobalMaxPool1D GlobalAvgPool1D UpSampling1D ZeroPadding1D": (
        "in scripts for Keras it is not supported yet; leave it out, since a recurrent layer reads the steps itself"
    ),
    "LayerNormalization BatchNormalization": (
        "in scripts for Keras it is not supported yet; leave the layer out and scale the data"
    ),
    "Merge merge Concatenate concatenate Add add Multiply multiply Average average Maximum maximum Dot"
    " dot Subtract subtract Attention AdditiveAttention": (
        "models with branches are not supported yet; a stack of layers is Sequential([...])"
    ),
    "Lambda Layer InputSpec Wrapper Recurrent RNN StackedRNNCells LSTMCell GRUCell SimpleRNNCell": (
        "custom layers are not supported; docs/legacy.md lists the supported layers"
    ),
    "image ImageDataGenerator load_img img_to_array": "statewise learns from sequences, not from images",
    "multi_gpu_model distribute": "the devices are found without it; remove the line",
    "constraints": CONSTRAINT,
    "placeholder": ("there are no graphs and no sessions; compile and fit do all the work, so remove the line"),
    "GradientTape gradients": "fit differentiates the loss by itself; write model.compile(...) and model.fit(...)",
    "estimator": "write Sequential([...]), then compile and fit",
    "plot_model model_to_dot": "write model.summary(), which prints the layers",
    "HDF5Matrix": "read the array with h5py and pass it to fit",
    "ActivityRegularization": "write kernel_regularizer= on the layer before it",
    "RemoteMonitor": "write CSVLogger(path), which keeps the same numbers in a file",
    "theano_backend th": "statewise needs no Theano; remove the line",
}

ADVICE: dict[str, str] = {name: answer.reason for name, answer in SHARED.items()} | {
    name: sentence for names, sentence in _SENTENCES.items() for name in names.split()
}
"""What to write instead of well-known names of Keras, wherever in Keras they are looked for."""


def unsupported(name: str, advice: str) -> UnsupportedError:
    """Returns the error for something in Keras that is not supported.

    >>> print(unsupported("keras.layers.Conv1D", "write LSTM"))
    keras.layers.Conv1D is not supported: write LSTM
    """
    return UnsupportedError(f"{name} is not supported: {advice}")


def not_there(name: str, described: str, advice: str) -> AttributeError:
    """Returns the error for an attribute, described to users, that an object of Keras's lacks here.

    For a private name, which Python's protocols ask for, that is an AttributeError and no more.
    """
    return AttributeError(name) if name.startswith("_") else unsupported(described, advice)


def absent(module: str, name: str, known: Iterable[str]) -> UnsupportedError:
    """Returns the error for a `name` missing from Keras's `module`: its advice, or the closest known name.

    >>> print(absent("keras.layers", "LSTMM", ["LSTM", "Dense"]))
    keras.layers has no LSTMM; did you mean LSTM?
    """
    if name in ADVICE:
        return unsupported(f"{module}.{name}", ADVICE[name])
    close = nearest(name, [candidate for candidate in known if not candidate.startswith("_")], count=1)
    hint = f"; did you mean {close[0]}?" if close else " that statewise supports; docs/legacy.md lists what there is"
    return UnsupportedError(f"{module} has no {name}{hint}")


def lacking(module: str, known: Iterable[str]) -> Callable[[str], Any]:
    """Returns the `__getattr__` of the module that answers for Keras's `module`, of which `known` are the names.

    It answers the modules below, as `keras.layers.core`, and raises for everything else.

    Raises:
        UnsupportedError: when called with a name that is not there.
    """

    def look_up(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        below = submodule(module, name)
        if below is not None:
            return import_module(below)
        raise absent(module, name, known)

    return look_up
