"""Dates: a translator that attends. It reads a date as people write it, and writes it as 1998-05-03.

The encoder reads the characters from both ends. The decoder starts from the mean of what it read, attends to all of it
at each character that it writes, and goes on from its own state. It is trained to write the next character of the right
date; afterwards it reads its own, greedily and by beam search. What it attends to is drawn: for the month, it looks at
the month's name.

Source: Bahdanau, Cho and Bengio, Neural machine translation by jointly learning to align and translate, 2015.

Measured on two cores with seeds 0 to 4: after 10 epochs of 12,000 dates, in 22 to 32 seconds, 100 % of 500 new dates
are right with four seeds and 99.8 % with one, by one beam as by four. With half as many dates one seed is right in 80 %
after 8 epochs, and in 96 % after 15: what it mistakes then are mostly dates of numbers alone, such as 16.5.1973.
"""

from __future__ import annotations

import argparse
import time
from datetime import date, timedelta
from typing import Any

import numpy as np

import statewise as sw

MONTHS = [f"{date(2000, month, 1):%B}" for month in range(1, 13)]
DAYS = [f"{date(2000, 5, day):%A}" for day in range(1, 8)]  # from a Monday on
SYMBOLS = " ,./-0123456789:" + "".join(sorted(set("".join([*MONTHS, *DAYS, "th"]).lower())))
DIGITS = "^$-0123456789"  # what the decoder reads and writes: ^ begins a date, $ ends it
BEGIN, END, LENGTH = 0, 1, 11


def written(day: date, way: int) -> str:
    """Returns a date in one of seven ways in which people write it, in small letters."""
    month, weekday = MONTHS[day.month - 1], DAYS[day.weekday()]
    ways = (
        f"{day.day} {month} {day.year}",
        f"{month[:3]} {day.day}, {day.year}",
        f"{weekday}, {month} {day.day}, {day.year}",
        f"{day.day}. {month[:3]} {day.year % 100:02}",
        f"{weekday[:3]} {day.day}th {month} {day.year}",
        f"{day.day}.{day.month}.{day.year}",
        f"{day.month}/{day.day}/{day.year % 100:02}",
    )
    return ways[way].lower()


def numbers(text: str, symbols: str) -> list[int]:
    """Returns the numbers of a text's characters."""
    return [symbols.index(character) for character in text]


def draw(count: int, seed: int) -> tuple[list[str], list[str]]:
    """Returns dates of the years 1970 to 2069 as people write them, and as they should be written."""
    random = np.random.default_rng(seed)
    days = [date(1970, 1, 1) + timedelta(int(number)) for number in random.integers(0, 36524, count)]
    texts = [written(day, int(way)) for day, way in zip(days, random.integers(0, 7, count), strict=True)]
    return texts, [day.isoformat() for day in days]


def translator(units: int, seed: int) -> tuple[sw.Model, sw.Model]:
    """Returns the network, and one with the same weights that answers with the shares of its attention."""
    source, target = sw.Input((None,), name="source"), sw.Input((None,), name="target")
    read = sw.Bidirectional(sw.LSTM(units, return_sequences=True))(sw.Embedding(len(SYMBOLS), 16)(source))
    mean = sw.GlobalAveragePooling1D()(read)
    start = [sw.Dense(units, activation="tanh")(mean) for _ in range(2)]  # h and c
    letters = sw.Embedding(len(DIGITS), 8)(target)
    writing = sw.LSTM(units, return_sequences=True)(letters, initial_state=start)
    query, keys = sw.Dense(units)(writing), sw.Dense(units)(read)
    seen, shares = sw.AdditiveAttention(return_attention_scores=True)([query, read, keys])
    hidden = sw.Dense(units, activation="tanh")(sw.Concatenate()([writing, seen]))
    model = sw.Model([source, target], sw.Dense(len(DIGITS), activation="softmax")(hidden), seed=seed)
    return model, sw.Model([source, target], shares)


def learn(model: sw.Model, count: int, epochs: int, seed: int) -> list[float]:
    """Trains on pairs of dates; returns the accuracy of the next character after each epoch."""
    texts, answers = draw(count, seed)
    x = [np.array(numbers(text, SYMBOLS)) for text in texts]
    y = np.array([numbers(f"^{answer}$", DIGITS) for answer in answers])
    model.compile(sw.Adam(3e-3, clipnorm=1.0), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit({"source": x, "target": y[:, :-1]}, y[:, 1:], batch_size=64, epochs=epochs, verbose=2)
    return history.history["accuracy"]


def translate(model: sw.Model, texts: list[str], beams: int = 1) -> list[str]:
    """Returns what the model writes for each text, all of them at once."""
    source = [np.array(numbers(text, SYMBOLS)) for text in texts]
    made = sw.generate(model, BEGIN, LENGTH, inputs={"source": source}, stop=END, beams=beams)
    return ["".join(DIGITS[symbol] for symbol in symbols) for symbols in made.sequences]


def attended(looking: sw.Model, text: str, answer: str) -> Any:
    """Returns the shares `[characters written, characters read]` with which each character was written."""
    x = [np.array([numbers(text, SYMBOLS)]), np.array([numbers(f"^{answer}", DIGITS)])]
    return looking.predict(x)[0, : len(answer)]


def plot(shares: Any, text: str, answer: str, path: str) -> None:
    """Draws the shares into a picture."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(0.32 * len(text) + 1, 0.3 * len(answer) + 1))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(text)), text)
    axes.set_yticks(range(len(answer)), answer)
    axes.set_xlabel("read")
    axes.set_ylabel("written")
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=12000, help="pairs of dates to learn from")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--units", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", metavar="FILE", help="draw what is attended to into a picture, such as dates.png")
    given = parser.parse_args()
    model, looking = translator(given.units, given.seed)
    clock = time.perf_counter()
    learn(model, given.count, given.epochs, given.seed)
    print(f"learned in {time.perf_counter() - clock:.0f} s")
    texts, answers = draw(500, seed=10_000 + given.seed)
    for beams in (1, 4):
        clock = time.perf_counter()
        found = translate(model, texts, beams)
        right = np.mean([one == other for one, other in zip(found, answers, strict=True)])
        print(f"{right:.1%} of 500 new dates right with {beams} beam(s), {time.perf_counter() - clock:.1f} s")
    for text, answer, made in list(zip(texts, answers, found, strict=True))[:5]:
        print(f"{text:>30} -> {made}{'' if made == answer else f'  (should be {answer})'}")
    text, answer = "sunday, may 3, 1998", "1998-05-03"
    shares = attended(looking, text, answer)
    for character, row in zip(answer, shares, strict=True):
        print(f"for {character!r} it looks at {text[int(np.argmax(row))]!r} ({row.max():.0%})")
    if given.plot:
        plot(shares, text, answer, given.plot)


if __name__ == "__main__":
    main()
