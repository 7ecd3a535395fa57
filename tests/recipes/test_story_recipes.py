"""The recipes of the fable: each run once, shortened, and what they share against plain oracles."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.recipe import Trial
from statewise.recipes.story import (
    carried,
    chinese,
    embedding,
    layers,
    longer,
    made_text,
    published,
    single_steps,
    vectors,
    vocabulary,
    wider,
)
from statewise.recipes.story.carrying import predicted, reader, told_on
from statewise.recipes.story.fable import FABLE, LEFT_OUT, SHOWN, ceiling, codes, percent_right, symbols, tell
from statewise.recipes.story.numbering import Numbering
from statewise.recipes.story.single_steps import (
    compile_as_published,
    fit_single_steps,
    network_of_codes,
    network_of_symbols,
    published_order,
    train_as_published,
)

MOST_FREQUENT = 100 * 14 / 204  # what "," alone would score


def short(recipe: object) -> Trial:
    found = recipe.RECIPE  # type: ignore[attr-defined]
    trial: Trial = found.trial(0, **found.short)
    assert list(trial.figures) == [figure.name for figure in found.figures]
    return trial


# -- claims ------------------------------------------------------------------------------------------------------


def test_the_published_training_learns_words_by_heart_and_no_others() -> None:
    trial = short(published)
    assert trial.figures["accuracy"] > 2 * MOST_FREQUENT
    assert trial.figures["loss"] < trial.curves["loss by thousand steps"][0]
    assert trial.figures["left_out"] <= 25
    assert len(trial.answers["mouse mouse mouse"].split()) == 32


@pytest.mark.slow
def test_two_layers_learn_more_than_one_in_as_many_steps() -> None:
    x, y = codes(Numbering.of(FABLE))
    one, two = (network_of_codes(0, units=128, layers=layers) for layers in (1, 2))
    after_one, after_two = (train_as_published(network, x, y, 0, 20_000)[0][-1] for network in (one, two))
    assert after_two < after_one


def test_the_recipe_of_two_layers_runs() -> None:
    trial = short(layers)
    assert trial.figures["accuracy"] > MOST_FREQUENT
    assert trial.figures["left_out"] <= 25


def test_longer_training_learns_more_by_heart_and_nothing_else() -> None:
    trial = short(longer)
    assert trial.figures["accuracy"] > trial.figures["accuracy_after_a_third"]
    assert trial.figures["left_out"] <= 25


def test_more_words_are_known_better() -> None:
    trial = short(wider)
    assert trial.figures["8_words"] > trial.figures["3_words"]
    assert max(trial.figures[f"left_out_of_{length}"] for length in wider.LENGTHS) <= 25


@pytest.mark.slow
def test_an_embedding_knows_almost_all_that_three_words_tell() -> None:
    trial = short(embedding)
    assert trial.figures["windows"] > trial.figures["windows_of_codes"] + 10
    assert trial.figures["left_out"] <= 25


@pytest.mark.slow
def test_word_vectors_help_and_no_less_so_when_dealt_to_the_wrong_words() -> None:
    figures = short(vectors).figures
    assert figures["vectors"] > figures["fresh"] + 10
    assert abs(figures["vectors"] - figures["dealt"]) < 8


@pytest.mark.slow
def test_sampled_words_learn_from_a_large_vocabulary() -> None:
    figures = short(vocabulary).figures
    unlearned = vocabulary.network_over(made_text.Source.of(3_000, np.random.default_rng(0)), 0)
    rng = np.random.default_rng(0)
    source = made_text.Source.of(3_000, rng)
    unlearned.compile("adam", "sparse_categorical_crossentropy")
    before = vocabulary.loss_on(unlearned, next(source.pieces(rng)))
    assert figures["best"] < figures["sampled"] < before
    assert figures["best"] < figures["full"] < before


@pytest.mark.slow
def test_sampled_words_are_worth_their_seconds() -> None:
    figures = vocabulary.RECIPE.trial(0).figures
    assert figures["ratio"] > 2
    assert figures["sampled_as_long"] < figures["full"]


def test_the_carried_state_knows_the_fable_by_heart() -> None:
    trial = short(carried)
    assert trial.figures["accuracy"] >= 99
    assert trial.figures["told"] == 201
    assert trial.answers["long ago ,"] == " ".join(FABLE[3:35])
    assert trial.figures["left_out"] <= 25


@pytest.mark.slow
def test_the_carried_state_knows_the_chinese_story_by_heart() -> None:
    trial = short(chinese)
    assert trial.figures["accuracy"] >= 99
    assert trial.answers["太行、"] == chinese.STORY[3:35]
    assert trial.figures["left_out"] <= 25


@pytest.mark.slow
def test_the_carried_state_takes_a_tenth_of_the_time() -> None:
    figures = carried.RECIPE.trial(0).figures
    assert figures["accuracy"] >= 99
    assert figures["time"] <= 10


# -- the fable ---------------------------------------------------------------------------------------------------


def test_the_fable_is_the_published_one() -> None:
    assert (len(FABLE), len(set(FABLE))) == (204, 112)


def test_the_fable_of_the_examples_is_a_copy_of_the_bundled_one() -> None:
    bundled = Path(published.__file__).parent / "belling_the_cat.txt"
    example = Path(__file__).parents[2] / "examples" / "belling_the_cat.txt"
    assert not example.is_symlink()
    assert example.read_bytes() == bundled.read_bytes()


@pytest.mark.parametrize(("length", "known"), [(3, 199), (4, 199), (5, 198), (8, 196)])
def test_what_a_run_of_words_leaves_open(length: int, known: int) -> None:
    after: dict[str, Counter[str]] = {}
    for place in range(len(FABLE) - length):
        after.setdefault(" ".join(FABLE[place : place + length]), Counter())[FABLE[place + length]] += 1
    assert sum(found.most_common(1)[0][1] for found in after.values()) == known
    assert ceiling(*codes(SHOWN, length)) == pytest.approx(100 * known / (204 - length))


def test_what_the_texts_say_can_be_had() -> None:
    kept = {length: tuple(part[:-LEFT_OUT] for part in codes(SHOWN, length)) for length in wider.LENGTHS}
    assert [round(ceiling(*kept[length]), 2) for length in wider.LENGTHS] == [98.9, 99.44, 99.44, 100.0]
    assert len(kept[3][0]) == 181
    found = sw.windows(chinese.NUMBERS, 3)
    assert (len(chinese.STORY), len(chinese.CHARACTERS), len(found.x)) == (385, 185, 382)
    assert ceiling(found.x, found.y) == pytest.approx(100 * 366 / 382)
    assert round(100 * 366 / 382, 2) == 95.81


def test_nine_of_the_twenty_words_left_out_stand_nowhere_else() -> None:
    assert LEFT_OUT == 20
    assert sum(word not in FABLE[:-LEFT_OUT] for word in FABLE[-LEFT_OUT:]) == 9


@pytest.mark.parametrize("length", wider.LENGTHS)
def test_no_window_that_is_learned_has_a_word_that_is_left_out(length: int) -> None:
    places = np.arange(len(FABLE))
    found = sw.windows(places, length)
    learned = slice(len(found.x) - LEFT_OUT)
    assert max(found.x[learned].max(), found.y[learned].max()) == len(FABLE) - LEFT_OUT - 1
    assert found.y[-LEFT_OUT:].tolist() == places[-LEFT_OUT:].tolist()


def test_codes_are_the_numbers_of_the_words() -> None:
    names = Numbering.of(FABLE, 5)
    x, y = codes(names, 4)
    assert x.shape == (200, 4, 1)
    assert names.text(x[7]) == " ".join(FABLE[7:11])
    assert names.text(y[7]) == FABLE[11]
    assert np.array_equal(x[..., 0], symbols(names, 4)[0])


# -- numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1])
def test_words_are_numbered_from_frequent_to_rare(seed: int) -> None:
    names, counts = Numbering.of(FABLE, seed), Counter(FABLE)
    ranked = [counts[symbol] for symbol in names.symbols]
    assert ranked == sorted(counts.values(), reverse=True)
    assert names.text(names.numbers(FABLE)) == " ".join(FABLE)


def test_equally_frequent_words_are_numbered_by_the_seed() -> None:
    names = [Numbering.of(FABLE, seed) for seed in (0, 0, 1)]
    assert names[0] == names[1] != names[2]
    once = [symbol for symbol in names[0].symbols if FABLE.count(symbol) == 1]
    assert once != sorted(once, key=FABLE.index)


# -- the published training --------------------------------------------------------------------------------------


def as_the_script_goes(draw: random.Random, steps: int, words: int, length: int) -> list[int]:
    """The published loop, line for line."""
    offset, taken = draw.randint(0, length + 1), []
    for _ in range(steps):
        if offset > words - (length + 1):
            offset = draw.randint(0, length + 1)
        taken.append(offset)
        offset += length + 1
    return taken


class Drawn(random.Random):
    """Draws what NumPy's generator draws."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.generator = np.random.default_rng(seed)

    def randint(self, a: int, b: int) -> int:
        return int(self.generator.integers(a, b + 1))


