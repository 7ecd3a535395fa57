"""Python 2 scripts: recognizes and rewrites `print` statements, and gives hints for other old syntax."""

from __future__ import annotations

import io
import re
import token
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from tokenize import TokenInfo

_OPERANDS = set("([{+-~`") | {">>"}  # the signs that what is printed may start with
_INFIX = {"in", "is", "and", "or", "if", "else", "for"}
_LONG = 60

_HINTS = {
    r"^\s*[%!]": "this is notebook syntax; remove it",
    r"^\s*except\b[^:]*,\s*\w+\s*:": "`except X, e:` is Python 2; write `except X as e:`",
    r"^\s*exec\s+[^(\s=]": "`exec code` is Python 2; write exec(code)",
    r"^\s*raise\s+\w+\s*,": "`raise X, message` is Python 2; write raise X(message)",
    r"`[^`]+`": "backticks are Python 2; write repr(...)",
    r"<>": "`<>` is Python 2; write !=",
    r"(?<![\w.])0[0-7]+\b": "octal numbers such as 0777 are Python 2; write 0o777",
    r"\b\d+[lL]\b": "long numbers such as 10L are Python 2; write 10",
    r"\bur['\"]": "ur'...' is Python 2; write r'...'",
    r"\blambda\s*\(|\bdef\s+\w+\(([^)]*,)?\s*\(": "parameters in parentheses are Python 2; unpack them in the body",
}
_BUILTINS = {
    "xrange": "range",
    "raw_input": "input",
    "unicode": "str",
    "basestring": "str",
    "unichr": "chr",
    "long": "int",
    "reduce": "functools.reduce",
    "reload": "importlib.reload",
    "execfile": "runpy.run_path",
}


@dataclass(frozen=True)
class PrintStatement:
    """A `print` statement: its line, its text, and the same as a call."""

    line: int
    text: str
    call: str


def print_statement(source: str) -> PrintStatement | None:
    """Returns the first statement in `source` that is a print only in Python 2, or None.

    >>> print_statement("x = 1\\nprint x, 'is one'\\n")
    PrintStatement(line=2, text="print x, 'is one'", call="print(x, 'is one')")
    """
    script = _Script(source)
    for words in filter(_is_python2, script.prints()):
        text = script.text(words)
        if len(text) > _LONG or "\n" in text:
            text = "print x"
        return PrintStatement(words[0].start[0], text, fix_print(text))
    return None


def fix_print(source: str) -> str:
    """Returns `source` with every `print` statement turned into a call; line numbers and all other text stay the same.

    Text that cannot be read stays as it is, for the parser to complain about.

    >>> print(fix_print('if x: print "a", x,  # both'))
    if x: print("a", x, end=" ")  # both
    >>> fix_print('print >>sys.stderr, "oops"')
    'print("oops", file=sys.stderr)'
    """
    script = _Script(source)
    for words in reversed(script.prints()):  # from the end, so that what is before stays in its place
        start, end = script.offset(words[0].start), script.offset(words[-1].end)
        source = source[:start] + _as_call(script, words) + source[end:]
    return source


def hint(line: str) -> str | None:
    """Returns what to write instead of a line of Python 2 syntax; None if unknown.

    >>> hint("except ValueError, error:")
    '`except X, e:` is Python 2; write `except X as e:`'
    """
    return next((sentence for pattern, sentence in _HINTS.items() if re.search(pattern, line)), None)


def builtin_hint(name: str) -> str | None:
    """Returns what to write instead of a built-in name of Python 2; None for any other.

    >>> builtin_hint("xrange")
    '`xrange` is Python 2; write range'
    """
    return f"`{name}` is Python 2; write {_BUILTINS[name]}" if name in _BUILTINS else None


