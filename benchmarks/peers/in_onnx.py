"""One LSTM step and a dense layer in ONNX Runtime, its state fed back: one session, one thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.peers.training import Array

OPSET = 17

NAMES = ["y", "h", "c"]
"""What a run answers: the dense layer's output `[1, B, V]`, and the state `[1, B, H]` to feed back."""


def session(weights: Sequence[Array]) -> onnxruntime.InferenceSession:
    """Returns a session of one step: `run(NAMES, {"x": [1, B, F], "h0": [1, B, H], "c0": [1, B, H]})`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(_model(weights).SerializeToString(), options, ["CPUExecutionProvider"])


def _model(weights: Sequence[Array]) -> Any:
    kernel, recurrent, bias, dense, offset = weights
    (F, H), V = (kernel.shape[0], recurrent.shape[0]), offset.size
    constants = {
        "W": _iofc(kernel, H),
        "R": _iofc(recurrent, H),
        "B": np.concatenate([_iofc(bias[None], H)[..., 0], np.zeros((1, 4 * H), "float32")], axis=1),
        "dense": dense,
        "offset": offset,
    }
    nodes = [
        helper.make_node("LSTM", ["x", "W", "R", "B", "", "h0", "c0"], ["", "h", "c"], hidden_size=H),
        helper.make_node("MatMul", ["h", "dense"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["y"]),
    ]
    inputs = {"x": F, "h0": H, "c0": H}
    outputs = {"y": V, "h": H, "c": H}
    graph = helper.make_graph(nodes, "step", *map(_values, (inputs, outputs)), _initializers(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def _iofc(weights: Array, H: int) -> Array:
    """Returns `[1, 4H, n]` with the gates in ONNX's order, of `[n, 4H]` in ours."""
    gates = weights.reshape(len(weights), 4, H)[:, [0, 3, 1, 2]]
    return np.ascontiguousarray(gates.reshape(len(weights), 4 * H).T)[None]


def _values(sizes: dict[str, int]) -> list[Any]:
    return [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "B", size]) for name, size in sizes.items()]


def _initializers(constants: dict[str, Array]) -> list[Any]:
    return [numpy_helper.from_array(array, name) for name, array in constants.items()]
