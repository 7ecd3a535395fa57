"""What `verbose` prints, in the words of each Keras."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from networks import quick_compilation
from statewise.legacy import dialect
from statewise.legacy.callbacks import LambdaCallback
from statewise.legacy.display import Display, read_verbose
from statewise.legacy.layers import Dense
from statewise.legacy.models import Sequential

rng = np.random.default_rng(6)
X, Y = rng.normal(size=(5, 2)).astype(np.float32), rng.normal(size=(5, 1)).astype(np.float32)
DIALECTS = {one.name: one for one in (dialect.KERAS1, dialect.KERAS2, dialect.TF_KERAS)}


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with quick_compilation():
        yield


def printed(version: str, verbose: Any, **options: Any) -> Callable[[Sequential], None]:
    """What `fit` does with a model that was compiled in that version of Keras."""

    def fit(model: Sequential) -> None:
        with dialect.use(DIALECTS[version]):
            model.compile("sgd", "mse", ["accuracy"])
            model.fit(X, Y, batch_size=3, epochs=2, verbose=verbose, **options)

    return fit


@pytest.fixture(scope="module")
def model() -> Sequential:
    return Sequential([Dense(1, input_dim=2)])


BAR = r"\[={30}\]"
LINES: dict[tuple[str, Any], str] = {  # of one epoch, below its number
    ("keras1", 1): rf"5/5 {BAR} - \d+s - loss: N - acc: N",
    ("keras1", 2): r"\d+s - loss: N - acc: N",
    ("keras2", 1): rf"5/5 {BAR} - \d+s \d+[mu]?s/step - loss: N - acc: N",
    ("keras2", 2): r" - \d+s - loss: N - acc: N",
    ("tf.keras", 1): rf"2/2 {BAR} - \d+s \d+[mu]?s/step - loss: N - accuracy: N",
    ("tf.keras", 2): r"2/2 - \d+s - loss: N - accuracy: N - \d+[mu]?s/epoch - \d+[mu]?s/step",
    ("tf.keras", "auto"): rf"2/2 {BAR} - \d+s \d+[mu]?s/step - loss: N - accuracy: N",
}
NUMBER = r"\d\.\d{4}(e[-+]\d\d)?"
DRIVES: dict[str, dict[str, Any]] = {"at once": {}, "epoch by epoch": {"callbacks": [LambdaCallback()]}}


@pytest.mark.parametrize("drive", DRIVES)
@pytest.mark.parametrize(("version", "verbose"), LINES)
def test_a_fit_prints_its_epochs(
    model: Sequential, capsys: pytest.CaptureFixture[str], version: str, verbose: Any, drive: str
) -> None:
    printed(version, verbose, **DRIVES[drive])(model)
    line = LINES[version, verbose].replace("N", NUMBER)
    wanted = rf"Epoch 1/2\n{line}\nEpoch 2/2\n{line}\n"
    text = capsys.readouterr().out
    assert re.fullmatch(wanted, text), text


@pytest.mark.parametrize("verbose", [0, False])
def test_a_silent_fit_prints_nothing(model: Sequential, capsys: pytest.CaptureFixture[str], verbose: Any) -> None:
    printed("keras2", verbose, validation_split=0.4)(model)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("version", DIALECTS)
def test_validation_is_announced_until_tensorflow_2(
    model: Sequential, capsys: pytest.CaptureFixture[str], version: str
) -> None:
    printed(version, 2, validation_split=0.4)(model)
    first, *_, last = capsys.readouterr().out.splitlines()
    announced = version != "tf.keras"
    assert first == ("Train on 3 samples, validate on 2 samples" if announced else "Epoch 1/2")
    assert re.search(rf"val_loss: {NUMBER} - val_acc{'' if announced else 'uracy'}: {NUMBER}", last)


SCORES: dict[str, str] = {
    "keras1": rf"5/5 {BAR} - 0s\n",
    "keras2": rf"5/5 {BAR} - 0s \d+[mu]?s/step\n",
    "tf.keras": rf"2/2 {BAR} - 0s \d+[mu]?s/step - loss: N - accuracy: N\n",
}


@pytest.mark.parametrize("version", SCORES)
def test_an_evaluation_prints_its_bar(model: Sequential, capsys: pytest.CaptureFixture[str], version: str) -> None:
    with dialect.use(DIALECTS[version]):
        model.compile("sgd", "mse", ["accuracy"])
        model.evaluate(X, Y, batch_size=3)
        assert re.fullmatch(SCORES[version].replace("N", NUMBER), capsys.readouterr().out)
        model.evaluate(X, Y, batch_size=3, verbose=0)
        assert capsys.readouterr().out == ""


def test_batches_are_counted_where_a_generator_gives_them(
    model: Sequential, capsys: pytest.CaptureFixture[str]
) -> None:
    with dialect.use(dialect.KERAS2):
        model.compile("sgd", "mse")
        model.fit_generator(iter([(X, Y)] * 4), 2, epochs=2)
    assert capsys.readouterr().out.count("2/2 [") == 2


def test_someone_who_watches_sees_how_far_an_epoch_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    display = Display(verbose=1, epochs=1, steps=4, samples=8)
    display.step(1, {"loss": 0.5})
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for done in range(1, 5):
        display.step(done, {"loss": 0.5})
    display.epoch_ends({"loss": 0.5})
    bars = capsys.readouterr().out.split("\r")[1:]
    assert bars[0] == f"1/4 [{'=' * 7}>{'.' * 22}] - loss: 0.5000"
    assert {len(re.findall(r"\[(.*)\]", bar)[0]) for bar in bars} == {30}
    assert bars[-1].startswith("4/4 [" + 30 * "=" + "]")


@pytest.mark.parametrize(("given", "read"), [(0, 0), (1, 1), (2, 2), (3, 1), (True, 1), (False, 0), ("auto", 1)])
def test_ways_to_say_how_much(given: Any, read: int) -> None:
    assert read_verbose(given) == read
