"""Builds the native libraries with whatever C++ compiler there is, one for each instruction set."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

SOURCES = Path(__file__).parent
PACKAGE = SOURCES.parent / "src" / "statewise" / "native" / "lib"
"""Where the package finds its libraries; ignored by git."""

COMMON = ["-std=c++17", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-ffp-contract=fast", "-fno-math-errno"]

FLAGS = {
    "x86-64-v3": ["-march=x86-64-v3"],  # AVX2 and FMA
    "x86-64-v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],  # AVX-512
    "aarch64": [],  # NEON is always there
}

INSTRUCTION_SETS = {
    "x86_64": ["x86-64-v3", "x86-64-v4"],
    "amd64": ["x86-64-v3", "x86-64-v4"],
    "aarch64": ["aarch64"],
    "arm64": ["aarch64"],
}
"""Those of each processor, by the names that Python has for it."""


def compiler() -> list[str] | None:
    """Returns the command of the C++ compiler: `$CXX`, or the first of the usual ones; None if it is not there."""
    if chosen := os.environ.get("CXX", "").split():
        return chosen if shutil.which(chosen[0]) else None
    return next(([found] for name in ("g++", "clang++", "c++") if (found := shutil.which(name))), None)


def machine() -> str:
    """Returns the name in `INSTRUCTION_SETS` of this processor, or of the one that `$STATEWISE_PROCESSOR` names."""
    return os.environ.get("STATEWISE_PROCESSOR", platform.machine().lower())


def headers() -> Path | None:
    """Returns the folder of XLA's headers, which jaxlib brings along; without importing it, which takes a second."""
    for path in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *sys.path):
        folder = Path(path) / "jaxlib" / "include"
        if (folder / "xla" / "ffi" / "api" / "ffi.h").exists():
            return folder
    return None


def identity(extra: Sequence[str] = ()) -> str:
    """Returns a name for exactly these sources and options."""
    content = hashlib.sha256(repr((COMMON, FLAGS, tuple(extra))).encode())
    for source in sorted(SOURCES.glob("*.[ch]*")):
        content.update(source.name.encode() + source.read_bytes())
    return content.hexdigest()[:12]


def build(
    folder: Path = PACKAGE,
    command: Sequence[str] | None = None,
    processor: str | None = None,
    options: Sequence[str] = (),
) -> str | None:
    """Builds all libraries of a processor; returns None, or in one line why there are none.

    Args:
        folder: where they go; what was there before is removed.
        command: the compiler; None chooses one.
        processor: which one, such as "x86_64"; None is this one.
        options: of the compiler, beyond the usual ones.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    reason = _build(folder, command or compiler(), processor or machine(), options)
    if reason:
        for library in folder.glob("*.so"):
            library.unlink()
        (folder / "missing.txt").write_text(reason + "\n")
    return reason


def _build(folder: Path, command: Sequence[str] | None, processor: str, options: Sequence[str]) -> str | None:
    include = headers()
    if os.environ.get("STATEWISE_NATIVE") == "0":
        return "STATEWISE_NATIVE=0 was set when statewise was installed"
    if processor not in INSTRUCTION_SETS or os.name != "posix":
        return f"none is made for {platform.system()} on {processor}"
    if command is None:
        return "no C++ compiler was found when statewise was installed"
    if include is None:
        return "XLA's headers were not found when statewise was installed"
    common = [*command, *COMMON, "-isystem", str(include), *options]
    jobs = {"processor": [*common, str(SOURCES / "processor.cpp")]}
    for name in INSTRUCTION_SETS[processor]:
        flags = _as_zig_spells(FLAGS[name]) if "ziglang" in command else FLAGS[name]
        known_as = [f'-DSTATEWISE_INSTRUCTIONS="{name}"', f'-DSTATEWISE_IDENTITY="{identity(options)}"']
        jobs[name] = [*common, *flags, *known_as, str(SOURCES / "library.cpp")]
    # pip's isolation would hide Zig, if that is the compiler, from its own Python.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    running = {
        name: subprocess.Popen(
            [*job, "-o", str(folder / f"{name}.so")], stderr=subprocess.PIPE, text=True, env=environment
        )
        for name, job in jobs.items()
    }
    failed = {
        name: error for name, process in running.items() if (error := process.communicate()[1]) and process.returncode
    }
    for name, error in failed.items():
        print(f"{name}: {error}")
    return f"{command[0]} could not compile it when statewise was installed" if failed else None


def _as_zig_spells(flags: Sequence[str]) -> list[str]:
    """Returns flags for `python -m ziglang c++`, which also strips its library: it contains the C++ runtime."""
    return ["-s", *(flag.replace("-march=x86-64-", "-mcpu=x86_64_") for flag in flags)]
