"""Truncated back-propagation through time against the same training by hand, chunk after chunk in plain Python."""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from mistakes import case, refused, table
from networks import copied, random_weights
from statewise.errors import ConfigurationError, StateError
from statewise.kernels.lstm import LSTMWeights, lstm
from statewise.kernels.states import LSTMState
from statewise.models import fitting
from statewise.training.objective import Batch
from statewise.training.programs import Keys, Layout, Segment
from statewise.training.truncation import Truncation, read_truncation
from tolerances import assert_close, assert_same, differ

ROWS, STEPS, BATCH, CLASSES, RATE = 5, 7, 2, 3, 0.5  # two whole batches and a short one; 7 is no multiple of anything
Array = np.ndarray[Any, np.dtype[Any]]

_RNG = np.random.default_rng(31)
X: Array = _RNG.normal(size=(ROWS, STEPS, 2)).astype(np.float32)
Y: Array = _RNG.integers(0, CLASSES, (ROWS, STEPS))
MASK: Array = _RNG.random((ROWS, STEPS)) < 0.7
RESET: Array = _RNG.random((ROWS, STEPS)) < 0.2
WEIGHT: Array = _RNG.uniform(0.3, 3.0, (ROWS, STEPS)).astype(np.float32)
ALL: dict[str, Any] = {"mask": MASK, "reset": RESET, "sample_weight": WEIGHT}


def tagger(*, learnt: bool = False, each_step: bool = True, optimizer: Any = None, seed: int = 3) -> sw.Sequential:
    """Returns a compiled model with random weights, which answers a class at every step or once a row."""
    memory = sw.LSTM(3, return_sequences=each_step, learn_initial_state=learnt, input_shape=(None, 2))
    model = sw.Sequential([memory, sw.Dense(CLASSES, activation="softmax")], seed=seed)
    model.compile(optimizer or sw.SGD(learning_rate=RATE), "sparse_categorical_crossentropy")
    random_weights(model, bias_scale=0.5)
    return model


def fit(model: sw.Sequential, **options: Any) -> sw.History:
    """Trains on the data above in their order, silently."""
    y = Y if model.network.answers_each_step else Y[:, -1]
    order = {} if options.get("state") == "carry" else {"shuffle": False}
    return model.fit(X, y, **{"batch_size": BATCH, "epochs": 2, "verbose": 0} | order | options)


# -------------------------------------------------------------------------------------------- by hand


@jax.jit
def answers(params: Any, x: Any, state: LSTMState, reset: Any, mask: Any) -> tuple[jax.Array, LSTMState]:
    """Returns the logits `[B, T, V]`, and the state after the last step."""
    memory, head = params["lstm"], params["dense"]
    weights = LSTMWeights(memory["kernel"], memory["recurrent_kernel"], memory["bias"])
    fresh = LSTMState(memory["initial_h"], memory["initial_c"]) if "initial_h" in memory else None
    h, state = lstm(weights, x, state, reset=reset, mask=mask, initial=fresh)
    return h @ head["kernel"] + head["bias"], state


@jax.jit
def loss_and_gradient(
    params: Any, x: Any, y: Any, state: LSTMState, reset: Any, mask: Any, weight: Any
) -> tuple[jax.Array, Any]:
    """Returns the sum of the losses, each times its weight, and its gradient; nothing flows into `state`."""

    def loss(params: Any) -> jax.Array:
        logits, _ = answers(params, x, state, reset, mask)
        chosen = jnp.take_along_axis(logits, y[..., None], axis=-1)[..., 0]
        return jnp.sum((jax.nn.logsumexp(logits, axis=-1) - chosen) * weight)

    return jax.value_and_grad(loss)(params)


