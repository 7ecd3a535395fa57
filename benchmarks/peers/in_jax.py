"""The training in JAX by hand: `lax.scan` over the steps, over the batches and over the epochs, Optax, one program."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

from benchmarks.harness.claim import Timed
from benchmarks.peers.training import ADAM_EPSILON, LEARNING_RATE, Training

State = tuple[jax.Array, jax.Array]


def lstm(weights: list[jax.Array], x: jax.Array, state: State) -> tuple[State, jax.Array]:
    """Returns the last state and every step's h `[T, B, H]`, for x `[B, T, F]`; the input's product is one."""
    kernel, recurrent, bias = weights
    inputs = jnp.swapaxes(x, 0, 1) @ kernel + bias

    def step(state: State, z: jax.Array) -> tuple[State, jax.Array]:
        h, c = state
        i, f, g, o = jnp.split(z + h @ recurrent, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    return jax.lax.scan(step, state, inputs)


def train(task: Training) -> Timed:
    """Returns so many epochs, many to a call. Its result: each epoch's loss."""
    zeros = jnp.zeros((task.batch_size, task.units))
    batches = tuple(jnp.asarray(a).reshape(task.batches, task.batch_size, *a.shape[1:]) for a in (task.x, task.y))
    optimizer = optax.adam(LEARNING_RATE, eps=ADAM_EPSILON)

    def loss(params: list[jax.Array], x: jax.Array, y: jax.Array, state: State) -> tuple[jax.Array, State]:
        after, h = lstm(params[:3], x, state)
        h = jnp.swapaxes(h, 0, 1) if task.each_step else h[-1]
        logits = h @ params[3] + params[4]
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), after

    def update(run: Any, batch: Any) -> tuple[Any, jax.Array]:
        params, moments, state = run
        (value, after), gradients = jax.value_and_grad(loss, has_aux=True)(params, *batch, state)
        updates, moments = optimizer.update(gradients, moments)
        return (optax.apply_updates(params, updates), moments, after if task.carry else state), value

    def epoch(run: Any, _: None) -> tuple[Any, jax.Array]:
        run, losses = jax.lax.scan(update, run, batches)
        return run, losses.mean()

    @partial(jax.jit, donate_argnums=0)
    def train(run: Any) -> tuple[Any, jax.Array]:
        return jax.lax.scan(epoch, run, None, length=task.epochs_a_call)

    params = [jnp.asarray(weight) for weight in task.weights()]
    run = (params, optimizer.init(params), (zeros, jnp.zeros_like(zeros)))
    left: list[float] = []  # losses of epochs of the last call that nobody has asked for yet

    def work(epochs: int) -> list[float]:
        nonlocal run, left
        while len(left) < epochs:
            run, losses = train(run)
            left += losses.tolist()
        done, left = left[:epochs], left[epochs:]
        return done

    return Timed(work, note=f"{task.epochs_a_call} epochs a call")
