"""keras.utils.get_file: a file from the web, kept under ~/.keras as Keras does, and unpacked."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from statewise.errors import ConfigurationError, FileError, unknown_name
from statewise.foundation.files import cannot_write, write_whole

FORMATS = ("tar", "zip")
PATIENCE = 60  # seconds without a byte before a server counts as gone


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Sequence[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
) -> str:
    """Returns the path of a file, downloaded from `origin` unless it already exists.

    Args:
        fname: its name (by default the last part of `origin`), or a full path.
        origin: its URL.
        untar: unpack `fname`.tar.gz and return the path without that ending.
        md5_hash: as `file_hash`, always by MD5.
        file_hash: what the content must hash to; a file with another content is downloaded again.
        cache_subdir: the folder in `cache_dir`.
        hash_algorithm: `md5`, `sha256`, or `auto`: by the length of the hash.
        extract: unpack it in its own folder.
        archive_format: `tar`, `zip`, a list of these, `auto` for both, None for neither.
        cache_dir: by default the folder in the environment's KERAS_HOME, or else `~/.keras`.

    Raises:
        ConfigurationError: no URL, no name, or an unknown format.
        FileError: the download failed, its content is not what was expected, or it cannot be written or unpacked.
    """
    if origin is None:
        raise ConfigurationError("origin: expected the URL of the file to download, got None")
    place = _folder(cache_dir, cache_subdir) / _name(fname, origin)
    archive = _archive(place) if untar else place
    check = (md5_hash, "md5") if md5_hash and not file_hash else (file_hash, hash_algorithm)
    if not archive.is_file() or (check[0] and not _fits(archive.read_bytes(), *check)):
        _download(origin, archive, *check)
    if untar:
        place = archive.with_name(archive.name.removesuffix(".tar.gz"))
        if not tarfile.is_tarfile(archive):
            raise FileError(f"{archive} is not a tar archive; leave untar=True out, or delete it to download it again")
        if not place.exists():
            _extract(archive, "tar")
    elif extract:
        _extract(archive, archive_format)
    return str(place)


def _folder(cache_dir: str | os.PathLike[str] | None, cache_subdir: str) -> Path:
    home = cache_dir or os.environ.get("KERAS_HOME") or Path("~", ".keras")
    return Path(home).expanduser() / cache_subdir


def _name(fname: str | os.PathLike[str] | None, origin: str) -> Path:
    name = fname or urlsplit(origin).path.rpartition("/")[2]
    if not name:
        raise ConfigurationError(f"fname: expected a name for the file, but {origin!r} has none; write fname='...'")
    return Path(name)


def _archive(place: Path) -> Path:
    return place if place.name.endswith(".tar.gz") else place.with_name(f"{place.name}.tar.gz")


def _fits(content: bytes, expected: str | None, algorithm: str) -> bool:
    """Returns whether `content` has the expected hash, if there is one."""
    if expected is None:
        return True
    by_sha256 = algorithm == "sha256" or (algorithm == "auto" and len(expected) == 64)
    return (hashlib.sha256 if by_sha256 else hashlib.md5)(content).hexdigest() == expected


def _download(origin: str, place: Path, expected: str | None, algorithm: str) -> None:
    sys.stdout.write(f"Downloading data from {origin}\n")
    try:
        with urlopen(origin, timeout=PATIENCE) as response:
            content = response.read()
    except (OSError, ValueError, HTTPException) as error:
        raise FileError(
            f"cannot download {origin}: {error}; download the file by hand and save it as {place}"
        ) from None
    if not _fits(content, expected, algorithm):
        raise FileError(
            f"{origin} is not the file that was expected: its hash is not {expected}; download the right one by hand "
            f"and save it as {place}"
        )
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(place, error) from None
    write_whole(place, content)


def _extract(archive: Path, formats: str | Sequence[str] | None) -> None:
    """Unpacks `archive` in its folder if it has one of the formats; a broken or unsafe one leaves nothing behind."""
    wanted = FORMATS if formats == "auto" else [formats] if isinstance(formats, str) else formats or ()
    for name in wanted:
        if name not in FORMATS:
            raise unknown_name("archive_format", name, FORMATS)
    try:
        with tempfile.TemporaryDirectory(dir=archive.parent, prefix=f".{archive.name}.") as folder:
            _unpack(archive, folder, wanted)
            _move(Path(folder), archive.parent)
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error) as error:
        raise FileError(f"cannot unpack {archive}: {error}; delete it to download it again") from None


def _unpack(archive: Path, folder: str, wanted: Sequence[str]) -> None:
    if "tar" in wanted and tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    elif "zip" in wanted and zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)


def _move(source: Path, target: Path) -> None:
    """Moves the contents of one folder into another; existing folders are merged."""
    for entry in source.iterdir():
        place = target / entry.name
        if entry.is_dir() and place.is_dir():
            shutil.copytree(entry, place, dirs_exist_ok=True)
        else:
            os.replace(entry, place)