@pytest.mark.parametrize(("length", "seed"), [(3, 0), (3, 1), (5, 2), (8, 3)])
def test_the_order_of_steps_is_that_of_the_script(length: int, seed: int) -> None:
    order = published_order(np.random.default_rng(seed), 500, 204 - length, length)
    assert order.tolist() == as_the_script_goes(Drawn(seed), 500, 204, length)


def test_networks_start_as_tensorflow_started_them() -> None:
    kernel, recurrent, bias, out, out_bias = network_of_codes(3, units=64).get_weights()
    limit = np.sqrt(6 / (1 + 64 + 4 * 64))
    for part in (kernel, recurrent):
        assert 0.9 * limit < np.abs(part).max() <= limit
    assert bias[64:128].tolist() == [1.0] * 64
    assert bias.sum() == 64
    assert out.std() == pytest.approx(1, abs=0.05)
    assert 0.6 < out_bias.std() < 1.4
    assert len(network_of_codes(3, units=8, layers=2).get_weights()) == 8


def test_losses_are_those_before_each_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_steps, "RECORD", 1)
    x, y = symbols(SHOWN)
    network, other = network_of_symbols(4, units=8), network_of_symbols(4, units=8)
    compile_as_published(network)
    losses, accuracies = fit_single_steps(network, x, y, np.array([5, 5, 9]))
    expected = []
    other.compile(sw.RMSprop(0.001, epsilon=1e-10), "sparse_categorical_crossentropy")
    for row in (5, 5, 9):
        answer = np.asarray(other(x[row : row + 1])[0])[0]
        expected.append(-np.log(answer[y[row]]))
        other.fit(x[row : row + 1], y[row : row + 1], batch_size=1, verbose=0)
    assert losses == pytest.approx(expected, rel=1e-4)
    assert set(accuracies) <= {0.0, 100.0}


