"""The form of a file's header, checked once, before anything is built from it.

Each kind of file has a table of fields. A field that is not in the table is ignored, so that a newer statewise may
add some. Does not need JAX.
"""

from __future__ import annotations

import reprlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from statewise.errors import FileError
from statewise.foundation.shapes import Array
from statewise.storage.header_checks import (
    INT32,
    INT64,
    Check,
    Maybe,
    anything,
    fields,
    flag,
    list_of,
    nothing,
    number,
    object_of,
    or_null,
    plain,
    refuse,
    text,
    whole,
)

DEPTH = 64
"""How deeply lists and objects in a header may be nested: far less than Python's stack allows."""


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


# -- networks --------------------------------------------------------------------------------------------------------

SIZES = ("units", "input_dim", "output_dim", "filters", "kernel_size")
"""Options of a layer that equal the size of an axis of one of its weights."""


def _option(place: str, value: Any) -> None:
    """Checks an option of a layer: plain, several sizes, or a layer or penalty inside it."""
    (SHAPE if isinstance(value, list) else INNER if isinstance(value, dict) else plain)(place, value)


def _layer(place: str, value: Any) -> None:
    LAYER(place, value)


SHAPE = list_of(or_null(whole(-1, INT64)))
INNER = fields({"kind": text}, _option)
LAYER = fields(
    {
        "kind": text,
        "layer": Maybe(_layer),
        "sources": Maybe(list_of(text)),
        "start": Maybe(list_of(text)),
        "weights": Maybe(text),
        **{name: Maybe(whole(1, INT64)) for name in (*SIZES, "n")},
    },
    _option,
)
NAMED = list_of(fields({"name": text}))


def _layers(place: str, value: Any) -> None:
    list_of(_layer)(place, value)
    NAMED(place, value)
    names = [entry["name"] for entry in value]
    if not names or len(set(names)) < len(names):
        raise refuse(place, "one or more layers, with different names", names)


SIZES_OF_ROWS = list_of(or_null(whole(1, INT64)))
CHAIN = fields({"input_shape": SIZES_OF_ROWS, "input_name": Maybe(text), "layers": _layers})
GRAPH = fields(
    {
        "inputs": list_of(fields({"name": text, "shape": SIZES_OF_ROWS, "axis": text})),
        "outputs": list_of(fields({"name": text, "layer": text})),
        "layers": _layers,
    }
)


def _network(place: str, value: Any) -> None:
    """Checks a network of one input and one output, or one whose inputs and outputs have names."""
    (GRAPH if isinstance(value, dict) and "inputs" in value else CHAIN)(place, value)


def _schedule(place: str, value: Any) -> None:
    fields({"kind": text}, lambda at, part: (list_of(number) if isinstance(part, list) else plain)(at, part))(
        place, value
    )


def _rate(place: str, value: Any) -> None:
    (_schedule if isinstance(value, dict) else number)(place, value)


OPTIMIZER = fields({"kind": text, "learning_rate": _rate}, plain)
SAMPLED = fields({"samples": whole(1, INT64), "distribution": text})


def _loss(place: str, value: Any) -> None:
    (SAMPLED if isinstance(value, dict) else text)(place, value)


# -- the tables ------------------------------------------------------------------------------------------------------

HISTORY = fields({"epoch": list_of(whole(0, INT32)), "history": object_of(list_of(number))})
HISTORY_FIELDS = {"epoch", "history", "interrupted", "seconds"}


def _history(place: str, value: Any) -> None:
    HISTORY(place, value)
    if unknown := value.keys() - HISTORY_FIELDS:
        raise refuse(place, "the fields of a history", sorted(unknown))
    epochs = len(value["epoch"])
    if too_long := [name for name, logs in value["history"].items() if len(logs) > epochs]:
        raise FileError(f"{place}: expected at most one {too_long[0]!r} for each of {epochs} epoch(s)")


CALLBACKS = {
    "kinds": list_of(text),
    "states": list_of(or_null(object_of(anything))),
    "told": whole(0, INT32),
    "of": whole(0, INT32),
    "ended": flag,
}


def _memory(place: str, value: Any) -> None:
    """Checks the states of callbacks."""
    fields(CALLBACKS, nothing)(place, value)
    if len(value["kinds"]) != len(value["states"]):
        raise refuse(place, "a state for each kind", value)


