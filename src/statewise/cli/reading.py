"""Input shared by several commands: models from files, texts from files or stdin."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from statewise.errors import ConfigurationError, FileError
from statewise.foundation.files import as_path, decode_text, read_text

if TYPE_CHECKING:
    from statewise.models.model import Model
    from statewise.text import TextModel

STDIN = "-"
"""Means stdin where a text file or a prompt is expected."""


def read_input(path: str) -> str:
    """Returns the text of a file or of stdin.

    Raises:
        FileError: it cannot be read.
        DataError: it is empty, binary, or not UTF-8.
    """
    return decode_text(_read_stdin(), "stdin") if path == STDIN else read_text(path)


def read_prompt(prompt: str) -> str:
    """Returns the prompt, or stdin without its final newline if the prompt is `-`.

    Raises:
        FileError, DataError: as `read_input`.
    """
    return decode_text(_read_stdin(), "stdin").removesuffix("\n") if prompt == STDIN else prompt


def _read_stdin() -> bytes:
    if sys.stdin is None:
        raise FileError("stdin is closed; expected a text")
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise FileError(f"cannot read stdin: {error.strerror or error}; expected a text") from None


def name_of(path: str) -> str:
    """Returns a text's name for messages."""
    return "stdin" if path == STDIN else path


def refuse_stdin(path: str, what: str) -> None:
    """Raises ConfigurationError if stdin is given for `what`, which it cannot hold."""
    if path == STDIN:
        raise ConfigurationError(f"-: expected a file of {what}; only text can be read from stdin")


def check_model_file(path: str) -> None:
    """Raises FileError if there is no such file, before the slow import of JAX."""
    if not as_path(path).exists():
        raise FileError(f"no model file {path}; `statewise train TEXT --out {path}` creates one")


def load_model(path: str) -> Model | TextModel:
    """Returns the model in a file.

    Raises:
        FileError: the file is missing or holds no model.
    """
    check_model_file(path)
    import statewise as sw

    return sw.load(path)


def load_text_model(path: str) -> TextModel:
    """Returns the text model in a file.

    Raises:
        FileError: the file is missing or holds no text model.
    """
    model = load_model(path)
    from statewise.text import TextModel

    if not isinstance(model, TextModel):
        raise FileError(
            f"{path} holds a {type(model).__name__}, not a text model; load it in Python with statewise.load"
        )
    return model
