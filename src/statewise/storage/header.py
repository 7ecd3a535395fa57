"""The form of a file's header, checked once, before anything is built from it.

Each kind of file has a table of fields. A field that is not in the table is ignored, so that a newer statewise may
add some. Does not need JAX.
"""

from __future__ import annotations

import reprlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from statewise.errors import FileError
from statewise.foundation.shapes import Array

DEPTH = 64
"""How deeply lists and objects in a header may be nested: far less than Python's stack allows."""

INT32, INT64 = 2**31 - 1, 2**63 - 1

Check = Callable[[str, Any], None]
"""`check(place, value)`: raises FileError unless the value at that place has the right form."""


def check_header(kind: str, header: dict[str, Any], arrays: Mapping[str, Array]) -> None:
    """Raises FileError unless the header of a file of this `kind` has the right form and fits the file's arrays.

    An unknown kind passes: the caller expects another and rejects it.
    """
    _check_depth(header)
    if kind in FORMS:
        FORMS[kind]("", header)
        FITS[kind](header, arrays)


def _check_depth(header: object) -> None:
    level: list[Any] = [header]
    for _ in range(DEPTH):
        containers = [list(value.values()) if isinstance(value, dict) else value for value in level]
        level = [inner for container in containers for inner in container if isinstance(inner, dict | list)]
    if level:
        raise FileError(f"its header is nested deeper than {DEPTH} levels")


def _refuse(place: str, expected: str, value: object) -> FileError:
    return FileError(f"{place or 'header'}: expected {expected}, got {reprlib.repr(value)}")


# -- allowed values --------------------------------------------------------------------------------------------------


class _Optional(NamedTuple):
    """A field that may be missing."""

    check: Check


def _anything(place: str, value: Any) -> None: ...


def _nothing(place: str, value: Any) -> None:
    raise _refuse(place, "no such field in a file of this kind", value)


def _flag(place: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise _refuse(place, "true or false", value)


def _text(place: str, value: Any) -> None:
    if not isinstance(value, str):
        raise _refuse(place, "text", value)


def _number(place: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, int) and abs(value) > INT64):
        raise _refuse(place, "a number", value)


def _plain(place: str, value: Any) -> None:
    """Checks an option whose meaning only its owner knows."""
    if value is not None and not isinstance(value, bool | str):
        _number(place, value)