class Rows:
    """Some rows of the data; parts of them are read by masking all other steps, so that one compilation serves all."""

    def __init__(self, rows: slice, mask: Array | None, reset: Array | None, weight: Array | None, afresh: bool):
        none, every = np.zeros((ROWS, STEPS), bool), np.ones((ROWS, STEPS), np.float32)
        weights = every if weight is None else weight.reshape(ROWS, -1) * every
        self.x, self.y, self.weight = X[rows], Y[rows], weights[rows]
        self.mask, self.reset = (~none if mask is None else mask)[rows], (none if reset is None else reset)[rows].copy()
        self.reset[:, 0] |= afresh

    def _part(self, begin: int, end: int) -> tuple[Array, Array, Array]:
        inside = (np.arange(STEPS) >= begin) & (np.arange(STEPS) < end)
        return self.reset & inside, self.mask & inside, inside

    def read(self, params: Any, state: LSTMState, begin: int, end: int) -> LSTMState:
        """Returns the state at step `end` if it is `state` at step `begin`."""
        reset, mask, _ = self._part(begin, end)
        return answers(params, self.x, state, reset, mask)[1]

    def learn(self, params: Any, state: LSTMState, begin: int, own: int, end: int) -> tuple[Any, float, int]:
        """Returns the mean gradient, and loss and number of the steps from `own` on; gradients reach to `begin`."""
        reset, mask, _ = self._part(begin, end)
        scored = self._part(own, end)[1]
        total, gradient = loss_and_gradient(params, self.x, self.y, state, reset, mask, self.weight * scored)
        count = int(scored.sum())
        return jax.tree.map(lambda g: g / max(count, 1), gradient), float(total), count

    def learn_once(self, params: Any, state: LSTMState, begin: int) -> Any:
        """Returns the mean gradient of the answers after the last step, which a masked step repeats."""
        reset, mask, _ = self._part(begin, STEPS)
        last = (np.arange(STEPS) == STEPS - 1) * self.weight
        gradient = loss_and_gradient(params, self.x, self.y, state, reset, mask, last)[1]
        return jax.tree.map(lambda g: g / len(self.x), gradient)


def descend(params: Any, gradient: Any, scale: float = 1.0) -> Any:
    """Returns the weights after an update."""
    return jax.tree.map(lambda weight, g: weight - scale * RATE * g, params, gradient)


def train_rows(params: Any, rows: Rows, state: LSTMState, k1: int, k2: int, scale: float) -> tuple[Any, Any, Any]:
    """Returns weights, state and `[loss, count]` after an update every `k1` steps, back through `k2`."""
    at, sums = 0, np.zeros(2)  # `state` is the one before step `at`
    for first in range(0, STEPS, k1):
        end = min(first + k1, STEPS)
        begin = min(max(0, first + k1 - k2), end)
        start = rows.read(params, state, at, begin)
        gradient, *added = rows.learn(params, start, begin, max(begin, first), end)
        following = end if end == STEPS else min(end, max(0, end + k1 - k2))  # where the next gradients begin
        state, at = rows.read(params, state, at, following), following
        params, sums = descend(params, gradient, scale), sums + added
    return params, state, sums


def by_hand(
    model: sw.Sequential,
    k1: int,
    k2: int,
    *,
    state: str = "fresh",
    scale: float = 1.0,
    mask: Array | None = None,
    reset: Array | None = None,
    sample_weight: Array | None = None,
) -> tuple[Any, LSTMState, list[float]]:
    """Returns weights, state and losses of two epochs of plain gradient descent."""
    params, losses = model.params, []
    for _ in range(2):
        kept, sums = LSTMState(*np.zeros((2, BATCH, 3), np.float32)), np.zeros(2)
        for first in range(0, ROWS, BATCH):
            size = min(BATCH, ROWS - first)
            rows = Rows(slice(first, first + size), mask, reset, sample_weight, state == "fresh" or first == 0)
            start = LSTMState(*(part[:size] for part in kept))
            params, after, added = train_rows(params, rows, start, k1, k2, scale)
            # the rows of a short last batch go on, the others stay where they are
            kept = LSTMState(*(np.concatenate([new, old[size:]]) for new, old in zip(after, kept, strict=True)))
            sums += added
        losses.append(sums[0] / sums[1])
    return params, kept, losses


LENGTHS: dict[str, tuple[Any, int, int]] = {  # tbptt, k1, k2
    "k": (3, 3, 3),
    "1": (1, 1, 1),
    "k2-longer": ((2, 5), 2, 5),
    "k2-far-longer": ((3, 50), 3, 50),
    "k2-shorter": ((3, 2), 3, 2),
    "k2-shorter-than-the-rest": ((3, 1), 3, 1),
}
lengths = pytest.mark.parametrize(("tbptt", "k1", "k2"), LENGTHS.values(), ids=LENGTHS)
DATA: dict[str, dict[str, Any]] = {
    "all": {**ALL, "state": "carry"},
    "fresh": {"reset": RESET, "sample_weight": WEIGHT[:, 0]},
}