class _Script:
    """The words of a script, without its comments, and where in the text they are."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines = [0, *accumulate(len(line) for line in io.StringIO(source))]
        self._words = list(_words(source))
        self._depths = list(accumulate(map(_step, self._words)))

    def offset(self, place: tuple[int, int]) -> int:
        """Returns where `place`, a line from 1 and a column from 0, is in the text."""
        return self._lines[place[0] - 1] + place[1]

    def text(self, words: list[TokenInfo]) -> str:
        """Returns the text from the first of `words` to the last."""
        return self._source[self.offset(words[0].start) : self.offset(words[-1].end)] if words else ""

    def prints(self) -> list[list[TokenInfo]]:
        """Returns the words of each statement that starts with `print`, whole ones only."""
        if re.search(r"^\s*from\s+__future__\s+import\b.*\bprint_function\b", self._source, re.MULTILINE):
            return []
        ranges = [(first, self._end(first)) for first in range(len(self._words)) if self._starts_print(first)]
        return [self._words[first:end] for first, end in ranges if end is not None]

    def _starts_print(self, index: int) -> bool:
        if self._words[index].string != "print" or self._words[index].type != token.NAME:
            return False
        before = self._words[index - 1] if index else None
        after = self._words[index + 1] if index + 1 < len(self._words) else None
        return self._starts_statement(before, index) and after is not None and (_ends(after) or _may_start(after))

    def _starts_statement(self, before: TokenInfo | None, index: int) -> bool:
        if before is None or before.type in (token.NEWLINE, token.INDENT, token.DEDENT):
            return True
        return before.string in (";", ":") and self._depths[index] == 0

    def _end(self, first: int) -> int | None:
        places = range(first, len(self._words))
        return next((place for place in places if _ends(self._words[place]) and self._depths[place] == 0), None)


def _words(source: str) -> Iterator[TokenInfo]:
    """Yields the tokens of a script up to the first invalid one."""
    try:
        for word in tokenize.generate_tokens(io.StringIO(source).readline):
            if word.type not in (token.COMMENT, token.NL):
                yield word
    except (tokenize.TokenError, SyntaxError):  # the parser will say it, and better
        return


def _step(word: TokenInfo) -> int:
    """Returns by how many brackets a word leads deeper."""
    if word.type != token.OP:
        return 0
    return (word.string in ("(", "[", "{")) - (word.string in (")", "]", "}"))


def _ends(word: TokenInfo) -> bool:
    return word.type in (token.NEWLINE, token.ENDMARKER) or (word.type == token.OP and word.string == ";")


def _may_start(word: TokenInfo) -> bool:
    """Returns whether what is printed may start with a word."""
    return word.string in _OPERANDS if word.type == token.OP else word.string not in _INFIX


def _is_python2(words: list[TokenInfo]) -> bool:
    """Returns whether a statement is certainly not a call: `print x`, `print ("%d") % x`, but not `print (x), y`."""
    if len(words) == 1:
        return False
    return words[1].string != "(" or any(word.string == "%" for word in words[_group(words[1:]) + 1 :][:1])


def _group(words: list[TokenInfo]) -> int:
    """Returns how many words the bracketed group that `words` start with has; 0 where they start with none."""
    depths = accumulate(map(_step, words))
    return next((count for count, depth in enumerate(depths, 1) if depth == 0), 0) if _step(words[0]) > 0 else 0


def _as_call(script: _Script, words: list[TokenInfo]) -> str:
    body, options = words[1:], list[str]()
    target: list[TokenInfo] = []
    if body and body[0].string == ">>":
        target, body = _split_at_comma(body[1:])
    if body and body[-1].string == ",":
        body = body[:-1]
        options.append('end=" "')
    if target:
        options.append(f"file={script.text(target)}")
    if not options and body and _is_plain_group(body):
        return script.text(words)
    arguments = ", ".join([script.text(body)] * bool(body) + options)
    lost = script.text(words).count("\n") - arguments.count("\n")
    return f"print({lost * chr(10)}{arguments})"


def _split_at_comma(words: list[TokenInfo]) -> tuple[list[TokenInfo], list[TokenInfo]]:
    depths = accumulate(map(_step, words))
    commas = (index for index, depth in enumerate(depths) if depth == 0 and words[index].string == ",")
    comma = next(commas, len(words))
    return words[:comma], words[comma + 1 :]


def _is_plain_group(body: list[TokenInfo]) -> bool:
    """Returns whether the printed value is one value in parentheses, which a call prints the same; a tuple is not."""
    if body[0].string != "(" or _group(body) != len(body):
        return False
    inside = body[1:-1]
    return bool(inside) and len(_split_at_comma(inside)[0]) == len(inside)
