"""The exceptions: every mistake a user can make raises one of these, whose message says what to do.

StatewiseError
├── ConfigurationError   an option out of its range, or a name that does not exist
│   └── ArgumentError    an argument that a call does not take, or lacks; also a TypeError
├── AccessError          an attribute that does not exist, or cannot be set; also an AttributeError
├── ShapeError           an array whose shape does not fit
├── DataError            values that cannot be learned from: NaN, labels out of range, empty text
├── StateError           a state that belongs to another network or another batch
├── LifecycleError       a step too early, such as fit before compile, or in a process where it cannot run
├── DivergenceError      a loss that became NaN or infinite
├── FileError            a file that cannot be read or written, or is not what it should be
└── MissingExtraError    an optional dependency that is not installed

StatewiseWarning         something that runs, but most likely does not do what the user wants
"""

from __future__ import annotations

import difflib
import os
import sys
import warnings
from collections.abc import Iterable


class StatewiseError(Exception):
    """Base of every error that a user can cause. Its message says what was expected, what was given, and what to do."""


class ConfigurationError(StatewiseError):
    """An option out of its range, or a name that does not exist."""


class ArgumentError(ConfigurationError, TypeError):
    """An argument that a call does not take, or lacks. A TypeError too, as Python's own is."""


class AccessError(StatewiseError, AttributeError):
    """An attribute that does not exist, or cannot be set. An AttributeError too, so that `hasattr` tells."""

    def __init__(self, message: str, wanted: str = "", known: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self._wanted, self._known = wanted, known

    def __str__(self) -> str:  # looked for only when it is read: `hasattr` asks often and reads nothing
        close = nearest(self._wanted, [name for name in self._known if not name.startswith("_")], count=1)
        return f"{self.args[0]}: did you mean {close[0]}?" if close else str(self.args[0])


class ShapeError(StatewiseError):
    """An array whose shape does not fit."""


class DataError(StatewiseError):
    """Values that cannot be learned from: NaN, labels out of range, an empty text."""


class StateError(StatewiseError):
    """A state that belongs to another network or another batch."""


class LifecycleError(StatewiseError):
    """A step taken too early, such as `fit` before `compile`; or in a forked process, where no program runs."""


class DivergenceError(StatewiseError):
    """A loss that became NaN or infinite; the model keeps the weights of the last good epoch."""


class FileError(StatewiseError):
    """A file that cannot be read or written, or is not what it should be."""


class MissingExtraError(StatewiseError):
    """An optional dependency that is not installed; the message has the exact `pip install`."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional dependency: pip install 'statewise[{extra}]'")


class StatewiseWarning(UserWarning):
    """Something that runs, but most likely does not do what the user wants, such as training that learns nothing."""


COPY_AGAIN = "copy it again from its source, or create it again"
"""What to do with a file that is damaged."""

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def warn(sentence: str) -> None:
    """Warns with `sentence`, at the line outside this package that led here."""
    depth = 1
    while sys._getframe(depth).f_code.co_filename.startswith(_PACKAGE) and sys._getframe(depth).f_back is not None:
        depth += 1
    warnings.warn(sentence, StatewiseWarning, stacklevel=depth + 1)


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Returns the known names most like `name`, best first.

    >>> nearest("adm", ["adam", "sgd", "rmsprop"])
    ['adam']
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    return [by_lower[match] for match in difflib.get_close_matches(name.lower(), by_lower, n=count)]


def unknown_kind(what: str, kind: object) -> FileError:
    """Returns the error for a file that is intact, but made with something that this statewise does not know.

    >>> print(unknown_kind("layer", "LayerNormLSTM"))
    it was made with a layer 'LayerNormLSTM', which this statewise does not know: if a newer one wrote it, pip install
    --upgrade statewise; if it is a custom class, build the model in your code
    """
    article = "an" if what[:1] in "aeiou" else "a"
    return FileError(
        f"it was made with {article} {what} {kind!r:.60}, which this statewise does not know: if a newer one wrote it, "
        "pip install --upgrade statewise; if it is a custom class, build the model in your code"
    )


def unknown_name(kind: str, name: object, known: Iterable[str]) -> ConfigurationError:
    """Returns the error for a name that does not exist, with the nearest one that does.

    >>> print(unknown_name("optimizer", "adm", ["adam", "sgd"]))
    unknown optimizer 'adm': did you mean 'adam'? Known: adam, sgd
    >>> print(unknown_name("optimizer", 5, ["adam", "sgd"]))
    unknown optimizer 5: expected one of adam, sgd
    """
    names = sorted(known)
    close = nearest(name, names, count=1) if isinstance(name, str) else []
    hint = f"did you mean {close[0]!r}? Known:" if close else "expected one of"
    return ConfigurationError(f"unknown {kind} {name!r}: {hint} {', '.join(names)}")
