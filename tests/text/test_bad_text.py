"""Every mistake with a text, a prompt or a way of drawing ends in one message."""

from __future__ import annotations

from typing import Any

import pytest

from mistakes import STORY, TINY, Action, Error, case, each, fit, read, refused, story, sw, table
from statewise.errors import ConfigurationError, DataError, LifecycleError, StatewiseError

NAN, INFINITE = float("nan"), float("inf")
COUNTS = (0, -1, 1.5, True, "5")


@table(
    case("empty", lambda: read(""), DataError, "0 different char token(s)", "at least two"),
    case("one-token", lambda: read("a"), DataError, "1 different char token(s)", "at least two"),
    case("one-word", lambda: read("mice", tokens="word"), DataError, "1 different word token(s)", "at least two"),
    case("one-symbol", lambda: read("aaaaaaaa"), DataError, "1 different char token(s)", "at least two"),
    case("blank", lambda: read(" \n\t\n "), DataError, "the text is blank", "at least two"),
    case("blank-words", lambda: read("  \n ", tokens="word"), DataError, "the text is blank"),
    case("none", lambda: read(None), DataError, "expected a text (str), got NoneType", "read_text(path)"),
    case("bytes", lambda: read(b"the mice"), DataError, "got bytes", "read_text(path)"),
    case("list", lambda: read(["the", "mice"], tokens="word"), DataError, "got list", "read_text(path)"),
    case("window", lambda: read("the mice", window=20), DataError, "8 token(s)", "window is 20", "more tokens"),
    case("rows", lambda: read(batch_size=1000), ConfigurationError, "batch_size", "at most 116", "got 1000"),
    case("optimizer", lambda: read(optimizer="adm"), ConfigurationError, "'adm'", "did you mean 'adam'?"),
    case("optimizer-class", lambda: read(optimizer=sw.Adam), ConfigurationError, "write Adam()"),
    case("optimizer-number", lambda: read(optimizer=5), ConfigurationError, "unknown optimizer 5", "adam"),
    case("validation-empty", lambda: read(validation_text=""), DataError, "validation_text", "0 char", "at least one"),
    case("validation-short", lambda: read(validation_text="t"), DataError, "validation_text", "1 char", "after 1"),
    case("validation-unknown", lambda: read(validation_text="ÄÖÜ"), DataError, "3 char token(s), 0 of them known"),
    case("validation-bytes", lambda: read(validation_text=b"the"), DataError, "expected a text (str), got bytes"),
    case("validation-window", lambda: read(window=5, validation_text="the m"), DataError, "5 char", "after 5 other"),
    *each("batch_size", lambda v: read(batch_size=v), ConfigurationError, ">= 1", of=COUNTS),
    *each("steps", lambda v: read(steps=v), ConfigurationError, ">= 1", of=COUNTS),
    *each("epochs", lambda v: read(epochs=v), ConfigurationError, ">= 1", of=COUNTS),
    *each("units", lambda v: sw.TextModel(units=v), ConfigurationError, ">= 1", of=COUNTS),
    *each("layers", lambda v: sw.TextModel(layers=v), ConfigurationError, ">= 1", of=COUNTS),
    *each("embedding", lambda v: sw.TextModel(embedding=v), ConfigurationError, ">= 1", of=COUNTS),
    *each("window", lambda v: sw.TextModel(window=v), ConfigurationError, ">= 1", of=COUNTS),
    *each("dropout", lambda v: sw.TextModel(dropout=v), ConfigurationError, "< 1", of=(1.0, -0.1, NAN, "x", None)),
    *each("seed", lambda v: sw.TextModel(seed=v), ConfigurationError, "from 0 to", of=(-1, 2**63, 1.5, "1", None)),
    *each(
        "learning_rate",
        lambda v: read(learning_rate=v),
        ConfigurationError,
        "> 0",
        of=(0, -1, NAN, INFINITE, "x", None),
    ),
    *each(
        "held_out",
        lambda v: sw.split_text("abc", v),
        ConfigurationError,
        "< 1",
        of=(1.5, 1.0, -0.1, NAN, "x", None),
    ),
    case("split-none", lambda: sw.split_text(None, 0.1), DataError, "expected a text (str), got NoneType"),
)
def test_texts_that_cannot_be_learnt(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


@table(
    case(
        "evaluate",
        lambda: sw.TextModel().evaluate("abc"),
        LifecycleError,
        "not learned a text yet",
        "fit(text) first",
    ),
    case(
        "generate",
        lambda: sw.TextModel().generate("abc"),
        LifecycleError,
        "not learned a text yet",
        "fit(text) first",
    ),
    case("save", lambda: sw.TextModel().save("never"), LifecycleError, "not learned a text yet", "fit(text) first"),
    case("vocabulary", lambda: sw.TextModel().vocabulary, LifecycleError, "not learned a text yet", "fit(text) first"),
    case("weights", lambda: sw.TextModel().get_weights(), LifecycleError, "not learned a text yet", "fit(text) first"),
)
def test_models_that_know_no_text_yet(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


@table(
    case("empty", lambda: story().evaluate(""), DataError, "0 char token(s)", "at least one known"),
    case("one", lambda: story().evaluate("t"), DataError, "1 char token(s)", "after 1 other"),
    case("unknown", lambda: story().evaluate("ÄÖÜ"), DataError, "3 char token(s), 0 of them known"),
    case("none", lambda: story().evaluate(None), DataError, "expected a text (str), got NoneType"),
    case("window", lambda: story(window=5).evaluate("the"), DataError, "3 char", "after 5 other"),
)
def test_texts_that_cannot_be_scored(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


def draw(**options: Any) -> Any:
    return story().generate("the", **options)


@table(
    case("empty", lambda: story().generate("", 3), DataError, "prompt is empty", "at least one token"),
    case("blank-words", lambda: story(tokens="word").generate("  ", 3), DataError, "prompt is empty"),
    case("none", lambda: story().generate(None, 3), DataError, "expected a text (str), got NoneType"),
    case("other-case", lambda: story().generate("The", 3), DataError, "never saw the char 'T'", "knows: 't'"),
    case("other-letter", lambda: story().generate("the ö", 3), DataError, "never saw the char 'ö', nor one like"),
    case("similar-word", lambda: story(tokens="word").generate("mise", 3), DataError, "the word 'mise'", "'mice'"),
    case(
        "other-word",
        lambda: story(tokens="word").generate("zebra", 3),
        DataError,
        "'zebra', nor one like it; leave it out",
    ),
    case("short", lambda: story(window=5).generate("the", 3), DataError, "'the' has 3", "windows of 5", "at least 5"),
    *each("length", lambda v: draw(length=v), ConfigurationError, ">= 1", of=(*COUNTS, None)),
    *each("temperature", lambda v: draw(temperature=v), ConfigurationError, ">= 0", of=(-1, NAN, INFINITE, "1")),
    *each("top_k", lambda v: draw(top_k=v), ConfigurationError, ">= 1", of=COUNTS),
    *each("top_p", lambda v: draw(top_p=v), ConfigurationError, "0 < top_p <= 1", of=(0, 2, -0.1, NAN, "0.5")),
    *each("seed", lambda v: draw(seed=v), ConfigurationError, "from 0 to", of=(-1, 2**63, 1.5, "5", None)),
)
def test_prompts_and_ways_of_drawing(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


def test_a_stream_is_refused_when_it_is_asked_for_and_not_when_it_is_read() -> None:
    with pytest.raises(DataError, match="never saw"):
        story().stream("Z", 3)


@pytest.mark.parametrize(
    "mistake",
    [{"optimizer": "adm"}, {"validation_text": "?"}, {"callbacks": [5]}, {"epochs": 0}, {"learning_rate": -1}],
    ids=lambda mistake: next(iter(mistake)),
)
def test_a_refused_fit_of_another_text_leaves_what_was_learnt(mistake: dict[str, Any]) -> None:
    model = story()
    before = model.get_weights()
    with pytest.raises(StatewiseError):
        fit(model, "another text: with other letters", **mistake)
    assert model.vocabulary.encode(STORY).shape == (len(STORY),)
    assert all((weight == kept).all() for weight, kept in zip(model.get_weights(), before, strict=True))


def test_the_plan_is_refused_as_the_fit_would_be() -> None:
    model = sw.TextModel(**TINY)
    for mistake in ({"optimizer": "adm"}, {"validation_text": "?"}, {"epochs": 0}, {"learning_rate": -1}):
        with pytest.raises(StatewiseError):
            model.plan(STORY, **mistake)
    assert model.plan(STORY, epochs=3).epochs == 3
