"""Lambda: a function of the user's own as a layer, with what is known of it and what is not."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from mistakes import Action, Error, case, each, refused, table
from networks import random_weights
from statewise.errors import ArgumentError, ConfigurationError, ShapeError, StateError
from statewise.inference.description import describe_network
from statewise.inference.forward import forward_of
from statewise.layers.tensors import Tensor
from tolerances import assert_close, assert_same

pytestmark = pytest.mark.filterwarnings("ignore:model.save will refuse")
X = np.random.default_rng(4).normal(size=(6, 8, 3)).astype("float32")
STEPS: Any = {"return_sequences": True}


def last(x: Any) -> Any:
    return x[:, -1]


def twice(x: Any) -> Any:
    return 2 * x


def last_real(x: Any, mask: Any) -> Any:
    place = x.shape[1] - 1 - jnp.argmax(mask[:, ::-1], axis=1)
    return jnp.take_along_axis(x, place[:, None, None], axis=1)[:, 0]


def made(*layers: Any, shape: tuple[int | None, ...] = (None, 3)) -> Any:
    model = sw.Sequential(layers, seed=1)
    model.build((None, *shape))
    random_weights(model)
    return model


def read(function: Any, **options: Any) -> Any:
    """A model that reads all steps, and then has a Lambda."""
    return made(sw.LSTM(4, **STEPS), sw.Lambda(function, **options))


def test_it_is_the_function_of_what_the_layer_before_it_outputs() -> None:
    model, before = read(last), made(sw.LSTM(4, **STEPS))
    before.set_weights(model.get_weights())
    assert_close(model.predict(X), before.predict(X)[:, -1], "y")
    assert model.network.weight_names == before.network.weight_names


def test_it_is_the_function_of_a_list() -> None:
    x = sw.Input((None, 3))
    a, b = sw.LSTM(4)(x), sw.GRU(4)(x)
    y = sw.Lambda(lambda pair: pair[0] * jnp.cos(pair[1]))([a, b])
    model = sw.Model(x, y, seed=2)
    parts = [sw.Model(x, part) for part in (a, b)]  # views of its weights
    one, other = (np.asarray(part(X)[0]) for part in parts)
    assert_close(np.asarray(model(X)[0]), one * np.cos(other), "y")


SHAPES: dict[str, tuple[Any, tuple[int | None, ...], tuple[int | None, ...]]] = {
    "rows": (last, (None, 5), (5,)),
    "all steps": (twice, (None, 5), (None, 5)),
    "some steps": (lambda x: x[:, 1:4], (None, 5), (3, 5)),
    "other steps": (lambda x: x[:, ::2], (None, 5), (None, 5)),
    "known steps": (lambda x: x[:, ::2], (7, 5), (4, 5)),
    "features by steps": (lambda x: x.transpose(0, 2, 1), (None, 5), (5, None)),
    "of a fixed number": (lambda x: x.reshape(-1, 2, 3, 5).sum(2), (6, 5), (2, 5)),
    "of rows": (lambda x: x[:, None] + x[:, :, None], (4,), (4, 4)),
    "whole numbers": (lambda x: x.argmax(-1, keepdims=True), (4,), (1,)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_its_shape_is_traced(name: str) -> None:
    function, shape, expected = SHAPES[name]
    layer = sw.Lambda(function)
    assert layer.output_shape(shape) == expected
    x = np.random.default_rng(1).normal(size=(3, *(9 if size is None else size for size in shape))).astype("float32")
    y, _ = layer.apply({}, x, ())
    assert y.dtype == np.float32
    assert all(want in (None, size) for want, size in zip(expected, y.shape[1:], strict=True))


def test_a_given_shape_is_taken_and_checked() -> None:
    assert sw.Lambda(twice, output_shape=(None, 4)).output_shape((None, 4)) == (None, 4)
    assert read(lambda x: x.reshape(x.shape[0], 32), output_shape=(32,)).predict(X).shape == (6, 32)


def test_it_learns_through_the_function() -> None:
    x = sw.Input((None, 3))
    model = sw.Model(x, sw.Dense(1)(sw.Lambda(last)(sw.GRU(6, **STEPS)(x))), seed=3)
    plain = sw.Sequential([sw.GRU(6), sw.Dense(1)], seed=3)
    plain.build((None, None, 3))
    plain.set_weights(model.get_weights())
    histories = []
    for one in (model, plain):
        one.compile("adam", "mse")
        histories.append(one.fit(X, X.sum((1, 2)), batch_size=4, epochs=3, shuffle=False, verbose=0))
    np.testing.assert_allclose(histories[0].history["loss"], histories[1].history["loss"], rtol=1e-5)
    for found, expected in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_two_functions_never_share_programs() -> None:
    def times(factor: float, *, per_step: bool) -> Any:
        return made(sw.Lambda(lambda x: factor * x, per_step=per_step), sw.Dense(1, use_bias=False))

    for per_step in (True, False):
        one, other = times(2, per_step=per_step), times(3, per_step=per_step)
        other.set_weights(one.get_weights())
        assert one.network != other.network
        assert forward_of(one.network) is not forward_of(other.network)
        assert describe_network(one.network) is None  # nothing of it is kept on disk
        assert_close(3 * one.predict(X), 2 * other.predict(X), "y")
        losses = []
        for model in (one, other):
            model.compile("sgd", "mse")
            losses.append(model.evaluate(X, np.zeros((6, 8, 1))))
        np.testing.assert_allclose(losses[1], losses[0] * 9 / 4, rtol=1e-5)


def test_the_same_function_shares_them() -> None:
    assert forward_of(read(twice).network) is forward_of(read(twice).network)


# -- steps -------------------------------------------------------------------------------------------------------------


def test_with_per_step_everything_holds_as_without_it() -> None:
    model = made(sw.Masking(-1.0), sw.LSTM(4, **STEPS), sw.Lambda(twice, per_step=True), sw.GRU(3, **STEPS))
    found = model.verify(np.where(np.arange(8)[:, None] % 3 == 1, -1.0, X))
    assert found.passed, found
    done = [check.name for check in found.checks if check.difference is not None]
    assert {"chunks of 3 steps", "single steps", "padded on the left, masked", "rows reset"} <= set(done)


def test_without_it_rows_are_read_whole_and_the_message_names_the_layer() -> None:
    model = made(sw.LSTM(4, **STEPS), sw.Lambda(lambda x: x - x.mean(1, keepdims=True)), sw.GRU(3))
    found = model.verify(X)
    assert found.passed, found
    skipped = {check.name: check.reason for check in found.checks if check.difference is None}
    assert "layer 'lambda' reads its input from both ends" in skipped["single steps"]
    assert "layer 'lambda' is a Lambda, a function of your own" in skipped["saved and loaded"]


def test_on_rows_without_steps_nothing_is_lost() -> None:
    model = made(sw.LSTM(4), sw.Lambda(lambda x: x**2), sw.Dense(2))
    found = model.verify(X)
    assert found.passed, found
    skipped = [check.name for check in found.checks if check.difference is None]
    assert skipped == ["saved and loaded", "streaming runtime"]


def test_a_function_may_have_the_mask() -> None:
    model = made(sw.Dense(4), sw.Lambda(last_real), sw.Dense(1))
    ragged = [X[row, : 8 - row] for row in range(6)]
    expected = [model.predict(own[None])[0] for own in ragged]
    assert_close(model.predict(ragged), np.array(expected), "y")
    assert_close(model.predict(X), made_like(model, last).predict(X), "y")


def made_like(model: Any, function: Any) -> Any:
    other = made(sw.Dense(4), sw.Lambda(function), sw.Dense(1))
    other.set_weights(model.get_weights())
    return other


def test_new_steps_count_where_anything_of_the_row_does() -> None:
    model = made(sw.Lambda(lambda x, mask: jnp.where(mask[..., None], x, 0)[:, ::-1]), sw.LSTM(2, **STEPS), sw.LSTM(3))
    mask = np.ones((6, 8), bool)
    mask[0], mask[1, 5:] = False, False
    y, _ = model(X, mask=mask)
    expected, _ = model(np.where(mask[..., None], X, 0))
    assert_close(np.asarray(y)[1:], np.asarray(expected)[1:], "y")
    assert_same(np.asarray(y)[0], np.zeros(3, "float32"), "the row in which nothing counts")


def test_targets_have_the_steps_of_the_output() -> None:
    model = made(sw.Lambda(lambda x: x[:, ::2]), sw.LSTM(3, **STEPS), sw.Dense(1))
    model.compile("adam", "mse")
    assert model.fit(X, X[:, ::2, :1], verbose=0).history["loss"][0] > 0
    refused(lambda: model.fit(X, X[..., :1], verbose=0), ShapeError, ["the output has 4 steps"])


def test_it_runs_inside_of_transformations() -> None:
    model = read(jnp.tanh, per_step=True)
    gradient = jax.grad(lambda params: model.apply(params, X)[0].sum())(model.params)
    assert all(np.abs(np.asarray(part)).max() > 0 for part in jax.tree.leaves(gradient))


# -- mistakes ----------------------------------------------------------------------------------------------------------


def on(function: Any, shape: tuple[int | None, ...] = (None, 3), **options: Any) -> Tensor:
    found: Tensor = sw.Lambda(function, **options)(sw.Input(shape))
    return found


class Unhashable:
    __hash__ = None  # type: ignore[assignment]

    def __call__(self, x: Any) -> Any:
        return x


KEEP = ("a Lambda, a function of your own", "numpy.savez(path, *model.get_weights())")
ANY: Any = sw


@table(
    case("no function", lambda: ANY.Lambda("relu"), ConfigurationError, "Lambda", "'relu'", "lambda x: x[:, -1]"),
    case("no key", lambda: sw.Lambda(Unhashable()), ConfigurationError, "Unhashable", "lambda x: f(x)"),
    case("second", lambda: ANY.Lambda(last, (4,)), ArgumentError, "output_shape=(4,)"),
    case("arguments", lambda: ANY.Lambda(last, arguments={}), ArgumentError, "arguments"),
    *each("per_step", lambda value: sw.Lambda(last, per_step=value), ConfigurationError, of=(1, "yes", None)),
    *each("output_shape", lambda value: sw.Lambda(last, output_shape=value), ConfigurationError, of=((0,), 3, ())),
    case("fails", lambda: on(lambda x: x @ jnp.ones((4, 2))), ShapeError, "Lambda", "fails for [B, T, 3]"),
    case("NumPy", lambda: on(np.square), ShapeError, "write it with jax.numpy"),
    case("a number", lambda: on(lambda x: x.sum((1, 2))), ShapeError, "returns a row", "y[:, None]"),
    case("no rows", lambda: on(lambda x: x.mean(0)), ShapeError, "for each row of [B, T, 3]"),
    case(
        "promise", lambda: on(last, per_step=True), ShapeError, "per_step=True", "[B, T, 3]", "[B, 3]", "leave it out"
    ),
    case("fewer", lambda: on(lambda x: x[:, 1:], per_step=True), ShapeError, "per_step=True", "leave it out"),
    case("no steps", lambda: on(twice, (3,), per_step=True), ShapeError, "input with steps", "[B, 3]"),
    case("other shape", lambda: read(last, output_shape=(5,)).predict(X), ShapeError, "returns [B, 4]", "(5,)"),
    case("mask", lambda: read(last)(X, mask=np.ones((6, 8), bool)), ShapeError, "masked", "lambda x, mask: ..."),
    case("ragged", lambda: read(last).predict([X[0], X[1, 1:]]), ShapeError, "rows of different lengths", "per_step"),
    case("save", lambda: read(twice, per_step=True).save("m"), ConfigurationError, "layer 'lambda'", *KEEP),
    case("stream", lambda: read(twice, per_step=True).stream(), ConfigurationError, "layer 'lambda'", *KEEP),
    case(
        "carry",
        lambda: read(last).predict(X, state="carry", batch_size=3),
        StateError,
        "layer 'lambda' reads its input from both ends",
        "per_step=True",
    ),
)
def test_mistakes(action: Action, error: Error, words: list[str]) -> None:
    refused(action, error, words)


@pytest.mark.filterwarnings("default:model.save will refuse")
def test_it_is_said_when_compiling() -> None:
    with pytest.warns(sw.StatewiseWarning, match="model.save will refuse a Lambda, a function of your own"):
        read(last).compile("adam", "mse")


def test_functions_that_tell_nothing_of_their_arguments_are_called_with_x() -> None:
    assert on(partial(jnp.multiply, 2.0), per_step=True).row_shape == (None, 3)
    assert repr(read(jnp.square)).count("Lambda(") == 1
