"""`model.apply`: the same numbers as the model, as a pure function that JAX can transform."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import statewise as sw
from mistakes import refused
from networks import CASES, Case, random_state, random_weights, random_x
from statewise.errors import DataError, ShapeError, StateError
from tolerances import assert_close

ROWS, STEPS = 3, 4


def made(case: Case) -> sw.Model:
    model = case.model(seed=2)
    random_weights(model)
    return model


@pytest.mark.parametrize("case", [CASES[1], *CASES[-4:]], ids=lambda case: case.name)
def test_it_computes_what_the_model_does(case: Case) -> None:
    model, x = made(case), random_x(case, ROWS, STEPS)
    start, rng = random_state(model, ROWS), np.random.default_rng(5)
    flags: Any = {"reset": rng.random((ROWS, STEPS)) < 0.3, "mask": rng.random((ROWS, STEPS)) < 0.8}
    expected = model(x, start, **flags)
    for function in (model.apply, jax.jit(model.apply)):
        y, state = function(model.params, x, start, **flags)
        assert_close(y, expected[0], "y")
        assert_close(dict(state.layers), dict(expected[1].layers), "state")
    assert_close(model.apply(model.params, x)[0], model(x)[0], "fresh")


def test_the_state_goes_through_a_scan() -> None:
    model = made(CASES[-3])
    x = random_x(CASES[-3], ROWS, STEPS)

    def step(state: sw.State, x: jax.Array) -> tuple[sw.State, jax.Array]:
        y, state = model.apply(model.params, x[:, None], state)
        return state, y[:, 0]

    start = random_state(model, ROWS)
    end, answers = jax.lax.scan(step, start, jnp.swapaxes(jnp.asarray(x), 0, 1))
    whole, expected = model(x, start)
    assert_close(jnp.swapaxes(answers, 0, 1), whole, "answers")
    assert_close(dict(end.layers), dict(expected.layers), "state")


def test_the_gradient_flows_into_the_state() -> None:
    model = made(CASES[0])
    x = random_x(CASES[0], ROWS, STEPS)
    start = random_state(model, ROWS)

    def loss(state: sw.State) -> jax.Array:
        return model.apply(model.params, x, state)[0].sum()

    gradient: Any = jax.grad(loss)(start)
    assert all(np.abs(part).max() > 0 for part in gradient["lstm"])


def test_weights_of_many_models_at_once() -> None:
    case = CASES[1]
    models = [made(case), case.model(seed=9)]
    stacked = jax.tree.map(lambda *parts: jnp.stack(parts), *(model.params for model in models))
    x = random_x(case, ROWS, STEPS)
    both = jax.vmap(lambda params: models[0].apply(params, x)[0])(stacked)
    for place, model in enumerate(models):
        assert_close(both[place], model(x)[0], "y")


def test_a_loop_of_ones_own_learns_what_fit_learns() -> None:
    x, y = np.random.default_rng(1).normal(size=(8, 5, 2)).astype("float32"), np.ones((8, 1), "float32")
    model, other = (sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=3) for _ in range(2))
    model.compile(sw.SGD(0.1), "mse")
    model.fit(x, y, batch_size=8, epochs=5, verbose=0)
    optimizer = optax.sgd(0.1)
    params, memory = other.params, optimizer.init(other.params)

    @jax.jit
    def update(params: Any, memory: Any) -> Any:
        gradient = jax.grad(lambda p: jnp.mean((other.apply(p, x)[0] - y) ** 2))(params)
        change, memory = optimizer.update(gradient, memory)
        return optax.apply_updates(params, change), memory

    for _ in range(5):
        params, memory = update(params, memory)
    other.params = params
    np.testing.assert_allclose(other.predict(x), model.predict(x), atol=1e-6)


def test_dropout_is_drawn_with_a_key_only() -> None:
    model = sw.Sequential([sw.Dropout(0.5), sw.LSTM(3)])
    model.build((None, None, 2))
    x = np.ones((2, 3, 2), "float32")
    assert_close(model.apply(model.params, x)[0], model(x)[0], "without")
    one, other = (model.apply(model.params, x, rng=jax.random.key(seed))[0] for seed in (1, 2))
    assert np.abs(one - other).max() > 0.01


def test_mistakes() -> None:
    model = made(CASES[1])
    x = np.ones((2, 3, 3), "float32")
    refused(lambda: model.apply(model.params, x[..., :2]), ShapeError, ["x: expected [B, T, 3]"])
    refused(lambda: model.apply({"lstm": {}}, x), ShapeError, ["params", "model.params"])
    refused(lambda: model.apply(model.params, x, model.initial_state(3)), StateError, ["3 row(s)"])
    refused(lambda: model.apply(model.params, x, reset=np.ones(2, bool)), ShapeError, ["reset", "bool [2, 3]"])
    bad = jax.tree.map(lambda a: a * np.nan, model.params)
    refused(lambda: setattr(model, "params", bad), DataError, ["weights"])
