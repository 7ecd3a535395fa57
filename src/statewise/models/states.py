"""States of a model: where sequences start, and whether a state is this model's."""

from __future__ import annotations

from statewise.foundation.shapes import check_whole
from statewise.models.interface import AnyModel
from statewise.state import State


def reset_state(model: AnyModel) -> None:
    """Clears `model.state`, so that "continue" starts fresh."""
    model.state = None


def initial_state(model: AnyModel, batch: int) -> State:
    """Returns the initial state of `batch` sequences: zeros, or what `learn_initial_state` learned."""
    states = model.network.initial_state(model.params, check_whole("batch", batch))
    return model.network.state_of(model.params, states)


def zero_state(model: AnyModel, batch: int) -> State:
    """Returns a state of zeros for `batch` rows: the initial state, unless that is learned."""
    return model.network.state_of(model.params, model.network.zero_state(check_whole("batch", batch)))


def check_state(model: AnyModel, state: State) -> None:
    """Raises StateError, with the expected and the actual sizes, unless `state` fits this model."""
    model.network.check_state(state)
