"""Optimizers under Keras's names, and learning rate schedules."""

from typing import TYPE_CHECKING

from statewise.optimizers.optimizer import SGD as SGD
from statewise.optimizers.optimizer import Adadelta as Adadelta
from statewise.optimizers.optimizer import Adagrad as Adagrad
from statewise.optimizers.optimizer import Adam as Adam
from statewise.optimizers.optimizer import Adamax as Adamax
from statewise.optimizers.optimizer import Nadam as Nadam
from statewise.optimizers.optimizer import Optimizer as Optimizer
from statewise.optimizers.optimizer import RMSprop as RMSprop
from statewise.phrasebook.guard import lacking

if not TYPE_CHECKING:
    __getattr__ = lacking("statewise.optimizers", list(globals()))