def _whole(least: int, most: int) -> Check:
    def check(place: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise _refuse(place, f"an integer from {least} to {most}", value)

    return check


def _or_null(inner: Check) -> Check:
    def check(place: str, value: Any) -> None:
        if value is not None:
            inner(place, value)

    return check


def _list_of(inner: Check) -> Check:
    def check(place: str, value: Any) -> None:
        if not isinstance(value, list):
            raise _refuse(place, "a list", value)
        for index, item in enumerate(value):
            inner(f"{place}[{index}]", item)

    return check


def _object_of(inner: Check) -> Check:
    def check(place: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise _refuse(place, "an object", value)
        for name, item in value.items():
            inner(f"{place}.{name}", item)

    return check


def _fields(table: Mapping[str, Check | _Optional], others: Check = _anything) -> Check:
    """Returns the check of an object that has the fields of the table, and others that pass `others`."""

    def check(place: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise _refuse(place, "an object", value)
        for name, field in table.items():
            if name in value:
                (field.check if isinstance(field, _Optional) else field)(f"{place}.{name}".strip("."), value[name])
            elif not isinstance(field, _Optional):
                raise FileError(f"{place or 'header'}: expected a field {name!r}, got {reprlib.repr(list(value))}")
        for name in value.keys() - table.keys():
            others(f"{place}.{name}".strip("."), value[name])

    return check


# -- networks --------------------------------------------------------------------------------------------------------

SIZES = ("units", "input_dim", "output_dim", "filters", "kernel_size")
"""Options of a layer that equal the size of an axis of one of its weights."""


def _option(place: str, value: Any) -> None:
    """Checks an option of a layer: plain, several sizes, or a layer or penalty inside it."""
    (SHAPE if isinstance(value, list) else INNER if isinstance(value, dict) else _plain)(place, value)


def _layer(place: str, value: Any) -> None:
    LAYER(place, value)


SHAPE = _list_of(_or_null(_whole(-1, INT64)))
INNER = _fields({"kind": _text}, _option)
LAYER = _fields(
    {
        "kind": _text,
        "layer": _Optional(_layer),
        "sources": _Optional(_list_of(_text)),
        "weights": _Optional(_text),
        **{name: _Optional(_whole(1, INT64)) for name in (*SIZES, "n")},
    },
    _option,
)
NAMED = _list_of(_fields({"name": _text}))


def _layers(place: str, value: Any) -> None:
    _list_of(_layer)(place, value)
    NAMED(place, value)
    names = [entry["name"] for entry in value]
    if not names or len(set(names)) < len(names):
        raise _refuse(place, "one or more layers, with different names", names)


NETWORK = _fields(
    {"input_shape": _list_of(_or_null(_whole(1, INT64))), "input_name": _Optional(_text), "layers": _layers}
)


def _schedule(place: str, value: Any) -> None:
    _fields({"kind": _text}, lambda at, part: (_list_of(_number) if isinstance(part, list) else _plain)(at, part))(
        place, value
    )


def _rate(place: str, value: Any) -> None:
    (_schedule if isinstance(value, dict) else _number)(place, value)


OPTIMIZER = _fields({"kind": _text, "learning_rate": _rate}, _plain)
SAMPLED = _fields({"samples": _whole(1, INT64), "distribution": _text})


def _loss(place: str, value: Any) -> None:
    (SAMPLED if isinstance(value, dict) else _text)(place, value)


# -- the tables ------------------------------------------------------------------------------------------------------

HISTORY = _fields({"epoch": _list_of(_whole(0, INT32)), "history": _object_of(_list_of(_number))})
HISTORY_FIELDS = {"epoch", "history", "interrupted", "seconds"}


def _history(place: str, value: Any) -> None:
    HISTORY(place, value)
    if unknown := value.keys() - HISTORY_FIELDS:
        raise _refuse(place, "the fields of a history", sorted(unknown))
    epochs = len(value["epoch"])
    if too_long := [name for name, logs in value["history"].items() if len(logs) > epochs]:
        raise FileError(f"{place}: expected at most one {too_long[0]!r} for each of {epochs} epoch(s)")


CALLBACKS = {
    "kinds": _list_of(_text),
    "states": _list_of(_or_null(_object_of(_anything))),
    "told": _whole(0, INT32),
    "of": _whole(0, INT32),
    "ended": _flag,
}


def _memory(place: str, value: Any) -> None:
    """Checks the states of callbacks."""
    _fields(CALLBACKS, _nothing)(place, value)
    if len(value["kinds"]) != len(value["states"]):
        raise _refuse(place, "a state for each kind", value)


RESUME: dict[str, Check | _Optional] = {
    "training": _object_of(_anything),
    "epoch": _whole(0, INT32),
    "step": _whole(0, INT32),
    "history": _history,
    "ended": _flag,
    "start": _whole(0, 2**32 - 1),
    "first": _whole(0, INT32),
    "last": _whole(0, INT32),
    "final": _flag,
    "callbacks": _memory,
}
"""Where a training stands, in a checkpoint."""

KERAS: dict[str, Check | _Optional] = {
    "config": _object_of(_anything),
    "compiled": _or_null(_object_of(_anything)),
    "epochs": _Optional(_whole(0, INT32)),
}
"""What `statewise.legacy` adds to a model file."""

COMPILED = {"optimizer": _or_null(OPTIMIZER), "loss": _loss, "metrics": _list_of(_text)}

MODEL: dict[str, Check | _Optional] = {
    "network": NETWORK,
    "seed": _whole(0, INT64),
    "trained": _flag,
    "epochs": _Optional(_whole(0, INT32)),
    "logs": _Optional(_or_null(_object_of(_number))),
    "measured": _Optional(_or_null(_object_of(_anything))),
    "compiled": _or_null(_fields(COMPILED)),
    "state": _or_null(_whole(0, INT64)),
    "resume": _Optional(_or_null(_fields(RESUME))),
    "keras": _Optional(_fields(KERAS)),
}

VOCABULARY: dict[str, Check | _Optional] = {
    "tokens": _text,
    "symbols": _list_of(_text),
    "tight_before": _list_of(_text),
    "tight_after": _list_of(_text),
    "rules": _Optional(_whole(1, INT64)),
}

OPTIONS = {
    "tokens": _text,
    "units": _whole(1, INT64),
    "layers": _whole(1, INT64),
    "embedding": _whole(1, INT64),
    "dropout": _number,
    "window": _or_null(_whole(1, INT64)),
    "seed": _whole(0, INT64),
}

TEXT: dict[str, Check | _Optional] = {
    "options": _fields(OPTIONS),
    "vocabulary": _fields(VOCABULARY),
    "reads": _Optional(_flag),
    "texts": _Optional(_list_of(_text)),
    "plan": _Optional(_object_of(_plain)),
}


def _key(place: str, value: Any) -> None:
    """Checks the key of a stream; integers in it may have any size."""
    if isinstance(value, list):
        _list_of(_key)(place, value)
    elif value is not None and not isinstance(value, str | int | float):
        raise _refuse(place, "text, a number, null, or a list of these", value)


def _kind_of_state(place: str, value: Any) -> None:
    (_fields({"forward": _text, "backward": _text}, _nothing) if isinstance(value, dict) else _text)(place, value)


STATE: dict[str, Check | _Optional] = {
    "layers": _object_of(_kind_of_state),
    "learnt": _list_of(_text),
    "keys": _Optional(_list_of(_key)),
    "resume": _Optional(_nothing),
}

FORMS: dict[str, Check] = {
    "sequential": _fields(MODEL),
    "graph": _fields(MODEL),
    "text": _fields(MODEL | TEXT),
    "state": _fields(STATE),
}


# -- arrays that fit the header --------------------------------------------------------------------------------------


def _fit_model(header: dict[str, Any], arrays: Mapping[str, Array]) -> None:
    """Checks that no size exceeds that of an array in the file, so that nothing larger is allocated."""
    weights = weights_by_layer(header["network"], arrays)
    for index, entry in enumerate(header["network"]["layers"]):
        own = weights[entry.get("weights", entry["name"])]
        largest = max((max(array.shape) for array in own.values() if array.size), default=0)
        inner = entry
        while "layer" in inner:
            inner = inner["layer"]
        for option in SIZES:
            if inner.get(option, 0) > largest:
                found = f"got sizes up to {largest}" if largest else "got none"
                raise FileError(
                    f"network.layers[{index}].{option}: expected weights of layer {entry['name']!r} of size "
                    f"{inner[option]}, {found}"
                )
    rows = header["state"]
    parts = {name: array.shape for name, array in arrays.items() if name.startswith("state[")}
    if rows is None:
        return
    if (rows and not parts) or any(shape[:1] != (rows,) for shape in parts.values()):
        raise FileError(f"state: expected arrays with {rows} row(s), got {reprlib.repr(parts)}")


def weights_by_layer(network: Mapping[str, Any], arrays: Mapping[str, Array]) -> dict[str, dict[str, Array]]:
    """Returns the weights in a model file by layer and name; a file calls them `params['lstm']['kernel']`."""
    layers = {f"params[{entry['name']!r}]": entry["name"] for entry in network["layers"]}
    weights: dict[str, dict[str, Array]] = defaultdict(dict)
    for name, array in arrays.items():
        prefix, _, weight = name.rpartition("['")
        if prefix in layers:
            weights[layers[prefix]][weight.removesuffix("']")] = array
    return weights


def _fit_text(header: dict[str, Any], arrays: Mapping[str, Array]) -> None:
    _fit_model(header, arrays)
    symbols = len(header["vocabulary"]["symbols"])
    if len(set(header["vocabulary"]["symbols"])) < symbols:
        raise FileError("vocabulary.symbols: expected distinct symbols")
    passages = np.asarray(arrays.get("passages", np.zeros(0, np.uint64)))
    if passages.ndim != 1 or passages.dtype != np.uint64 or (passages[1:] <= passages[:-1]).any():
        raise FileError("passages: expected distinct hashes in ascending order")
    counts = [arrays.get(f"baselines.{name}") for name in ("unigrams", "pairs", "pair_counts")]
    if any(array is None for array in counts):
        return  # the code that reads them says which is missing
    unigrams, pairs, pair_counts = (np.asarray(array) for array in counts)
    whole = all(np.issubdtype(array.dtype, np.integer) for array in (unigrams, pairs, pair_counts))
    fitting = unigrams.shape == (symbols,) and pairs.shape == (len(pairs), 2) and pair_counts.shape == pairs.shape[:1]
    if not whole or not fitting or not pairs.size or pairs.min() < 0 or pairs.max() >= symbols:
        raise FileError(f"baselines: expected counts of {symbols} symbols and of their pairs")


def _fit_state(header: dict[str, Any], _: Mapping[str, Array]) -> None:
    if unknown := set(header["learnt"]) - header["layers"].keys():
        raise _refuse("learnt", "names of layers", sorted(unknown))


FITS: dict[str, Callable[[dict[str, Any], Mapping[str, Array]], None]] = {
    "sequential": _fit_model,
    "graph": _fit_model,
    "text": _fit_text,
    "state": _fit_state,
}
