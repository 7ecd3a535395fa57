"""Layers: frozen descriptions without arrays. Parameters and state go in and come out of every call."""

from typing import TYPE_CHECKING

from statewise.foundation.guard import guard_making, lacking
from statewise.layers.base import Layer as Layer
from statewise.layers.base import Params as Params
from statewise.layers.dense import Activation as Activation
from statewise.layers.dense import Dense as Dense
from statewise.layers.dropout import Dropout as Dropout
from statewise.layers.embedding import Embedding as Embedding
from statewise.layers.gru import GRU as GRU
from statewise.layers.lstm import LSTM as LSTM
from statewise.layers.masking import Masking as Masking
from statewise.layers.regularizers import L1L2 as L1L2
from statewise.layers.shaping import Flatten as Flatten
from statewise.layers.shaping import Permute as Permute
from statewise.layers.shaping import RepeatVector as RepeatVector
from statewise.layers.shaping import Reshape as Reshape
from statewise.layers.simple_rnn import SimpleRNN as SimpleRNN
from statewise.layers.wrappers import Bidirectional as Bidirectional
from statewise.layers.wrappers import TimeDistributed as TimeDistributed

for _kind in (
    *(Activation, Bidirectional, Dense, Dropout, Embedding, Flatten, GRU, L1L2, LSTM, Masking, Permute),
    *(RepeatVector, Reshape, SimpleRNN, TimeDistributed),
):
    guard_making(_kind)

if not TYPE_CHECKING:
    __getattr__ = lacking("statewise.layers", list(globals()))
