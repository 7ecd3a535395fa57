"""train: train a model on a text, score it on a held-out part, and write it to one file."""

from __future__ import annotations

import argparse
import shlex
import sys
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statewise.cli import INTERRUPTED
from statewise.cli.output import say, say_json
from statewise.cli.reading import STDIN, check_model_file, read_input, read_prompt
from statewise.cli.rescue import save_or_rescue
from statewise.cli.score_warnings import learned_warning, unknown_warning
from statewise.cli.train_model import NETWORK, ended_training, how_to_continue, open_model, read_symbols
from statewise.cli.train_paths import TrainPaths, read_train_paths, supersedes
from statewise.cli.train_report import introduce, report, say_where
from statewise.data.codecs import Vocabulary, split_text
from statewise.data.tokens import TOKENS
from statewise.errors import ConfigurationError, DataError, FileError, MissingExtraError
from statewise.foundation.interrupt import graceful_interrupt
from statewise.foundation.words import plural

if TYPE_CHECKING:
    from statewise.text import TextModel
    from statewise.text.scoring import TextScore
    from statewise.training.history import History


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options; network and training options have the library's names and defaults."""
    parser.add_argument("text", metavar="TEXT", help="a UTF-8 text file, - for stdin")
    parser.add_argument("--model", metavar="MODEL", help="continue training this model, on the same text or another")
    parser.add_argument(
        "--out", metavar="FILE", help="where to save the model (default: MODEL, or TEXT's name with .statewise)"
    )
    parser.add_argument("--force", action="store_true", help="replace existing files")
    parser.add_argument(
        "--held-out",
        type=float,
        default=0.1,
        metavar="FRACTION",
        help="fraction at the end of the text held out for scoring; with --model on the same text, keep the same "
        "fraction, since a larger one would score what MODEL was trained on",
    )
    _add_network(parser.add_argument_group("network", "for a new model; MODEL keeps its own"))
    _add_training(parser.add_argument_group("training"))
    output = parser.add_argument_group("output")
    output.add_argument(
        "--prompt",
        metavar="TEXT",
        help="prompt of the sample, - for stdin (default: the beginning of the held-out text)",
    )
    output.add_argument("--length", type=int, default=200, metavar="N", help="tokens in the sample")
    output.add_argument("--temperature", type=float, default=0.8, metavar="T", help="sampling temperature; 0 = greedy")
    plot = output.add_mutually_exclusive_group()
    plot.add_argument("--plot", metavar="FILE", help="picture of the loss (default: next to the model, .png)")
    plot.add_argument("--no-plot", action="store_true", help="draw no picture")
    output.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    output.add_argument("--quiet", action="store_true", help="print no progress, only errors and --json")


def _add_network(group: Any) -> None:
    helps: dict[str, tuple[type, str, str]] = {
        "units": (int, "N", "size of each LSTM layer"),
        "layers": (int, "N", "number of LSTM layers"),
        "embedding": (int, "N", "size of each symbol's vector"),
        "dropout": (float, "RATE", "fraction of features dropped in training"),
        "seed": (int, "N", "random seed"),
    }
    group.add_argument("--tokens", choices=TOKENS, help=f"unit of text (default: {NETWORK['tokens']})")
    for name, (kind, metavar, text) in helps.items():
        group.add_argument(f"--{name}", type=kind, metavar=metavar, help=f"{text} (default: {NETWORK[name]})")
    group.add_argument(
        "--window", type=int, metavar="N", help="predict from the last N symbols only (default: carry the state)"
    )


def _add_training(group: Any) -> None:
    group.add_argument(
        "--batch-size", type=int, metavar="N", help="rows per batch (default: up to 32, depending on the text's length)"
    )
    group.add_argument(
        "--steps", type=int, default=64, metavar="N", help="symbols per row of a batch: how far back gradients reach"
    )
    group.add_argument(
        "--epochs",
        type=int,
        metavar="N",
        help="passes through the text (default: about 3,000 updates, 6 to 200 passes)",
    )
    group.add_argument("--optimizer", default="adam", metavar="NAME", help="adam, rmsprop, sgd or another")
    group.add_argument("--learning-rate", type=float, default=0.005, metavar="RATE", help="peak learning rate")
    group.add_argument(
        "--patience",
        type=int,
        metavar="N",
        help="stop after N epochs without a better held-out loss (default: never)",
    )
    group.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="save the training in FILE; after an interruption, the same command resumes it",
    )
    group.add_argument(
        "--new-symbols",
        choices=("refuse", "add"),
        default="refuse",
        help="what to do with symbols that MODEL does not know",
    )


