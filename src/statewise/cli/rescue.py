"""The rescue of what took long to make, when its place cannot be written at the end: the disk filled up meanwhile."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from statewise.errors import FileError


def save_or_rescue(save: Callable[[Path], None], out: Path, what: str) -> tuple[Path, FileError | None]:
    """Returns where `save` wrote; if `out` could not be written, elsewhere, and what happened there.

    Args:
        save: writes to a place, or raises FileError.
        out: where it should go.
        what: for the message, such as "trained model".

    Raises:
        FileError: nowhere could it be written.
    """
    try:
        save(out)
    except FileError as error:
        failure = error
    else:
        return out, None
    for folder in (tempfile.gettempdir, Path.home):
        with suppress(FileError, OSError, RuntimeError):  # there may be no such folder: a user without a home
            rescue = _new_file(Path(folder()), out)
            try:
                save(rescue)
            except BaseException:
                rescue.unlink()
                raise
            return rescue, FileError(f"{failure}. The {what} is in {rescue}")
    raise FileError(f"{failure}. No other folder took it either: the {what} is lost")


def _new_file(folder: Path, out: Path) -> Path:
    """Returns a file that is ours: nobody can have put a link in its place, since nobody knew its name."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f"{out.stem}-"[:100], suffix=out.suffix)
    os.close(descriptor)
    return Path(name)
