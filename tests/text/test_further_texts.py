"""A text model learns a second text: nothing that it learned is lost, and its vocabulary at most grows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import optax
import pytest

from mistakes import STORY, sw
from statewise.errors import ConfigurationError, DataError, StatewiseError
from statewise.storage.artifact import Artifact, write_artifact
from statewise.storage.pytrees import name_leaves
from statewise.text.vocabulary_growth import grow_vocabulary

KNOWN = "a cat ran and ten mice ate it. "  # every symbol of it is in STORY
MORE = "Zebras, too: 10 of them ran. "
NEW = [",", "0", "1", ":", "Z", "b", "f", "o"]
OPTIONS = {"units": 14, "embedding": 14, "dropout": 0.3, "seed": 5}  # STORY has 14 symbols: sizes tell nothing apart
ADAM = sw.Adam(0.01)
EPOCH = {"epochs": 1, "batch_size": 2, "steps": 8, "optimizer": ADAM, "verbose": 0}
COMPILED = ("sparse_categorical_crossentropy", ["accuracy"])


@cache
def learned() -> Artifact:
    model = sw.TextModel(**OPTIONS)
    model.fit(STORY, **EPOCH)
    return model.to_artifact()


def read() -> Any:
    """A model that has learned `STORY`."""
    return sw.TextModel.from_artifact(learned())


def content(model: Any) -> tuple[dict[str, Any], dict[str, bytes]]:
    """All that a file would hold."""
    artifact = model.to_artifact()
    return artifact.header, {name: np.asarray(array).tobytes() for name, array in artifact.arrays.items()}


def corner(array: Any, size: Any) -> Any:
    return np.asarray(array)[tuple(slice(n) for n in np.shape(size))]


# ------------------------------------------------------------------------------------- what it knows


def test_sizes_tell_nothing_apart() -> None:
    assert len(read().vocabulary) == OPTIONS["units"] == OPTIONS["embedding"]


def test_a_second_text_continues_from_the_first() -> None:
    model = read()
    twin = sw.Sequential.from_artifact(Artifact("sequential", *_inner(model)))
    vocabulary, ids = model.vocabulary, model.vocabulary.encode(KNOWN * 3)
    twin.fit(sw.lanes(ids, batch_size=2, steps=8), state="carry", verbose=0)
    model.fit(KNOWN * 3, **EPOCH)
    assert model.vocabulary == vocabulary
    for found, expected in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def _inner(model: Any) -> tuple[Any, Any]:
    artifact = model.model.to_artifact()
    return artifact.header, artifact.arrays


@pytest.mark.parametrize("reload", [False, True], ids=["at once", "from files"])
def test_n_calls_of_one_epoch_equal_one_call_of_n(reload: bool, tmp_path: Path) -> None:
    whole, model = sw.TextModel(**OPTIONS), sw.TextModel(**OPTIONS)
    whole.fit(STORY, **{**EPOCH, "epochs": 3})
    for _ in range(3):
        model.fit(STORY, **EPOCH)
        if reload:
            model.save(tmp_path / "kept")
            model = sw.load(tmp_path / "kept")
    assert content(model) == content(whole)


def test_an_optimizer_by_name_gets_a_schedule_for_each_call() -> None:
    model = read()
    batches = model.plan(STORY, batch_size=2, steps=8, epochs=1).batches
    updates = "optimizer[0].updates"
    assert model.to_artifact().arrays[updates] == batches
    model.fit(STORY, **EPOCH)
    assert model.to_artifact().arrays[updates] == 2 * batches
    for _ in range(2):
        model.fit(STORY, **{**EPOCH, "optimizer": "adam"})
        artifact = model.to_artifact()
        assert artifact.arrays["optimizer[1].updates"] == batches
        rate = artifact.header["compiled"]["optimizer"]["learning_rate"]
        assert rate["decay_steps"] + rate["warmup_steps"] == batches


def test_an_optimizer_that_no_file_can_name_continues_where_it_can(tmp_path: Path) -> None:
    adam = optax.adam(0.01)
    whole = sw.TextModel(**OPTIONS)
    whole.fit(STORY, **{**EPOCH, "epochs": 2, "optimizer": adam})
    model = sw.TextModel(**OPTIONS)
    model.fit(STORY, **{**EPOCH, "optimizer": adam})
    with pytest.warns(sw.StatewiseWarning, match="lacks the optimizer, an Optax transformation"):
        model.save(tmp_path / "kept")
    loaded = sw.load(tmp_path / "kept")
    for further in (model, loaded):
        further.fit(STORY, **{**EPOCH, "optimizer": adam})
        assert content(further) == content(whole)
    named = sw.load(tmp_path / "kept")
    named.fit(STORY, **EPOCH)  # another one it starts fresh, whatever the file holds
    assert named.to_artifact().header["compiled"]["optimizer"]["kind"] == "Adam"


# --------------------------------------------------------------------------------------- new symbols


def test_new_symbols_are_refused_with_two_ways_out() -> None:
    model = read()
    before = content(model)
    for call in (model.fit, model.plan):
        with pytest.raises(DataError) as caught:
            call(STORY + MORE)
        for words in ("8 chars", "',' '0' '1' ':' 'Z' 'b'", "new_symbols='add'", "a new TextModel"):
            assert words in str(caught.value)
    with pytest.raises(ConfigurationError, match="new_symbols 'ad': did you mean 'add'"):
        model.fit(STORY, new_symbols="ad")
    assert content(model) == before


def test_many_new_symbols_are_counted_and_some_are_shown() -> None:
    model = read()
    with pytest.raises(DataError, match=r"has 200 chars .* 'ǿ' \.\.\.: "):
        model.fit("".join(map(chr, range(0x1F8, 0x1F8 + 200))))


OPTIMIZERS: list[Callable[[], Any]] = [
    lambda: sw.SGD(0.05, momentum=0.9),
    lambda: sw.RMSprop(0.01, centered=True),
    lambda: sw.Adam(0.01, global_clipnorm=1.0),
    lambda: sw.Adagrad(0.05),
    lambda: optax.adafactor(0.01, min_dim_size_to_factor=4),
]


@pytest.mark.parametrize("make", OPTIMIZERS, ids=["sgd", "rmsprop", "adam", "adagrad", "optax"])
def test_growing_keeps_every_number_that_was_learned(make: Callable[[], Any]) -> None:
    optimizer, rng = make(), np.random.default_rng(3)
    named = not isinstance(optimizer, optax.GradientTransformation)
    transformation = optimizer.transformation() if named else optimizer
    header, arrays = _inner(read())
    moments = name_leaves("optimizer", transformation.init(read().model.params))
    moments = {name: rng.random(array.shape).astype(array.dtype) for name, array in moments.items()}
    arrays = {name: array for name, array in arrays.items() if not name.startswith("optimizer")} | moments
    compiled = {**header["compiled"], "optimizer": optimizer.config() if named else None}
    model = sw.Sequential.from_artifact(Artifact("sequential", {**header, "compiled": compiled}, arrays))
    model.recompile(optimizer, *COMPILED, continues=True)
    grown = grow_vocabulary(model, 22, optimizer, *COMPILED)
    found, fresh = grown.to_artifact().arrays, name_leaves("optimizer", transformation.init(grown.params))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(corner(found[name], array), array, err_msg=name)
        if name in fresh:  # what is new of the optimizer's is as of one that starts
            rest = found[name].copy()
            rest[tuple(slice(n) for n in array.shape)] = corner(fresh[name], array)
            np.testing.assert_array_equal(rest, fresh[name], err_msg=name)
    assert model.state == grown.state


def test_only_the_rows_of_symbols_grow() -> None:
    model = read()
    old, new = model.model, grow_vocabulary(model.model, 22, ADAM, *COMPILED)
    shapes = {
        (layer, name): (np.shape(weight), np.shape(new.params[layer][name]))
        for layer, weights in old.params.items()
        for name, weight in weights.items()
    }
    assert {place for place, (before, after) in shapes.items() if before != after} == {
        ("embedding", "embeddings"),
        ("dense", "kernel"),
        ("dense", "bias"),
    }
    assert shapes["embedding", "embeddings"] == ((14, 14), (22, 14))
    assert shapes["dense", "kernel"] == ((14, 14), (14, 22))
    rows = np.asarray(new.params["embedding"]["embeddings"])[14:]
    assert len(np.unique(rows)) == rows.size
    assert np.abs(rows).max() <= 0.05
    again = grow_vocabulary(model.model, 22, ADAM, *COMPILED)
    np.testing.assert_array_equal(rows, np.asarray(again.params["embedding"]["embeddings"])[14:])


@pytest.mark.parametrize("added", [1, 8, 300])
def test_new_symbols_start_unlikely_whatever_was_read(added: int) -> None:
    model = read().model
    rng = np.random.default_rng(added)
    model.set_weights([3 * rng.normal(size=weight.shape) for weight in model.get_weights()])
    grown = grow_vocabulary(model, 14 + added, ADAM, *COMPILED)
    ids = rng.integers(0, 14, (4, 50))
    before, after = (np.asarray(m(ids)[0], np.float64) for m in (model, grown))
    assert after[..., 14:].max() <= 1 / 14**2
    assert after[..., 14:].sum(axis=-1).max() <= 1 / 14
    kept = after[..., :14] / after[..., :14].sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(kept, before, atol=1e-5)


def test_the_second_text_is_learned_with_its_symbols_and_the_first_is_not_forgotten() -> None:
    model, loaded, both = read(), read(), STORY + MORE
    model.state = loaded.state = model.initial_state()
    before, greedy = model.evaluate(STORY), model.generate("the mice", 20, temperature=0)
    for further in (model, loaded):
        further.fit(both, **{**EPOCH, "optimizer": sw.SGD(1e-9)}, new_symbols="add")
    assert content(loaded) == content(model)
    assert model.vocabulary.symbols[14:] == tuple(NEW)
    assert model.evaluate(STORY).loss == pytest.approx(before.loss, abs=0.05)
    assert model.generate("the mice", 20, temperature=0) == greedy
    assert model.state is not None
    assert model.evaluate(MORE).unknown == 0
    model.fit(MORE * 4, **{**EPOCH, "epochs": 60, "optimizer": sw.Adam(0.03)})
    assert model.generate("10 of ", 9, temperature=0) == "them ran."


def test_words_come_with_their_spacing_and_keep_that_of_the_first_text() -> None:
    model = sw.TextModel(**OPTIONS, tokens="word")
    model.fit("the mice , the cat (and) the dog. " * 3, **EPOCH)
    assert model.vocabulary.tight_before == {")", "."}
    model.fit("the mice, the cat! the [dog] ran. " * 3, **EPOCH, new_symbols="add")
    assert model.vocabulary.symbols[-4:] == ("!", "[", "]", "ran")
    assert model.vocabulary.tight_before == {")", ".", "!", "]"}  # the comma as it was
    assert model.vocabulary.tight_after == {"(", "["}
    assert model.vocabulary.decode(model.vocabulary.encode("the [dog]!")) == "the [dog]!"
    with pytest.raises(DataError, match="the nearest it knows: 'mice'"):
        model.generate("mise")


# ------------------------------------------------------------------------------ what counting achieves


def counted(model: Any) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    baselines, symbols = model._baselines, model.vocabulary.symbols
    pairs = {(symbols[a], symbols[b]): int(n) for (a, b), n in zip(baselines.pairs, baselines.pair_counts, strict=True)}
    return Counter({s: int(n) for s, n in zip(symbols, baselines.unigrams, strict=True) if n}), Counter(pairs)


def test_baselines_count_every_text_once(tmp_path: Path) -> None:
    model = read()
    texts = [STORY]
    for text in (KNOWN, STORY, KNOWN + MORE, KNOWN):
        model._prepare(model._read(text, "add", None, ADAM, 0.1, size=(2, 8, 1)), continues=True)
        texts += [] if text in texts else [text]
        model.save(tmp_path / "kept")
        model = sw.load(tmp_path / "kept")
        expected = sum(map(Counter, texts), Counter()), sum((Counter(pairwise(t)) for t in texts), Counter())
        assert counted(model) == expected
    assert len(model.to_artifact().header["texts"]) == 3


def test_a_file_from_before_there_were_checksums_knows_its_text_by_its_counts(tmp_path: Path) -> None:
    artifact = read().to_artifact()
    header = {name: value for name, value in artifact.header.items() if name != "texts"}
    write_artifact(tmp_path / "old", Artifact("text", header, artifact.arrays))
    for text, times in ((STORY, 1), (KNOWN, 2)):
        model = sw.load(tmp_path / "old")
        model._prepare(model._read(text, "refuse", None, ADAM, 0.1, size=(2, 8, 1)), continues=True)
        assert sum(counted(model)[0].values()) == len(STORY) + (times - 1) * len(KNOWN)


# -------------------------------------------------------------------------------- nothing by halves


class Stopped(BaseException):
    """Ends a training."""


class Stopping(sw.Callback):  # type: ignore[misc]
    """Raises before, or after, the first epoch."""

    def __init__(self, after: int) -> None:
        self.after = after

    def on_train_begin(self, *_: Any) -> None:
        if not self.after:
            raise Stopped

    def on_epoch_end(self, *_: Any) -> None:
        raise Stopped


@pytest.mark.parametrize("known", [False, True], ids=["new", "fitted"])
def test_a_training_that_trained_nothing_leaves_the_model_as_it_was(known: bool, tmp_path: Path) -> None:
    other = sw.TextModel(**OPTIONS)
    other.fit(MORE * 4, **{**EPOCH, "epochs": 2}, checkpoint=tmp_path / "other")
    model = read() if known else sw.TextModel(**OPTIONS)
    before = content(model) if known else None
    for mistake, error in (
        ({"callbacks": [Stopping(0)]}, Stopped),
        ({"checkpoint": tmp_path / "other"}, StatewiseError),
        ({"checkpoint": tmp_path / "no" / "folder"}, StatewiseError),
        ({"validation_text": "?"}, StatewiseError),
    ):
        with pytest.raises(error):
            model.fit(STORY + MORE, **EPOCH, **mistake, new_symbols="add")
        if known:
            assert content(model) == before
        else:
            assert model._vocabulary is None
    with pytest.raises(Stopped):
        model.fit(STORY + MORE, **EPOCH, callbacks=[Stopping(1)], new_symbols="add")
    assert len(model.vocabulary) == 22  # an epoch was trained, and is kept


def test_a_checkpoint_of_another_training_is_told_in_the_words_of_the_call(tmp_path: Path) -> None:
    call = {"epochs": 2, "batch_size": 2, "steps": 8, "verbose": 0, "checkpoint": tmp_path / "kept"}
    sw.TextModel(**OPTIONS).fit(STORY, **call)
    for options, text, change, words in (
        ({}, STORY, {"epochs": 3}, ["epochs was 2, now 3"]),
        ({}, STORY, {"learning_rate": 0.1, "steps": 4}, ["steps was 8, now 4", "learning_rate was 0.005, now 0.1"]),
        ({"seed": 6}, STORY, {}, ["seed was 5, now 6"]),
        ({}, STORY + KNOWN, {}, ["the text is different"]),
    ):
        with pytest.raises(ConfigurationError) as caught:
            sw.TextModel(**{**OPTIONS, **options}).fit(text, **{**call, **change})
        message = str(caught.value)
        assert all(word in message for word in (*words, "is the checkpoint of another training", "continue training"))
        assert "remove" not in message
        assert "decay_steps" not in message


# ------------------------------------------------------------------------ what is no text, or no whole one


def test_the_name_of_a_file_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "the mice").write_text(STORY)
    (tmp_path / "mice.dat").write_text(STORY)
    model = read()
    before = content(model)
    for name in ("the mice", "~/mice.dat", str(tmp_path / "mice.dat"), str(tmp_path), "no/such.txt", Path("mice.dat")):
        for call in (
            lambda name: sw.TextModel().fit(name),
            lambda name: sw.split_text(name, 0.1),
            model.fit,
            model.plan,
            model.evaluate,
            model.verify,
            model.memory_report,
            lambda name: model.fit(STORY, validation_text=name),
        ):
            with pytest.raises(DataError, match=r"text: expected a text, got the name of a file.* read_text\("):
                call(name)
    assert content(model) == before
    assert model.generate("the mice", 3)  # a prompt may be any text
    assert model.evaluate("the mice\n").tokens > 0
    assert model.evaluate("the cat").tokens > 0


def test_half_a_surrogate_pair_is_refused_wherever_a_text_goes_in() -> None:
    model = read()
    for call in (
        lambda text: sw.TextModel().fit(text),
        model.fit,
        model.plan,
        model.evaluate,
        model.generate,
        lambda text: model.fit(STORY, validation_text=text),
        lambda text: sw.TextModel(tokens="word").fit(text),
    ):
        with pytest.raises(DataError, match=r"half of a surrogate pair, '\\udce9', at position 3, .* errors='replace'"):
            call("the\udce9 mice")
