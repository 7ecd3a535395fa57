"""Builds the native libraries with every warning an error and with sanitizers, and runs their tests on them.

`make native-check` runs it. AddressSanitizer and UndefinedBehaviorSanitizer end a test at the first read or write
outside an array, overflow, or misaligned access.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from compiler import INSTRUCTION_SETS, build, compiler, target

STRICT = ["-Wall", "-Wextra", "-Werror"]
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g", "-O1"]
LOADS = "import sys; from statewise.native.library import library, status; sys.exit(library() is None and status())"
TESTS = ["tests/native", "tests/kernels/test_native_kernels.py", "tests/optimizers/test_native_adam.py"]
TESTS += ["tests/streaming", "tests/text/test_generation.py"]


def main() -> int:
    """Returns the exit status: 0 if all is well."""
    command = compiler()
    if command is None:
        print("native-check: there is no C++ compiler")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        if reason := build(Path(folder) / "strict", options=STRICT):
            print(f"native-check: {reason}")
            return 1
        sanitized = Path(folder) / "sanitized"
        if reason := build(sanitized, options=SANITIZED):
            print(f"native-check: {reason}")
            return 1
        runnable = _runnable(Path(folder) / "strict" / "processor.so")
        return 0 if all(_passes(sanitized / f"{name}.so", command) for name in runnable) else 1


def _runnable(processor: Path) -> list[str]:
    """Returns the instruction sets that this processor has, of those that are built."""
    best = ctypes.CDLL(str(processor)).statewise_instructions
    best.restype = ctypes.c_char_p
    built = INSTRUCTION_SETS[target()]
    return built[: built.index(best().decode()) + 1]


def _passes(library: Path, command: list[str]) -> bool:
    """Runs the tests on a library; the sanitizers must be loaded before Python's own libraries."""
    print(f"native-check: {library.stem} with sanitizers")
    found = [
        subprocess.run(
            [*command, f"-print-file-name={name}"], check=True, capture_output=True, text=True
        ).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    environment = {
        "LD_PRELOAD": " ".join(found),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own
        "STATEWISE_NATIVE": str(library),
        "STATEWISE_CACHE": str(library.parent / "cache"),
    }
    loads = [sys.executable, "-c", LOADS]
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    return all(not subprocess.run(run, check=False, env=os.environ | environment).returncode for run in (loads, tests))


if __name__ == "__main__":
    sys.exit(main())
