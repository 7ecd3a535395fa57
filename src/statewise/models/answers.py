"""Outputs in the form in which a model was written."""

from __future__ import annotations

from typing import Any

from statewise.models.interface import AnyModel


def in_form(model: AnyModel, y: Any) -> Any:
    """Returns outputs as the model was written: one, a list, or a dict by name.

    An output is None where its time axis took no step, and missing in a dict.
    """
    outputs = [output.name for output in model.network.outputs]
    by_name = y if len(outputs) > 1 else {outputs[0]: y}
    if model.form == "dict":
        return {name: by_name[name] for name in outputs if by_name.get(name) is not None}
    return [by_name.get(name) for name in outputs] if model.form == "list" else y