def check_by_hand(k1: int, k2: int, tbptt: Any, learnt: bool, data: dict[str, Any], scale: float = 1.0) -> None:
    model = tagger(learnt=learnt)
    history = fit(model, tbptt=tbptt, **data)
    params, state, losses = by_hand(tagger(learnt=learnt), k1, k2, scale=scale, **data)
    assert_close(model.params, params, "weights")
    assert_close(np.array(history.history["loss"], np.float32), np.array(losses), "losses")
    if data.get("state") == "carry":
        assert model.state is not None
        assert_close(model.state["lstm"], state, "state")


@lengths
def test_truncated_training_equals_a_loop_over_chunks(tbptt: Any, k1: int, k2: int) -> None:
    """With masks, resets, weights, a learnt initial state, and the state carried through a short last batch."""
    check_by_hand(k1, k2, tbptt, learnt=True, data=DATA["all"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["k", "k2-longer", "k2-shorter"])
def test_so_it_does_where_each_batch_starts_afresh(name: str) -> None:
    tbptt, k1, k2 = LENGTHS[name]
    check_by_hand(k1, k2, tbptt, learnt=False, data=DATA["fresh"])


def test_what_these_loops_tell_apart() -> None:
    """Guards the tests above: each of the lengths, and none, is another training."""
    pairs = [(k1, k2) for _, k1, k2 in LENGTHS.values()] + [(STEPS, STEPS)]
    results = [by_hand(tagger(learnt=True), *pair, **DATA["all"])[0] for pair in pairs]
    for index, result in enumerate(results):
        for other in results[index + 1 :]:
            distances = jax.tree.map(lambda a, b: float(jnp.abs(a - b).max()), result, other)
            assert max(jax.tree.leaves(distances)) > 1e-3


@pytest.mark.parametrize("tbptt", [STEPS, (STEPS, STEPS)], ids=str)
def test_as_many_steps_as_there_are_truncate_nothing(tbptt: Any) -> None:
    cut, whole = tagger(learnt=True), tagger(learnt=True)
    histories = [fit(cut, tbptt=tbptt, **DATA["all"]), fit(whole, **DATA["all"])]
    assert_close(cut.params, whole.params, "weights", tolerance=1e-6)
    assert_close(copied(cut.state), copied(whole.state), "state", tolerance=1e-6)
    assert histories[0].history["loss"] == pytest.approx(histories[1].history["loss"], rel=1e-6)


def test_a_rest_too_short_to_be_scored_is_no_update() -> None:
    """Of the last 1 of 7 steps, (3, 1) scores none: Adam's moments must not move weights without a gradient."""
    rest, none = (tagger(optimizer=sw.Adam(learning_rate=0.1)) for _ in range(2))
    options: dict[str, Any] = {"batch_size": ROWS, "epochs": 1, "shuffle": False, "verbose": 0, "tbptt": (3, 1)}
    rest.fit(X, Y, **options)
    none.fit(X[:, :6], Y[:, :6], **options)
    assert_close(rest.get_weights(), none.get_weights(), "weights")


def test_warming_up_comes_before_truncation() -> None:
    """The first two steps only settle the state, without gradients; what is left is cut into chunks."""
    model, hand = tagger(), tagger()
    fit(model, tbptt=3, state="warmup:2", epochs=1)
    params = hand.params
    for first in range(0, ROWS, BATCH):
        rows = Rows(slice(first, min(first + BATCH, ROWS)), None, None, None, afresh=True)
        start = LSTMState(*np.zeros((2, len(rows.x), 3), np.float32))
        state = rows.read(params, start, 0, 2)
        for begin, end in ((2, 5), (5, 7)):
            gradient, _, _ = rows.learn(params, state, begin, begin, end)
            state, params = rows.read(params, state, begin, end), descend(params, gradient)
    assert_close(model.params, params, "weights")


# -------------------------------------------------------------------------------- one answer a row


@pytest.mark.slow
@pytest.mark.parametrize("tbptt", [1, 3, STEPS])
@pytest.mark.parametrize("learnt", [False, True], ids=["zeros", "learnt"])
def test_gradients_of_one_answer_a_row_reach_that_far_back(tbptt: int, learnt: bool) -> None:
    model, hand = tagger(each_step=False, learnt=learnt), tagger(each_step=False, learnt=learnt)
    mask = MASK.copy()
    mask[:, -1] = True
    fit(model, tbptt=tbptt, mask=mask, reset=RESET, sample_weight=WEIGHT[:, 0])
    params = hand.params
    for first in list(range(0, ROWS, BATCH)) * 2:
        rows = Rows(slice(first, min(first + BATCH, ROWS)), mask, RESET, WEIGHT[:, 0], afresh=True)
        start = LSTMState(*np.zeros((2, len(rows.x), 3), np.float32))
        begin = STEPS - tbptt
        state = rows.read(params, start, 0, begin)
        params = descend(params, rows.learn_once(params, state, begin))
    assert_close(model.params, params, "weights")


@pytest.mark.parametrize("tbptt", [2, 4])
def test_steps_are_counted_from_the_end_of_a_row_however_it_is_filled_up(tbptt: int) -> None:
    """Rows of 3 steps beside rows of 7: padded on the right they learn what they learn padded on the left."""
    short = np.arange(ROWS) % 2 == 0
    right, left = X.copy(), X.copy()
    mask_right = np.ones((ROWS, STEPS), bool)
    mask_left = mask_right.copy()
    mask_right[short, 3:] = False
    mask_left[short, :-3] = False
    left[short, -3:] = X[short, :3]
    models = [tagger(each_step=False), tagger(each_step=False)]
    before = copied(models[0].params)
    for model, x, mask in zip(models, (right, left), (mask_right, mask_left), strict=True):
        model.fit(x, Y[:, -1], batch_size=BATCH, epochs=2, shuffle=False, verbose=0, tbptt=tbptt, mask=mask)
    assert_close(models[0].params, models[1].params, "weights")
    assert np.abs(np.asarray(models[0].params["lstm"]["kernel"]) - before["lstm"]["kernel"]).max() > 1e-3


def test_updates_that_share_out_the_steps_evenly_need_no_mask_and_do_without() -> None:
    """What masks and padding do for windows of other lengths changes nothing where all are full."""
    x, y = X[:, :6], Y[:, :6]
    models = [tagger(each_step=True), tagger(each_step=True)]
    for model, mask in zip(models, (None, np.ones(x.shape[:2], bool)), strict=True):
        model.fit(x, y, batch_size=BATCH, epochs=2, shuffle=False, verbose=0, tbptt=3, mask=mask)
    assert_close(models[0].params, models[1].params, "weights")


# ---------------------------------------------------------------------------------- what it is for


def test_only_gradients_from_further_back_learn_an_echo_from_there() -> None:
    """An update after every step learns x[t - 3] if its gradients reach so far, and does not if they do not."""
    x = np.random.default_rng(5).choice([-1.0, 1.0], (4, 60, 1))
    y = np.concatenate([np.zeros((4, 3, 1)), x[:, :-3]], axis=1)

    def loss_of(tbptt: Any) -> float:
        model = sw.Sequential([sw.LSTM(8, return_sequences=True), sw.Dense(1)], seed=4)
        model.compile(sw.Adam(learning_rate=0.01), "mse")
        return model.fit(x, y, epochs=60, tbptt=tbptt, verbose=0).history["loss"][-1]

    near, far = loss_of((2, 2)), loss_of((2, 6))
    assert far < 0.2
    assert near > 0.5


def temporary_bytes(steps: int, truncation: Truncation | None) -> int:
    """Returns how much memory a compiled epoch needs beside its arguments and results."""
    model = sw.Sequential([sw.LSTM(32, return_sequences=True, input_shape=(None, 1)), sw.Dense(1)])
    model.compile("sgd", "mse")
    layout = Layout(4, truncation=truncation)
    x, key = jnp.zeros((4, steps, 1)), jax.random.key(0)
    segment = Segment(0, 0, 0, 0, 0, 0).packed
    arguments = (fitting._run(model, layout), Batch(x, x), Keys(key, key), segment, None)
    train: Any = model.programs.train.of(layout).run
    compiled = train.jitted.lower(*arguments, layout=layout).compile()
    analysis = compiled.memory_analysis()
    assert analysis is not None
    return int(analysis.temp_size_in_bytes)


def test_memory_is_bounded_by_how_far_gradients_reach_not_by_how_long_rows_are() -> None:
    """Beside copies of x and y, flags and all, at most 16 numbers a step: the tape of 32 units would be 224."""
    whole = temporary_bytes(4000, None)
    short, far = temporary_bytes(4000, Truncation(20, 20)), temporary_bytes(4000, Truncation(20, 400))
    assert whole > 4000 * 4 * 224 * 4
    assert short < 4000 * 4 * 16 * 4
    assert short < far < whole / 5


# ------------------------------------------------------------------------------------ random lengths

LONG = np.random.default_rng(6).normal(size=(4, 60, 2)).astype(np.float32)
LONG_Y = np.random.default_rng(7).integers(0, CLASSES, (4, 60))


def fit_randomly(seed: int = 3, optimizer: Any = None, epochs: int = 2) -> tuple[sw.Sequential, sw.History]:
    model = tagger(seed=seed, optimizer=optimizer)
    options: dict[str, Any] = {"batch_size": 2, "shuffle": False, "verbose": 0, "tbptt": "random:10"}
    return model, model.fit(LONG, LONG_Y, epochs=epochs, **options)


def test_one_seed_draws_the_same_lengths_and_another_others() -> None:
    (first, one), (second, two), (other, _) = (fit_randomly(seed) for seed in (3, 3, 8))
    assert_same(first.get_weights(), second.get_weights(), "weights")
    assert one.history == two.history
    assert differ(first.get_weights(), other.get_weights())


def test_an_epochs_number_decides_the_lengths_drawn_in_it() -> None:
    """Two epochs at once equal one and then, in another fit, the second."""
    whole, _ = fit_randomly()
    cut, _ = fit_randomly(epochs=1)
    options: dict[str, Any] = {"batch_size": 2, "shuffle": False, "verbose": 0, "tbptt": "random:10"}
    cut.fit(LONG, LONG_Y, initial_epoch=1, epochs=2, **options)
    assert_same(cut.get_weights(), whole.get_weights(), "weights")


@pytest.mark.slow
@pytest.mark.parametrize("tbptt", [7, (7, 16), "random:10", "random:2"], ids=str)
def test_every_step_is_scored_once_however_it_is_cut(tbptt: Any) -> None:
    """At a rate that changes nothing the loss of an epoch is that of `evaluate`."""
    model = tagger(optimizer=sw.SGD(learning_rate=1e-30))
    mask = np.random.default_rng(8).random((4, 60)) < 0.8
    history = model.fit(LONG, LONG_Y, batch_size=3, epochs=1, mask=mask, tbptt=tbptt, verbose=0)
    assert history.history["loss"][0] == pytest.approx(model.evaluate(LONG, LONG_Y, mask=mask), rel=1e-5)


def test_random_lengths_spread_around_theirs_and_at_times_around_half() -> None:
    """Merity et al. 2018, section 5: 95 % around 70, 5 % around 35, each with a deviation of 5."""
    draw = jax.jit(jax.vmap(Truncation(70, 70, random=True).length))
    drawn = np.asarray(draw(jax.random.split(jax.random.key(1), 4000)))
    most, few = drawn[drawn >= 52], drawn[drawn < 52]
    assert len(few) / len(drawn) == pytest.approx(0.05, abs=0.012)
    assert (most.mean(), most.std()) == pytest.approx((70, 5), abs=0.4)
    assert (few.mean(), few.std()) == pytest.approx((35, 5), abs=1.5)


@pytest.mark.parametrize("mean", [1, 3, 6, 20])
def test_no_random_length_is_too_short_or_beyond_the_window(mean: int) -> None:
    truncation = Truncation(mean, mean, random=True)
    drawn = np.asarray(jax.vmap(truncation.length)(jax.random.split(jax.random.key(2), 2000)))
    assert drawn.min() >= min(5, mean)
    assert drawn.max() <= truncation.window
    assert len(set(drawn.tolist())) > 8


def test_an_update_is_as_large_as_its_random_length_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every length is 3 where 4 are asked for: chunks of 3, each update 3/4 as large.

    No other test may ask for "random:4": it would be given the program that is compiled here.
    """
    monkeypatch.setattr(Truncation, "length", lambda *_: jnp.int32(3))
    check_by_hand(3, 3, "random:4", learnt=False, data=DATA["all"], scale=3 / 4)


# ------------------------------------------------------------------------------------------ mistakes


@cache
def kept() -> sw.Sequential:
    return tagger()


@cache
def answering_once() -> sw.Sequential:
    return tagger(each_step=False)


@cache
def bidirectional() -> sw.Sequential:
    model = sw.Sequential([sw.Bidirectional(sw.LSTM(2, return_sequences=True)), sw.Dense(CLASSES)])
    model.compile("sgd", "mse")
    return model


FORMS = "expected a number of steps k, (k1, k2) or 'random:k' such as 'random:70'"
WHOLE = "expected an integer >= 1"


def saying(tbptt: Any, *words: str) -> Any:
    """A length that is refused, and what the message must say."""
    return case(repr(tbptt), lambda: fit(kept(), tbptt=tbptt), ConfigurationError, "tbptt", *words)


def saying_once(tbptt: Any) -> Any:
    """A length that is refused to a network with one answer a row."""
    words = ("tbptt: expected one number", "one output per row", "return_sequences=True")
    return case(f"once-{tbptt!r}", lambda: fit(answering_once(), tbptt=tbptt), ConfigurationError, *words)


@table(
    saying(0, WHOLE, "got 0"),
    saying(-3, WHOLE, "got -3"),
    saying(True, WHOLE, "got True"),
    saying((0, 3), WHOLE, "got 0"),
    saying((3, 0), WHOLE, "got 0"),
    saying((2, "4"), WHOLE, "got '4'"),
    saying((1,), FORMS, "got (1,)"),
    saying((1, 2, 3), FORMS, "got (1, 2, 3)"),
    saying(2.0, FORMS, "got 2.0"),
    saying({"k": 2}, FORMS),
    saying("random", FORMS, "got 'random'"),
    saying("random:0", FORMS, "got 'random:0'"),
    saying("random:-2", FORMS),
    saying("random:2.5", FORMS),
    saying("often:3", FORMS),
    saying("3", FORMS),
    saying(STEPS + 1, f"at most the {STEPS} steps of x", f"got {STEPS + 1}"),
    saying((STEPS + 1, 2), f"at most the {STEPS} steps of x"),
    saying("random:70", f"at most the {STEPS} steps of x", "got 70"),
    case(
        "fewer-steps-after-warming-up",
        lambda: fit(kept(), tbptt=5, state="warmup:3"),
        ConfigurationError,
        "at most the 4 steps",
    ),
    *map(saying_once, [(2, 4), (4, 2), "random:3"]),
    case(
        "both-ends",
        lambda: bidirectional().fit(X, np.zeros((ROWS, STEPS, CLASSES)), tbptt=3, verbose=0),
        StateError,
        "tbptt",
        "'bidirectional'",
        "both ends",
    ),
)
def test_a_length_that_cannot_be_is_refused(action: Any, error: Any, words: Any) -> None:
    refused(action, error, words)


def test_no_mistake_trained_anything() -> None:
    assert_same(kept().get_weights(), tagger().get_weights(), "weights")


def test_numpys_whole_numbers_and_lists_are_lengths_too() -> None:
    assert read_truncation(np.int64(3)) == Truncation(3, 3)
    assert read_truncation([np.int32(2), 4]) == Truncation(2, 4)
    assert read_truncation(None) is None


@pytest.mark.parametrize("option", [{"tbptt": 2}, {"state": "warmup:1"}], ids=str)
def test_rows_without_a_time_axis_have_one_step(option: dict[str, Any]) -> None:
    """Their features are no steps, so that nothing can be cut off or warm up."""
    model = sw.Sequential([sw.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ConfigurationError, match="expected"):
        model.fit(X.reshape(ROWS, -1), X[:, 0, :1], verbose=0, **option)
