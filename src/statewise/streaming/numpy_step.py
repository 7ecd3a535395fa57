"""The NumPy step: Python source generated for one network, one line per operation.

The generated function spends its time in NumPy only: it does no lookups, and does not loop over operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from statewise.foundation.shapes import Array
from statewise.operations import (
    Add,
    Apply,
    Constant,
    Differs,
    Input,
    Joined,
    Kept,
    LookUp,
    Maximum,
    Minimum,
    Multiply,
    NetworkStep,
    Normalize,
    Pairwise,
    Slice,
    Subtract,
    Symbol,
    Value,
    Where,
    unknown_operation,
)
from statewise.state import LayerStates
from statewise.streaming.fused_products import FIRST, OF_TWICE, Column, Product, plan, uses_of
from statewise.streaming.numpy_activations import ACTIVATIONS

SIGNS = {Add: "+", Subtract: "-", Multiply: "*"}
EXTREMES = {Maximum: "maximum", Minimum: "minimum"}


class NumpyStep(Protocol):
    """A network's step, `y, states = step(x, states, mask)`, as `Runtime.step` describes it."""

    def __call__(self, x: Array, states: LayerStates, mask: Array | None = None, /) -> tuple[Array, LayerStates]:
        """Returns the answers and the states after the step; modifies none of its arguments."""


def write_step(step: NetworkStep) -> NumpyStep:
    """Returns the function of a network's step.

    Raises:
        ConfigurationError: the step has an operation that this engine does not know.
    """
    return _Writer(step).function()


