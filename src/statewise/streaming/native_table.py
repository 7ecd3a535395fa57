"""The table that the native step reads: addresses and sizes of a program's arrays and of a stream's."""

from __future__ import annotations

import ctypes

import numpy as np

from statewise.foundation.shapes import Array
from statewise.native.library import stream_check
from statewise.streaming import instructions as at
from statewise.streaming.assembler import Program


class NativeTable:
    """The table of a program, without the arrays of a stream.

    Attributes:
        fields: its numbers, by the places in `instructions`.
        reference: what ctypes passes as its address.
    """

    def __init__(self, program: Program) -> None:
        numbers = np.zeros(at.TABLE, np.int64)
        self.fields = memoryview(numbers.data)  # faster than the array
        self.reference = ctypes.byref(ctypes.c_int64.from_buffer(self.fields))
        self._kept: dict[int, Array] = {}
        self.set_arrays(INSTRUCTIONS=program.instructions, WEIGHTS=program.weights)
        self.fields[at.COUNT], self.fields[at.WEIGHTS_SIZE] = len(program.instructions), program.weights.size
        self.fields[at.ROW_SIZE], self.fields[at.WORKSPACE_SIZE] = program.row.size, program.workspace_size
        self.fields[at.FEATURES] = program.features
        self.fields[at.ANSWER], self.fields[at.ANSWER_SIZE] = program.answer

    def set_arrays(self, **arrays: Array) -> None:
        """Enters the addresses of arrays into the table, and keeps the arrays alive until they are replaced."""
        for name, array in arrays.items():
            field = getattr(at, name)
            self._kept[field] = array
            self.fields[field] = array.ctypes.data


def checked(program: Program) -> Program:
    """Returns the program, which cannot be changed from now on.

    Raises:
        NotImplementedError: an instruction is unknown, or addresses something outside the program's arrays.
    """
    program.instructions.flags.writeable = program.weights.flags.writeable = False
    if (number := stream_check(NativeTable(program).reference)) >= 0:
        found = program.instructions[number].tolist() if number < len(program.instructions) else "step or answer"
        raise NotImplementedError(f"the native step cannot run instruction {number} of this network: {found}")
    return program
