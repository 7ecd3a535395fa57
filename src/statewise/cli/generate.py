"""generate: continue a prompt, printing each token as it is generated."""

from __future__ import annotations

import argparse
import sys

from statewise.cli.output import put, say_json, write
from statewise.cli.reading import load_text_model, read_prompt


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.add_argument("model", metavar="MODEL", help="a model file that `statewise train` wrote")
    parser.add_argument("--prompt", required=True, metavar="TEXT", help="text to continue, - for stdin")
    parser.add_argument("--length", type=int, default=100, metavar="N", help="number of tokens")
    parser.add_argument("--temperature", type=float, default=1.0, metavar="T", help="sampling temperature; 0 = greedy")
    parser.add_argument("--top-k", type=int, metavar="K", help="sample from the K most likely tokens (default: all)")
    parser.add_argument(
        "--top-p",
        type=float,
        metavar="P",
        help="sample from the most likely tokens whose probabilities add up to P (default: all)",
    )
    parser.add_argument(
        "--beams", type=int, default=1, metavar="K", help="search for the most likely text with K beams, do not sample"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="random seed")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--quiet", action="store_true", help="do not repeat the prompt")


def run(options: argparse.Namespace) -> None:
    """Generates text as specified by `options`."""
    prompt = read_prompt(options.prompt)
    model = load_text_model(options.model)
    names = ("length", "temperature", "top_k", "top_p", "seed", "beams")
    pieces = model.stream(prompt, **{name: getattr(options, name) for name in names})
    if options.json:
        say_json({"prompt": prompt, "text": "".join(pieces)})
        return
    if not options.quiet:
        write(prompt)
    for piece in pieces:
        write(piece)
        sys.stdout.flush()
    put("")
