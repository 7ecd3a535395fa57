"""JAX and the native library: whatever is wrong with one of them, training goes on with XLA's kernels."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from statewise.native.library import library

pytestmark = pytest.mark.skipif(library() is None, reason="the native library is not built")

# A handler that says it needs a newer interface than any jaxlib has. XLA asks with an extension of the call frame; the
# offsets are those of XLA_FFI_Metadata_Extension and XLA_FFI_Metadata in xla/ffi/api/c_api.h.
TOO_NEW = """
import ctypes

def number(address, offset, kind):
    return kind.from_address(address + offset)

@ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
def too_new(frame):
    extension = number(frame, 8, ctypes.c_void_p).value
    metadata = number(extension, 24, ctypes.c_void_p).value
    number(metadata, 24, ctypes.c_int).value = 0
    number(metadata, 28, ctypes.c_int).value = 99
"""

LIBRARY = """
from statewise.native import ffi, self_check
from statewise.native.library import library

class Library:
    def __getattr__(self, name):
        return CHANGED.get(name) or getattr(library(), name)

ffi.library = Library
"""

FIT = """
import numpy as np
import statewise as sw

x = np.random.default_rng(0).normal(size=(20, 6, 3)).astype("float32")
model = sw.Sequential([sw.LSTM(5), sw.Dense(1)])
model.compile("adam", "mse")
history = model.fit(x, x[:, -1, :1], epochs=3, verbose=0)
assert np.isfinite(history.history["loss"]).all()
print("trained;", ffi.reason() or "natively")
"""


def said_by(code: str, **environment: str) -> str:
    """Returns what a process that runs the code prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
        env=os.environ | {"JAX_PLATFORMS": "cpu"} | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_handler_that_is_too_new_leaves_xla_in_place() -> None:
    changed = "CHANGED = {'statewise_gru_forward': too_new}"
    said = said_by("\n".join([TOO_NEW, changed, LIBRARY, FIT]))
    assert said.startswith("trained; JAX ")
    assert "cannot use it" in said


def test_a_library_with_wrong_results_leaves_xla_in_place() -> None:
    wrong = "ffi.difference = lambda _: 0.5"
    said = said_by("\n".join(["CHANGED = {}", LIBRARY, wrong, FIT]))
    assert said == "trained; its results differ from XLA's by 0.5"


def test_turned_off_it_is_not_loaded() -> None:
    code = "from statewise.native import ffi\nfrom statewise.native.library import library, status\n"
    said = said_by(f"{code}{FIT}\nassert library() is None\nprint(status())", STATEWISE_NATIVE="0")
    assert said.splitlines() == [
        "trained; there is no native library",
        "none, since STATEWISE_NATIVE=0 turns it off: training runs on XLA, streams on NumPy",
    ]
