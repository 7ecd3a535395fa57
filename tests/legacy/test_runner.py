"""Scripts as `statewise run` runs them: like Python, with statewise's one-line answers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from statewise.errors import ConfigurationError, FileError
from statewise.legacy import dialect
from statewise.legacy.runner import run_script

Outcome = tuple[int, str, str]
Run = Callable[..., Outcome]

OLD = "from statewise.legacy.spellings import note\nnote('nb_epoch=', 'fit(epochs=...)')\n"
LISTED = "1 old spelling was used; in statewise, write:\n  line 2   nb_epoch=  fit(epochs=...)\n"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def written(source: str | bytes, *arguments: str, quiet: bool = False, fix_print: bool = False) -> Outcome:
        path = tmp_path / "tutorial.py"
        path.write_bytes(source if isinstance(source, bytes) else source.encode())
        status = run_script(path, arguments, quiet=quiet, fix_print=fix_print)
        return status, *capsys.readouterr()

    return written


def test_a_script_finds_what_python_gives_it(run: Run, tmp_path: Path) -> None:
    source = "import sys\nif __name__ == '__main__':\n    print(__file__, sys.argv, sys.path[0], __doc__, sep='|')\n"
    path = str(tmp_path / "tutorial.py")
    arguments = ("--help", "7")
    assert run(source, *arguments) == (0, f"{path}|{[path, *arguments]}|{tmp_path}|None\n", "")
    assert run("import __main__\nx = 7\nprint(__main__.x)") == (0, "7\n", "")


def test_nothing_is_left_behind(run: Run, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("x = 7")
    before = (sys.argv, list(sys.path), sys.modules["__main__"], list(sys.meta_path), dialect.current())
    modules = set(sys.modules)
    for end in ("", "1 / 0", "sys.exit(5)"):
        run(f"import sys, helper, keras.regularizers\nprint(helper.x, nb_epoch=1) if 0 else 0\nsys.path = []\n{end}")
    assert (sys.argv, list(sys.path), sys.modules["__main__"], list(sys.meta_path), dialect.current()) == before
    assert not {"helper", "keras", "keras.regularizers"} & set(sys.modules)
    assert modules <= set(sys.modules)


def test_each_script_has_helpers_of_its_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("x = 1")
    assert run("import helper; print(helper.x)")[1] == "1\n"
    (tmp_path / "helper.py").write_text("x = 'second'")
    assert run("import helper; print(helper.x)")[1] == "second\n"


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        ("", (0, "")),
        ("exit", (0, "")),
        ("exit(0)", (0, "")),
        ("exit(3)", (3, "")),
        ("exit(True)", (1, "")),
        ("exit('no data')", (1, "no data\n")),
        ("raise KeyboardInterrupt", (130, "\nstatewise: interrupted\n")),
    ],
)
def test_a_script_ends_with_its_own_status(run: Run, end: str, outcome: tuple[int, str]) -> None:
    status, out, err = run(f"from sys import exit\nprint('said')\n{end}{'()' if end == 'exit' else ''}")
    assert (status, err) == outcome
    assert out == "said\n"


def test_an_exception_shows_the_script_and_nothing_above_it(run: Run) -> None:
    status, out, err = run("def f():\n    return {}['key']\n\nprint('said')\nf()\n")
    assert (status, out) == (1, "said\n")
    assert err.startswith("Traceback (most recent call last):\n  File")
    assert [line.split(", ")[1] for line in err.splitlines() if "File" in line] == ["line 5", "line 2"]
    assert err.endswith("\nKeyError: 'key'\n")
    assert "runner.py" not in err


def test_chained_exceptions_show_both(run: Run) -> None:
    err = run("try:\n    {}['a']\nexcept KeyError as error:\n    raise ValueError('b') from error\n")[2]
    assert err.count("Traceback") == 2
    assert "runner.py" not in err


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("xrange(3)", "statewise: `xrange` is Python 2; write range\n"),
        ("import time; time.clock()", "statewise: time.clock has moved since; write time.perf_counter()\n"),
    ],
)
def test_names_that_have_gone_get_a_hint(run: Run, line: str, hint: str) -> None:
    status, _, err = run(line)
    assert status == 1
    assert err.endswith(hint)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("import keras\n\nkeras.layers.Conv1D(3)", "tutorial.py line 3"),
        ("def f():\n    g()\ndef g():\n    import keras\n    keras.layers.Conv1D\nf()", "tutorial.py line 5"),
        ("import helper\nhelper.build()", "helper.py line 3"),
        ("from keras.layers import Conv1D\nConv1D()", "tutorial.py line 2"),
    ],
)
def test_what_statewise_refuses_is_one_line_with_its_place(run: Run, tmp_path: Path, source: str, place: str) -> None:
    (tmp_path / "helper.py").write_text("def build():\n    import keras\n    keras.layers.Conv1D\n")
    status, out, err = run(source)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"statewise: {place}: keras.layers.Conv1D is not supported: ")


@pytest.mark.parametrize(("end", "status"), [("", 0), ("exit(3)", 3), ("1 / 0", 1), ("import keras; keras.x", 2)])
def test_old_spellings_are_listed_at_the_end_whatever_it_is(run: Run, end: str, status: int) -> None:
    source = OLD + "from sys import exit\n" + end
    assert run(source)[0] == status
    assert run(source)[2].endswith(LISTED)
    assert "old spelling" not in run(source, quiet=True)[2]


def test_the_dialect_is_the_scripts(run: Run) -> None:
    source = "from statewise.legacy.dialect import current\nprint(current().name)\n"
    assert run(source)[1] == "tf.keras\n"
    assert run(source + "import keras")[1] == "keras2\n"
    assert run(source + "dict(nb_epoch=1)")[1] == "keras1\n"


def test_print_statements_are_named_or_taken(run: Run) -> None:
    source = "x = 7\nif x: print x,\nprint 'is seven'\n1 / 0\n"
    with pytest.raises(ConfigurationError) as caught:
        run(source)
    advice = 'run with --fix-print, or write print(x, end=" ")'
    assert str(caught.value) == f"tutorial.py line 2: `print x,` is Python 2; {advice}"
    status, out, err = run(source, fix_print=True)
    assert (status, out) == (1, "7 is seven\n")
    assert "line 4" in err


def test_a_script_of_python_3_is_run_as_it_is(run: Run) -> None:
    assert run("print ('a', 1)", fix_print=True) == (0, "a 1\n", "")


def test_print_to_a_file_is_named_although_python_3_parses_it(run: Run) -> None:
    with pytest.raises(ConfigurationError, match=r"line 2: `print >>sys.stderr, 7` is Python 2; .*file=sys.stderr"):
        run("import sys\nprint >>sys.stderr, 7")


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("x = 1\ny = = 2\n", "line 2", "SyntaxError: invalid syntax\n"),
        ("try:\n    x\nexcept KeyError, e:\n    pass\n", "line 3", "statewise: `except X, e:` is Python 2;"),
        ("if 1:\nx = 2\n", "line 2", "IndentationError:"),
    ],
)
def test_other_mistakes_are_shown_as_python_shows_them(run: Run, source: str, line: str, said: str) -> None:
    status, out, err = run(source)
    assert (status, out) == (1, "")
    assert err.startswith("  File")
    assert f'tutorial.py", {line}\n' in err
    assert "^" in err
    assert said in err


def test_mixed_tabs_and_spaces_are_named(run: Run) -> None:
    with pytest.raises(ConfigurationError, match=r"tutorial.py line 3: tabs and spaces are mixed.*expand"):
        run("if 1:\n        x = 1\n\ty = 2\n")


def test_scripts_are_read_in_their_encoding(run: Run, tmp_path: Path) -> None:
    assert run("# -*- coding: latin-1 -*-\nprint('caf\xe9')\n".encode("latin-1"))[1] == "caf\xe9\n"
    assert run("\ufeffprint('caf\xe9')\r\nprint(2)\r\n".encode())[1] == "caf\xe9\n2\n"
    for source in ("print('caf\xe9')".encode("latin-1"), b"# coding: no-such\n"):
        with pytest.raises(FileError, match="is not a text in UTF-8; its first line should name its encoding"):
            run(source)
    with pytest.raises(FileError, match=r"cannot read .*none.py: No such file"):
        run_script(tmp_path / "none.py")
    with pytest.raises(FileError, match="Is a directory"):
        run_script(tmp_path)


def test_a_warning_of_statewise_is_one_line(run: Run) -> None:
    source = (
        "import warnings\nfrom statewise.errors import StatewiseWarning\nwarnings.simplefilter('always')\n\n"
        "warnings.warn('mind the step', StatewiseWarning)\n"
    )
    assert run(source) == (0, "", "statewise: tutorial.py line 5: warning: mind the step\n")


def test_numpy_has_its_old_names_while_a_script_runs(run: Run) -> None:
    assert run("import numpy as np\nprint(np.array([1.5]).astype(np.int), np.float is float)") == (0, "[1] True\n", "")
    assert "int" not in vars(np)


def test_a_warning_is_said_once_a_line(run: Run) -> None:
    source = (
        "import warnings\nfrom statewise.errors import StatewiseWarning\nwarnings.simplefilter('always')\n"
        "for i in range(3):\n    warnings.warn('mind the step', StatewiseWarning)\n"
    )
    assert run(source)[2].count("mind the step") == 1
