"""The model of statewise's that does the work of one of Keras's, as lenient as Keras was."""

from __future__ import annotations

import statewise as sw
from statewise.errors import ConfigurationError, StatewiseError, warn


class Core(sw.Sequential):
    """Trains what cannot learn, as Keras did, since the script continues; but it says so."""

    def _object_to(self, error: StatewiseError) -> None:
        if isinstance(error, ConfigurationError):  # a batch of which nothing counts is nothing to speak of: `fit` looks
            warn(str(error))