def test_a_training_in_two_parts_is_one_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_steps, "RECORD", 2)
    x, y = symbols(SHOWN)
    whole, parted = network_of_symbols(4, units=8), network_of_symbols(4, units=8)
    order = np.array([5, 9, 30, 5, 9, 77])
    for network in (whole, parted):
        compile_as_published(network)
    at_once = fit_single_steps(whole, x, y, order)
    first, second = fit_single_steps(parted, x, y, order[:4]), fit_single_steps(parted, x, y, order[4:])
    assert at_once == (first[0] + second[0], first[1] + second[1])
    for one, other in zip(whole.get_weights(), parted.get_weights(), strict=True):
        assert np.array_equal(one, other)


# -- telling -----------------------------------------------------------------------------------------------------


def drawn_reader(seed: int) -> sw.Sequential:
    """A network with weights large enough for its state to matter."""
    network, rng = reader(seed, len(SHOWN), units=8), np.random.default_rng(seed)
    network.set_weights([rng.normal(0, 1, part.shape) for part in network.get_weights()])
    return network


def test_windows_tell_on_greedily() -> None:
    network, x = network_of_symbols(2, units=8), symbols(SHOWN)[0]
    told = SHOWN.numbers(["had", "a", "general"]).tolist()
    for _ in range(5):
        told.append(int(np.asarray(network(np.array([told[-3:]]))[0]).argmax()))
    assert tell(network, SHOWN, "had a general", x, 5) == SHOWN.text(told[3:])


def test_right_answers_are_counted() -> None:
    network, (x, y) = network_of_symbols(2, units=8), symbols(SHOWN)
    answers: Array = np.asarray(network(x)[0]).argmax(axis=-1)
    assert percent_right(network, x, answers) == 100
    assert percent_right(network, x, y) == pytest.approx(100 * np.mean(answers == y))


