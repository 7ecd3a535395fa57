"""Files that are missing, damaged, something else, or cannot be written: one message, and nothing half done."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import json
import lzma
import os
import pickle
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save as save_safetensors

from mistakes import STORY, TINY, X, fit, learn, refused, story, sw, trained
from statewise.errors import ConfigurationError, DataError, FileError, MissingExtraError
from statewise.foundation import files
from statewise.storage.artifact import Artifact, read_artifact, write_artifact

Array = np.ndarray[Any, np.dtype[Any]]
Write = Callable[[object], object]

# -- names and texts ---------------------------------------------------------------------------------------------------

DOORS = {
    "read_text": sw.read_text,
    "load": sw.load,
    "save": lambda path: trained().save(path),
    "plot_history": lambda path: sw.plot_history(history(), path),
    "CSVLogger": sw.CSVLogger,
    "ModelCheckpoint": sw.ModelCheckpoint,
}


@pytest.mark.parametrize("path", [None, 5, "", b"bytes", "nul\0"], ids=repr)
@pytest.mark.parametrize("act", DOORS.values(), ids=DOORS)
def test_what_is_no_name_of_a_file(act: Write, path: object) -> None:
    refused(lambda: act(path), FileError, ("expected the name of a file", repr(path)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", ("is empty", "expected text"), id="empty"),
        pytest.param(b" \n\t\r\n", ("is blank", "expected text"), id="blank"),
        pytest.param(b"\xef\xbb\xbf", ("is empty", "expected text"), id="byte-order-mark"),
        pytest.param(b"ab\0cd", ("is binary", "UTF-8 text"), id="binary"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ("is binary", "UTF-8 text"), id="picture"),
        pytest.param("caf\xe9".encode("latin1"), ("not UTF-8", "0xe9 at position 3", "iconv -f latin1"), id="latin1"),
        pytest.param("mice".encode("utf-16"), ("not UTF-8", "iconv -f utf-16 -t utf-8"), id="utf-16"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, content: bytes, words: tuple[str, ...]) -> None:
    place = tmp_path / "story.txt"
    place.write_bytes(content)
    refused(lambda: sw.read_text(place), DataError, (str(place), *words))


def test_texts_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    refused(lambda: sw.read_text(tmp_path / "no.txt"), FileError, ("no text file", "no.txt", "UTF-8"))
    refused(lambda: sw.read_text(tmp_path), FileError, (str(tmp_path), "is a folder", "a text file in it"))
    refused(lambda: sw.read_text(tmp_path / "file" / "x"), FileError, ("Not a directory", "a text file in UTF-8"))
    refused(lambda: sw.read_text("n" * 500), FileError, ("too long",))


# -- model files -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a good model file."""
    place = tmp_path_factory.mktemp("good") / "story.statewise"
    story().save(place)
    return place.read_bytes()


def header_end(content: bytes) -> int:
    return 8 + int.from_bytes(content[:8], "little")


