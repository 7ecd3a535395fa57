"""Tutorial scripts in three spellings of Keras, unchanged, each to the result that it promises."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

SCRIPTS = Path(__file__).parent / "scripts"
SEEDS = (1, 7, 42)
LIMIT = 200  # seconds: a script that hangs fails by its name


class Promise(NamedTuple):
    """Words that the output holds and, where there are bounds, the number that follows them at their last place."""

    words: str
    least: float = float("-inf")
    most: float = float("inf")

    def broken(self, output: str) -> str | None:
        """Returns what is wrong with an output."""
        if self.bounded and (numbers := re.findall(re.escape(self.words) + r"\s*(-?\d+(?:\.\d+)?)", output)):
            kept = self.least <= float(numbers[-1]) <= self.most
            return None if kept else f"{self.words} {numbers[-1]}: expected {self.least} to {self.most}"
        return None if self.words in output and not self.bounded else f"nothing says {self.words!r}"

    @property
    def bounded(self) -> bool:
        """Returns whether a number is promised, and not words alone."""
        return (self.least, self.most) != (float("-inf"), float("inf"))


def at_least(words: str, least: float) -> Promise:
    return Promise(words, least=least)


def at_most(words: str, most: float) -> Promise:
    return Promise(words, most=most)


ACCURACY = "Model Accuracy:"
RECITED = Promise("Recited: ABCDEFGHIJKLMNOPQRSTUVWXYZ")
LOADED = Promise("Same after load_model: True")

# What each tutorial promises; the bounds leave room for other seeds than these.
PROMISES: dict[str, list[Promise]] = {
    # One letter to the next: little to go by, and yet most letters.
    "keras1/alphabet_one_to_one.py": [at_least(ACCURACY, 65), Promise("A -> B")],
    "keras2/alphabet_one_to_one.py": [at_least(ACCURACY, 65), at_least("Right:", 16)],
    # Three letters, as features and as steps in time.
    "keras1/alphabet_features.py": [at_least(ACCURACY, 75), Promise("ABC -> D")],
    "keras2/alphabet_features.py": [at_least(ACCURACY, 75)],
    "keras1/alphabet_time_steps.py": [at_least(ACCURACY, 86), at_least("acc:", 86)],
    "tf_keras/alphabet_time_steps.py": [at_least(ACCURACY, 90)],
    # All letters as one batch, in their order.
    "keras1/alphabet_one_batch.py": [at_least(ACCURACY, 92), Promise("Random letters:")],
    "keras2/alphabet_one_batch.py": [at_least(ACCURACY, 92)],
    # A state that lasts from letter to letter: a K shown first is taken for an A.
    "keras1/alphabet_stateful.py": [at_least(ACCURACY, 100), RECITED, Promise("New start: K")],
    "keras2/alphabet_stateful.py": [at_least(ACCURACY, 100), RECITED, Promise("K, after A..J -> L")],
    "tf_keras/alphabet_stateful.py": [at_least(ACCURACY, 100), RECITED],
    # Pieces of any length, padded on the left.
    "keras1/alphabet_variable_length.py": [at_least(ACCURACY, 95)],
    "tf_keras/alphabet_variable_length.py": [at_least(ACCURACY, 92)],
    # Random integers: now; one step ago, which cannot be known without context; with five steps of it.
    "keras1/echo_now.py": [at_least("Right:", 98)],
    "keras2/echo_now.py": [at_least("Right:", 98)],
    "tf_keras/echo_now.py": [at_least("Right:", 98)],
    "keras2/echo_no_context.py": [at_most("Accuracy:", 6)],
    "tf_keras/echo_no_context.py": [
        at_most("Steps of context 1, accuracy:", 10),
        at_least("Steps of context 5, accuracy:", 95),
    ],
    "keras1/echo_context.py": [at_least("Right:", 95)],
    "keras2/echo_context.py": [at_least("Right:", 95)],
    # Define, compile, fit, evaluate, predict.
    "keras2/lifecycle_regression.py": [at_most("Mean Squared Error:", 0.005), at_most("Largest error:", 0.15)],
    "keras2/lifecycle_binary.py": [at_least(ACCURACY, 85), Promise("'acc"), Promise("Classes (100, 1)")],
    "keras2/lifecycle_multiclass.py": [at_least(ACCURACY, 95)],
    "keras1/lifecycle.py": [
        at_most("Mean Squared Error:", 0.003),
        at_least("Binary Accuracy:", 87),
        at_least("Multiclass Accuracy:", 95),
        Promise("Keys: ['acc', 'loss', 'val_acc', 'val_loss']"),
    ],
    "tf_keras/lifecycle.py": [
        at_most("RMSE:", 0.05),
        at_least("Binary Accuracy:", 90),
        at_least("Multiclass Accuracy:", 90),
    ],
    # Text from windows of characters.
    "keras1/text_generation.py": [at_least("Next letters known:", 90), Promise("diversity: 0.2 -> ")],
    "keras2/text_generation.py": [at_most("Loss:", 0.2), at_least("As written:", 40)],
    "tf_keras/text_generation.py": [at_least(ACCURACY, 95)],
    # Series.
    "keras1/series_window.py": [at_most("Train Score:", 25), at_most("Test Score:", 90)],
    "keras2/series_window.py": [at_most("Train Score:", 20), at_most("Test Score:", 60)],
    "tf_keras/series_window.py": [at_most("Train RMSE:", 0.1), at_most("Test RMSE:", 0.12)],
    "keras2/series_stateful.py": [at_most("Train Score:", 30), at_most("Test Score:", 90)],
    "tf_keras/series_stateful.py": [at_most("RMSE:", 0.15), at_most("The same from predict:", 0.15)],
    "keras1/series_walk_forward.py": [at_most("Test RMSE:", 45), at_least("Persistence RMSE:", 60)],
    "keras2/series_walk_forward.py": [at_most("Test RMSE:", 2.5), at_least("Persistence RMSE:", 4)],
    # One sequence to another.
    "keras1/adding_numbers.py": [at_least(ACCURACY, 85)],
    "keras2/adding_numbers.py": [at_least(ACCURACY, 85), Promise("lstm_1")],
    "keras2/bidirectional_sum.py": [at_least(ACCURACY, 90), Promise("Expected: 1 Predicted 1")],
    "tf_keras/bidirectional_neighbours.py": [
        at_most("Accuracy, one way:", 85),
        *(at_least(f"Accuracy, {joined}:", 90) for joined in ("sum", "concat")),
    ],
    # Words, generators, callbacks, files, and the odd corners.
    "keras1/sentiment.py": [at_least("Test accuracy:", 0.9)],
    "keras2/sentiment.py": [at_least("Test Accuracy:", 90)],
    "tf_keras/sentiment.py": [at_least("Test Accuracy:", 95)],
    "keras1/generators.py": [at_least(ACCURACY, 90), Promise("Keys: ['acc', 'loss', 'val_acc', 'val_loss']")],
    "keras2/timeseries_generator.py": [at_most("Test RMSE:", 0.1), at_most("The same from predict:", 0.1)],
    "tf_keras/generators.py": [
        at_most(f"RMSE with {source}:", 0.05) for source in ("a generator", "a TimeseriesGenerator", "train_on_batch")
    ],
    "keras1/training_by_hand.py": [at_most("Test loss:", 0.01), Promise("A copy predicts the same: True")],
    "keras2/train_on_batch.py": [at_least("SimpleRNN Accuracy:", 90), at_least("GRU Accuracy:", 90)],
    "keras2/custom_callbacks.py": [at_least(ACCURACY, 98)],
    "tf_keras/callbacks.py": [at_least(ACCURACY, 95), Promise("begins"), Promise("ends")],
    "keras2/saving.py": [LOADED, Promise("Same after to_json: True"), at_most("RMSE:", 0.04)],
    "tf_keras/saving.py": [LOADED, Promise("Same after load_weights: True"), at_most("Test RMSE:", 0.1)],
    "keras2/regularised.py": [at_least(ACCURACY, 90)],
    "tf_keras/backwards.py": [
        at_least(ACCURACY, 90),
        Promise("Layers: ['reshape', 'lstm', 'gru', 'dropout'"),
    ],
    "keras1/print_statements.py": [at_least(ACCURACY, 85)],
}
OPTIONS = {"keras1/print_statements.py": ["--fix-print"]}
QUICK = [
    "keras1/alphabet_stateful.py",
    "keras1/print_statements.py",
    "tf_keras/lifecycle.py",
]


def run(script: str, seed: int, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Returns what `statewise run` did with a script, in a process and a folder of its own."""
    command = [sys.executable, "-m", "statewise", "run", *options, str(SCRIPTS / script), str(seed)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)


