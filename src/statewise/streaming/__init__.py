"""Streams: one step in, one answer out, without JAX.

`cells` has the arithmetic of the layers in NumPy, `runtime` a network made of them, `steps` the checks of what is
pushed. `instructions` has a network as numbers, `machine` the compiled step that reads them, of `functions` and
`vectors`; `engines` says which of the two it is. `in_numpy` and `in_numba` keep states and advance them, `stream` is
a single stream, `streams` are many by key, `snapshot` keeps those in a file.
"""

from statewise.streaming.runtime import Runtime as Runtime
from statewise.streaming.snapshot import Snapshot as Snapshot
from statewise.streaming.stream import Stream as Stream
from statewise.streaming.streams import Streams as Streams
