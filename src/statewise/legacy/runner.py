"""`statewise run`: runs a script as Python does, but with statewise in place of Keras."""

from __future__ import annotations

import ast
import os
import sys
import tokenize
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

import numpy as np

from statewise.errors import ConfigurationError, FileError, StatewiseError, StatewiseWarning
from statewise.legacy import dialect, names, python2, seeds, spellings
from statewise.legacy.imports import MISSING, guarded, keras_modules, missing
from statewise.legacy.packages import moved

INTERRUPTED = 130


def run_script(
    path: str | Path,
    arguments: Sequence[str] = (),
    *,
    quiet: bool = False,
    fix_print: bool = False,
    noted: list[spellings.Spelling] | None = None,
) -> int:
    """Returns the exit status of the Python script at `path`, run with `arguments`.

    0 at its end, 1 after an exception (with Python's traceback), 2 after an error that statewise reports in one line,
    the status passed to `sys.exit`, or 130 after Ctrl-C. Everything but the script's own output goes to stderr.

    Args:
        path: the script.
        arguments: what it finds in `sys.argv` after its own name.
        quiet: do not list the old spellings.
        fix_print: read `print x` as `print(x)`.
        noted: a list to which the old spellings are added.

    Raises:
        FileError: the script cannot be read.
        ConfigurationError: it is a Python 2 script, by its print statements or its mixed tabs and spaces.
    """
    script = str(path)
    source = _python3(script, _read(script), fix_print)
    try:
        code = _compiled(script, source)
    except SyntaxError as error:
        _say("".join(traceback.format_exception_only(error)).rstrip(), python2.hint(error.text or ""))
        return 1
    names.forget_names()
    seeds.forget_seed()
    with spellings.recording(script), dialect.use(dialect.read_dialect(source)), keras_modules():
        status = _execute(script, code, arguments)
        if noted is not None:
            noted += spellings.noted()
        if not quiet:
            _say(spellings.listed())
    return status


def _read(script: str) -> str:
    try:
        with tokenize.open(script) as file:
            return file.read()
    except OSError as error:
        raise FileError(f"cannot read {script}: {error.strerror or error}") from None
    except (SyntaxError, UnicodeDecodeError):
        advice = "its first line should name its encoding, such as `# -*- coding: latin-1 -*-`"
        raise FileError(f"{script} is not a text in UTF-8; {advice}") from None


def _python3(script: str, source: str, fix_print: bool) -> str:
    """Returns the source without print statements, by request."""
    found = python2.print_statement(source)
    if found is None:
        return source
    if fix_print:
        return python2.fix_print(source)
    advice = f"run with --fix-print, or write {found.call}"
    raise ConfigurationError(f"{_place(script, found.line)}: `{found.text}` is Python 2; {advice}")


def _compiled(script: str, source: str) -> CodeType:
    try:
        return compile(guarded(ast.parse(source, script)), script, "exec", dont_inherit=True)
    except TabError as error:
        fix = f"replace each tab with 8 spaces (expand {script} > fixed.py)"
        place = _place(script, error.lineno or 0)
        raise ConfigurationError(f"{place}: tabs and spaces are mixed, which is Python 2; {fix}") from None


def _execute(script: str, code: CodeType, arguments: Sequence[str]) -> int:
    folder = os.path.dirname(os.path.realpath(script))
    try:
        with _as_main(script, folder, arguments) as main, _short_warnings(script), _numpy_of_its_time():
            exec(code, vars(main))
    except SystemExit as end:
        return _exit_status(end)
    except KeyboardInterrupt:
        _say("\nstatewise: interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of the output has gone: the command line handles it
        raise
    except StatewiseError as error:
        place = _place(*_where(error.__traceback__, script, folder))
        _say(f"statewise: {place}: {' '.join(str(error).splitlines())}")
        return 2
    except Exception as error:
        _say(_traceback(error, script), _hint(error))
        return 1
    return 0


@contextmanager
def _as_main(script: str, folder: str, arguments: Sequence[str]) -> Iterator[ModuleType]:
    """Returns a context in which a new module is `__main__`, as it is for a script that Python runs itself."""
    main = ModuleType("__main__")
    vars(main).update({"__file__": script, MISSING: missing})
    argv, path, modules = sys.argv, list(sys.path), dict(sys.modules)
    sys.argv, sys.path[:] = [script, *arguments], [folder, *path]
    sys.modules["__main__"] = main
    try:
        yield main
    finally:
        sys.argv, sys.path[:] = argv, path
        sys.modules["__main__"] = modules["__main__"]
        for name in [name for name in sys.modules if name not in modules and _is_beside(name, folder)]:
            del sys.modules[name]


@contextmanager
def _numpy_of_its_time() -> Iterator[None]:
    """Returns a context in which NumPy has the names that it had until 1.24, such as `np.int` for int."""
    gone = {kind.__name__: kind for kind in (int, float, complex, object, str) if kind.__name__ not in vars(np)}
    vars(np).update(gone)
    try:
        yield
    finally:
        for name in gone:
            vars(np).pop(name, None)


@contextmanager
def _short_warnings(script: str) -> Iterator[None]:
    """Returns a context in which a warning of statewise's is one line that names the script's."""
    shown, said = warnings.showwarning, set()

    def show(message: Warning | str, category: type[Warning], *place: Any, **others: Any) -> None:
        if issubclass(category, StatewiseWarning):
            line = f"statewise: {_place(script, spellings.line_of(script) or 0)}: warning: {message}"
            if line not in said:
                _say(line)
            said.add(line)
        else:
            shown(message, category, *place, **others)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _is_beside(name: str, folder: str) -> bool:
    """Returns whether a module, or the package it is in, lies in the script's folder: another script has its own."""
    package = name.partition(".")[0]
    file = getattr(sys.modules.get(package), "__file__", None) or ""
    return file in (os.path.join(folder, f"{package}.py"), os.path.join(folder, package, "__init__.py"))


def _exit_status(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    _say(str(end.code))
    return 1


def _where(trace: TracebackType | None, script: str, folder: str) -> tuple[str, int]:
    """Returns the file and the line of the innermost frame that is the script's, or of a file in its folder."""
    place = (script, 0)
    for frame, line in traceback.walk_tb(trace):
        file = frame.f_code.co_filename
        if file == script or os.path.dirname(file) == folder:
            place = (file, line)
    return place


def _place(file: str, line: int) -> str:
    name = os.path.basename(file)
    return f"{name} line {line}" if line else name


def _traceback(error: Exception, script: str) -> str:
    """Returns Python's traceback from the script's first frame on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != script:
        trace = trace.tb_next
    return "".join(traceback.format_exception(error.with_traceback(trace or error.__traceback__))).rstrip()


def _hint(error: Exception) -> str | None:
    """Returns what to write instead of a name that has gone since the script was written."""
    if isinstance(error, NameError):
        return python2.builtin_hint(error.name or "")
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        return moved(f"{error.obj.__name__}.{error.name}")
    return None


def _say(text: str, hint: str | None = None) -> None:
    """Writes to stderr, after what the script has printed."""
    sys.stdout.flush()
    lines = [text] * bool(text) + ([f"statewise: {hint}"] if hint else [])
    sys.stderr.write("".join(f"{line}\n" for line in lines))
