"""evaluate: score a model on a text, beside unigrams and bigrams."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from statewise.cli.cautions import learned_caution, unknown_caution
from statewise.cli.output import say, say_json, score_heading, score_table
from statewise.cli.reading import load_text_model, name_of, read_input


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.add_argument("model", metavar="MODEL", help="a model file that `statewise train` wrote")
    parser.add_argument(
        "text", metavar="TEXT", help="a text file in UTF-8, - for stdin; best one that the model was not trained on"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def run(options: argparse.Namespace) -> None:
    """Scores as `options` say."""
    text = read_input(options.text)
    model = load_text_model(options.model)
    score = model.evaluate(text)
    learned = model.learned_share(text)
    cautions = list(filter(None, [unknown_caution(model.vocabulary, text), learned_caution(learned)]))
    if options.json:
        say_json({**asdict(score), "learned_share": learned, "warnings": cautions})
        return
    for caution in cautions:
        say(f"warning: {caution}")
    say(score_heading(score, model.tokens, name_of(options.text)))
    for line in score_table(score, model.tokens):
        say(f"  {line}")
