"""Numba intrinsics: pointers from addresses, and products in vector registers. Importing this module imports Numba.

Numba also vectorizes plain loops, but keeps their sums in memory, and writes and reads them for each row of weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from statewise.streaming.instructions import SIMD_WIDTH

numba_jit: Callable[..., Any] = njit(fastmath={"contract", "nsz"}, error_model="numpy")
"""Compiles a function; sums may be fused with products, but not reordered, and NaN and infinity are preserved."""

INT, NUMBER = ir.IntType(64), ir.FloatType()
VECTOR = ir.VectorType(NUMBER, SIMD_WIDTH)
FLOATS = types.CPointer(types.float32)


def _pointer_to(kind: types.Type) -> Any:
    def at(_: Any, address: Any) -> Any:  # noqa: ARG001 - Numba reads its name
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.int64), build

    return intrinsic(at)


floats_at, doubles_at, ints_at = (_pointer_to(kind) for kind in (types.float32, types.float64, types.int64))


def _float_of_bits() -> Any:
    def of(_: Any, bits: Any) -> Any:  # noqa: ARG001 - Numba reads its name
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

        return types.float32(types.int32), build

    return intrinsic(of)


float_of_bits = _float_of_bits()  # an int32's


class _Columns:
    """Builds the LLVM instructions that multiply `rows` vectors by `columns` vectors of columns of a matrix."""

    def __init__(self, builder: Any, rows: int, columns: int) -> None:
        self.b, self.rows, self.columns = builder, rows, columns
        kind = ir.FunctionType(VECTOR, (VECTOR, VECTOR, VECTOR))
        self.multiply_add = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fmuladd.v{SIMD_WIDTH}f32")

    def each(self) -> list[tuple[int, int]]:
        return [(row, column) for row in range(self.rows) for column in range(self.columns)]

    def place(self, base: Any, at: Any, stride: Any, row: int, column: int = 0) -> Any:
        """Returns the address of `base[at + row stride + SIMD_WIDTH column]`."""
        offset = self.b.add(at, self.b.mul(stride, INT(row)))
        return self.b.gep(base, [self.b.add(offset, INT(SIMD_WIDTH * column))])

    def load(self, address: Any) -> Any:
        vector = self.b.load(self.b.bitcast(address, VECTOR.as_pointer()))
        vector.align = 4
        return vector

    def store(self, vector: Any, address: Any) -> None:
        self.b.store(vector, self.b.bitcast(address, VECTOR.as_pointer())).align = 4

    def broadcast(self, number: Any) -> Any:
        first = self.b.insert_element(VECTOR(ir.Undefined), number, ir.IntType(32)(0))
        zeros = ir.VectorType(ir.IntType(32), SIMD_WIDTH)([0] * SIMD_WIDTH)
        return self.b.shuffle_vector(first, VECTOR(ir.Undefined), zeros)

    def product(self, z: Any, at: Any, stride: Any, v: Any, start: Any, w: Any, first: Any, width: Any, m: Any) -> None:
        """Adds the products of `m` numbers of each vector and `m` rows of `w` to the sums at `z`."""
        b, before = self.b, self.b.block
        begun = [self.load(self.place(z, at, stride, *which)) for which in self.each()]
        head, body, end = (b.append_basic_block(name) for name in ("head", "body", "end"))
        b.branch(head)
        b.position_at_end(head)
        j, sums = b.phi(INT), [b.phi(VECTOR) for _ in begun]
        for phi, value in zip([j, *sums], [INT(0), *begun], strict=True):
            phi.add_incoming(value, before)
        b.cbranch(b.icmp_signed("<", j, m), body, end)
        b.position_at_end(body)
        row = b.add(first, b.mul(j, width))
        weights = [self.load(self.place(w, row, INT(0), 0, column)) for column in range(self.columns)]
        factors = [self.broadcast(b.load(self.place(v, b.add(start, j), stride, r))) for r in range(self.rows)]
        for phi, (r, column) in zip(sums, self.each(), strict=True):
            phi.add_incoming(b.call(self.multiply_add, [factors[r], weights[column], phi]), body)
        j.add_incoming(b.add(j, INT(1)), body)
        b.branch(head)
        b.position_at_end(end)
        for phi, which in zip(sums, self.each(), strict=True):
            self.store(phi, self.place(z, at, stride, *which))


def each_of(count: int, operation: Callable[..., Any]) -> Any:
    """Returns the Numba function `compute(a, target, places)`, which computes `a[target:]` from `count` vectors.

    `operation(columns, *vectors)` builds the instructions. The target may be one of the places.
    """

    def compute(_: Any, a: Any, target: Any, places: Any) -> Any:  # noqa: ARG001
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
            columns, (a, target, places) = _Columns(builder, 1, 1), arguments
            vectors = [columns.load(builder.gep(a, [place])) for place in cgutils.unpack_tuple(builder, places, count)]
            columns.store(operation(columns, *vectors), builder.gep(a, [target]))
            return context.get_dummy_value()

        return types.void(FLOATS, types.int64, types.UniTuple(types.int64, count)), build

    return intrinsic(compute)


def _move() -> Any:
    def move(_: Any, a: Any, target: Any, b: Any, source: Any) -> Any:  # noqa: ARG001
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
            columns, (a, target, b, source) = _Columns(builder, 1, 1), arguments
            columns.store(columns.load(builder.gep(b, [source])), builder.gep(a, [target]))
            return context.get_dummy_value()

        return types.void(FLOATS, types.int64, FLOATS, types.int64), build

    return intrinsic(move)


move = _move()  # one vector, `a[target:] = b[source:]`
multiply_add = each_of(3, lambda columns, x, y, z: columns.b.call(columns.multiply_add, [x, y, z]))
multiply = each_of(2, lambda columns, x, y: columns.b.fmul(x, y))
add = each_of(2, lambda columns, x, y: columns.b.fadd(x, y))
subtract = each_of(2, lambda columns, x, y: columns.b.fsub(x, y))


def product_of(rows: int, columns: int) -> Any:
    """Returns the Numba function `product(a, at, stride, start, w, first, width, m)`.

    For each of `rows` vectors, `stride` apart, it adds the product of the `m` numbers at `a[start:]` and the matrix at
    `w[first:]`, whose rows are `width` apart, to the `SIMD_WIDTH * columns` numbers at `a[at:]`.
    """

    def product(_: Any, a: Any, at: Any, stride: Any, start: Any, w: Any, first: Any, width: Any, m: Any) -> Any:  # noqa: ARG001
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
            a, at, stride, start, w, first, width, m = arguments
            _Columns(builder, rows, columns).product(a, at, stride, a, start, w, first, width, m)
            return context.get_dummy_value()

        return types.void(FLOATS, *[types.int64] * 3, FLOATS, *[types.int64] * 3), build

    return intrinsic(product)
