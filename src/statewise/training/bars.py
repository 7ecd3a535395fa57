"""Chooses the live bar that works where the program runs: a notebook's or a terminal's."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any


def is_watched() -> bool:
    """Returns whether a bar would move: in a notebook, although its streams are not terminals, or in a terminal."""
    return _in_notebook() or sys.stderr.isatty()


def live_bar(**options: Any) -> Any:
    """Returns a tqdm bar: the notebook's where it can be drawn, or the terminal's, which notebooks can rewrite too.

    `tqdm.auto` would also choose, but warns if ipywidgets is missing.
    """
    if _in_notebook() and find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm
    else:
        from tqdm import tqdm
    return tqdm(**options)


def _in_notebook() -> bool:
    """Returns whether a Jupyter kernel runs this; IPython in a terminal is not one."""
    python = sys.modules.get("IPython")
    return python is not None and getattr(python.get_ipython(), "kernel", None) is not None
