"""Write `keras_preprocessing.json`: calls of Keras 2's text, sequence and category tools, with what they return.

Run it with tf-keras 2.21, which the project itself does not need, and without the salt of `hash`, by which sets are
ordered: `PYTHONHASHSEED=0 python tests/golden/make_keras_preprocessing.py`.
Arrays are `{"dtype", "shape", "values"}`; `before`, where a case has it, seeds `random` and `numpy.random` first.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras  # type: ignore[import-not-found]
from tf_keras.preprocessing import sequence, text  # type: ignore[import-not-found]

Case = dict[str, Any]
RNG = np.random.default_rng(17)

MICE = [
    "The mice, the MICE -- and a cat!",
    "the cat's dinner: two mice; one bird\tand\nsome milk",
    "A bird_sang; the mice ran & ran (far away).",
    "",
    "Ünicode étudiant naïve café the",
]
LISTS = [["The", "mice", "ran"], ["a", "Mice", "the", "the"], []]
UNSEEN = ["the mice saw a dog", "nobody ran", ""]


def ragged(lengths: list[int], *shape: int, whole: bool = True) -> list[Any]:
    """Return random rows `[length, *shape]` as nested lists."""
    draw = (lambda size: RNG.integers(1, 90, size)) if whole else (lambda size: RNG.normal(size=size).round(3))
    return [draw((length, *shape)).tolist() for length in lengths]


def listed(value: Any) -> Any:
    """Return `value` as JSON can hold it."""
    if isinstance(value, np.ndarray):
        return {"dtype": str(value.dtype), "shape": list(value.shape), "values": value.ravel().tolist()}
    if isinstance(value, tuple | list):
        return [listed(part) for part in value]
    return value


def called(tool: Any, before: int | None = None, **arguments: Any) -> Case:
    """Return one call of `tool` and its result."""
    random.seed(before)
    np.random.seed(before)
    return {"before": before, "arguments": arguments, "result": listed(tool(**arguments))}


def paddings() -> Iterator[Case]:
    rows = {
        "int32": ragged([3, 1, 5, 0, 4]),
        "float32": ragged([2, 6, 1], whole=False),
        "float64": ragged([2, 4, 0, 3], 2, whole=False),
        "int64": ragged([0, 3, 2], 2, 3),
    }
    for dtype, sequences in rows.items():
        for maxlen in (None, 1, 3, 8):
            for padding, truncating in (("pre", "pre"), ("post", "post"), ("pre", "post"), ("post", "pre")):
                options = {"maxlen": maxlen, "padding": padding, "truncating": truncating}
                yield called(sequence.pad_sequences, sequences=sequences, dtype=dtype, **options)
    words = [["the", "mice"], ["ran"], []]
    yield called(sequence.pad_sequences, sequences=rows["int32"])
    yield called(sequence.pad_sequences, sequences=rows["int32"], value=-1.0, dtype="int8")
    yield called(sequence.pad_sequences, sequences=rows["float32"], value=-9.5, dtype="float32")
    yield called(sequence.pad_sequences, sequences=[[0.0, 1.0], [2.0]], value=7.9)
    yield called(sequence.pad_sequences, sequences=words, value="<pad>", dtype="<U5")
    yield called(sequence.pad_sequences, sequences=[["1", "20"], ["3"]])
    yield called(sequence.pad_sequences, sequences=[[], []])
    yield called(sequence.pad_sequences, sequences=[[], []], maxlen=2)
    yield called(sequence.pad_sequences, sequences=[], maxlen=2)
    yield called(sequence.pad_sequences, sequences=[[True, False], [True]], dtype="bool")


def batches(before: int | None, data: Any, targets: Any, options: Case) -> Case:
    """Return all batches of a generator, whose data are arrays, and its description."""
    random.seed(before)
    np.random.seed(before)
    generator = sequence.TimeseriesGenerator(np.array(data), np.array(targets), **options)
    arguments = {"data": data, "targets": targets, **options}
    result = {"batches": listed(list(generator)), "config": generator.get_config()}
    return {"before": before, "arguments": arguments, "result": result}


def generators() -> Iterator[Case]:
    narrow, wide = ragged([23], whole=False)[0], ragged([23], 2)[0]
    for options in (
        {"length": 3},
        {"length": 1, "batch_size": 1},
        {"length": 22},
        {"length": 4, "stride": 3, "batch_size": 2},
        {"length": 6, "sampling_rate": 2, "batch_size": 4},
        {"length": 5, "sampling_rate": 3, "stride": 2, "batch_size": 3},
        {"length": 4, "start_index": 6, "end_index": 17, "batch_size": 5},
        {"length": 3, "reverse": True, "batch_size": 8, "sampling_rate": 2},
        {"length": 3, "end_index": 10, "batch_size": 4, "stride": 2},
    ):
        yield batches(None, wide, narrow, options)
    yield batches(None, narrow, wide, {"length": 3, "batch_size": 10, "reverse": True})
    yield batches(5, wide, wide, {"length": 4, "shuffle": True, "batch_size": 6})


def pairs() -> Iterator[Case]:
    words = [3, 0, 5, 2, 2, 8, 1, 0, 4]
    for before, options in enumerate(
        [
            {},
            {"window_size": 1, "seed": 4},
            {"window_size": 2, "negative_samples": 0.0, "shuffle": False},
            {"window_size": 1, "negative_samples": 0.01, "seed": None},
            {"negative_samples": 2.5, "categorical": True, "seed": 9},
            {"window_size": 3, "sampling_table": sequence.make_sampling_table(9, 0.03).tolist()},
        ]
    ):
        yield called(sequence.skipgrams, before, sequence=words, vocabulary_size=9, **options)


def tables() -> Iterator[Case]:
    yield called(sequence.make_sampling_table, size=1)
    yield called(sequence.make_sampling_table, size=12)
    yield called(sequence.make_sampling_table, size=9, sampling_factor=0.2)


def tokenized(fitted: list[Any], written: list[Any], also: list[list[int]] | None = None, **options: Any) -> Case:
    """Return everything a tokenizer says that was fitted on `fitted` and reads `written`."""
    tokenizer = text.Tokenizer(**options)
    tokenizer.fit_on_texts(fitted)
    if also:
        tokenizer.fit_on_sequences(also)
    sequences = tokenizer.texts_to_sequences(written)
    numbers = [*sequences, list(range(9)), [40, 1, 1]]
    modes = ("binary", "count", "freq", "tfidf")
    result = {
        "word_index": list(tokenizer.word_index.items()),
        "index_word": list(tokenizer.index_word.items()),
        "word_counts": list(tokenizer.word_counts.items()),
        "word_docs": tokenizer.word_docs,
        "index_docs": sorted(tokenizer.index_docs.items()),
        "document_count": tokenizer.document_count,
        "sequences": sequences,
        "texts": tokenizer.sequences_to_texts(numbers),
        "matrices": {mode: listed(tokenizer.sequences_to_matrix(numbers, mode)) for mode in modes},
        "text_matrix": listed(tokenizer.texts_to_matrix(written, "count")),
        "json": tokenizer.to_json(),
    }
    return {"arguments": options, "fitted": fitted, "also": also, "written": written, "result": result}


def tokenizers() -> Iterator[Case]:
    for options in (
        {},
        {"num_words": 5},
        {"num_words": 5, "oov_token": "<OOV>"},
        {"oov_token": "the"},
        {"lower": False},
        {"filters": "", "lower": False},
        {"filters": "e!", "split": "i"},
        {"char_level": True},
        {"char_level": True, "num_words": 6, "oov_token": "~", "lower": False},
        {"document_count": 4},
    ):
        yield tokenized(MICE, [*MICE, *UNSEEN], **options)
    yield tokenized(LISTS, [*LISTS, *UNSEEN])
    yield tokenized(LISTS, LISTS, lower=False, char_level=True, oov_token="?")
    yield tokenized([*MICE, *LISTS], UNSEEN, also=[[1, 1, 3], [], [2, 30]])


def words() -> Iterator[Case]:
    for options in ({}, {"lower": False}, {"filters": "aeiou"}, {"split": ", "}, {"filters": ["m", "c"], "split": "-"}):
        for sample in MICE:
            yield {"arguments": {"text": sample, **options}, "result": text.text_to_word_sequence(sample, **options)}


def hashes() -> Iterator[Case]:
    for n, options in ((50, {}), (2, {}), (1000, {"lower": False, "filters": " ", "split": "e"})):
        for sample in MICE:
            result = text.hashing_trick(sample, n, "md5", **options)
            yield {"arguments": {"text": sample, "n": n, "hash_function": "md5", **options}, "result": result}


def categories() -> Iterator[Case]:
    to_categorical = tf_keras.utils.to_categorical
    for y in ([0, 2, 1, 2], [[0], [3]], [[1, 0], [2, 2]], [[[1], [0]]], 2, [1.0, 0.0], ["1", "0"], [True, False]):
        yield called(to_categorical, y=y)
        yield called(to_categorical, y=y, num_classes=5, dtype="int32")
    yield called(to_categorical, y=[0], num_classes=0)


def norms() -> Iterator[Case]:
    x = ragged([3], 4, whole=False)[0]
    for options in ({}, {"axis": 0}, {"order": 1}, {"axis": -2, "order": np.inf}, {"axis": 1, "order": 3}):
        yield called(tf_keras.utils.normalize, x=[*x, [0.0] * 4], **options)
    yield called(tf_keras.utils.normalize, x=x[0])


TOOLS = {
    "pad_sequences": paddings,
    "TimeseriesGenerator": generators,
    "skipgrams": pairs,
    "make_sampling_table": tables,
    "Tokenizer": tokenizers,
    "text_to_word_sequence": words,
    "hashing_trick": hashes,
    "to_categorical": categories,
    "normalize": norms,
}


if __name__ == "__main__":
    path = Path(__file__).with_name("keras_preprocessing.json")
    made_by = f"make_keras_preprocessing.py, tf-keras {tf_keras.__version__}"
    tools = [
        json.dumps(tool) + ": [\n" + ",\n".join(json.dumps(case) for case in cases()) + "\n]"
        for tool, cases in TOOLS.items()
    ]
    path.write_text("{\n" + ",\n".join([f'"made_by": {json.dumps(made_by)}', *tools]) + "\n}\n", encoding="utf-8")
    print(f"wrote {path}")
