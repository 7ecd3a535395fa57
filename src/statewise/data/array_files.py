"""Arrays in .npy and .npz files."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from statewise.errors import DataError, FileError
from statewise.foundation.files import open_file
from statewise.foundation.shapes import Array


def read_arrays(path: str | Path, needed: Sequence[str]) -> dict[str, Array]:
    """Returns the arrays of an .npz file by name, or the array of an .npy file as the first of those `needed`.

    Raises:
        FileError: the file does not exist, is of another kind, or is damaged.
        DataError: a needed array is missing.
    """
    try:
        with open_file(path) as file:
            content = np.load(file, allow_pickle=False)
            arrays = {needed[0]: content} if isinstance(content, np.ndarray) else dict(content)
    except FileNotFoundError:
        raise FileError(f"no file {path}; expected arrays that numpy.save or numpy.savez wrote") from None
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}; expected a .npy or .npz file") from None
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise FileError(
            f"{path} is not a file of arrays, or is damaged; expected what numpy.save or numpy.savez wrote"
        ) from None
    if missing := [name for name in needed if name not in arrays]:
        raise DataError(
            f"{path} lacks {missing[0]!r} (it has {', '.join(arrays)}); write numpy.savez({str(path)!r}, "
            f"{', '.join(f'{name}={name}' for name in needed)})"
        )
    return arrays
