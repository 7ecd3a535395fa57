"""Layers: frozen descriptions without arrays. Parameters and state go in and come out of every call."""

from statewise.layers.base import Layer as Layer
from statewise.layers.base import Params as Params
from statewise.layers.dense import Activation as Activation
from statewise.layers.dense import Dense as Dense
from statewise.layers.embedding import Embedding as Embedding
from statewise.layers.masking import Masking as Masking
from statewise.layers.recurrent import GRU as GRU
from statewise.layers.recurrent import LSTM as LSTM
from statewise.layers.regularisation import Dropout as Dropout
from statewise.layers.wrappers import Bidirectional as Bidirectional
from statewise.layers.wrappers import TimeDistributed as TimeDistributed
