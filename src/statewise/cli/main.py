"""`statewise`: parses arguments, runs a command, and turns every error into one line and exit status 2."""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import takewhile
from typing import Any, NoReturn

from statewise import __version__
from statewise.cli import INTERRUPTED
from statewise.errors import StatewiseError, nearest, unknown_name


class Defaults(argparse.ArgumentDefaultsHelpFormatter):
    """Shows each default once: not if the help text states it, and not for flags."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False or "(default: " in (action.help or ""):
            return action.help
        return super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """A parser that reports each error in one line, from the parser of the command it belongs to."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"formatter_class": Defaults, **options})
        self.register("type", int, _whole_number)
        self.register("type", float, _number)
        self._given: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Returns what `argparse` returns; leftover arguments are an error of this command."""
        self._given = sys.argv[1:] if args is None else list(args)
        namespace, surplus = super().parse_known_args(args, namespace)
        if surplus:
            self.error(f"unexpected argument {surplus[0]!r}")
        return namespace, surplus

    def error(self, message: str) -> NoReturn:
        """Prints the error, a misspelled option first, and a hint about --help; exits with status 2."""
        message = self._misspelled() or f"{message};"
        self.exit(2, f"{self.prog}: {message} `{self.prog} --help` lists the options\n")

    def _misspelled(self) -> str | None:
        """Returns a message about the first unknown option, or a value that looks like one; None if there is none."""
        given = list(takewhile(lambda argument: argument != "--", self._given))
        for before, argument in zip(["", *given], given, strict=False):
            if not re.match(r"-{1,2}[a-zA-Z]", argument):
                continue
            name = argument.partition("=")[0]
            if not any(option.startswith(name) for option in self._option_string_actions):
                action = self._option_string_actions.get(before)
                if action is not None and action.nargs is None:  # it takes one value
                    return f"{before}: expected a value, got {argument!r}, an option; write {before}={argument};"
                known = (option.removeprefix("--") for option in self._option_string_actions)
                close = nearest(name.lstrip("-"), known, count=1)
                return f"unknown option {name}" + (f": did you mean --{close[0]}?" if close else ";")
        return None

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuses an unknown command or option value."""
        if action.choices is not None and value not in action.choices:
            name = action.option_strings[0] if action.option_strings else str(action.metavar).lower()
            error = unknown_name(name, value, map(str, action.choices))
            self.exit(2, f"{self.prog}: {error}; `{self.prog} --help` explains them\n")


def parser() -> Parser:
    """Returns the parser of all commands; imports them here so that `main` handles a Ctrl-C meanwhile."""
    from statewise.cli import evaluate, generate, info, memory, recipes, run, stream, train, verify

    root = Parser(prog="statewise", description="Learn from sequences with LSTM networks.")
    root.add_argument("--version", action="version", version=f"statewise {__version__}")
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (train, generate, stream, evaluate, info, verify, memory, run, recipes):
        name = command.__name__.rpartition(".")[2]
        summary = (command.__doc__ or "").splitlines()[0].partition(": ")[2].rstrip(".")
        options = commands.add_parser(name, help=summary, description=f"{summary[:1].upper()}{summary[1:]}.")
        command.add_options(options)
        options.set_defaults(run=command.run)
    helping = commands.add_parser("help", help="show the options of a command", description="Show a command's options.")
    helping.add_argument("words", metavar="COMMAND", nargs="*", help="a command, such as `train` or `recipes run`")
    helping.set_defaults(run=lambda options: root.parse_args([*options.words, "--help"]))
    return root


def _silence_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected an integer, got {text!r}") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, got {text!r}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status."""
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, io.TextIOWrapper):  # characters the terminal cannot show become question marks
            output.reconfigure(errors="replace")
    try:
        options = parser().parse_args(arguments)
        status = options.run(options)
        sys.stdout.flush()  # here, where a closed pipe or a full disk is handled
    except StatewiseError as error:
        sys.stderr.write(f"statewise: {' '.join(str(error).splitlines())}\n")
        return 2
    except BrokenPipeError:  # the reader of our output, such as `head`, is done
        _silence_output()
        return 0
    except OSError as error:  # files raise FileError, so this is stdout
        _silence_output()
        sys.stderr.write(f"statewise: cannot print: {error.strerror or error}\n")
        return 2
    except KeyboardInterrupt as interrupt:
        sys.stderr.write(f"\nstatewise: {'; '.join(['interrupted', *map(str, interrupt.args)])}\n")
        return INTERRUPTED
    return status or 0


def script() -> NoReturn:
    """Runs the command of this process. After Ctrl-C it ends at once: JAX may crash when it is torn down meanwhile."""
    status = main()
    if status == INTERRUPTED:
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(status)
    sys.exit(status)
