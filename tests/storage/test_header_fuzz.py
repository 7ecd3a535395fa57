"""Files whose checksum is right and whose content is not: refused as such, at once, whatever it is."""

from __future__ import annotations

import copy
import math
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from learning import fit, tagger
from mistakes import STORY, refused
from mistakes import fit as quietly
from networks import CASES, LOOKING_AHEAD
from statewise.errors import DataError, FileError, StatewiseError
from statewise.storage.artifact import Artifact, artifact_from_bytes, write_artifact
from statewise.storage.header import DEPTH
from statewise.streaming import Snapshot, Streams
from statewise.training import dispatch

SECONDS = 2.0
"""A file is refused, or opened, within this time of the processor; most take some milliseconds."""

Door = Callable[[Path], object]


def snapshot() -> Snapshot:
    streams = network().streams(engine="numpy")
    streams.push({"pump": [0.1, 0.2], ("a", 1): [0.3, 0.4]})
    return streams.snapshot()


@cache
def network() -> sw.Sequential:
    """All kinds of options: penalties, a learned start, a layer in a layer."""
    layers = [
        sw.GRU(2, return_sequences=True, learn_initial_state=True, input_shape=(None, 2)),
        sw.LSTM(3, return_sequences=True, kernel_regularizer=sw.L1L2(l2=0.1)),
        sw.TimeDistributed(sw.Dense(2)),
    ]
    model = sw.Sequential(layers, seed=3)
    model.compile(sw.Adam(sw.CosineDecay(0.01, 100), clipnorm=1.0), "mse", ["mae"])
    x = np.random.default_rng(3).normal(size=(4, 3, 2))
    quietly(model, x, x, state="carry", batch_size=4)
    return model


@cache
def story() -> sw.TextModel:
    model = sw.TextModel(units=3, embedding=2)
    quietly(model, STORY, epochs=1)
    model.evaluate("the mice", state="carry")
    return model


def resumed(path: Path) -> object:
    return fit(tagger(), checkpoint=path, epochs=3, state="carry")


def opened(path: Path) -> object:
    """Opens a model, and uses it as far as that compiles nothing."""
    model = sw.load(path)
    return model.get_weights(), model.state


def streamed(path: Path) -> object:
    streams = Streams.open(path, engine="numpy")
    return streams.push({"a": 0 if streams._runtime.symbols else np.zeros(2)})


class Killed(BaseException): ...


class Killing(sw.Callback):
    """Ends a training inside its third epoch."""

    def on_step(self, record: Any) -> None:
        if (record.epoch, record.step) == (2, 2):
            raise Killed


def checkpoint(path: Path) -> Artifact:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "DISPATCH_SECONDS", 1e-12)
        with pytest.raises(Killed):
            fit(tagger(), checkpoint=path, epochs=3, state="carry", callbacks=[Killing()])
    artifact = artifact_from_bytes(path.read_bytes(), "training")
    assert artifact.header["resume"]["step"] == 2
    return artifact


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Artifact, tuple[Door, ...]]]:
    folder = tmp_path_factory.mktemp("good")
    model, text = network().to_artifact(), story().to_artifact()
    return {
        "model": (model, (opened, streamed)),
        "text": (text, (opened, streamed)),
        "state": (network().initial_state(2).to_artifact(), (sw.State.load,)),
        "snapshot": (snapshot().to_artifact(), (Snapshot.load, sw.State.load)),
        "checkpoint": (checkpoint(folder / "training"), (resumed, opened)),
    }


# -- changes -----------------------------------------------------------------------------------------------------------

ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        16_000,
        2**31,
        2**40,
        2**63,
        10**400,
        0.5,
        -0.5,
        1e300,
        float("inf"),
        float("nan"),
    ),
    *("", "x", "LSTM", "linear", "\ud800", "x" * 2000, [], {}, [[]], [None], [1, -1], [2**40], {"kind": "LSTM"}),
    *({"kind": "Dense", "units": 2**40}, {"__array__": "params"}, {"forward": "LSTMState", "backward": "GRUState"}),
)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yields the path to each value inside."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def change_header(header: dict[str, Any], rng: np.random.Generator) -> None:
    """Puts something odd somewhere, leaves something out, or puts it in twice."""
    listed = list(places(header))
    *path, key = listed[rng.integers(len(listed))]
    holder: Any = header
    for step in path:
        holder = holder[step]
    act = rng.integers(8)
    if act == 0:
        del holder[key]
    elif act == 1 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    elif act == 2 and isinstance(holder, dict):
        holder[f"{key}x"] = holder.pop(key)
    elif act == 3:
        holder[key] = deep(int(rng.choice([3, DEPTH + 1])))
    elif act == 4:
        other = listed[rng.integers(len(listed))]
        value: Any = header
        for step in other:
            value = value[step] if isinstance(value, dict | list) and _has(value, step) else None
        holder[key] = copy.deepcopy(value)
    else:
        holder[key] = copy.deepcopy(ODD[rng.integers(len(ODD))])


