"""Layers: frozen descriptions without arrays. Parameters and state go in and come out of every call.

A layer's file has all that is to be known of it: weights, kernels, and what one step computes. Importing it does not
import JAX; the methods that compute do. Each file is imported when the first name is taken from it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from statewise.phrasebook.guard import lacking

if TYPE_CHECKING:
    from statewise.layers.attention import AdditiveAttention as AdditiveAttention
    from statewise.layers.attention import Attention as Attention
    from statewise.layers.attention import AttentionScores as AttentionScores
    from statewise.layers.base import Layer as Layer
    from statewise.layers.base import Params as Params
    from statewise.layers.convolution import Conv1D as Conv1D
    from statewise.layers.dense import Activation as Activation
    from statewise.layers.dense import Dense as Dense
    from statewise.layers.dot import Dot as Dot
    from statewise.layers.dropout import Dropout as Dropout
    from statewise.layers.dropout import GaussianNoise as GaussianNoise
    from statewise.layers.dropout import SpatialDropout1D as SpatialDropout1D
    from statewise.layers.embedding import Embedding as Embedding
    from statewise.layers.final_state import Features as Features
    from statewise.layers.final_state import FinalState as FinalState
    from statewise.layers.gru import GRU as GRU
    from statewise.layers.lambdas import Lambda as Lambda
    from statewise.layers.lstm import LSTM as LSTM
    from statewise.layers.masking import Masking as Masking
    from statewise.layers.merging import Add as Add
    from statewise.layers.merging import Average as Average
    from statewise.layers.merging import Concatenate as Concatenate
    from statewise.layers.merging import Maximum as Maximum
    from statewise.layers.merging import Minimum as Minimum
    from statewise.layers.merging import Multiply as Multiply
    from statewise.layers.merging import Subtract as Subtract
    from statewise.layers.normalization import BatchNormalization as BatchNormalization
    from statewise.layers.normalization import LayerNormalization as LayerNormalization
    from statewise.layers.pooling import AveragePooling1D as AveragePooling1D
    from statewise.layers.pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
    from statewise.layers.pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
    from statewise.layers.pooling import MaxPooling1D as MaxPooling1D
    from statewise.layers.rectifiers import ELU as ELU
    from statewise.layers.rectifiers import LeakyReLU as LeakyReLU
    from statewise.layers.rectifiers import PReLU as PReLU
    from statewise.layers.regularizers import L1L2 as L1L2
    from statewise.layers.repeat_like import RepeatLike as RepeatLike
    from statewise.layers.resizing import UpSampling1D as UpSampling1D
    from statewise.layers.resizing import ZeroPadding1D as ZeroPadding1D
    from statewise.layers.shaping import Flatten as Flatten
    from statewise.layers.shaping import Permute as Permute
    from statewise.layers.shaping import RepeatVector as RepeatVector
    from statewise.layers.shaping import Reshape as Reshape
    from statewise.layers.simple_rnn import SimpleRNN as SimpleRNN
    from statewise.layers.wrappers import Bidirectional as Bidirectional
    from statewise.layers.wrappers import TimeDistributed as TimeDistributed

LAYERS = {
    "Activation": "dense",
    "Add": "merging",
    "AdditiveAttention": "attention",
    "Attention": "attention",
    "AttentionScores": "attention",
    "Average": "merging",
    "AveragePooling1D": "pooling",
    "BatchNormalization": "normalization",
    "Bidirectional": "wrappers",
    "Concatenate": "merging",
    "Conv1D": "convolution",
    "Dense": "dense",
    "Dot": "dot",
    "Dropout": "dropout",
    "ELU": "rectifiers",
    "Embedding": "embedding",
    "Features": "final_state",
    "FinalState": "final_state",
    "Flatten": "shaping",
    "GRU": "gru",
    "GaussianNoise": "dropout",
    "GlobalAveragePooling1D": "pooling",
    "GlobalMaxPooling1D": "pooling",
    "LSTM": "lstm",
    "LayerNormalization": "normalization",
    "LeakyReLU": "rectifiers",
    "Masking": "masking",
    "MaxPooling1D": "pooling",
    "Maximum": "merging",
    "Minimum": "merging",
    "Multiply": "merging",
    "PReLU": "rectifiers",
    "Permute": "shaping",
    "RepeatLike": "repeat_like",
    "RepeatVector": "shaping",
    "Reshape": "shaping",
    "SimpleRNN": "simple_rnn",
    "SpatialDropout1D": "dropout",
    "Subtract": "merging",
    "TimeDistributed": "wrappers",
    "UpSampling1D": "resizing",
    "ZeroPadding1D": "resizing",
}
"""Every layer by the name that a model file calls it, and the file that has its class."""

_HOMES = {**LAYERS, "L1L2": "regularizers", "Lambda": "lambdas", "Layer": "base", "Params": "base"}
"""A Lambda is in no file."""


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            return lacking("statewise.layers", _HOMES)(name)
        value = globals()[name] = getattr(import_module(f"statewise.layers.{_HOMES[name]}"), name)
        return value