def lacking(script: str) -> list[str]:
    """Returns which of the packages that a script imports, Keras's apart, are not installed."""
    imported = re.findall(r"^(?:import|from) (pandas|sklearn|matplotlib)", (SCRIPTS / script).read_text(), re.MULTILINE)
    return [package for package in dict.fromkeys(imported) if find_spec(package) is None]


def keep(script: str, seed: int, folder: Path) -> None:
    """Runs a script, and fails with its whole output where a promise is broken."""
    if absent := lacking(script):
        pytest.skip(f"the script needs {' and '.join(absent)}")
    ran = run(script, seed, folder, *OPTIONS.get(script, []))
    broken = [f"exit status {ran.returncode}"] if ran.returncode else []
    broken += [wrong for promise in PROMISES[script] if (wrong := promise.broken(ran.stdout))]
    assert not broken, "\n".join([f"{script} {seed}", *broken, "--- stdout", ran.stdout, "--- stderr", ran.stderr])


@pytest.mark.parametrize("script", QUICK)
def test_a_script_ends_as_promised(script: str, tmp_path: Path) -> None:
    keep(script, 7, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("script", PROMISES)
def test_every_script_ends_as_promised_whatever_its_seed(script: str, seed: int, tmp_path: Path) -> None:
    keep(script, seed, tmp_path)


def test_every_script_has_its_promise() -> None:
    assert {path.relative_to(SCRIPTS).as_posix() for path in SCRIPTS.rglob("*.py")} == set(PROMISES)


def test_print_statements_are_named_with_their_line(tmp_path: Path) -> None:
    ran = run("keras1/print_statements.py", 7, tmp_path)
    assert ran.returncode == 2
    assert not ran.stdout
    assert "21" in ran.stderr
    assert "--fix-print" in ran.stderr


@pytest.mark.parametrize(
    ("promise", "output", "broken"),
    [
        (at_least("Score:", 90), "Score: 50\nScore: 95.5%", None),
        (at_least("Score:", 90), "Score: 95\nScore: 50", "Score: 50: expected 90 to inf"),
        (at_most("RMSE:", 0.1), "RMSE: nan", "nothing says 'RMSE:'"),
        (Promise("A -> B"), "A -> B\n", None),
        (Promise("A -> B"), "A -> C\n", "nothing says 'A -> B'"),
    ],
)
def test_a_promise_is_judged_by_the_last_number(promise: Promise, output: str, broken: str | None) -> None:
    assert promise.broken(output) == broken