def run(options: argparse.Namespace) -> int:
    """Trains as specified by `options`; returns the exit status, 130 if Ctrl-C ended the training."""
    text = _read(options)
    paths = read_train_paths(options)
    training_text, held_out = _split(text, options.held_out)
    callbacks = [] if options.patience is None else [_early_stopping(options, held_out)]

    model = open_model(options)
    names = ("batch_size", "steps", "epochs", "optimizer", "learning_rate", "new_symbols")
    training = {**{name: getattr(options, name) for name in names}, "validation_text": held_out or None}
    vocabulary = read_symbols(model, training_text, options)
    plan = model.plan(training_text, **training)
    _check_sample(options, vocabulary, model)
    warnings = _warnings(model, vocabulary, training_text, held_out, options)
    if not (options.quiet or options.json):
        introduce(plan, vocabulary, model, options, training_text, held_out)
        for warning in warnings:
            say(f"warning: held-out text: {warning}")
    comparable = held_out if options.model is None else model.vocabulary.without_unknown(held_out)
    before = None if options.model is None else _score(model, comparable)
    history = ended_training(model, vocabulary.encode(training_text), plan, options)
    if history is None:
        history = _fit(model, training_text, options, {**training, "callbacks": callbacks})
    else:
        sys.stderr.write(
            f"{options.checkpoint} holds the finished training of {options.model}: nothing is left to train; "
            "choose another --checkpoint to continue training it\n"
        )
    with graceful_interrupt() as interrupt:  # save the model before scoring it
        after = None if before is None or history.interrupted else _score(model, comparable)
        worse = _is_worse(after, before)
        chosen = _choose(paths, options, model, history, before, worse=worse)
        place, unsaved = save_or_rescue(model.save, chosen.out, "trained model")
    if chosen is not paths or history.interrupted:
        say_where(place, paths, options, history.interrupted, (before, after) if worse else None)
    if interrupt.requested:
        raise KeyboardInterrupt(f"the model is in {place}")
    picture, picture_error = (None, None)
    if chosen.picture is not None and history.epoch:
        picture, picture_error = _draw(history, chosen.picture, chosen.out.name, options)
    result = _result(model, history, options, held_out, training_text)
    result |= {"before": None if before is None else asdict(before), "worse": worse, "warnings": warnings}
    result["files"] = [str(path) for path in (place, picture) if path]
    if options.json:
        say_json(result)
    elif not options.quiet:
        report(model, result, history, options)
    if failure := unsaved or picture_error:
        raise failure
    return INTERRUPTED if history.interrupted else 0


def _read(options: argparse.Namespace) -> str:
    """Returns the training text, after reading the text or the prompt from stdin."""
    if options.model is not None:
        check_model_file(options.model)
    if options.text == options.prompt == STDIN:
        raise ConfigurationError("--prompt -: stdin is already the training text; write the prompt itself")
    if options.prompt is not None:
        options.prompt = read_prompt(options.prompt)
    return read_input(options.text)


def _score(model: TextModel, held_out: str) -> TextScore | None:
    """Returns the score on the held-out text; None if nothing in it can be scored."""
    with suppress(DataError):
        return model.evaluate(held_out)
    return None


def _warnings(
    model: TextModel, vocabulary: Vocabulary, text: str, held_out: str, options: argparse.Namespace
) -> list[str]:
    """Returns warnings about the score on the held-out text, given the model before this training."""
    if not held_out:
        return []
    learned = 0.0
    if options.model is not None:
        learned = 1.0 if model.has_learned(text + held_out) else model.learned_share(held_out)
    return list(filter(None, [unknown_warning(vocabulary, held_out), learned_warning(learned)]))


def _fit(model: TextModel, text: str, options: argparse.Namespace, training: dict[str, Any]) -> History:
    """Trains; errors about the checkpoint are raised in terms of the command line."""
    from statewise.text.fit_task import OtherTrainingError

    try:
        history = model.fit(text, **training, checkpoint=options.checkpoint, verbose=0 if options.quiet else 1)
    except OtherTrainingError as error:
        raise ConfigurationError(
            f"{error.path} is the checkpoint of another training: {error.change}; repeat that command to finish it, "
            f"then `statewise train {shlex.quote(options.text)} --model FILE` continues training its model. Choose "
            "another --checkpoint for a new training"
        ) from None
    if history.interrupted and not history.epoch:
        advice = "" if options.checkpoint is None else f"; {how_to_continue('', options)}"
        raise KeyboardInterrupt(f"no epoch was finished, so no model is written{advice}")
    return history


