"""TextModel: learning, scoring and continuing a text."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import statewise as sw
from statewise.data.codecs import split_text
from statewise.text.plan import EPOCHS, UPDATES, Plan

FABLE = (Path(__file__).parents[2] / "examples" / "belling_the_cat.txt").read_text()
CHINESE = "道可道非常道名可名非常名无名天地之始有名万物之母" * 3


@pytest.fixture(scope="module")
def story() -> sw.TextModel:
    model = sw.TextModel(tokens="word", units=64, window=3, seed=7)
    model.fit(FABLE, epochs=100, learning_rate=0.01, verbose=0)
    return model


@pytest.fixture(scope="module")
def carried() -> sw.TextModel:
    model = sw.TextModel(tokens="word", units=96, dropout=0.0, seed=7)
    model.fit(FABLE, epochs=150, batch_size=1, steps=32, learning_rate=0.01, verbose=0)
    return model


def test_the_published_story_is_told(story: sw.TextModel) -> None:
    told = story.generate("had a general", 8, temperature=0)
    assert told == "council to consider what measures they could take"
    assert story.evaluate(FABLE).accuracy > 0.95  # published: 91.2 % after 50,000 steps


@pytest.mark.slow
def test_carrying_the_state_learns_the_story_too(carried: sw.TextModel) -> None:
    assert carried.evaluate(FABLE).accuracy > 0.97
    assert carried.generate("long ago", 6, temperature=0) == ", the mice had a general"


def test_scores_agree_with_each_other(carried: sw.TextModel) -> None:
    score = carried.evaluate(FABLE)
    assert score.perplexity == pytest.approx(math.exp(score.loss))
    assert score.tokens == 203
    words = FABLE.split()[1:]
    assert score.bits_per_character == pytest.approx(score.loss * 203 / math.log(2) / len("".join(words)))


def test_unknown_words_are_skipped_and_said(carried: sw.TextModel) -> None:
    score = carried.evaluate("the mice had a zebra general council")
    assert score.unknown == 1
    assert score.tokens == 5


def test_the_vocabulary_is_that_of_the_training_part() -> None:
    training, held_out = split_text(FABLE, 0.3)
    model = sw.TextModel(tokens="word", units=8, seed=1)
    history = model.fit(training, validation_text=held_out, epochs=2, verbose=0)
    assert set(model.vocabulary.symbols) == set(training.split())
    score = model.evaluate(held_out)
    assert history.history["val_loss"][-1] == pytest.approx(score.loss)
    assert score.unknown > 0


def test_validation_does_not_move_training() -> None:
    training, held_out = split_text(FABLE, 0.3)
    losses = []
    for text in (None, held_out):
        model = sw.TextModel(units=8, seed=1)
        losses.append(model.fit(training, validation_text=text, epochs=3, verbose=0).history["loss"])
    assert losses[0] == losses[1]


@pytest.mark.slow
def test_chinese_by_character() -> None:
    model = sw.TextModel(units=32, dropout=0.0, seed=1)
    model.fit(CHINESE, epochs=150, batch_size=2, steps=12, learning_rate=0.02, verbose=0)
    assert model.generate("名可名", 3, temperature=0) == "非常名"


def test_saved_and_loaded_it_says_the_same(story: sw.TextModel, tmp_path: Path) -> None:
    story.save(tmp_path / "story.statewise")
    again = sw.load(tmp_path / "story.statewise")
    assert isinstance(again, sw.TextModel)
    options = {"temperature": 1.0, "top_k": 5, "top_p": 0.9, "seed": 3}
    assert again.generate("had a general", 40, **options) == story.generate("had a general", 40, **options)  # type: ignore[arg-type]
    assert again.evaluate(FABLE) == story.evaluate(FABLE)


def test_a_checkpoint_of_a_text_model_is_a_text_model(tmp_path: Path) -> None:
    model = sw.TextModel(units=8, seed=1)
    path = tmp_path / "epoch-{epoch}.statewise"
    model.fit(FABLE, epochs=2, callbacks=[sw.ModelCheckpoint(path)], verbose=0)
    again = sw.load(tmp_path / "epoch-2.statewise")
    assert isinstance(again, sw.TextModel)
    assert again.evaluate(FABLE) == model.evaluate(FABLE)


def test_streaming_yields_what_generate_returns(story: sw.TextModel) -> None:
    pieces = list(story.stream("had a general", 20, seed=4))
    assert len(pieces) == 20
    assert "".join(pieces).strip() == story.generate("had a general", 20, seed=4)


def test_early_stopping_works_on_the_text_model() -> None:
    training, held_out = split_text(FABLE, 0.3)
    model = sw.TextModel(units=32, seed=1)
    stopping = sw.EarlyStopping("val_loss", patience=2)
    history = model.fit(training, validation_text=held_out, epochs=200, callbacks=[stopping], verbose=0)
    assert len(history.epoch) < 200
    assert stopping.best_epoch is not None
    best = min(history.history["val_loss"])
    assert history.history["val_loss"][stopping.best_epoch] == best
    assert model.evaluate(held_out).loss == pytest.approx(best)


@pytest.mark.parametrize(
    ("tokens", "window", "expected"),
    [
        (1_003_855, None, Plan(1_003_855, 32, 64, 491, 6)),  # tiny Shakespeare: enough rows, a fixed number of updates
        (204, 3, Plan(204, 32, 3, 7, EPOCHS[1])),
        (900, None, Plan(900, 7, 64, 3, EPOCHS[1])),  # short: fewer rows, so that each has batches to carry between
        (2, None, Plan(2, 1, 1, 1, EPOCHS[1])),
    ],
)
def test_a_plan_suits_the_size_of_the_text(tokens: int, window: int | None, expected: Plan) -> None:
    assert Plan.of(tokens, window, None, 64, None) == expected


def test_a_plan_keeps_what_was_asked_for() -> None:
    plan = Plan.of(10_000, None, 8, 32, 5)
    assert (plan.batch_size, plan.steps, plan.epochs) == (8, 32, 5)
    assert plan.batches == math.ceil(math.ceil(9_999 / 8) / 32)
    assert abs(Plan.of(100_000, None, None, 64, None).updates - UPDATES) < 50


def test_every_symbol_is_learnt_from_once_an_epoch() -> None:
    model = sw.TextModel(units=4, dropout=0.0, seed=1)
    history = model.fit(FABLE[:100], epochs=1, batch_size=3, steps=7, learning_rate=1e-6, verbose=0)
    ids = model.vocabulary.encode(FABLE[:100])
    # With weights that hardly move, the epoch's loss is the mean over all 99 steps, from cold rows.
    logs = []
    for row in np.array_split(np.arange(99), 3):
        probabilities, _ = model.model(ids[None, row])
        logs.append(-np.log(np.asarray(probabilities)[0, np.arange(len(row)), ids[row + 1]]))
    assert history.history["loss"][0] == pytest.approx(float(np.concatenate(logs).mean()), abs=2e-4)
