"""`statewise`: parses, calls a command, and turns every mistake into one line and exit status 2."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from statewise import __version__
from statewise.cli import evaluate, generate, info, train
from statewise.errors import StatewiseError

COMMANDS = (train, generate, evaluate, info)


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are one line."""

    def error(self, message: str) -> NoReturn:
        """Prints what is wrong and where help is, and ends with status 2."""
        self.exit(2, f"{self.prog}: {message}; `{self.prog} --help` shows the options\n")


def parser() -> Parser:
    """Returns the parser of all commands."""
    root = Parser(prog="statewise", description="Learn from sequences with LSTM networks.")
    root.add_argument("--version", action="version", version=f"statewise {__version__}")
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        name = command.__name__.rpartition(".")[2]
        summary = (command.__doc__ or "").splitlines()[0].partition(": ")[2]
        options = commands.add_parser(
            name,
            help=summary,
            description=summary[:1].upper() + summary[1:],
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        command.add_options(options)
        options.set_defaults(run=command.run)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except StatewiseError as error:
        sys.stderr.write(f"statewise: {error}\n")
        return 2
    except BrokenPipeError:  # whoever read our output, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("\nstatewise: interrupted\n")
        return 130
    return 0
