"""Streams: one step in, one answer out, without JAX.

`cells` has the arithmetic of LSTM and GRU in NumPy, `runtime` a network made of them, `steps` the checks of what is
pushed, `streams` a single stream and many by key.
"""

from statewise.streaming.runtime import Runtime as Runtime
from statewise.streaming.streams import Snapshot as Snapshot
from statewise.streaming.streams import Stream as Stream
from statewise.streaming.streams import Streams as Streams
