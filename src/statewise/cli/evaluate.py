"""evaluate: score a model on a text, compared with unigrams and bigrams."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from statewise.cli.output import say, say_json, score_heading, score_table
from statewise.cli.reading import load_text_model, name_of, read_input
from statewise.cli.score_warnings import learned_warning, unknown_warning


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.add_argument("model", metavar="MODEL", help="a model file that `statewise train` wrote")
    parser.add_argument(
        "text", metavar="TEXT", help="a UTF-8 text file, - for stdin; preferably one the model was not trained on"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def run(options: argparse.Namespace) -> None:
    """Scores the model as specified by `options`."""
    text = read_input(options.text)
    model = load_text_model(options.model)
    score = model.evaluate(text)
    learned = model.learned_share(text)
    warnings = list(filter(None, [unknown_warning(model.vocabulary, text), learned_warning(learned)]))
    if options.json:
        say_json({**asdict(score), "learned_share": learned, "warnings": warnings})
        return
    for warning in warnings:
        say(f"warning: {warning}")
    say(score_heading(score, model.tokens, name_of(options.text)))
    for line in score_table(score, model.tokens):
        say(f"  {line}")
