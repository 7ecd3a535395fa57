"""statewise: LSTM networks for sequences, with the state as a value.

    y, state = model(x, state)

Importing this package does not import JAX; using the first name that needs it does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from statewise.data.codecs import split_text as split_text
    from statewise.data.lanes import Lanes as Lanes
    from statewise.data.lanes import lanes as lanes
    from statewise.data.windows import Windows as Windows
    from statewise.data.windows import windows as windows
    from statewise.data.word_vectors import WordVectors as WordVectors
    from statewise.data.word_vectors import read_word_vectors as read_word_vectors
    from statewise.diagnostics.plots import plot_history as plot_history
    from statewise.errors import StatewiseError as StatewiseError
    from statewise.errors import StatewiseWarning as StatewiseWarning
    from statewise.foundation.files import read_text as read_text
    from statewise.layers import ELU as ELU
    from statewise.layers import GRU as GRU
    from statewise.layers import L1L2 as L1L2
    from statewise.layers import LSTM as LSTM
    from statewise.layers import Activation as Activation
    from statewise.layers import Add as Add
    from statewise.layers import AdditiveAttention as AdditiveAttention
    from statewise.layers import Attention as Attention
    from statewise.layers import Average as Average
    from statewise.layers import AveragePooling1D as AveragePooling1D
    from statewise.layers import BatchNormalization as BatchNormalization
    from statewise.layers import Bidirectional as Bidirectional
    from statewise.layers import Concatenate as Concatenate
    from statewise.layers import Conv1D as Conv1D
    from statewise.layers import Dense as Dense
    from statewise.layers import Dot as Dot
    from statewise.layers import Dropout as Dropout
    from statewise.layers import Embedding as Embedding
    from statewise.layers import Flatten as Flatten
    from statewise.layers import GaussianNoise as GaussianNoise
    from statewise.layers import GlobalAveragePooling1D as GlobalAveragePooling1D
    from statewise.layers import GlobalMaxPooling1D as GlobalMaxPooling1D
    from statewise.layers import Lambda as Lambda
    from statewise.layers import LayerNormalization as LayerNormalization
    from statewise.layers import LeakyReLU as LeakyReLU
    from statewise.layers import Masking as Masking
    from statewise.layers import Maximum as Maximum
    from statewise.layers import MaxPooling1D as MaxPooling1D
    from statewise.layers import Minimum as Minimum
    from statewise.layers import Multiply as Multiply
    from statewise.layers import Permute as Permute
    from statewise.layers import PReLU as PReLU
    from statewise.layers import RepeatLike as RepeatLike
    from statewise.layers import RepeatVector as RepeatVector
    from statewise.layers import Reshape as Reshape
    from statewise.layers import SimpleRNN as SimpleRNN
    from statewise.layers import SpatialDropout1D as SpatialDropout1D
    from statewise.layers import Subtract as Subtract
    from statewise.layers import TimeDistributed as TimeDistributed
    from statewise.layers import UpSampling1D as UpSampling1D
    from statewise.layers import ZeroPadding1D as ZeroPadding1D
    from statewise.layers.residual import Residual as Residual
    from statewise.layers.tensors import Input as Input
    from statewise.loading import load as load
    from statewise.models.generating import generate as generate
    from statewise.models.model import Model as Model
    from statewise.models.sequential import Sequential as Sequential
    from statewise.objectives.sampled_softmax import SampledSoftmax as SampledSoftmax
    from statewise.optimizers.optimizer import SGD as SGD
    from statewise.optimizers.optimizer import Adadelta as Adadelta
    from statewise.optimizers.optimizer import Adagrad as Adagrad
    from statewise.optimizers.optimizer import Adam as Adam
    from statewise.optimizers.optimizer import Adamax as Adamax
    from statewise.optimizers.optimizer import Nadam as Nadam
    from statewise.optimizers.optimizer import RMSprop as RMSprop
    from statewise.optimizers.schedules import CosineDecay as CosineDecay
    from statewise.optimizers.schedules import ExponentialDecay as ExponentialDecay
    from statewise.optimizers.schedules import InverseTimeDecay as InverseTimeDecay
    from statewise.optimizers.schedules import PiecewiseConstantDecay as PiecewiseConstantDecay
    from statewise.state import State as State
    from statewise.streaming import Stream as Stream
    from statewise.streaming import Streams as Streams
    from statewise.text import TextModel as TextModel
    from statewise.training.callbacks import Callback as Callback
    from statewise.training.history import History as History
    from statewise.training.loggers import CSVLogger as CSVLogger
    from statewise.training.loggers import TensorBoard as TensorBoard
    from statewise.training.monitors import EarlyStopping as EarlyStopping
    from statewise.training.monitors import ModelCheckpoint as ModelCheckpoint

_HOMES = {
    "Activation": "layers",
    "Adadelta": "optimizers.optimizer",
    "Adagrad": "optimizers.optimizer",
    "Adam": "optimizers.optimizer",
    "Adamax": "optimizers.optimizer",
    "Add": "layers",
    "AdditiveAttention": "layers",
    "Attention": "layers",
    "Average": "layers",
    "AveragePooling1D": "layers",
    "BatchNormalization": "layers",
    "Bidirectional": "layers",
    "CSVLogger": "training.loggers",
    "Callback": "training.callbacks",
    "Concatenate": "layers",
    "Conv1D": "layers",
    "CosineDecay": "optimizers.schedules",
    "Dense": "layers",
    "Dot": "layers",
    "Dropout": "layers",
    "ELU": "layers",
    "EarlyStopping": "training.monitors",
    "Embedding": "layers",
    "ExponentialDecay": "optimizers.schedules",
    "Flatten": "layers",
    "GRU": "layers",
    "GaussianNoise": "layers",
    "GlobalAveragePooling1D": "layers",
    "GlobalMaxPooling1D": "layers",
    "History": "training.history",
    "Input": "layers.tensors",
    "InverseTimeDecay": "optimizers.schedules",
    "L1L2": "layers",
    "LSTM": "layers",
    "Lambda": "layers",
    "Lanes": "data.lanes",
    "LayerNormalization": "layers",
    "LeakyReLU": "layers",
    "Masking": "layers",
    "MaxPooling1D": "layers",
    "Maximum": "layers",
    "Minimum": "layers",
    "Model": "models.model",
    "ModelCheckpoint": "training.monitors",
    "Multiply": "layers",
    "Nadam": "optimizers.optimizer",
    "PReLU": "layers",
    "Permute": "layers",
    "PiecewiseConstantDecay": "optimizers.schedules",
    "RMSprop": "optimizers.optimizer",
    "RepeatLike": "layers",
    "RepeatVector": "layers",
    "Reshape": "layers",
    "Residual": "layers.residual",
    "SGD": "optimizers.optimizer",
    "SampledSoftmax": "objectives.sampled_softmax",
    "Sequential": "models.sequential",
    "SimpleRNN": "layers",
    "SpatialDropout1D": "layers",
    "State": "state",
    "StatewiseError": "errors",
    "StatewiseWarning": "errors",
    "Stream": "streaming",
    "Streams": "streaming",
    "Subtract": "layers",
    "TensorBoard": "training.loggers",
    "TextModel": "text",
    "TimeDistributed": "layers",
    "UpSampling1D": "layers",
    "Windows": "data.windows",
    "WordVectors": "data.word_vectors",
    "ZeroPadding1D": "layers",
    "generate": "models.generating",
    "lanes": "data.lanes",
    "load": "loading",
    "plot_history": "diagnostics.plots",
    "read_text": "foundation.files",
    "read_word_vectors": "data.word_vectors",
    "split_text": "data.codecs",
    "windows": "data.windows",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 - all of them text


def __getattr__(name: str) -> Any:
    if name in ("layers", "models", "optimizers"):  # as in Keras
        return import_module(f"statewise.{name}")
    if name not in _HOMES:
        from statewise.phrasebook.guard import lacking

        return lacking("statewise", __all__)(name)
    value = getattr(import_module(f"statewise.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
