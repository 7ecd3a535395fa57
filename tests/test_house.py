"""The budgets of docs/decisions/0023-packages.md, and that every package has its tests."""

from __future__ import annotations

import ast
from pathlib import Path

import statewise

SOURCE = Path(statewise.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
LINES_OF_A_FILE = 400
LINES_OF_CODE = {"core": 20_500, "legacy": 5_000, "recipes": 4_000}


def lines_of_code(file: Path) -> int:
    """Returns how many lines hold code: no blank lines, comments and docstrings."""
    text = file.read_text(encoding="utf-8")
    told = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Expr)]
    strings = [v for v in told if isinstance(v, ast.Constant) and isinstance(v.value, str)]
    prose = {line for value in strings for line in range(value.lineno, (value.end_lineno or value.lineno) + 1)}
    numbered = enumerate(map(str.strip, text.splitlines()), 1)
    return sum(bool(line) and not line.startswith("#") and number not in prose for number, line in numbered)


def package_of(file: Path) -> str:
    package = file.relative_to(SOURCE).parts[0]
    return package if package in LINES_OF_CODE else "core"


def test_files_are_short() -> None:
    lengths = {str(file.relative_to(SOURCE)): len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert {name: length for name, length in lengths.items() if length > LINES_OF_A_FILE} == {}


def test_packages_keep_their_budgets() -> None:
    counted = dict.fromkeys(LINES_OF_CODE, 0)
    for file in FILES:
        counted[package_of(file)] += lines_of_code(file)
    assert {package: lines for package, lines in counted.items() if lines > LINES_OF_CODE[package]} == {}
    assert min(counted.values()) > 1_000  # what is counted is there


def test_every_package_has_tests() -> None:
    packages = {file.parent.name for file in FILES if file.name == "__init__.py" and file.parent.parent == SOURCE}
    tested = {folder.name for folder in Path(__file__).parent.iterdir() if folder.is_dir()}
    assert packages - tested == set()
