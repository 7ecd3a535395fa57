"""What statewise asks of JAX: compiled programs that outlive the process, and arrays that need no program."""

from __future__ import annotations

import math
import warnings
from contextlib import suppress
from typing import Any

import jax
import numpy as np

from statewise.draws import Key
from statewise.forks import is_forked
from statewise.program_cache import ProgramCache

WORTH_KEEPING_SECONDS = 0.2
"""Programs that compile faster than this are not written to the cache."""


def keep_compiled_programs() -> None:
    """Turns JAX's compilation cache on, unless the program that imports us chose a folder itself.

    What goes wrong with it costs time and nothing else, so that nobody is told: a folder that cannot be made leaves the
    cache off, one that cannot be written to is read, an entry that cannot be read is compiled.
    """
    if jax.config.values["jax_compilation_cache_dir"] is not None:
        return
    try:
        cache = ProgramCache.of_user()
    except RuntimeError:  # the user has no home
        return
    if not cache.make():
        return
    with suppress(OSError):
        cache.tidy()
    jax.config.update("jax_compilation_cache_dir", str(cache.folder))
    worth = WORTH_KEEPING_SECONDS if cache.writable else math.inf
    jax.config.update("jax_persistent_cache_min_compile_time_secs", worth)
    jax.config.update("jax_persistent_cache_enable_xla_caches", "none")  # autotuning caches are for GPUs alone
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache", UserWarning)


def on_device(arrays: Any) -> Any:
    """Returns arrays of NumPy's, nested in any way, as those of JAX's device; as they are in a forked process."""
    return arrays if is_forked() else jax.device_put(arrays)


def zeros(*shape: int) -> jax.Array:
    """Returns what `jax.numpy.zeros(shape)` returns, without compiling a program for it."""
    return on_device(np.broadcast_to(np.zeros((), jax.dtypes.canonicalize_dtype(float)), shape))


def jax_key(key: Key) -> jax.Array:
    """Returns a key of `draws` as one of JAX's, whatever its default generator, without compiling a program for it."""
    return jax.random.wrap_key_data(jax.device_put(key), impl="threefry2x32")
