"""generate: continue a prompt, token by token, as they come."""

from __future__ import annotations

import argparse
import sys

from statewise.cli.output import load_text_model, say, say_json, write


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.add_argument("model", metavar="MODEL", help="a model file that `statewise train` wrote")
    parser.add_argument("--prompt", required=True, help="the text to go on from")
    parser.add_argument("--length", type=int, default=100, help="how many tokens")
    parser.add_argument("--temperature", type=float, default=1.0, help="0 is greedy: always the likeliest")
    parser.add_argument("--top-k", type=int, metavar="K", help="draw among the K likeliest only (default: all)")
    parser.add_argument(
        "--top-p", type=float, metavar="P", help="draw among the likeliest that together reach P (default: all)"
    )
    parser.add_argument("--seed", type=int, default=0, help="one seed gives one text")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--quiet", action="store_true", help="do not repeat the prompt")


def run(options: argparse.Namespace) -> None:
    """Generates as `options` say."""
    model = load_text_model(options.model)
    names = ("length", "temperature", "top_k", "top_p", "seed")
    pieces = model.stream(options.prompt, **{name: getattr(options, name) for name in names})
    if options.json:
        say_json({"prompt": options.prompt, "text": "".join(pieces)})
        return
    if not options.quiet:
        write(options.prompt)
    for piece in pieces:
        write(piece)
        sys.stdout.flush()
    say()
