"""Builds the native libraries with every warning an error and with sanitizers, and runs their tests on them.

`make native-check` runs it. AddressSanitizer and UndefinedBehaviorSanitizer end a test at the first read or write
outside an array, overflow, or misaligned access.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from compiler import INSTRUCTION_SETS, build, compiler, machine

STRICT = ["-Wall", "-Wextra", "-Werror"]
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g", "-O1"]
TESTS = ["tests/native", "tests/kernels/test_native_kernels.py", "tests/streaming"]


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
        return max(_test(sanitized / f"{name}.so", command) for name in INSTRUCTION_SETS[machine()])


def _test(library: Path, command: list[str]) -> int:
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
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    return subprocess.run(tests, check=False, env=os.environ | environment).returncode


if __name__ == "__main__":
    sys.exit(main())