FOREIGN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "one-byte": lambda good: good[:1],
    "length-only": lambda good: good[:8],
    "half-a-header": lambda good: good[: header_end(good) // 2],
    "header-only": lambda good: good[: header_end(good)],
    "half-the-arrays": lambda good: good[: (header_end(good) + len(good)) // 2],
    "one-byte-less": lambda good: good[:-1],
    "one-byte-more": lambda good: good + b"\0",
    "random": lambda _: np.random.default_rng(5).bytes(2000),
    "text": lambda _: STORY.encode() * 20,
}


@pytest.mark.parametrize("spoil", FOREIGN.values(), ids=FOREIGN)
def test_files_cut_short_or_of_other_kinds(tmp_path: Path, saved: bytes, spoil: Callable[[bytes], bytes]) -> None:
    place = tmp_path / "m.statewise"
    place.write_bytes(spoil(saved))
    refused(lambda: sw.load(place), FileError, (str(place), "is not a model file", "copy it again", "create it again"))


def archive(*names: str) -> bytes:
    """Returns a zip archive with empty files of these names."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name in names:
            file.writestr(name, b"")
    return packed.getvalue()


def array_file(save: Callable[..., None], *arrays: Array) -> bytes:
    content = io.BytesIO()
    save(content, *arrays)
    return content.getvalue()


def tar(name: str = "m.statewise") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as file:
        file.addfile(tarfile.TarInfo(name))
    return content.getvalue()


OTHERS: dict[str, tuple[bytes, str, str]] = {
    "h5": (b"\x89HDF\r\n\x1a\n" + bytes(500), "HDF5 file", "model.set_weights"),
    "keras": (archive("metadata.json", "config.json", "model.weights.h5"), "Keras 3", "model.set_weights"),
    "pt": (archive("m/data.pkl", "m/version", "m/data/0"), "PyTorch", "model.set_weights"),
    "pickle": (pickle.dumps({"weights": [1.0, 2.0]}), "a pickle", "never runs code from a file"),
    "npy": (array_file(np.save, X), ".npy", "numpy.load"),
    "npz": (array_file(np.savez, X, X), ".npz", "numpy.load"),
    "zip": (archive("readme.txt"), "a zip archive", "unpack it"),
    "half-a-zip": (archive("m/data.pkl")[:40], "a zip archive", "unpack it"),
    "onnx": (b"\x08\x07\x12\x07pytorch\x1a\x052.1.0:\x9d", "an ONNX model", "model.set_weights"),
    "tflite": (b"\x1c\0\0\0TFL3" + bytes(60), "TensorFlow Lite", "model.set_weights"),
    "gguf": (b"GGUF\3\0\0\0" + bytes(60), "GGUF", "cannot be converted"),
    "gzip": (gzip.compress(STORY.encode()), "gzip", "gunzip"),
    "bzip2": (bz2.compress(STORY.encode()), "bzip2", "bunzip2"),
    "xz": (lzma.compress(STORY.encode()), "xz", "unxz"),
    "tar": (tar(), "a tar archive", "tar -xf"),
    "sqlite": (b"SQLite format 3\0" + bytes(500), "an SQLite database", "`save` wrote"),
    "json": (b'{"class_name": "Sequential", "config": {}}', "JSON", "`save` wrote"),
    "page": (b"<!DOCTYPE html><html><body>404</body></html>", "a web page", "download the file itself"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS", "git lfs pull"),
}


@pytest.mark.parametrize(("content", "what", "way"), OTHERS.values(), ids=OTHERS)
def test_a_file_of_another_program_is_called_by_its_name(tmp_path: Path, content: bytes, what: str, way: str) -> None:
    place = tmp_path / "m"
    place.write_bytes(content)
    words = (str(place), "of statewise", what, way)
    refused(lambda: sw.load(place), FileError, ("is not a model file", *words))
    refused(lambda: sw.Stream.open(place), FileError, ("is not a model file", *words))
    refused(lambda: sw.State.load(place), FileError, ("is not a state file", *words))


def test_a_saved_model_of_tensorflow_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"")
    refused(lambda: sw.load(tmp_path), FileError, ("is a folder", "TensorFlow"))


@pytest.mark.parametrize("part", ["header", "arrays"])
def test_a_single_flipped_bit_is_noticed_wherever_it_is(tmp_path: Path, saved: bytes, part: str) -> None:
    place, end = tmp_path / "m.statewise", header_end(saved)
    flipped = bytearray(saved)
    for position in range(0, end, 5) if part == "header" else range(end, len(saved), 5):
        bit = 1 << position % 7  # the eighth would leave ASCII
        flipped[position] ^= bit
        place.write_bytes(flipped)
        with pytest.raises(FileError):
            sw.load(place)
        flipped[position] ^= bit
    place.write_bytes(flipped)
    assert isinstance(sw.load(place), sw.TextModel)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}], ids=["none", "others"])
def test_safetensors_of_other_programs(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    place = tmp_path / "weights.safetensors"
    place.write_bytes(save_safetensors({"layer.weight": X}, metadata))
    refused(lambda: sw.load(place), FileError, (str(place), "safetensors", "statewise did not write it"))


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("2", ("format version 2", "up to 1", "pip install --upgrade statewise")),
        ("0", ("damaged", "version is '0'", "copy it again")),
        ("x", ("damaged", "version is 'x'")),
        ("²", ("damaged", "version is '²'")),
        ("", ("damaged", "version is ''")),
        ("9" * 5000, ("format version 999", "pip install --upgrade statewise")),
        ("0" * 5000, ("damaged", "version is '0000")),
    ],
)
def test_files_of_other_versions(tmp_path: Path, version: str, words: tuple[str, ...]) -> None:
    place = tmp_path / "m.statewise"
    metadata = {"format": "statewise", "version": version, "checksum": "0", "header": "{}"}
    place.write_bytes(save_safetensors({"a": X}, metadata))
    refused(lambda: sw.load(place), FileError, (str(place), *words))


@pytest.fixture
def artifact(tmp_path: Path, saved: bytes) -> Artifact:
    place = tmp_path / "good.statewise"
    place.write_bytes(saved)
    return read_artifact(place)


def loading(folder: Path, content: Artifact) -> Callable[[], object]:
    """Loads a file whose checksum is right, whatever is in it."""
    place = folder / "changed.statewise"
    write_artifact(place, content)
    return lambda: sw.load(place)


@pytest.mark.parametrize(
    "array",
    [
        "params['lstm']['recurrent_kernel']",
        "baselines.pairs",
        "state['lstm'].h",
        "optimizer[1].mean['lstm']['kernel']",  # noticed now, not when training goes on
    ],
)
def test_files_that_lack_an_array(tmp_path: Path, artifact: Artifact, array: str) -> None:
    arrays = {name: value for name, value in artifact.arrays.items() if name != array}
    assert len(arrays) < len(artifact.arrays)
    act = loading(tmp_path, Artifact(artifact.kind, artifact.header, arrays))
    refused(act, FileError, ("changed.statewise", "lacks", array, "copy it again"))


@pytest.mark.parametrize("change", [lambda a: a[:1], lambda a: a.astype(np.int32)], ids=["shape", "type"])
def test_files_with_an_array_of_another_shape_or_type(
    tmp_path: Path, artifact: Artifact, change: Callable[[Array], Array]
) -> None:
    name = "params['lstm']['kernel']"
    arrays = artifact.arrays | {name: change(artifact.arrays[name])}
    act = loading(tmp_path, Artifact(artifact.kind, artifact.header, arrays))
    refused(act, FileError, ("changed.statewise", name, "expected float32 [2, 12]", "got", "copy it again"))


def without(header: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in header.items() if name != key}


def network(header: dict[str, Any], layers: list[Any]) -> dict[str, Any]:
    return {**header, "network": {**header["network"], "layers": layers}}


HEADERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "kind-unknown": lambda h: {**h, "kind": "series"},
    "kind-number": lambda h: {**h, "kind": 5},
    "kind-list": lambda h: {**h, "kind": []},
    "network-missing": lambda h: without(h, "network"),
    "network-text": lambda h: {**h, "network": "LSTM"},
    "layers-none": lambda h: network(h, []),
    "layer-unknown": lambda h: network(h, [{"kind": "GRU", "units": 2}]),
    "layer-option": lambda h: network(h, [{**h["network"]["layers"][0], "colour": "red"}]),
    "layers-turned": lambda h: network(h, h["network"]["layers"][::-1]),
    "seed-missing": lambda h: without(h, "seed"),
    "seed-text": lambda h: {**h, "seed": "x"},
    "compiled-number": lambda h: {**h, "compiled": 5},
    "loss-unknown": lambda h: {**h, "compiled": {**h["compiled"], "loss": "guess"}},
    "optimizer-unknown": lambda h: {**h, "compiled": {**h["compiled"], "optimizer": {"kind": "Ada"}}},
    "state-text": lambda h: {**h, "state": "x"},
    "options-unknown": lambda h: {**h, "options": {"colour": "red"}},
    "vocabulary-none": lambda h: {**h, "vocabulary": None},
    "vocabulary-short": lambda h: {**h, "vocabulary": {**h["vocabulary"], "symbols": ["a", "b"]}},
}


@pytest.mark.parametrize("change", HEADERS.values(), ids=HEADERS)
def test_files_whose_header_is_no_model(
    tmp_path: Path, artifact: Artifact, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    header = change({**artifact.header, "kind": artifact.kind})
    act = loading(tmp_path, Artifact(header["kind"], header, artifact.arrays))
    refused(act, FileError, ("changed.statewise",))


@pytest.mark.parametrize("header", ["{", "[]", "5", "null", "{}", "[" * 100_000], ids=lambda text: text[:5])
def test_files_whose_header_is_no_object(tmp_path: Path, header: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(json, "dumps", lambda *_, **__: header)
        act = loading(tmp_path, Artifact("text", {}, {"a": X}))
    refused(act, FileError, ("changed.statewise", "damaged", "header cannot be read", "copy it again"))


def test_models_that_are_not_there(tmp_path: Path) -> None:
    refused(lambda: sw.load(tmp_path / "no.statewise"), FileError, ("no model file", "statewise train", "model.save"))
    refused(lambda: sw.load(tmp_path), FileError, (str(tmp_path), "is a folder", "expected a model file"))
    refused(lambda: sw.load("/dev/null"), FileError, ("/dev/null is a device", "expected a regular file"))
    refused(lambda: sw.load("n" * 500), FileError, ("cannot read", "too long"))


# -- places to write ---------------------------------------------------------------------------------------------------


def history() -> Any:
    done = sw.History()
    done.add(0, {"loss": 1.0})
    return done


WRITERS: dict[str, Write] = {
    "save": lambda place: trained().save(place),
    "text": lambda place: story().save(place),
    "plot": lambda place: sw.plot_history(history(), f"{place}.png"),
    "checkpoint": lambda place: learn(callbacks=[sw.ModelCheckpoint(place)]),
    "log": lambda place: learn(callbacks=[sw.CSVLogger(place)]),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_places_that_cannot_be_written(tmp_path: Path, write: Write) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_text("kept")
    before = sorted(tmp_path.rglob("*"))
    refused(lambda: write(tmp_path / "no" / "m"), FileError, (f"folder {tmp_path / 'no'} does not exist", "create it"))
    refused(lambda: write(tmp_path / "folder"), FileError, (f"cannot write {tmp_path / 'folder'}", "it is a folder"))
    refused(lambda: write(tmp_path / "file" / "m"), FileError, ("cannot write", "Not a directory", "another place"))
    refused(lambda: write(tmp_path / ("n" * 300)), FileError, ("cannot write", "too long", "another place"))
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("write", [WRITERS[name] for name in ("save", "text", "checkpoint")])
def test_a_pipe_or_device_is_not_replaced_by_a_file(tmp_path: Path, write: Write) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused(lambda: write(pipe), FileError, (f"cannot write {pipe}", "a device or a pipe", "name a file"))
    assert pipe.is_fifo()


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    link = tmp_path / "latest.statewise"
    link.symlink_to(tmp_path / "models" / "m.statewise")
    trained().save(link)
    assert link.is_symlink()
    assert isinstance(sw.load(tmp_path / "models" / "m.statewise"), sw.Sequential)


class Partly:
    """A module in which one function is another, for one importer only."""

    def __init__(self, module: Any, name: str, stand_in: Callable[..., Any]) -> None:
        self._module = module
        setattr(self, name, stand_in)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def failing(code: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


class FullFile:
    """A file on a full disk."""

    write = staticmethod(failing(errno.ENOSPC))
    close = staticmethod(failing(errno.ENOSPC))


FAILURES = {
    "refused": ("os", "open", failing(errno.EACCES), ("Permission denied", "choose another place")),
    "read-only": ("os", "open", failing(errno.EROFS), ("Read-only", "choose another place")),
    "full-at-once": ("os", "open", failing(errno.ENOSPC), ("the disk is full", "free some space")),
    "full-at-write": ("os", "fdopen", lambda *_: FullFile(), ("the disk is full", "free some space")),
    "full-at-flush": ("os", "fsync", failing(errno.ENOSPC), ("the disk is full", "free some space")),
    "over-quota": ("os", "fsync", failing(errno.EDQUOT), ("the disk is full", "free some space")),
    "broken": ("os", "fsync", failing(errno.EIO), ("Input/output error", "choose another place")),
    "refused-at-last": ("os", "replace", failing(errno.EACCES), ("Permission denied", "choose another place")),
}


@pytest.mark.parametrize("before", [b"an older model", None], ids=["over-old-file", "new-file"])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_save_that_fails_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes | None, failure: str
) -> None:
    module, function, stand_in, words = FAILURES[failure]
    place = tmp_path / "m.statewise"
    if before is not None:
        place.write_bytes(before)
    monkeypatch.setattr(files, module, Partly(getattr(files, module), function, stand_in))
    refused(lambda: trained().save(place), FileError, (f"cannot write {place}", *words))
    assert [p.name for p in tmp_path.iterdir()] == ([] if before is None else [place.name])
    assert before is None or place.read_bytes() == before


def test_ctrl_c_while_saving_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "os", Partly(os, "fsync", press))
    with pytest.raises(KeyboardInterrupt):
        trained().save(tmp_path / "m.statewise")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="this system has no /dev/full")
def test_a_log_on_a_full_disk() -> None:
    refused(lambda: WRITERS["log"]("/dev/full"), FileError, ("cannot write /dev/full", "the disk is full"))


def test_numbers_of_numpy_are_saved_as_numbers(tmp_path: Path) -> None:
    model = sw.Sequential([sw.LSTM(np.int64(2), input_shape=(3, 1)), sw.Dropout(np.float32(0.5))], seed=np.int64(3))
    model.save(tmp_path / "m.statewise")
    assert sw.load(tmp_path / "m.statewise").network.layers[0].units == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("m-{val_loss}", ("m-{val_loss}", "got 'val_loss'", "loss in it")),
        ("m-{", ("m-{", "{epoch} or {name}")),
        ("m-{epoch:zz}", ("m-{epoch:zz}", "{epoch} or {name}")),
        ("m-{}", ("m-{}", "{epoch} or {name}")),
    ],
)
def test_a_checkpoint_named_after_what_there_is_not(tmp_path: Path, name: str, words: tuple[str, ...]) -> None:
    act = WRITERS["checkpoint"]
    refused(lambda: act(tmp_path / name), ConfigurationError, ("ModelCheckpoint path", *words))
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_cannot_be_written_is_refused_before_training(tmp_path: Path) -> None:
    epochs: list[int] = []
    options = {"callbacks": [lambda epoch, _: epochs.append(epoch), sw.ModelCheckpoint(tmp_path / "no" / "m-{epoch}")]}
    refused(lambda: learn(**options), FileError, ("does not exist", "create it first"))
    refused(
        lambda: fit(sw.TextModel(**TINY), STORY, epochs=1, **options), FileError, ("does not exist", "create it first")
    )
    assert epochs == []


# -- extras ------------------------------------------------------------------------------------------------------------


def test_pictures_that_cannot_be_drawn(tmp_path: Path) -> None:
    refused(lambda: sw.plot_history(history(), tmp_path / "x.xyz"), FileError, (".xyz", ".png, .svg or .pdf"))
    refused(lambda: sw.plot_history(sw.History(), tmp_path / "x.png"), DataError, ("no epoch", "fit"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("module", "act", "extra"),
    [
        ("matplotlib.figure", lambda: sw.plot_history(history(), "never.png"), "plot"),
        ("tensorboard.summary", lambda: sw.TensorBoard("never"), "tensorboard"),
    ],
)
def test_extras_that_are_not_installed(
    monkeypatch: pytest.MonkeyPatch, module: str, act: Callable[[], object], extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    refused(act, MissingExtraError, (f"pip install 'statewise[{extra}]'",))
