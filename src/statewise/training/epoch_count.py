"""The count of epochs that a model was trained for: which epochs a call of `fit` trains."""

from __future__ import annotations

from statewise.errors import ConfigurationError, warn
from statewise.foundation.shapes import check_whole
from statewise.foundation.words import plural

MOST_EPOCHS = 2**31 - 1
"""Compiled programs count epochs in int32."""


def read_epochs(done: int, epochs: object, initial_epoch: object) -> tuple[int, int]:
    """Returns how many epochs come before those that `fit` should train, and how many will be done after them.

    Warns of a call that trains nothing.

    >>> read_epochs(30, 5, None), read_epochs(30, 5, 2)
    ((30, 35), (2, 5))

    Raises:
        ConfigurationError: they are not integers, or are too large.
    """
    count = check_whole("epochs", epochs)
    first = done if initial_epoch is None else check_whole("initial_epoch", initial_epoch, least=0)
    last = done + count if initial_epoch is None else count
    if max(first, last) > MOST_EPOCHS:
        raise ConfigurationError(f"epochs: expected no more than {MOST_EPOCHS:,} in total, got {max(first, last):,}")
    if first >= last:
        warn(
            f"fit trains nothing: with initial_epoch={first}, epochs={last} is the number of the last epoch; leave "
            f"initial_epoch out to train for {plural(count, 'epoch')} more"
        )
    return first, last


def describe_progress(done: int, epochs: int, *, ended: bool) -> str:
    """Returns in words how far an interrupted training of `epochs` epochs got.

    >>> describe_progress(3, 10, ended=False)
    '3 epochs done, 7 to train'
    >>> describe_progress(10, 10, ended=False)
    '10 epochs done, nothing left to train: ask for more epochs'
    """
    if ended:
        return f"{plural(done, 'epoch')} done, and a callback ended the training: nothing left to train"
    left = epochs - done
    return f"{plural(done, 'epoch')} done, " + (
        f"{left:,} to train" if left > 0 else "nothing left to train: ask for more epochs"
    )
