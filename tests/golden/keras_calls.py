"""The calls in `keras_preprocessing.json`, and whether ours return the same."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FILE = Path(__file__).with_name("keras_preprocessing.json")


@cache
def calls() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))


def recorded(tool: str) -> pytest.MarkDecorator:
    """Runs a test once for each call of `tool`, its `call`."""
    cases = calls()[tool]
    return pytest.mark.parametrize("call", cases, ids=[str(number) for number in range(len(cases))])


def replay(call: dict[str, Any], tool: Callable[..., Any]) -> None:
    """Fails unless `tool` returns what Keras's did."""
    random.seed(call.get("before"))
    np.random.seed(call.get("before"))
    same(tool(**call["arguments"]), call["result"])


def same(found: Any, expected: Any) -> None:
    """Fails unless `found` is what was recorded: the same numbers, to the last bits, of the same type and shape."""
    if isinstance(found, np.ndarray):
        assert (str(found.dtype), list(found.shape)) == (expected["dtype"], expected["shape"])
        if found.dtype.kind == "f":
            np.testing.assert_allclose(found.ravel(), expected["values"], rtol=1e-12)
        else:
            assert found.ravel().tolist() == expected["values"]
    elif isinstance(found, list | tuple):
        assert len(found) == len(expected)
        for mine, theirs in zip(found, expected, strict=True):
            same(mine, theirs)
    else:
        assert found == expected
