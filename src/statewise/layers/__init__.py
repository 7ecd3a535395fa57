"""Layers: frozen descriptions without arrays. Parameters and state go in and come out of every call."""

from statewise.layers.base import Layer as Layer
from statewise.layers.base import LayerState as LayerState
from statewise.layers.base import Params as Params
from statewise.layers.dense import Activation as Activation
from statewise.layers.dense import Dense as Dense
from statewise.layers.embedding import Embedding as Embedding
from statewise.layers.recurrent import LSTM as LSTM
from statewise.layers.regularisation import Dropout as Dropout

LAYERS: dict[str, type[Layer]] = {layer.__name__: layer for layer in (Activation, Dense, Dropout, Embedding, LSTM)}
"""Every layer by the name that a model file calls it."""