def test_a_carried_state_predicts_and_continues_like_the_whole_text_at_once() -> None:
    network, numbers = drawn_reader(1), SHOWN.numbers(FABLE)
    answers = np.asarray(network(numbers[None, :-1])[0])[0].argmax(axis=-1)
    assert np.array_equal(predicted(network, numbers), answers == numbers[1:])
    told = told_on(network, numbers[:3], 6)
    whole = np.asarray(network(np.array([[*numbers[:3], *told[:-1]]]))[0])[0].argmax(axis=-1)
    assert told == whole[2:].tolist()


def test_words_told_ends_at_the_first_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = carried.NUMBERS[3:].copy()
    wrong[10] += 1
    monkeypatch.setattr(carried, "told_on", lambda *_: wrong.tolist())
    assert carried.words_told(drawn_reader(0)) == 10


# -- a large vocabulary ------------------------------------------------------------------------------------------


def test_the_made_text_follows_its_source() -> None:
    source = made_text.Source.of(500, np.random.default_rng(1))
    text = source.text(40_000, np.random.default_rng(2))
    follows = source.successor[text[:-1]] == text[1:]
    by_chance = source.chance[source.successor[text[:-1]]].mean()
    assert follows.mean() == pytest.approx(0.7 + 0.3 * by_chance, abs=0.01)
    counts = np.bincount(text, minlength=500) / len(text)
    assert counts == pytest.approx(source.frequency, abs=0.01)
    assert (np.diff(source.frequency) <= 0).all()
    assert source.chance.sum() == pytest.approx(1)
    piece = next(source.pieces(np.random.default_rng(3)))
    losses = [
        -np.log(0.3 * source.chance[after] + (0.7 if source.successor[before] == after else 0.0))
        for before, after in zip(piece.x.ravel(), piece.y.ravel(), strict=True)
    ]
    assert source.best(piece) == pytest.approx(np.mean(losses))


def test_losses_are_those_of_rows_that_go_on_from_batch_to_batch() -> None:
    rng = np.random.default_rng(6)
    source = made_text.Source.of(60, rng)
    network, piece = vocabulary.network_over(source, 6), next(source.pieces(rng))
    network.set_weights([rng.normal(0, 0.5, part.shape) for part in network.get_weights()])
    network.compile("adam", "sparse_categorical_crossentropy")
    rows, carried_on = made_text.ROWS, vocabulary.framing().carried
    assert np.array_equal(piece.x[carried_on:, 0], piece.y[:-carried_on, -1])
    x, y = (np.concatenate(part.reshape(-1, rows, made_text.STEPS), axis=1) for part in (piece.x, piece.y))
    answers = np.asarray(network(x)[0])
    expected = -np.log(np.take_along_axis(answers, y[..., None], axis=2)).mean()
    assert vocabulary.loss_on(network, piece) == pytest.approx(expected, rel=1e-4)
    assert network.state is None


# -- word vectors ------------------------------------------------------------------------------------------------


def test_the_files_vectors_start_the_words_that_it_has() -> None:
    found, matrix = sw.read_word_vectors(vectors.VECTORS), vectors.from_file(0)
    assert vectors.VECTORS.stat().st_size < 40_000
    assert len(found) == 108
    assert np.array_equal(matrix[SHOWN.symbols.index("mouse")], found["mouse"])
    lacking = [place for place, word in enumerate(SHOWN.symbols) if word not in found]
    assert np.abs(matrix[lacking]).max() <= 0.05
    assert np.array_equal(vectors.model(0).get_weights()[0], matrix)


def test_likeness_is_what_the_text_says() -> None:
    found = sw.read_word_vectors(vectors.VECTORS)
    unit = found.vectors / np.linalg.norm(found.vectors, axis=1, keepdims=True)

    def nearest(word: str, count: int) -> list[str]:
        likeness = unit @ unit[found.words.index(word)]
        return [found.words[place] for place in np.argsort(-likeness)[1 : count + 1]]

    assert nearest("mouse", 1) == ["cat"]
    assert nearest("could", 4) == ["thought", "i", "would", "should"]
