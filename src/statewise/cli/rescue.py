"""Saving elsewhere when a result cannot be written at its path, for example because the disk is full."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from statewise.errors import FileError


def save_or_rescue(save: Callable[[Path], None], out: Path, what: str) -> tuple[Path, FileError | None]:
    """Returns where `save` wrote: `out`, or another folder with the error that says so.

    Args:
        save: writes to a path, or raises FileError.
        out: the preferred path.
        what: the name in messages, such as "trained model".

    Raises:
        FileError: it could not be written anywhere.
    """
    try:
        save(out)
    except FileError as error:
        failure = error
    else:
        return out, None
    for folder in (tempfile.gettempdir, Path.home):
        with suppress(FileError, OSError, RuntimeError):  # a user may have no home folder
            rescue = _new_file(Path(folder()), out)
            try:
                save(rescue)
            except BaseException:
                rescue.unlink()
                raise
            return rescue, FileError(f"{failure}. The {what} is in {rescue}")
    raise FileError(f"{failure}. No other folder was writable: the {what} is lost")


def _new_file(folder: Path, out: Path) -> Path:
    """Returns a new file with an unpredictable name, so that no link can have been placed there."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f"{out.stem}-"[:100], suffix=out.suffix)
    os.close(descriptor)
    return Path(name)
