"""Streams: one step in, one answer out, without JAX.

From a network to its step: `composition` joins the operations of the layers, `fused_products` merges matrix products.
For NumPy, `numpy_step` generates a Python function from the operations, with `numpy_activations`. For the native
library, `assembler` generates `instructions` for the interpreter in `native/stream.h`. `engines` chooses one of the
two, and `runtime` is a network with its engine.

From steps to streams: `step_input` checks pushed steps, `numpy_states` and `native_states` hold states and advance
them, `stream` is a single stream, `streams` are many by key in a `slot_table`, `snapshot` saves them to a file, and
`store` keeps them in a database.
"""

from statewise.streaming.runtime import Runtime as Runtime
from statewise.streaming.snapshot import Snapshot as Snapshot
from statewise.streaming.stream import Stream as Stream
from statewise.streaming.streams import Streams as Streams