class _Writer:
    """Writes a line for each operation; arrays and functions become globals of the generated function."""

    def __init__(self, step: NetworkStep) -> None:
        self._step, self._operations = step, plan(step)
        self._uses = uses_of(step, self._operations)
        self._globals: dict[str, Any] = {"concatenate": np.concatenate, "tanh": np.tanh, "where": np.where}
        self._globals |= {
            "broadcast_to": np.broadcast_to,
            "maximum": np.maximum,
            "minimum": np.minimum,
            "sqrt": np.sqrt,
        }
        self._names: dict[Value, str] = {step.x: "x"}
        self._fresh: set[Value] = set()  # new arrays, which their last user may overwrite
        self._lines: list[str] = []

    def function(self) -> NumpyStep:
        """Returns the generated function."""
        for name, state in self._step.before.items():
            parts = [self._name(part) for part in state]
            self._lines.append(f"{', '.join(parts)}, = states[{self._constant(name)}]")
        if self._step.counts is None:
            self._write_mask()
        for operation in self._operations:
            self._write(operation)
        after = [
            f"{self._constant(name)}: {self._constant(type(state))}({', '.join(self._names[part] for part in state)})"
            for name, state in self._step.after.items()
        ]
        self._lines.append(f"return {self._names[self._step.answer]}, {{{', '.join(after)}}}")
        source = "\n    ".join(["def step(x, states, mask=None):", *self._lines])
        exec(compile(source, "<NumPy step>", "exec"), self._globals)
        return self._globals.pop("step")  # left there, it would keep itself, and the weights, alive

    def _write(self, operation: Product | Value) -> None:
        if isinstance(operation, Product):
            return self._write_product(operation)
        if type(operation) not in WRITERS:
            raise unknown_operation(operation)
        WRITERS[type(operation)](self, operation)
        return None

    def _name(self, value: Value) -> str:
        return self._names.setdefault(value, f"v{len(self._names)}")

    def _constant(self, value: Any) -> str:
        name = f"c{len(self._globals)}"
        self._globals[name] = value
        return name

    def _set(self, value: Value, expression: str) -> None:
        self._lines.append(f"{self._name(value)} = {expression}")

    # -- operations --------------------------------------------------------------------------------------------------

    def _write_product(self, product: Product) -> None:
        weights, biases = zip(*product.blocks(), strict=True)
        joined, bias = np.ascontiguousarray(np.concatenate(weights, axis=1)), np.concatenate(biases)
        inputs = [self._names[vector] for vector in product.inputs]
        rows = inputs[0] if len(inputs) == 1 else f"concatenate(({', '.join(inputs)}), -1)"
        z = f"z{len(self._names)}"
        self._lines += [f"{z} = {rows}.dot({self._constant(joined)})", f"{z} += {self._constant(bias)}"]
        self._apply_tanh(z, product.columns)
        start, alone = 0, len(product.columns) == 1
        for value, function, affine in product.columns:
            block = z if alone else f"{z}[..., {start}:{start + affine.size}]"
            known = function in FIRST or function == "linear"
            self._set(value, block if known else f"{self._constant(ACTIVATIONS[function])}({block})")
            start += affine.size
            if alone or not known:
                self._fresh.add(value)

    def _apply_tanh(self, z: str, columns: tuple[Column, ...]) -> None:
        """Writes one tanh for all columns that use it, and turns the first of them into sigmoids."""
        gates, both = (
            sum(column.width for column in columns if column.function in functions)
            for functions in ((OF_TWICE,), FIRST)
        )
        if both:
            applied = self._part(z, columns, both)
            self._lines.append(f"tanh({applied}, {applied})")
        if gates:
            opened = applied if gates == both else self._part(z, columns, gates)
            self._lines += [f"{opened} *= 0.5", f"{opened} += 0.5"]

    def _part(self, z: str, columns: tuple[Column, ...], end: int) -> str:
        if end == sum(column.width for column in columns):
            return z
        self._lines.append(f"{z}_{end} = {z}[..., :{end}]")
        return f"{z}_{end}"

    def _write_apply(self, value: Apply) -> None:
        self._set(value, f"{self._constant(ACTIVATIONS[value.function])}({self._names[value.source]})")
        if value.function != "linear":
            self._fresh.add(value)

    def _write_pairwise(self, value: Pairwise) -> None:
        left, right, sign = value.left, value.right, SIGNS[type(value)]
        if self._is_last_use(right) and not self._is_last_use(left) and sign != "-":
            left, right = right, left
        if self._is_last_use(left):
            self._names[value] = self._names[left]
            self._lines.append(f"{self._names[left]} {sign}= {self._names[right]}")
        else:
            self._set(value, f"{self._names[left]} {sign} {self._names[right]}")
        self._fresh.add(value)

    def _write_extreme(self, value: Pairwise) -> None:
        self._set(value, f"{EXTREMES[type(value)]}({self._names[value.left]}, {self._names[value.right]})")
        self._fresh.add(value)

    def _write_normalize(self, value: Normalize) -> None:
        centered = f"n{len(self._names)}"
        x, epsilon = self._names[value.source], self._constant(np.float32(value.epsilon))
        self._lines.append(f"{centered} = {x} - {x}.mean(-1, keepdims=True)")
        self._set(value, f"{centered} / sqrt(({centered} * {centered}).mean(-1, keepdims=True) + {epsilon})")
        self._fresh.add(value)

    def _write_joined(self, value: Joined) -> None:
        self._set(value, f"concatenate(({', '.join(self._names[part] for part in value.vectors)},), -1)")
        self._fresh.add(value)

    def _write_slice(self, value: Slice) -> None:
        self._set(value, f"{self._names[value.source]}[..., {value.start} : {value.start + (value.size or 0)}]")

    def _write_constant(self, value: Constant) -> None:
        self._set(value, f"broadcast_to({self._constant(value.numbers)}, (len(x), {value.size}))")

    def _is_last_use(self, value: Value) -> bool:
        return value in self._fresh and self._uses[value] == 1

    def _write_look_up(self, value: LookUp) -> None:
        self._set(value, f"{self._constant(value.table)}[{self._names[value.symbol]}]")

    def _write_differs(self, value: Differs) -> None:
        differs = f"{self._names[value.source]} != {self._constant(value.value)}"
        self._set(value, differs if isinstance(value.source, Symbol) else f"({differs}).any(-1)")
        if value is self._step.counts:
            self._lines.append(f"mask = {self._names[value]} if mask is None else {self._names[value]} & mask")
            self._write_mask()

    def _write_mask(self) -> None:
        self._lines.append("if mask is not None: mask = None if mask.all() else mask[:, None]")

    def _write_where(self, value: Where) -> None:
        zero = self._constant(np.float32(0))
        self._set(value, f"where({self._names[value.condition]}[..., None], {self._names[value.source]}, {zero})")

    def _write_kept(self, value: Kept) -> None:
        new, old = self._names[value.left], self._names[value.right]
        self._set(value, f"{new} if mask is None else where(mask, {new}, {old})")

    def _write_nothing(self, value: Value) -> None:
        """Inputs already have names."""


WRITERS: dict[type[Value], Callable[[Any, Any], None]] = {
    Add: _Writer._write_pairwise,
    Apply: _Writer._write_apply,
    Constant: _Writer._write_constant,
    Differs: _Writer._write_differs,
    Input: _Writer._write_nothing,
    Joined: _Writer._write_joined,
    Kept: _Writer._write_kept,
    LookUp: _Writer._write_look_up,
    Maximum: _Writer._write_extreme,
    Minimum: _Writer._write_extreme,
    Multiply: _Writer._write_pairwise,
    Normalize: _Writer._write_normalize,
    Slice: _Writer._write_slice,
    Subtract: _Writer._write_pairwise,
    Symbol: _Writer._write_nothing,
    Where: _Writer._write_where,
}
