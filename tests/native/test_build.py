"""What a build puts into wheels and source archives, with stand-ins for the compiler: the true one takes too long."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

COMPILES = '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho library > "$2"\n'
FAILS = "#!/bin/sh\necho 'In file included from a.h:' >&2\necho 'b.h:1: error: expected ;' >&2\nexit 1\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the repository with what a build reads, and two compilers."""
    copy = tmp_path / "project"
    package = copy / "src" / "statewise"
    shutil.copytree(ROOT / "native", copy / "native", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "src" / "statewise" / "native", package / "native", ignore=shutil.ignore_patterns("lib"))
    shutil.copy(ROOT / "src" / "statewise" / "__init__.py", package)
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name, script in {"compiles": COMPILES, "fails": FAILS}.items():
        (copy / name).write_text(script)
        (copy / name).chmod(0o755)
    return copy


def answer(project: Path, call: str, **environment: str) -> str:
    """Returns what a hook of the build backend returns, or the last line of its error."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STATEWISE_")}
    done = subprocess.run(
        [sys.executable, "-c", f"import build_backend\nprint(build_backend.{call})"],
        cwd=project,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env=inherited | {"PYTHONPATH": os.pathsep.join([str(project / "native"), *sys.path[1:]])} | environment,
    )
    return (done.stderr if done.returncode else done.stdout).splitlines()[-1]


def wheel(project: Path, **environment: str) -> tuple[str, set[str], str]:
    """Builds a wheel; returns its tag, the libraries in it, and why there are none."""
    name = answer(project, "build_wheel('.')", **environment)
    with zipfile.ZipFile(project / name) as archive:
        files = {Path(file).name: file for file in archive.namelist() if "/native/lib/" in file}
        reason = archive.read(files["missing.txt"]).decode().strip() if "missing.txt" in files else ""
    return name.removesuffix(".whl").split("-", 2)[2], files.keys() - {"missing.txt"}, reason


def test_a_wheel_has_the_libraries_of_its_own_platform(project: Path) -> None:
    """Also where earlier builds, for other platforms, left theirs."""
    compiler = str(project / "compiles")
    assert wheel(project, CXX=compiler, STATEWISE_PLATFORM="manylinux_2_28_x86_64") == (
        "py3-none-manylinux_2_28_x86_64",
        {"processor.so", "x86-64-v3.so", "x86-64-v4.so"},
        "",
    )
    assert wheel(project, CXX=compiler, STATEWISE_PLATFORM="manylinux_2_28_aarch64") == (
        "py3-none-manylinux_2_28_aarch64",
        {"processor.so", "aarch64.so"},
        "",
    )
    without = "no C++ compiler was found when statewise was installed"
    assert wheel(project, CXX=str(project / "missing")) == ("py3-none-any", set(), without)


def test_a_wheel_is_pure_python_if_the_compiler_fails(project: Path) -> None:
    tag, libraries, reason = wheel(project, CXX=str(project / "fails"))
    assert (tag, libraries) == ("py3-none-any", set())
    assert reason.endswith("fails could not compile it when statewise was installed (b.h:1: error: expected ;)")


def test_a_platform_that_was_asked_for_must_be_built(project: Path) -> None:
    said = answer(project, "build_wheel('.')", CXX=str(project / "fails"), STATEWISE_PLATFORM="manylinux_2_28_x86_64")
    assert said.startswith("RuntimeError: there is no native library for manylinux_2_28_x86_64: ")
    said = answer(project, "build_wheel('.')", CXX=str(project / "compiles"), STATEWISE_PLATFORM="vax")
    assert said == "RuntimeError: there is no native library for vax: none is made for vax"


def test_headers_are_downloaded_only_to_be_compiled(project: Path) -> None:
    hook = "get_requires_for_build_wheel()"
    asked = {"CXX": str(project / "compiles"), "STATEWISE_PLATFORM": "linux_x86_64"}
    assert "jaxlib==0.10.0" in answer(project, hook, **asked)
    without = [
        {"CXX": str(project / "missing")},
        {"STATEWISE_PLATFORM": "windows_amd64"},
        {"STATEWISE_NATIVE": "0"},
    ]
    for changed in without:
        assert "jaxlib" not in answer(project, hook, **(asked | changed))


def test_a_source_archive_can_be_built_from(project: Path) -> None:
    library = project / "src" / "statewise" / "native" / "lib" / "x86-64-v3.so"
    library.parent.mkdir()
    library.write_text("of this machine")
    name = answer(project, "build_sdist('.')")
    with tarfile.open(project / name) as archive:
        files = {Path(*Path(file).parts[1:]) for file in archive.getnames()}
    sources = {file.relative_to(project) for file in (project / "native").iterdir() if file.is_file()}
    assert {Path("native/library.cpp"), Path("native/build_backend.py"), Path("native/tile.h")} <= sources
    assert {file for file in sources if file.suffix in {".cpp", ".h", ".py"}} <= files
    assert library.relative_to(project) not in files
