"""Which live bar can move where the program runs: that of a notebook, or that of a terminal."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any


def is_watched() -> bool:
    """Returns whether a bar would move: in a notebook, though its streams are no terminals, or in a terminal."""
    return _in_notebook() or sys.stderr.isatty()


def live_bar(**options: Any) -> Any:
    """Returns a bar of tqdm's: the notebook's where it can be drawn, or the terminal's, whose lines notebooks rewrite.

    `tqdm.auto` would choose too, but warns where ipywidgets are missing.
    """
    if _in_notebook() and find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm
    else:
        from tqdm import tqdm
    return tqdm(**options)


def _in_notebook() -> bool:
    """Returns whether a Jupyter kernel runs this, which IPython in a terminal is not."""
    python = sys.modules.get("IPython")
    return python is not None and getattr(python.get_ipython(), "kernel", None) is not None
