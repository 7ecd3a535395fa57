"""A file comes once, whole, as what it should be, and where Keras puts it."""

from __future__ import annotations

import hashlib
import http.client
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from mistakes import refused
from statewise.errors import ConfigurationError, FileError
from statewise.legacy import download
from statewise.legacy.download import get_file

STORY = b"the mice saw the cat"
MD5, SHA256 = hashlib.md5(STORY).hexdigest(), hashlib.sha256(STORY).hexdigest()


@pytest.fixture(autouse=True)
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


@pytest.fixture
def origin(tmp_path: Path) -> str:
    return served(tmp_path, "story.txt", STORY)


def served(folder: Path, name: str, content: bytes) -> str:
    """The URL of a file with this content."""
    place = folder / "web" / name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(content)
    return place.as_uri()


def taken_off(origin: str) -> None:
    Path(origin.removeprefix("file://")).unlink()


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# ------------------------------------------------------------------------------------ where it goes


def test_a_file_comes_once(origin: str, keras_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = get_file("mice.txt", origin)
    taken_off(origin)
    assert get_file("mice.txt", origin=origin) == path == str(keras_home / "datasets" / "mice.txt")
    assert Path(path).read_bytes() == STORY
    assert everything_in(keras_home) == ["datasets/mice.txt"]
    assert capsys.readouterr().out == f"Downloading data from {origin}\n"


def test_it_is_called_as_it_was(origin: str) -> None:
    assert get_file(origin=origin) == get_file(None, f"{origin}?version=2")  # which the first call left there
    assert Path(get_file(origin=origin)).name == "story.txt"


def test_it_goes_where_it_is_told(origin: str, tmp_path: Path) -> None:
    assert get_file("a.txt", origin, cache_dir=tmp_path / "c", cache_subdir="d") == str(tmp_path / "c" / "d" / "a.txt")
    assert get_file(tmp_path / "b" / "a.txt", origin) == str(tmp_path / "b" / "a.txt")


def test_home_is_below_the_users(origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    place = tmp_path / "user" / ".keras" / "datasets" / "a.txt"
    assert get_file("a.txt", origin) == str(place)
    assert get_file("b.txt", origin, cache_dir="~/.keras") == str(place.with_name("b.txt"))


# ------------------------------------------------------------------------------------ what it holds


@pytest.mark.parametrize(
    "check", [{"md5_hash": MD5}, {"file_hash": MD5}, {"file_hash": SHA256}, {"file_hash": SHA256, "md5_hash": "no"}]
)
def test_another_content_is_replaced(check: Any, origin: str, keras_home: Path) -> None:
    place = keras_home / "datasets" / "story.txt"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"half of")
    assert Path(get_file("story.txt", origin, **check)).read_bytes() == STORY
    taken_off(origin)
    get_file("story.txt", origin, **check)


@pytest.mark.parametrize("check", [{"md5_hash": SHA256}, {"file_hash": MD5, "hash_algorithm": "sha256"}])
def test_an_unexpected_content_is_not_kept(check: Any, origin: str, keras_home: Path) -> None:
    words = (origin, "hash is not", "by hand", str(keras_home / "datasets" / "story.txt"))
    refused(lambda: get_file("story.txt", origin, **check), FileError, words)
    assert not keras_home.exists()


def test_a_failed_download_leaves_what_was_there(origin: str) -> None:
    path = Path(get_file("story.txt", origin))
    taken_off(origin)
    words = ("cannot download", origin, "by hand", str(path))
    refused(lambda: get_file("story.txt", origin, md5_hash="0" * 32), FileError, words)
    assert path.read_bytes() == STORY


@pytest.mark.parametrize(
    "error", [http.client.IncompleteRead(b"half", 9), TimeoutError("timed out"), ConnectionResetError("reset")]
)
def test_a_download_that_breaks_off_leaves_nothing(
    error: Exception, keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise error

    monkeypatch.setattr(download, "urlopen", lambda *_, **__: Broken())
    refused(lambda: get_file("a.txt", "http://mice.example/a.txt"), FileError, ("cannot download", "mice.example"))
    assert not keras_home.exists()


@pytest.mark.parametrize("url", ["mice.txt", "gopher://mice.example/a.txt", "file:///no/such/mice.txt"])
def test_what_is_no_address_is_named(url: str) -> None:
    refused(lambda: get_file("a.txt", url), FileError, ("cannot download", url, "save it as"))


def test_an_address_is_needed() -> None:
    refused(lambda: get_file("a.txt"), ConfigurationError, ("origin", "URL"))


def test_a_name_is_needed() -> None:
    refused(lambda: get_file(origin="http://mice.example/"), ConfigurationError, ("fname", "mice.example"))


def test_a_folder_that_cannot_be_made(origin: str, tmp_path: Path) -> None:
    (tmp_path / "full").write_text("no folder")
    words = ("cannot write", str(tmp_path / "full" / "datasets" / "a.txt"))
    refused(lambda: get_file("a.txt", origin, cache_dir=tmp_path / "full"), FileError, words)


# ------------------------------------------------------------------------------------ archives


def tar(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def zipped(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


MEMBERS = (("mice/one.txt", STORY), ("mice/two/two.txt", b"2"), ("top.txt", b"0"))
UNPACKED = ["mice/one.txt", "mice/two/two.txt", "top.txt"]


@pytest.mark.parametrize("fname", ["mice", "mice.tar.gz"])
def test_untar_returns_the_folder(fname: str, tmp_path: Path, keras_home: Path) -> None:
    origin = served(tmp_path, "mice.tar.gz", tar(*MEMBERS))
    folder = keras_home / "datasets" / "mice"
    for _ in range(2):
        assert get_file(fname, origin, untar=True) == str(folder)
        (folder / "one.txt").write_bytes(b"changed")  # what is unpacked is not unpacked again
    assert (folder / "one.txt").read_bytes() == b"changed"
    assert everything_in(folder.parent) == sorted([*UNPACKED, "mice.tar.gz"])


@pytest.mark.parametrize(("name", "pack"), [("packed.tgz", tar), ("packed.zip", zipped), ("packed", zipped)])
def test_extract_unpacks_beside_the_archive(name: str, pack: Any, tmp_path: Path, keras_home: Path) -> None:
    origin = served(tmp_path, name, pack(*MEMBERS))
    for _ in range(2):
        assert get_file(name, origin, extract=True) == str(keras_home / "datasets" / name)
        assert everything_in(keras_home / "datasets") == sorted([*UNPACKED, name])
        assert (keras_home / "datasets" / "mice" / "one.txt").read_bytes() == STORY
        (keras_home / "datasets" / "mice" / "one.txt").unlink()


@pytest.mark.parametrize("formats", ["tar", ["tar"], None, []])
def test_other_formats_stay_as_they_are(formats: Any, tmp_path: Path, keras_home: Path) -> None:
    get_file("a.zip", served(tmp_path, "a.zip", zipped(*MEMBERS)), extract=True, archive_format=formats)
    assert everything_in(keras_home) == ["datasets/a.zip"]


def test_no_format_is_guessed(origin: str) -> None:
    words = ("archive_format", "'rar'", "tar, zip")
    refused(lambda: get_file("a", origin, extract=True, archive_format="rar"), ConfigurationError, words)


def test_what_is_no_archive_is_not_untarred(origin: str) -> None:
    refused(lambda: get_file("a", origin, untar=True), FileError, ("a.tar.gz", "not a tar archive", "untar=True"))


@pytest.mark.parametrize(
    "content", [tar(*MEMBERS)[:-40], tar(("ok.txt", b"ok"), ("../out.txt", b"out"))], ids=["cut", "unsafe"]
)
def test_a_bad_archive_leaves_nothing(content: bytes, tmp_path: Path, keras_home: Path) -> None:
    origin = served(tmp_path, "a.tgz", content)
    refused(lambda: get_file("a.tgz", origin, extract=True), FileError, ("cannot unpack", "a.tgz", "delete it"))
    assert everything_in(keras_home) == ["datasets/a.tgz"]