def _is_worse(after: TextScore | None, before: TextScore | None) -> bool:
    """Returns whether the same symbols score worse than before the training."""
    return before is not None and after is not None and before.tokens == after.tokens and after.loss > before.loss


def _choose(
    paths: TrainPaths,
    options: argparse.Namespace,
    model: TextModel,
    history: History,
    before: TextScore | None,
    *,
    worse: bool,
) -> TrainPaths:
    """Returns where to save the model: next to `paths` if it may be worse than the model there."""
    raced = not paths.existed and not options.force and paths.out.exists()  # written by another program meanwhile
    if history.interrupted and (paths.existed or raced):
        losses = history.history.get("val_loss")
        if before is not None and losses and losses[-1] > before.loss:
            return paths.beside("interrupted")
        return paths.beside("interrupted", partial(supersedes, model))
    return paths.beside("further") if raced or (worse and paths.existed and not options.force) else paths


def _split(text: str, share: float) -> tuple[str, str]:
    training_text, held_out = split_text(text, share)
    if share and not held_out:
        raise DataError(
            f"--held-out {share:g} of {plural(len(text), 'character')} leaves nothing to score; expected a larger "
            "fraction, or 0"
        )
    return training_text, held_out


def _early_stopping(options: argparse.Namespace, held_out: str) -> Any:
    if not held_out:
        raise ConfigurationError("--patience needs a held-out text; remove --held-out 0")
    import statewise as sw

    return sw.EarlyStopping("val_loss", patience=options.patience)


def _check_sample(options: argparse.Namespace, vocabulary: Vocabulary, model: TextModel) -> None:
    """Raises the errors of an invalid sample before the training."""
    from statewise.foundation.shapes import check_whole
    from statewise.generation.sampling import Sampling

    Sampling(options.temperature)
    check_whole("length", options.length)
    if options.prompt is not None:
        vocabulary.read_prompt(options.prompt, model.window)


def _draw(
    history: History, picture: Path, owner: str, options: argparse.Namespace
) -> tuple[Path, None] | tuple[None, FileError | None]:
    """Returns the picture's path, or why there is none; a failure does not affect the model."""
    import statewise as sw

    try:
        title = picture.stem if options.text == STDIN else Path(options.text).stem
        sw.plot_history(history, picture, title=title, owner=owner)
    except FileError as error:
        return None, error
    except MissingExtraError as error:  # only without --plot, which was checked earlier
        if not (options.quiet or options.json):
            say(f"no picture of the loss: {error}")
        return None, None
    return picture, None


def _result(
    model: TextModel, history: History, options: argparse.Namespace, held_out: str, text: str
) -> dict[str, Any]:
    prompt = _beginning(model, held_out, text) if options.prompt is None else options.prompt
    sample = model.generate(prompt, options.length, temperature=options.temperature, seed=model.seed)
    return {
        "epochs": len(history.epoch),
        "interrupted": history.interrupted,
        "epochs_before": model.model.epochs_done - len(history.epoch),
        "seconds": round(history.seconds, 3),
        "loss": history.history.get("loss", [])[-1:],
        "accuracy": history.history.get("accuracy", [])[-1:],
        "scored_on": "held out" if held_out else "training",
        "score": asdict(model.evaluate(held_out or text)),
        "best_epoch": _best_epoch(history),
        "prompt": prompt,
        "sample": sample,
    }


def _beginning(model: TextModel, *texts: str) -> str:
    """Returns the beginning of the first line whose first tokens are all in the vocabulary."""
    count = max(model.window or 0, 20 if model.tokens == "char" else 3)
    for line in "\n".join(texts).splitlines():
        start = model.vocabulary.first_tokens(line.strip(), count)
        ids = model.vocabulary.encode_known(start)
        if len(ids) == count and (ids >= 0).all():
            return start
    return model.vocabulary.first_tokens(texts[-1], count)


def _best_epoch(history: History) -> int | None:
    losses = history.history.get("val_loss")
    return None if not losses else history.epoch[losses.index(min(losses))] + 1
