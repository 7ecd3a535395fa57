"""The imports of a script: statewise answers Keras's, and one that fails stops nothing until it is used."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NoReturn, cast

from statewise.errors import ConfigurationError, StatewiseError
from statewise.legacy.errors import UnsupportedError, absent
from statewise.legacy.namespace import MODULES, below
from statewise.legacy.packages import moved, not_installed

MISSING = "__statewise_missing__"
"""The name under which a guarded script finds `missing`."""

_ROOTS = {name.partition(".")[0] for name in MODULES}
_NOT_NEEDED = {name: f"statewise needs no {name.capitalize()}; remove the line" for name in ("theano", "cntk")}
_NO_TENSORFLOW = "tensorboard.compat.notf"  # while it can be imported, TensorBoard does without TensorFlow
_CATCHING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@contextmanager
def keras_modules() -> Iterator[None]:
    """Returns a context in which `keras` and `tensorflow`, and all below them, are statewise's, installed or not."""
    finder = _Finder()
    before = _take_out()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _take_out()
        sys.modules.update(before)


def guarded(script: ast.Module) -> ast.Module:
    """Returns `script` with its imports rewritten so that one that fails binds a Missing instead of stopping it.

    Those in a `try` that catches ImportError stay as they are, and so do all line numbers. To run, the script needs
    the function `missing` under the name MISSING.
    """
    return _Guard().visit(script)


class Missing:
    """Stands for what could not be imported: any use of it raises the error it was made with.

    >>> theano = Missing(UnsupportedError("statewise needs no Theano; remove the line"))
    >>> theano.tensor
    Traceback (most recent call last):
    statewise.legacy.errors.UnsupportedError: statewise needs no Theano; remove the line
    """

    __slots__ = ("_error",)
    _error: StatewiseError

    def __init__(self, error: StatewiseError) -> None:
        object.__setattr__(self, "_error", error)

    def __repr__(self) -> str:
        return f"<missing: {self._error}>"


def _refuse(self: Missing, *_: object, **__: object) -> NoReturn:
    raise type(self._error)(str(self._error))


_WORDS = (
    "getattr setattr delattr call mro_entries instancecheck subclasscheck iter next len contains"
    " getitem setitem delitem bool int float complex index str format eq ne lt le gt ge hash"
    " neg pos abs invert enter exit await aiter aenter"
)
_BINARY = "add sub mul truediv floordiv mod divmod pow matmul lshift rshift and or xor"
for _use in [*_WORDS.split(), *(side + word for word in _BINARY.split() for side in ("", "r"))]:
    setattr(Missing, f"__{_use}__", _refuse)


def missing(module: str, name: str | None, bound: str) -> Any:
    """Returns what to bind to `bound` after `import module` or `from module import name` failed, in its handler.

    That is a Missing; but after `import keras.unknown` it is `keras`, which says itself what it lacks.
    """
    error = sys.exception()
    root = module.partition(".")[0]
    if name is None and bound == root != module and root in sys.modules:
        return sys.modules[root]
    return Missing(_reason(module, name, error))


class _Finder(MetaPathFinder, Loader):
    """Finds and loads Keras's modules: ours, by the table of the namespace."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        """Returns how to load the module `name`; None for what is not Keras's."""
        root = name.partition(".")[0]
        if name in MODULES or name == _NO_TENSORFLOW:
            return ModuleSpec(name, self)
        if root in _NOT_NEEDED:
            raise ModuleNotFoundError(_NOT_NEEDED[root], name=name)
        if root in _ROOTS:
            parent, _, last = name.rpartition(".")
            known = [other.rpartition(".")[2] for other in below(parent)]
            raise ModuleNotFoundError(str(absent(parent, last, known)), name=name)
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Puts our module in the place of `module`."""
        if module.__name__ in MODULES:
            _put(module.__name__)


class _Guard(ast.NodeTransformer):
    """Puts each import into a `try` of its own."""

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        """Returns one guarded import for each name."""
        return [
            _attempt(node, ast.Import([alias]), alias.name, None, alias.asname or alias.name.partition(".")[0])
            for alias in node.names
        ]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt | list[ast.stmt]:
        """Returns one guarded import for each name; those of `__future__` must stay first and as they are."""
        if node.level or node.module is None or node.module == "__future__":
            return node
        return [
            _attempt(node, ast.ImportFrom(node.module, [alias], 0), node.module, alias.name, alias.asname or alias.name)
            for alias in node.names
        ]

    def visit_Try(self, node: ast.Try) -> ast.Try:
        """Returns a `try` whose body stays as it is where it catches failed imports itself."""
        body = node.body
        if any(_catches(handler.type) for handler in node.handlers):
            node.body = []
        self.generic_visit(node)
        node.body = node.body or body
        return node


def _attempt(place: ast.stmt, statement: ast.stmt, module: str, name: str | None, bound: str) -> ast.stmt:
    call = f"{MISSING}({module!r}, {name!r}, {bound!r})"
    failed = f"{call}()" if name == "*" else f"{bound} = {call}"
    attempt = cast(ast.Try, ast.parse(f"try:\n    pass\nexcept ImportError:\n    {failed}").body[0])
    attempt.body = [statement]
    for node in ast.walk(attempt):
        ast.copy_location(node, place)
    return attempt


def _catches(handled: ast.expr | None) -> bool:
    """Returns whether an `except` with the class or classes `handled` catches a failed import."""
    if isinstance(handled, ast.Tuple):
        return any(_catches(one) for one in handled.elts)
    return handled is None or (isinstance(handled, ast.Name) and handled.id in _CATCHING)


def _put(name: str) -> None:
    sys.modules[name] = import_module(MODULES[name])
    if not hasattr(sys.modules[name], "__path__"):  # Python asks no finder for what is below a plain module
        for other in below(name):
            _put(other)


def _take_out() -> dict[str, ModuleType]:
    """Returns the modules under Keras's names, which are no longer in `sys.modules`."""
    names = [name for name in sys.modules if name.partition(".")[0] in _ROOTS or name == _NO_TENSORFLOW]
    return {name: sys.modules.pop(name) for name in names}


def _reason(module: str, name: str | None, error: BaseException | None) -> StatewiseError:
    full = f"{module}.{name}" if name and name != "*" else module
    root = module.partition(".")[0]
    if root in _NOT_NEEDED:
        return UnsupportedError(_NOT_NEEDED[root])
    if root in _ROOTS:
        return _lack(module, name, error)
    sentence = moved(full)
    if sentence is None and isinstance(error, ModuleNotFoundError) and error.name and not _installed(error.name):
        sentence = not_installed(error.name)
    return ConfigurationError(sentence or f"{full} cannot be imported: {error}")


def _lack(module: str, name: str | None, error: BaseException | None) -> StatewiseError:
    """Returns why `name` cannot be taken from Keras's `module`, as asking for it once more tells."""
    try:
        found = import_module(module)
        getattr(found, name or "")
    except UnsupportedError as why:
        return why
    except AttributeError:
        return absent(module, name or "", dir(found))
    except ImportError as why:
        return UnsupportedError(str(why))
    return UnsupportedError(str(error))


def _installed(name: str) -> bool:
    return find_spec(name.partition(".")[0]) is not None
