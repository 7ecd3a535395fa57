"""Builds the native libraries with whatever C++ compiler there is, one for each instruction set."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

SOURCES = Path(__file__).parent
PACKAGE = SOURCES.parent / "src" / "statewise" / "native" / "lib"
"""Where the package finds its libraries; ignored by git."""

COMMON = ["-std=c++17", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-ffp-contract=fast"]
COMMON += ["-fno-math-errno", "-fno-exceptions"]

RUNTIME = ["-static-libstdc++", "-static-libgcc", "-Wl,--exclude-libs,ALL"]
"""Puts the C++ runtime into the library: the one that Python has loaded, such as Conda's, may be older."""

FLAGS = {
    "x86-64-v3": ["-march=x86-64-v3"],  # AVX2 and FMA
    "x86-64-v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],  # AVX-512
    "aarch64": [],  # NEON is always there
}

INSTRUCTION_SETS = {
    "linux_x86_64": ["x86-64-v3", "x86-64-v4"],
    "linux_aarch64": ["aarch64"],
    "manylinux_2_28_x86_64": ["x86-64-v3", "x86-64-v4"],
    "manylinux_2_28_aarch64": ["aarch64"],
    "macosx_11_0_arm64": ["aarch64"],
}
"""Those of each platform, by its tag in the name of a wheel."""


def target() -> str:
    """Returns the tag of the platform to build for: `$STATEWISE_PLATFORM`, or this one."""
    here = f"{platform.system().lower()}_{platform.machine().lower()}"
    return os.environ.get("STATEWISE_PLATFORM", "macosx_11_0_arm64" if here == "darwin_arm64" else here)


def compiler() -> list[str] | None:
    """Returns the command of the C++ compiler: `$CXX`, or the first of the usual ones; None if it is not there."""
    if chosen := shlex.split(os.environ.get("CXX", "")):
        return chosen if shutil.which(chosen[0]) else None
    return next(([found] for name in ("g++", "clang++", "c++") if (found := shutil.which(name))), None)


def obstacle() -> str | None:
    """Returns in one line why no library can be built, apart from missing headers; None if it can."""
    if os.environ.get("STATEWISE_NATIVE") == "0":
        return "STATEWISE_NATIVE=0 was set when statewise was installed"
    if target() not in INSTRUCTION_SETS:
        return f"none is made for {target()}"
    if compiler() is None:
        return "no C++ compiler was found when statewise was installed"
    return None


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


def build(folder: Path = PACKAGE, options: Sequence[str] = ()) -> str | None:
    """Builds all libraries of the target; returns None, or in one line why there are none.

    Args:
        folder: where they go; what was there before is removed.
        options: of the compiler, beyond the usual ones.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    reason = obstacle() or _build(folder, options)
    if reason:
        for library in folder.glob("*.so"):
            library.unlink()
        (folder / "missing.txt").write_text(reason + "\n")
    return reason


def _build(folder: Path, options: Sequence[str]) -> str | None:
    command, include = compiler() or [], headers()
    if include is None:
        return "XLA's headers were not found when statewise was installed"
    zig = "ziglang" in command
    common = [*command, *COMMON, "-isystem", str(include), *(["-s"] if zig else []), *options]
    if target().startswith("macosx"):
        common.append("-mmacosx-version-min=11.0")
    processor = [*common, str(SOURCES / "processor.cpp"), "-o", str(folder / "processor.so")]
    if not _errors({"processor": [*processor, *RUNTIME]}):
        common += RUNTIME  # Fedora's compiler comes without the static runtime, Apple's and Zig's need no option
    jobs = {"processor": processor}
    for name in INSTRUCTION_SETS[target()]:
        flags = [flag.replace("-march=x86-64-", "-mcpu=x86_64_") if zig else flag for flag in FLAGS[name]]
        known_as = [f'-DSTATEWISE_INSTRUCTIONS="{name}"', f'-DSTATEWISE_IDENTITY="{identity(options)}"']
        jobs[name] = [*common, *flags, *known_as, str(SOURCES / "library.cpp"), "-o", str(folder / f"{name}.so")]
    failed = _errors(jobs)
    for name, error in failed.items():
        print(f"{name}: {error}")
    if not failed:
        return None
    lines = next(iter(failed.values())).splitlines()
    first = next((line for line in lines if "error" in line), lines[0] if lines else "it said nothing")
    return f"{command[0]} could not compile it when statewise was installed ({first.strip()})"


def _errors(jobs: dict[str, list[str]]) -> dict[str, str]:
    """Runs commands at the same time; returns what those that failed printed."""
    # pip's isolation would hide Zig, if that is the compiler, from its own Python.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    running = {
        name: subprocess.Popen(job, stderr=subprocess.PIPE, text=True, env=environment) for name, job in jobs.items()
    }
    printed = {name: process.communicate()[1] for name, process in running.items()}
    return {name: printed[name] for name, process in running.items() if process.returncode}
