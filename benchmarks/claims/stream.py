"""One step at a time from Python, the state kept: how long one takes, for three sizes.

A pass pushes 500 steps into a stream that goes on; each side gets the steps as what it takes most quickly, and its
answer to each is read. ONNX Runtime is measured both ways it offers, `run` on arrays and bound buffers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.harness.claim import Claim, Faster, Timed, Under
from benchmarks.peers.training import Array, lstm_weights

F, V, STEPS = 8, 4, 500

X = np.random.default_rng(1).normal(size=(STEPS, F)).astype("float32")


def statewise(H: int) -> Timed:
    """`stream.push` on the engine that `model.stream()` takes by itself: the native one, where there is one."""
    return _pushed(H, "auto")


def statewise_numpy(H: int) -> Timed:
    """`stream.push` as it is without a native library."""
    return _pushed(H, "numpy")


def _pushed(H: int, engine: str) -> Timed:
    import statewise as sw

    model = sw.Sequential([sw.LSTM(H), sw.Dense(V)])
    model.build((None, None, F))
    model.set_weights(lstm_weights(F, H, V))
    stream = model.stream(engine=engine)
    steps = list(X)

    def work(passes: int) -> list[Array]:
        return [stream.push(step) for _ in range(passes) for step in steps]

    return Timed(work, note=f"{stream.engine} engine")


def onnxruntime_run(H: int) -> Timed:
    """`session.run` on NumPy arrays, what it answers fed back."""
    from benchmarks.peers import in_onnx

    session = in_onnx.session(lstm_weights(F, H, V))
    state = {"h0": np.zeros((1, 1, H), "float32"), "c0": np.zeros((1, 1, H), "float32")}
    steps = list(X[:, None, None])

    def work(passes: int) -> list[Array]:
        answers = []
        for _ in range(passes):
            for step in steps:
                y, state["h0"], state["c0"] = session.run(in_onnx.NAMES, {"x": step, **state})
                answers.append(y)
        return answers

    return Timed(work)


def onnxruntime_bound(H: int) -> Timed:
    """`session.run_with_iobinding`: two bindings by turns, what one writes the other reads, nothing allocated."""
    import onnxruntime

    from benchmarks.peers import in_onnx

    session = in_onnx.session(lstm_weights(F, H, V))
    x, y = np.zeros((1, 1, F), "float32"), np.zeros((1, 1, V), "float32")
    value = onnxruntime.OrtValue.ortvalue_from_numpy
    held = [[value(np.zeros((1, 1, H), "float32")) for _ in "hc"] for _ in range(2)]
    x_value, y_value = value(x), value(y)

    def bind(before: list[Any], after: list[Any]) -> Any:
        binding = session.io_binding()
        for name, bound in zip(("x", "h0", "c0"), (x_value, *before), strict=True):
            binding.bind_ortvalue_input(name, bound)
        for name, bound in zip(in_onnx.NAMES, (y_value, *after), strict=True):
            binding.bind_ortvalue_output(name, bound)
        return binding

    bindings = [bind(*held), bind(*held[::-1])]
    steps = list(zip(X[:, None, None], bindings * (STEPS // 2), strict=True))

    def work(passes: int) -> list[Array]:
        answers = []
        for _ in range(passes):
            for step, binding in steps:
                x_value.update_inplace(step)
                session.run_with_iobinding(binding)
                answers.append(y_value.numpy().copy())
        return answers

    return Timed(work)


def pytorch(H: int) -> Timed:
    """nn.LSTMCell, into which the trained weights are copied: quicker than nn.LSTM on one step."""
    from benchmarks.peers import in_pytorch

    net = in_pytorch.Net(lstm_weights(F, H, V))
    return _stepped(H, net, in_pytorch.cell_of(net))


def pytorch_lstm(H: int) -> Timed:
    """The nn.LSTM that was trained."""
    from benchmarks.peers import in_pytorch

    net = in_pytorch.Net(lstm_weights(F, H, V))
    return _stepped(H, net, in_pytorch.step_of(net))


def _stepped(H: int, net: Any, cell: Any) -> Timed:
    """Returns a loop of steps under inference_mode."""
    import torch

    from benchmarks.peers import in_pytorch

    steps = list(torch.from_numpy(X)[:, None])
    state = [torch.zeros(1, H), torch.zeros(1, H)]

    @torch.inference_mode()
    def work(passes: int) -> list[Array]:
        answers = []
        for _ in range(passes):
            for step in steps:
                state[:] = cell(step, state)
                answers.append(net.dense(state[0]).numpy())
        return answers

    return in_pytorch.threaded(work)


PEERS = {"onnxruntime": 4, "onnxruntime, bound": 4, "pytorch, nn.LSTM": 20, "pytorch, nn.LSTMCell": 20}
"""By what factor each must be slower."""

SIZES = {f"H={H}": H for H in (8, 32, 64)}

CLAIM = Claim(
    work="LSTM(H) + Dense(4), F=8: one step from Python",
    unit="a step",
    units=STEPS,
    contenders={
        "statewise": statewise,
        "statewise on NumPy": statewise_numpy,
        "onnxruntime": onnxruntime_run,
        "onnxruntime, bound": onnxruntime_bound,
        "pytorch, nn.LSTM": pytorch_lstm,
        "pytorch, nn.LSTMCell": pytorch,
    },
    cases=SIZES,
    goals=[
        *(Faster(peer, must, case=case) for case in SIZES for peer, must in PEERS.items()),
        *(Faster("statewise on NumPy", case=case) for case in SIZES),
        Under(must=1e-6, aim=0.6e-6, case="H=8"),
        Under(must=1.2e-6, aim=0.8e-6, case="H=32"),
        Under(must=1.6e-6, aim=1.2e-6, case="H=64"),
    ],
    tolerance=1e-4,
    seconds=0.2,
)