def _has(value: Any, step: Any) -> bool:
    return step in value if isinstance(value, dict) else isinstance(step, int) and step < len(value)


def change_arrays(arrays: dict[str, Any], rng: np.random.Generator) -> None:
    """Leaves an array out, renames it, or gives it another shape or type."""
    name = sorted(arrays)[rng.integers(len(arrays))]
    array = arrays.pop(name)
    acts: list[Callable[[], Any]] = [
        lambda: None,
        lambda: arrays.update({name + "x": array}),
        lambda: arrays.update({name: np.atleast_1d(array)[..., :1]}),
        lambda: arrays.update({name: array.reshape(-1)}),
        lambda: arrays.update({name: array[None]}),
        lambda: arrays.update({name: array.astype(rng.choice(["int64", "bool", "float16", "float64"]))}),
        lambda: arrays.update({name: np.zeros((0, *array.shape[1:]), array.dtype)}),
        lambda: arrays.update({name: np.full_like(array, -1 if array.dtype.kind in "if" else 1)}),
        lambda: arrays.update({name: np.full_like(array, 2**31 - 1 if array.dtype.kind in "if" else 1)}),
    ]
    with np.errstate(over="ignore"):
        acts[rng.integers(len(acts))]()


def changed(good: Artifact, rng: np.random.Generator) -> Artifact:
    header, arrays = copy.deepcopy(good.header), dict(good.arrays)
    for _ in range(int(rng.integers(1, 3))):
        if rng.random() < 0.75:
            change_header(header, rng)
        else:
            change_arrays(arrays, rng)
    kind = header.get("kind", good.kind)
    return Artifact(kind if isinstance(kind, str) else good.kind, header, arrays)


def check_door(door: Door, path: Path, what: str) -> bool:
    """Returns whether the file was refused; fails if that took long, or came as another error than ours."""
    begun, said = time.process_time(), ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            door(path)
    except StatewiseError as error:
        said = str(error)
    except BaseException as error:
        pytest.fail(f"{what}: {error!r:.300}")
    assert time.process_time() - begun < SECONDS, what
    assert "\n" not in said, what
    return bool(said)


