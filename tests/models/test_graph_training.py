"""The properties of graphs in training: gradients, resuming, lanes, and epochs one by one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import statewise as sw
from graphs import ROWS, STEPS, SYMBOLS, Case, applying, as_given, random_flags, random_state, random_x, random_y
from networks import copied
from tolerances import assert_close, assert_same

STEP = 1e-5
BATCH_SIZE = 2
FLAGS = (".started", ".real")
"""Parts of a state that are flags, by which nothing is differentiated."""


def each_of(cases: list[Case]) -> pytest.MarkDecorator:
    """Runs a test for some graphs; those that are like others are slow."""
    marks = {True: [pytest.mark.slow], False: []}
    return pytest.mark.parametrize("case", [pytest.param(c, id=c.name, marks=marks[c.like]) for c in cases])


# ---------------------------------------------------------------------------------------------- 7: gradients


@pytest.fixture
def float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def apart(states: Any) -> tuple[list[Any], Any]:
    """Returns the numbers of a state without its flags, and what puts numbers in their place."""
    leaves, structure = jax.tree_util.tree_flatten_with_path(states)
    flags = [jax.tree_util.keystr(path).endswith(FLAGS) for path, _ in leaves]

    def together(numbers: list[Any]) -> Any:
        rest = iter(numbers)
        pairs = zip(leaves, flags, strict=True)
        return jax.tree_util.tree_unflatten(structure, [leaf if flag else next(rest) for (_, leaf), flag in pairs])

    return [leaf for (_, leaf), flag in zip(leaves, flags, strict=True) if not flag], together


@pytest.mark.usefixtures("float64")
@each_of(applying(7))
def test_the_gradient_of_every_weight_and_state_equals_the_numeric_one(case: Case) -> None:
    """By all weights, and by where rows stand; with resets in the middle of rows, and masks, on each axis.

    The first row goes on from its state on the last axis, since it reads nothing on others.
    """
    model = case.model()
    network, flags = model.network, random_flags(model, seed=8, masked=0.2)
    for axis in network.axes[:-1]:
        flags[1][axis][0] = False
    reset, mask = (jax.tree.map(jnp.asarray, flag if len(network.axes) > 1 else as_given(flag)) for flag in flags)
    x, params = jax.tree.map(in_float64, (as_given(random_x(model)), model.params))
    states = jax.tree.map(in_float64, network.check_state(begun_state(model)))
    numbers, together = apart(states)
    flat, restore = ravel_pytree((params, numbers))
    rng = np.random.default_rng(10)
    outputs = jax.eval_shape(network.apply, params, x, states)
    d_y, d_states = jax.tree.map(lambda part: jnp.asarray(rng.normal(size=part.shape)), outputs)

    @jax.jit
    @jax.value_and_grad
    def loss(moved: jax.Array) -> jax.Array:
        weights, parts = restore(moved)
        y, after = network.apply(weights, x, together(parts), reset=reset, mask=mask)
        products = jax.tree.map(lambda part, d: jnp.sum(part * d), (y, after), (d_y, d_states))
        return sum(jax.tree.leaves(products), jnp.float64(0))

    def slope(move: Any) -> float:
        ahead, behind = (loss(flat + sign * STEP * move)[0] for sign in (1, -1))
        return float(ahead - behind) / (2 * STEP)

    numeric = jnp.asarray([slope(move) for move in np.eye(flat.size)])
    analytic = loss(flat)[1]
    assert_close(restore(analytic), restore(numeric), "gradient", tolerance=1e-7)
    by_params, by_states = restore(analytic)
    for gradient in (*jax.tree.leaves(by_params), *jax.tree.leaves(by_states)):
        assert np.abs(gradient).max() > 1e-5, "a gradient says nothing"


def begun_state(model: sw.Model) -> sw.State:
    """Returns a state of random numbers in which the first row has started, and remembers as many steps as it can."""
    states = (random_state(model, seed) for seed in count(9))
    return next(state for state in states if all(flag[0].all() for flag in flags_of(dict(state.layers))))


def flags_of(states: Any) -> list[Any]:
    leaves = jax.tree_util.tree_flatten_with_path(states)[0]
    return [leaf for path, leaf in leaves if jax.tree_util.keystr(path).endswith(FLAGS)]


def in_float64(array: Any) -> Any:
    return jnp.asarray(array, array.dtype if array.dtype.kind == "i" else "float64")


# --------------------------------------------------------------------------------- 8, 11: resuming, n calls


class Fits:
    """Fits of one graph to the same data, with flags, and from batch to batch if it can be carried."""

    def __init__(self, case: Case) -> None:
        self.case, model = case, case.model()
        x, (reset, mask) = random_x(model), random_flags(model, seed=12)
        for flag in mask.values():
            flag[:, 0] = True  # each row has something to learn
        several = len(model.network.axes) > 1
        self.data = as_given(x), random_y(model, x)
        flags = {"reset": reset, "mask": mask}
        self.flags: dict[str, Any] = {name: flag if several else as_given(flag) for name, flag in flags.items()}
        self.state = "fresh" if 9 in case.reasons and 2 in case.reasons else "carry"

    def compiled(self) -> sw.Model:
        model = self.case.model()
        model.compile("adam", self.case.loss)
        return model

    def fit(self, model: sw.Model, epochs: int, **options: Any) -> list[float]:
        """Trains, and returns the losses."""
        told = {"verbose": 0, "batch_size": BATCH_SIZE, "state": self.state, **self.flags, **options}
        losses: list[float] = model.fit(*self.data, epochs=epochs, **told).history["loss"]
        return losses


def learned(model: sw.Model) -> Any:
    """Returns all that training changes."""
    train_state = model.train_state
    state = None if model.state is None else dict(model.state.layers)
    return copied((train_state.params, train_state.optimizer, state, train_state.epochs))


@each_of([case for case in applying(8) if 11 not in case.reasons])
def test_interrupted_saved_and_single_epochs_are_one_training_bit_for_bit(case: Case, tmp_path: Path) -> None:
    fits = Fits(case)
    whole = fits.compiled()
    expected = fits.fit(whole, 6)
    assert expected[-1] < expected[0]
    assert (whole.state is None) == (fits.state == "fresh")

    fits.fit(fits.compiled(), 3, checkpoint=tmp_path / "checkpoint")
    resumed = fits.compiled()
    assert fits.fit(resumed, 6, checkpoint=tmp_path / "checkpoint") == expected
    assert_same(learned(resumed), learned(whole), "resumed")

    half = fits.compiled()
    losses = fits.fit(half, 3)
    half.save(tmp_path / "model")
    loaded = sw.load(tmp_path / "model")
    assert isinstance(loaded, sw.Model)
    loaded.reset_state()  # "carry" starts fresh, and would warn
    assert losses + fits.fit(loaded, 3) == expected
    assert_same(learned(loaded), learned(whole), "loaded")

    by_one = fits.compiled()
    losses = []
    for _ in range(6):
        losses += fits.fit(by_one, 1)
    assert losses == expected
    assert_same(learned(by_one), learned(whole), "one epoch at a time")


# -------------------------------------------------------------------------------------------------- 9: lanes


@pytest.mark.parametrize("case", applying(9), ids=lambda case: case.name)
def test_lanes_answer_each_series_as_if_it_were_alone(case: Case) -> None:
    """Series after series, in batches of 4 steps; "carry" starts fresh, whatever was there before."""
    model, rng = case.model(), np.random.default_rng(14)
    network = model.network
    lengths = (5, 3, 4, 6)
    shapes = [(n, 3) if network.symbols is None else (n,) for n in lengths]
    series = [rng.normal(size=s) if network.symbols is None else rng.integers(0, SYMBOLS, s) for s in shapes]
    targets = [rng.normal(size=(n, network.width)) for n in lengths]
    framed = sw.lanes(series, targets, batch_size=1, steps=4)
    model.compile("adam", "mse")
    alone = np.concatenate([np.asarray(y) for y in model(series)[0]])
    expected = float(np.mean((alone - np.concatenate(targets)) ** 2))
    for _ in range(2):
        assert model.evaluate(framed, state="carry") == pytest.approx(expected, rel=1e-5)
        model.reset_state()


def test_the_sizes_of_axes_differ() -> None:
    assert len({STEPS["source"], STEPS["target"], ROWS}) == 3
