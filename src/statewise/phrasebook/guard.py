"""Calls that do not fit and attributes that are not there, answered in one line: what was written, what to write.

What fits costs next to nothing: a call is looked at only after Python has refused it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import FrozenInstanceError
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from statewise.errors import AccessError, ArgumentError, nearest
from statewise.phrasebook.answer import Answer
from statewise.phrasebook.attributes import ATTRIBUTES, SWITCHES

P = ParamSpec("P")
R = TypeVar("R")
Kind = TypeVar("Kind", bound=type)


def guarded(function: Callable[P, R]) -> Callable[P, R]:
    """Returns the function with an ArgumentError in the place of Python's TypeError where a call does not fit it.

    >>> @guarded
    ... def windows(series, *, stride=1): ...
    >>> windows([1, 2], strid=2)
    Traceback (most recent call last):
    statewise.errors.ArgumentError: windows has no option strid=: did you mean stride=?
    """
    return _guarded(function, lambda _: (function.__name__, (function.__name__,)), own=0)


def guard(kind: Kind) -> Kind:
    """Returns the class, its public methods guarded, and its attributes answered where they are not there."""
    for name, value in list(vars(kind).items()):
        if inspect.isfunction(value) and (name == "__call__" or not name.startswith("_")):
            method = _guarded(value, _method(kind, name), own=1)
            method.__module__, method.__qualname__ = (
                kind.__module__,
                f"{kind.__qualname__}.{name}",
            )  # as pickles find it
            setattr(kind, name, method)
    return guard_making(kind)


def guard_making(kind: Kind) -> Kind:
    """Returns the class, its constructor guarded, and its attributes answered where they are not there."""
    made: Any = kind
    if "__init__" in vars(kind):
        made.__init__ = _guarded(made.__init__, _method(kind, "__init__"), own=1)
    return guard_attributes(kind)


def guard_attributes(kind: Kind) -> Kind:
    """Returns the class, its attributes answered where they are not there, or cannot be set."""
    made: Any = kind
    made.__getattr__ = _no_attribute
    if "__setattr__" in vars(kind):  # a frozen dataclass's
        made.__setattr__ = _frozen(made.__setattr__)
    elif kind.__name__ in SWITCHES:
        made.__setattr__ = _set
    return kind


# -- calls -------------------------------------------------------------------------------------------------------------

_EXAMPLES = {"units": "32", "rate": "0.2", "layer": "LSTM(32)", "activation": "'relu'"}
"""What may stand for an argument that was left out."""

Naming = Callable[[tuple[Any, ...]], tuple[str, tuple[str, ...]]]
"""Returns what users name a call, given its arguments, and the keys of its tables."""


def _guarded(function: Callable[P, R], naming: Naming, *, own: int) -> Callable[P, R]:
    """Returns the function, whose first `own` arguments are not the user's to write."""

    @wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> R:
        try:
            return function(*args, **options)
        except TypeError as error:
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise  # from inside: the call itself fitted
            mistake = _explain(*naming(args), inspect.signature(function), args[own:], options, own)
        raise mistake

    return call


def _method(kind: type, name: str) -> Naming:
    def naming(args: tuple[Any, ...]) -> tuple[str, tuple[str, ...]]:
        if name == "__init__":
            made = type(args[0])
            return made.__name__, tuple(base.__name__ for base in made.__mro__)
        return "model" if name == "__call__" else name, (f"{kind.__name__}.{name}", name)

    return naming