@pytest.mark.parametrize("count", [120, pytest.param(3000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["model", "text", "state", "snapshot", "checkpoint"])
def test_whatever_is_in_a_header_is_taken_or_refused_at_once(
    kind: str, count: int, kinds: dict[str, tuple[Artifact, tuple[Door, ...]]], tmp_path: Path
) -> None:
    good, doors = kinds[kind]
    for door in doors:  # compiles and imports what is needed
        write_artifact(tmp_path / "file", good)
        assert not check_door(door, tmp_path / "file", "as it was")
    count, refusals = count // 4 if kind == "checkpoint" else count, 0
    for number in range(count):
        crafted = changed(good, np.random.default_rng([7, number]))
        for door in doors:
            write_artifact(tmp_path / "file", crafted)
            refusals += check_door(door, tmp_path / "file", f"{kind} {number} at {door.__name__}")
    assert refusals > count / 4


# -- sizes -------------------------------------------------------------------------------------------------------------

TINY = np.ones((1, 1), np.float32)


def model_file(layers: list[dict[str, Any]], arrays: dict[str, Any] | None = None, **fields: Any) -> Artifact:
    network = {"input_shape": [None, 1], "layers": layers}
    header = {"network": network, "seed": 0, "trained": True, "compiled": None, "state": None, **fields}
    return Artifact("sequential", header, {"params['dense']['kernel']": TINY} if arrays is None else arrays)


def dense(**options: Any) -> dict[str, Any]:
    return {"kind": "Dense", "name": "dense", "units": 1, "use_bias": False, **options}


def nested(levels: int) -> dict[str, Any]:
    layer: dict[str, Any] = dense()
    for _ in range(levels):
        layer = {"kind": "TimeDistributed", "name": "dense", "layer": layer}
    return layer


DENSE = dense()
LSTM = {"kind": "LSTM", "name": "lstm", "units": 1}
LSTM_ARRAYS = {"params['lstm']['kernel']": np.ones((1, 4), np.float32), "params['lstm']['recurrent_kernel']": TINY}
FLAT = {"params['dense']['kernel']": np.ones((0, 2**40), np.float32)}

BOMBS: dict[str, Artifact] = {
    "units": model_file([dense(units=16_000)]),
    "lstm": model_file([{**LSTM, "units": 16_000}], {"params['lstm']['kernel']": np.ones((1, 64_000), np.float32)}),
    "embedding": model_file([{"kind": "Embedding", "name": "e", "input_dim": 40_000, "output_dim": 20_000}]),
    "flat": model_file([dense(units=2**40)], FLAT),
    "many": model_file([dense(name=f"dense_{number}") for number in range(20_000)]),
    "many-weightless": model_file(
        [{"kind": "Dropout", "name": f"d{n}", "rate": 0.1} for n in range(20_000)] + [dense(units=9)]
    ),
    "deeper": model_file([nested(900)]),
    "repeated": model_file(
        [{"kind": "RepeatVector", "name": "r", "n": 2**50}, {"kind": "Flatten", "name": "f"}, dense()]
    ),
    "reshaped": model_file([{"kind": "Reshape", "name": "r", "target_shape": [2**62, 2**62]}, dense()]),
    "rows": model_file([LSTM], LSTM_ARRAYS, state=2**40),
    "no-rows": model_file([dense()], state=2**40),
    "beyond-int64": model_file([dense(units=10**30)]),
    "infinite": model_file([dense(units=math.inf)]),
    "twice": model_file([dense(), dense()]),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_that_asks_for_much_is_refused_at_once(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    write_artifact(path, BOMBS[name])
    for door in (sw.load, sw.Stream.open):
        begun = time.process_time()
        _refuse(door, path)
        assert time.process_time() - begun < SECONDS
        tracemalloc.start()
        _refuse(door, path)
        assert tracemalloc.get_traced_memory()[1] < 20 * path.stat().st_size + (1 << 20)
        tracemalloc.stop()


def _refuse(door: Door, path: Path) -> None:
    with pytest.raises(FileError if door is sw.load else StatewiseError):  # a stream may not lay out rows at all
        door(path)


@pytest.fixture(autouse=True)
def untraced() -> Iterator[None]:
    yield
    tracemalloc.stop()


def test_weights_have_the_shapes_that_layers_say() -> None:
    for case in (*CASES, *LOOKING_AHEAD):
        model = case.model()
        made = {name: {w: a.shape for w, a in weights.items()} for name, weights in model.params.items()}
        said = model.network.weight_shapes()
        assert {name: {w: a.shape for w, a in weights.items()} for name, weights in said.items()} == made, case.name


STATE_HEADER = {"layers": {"lstm": "LSTMState"}, "learnt": []}


@pytest.mark.parametrize(
    ("header", "arrays", "words"),
    [
        ({}, {"h": (1, 2), "c": (2, 2)}, ("lstm.c", "[1, 2]", "[2, 2]")),
        ({}, {"h": (1, 2), "c": (1, 3)}, ("lstm.c", "[1, 2]", "[1, 3]")),
        ({}, {"h": (2,), "c": (2,)}, ("lstm.h", "[2]")),
        ({}, {"h": (), "c": ()}, ("lstm.h",)),
        ({}, {"h": (1, 2)}, ("lacks", ".c")),
        ({"layers": {"lstm": "MambaState"}}, {"h": (1, 2)}, ("MambaState", "does not know")),
        ({"layers": {"lstm": {"forward": "LSTMState"}}}, {}, ("'backward'",)),
        ({"learnt": ["gru"]}, {"h": (1, 2), "c": (1, 2)}, ("learnt", "gru")),
        ({"learnt": 5}, {"h": (1, 2), "c": (1, 2)}, ("learnt", "a list", "5")),
        ({"resume": {}}, {"h": (1, 2), "c": (1, 2)}, ("resume", "no such field")),
        ({"keys": [{"a": 1}]}, {"h": (1, 2), "c": (1, 2)}, ("keys[0]", "text, a number")),
    ],
)
def test_states_that_are_none(
    header: dict[str, Any], arrays: dict[str, tuple[int, ...]], words: tuple[str, ...], tmp_path: Path
) -> None:
    parts = {f"state['lstm'].{part}": np.ones(shape, np.float32) for part, shape in arrays.items()}
    write_artifact(tmp_path / "s", Artifact("state", STATE_HEADER | header, parts))
    refused(lambda: sw.State.load(tmp_path / "s"), FileError, (str(tmp_path / "s"), *words))


def test_fields_that_a_newer_statewise_adds_are_let_through(tmp_path: Path) -> None:
    good = network().to_artifact()
    header = {**good.header, "mood": {"glad": [1, None]}, "epochs": 7, "logs": {"loss": 0.5}}
    header["network"] = {**header["network"], "axes": "BTF"}
    write_artifact(tmp_path / "m", Artifact(good.kind, header, good.arrays))
    assert isinstance(sw.load(tmp_path / "m"), sw.Sequential)
    assert sw.Stream.open(tmp_path / "m", engine="numpy").push(np.zeros(2)).shape == (2,)


def test_keys_nested_deeper_than_a_file_holds_are_refused_when_saved(tmp_path: Path) -> None:
    key: Any = "a"
    for _ in range(DEPTH):
        key = (key,)
    state = network().initial_state(1)
    refused(lambda: Snapshot([key], state).save(tmp_path / "s"), DataError, ("nested tuples",))
    Snapshot([("a", ("b", (1, None)))], state).save(tmp_path / "s")
    assert Snapshot.load(tmp_path / "s").keys == [("a", ("b", (1, None)))]
