"""`python -m statewise` is `statewise`."""

from statewise.cli.main import script

script()
