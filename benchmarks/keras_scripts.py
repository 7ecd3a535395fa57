"""How long two typical Keras scripts take under `statewise run`, and under Keras 2 itself.

    python benchmarks/keras_scripts.py                                 # statewise alone
    python benchmarks/keras_scripts.py --keras keras2-env/bin/python   # and a Python that has tf-keras, by turns

The first calls `fit` 2,000 times on four batches, new data each time, and resets the state: echoing random integers.
The second takes 500,000 steps at batch size 1: the alphabet, over and over. Keras does a tenth, and a 250th, of it.
Both time themselves from after their first fit, in which the engines compile; what comes before that, imports included,
is the start.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHORT_FITS = """
import sys, time, json
import numpy as np
from keras.models import Sequential
from keras.layers import LSTM, Dense
np.random.seed(7)
FITS = int(sys.argv[1])
model = Sequential()
model.add(LSTM(20, batch_input_shape=(5, 5, 1), stateful=True))
model.add(Dense(10, activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
def fit():
    numbers = np.random.randint(10, size=24)
    x = np.stack([numbers[i:i + 5] for i in range(20)]).reshape(20, 5, 1) / 10.0
    y = np.eye(10)[numbers[:20]]
    model.fit(x, y, epochs=1, batch_size=5, verbose=2, shuffle=False)
    model.reset_states()
fit()
begun = time.perf_counter()
for i in range(FITS):
    fit()
seconds = time.perf_counter() - begun
print(json.dumps({'unit': 'ms a fit of 4 batches', 'value': 1e3 * seconds / FITS, 'seconds': seconds}))
"""

MANY_STEPS = """
import sys, time, json
import numpy as np
from keras.models import Sequential
from keras.layers import LSTM, Dense
np.random.seed(7)
EPOCHS = int(sys.argv[1])
x, y = np.arange(25).reshape(25, 1, 1) / 26.0, np.eye(26)[np.arange(1, 26)]
model = Sequential()
model.add(LSTM(32, input_shape=(1, 1)))
model.add(Dense(26, activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(x, y, epochs=1, batch_size=1, verbose=0)
begun = time.perf_counter()
model.fit(x, y, epochs=EPOCHS, batch_size=1, verbose=0)
seconds = time.perf_counter() - begun
print(json.dumps({'unit': 'us a step of one row', 'value': 1e6 * seconds / (25 * EPOCHS), 'seconds': seconds}))
"""

ALIAS = """import sys, tf_keras
sys.modules |= {'keras': tf_keras, 'keras.models': tf_keras.models, 'keras.layers': tf_keras.layers}
"""
"""What makes Keras 2 of tf-keras, before a script."""

SCRIPTS = {"short fits": (SHORT_FITS, 2000, 200), "many steps": (MANY_STEPS, 20000, 80)}
"""Source, and how often it does its work in statewise and in Keras."""


def measure(command: list[str], times: int) -> dict[str, float | str]:
    """Returns what a script printed last, and how long it took before it began to measure."""
    begun = time.perf_counter()
    result = subprocess.run([*command, str(times)], capture_output=True, text=True, check=True)
    found: dict[str, float | str] = json.loads(result.stdout.splitlines()[-1])
    return found | {"start": time.perf_counter() - begun - float(found["seconds"])}


def main() -> None:
    """Prints a table; each script runs three times in each engine, by turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keras", help="a Python that has tf-keras", metavar="PYTHON")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, (source, ours, theirs) in SCRIPTS.items():
            script, aliased = Path(folder, "script.py"), Path(folder, "aliased.py")
            script.write_text(source)
            aliased.write_text(ALIAS + source)
            for number in range(options.rounds):
                report(name, number, measure([sys.executable, "-m", "statewise", "run", "--quiet", str(script)], ours))
                if options.keras:
                    report("  Keras 2", number, measure([options.keras, str(aliased)], theirs))


def report(name: str, number: int, found: dict[str, float | str]) -> None:
    """Prints one measurement."""
    value, seconds, start = float(found["value"]), float(found["seconds"]), float(found["start"])
    print(f"{name:12} round {number + 1}: {value:8.3f} {found['unit']}; {seconds:.1f} s, and {start:.1f} s before")


if __name__ == "__main__":
    main()
