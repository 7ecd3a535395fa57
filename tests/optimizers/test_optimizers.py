"""Optimisers and schedules: Keras 2's updates, their configuration, and a learning rate that changes on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import statewise
from formulas import FORMULAS
from mistakes import Action, Error, case, each, refused, table
from statewise.errors import ConfigurationError
from statewise.optimizers.optimizer import (
    OPTIMIZERS,
    Optimizer,
    get_optimizer,
    learning_rate_of,
    optimizer_from_config,
    with_learning_rate,
)
from statewise.storage.pytrees import fill_leaves, name_leaves
from tolerances import assert_close, assert_same

sw: Any = statewise
Weights = list[jax.Array]

GRADIENTS = [
    {"a": jnp.float32([3.0, -0.2]), "b": jnp.float32(0.7)},
    {"a": jnp.float32([-1.0, 4.0]), "b": jnp.float32(2)},
]


def updates_of(optimizer: Optimizer, count: int = 3, state: Any = None) -> tuple[list[Any], Any]:
    """What an optimiser makes of `count` gradients, from `state` if given, and the state after them."""
    transformation, made = optimizer.transformation(), []
    state = transformation.init(GRADIENTS[0]) if state is None else state
    for index in range(count):
        update, state = transformation.update(GRADIENTS[index % 2], state)
        made.append(update)
    return made, state


# ---------------------------------------------------------------------------------------- Keras's updates


@pytest.mark.parametrize(
    "golden", FORMULAS["updates"], ids=lambda golden: f"{golden['optimizer']}-{golden['settings']}"
)
def test_updates_are_those_of_keras_2(golden: dict[str, Any]) -> None:
    transformation = getattr(sw, golden["optimizer"])(**golden["settings"]).transformation()
    weights, bottom, curvature = ([jnp.float32(a) for a in FORMULAS["start"][name]] for name in FORMULAS["start"])
    state = transformation.init(weights)

    @jax.jit
    def step(weights: Weights, state: Any) -> tuple[Weights, Any]:
        slopes = [a * (w - b) for a, w, b in zip(curvature, weights, bottom, strict=True)]
        updates, state = transformation.update(slopes, state)
        return [w + update for w, update in zip(weights, updates, strict=True)], state

    for index, expected in enumerate(golden["path"]):
        weights, state = step(weights, state)
        assert_close(weights, [np.float32(w) for w in expected], f"update {index}")


@pytest.mark.parametrize("golden", FORMULAS["schedules"], ids=lambda golden: str(golden["settings"]))
def test_inverse_time_decay_is_that_of_keras_2(golden: dict[str, Any]) -> None:
    schedule = sw.InverseTimeDecay(**golden["settings"])
    rates = np.stack([schedule(jnp.int32(count)) for count in FORMULAS["counts"]])
    np.testing.assert_allclose(rates, golden["rates"], rtol=1e-6)


# ------------------------------------------------------------------------------------ names and configuration


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_goes_by_its_name_in_any_case(name: str) -> None:
    assert get_optimizer(name.lower()) == OPTIMIZERS[name]() == getattr(sw, name)()


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("rate", [0.2, sw.InverseTimeDecay(0.2, 3, 0.5, staircase=True)], ids=["number", "schedule"])
def test_an_optimizer_comes_back_from_its_json(name: str, rate: Any) -> None:
    optimizer = OPTIMIZERS[name](rate, clipvalue=0.5)
    assert optimizer_from_config(json.loads(json.dumps(optimizer.config()))) == optimizer


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_of_an_optimizer_comes_back_from_its_arrays(name: str) -> None:
    optimizer = OPTIMIZERS[name](0.1)
    _, state = updates_of(optimizer)
    fresh = optimizer.transformation().init(GRADIENTS[0])
    assert_same(fill_leaves("optimizer", fresh, name_leaves("optimizer", state)), state)


def number(name: str, act: Callable[[Any], object], expected: str, of: tuple[object, ...]) -> Iterator[Any]:
    return each(name, act, ConfigurationError, expected, of=of)


@table(
    *number("Adagrad initial_accumulator_value", lambda v: sw.Adagrad(initial_accumulator_value=v), ">= 0", (-1,)),
    *number("Adagrad epsilon", lambda v: sw.Adagrad(epsilon=v), "> 0", (0, "x")),
    *number("Adadelta rho", lambda v: sw.Adadelta(rho=v), "< 1", (1, None)),
    *number("Adamax beta_1", lambda v: sw.Adamax(beta_1=v), "< 1", (1, -1)),
    *number("Nadam beta_2", lambda v: sw.Nadam(beta_2=v), "< 1", (1, True)),
    *number("InverseTimeDecay decay_rate", lambda v: sw.InverseTimeDecay(0.1, 9, v), "> 0", (0, -1, "x")),
    *number("InverseTimeDecay decay_steps", lambda v: sw.InverseTimeDecay(0.1, v, 1), "> 0", (0, None)),
    case("adamx", lambda: get_optimizer("adamx"), ConfigurationError, "did you mean 'adamax'?", "nadam"),
)
def test_numbers_out_of_their_range(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


# ------------------------------------------------------------------------------ a learning rate that changes

RATES = {
    "number": 0.125,
    "schedule": sw.InverseTimeDecay(0.5, 1, 1.0),  # 0.125 after 3 updates
    "function": lambda count: 0.5 / (1 + count),
}
RULES = [*OPTIMIZERS, "momentum", "clipped"]


def make(rule: str, rate: Any) -> Optimizer:
    special = {"momentum": lambda: sw.SGD(rate, momentum=0.9), "clipped": lambda: sw.RMSprop(rate, global_clipnorm=1.0)}
    return special.get(rule, lambda: OPTIMIZERS[rule](rate))()


@pytest.mark.parametrize("kind", RATES)
def test_the_rate_is_that_of_the_next_update(kind: str) -> None:
    optimizer = sw.Adam(RATES[kind])
    _, state = updates_of(optimizer, 3)
    assert learning_rate_of(optimizer, state) == 0.125
    changed = with_learning_rate(optimizer, state, 0.03)
    assert learning_rate_of(optimizer, changed) == pytest.approx(0.03, rel=1e-7)
    assert learning_rate_of(optimizer, state) == 0.125  # a state is a value


@pytest.mark.parametrize("kind", RATES)
@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "momentum"])
def test_a_changed_rate_scales_the_update_and_nothing_else(rule: str, kind: str) -> None:
    optimizer = make(rule, RATES[kind])
    _, state = updates_of(optimizer, 3)
    before, expected = updates_of(optimizer, 1, state)
    after, changed = updates_of(optimizer, 1, with_learning_rate(optimizer, state, 0.25))
    assert_close(after[0], jax.tree.map(lambda update: 2 * update, before[0]), rule)
    assert_same(with_learning_rate(optimizer, changed, learning_rate_of(optimizer, expected)), expected, rule)


def test_a_changed_rate_is_inside_the_momentum_as_in_keras() -> None:
    optimizer = make("momentum", 0.125)
    (*_, last), state = updates_of(optimizer, 3)
    (update,), _ = updates_of(optimizer, 1, with_learning_rate(optimizer, state, 0.25))
    assert_close(update, jax.tree.map(lambda v, g: 0.9 * v - 0.25 * g, last, GRADIENTS[0]))


def test_a_schedule_goes_on_from_a_changed_rate() -> None:
    optimizer = sw.SGD(sw.InverseTimeDecay(0.5, 1, 1.0))
    _, state = updates_of(optimizer, 3)
    _, state = updates_of(optimizer, 4, with_learning_rate(optimizer, state, 0.5))  # from 1/4 to 1/8 of the schedule
    assert learning_rate_of(optimizer, state) == pytest.approx(0.25)


@pytest.mark.parametrize("rule", RULES)
def test_a_rate_of_0_stops_the_weights_and_can_be_left_again(rule: str) -> None:
    optimizer = make(rule, 0.125)
    state = with_learning_rate(optimizer, optimizer.transformation().init(GRADIENTS[0]), 0)
    still, state = updates_of(optimizer, 2, state)
    assert all(bool((update == 0).all()) for update in jax.tree.leaves(still))
    assert learning_rate_of(optimizer, with_learning_rate(optimizer, state, 0.01)) == pytest.approx(0.01, rel=1e-7)


@pytest.mark.parametrize("kind", RATES)
def test_changing_the_rate_compiles_nothing(kind: str) -> None:
    optimizer = sw.SGD(RATES[kind])
    update: Any = jax.jit(optimizer.transformation().update)
    _, state = update(GRADIENTS[0], optimizer.transformation().init(GRADIENTS[0]))
    rates: tuple[Any, ...] = (0.5, 1, np.float32(0.01))
    for rate in rates:
        _, state = update(GRADIENTS[0], with_learning_rate(optimizer, state, rate))
    assert update._cache_size() == 1


def adam_at(rate: Any) -> tuple[Any, Any]:
    optimizer = sw.Adam(rate)
    return optimizer, optimizer.transformation().init(GRADIENTS[0])


OPTAX = optax.adam(0.1), optax.adam(0.1).init(GRADIENTS[0])


@table(
    *number("learning_rate", lambda v: with_learning_rate(*adam_at(0.1), v), ">= 0", (-1, "x", None, True)),
    *number("learning_rate", lambda v: with_learning_rate(*adam_at(0.1), v), ">= 0", (float("inf"), float("nan"))),
    case("optax", lambda: learning_rate_of(*OPTAX), ConfigurationError, "learning_rate", "Optax", "sw.Adam(...)"),
    case("optax-set", lambda: with_learning_rate(*OPTAX, 0.1), ConfigurationError, "Optax", "sw.Adam(...)"),
    case(
        "schedule-at-0",
        lambda: with_learning_rate(*adam_at(sw.CosineDecay(0, 9, warmup_target=0.1, warmup_steps=2)), 0.5),
        ConfigurationError,
        "schedule above 0",
        "cannot become 0.5",
    ),
)
def test_rates_that_cannot_be(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)