RESUME: dict[str, Check | Maybe] = {
    "training": object_of(anything),
    "epoch": whole(0, INT32),
    "step": whole(0, INT32),
    "history": _history,
    "ended": flag,
    "start": whole(0, 2**32 - 1),
    "first": whole(0, INT32),
    "last": whole(0, INT32),
    "final": flag,
    "callbacks": _memory,
}
"""Where a training stands, in a checkpoint."""

KERAS: dict[str, Check | Maybe] = {
    "config": object_of(anything),
    "compiled": or_null(object_of(anything)),
    "epochs": Maybe(whole(0, INT32)),
}
"""What `statewise.legacy` adds to a model file."""

OWN_LOSS = {"loss": _loss, "metrics": list_of(text)}
COMPILED = fields({"optimizer": or_null(OPTIMIZER), **OWN_LOSS})
COMPILED_BY_OUTPUT = fields(
    {
        "optimizer": or_null(OPTIMIZER),
        "targets": list_of(fields({"output": text, "weight": number, **OWN_LOSS})),
    }
)


def _compiled(place: str, value: Any) -> None:
    """Checks the arguments of `compile`: one loss, or one for each of several outputs."""
    (COMPILED_BY_OUTPUT if isinstance(value, dict) and "targets" in value else COMPILED)(place, value)


MODEL: dict[str, Check | Maybe] = {
    "network": _network,
    "seed": whole(0, INT64),
    "trained": flag,
    "epochs": Maybe(whole(0, INT32)),
    "logs": Maybe(or_null(object_of(number))),
    "measured": Maybe(or_null(object_of(anything))),
    "compiled": or_null(_compiled),
    "form": Maybe(text),
    "state": or_null(whole(0, INT64)),
    "resume": Maybe(or_null(fields(RESUME))),
    "keras": Maybe(fields(KERAS)),
}

VOCABULARY: dict[str, Check | Maybe] = {
    "tokens": text,
    "symbols": list_of(text),
    "tight_before": list_of(text),
    "tight_after": list_of(text),
    "rules": Maybe(whole(1, INT64)),
}

OPTIONS = {
    "tokens": text,
    "units": whole(1, INT64),
    "layers": whole(1, INT64),
    "embedding": whole(1, INT64),
    "dropout": number,
    "window": or_null(whole(1, INT64)),
    "seed": whole(0, INT64),
}

TEXT: dict[str, Check | Maybe] = {
    "options": fields(OPTIONS),
    "vocabulary": fields(VOCABULARY),
    "reads": Maybe(flag),
    "texts": Maybe(list_of(text)),
    "plan": Maybe(object_of(plain)),
}


def _key(place: str, value: Any) -> None:
    """Checks the key of a stream; integers in it may have any size."""
    if isinstance(value, list):
        list_of(_key)(place, value)
    elif value is not None and not isinstance(value, str | int | float):
        raise refuse(place, "text, a number, null, or a list of these", value)


def _kind_of_state(place: str, value: Any) -> None:
    if isinstance(value, dict):
        inner = {"reached": text} if "reached" in value else {"forward": text, "backward": text}
        fields(inner, nothing)(place, value)
    else:
        text(place, value)


STATE: dict[str, Check | Maybe] = {
    "layers": object_of(_kind_of_state),
    "learnt": list_of(text),
    "keys": Maybe(list_of(_key)),
    "resume": Maybe(nothing),
}

FORMS: dict[str, Check] = {
    "sequential": fields(MODEL),
    "graph": fields(MODEL),
    "text": fields(MODEL | TEXT),
    "state": fields(STATE),
}


# -- arrays that fit the header --------------------------------------------------------------------------------------


def _fit_model(header: dict[str, Any], arrays: Mapping[str, Array]) -> None:
    """Checks that no size exceeds that of an array in the file, so that nothing larger is allocated."""
    weights = weights_by_layer(header["network"], arrays)
    for index, entry in enumerate(header["network"]["layers"]):
        own = weights[entry.get("weights", entry["name"])]
        largest = max((max(array.shape, default=1) for array in own.values() if array.size), default=0)
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
    """Returns the weights in a model file by layer and name; a file calls them `params['lstm']['kernel']`.

    Statistics go by the layer's name and "/statistics".
    """
    names = [entry["name"] for entry in network["layers"]]
    layers = {f"params[{name!r}]": name for name in names}
    layers |= {f"statistics[{name!r}]": f"{name}/statistics" for name in names}
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
        raise refuse("learnt", "names of layers", sorted(unknown))


FITS: dict[str, Callable[[dict[str, Any], Mapping[str, Array]], None]] = {
    "sequential": _fit_model,
    "graph": _fit_model,
    "text": _fit_text,
    "state": _fit_state,
}
