"""Models: define, compile, fit, evaluate, predict."""

from typing import TYPE_CHECKING

from statewise.phrasebook.guard import lacking

if not TYPE_CHECKING:
    __getattr__ = lacking("statewise.models", ())
