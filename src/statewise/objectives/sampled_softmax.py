"""The softmax of a large vocabulary, trained on a few of its classes at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import jax
import jax.numpy as jnp

from statewise.errors import ConfigurationError, unknown_name
from statewise.foundation.shapes import check_whole
from statewise.layers import Dense, Layer, TimeDistributed
from statewise.layers.base import Params

DISTRIBUTIONS: dict[str, Callable[[int], jax.Array]] = {
    "log-uniform": lambda classes: jnp.log(jnp.log1p(1.0 / jnp.arange(1, classes + 1))),
    "uniform": jnp.zeros,
}
"""The log probability of each of `classes` classes, up to a constant."""


@dataclass(frozen=True)
class SampledSoftmax:
    """A loss for many classes: training distinguishes the right one from `samples` others, not from all.

    The network is an ordinary one that ends in `Dense(V, activation="softmax")`, alone or in a `TimeDistributed`;
    `y` is integers, as for `sparse_categorical_crossentropy`. Only the loss that is minimized differs: for each update
    some classes are drawn without replacement, and the cross-entropy is that of the right class among itself and
    those. Each logit is reduced by the logarithm of its class's expected count, and if the right class is among those
    drawn, it does not count twice (Jean et al. 2015; for the same draws and expected counts,
    `tf.nn.sampled_softmax_loss` computes the same).

    This is the loss that `fit` reports, which is smaller than the true one. `evaluate`, validation and `predict`
    compute every class: their loss is the exact `sparse_categorical_crossentropy`.

    It has no metrics, since in training they would have to compute every class, which is what it exists to avoid. The
    exponential of `evaluate`'s loss is the perplexity; for other metrics compile again after training,
    `model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])`: the weights stay.

    It saves products with the kernel `[H, V]`; regularizers, and the updates of most optimizers, still cover all of
    it.

    Args:
        samples: how many classes are drawn for each update, at most V.
        distribution: "log-uniform" draws class k about as often as `1 / (k + 1)`, for classes numbered from the most
            frequent to the rarest; "uniform" draws all equally often.

    >>> import numpy as np
    >>> import statewise as sw
    >>> x = np.random.default_rng(0).integers(0, 1000, size=(8, 5))
    >>> layers = [sw.Embedding(1000, 4), sw.LSTM(8, return_sequences=True), sw.Dense(1000, activation="softmax")]
    >>> model = sw.Sequential(layers, seed=7)
    >>> model.compile("adam", sw.SampledSoftmax(20))
    >>> history = model.fit(x, np.roll(x, -1, axis=1), verbose=0)
    >>> round(float(np.log(1000)), 2), round(model.evaluate(x, np.roll(x, -1, axis=1)), 2)
    (6.91, 6.91)
    """

    samples: int
    distribution: str = "log-uniform"

    def __post_init__(self) -> None:
        check_whole("SampledSoftmax samples", self.samples)
        if not isinstance(self.distribution, str) or self.distribution not in DISTRIBUTIONS:
            raise unknown_name("distribution", self.distribution, DISTRIBUTIONS)

    def config(self) -> dict[str, Any]:
        """Returns it as JSON holds it."""
        return {"kind": type(self).__name__, **asdict(self)}

    def check_output(self, last: Layer) -> None:
        """Raises ConfigurationError unless `last`, a network's last layer, is one whose classes can be drawn from."""
        dense = last.layer if isinstance(last, TimeDistributed) else last
        if not isinstance(dense, Dense) or dense.activation != "softmax":
            kind = type(dense).__name__
            found = f"{kind}(activation={dense.activation!r})" if isinstance(dense, Dense) else kind
            raise ConfigurationError(
                "SampledSoftmax: expected a network whose last layer is Dense(V, activation='softmax'), for V classes, "
                f"got {found}; end it in such a layer, or use another loss"
            )
        if self.samples > dense.units:
            raise ConfigurationError(
                f"SampledSoftmax samples: expected at most the {dense.units} classes of the last layer, got "
                f"{self.samples}; loss='sparse_categorical_crossentropy' uses all of them"
            )

    def values(self, params: Params, h: jax.Array, y: jax.Array, key: jax.Array) -> jax.Array:
        """Returns the loss for each of the classes `y [...]`; `params` belong to the layer that reads `h [..., H]`."""
        return sampled_crossentropy(params, h, y, *self.draw(key, params["kernel"].shape[1]))

    def draw(self, key: jax.Array, classes: int) -> tuple[jax.Array, jax.Array]:
        """Returns distinct classes `[samples]`, and `[V]`: log of each class's expected count among them.

        It is a race in which class k arrives after an exponential time of rate p(k): the first to arrive are drawn, and
        the expected count of each is the probability that it arrives before the first one left out (Cohen and Kaplan
        2007). The larger `fast` of a class (minus the log of its time), the earlier it arrives.
        """
        weights = DISTRIBUTIONS[self.distribution](classes)
        fast = weights + jax.random.gumbel(key, (classes,), mode="high")
        drawn = jax.lax.top_k(fast, self.samples)[1]
        first_left_out = fast.at[drawn].set(-jnp.inf).max()
        return drawn, jnp.log(-jnp.expm1(-jnp.exp(weights - first_left_out)))


def sampled_crossentropy(
    params: Params, h: jax.Array, y: jax.Array, drawn: jax.Array, log_expected: jax.Array
) -> jax.Array:
    """Returns the cross-entropy `[...]` of each class of `y [...]` among itself and the `drawn [S]` classes."""
    right, h = y.reshape(-1), h.reshape(-1, h.shape[-1])
    needed, count = jnp.concatenate([right, drawn]), len(right)
    kernel = params["kernel"][:, needed]  # all at once, so that the gradient is scattered into [H, V] once
    offset = -log_expected[needed]
    if "bias" in params:
        offset = offset + params["bias"][needed]
    of_right = jnp.einsum("nh,hn->n", h, kernel[:, :count]) + offset[:count]
    of_drawn = h @ kernel[:, count:] + offset[count:]
    of_drawn = jnp.where(drawn == right[:, None], -jnp.inf, of_drawn)
    logits = jnp.concatenate([of_right[:, None], of_drawn], axis=1)
    return (jax.nn.logsumexp(logits, axis=1) - of_right).reshape(y.shape)
