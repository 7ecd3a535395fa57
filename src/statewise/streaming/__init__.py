"""Streams: one step in, one answer out, without JAX.

`composition` makes one step of operations of a network's layers, `products` puts those together that are one product.
`numpy_step` writes a step in NumPy of that, with `activations`; `assembler` one of numbers, `instructions`, for the
compiled step in `machine`, of `functions` and `vectors`. `engines` says which of the two it is, `runtime` is a network
with both, `steps` has the checks of what is pushed. `in_numpy` and `in_numba` keep states and advance them, `stream` is
a single stream, `streams` are many by key, `snapshot` keeps those in a file.
"""

from statewise.streaming.runtime import Runtime as Runtime
from statewise.streaming.snapshot import Snapshot as Snapshot
from statewise.streaming.stream import Stream as Stream
from statewise.streaming.streams import Streams as Streams
