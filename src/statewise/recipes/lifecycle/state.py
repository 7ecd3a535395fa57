"""Three ways to manage state, and when each is right.

Question. The tutorials name three ways: a fresh state for each sequence, in batches of one; a state carried through
the pieces of a long sequence, unshuffled, and reset after each epoch; a fresh state for each piece, in batches of
128, where speed matters more than a long memory. When is each right? A gate is opened or shut now and then, and
mostly nothing happens. Is it open?

Framing. 1,280 samples of ten time steps with two features (it is opened, it is shut), and an answer at each step. The
same samples are used in two ways: as the pieces of one record, in which an open gate stays open from piece to piece,
or as 1,280 days, each of which begins with the gate shut. The inputs are the same, only the answers differ.

Expect. For the record only the carried state is right, 100 %: where nothing has happened yet in a piece, a fresh
state cannot know, and with guesses there about 71 % of all answers are right. For the days a fresh state is right,
100 %, and the carried one is the mistake, about 90 %: it remembers yesterday's gate, nothing tells it that a new day
has begun, and at best it learns to doubt what happened long ago. Neither is better: the state has to end where the
sequence ends. The batch size has nothing to do with it. Each row has its own state, in batches of one as in batches
of 128, so the first way and the third amount to the same. Larger batches only make an epoch faster, and its updates
fewer.

Beyond. All figures are for new events. You do not have to choose between speed and memory either: `sw.lanes` cuts the
record into 128 rows that are read side by side, each continuing from batch to batch. From these the network learns
the same, almost 100 %.
"""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.framing import Framing
from statewise.recipes.recipe import Figure, Recipe, Trial

PIECES, STEPS, ROWS = 1280, 10, 128
EVENTS = ("", "opened", "shut")
OFTEN = (0.9, 0.05, 0.05)

WAYS = {
    "record_carried": ("record", 1, "carry"),
    "record_one": ("record", 1, "fresh"),
    "record_batches": ("record", ROWS, "fresh"),
    "record_rows": ("record", ROWS, "carry"),
    "days_one": ("days", 1, "fresh"),
    "days_batches": ("days", ROWS, "fresh"),
    "days_carried": ("days", 1, "carry"),
}
"""What the samples are, the size of a batch, and where a batch's state comes from."""


def is_open(events: Array) -> Array:
    """Returns 1 where the gate is open, 0 where not, `[N, T]`; each row begins with the gate shut."""
    steps = np.arange(events.shape[1])
    latest = np.maximum.accumulate(np.where(events > 0, steps, 0), axis=1)
    return (np.take_along_axis(events, latest, axis=1) == 1).astype(np.float32)


def data(seed: int, part: int) -> tuple[Array, dict[str, Array]]:
    """Returns samples `[1280, 10, 2]`, and the answers `[1280, 10, 1]` for a record and for days."""
    events = np.random.default_rng([seed, part]).choice(3, (PIECES, STEPS), p=OFTEN)
    x = np.eye(3, dtype=np.float32)[events][:, :, 1:]
    record = is_open(events.reshape(1, -1))
    return x, {"record": record.reshape(PIECES, STEPS, 1), "days": is_open(events)[:, :, None]}


def framing() -> Framing:
    """Returns the picture of the record."""
    x, answers = data(0, 0)
    return Framing.of(
        x,
        answers["record"],
        lambda step: EVENTS[int(step @ [1, 2])],
        lambda answer: "open" if answer[0] else "not",
        note="opened is read as 1 0, shut as 0 1, nothing as 0 0; the answer is 1 while the gate is open",
        each_step=True,
        carried=1,
    )


def model(seed: int) -> sw.Sequential:
    """Returns the network: 8 units that see two features, and at each step the probability that the gate is open."""
    layers = [sw.LSTM(8, return_sequences=True, input_shape=(None, 2)), sw.Dense(1, activation="sigmoid")]
    return sw.Sequential(layers, seed=seed)


def fitted(seed: int, x: Array, y: Array, batch_size: int, state: str, epochs: int) -> sw.Sequential:
    """Returns a network trained in one of the ways."""
    # 1. define
    network = model(seed)
    # 2. compile
    network.compile(sw.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    # 3. fit
    if state == "carry":  # in order, in rows that continue from batch to batch; a fresh start in each epoch
        record = sw.lanes(x.reshape(-1, 2), y.reshape(-1, 1), batch_size=batch_size, steps=STEPS)
        network.fit(record, state="carry", epochs=epochs, verbose=0)
    else:  # shuffled
        network.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0)
    return network


def told(network: sw.Sequential, x: Array, state: str) -> str:
    """Returns what the network says at the ten steps of the first quiet piece after an opened gate."""
    quiet, after_opening = ~x[1:].any(axis=(1, 2)), x[:-1, -1, 0] == 1
    pieces = x[: int(np.flatnonzero(quiet & after_opening)[0]) + 2]
    # 5. predict
    start = network.initial_state(1) if state == "carry" else "fresh"
    answers = network.predict(pieces, batch_size=1, state=start)
    return " ".join(f"{answer:.2f}" for answer in answers[-1, :, 0])


def trial(seed: int, *, epochs: int = 5) -> Trial:
    """Runs the experiment once; since batches of 128 make few updates, they get eight times as many epochs."""
    x, answers = data(seed, 0)
    new_x, new_answers = data(seed, 1)
    figures, said = {}, {}
    for name, (samples, batch_size, state) in WAYS.items():
        network = fitted(seed, x, answers[samples], batch_size, state, epochs if batch_size == 1 else 8 * epochs)
        # 4. evaluate
        start = network.initial_state(1) if state == "carry" else "fresh"
        score = network.evaluate(new_x, new_answers[samples], batch_size=1, state=start, return_dict=True)
        figures[name] = 100.0 * score["accuracy"]
        said[f"{name}: open in a quiet piece after an opening?"] = told(network, new_x, state)
    return Trial(figures, said)


RECIPE = Recipe(
    name="lifecycle-state",
    figures=(
        Figure("record_carried", "right answers: one record, the state carried", solved=99.0, unseen=True),
        Figure("record_one", "right answers: one record, a fresh state for each piece, batches of one", unseen=True),
        Figure(
            "record_batches", "right answers: one record, a fresh state for each piece, batches of 128", unseen=True
        ),
        Figure(
            "record_rows", "right answers: one record as 128 rows, the state of each carried", solved=99.0, unseen=True
        ),
        Figure("days_one", "right answers: days, a fresh state for each, batches of one", solved=99.0, unseen=True),
        Figure("days_batches", "right answers: days, a fresh state for each, batches of 128", solved=99.0, unseen=True),
        Figure("days_carried", "right answers: days, the state carried", unseen=True),
    ),
    framing=framing,
    model=model,
    trial=trial,
    seconds=1.5,
)
