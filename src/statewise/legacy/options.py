"""The arguments of Keras's calls: old names translated to Keras 2's, unknown ones refused with the closest name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeVar

from statewise.errors import ConfigurationError
from statewise.legacy.errors import unsupported
from statewise.legacy.spellings import note, renamed
from statewise.phrasebook.guard import unknown_option

Answer = TypeVar("Answer")

COMMON = (
    "input_shape",
    "batch_input_shape",
    "input_dim",
    "input_length",
    "batch_size",
    "name",
    "trainable",
    "dtype",
    "weights",
)
"""Arguments that every layer takes and that say nothing about what it does."""

_NOT_KEPT = ("self", "common", *(name for name in COMMON if name != "input_dim"))  # which is an Embedding's own


def in_keras_2_words(
    call: str, names: Mapping[str, str] | None = None, without: str = "", *, remember: bool = False
) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Returns a decorator for a function with Keras 2's argument names that lets it take older ones too.

    Args:
        call: what users call it.
        names: older names, each with Keras 2's.
        without: arguments, separated by spaces, that only chose between ways to the same result: accepted and noted.
        remember: whether `self.options` becomes the arguments that were given.
    """
    names, idle = names or {}, tuple(without.split())

    def decorate(function: Callable[..., Answer]) -> Callable[..., Answer]:
        signature = inspect.signature(function)
        known = frozenset(signature.parameters)

        @wraps(function)
        def called(*args: Any, **options: Any) -> Answer:
            if options:
                options = _without(call, renamed(call, options, names), idle)
            if remember or not options.keys() <= known:
                bound = _bound(call, signature, args, options)
            if remember:
                given = {**bound, **bound.get("common", {})}
                _check(call, given, [*known, *COMMON])
                args[0].options = {name: given[name] for name in given if name in known and name not in _NOT_KEPT}
            return function(*args, **options)

        return called

    return decorate


def in_order(
    call: str,
    order: tuple[str, ...],
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    names: Mapping[str, str],
    idle: tuple[str, ...],
) -> dict[str, Any]:
    """Returns the arguments by Keras 2's names, of a call that takes those of `order` by place; the first is needed.

    `names` and `idle` are `names` and `without` of `in_keras_2_words`.

    Raises:
        ConfigurationError: an unknown argument, one given twice, or the first is missing.
    """
    given = _without(call, renamed(call, options, names), idle)
    placed = dict(zip(order, args, strict=False))
    known = [*order, *COMMON]
    if twice := placed.keys() & given.keys():
        raise ConfigurationError(f"{call}: {min(twice)} was given twice, by position and by name")
    _check(call, given, known)
    if len(args) > len(order) or order[0] not in placed | given:
        raise ConfigurationError(f"{call}: expected {call}({', '.join(order)}), got {len(args)} by position")
    return placed | given


_INSTEAD = dict.fromkeys(("show_accuracy", "accuracy"), "model.compile(..., metrics=['accuracy'])")


def _without(call: str, options: dict[str, Any], idle: tuple[str, ...]) -> dict[str, Any]:
    for name in idle:
        if name in options:
            note(f"{call}({name}=)", _INSTEAD.get(name, "leave it out: it only chose between ways to the same result"))
    return {name: value for name, value in options.items() if name not in idle}


def _bound(call: str, signature: inspect.Signature, args: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments by name, or raises ConfigurationError with what was expected."""
    try:
        return signature.bind(*args, **options).arguments
    except TypeError as error:
        known = [name for name in signature.parameters if name not in ("self", "common")]
        unknown = next((name for name in options if name not in known), None)
        if unknown is None or "common" in signature.parameters:
            raise ConfigurationError(f"{call}: {error}; expected {call}({', '.join(known)})") from None
        raise unknown_option(call, unknown, known) from None


def _check(call: str, given: Iterable[str], known: list[str]) -> None:
    if unknown := [name for name in given if name not in known]:
        raise unknown_option(call, unknown[0], known)


def refuse(call: str, advice: str, **options: object) -> None:
    """Raises UnsupportedError if one of `options` says anything."""
    for name, value in options.items():
        if value is not None and value is not False:
            raise unsupported(f"{call}({name}=)", advice)
