"""Print statements of Python 2: found, rewritten as lib2to3 rewrites them, and everything else left alone."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable

import pytest

from statewise.legacy.python2 import builtin_hint, fix_print, hint, print_statement

STATEMENTS = [  # Python 2, and the same for Python 3
    ("print x", "print(x)"),
    ("print x, y", "print(x, y)"),
    ("print x,", 'print(x, end=" ")'),
    ("print", "print()"),
    ("print 'a %d' % x", "print('a %d' % x)"),
    ("print ('a %d') % x", "print(('a %d') % x)"),
    ("print (x), y", "print((x), y)"),
    ("print (x)", "print (x)"),
    ("print(x)", "print(x)"),
    ("print (x, y)", "print((x, y))"),
    ("print (x),", 'print((x), end=" ")'),
    ("print >>f, x", "print(x, file=f)"),
    ("print >> f.g(1, 2), x, y", "print(x, y, file=f.g(1, 2))"),
    ("print >>f, x,", 'print(x, end=" ", file=f)'),
    ("print >>f", "print(file=f)"),
    ("print -x", "print(-x)"),
    ("print [x, y], {x: y}", "print([x, y], {x: y})"),
    ("print not x", "print(not x)"),
    ("print x == 1, [y for y in z]", "print(x == 1, [y for y in z])"),
    ("print u'caf\xe9', x", "print(u'caf\xe9', x)"),
    ("print x; print y", "print(x); print(y)"),
    ("if x: print y", "if x: print(y)"),
    ("if x: print\nelse: print y", "if x: print()\nelse: print(y)"),
    ("for x in y:\n\tprint x,  # a comment", 'for x in y:\n\tprint(x, end=" ")  # a comment'),
    ("print 'print x', 'a # b'", "print('print x', 'a # b')"),
    ("print 'a', \\\n    x\ny = 1", "print('a', \\\n    x)\ny = 1"),
    ("print (x +\n    y), z\ny = 1", "print((x +\n    y), z)\ny = 1"),
    ("print >>f, \\\n    x\ny = 1", "print(\nx, file=f)\ny = 1"),
    ("print '''a\nprint b''', x", "print('''a\nprint b''', x)"),
    ("def f(x): return x\nprint f(x), f (y)[0].z", "def f(x): return x\nprint(f(x), f (y)[0].z)"),
    ("print lambda x: x", "print(lambda x: x)"),
    ("print x if y else z", "print(x if y else z)"),
]
OTHERS = [
    "",
    "x = print",
    "log = {1: print, 2: x}",
    "x.print(y)",
    "# print x",
    '"""\nprint x\n"""\n',
    "f(lambda: print(x))",
    "printer(x)\nprints = 1",
    "from __future__ import print_function\nprint(x, end='')\nprint",
]


def lib2to3() -> Callable[[str], str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refactor = pytest.importorskip("lib2to3.refactor")
        tool = refactor.RefactoringTool(["lib2to3.fixes.fix_print"])
        return lambda source: str(tool.refactor_string(f"{source}\n", "script"))


@pytest.mark.parametrize(("old", "new"), STATEMENTS)
def test_print_statements_become_calls(old: str, new: str) -> None:
    assert fix_print(old) == new
    assert fix_print(f"x = 1\n\n{old}\n") == f"x = 1\n\n{new}\n"
    assert new.count("\n") == old.count("\n")
    ast.parse(new)


def test_the_rewritten_means_what_lib2to3_makes_of_it() -> None:
    convert = lib2to3()
    for old, _ in STATEMENTS:
        assert ast.dump(ast.parse(fix_print(old))) == ast.dump(ast.parse(convert(old))), old


def test_an_empty_tuple_is_printed() -> None:
    assert fix_print("print ()") == "print(())"


@pytest.mark.parametrize("source", OTHERS)
def test_what_is_no_statement_stays(source: str) -> None:
    assert fix_print(source) == source
    assert print_statement(source) is None


@pytest.mark.parametrize("source", ["print 'a", "print (x", "x = $\nprint x", "if x:\n    print x\n  y"])
def test_what_cannot_be_read_is_left_to_the_parser(source: str) -> None:
    with pytest.raises(SyntaxError):
        ast.parse(fix_print(source))


@pytest.mark.parametrize(
    ("source", "line", "text", "call"),
    [
        ("x = 1\nprint x", 2, "print x", "print(x)"),
        ("print('a')\nif x: print >>f, x", 2, "print >>f, x", "print(x, file=f)"),
        ("print ('%d') % x", 1, "print ('%d') % x", "print(('%d') % x)"),
        ("print\nprint -1", 2, "print -1", "print(-1)"),
        (f"\n\nprint '{60 * 'a'}'", 3, "print x", "print(x)"),
        ("print 'a', \\\n  b", 1, "print x", "print(x)"),
    ],
)
def test_the_first_certain_print_statement_is_named(source: str, line: int, text: str, call: str) -> None:
    found = print_statement(source)
    assert found is not None
    assert (found.line, found.text, found.call) == (line, text, call)


@pytest.mark.parametrize("source", ["print", "print (x), y", "print (x)", "print(x) or y", "print('a'), print('b')"])
def test_what_python_3_may_mean_is_no_certain_print_statement(source: str) -> None:
    assert print_statement(source) is None


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("except ValueError, e:", "except X as e"),
        ("except (ValueError, KeyError), e:", "except X as e"),
        ("    exec 'x = 1'", r"exec(code)"),
        ("raise ValueError, 'no'", "raise X(message)"),
        ("x = `y`", "repr(...)"),
        ("if x <> y:", "!="),
        ("os.chmod(path, 0777)", "0o777"),
        ("x = 10L", "write 10"),
        ("x = ur'a'", "write r'...'"),
        ("f = lambda (x, y): x", "in parentheses"),
        ("def f(a, (x, y)): pass", "in parentheses"),
        ("def f(a, b) return a", None),
        ("x = = 10.05", None),
        ("except (ValueError, KeyError) as e", None),
    ],
)
def test_hints_for_what_else_no_longer_parses(line: str, advice: str | None) -> None:
    found = hint(line)
    assert found is advice is None or (found is not None and advice is not None and advice in found)


def test_hints_for_names_that_have_gone() -> None:
    assert builtin_hint("raw_input") == "`raw_input` is Python 2; write input"
    assert builtin_hint("inputs") is None
