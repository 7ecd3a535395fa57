"""`statewise`: parses, calls a command, and turns every mistake into one line and exit status 2."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from statewise import __version__
from statewise.errors import StatewiseError


class Defaults(argparse.ArgumentDefaultsHelpFormatter):
    """Shows each default once: not where the help says it in words, and not for switches."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False or "(default: " in (action.help or ""):
            return action.help
        return super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are one line."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.register("type", int, _whole_number)
        self.register("type", float, _number)

    def error(self, message: str) -> NoReturn:
        """Prints what is wrong and where help is, and ends with status 2."""
        self.exit(2, f"{self.prog}: {message}; `{self.prog} --help` shows the options\n")


def parser() -> Parser:
    """Returns the parser of all commands, which are imported here, so that Ctrl-C meets `main` meanwhile."""
    from statewise.cli import evaluate, generate, info, memory, recipes, run, stream, train, verify

    root = Parser(prog="statewise", description="Learn from sequences with LSTM networks.")
    root.add_argument("--version", action="version", version=f"statewise {__version__}")
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (train, generate, stream, evaluate, info, verify, memory, run, recipes):
        name = command.__name__.rpartition(".")[2]
        summary = (command.__doc__ or "").splitlines()[0].partition(": ")[2]
        options = commands.add_parser(
            name,
            help=summary,
            description=summary[:1].upper() + summary[1:],
            formatter_class=Defaults,
        )
        command.add_options(options)
        options.set_defaults(run=command.run)
    return root


def _silence_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, got {text!r}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status."""
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, io.TextIOWrapper):  # what the terminal has no letter for becomes a question mark
            output.reconfigure(errors="replace")
    try:
        options = parser().parse_args(arguments)
        status = options.run(options)
        sys.stdout.flush()  # here, where a pipe that was closed or a disk that is full can be answered
    except StatewiseError as error:
        sys.stderr.write(f"statewise: {' '.join(str(error).splitlines())}\n")
        return 2
    except BrokenPipeError:  # whoever read our output, `head` for instance, has seen enough
        _silence_output()
        return 0
    except OSError as error:  # files have errors of their own: what is left is the output
        _silence_output()
        sys.stderr.write(f"statewise: cannot print: {error.strerror or error}\n")
        return 2
    except KeyboardInterrupt as interrupt:
        sys.stderr.write(f"\nstatewise: {'; '.join(['interrupted', *map(str, interrupt.args)])}\n")
        return 130
    return status or 0