def _explain(
    call: str,
    keys: tuple[str, ...],
    signature: inspect.Signature,
    args: tuple[object, ...],
    options: Mapping[str, object],
    own: int,
) -> ArgumentError:
    """Returns what is wrong with a call that does not fit."""
    parameters = list(signature.parameters.values())[own:]
    names = [parameter.name for parameter in parameters]
    places = [parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    unknown = next((name for name in options if name not in names), None)
    if unknown is not None:
        return _unknown_option(call, keys, unknown, options[unknown], names)
    if len(args) > len(places):
        return ArgumentError(_too_many(call, keys, args, places, names))
    if twice := [name for name in places[: len(args)] if name in options]:
        return ArgumentError(f"{call} got {twice[0]} twice, by position and by name; write it once")
    given = {*places[: len(args)], *options}
    lacking = [p.name for p in parameters if p.default is p.empty and p.name not in given]
    written = ", ".join([*map(_short, args), *(f"{name}={_short(value)}" for name, value in options.items())])
    rest = ", ".join(_EXAMPLES.get(name, name) if name in places else f"{name}=..." for name in lacking)
    return ArgumentError(
        f"{call} needs {' and '.join(lacking)}: write {call}({', '.join(part for part in (written, rest) if part)})"
    )


def _unknown_option(call: str, keys: tuple[str, ...], name: str, value: object, known: list[str]) -> ArgumentError:
    from statewise.phrasebook.arguments import ARGUMENTS, KERAS_NAMES, OTHER_NAMES  # only where a call is refused

    for key in keys:
        for names in (KERAS_NAMES, OTHER_NAMES):
            if (modern := names.get(key, {}).get(name)) in known:
                return ArgumentError(f"{call} has no option {name}=: write {modern}={_short(value)}")
        if (answer := ARGUMENTS.get(key, {}).get(name)) is not None:
            return ArgumentError(f"{call} has no option {name}=: {answer.said(call)}")
    return unknown_option(call, name, known)


def unknown_option(call: str, name: str, known: Iterable[str]) -> ArgumentError:
    """Returns the error for an option that `call` does not have, with the nearest that it has.

    >>> print(unknown_option("fit", "epoch", ["x", "y", "epochs"]))
    fit has no option epoch=: did you mean epochs=?
    """
    close = nearest(name, known, count=1)
    hint = f"did you mean {close[0]}=?" if close else f"it takes {', '.join(known) or 'none'}"
    return ArgumentError(f"{call} has no option {name}=: {hint}")


def _too_many(call: str, keys: tuple[str, ...], args: tuple[object, ...], places: list[str], known: list[str]) -> str:
    from statewise.phrasebook.arguments import POSITIONS

    taken, extra = args[: len(places)], args[len(places) :]
    takes = f"{call} takes {' and '.join(places) or 'nothing'} by position, got {len(extra)} more"
    if call == "Sequential":
        return f"{takes}: layers go in one list; write Sequential([LSTM(32), Dense(1)])"
    if "Merge" in keys:
        return f"{call} joins values when it is called: write {call}()([a, b])"
    if not {"Recurrent", "Dense"}.isdisjoint(keys) and all(type(value) is int for value in extra):  # PyTorch's order
        return f"{takes}: the size of the input follows from the data; write {call}({extra[0]})"
    order = next((POSITIONS[key] for key in keys if key in POSITIONS), ())[len(places) :] or known[len(places) :]
    named = [f"{name}={_short(value)}" for name, value in zip(order, extra, strict=False)]
    if len(named) < len(extra):
        return f"{takes}; it has {', '.join(known) or 'no arguments'}"
    return f"{takes}: write {call}({', '.join([*map(_short, taken), *named])})"


def _short(value: object) -> str:
    """Returns a value as users would write it; `...` if that is long."""
    written = repr(value)
    return written if len(written) <= 40 and "\n" not in written and " at 0x" not in written else "..."


# -- attributes --------------------------------------------------------------------------------------------------------


def _table(tables: Mapping[str, Mapping[str, Answer]], kind: type) -> dict[str, Answer]:
    """Returns the entries for a class and those that it derives from."""
    return {word: answer for base in reversed(kind.__mro__) for word, answer in tables.get(base.__name__, {}).items()}


def _no_attribute(self: object, name: str) -> Any:
    if name.startswith("_"):  # what Python's protocols, and notebooks, ask for
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
    if hasattr(type(self), name):  # a property, which raised an AttributeError of its own: once more, to let it out
        return object.__getattribute__(self, name)
    raise absent(type(self).__name__, name, _table(ATTRIBUTES, type(self)), dir(self))


def absent(owner: str, name: str, table: Mapping[str, Answer], known: Iterable[str]) -> AccessError:
    """Returns the error for a name that `owner` lacks: the answer of a table, or the nearest name that there is.

    >>> print(absent("State", "row", {}, ["rows", "fork"]))
    State has no row: did you mean rows?
    """
    if name in table:
        return AccessError(f"{owner} has no {name}: {table[name].said(owner)}")
    return AccessError(f"{owner} has no {name}", name, tuple(known))


def _set(self: object, name: str, value: object) -> None:
    if any(name in SWITCHES.get(base.__name__, ()) for base in type(self).__mro__):
        raise absent(type(self).__name__, name, _table(ATTRIBUTES, type(self)), ())
    object.__setattr__(self, name, value)


def _frozen(own: Callable[[Any, str, object], None]) -> Callable[[Any, str, object], None]:
    """Returns what sets an attribute of a frozen dataclass, which `own` refuses."""

    def refuse(self: Any, name: str, value: object) -> None:
        try:
            own(self, name, value)
        except FrozenInstanceError:
            kind = type(self).__name__
            known = {entry: getattr(self, entry) for entry in getattr(self, "__dataclass_fields__", ())}
            if name not in known:
                raise absent(kind, name, _table(ATTRIBUTES, type(self)), known) from None
            raise AccessError(
                f"{kind}.{name} cannot be set once it is made; write {kind}(..., {name}={_short(value)})"
            ) from None

    return refuse


# -- modules -----------------------------------------------------------------------------------------------------------


def lacking(module: str, known: Iterable[str]) -> Callable[[str], Any]:
    """Returns the `__getattr__` of a module whose public names are `known`; it raises AccessError."""

    def look_up(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        from statewise.phrasebook.names import ELSEWHERE, NAMES

        raise absent(module, name, NAMES | ELSEWHERE, known)

    return look_up
