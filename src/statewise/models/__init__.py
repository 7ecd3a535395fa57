"""Models: what a user defines, compiles, fits, evaluates and predicts with."""

from typing import TYPE_CHECKING

from statewise.phrasebook.guard import lacking

if not TYPE_CHECKING:
    __getattr__ = lacking("statewise.models", ())
