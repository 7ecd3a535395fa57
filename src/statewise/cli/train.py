"""train: learn a text, score it on a part that was held out, and keep the model in one file."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statewise.cli.output import say, say_json, score_table
from statewise.cli.rescue import save_or_rescue
from statewise.data.codecs import TOKENS, Vocabulary, first_tokens, split_text
from statewise.errors import ConfigurationError, DataError, FileError, MissingExtraError
from statewise.files import as_path, check_writable, read_text
from statewise.words import plural

if TYPE_CHECKING:
    from statewise.history import History
    from statewise.text import TextModel
    from statewise.text.plan import Plan

NOUNS = {"char": "character", "word": "word"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options; network and training carry the library's own names and defaults."""
    parser.add_argument("text", metavar="TEXT", help="a text file in UTF-8")
    parser.add_argument("--out", metavar="FILE", help="the model file (default: TEXT's name, .statewise)")
    parser.add_argument("--held-out", type=float, default=0.1, help="share at the text's end that is only scored")
    network = parser.add_argument_group("network")
    network.add_argument("--tokens", choices=TOKENS, default="char", help="what a symbol is")
    network.add_argument("--units", type=int, default=256, help="size of each LSTM layer")
    network.add_argument("--layers", type=int, default=1, help="number of LSTM layers")
    network.add_argument("--embedding", type=int, default=64, help="size of the vector of each symbol")
    network.add_argument("--dropout", type=float, default=0.1, help="share of features dropped in training")
    network.add_argument(
        "--window",
        type=int,
        metavar="N",
        help="foretell from N symbols and no more (default: carry the state)",
    )
    training = parser.add_argument_group("training")
    training.add_argument("--batch-size", type=int, help="rows side by side (default: up to 32, as the text allows)")
    training.add_argument("--steps", type=int, default=64, help="symbols of a row in a batch; how far gradients reach")
    training.add_argument("--epochs", type=int, help="times through the text (default: about 3,000 updates, 6 to 200)")
    training.add_argument("--optimizer", default="adam", help="adam, rmsprop or sgd")
    training.add_argument("--learning-rate", type=float, default=0.005, help="its highest value")
    training.add_argument(
        "--patience", type=int, help="stop after so many epochs without a better held-out loss (default: do not)"
    )
    training.add_argument(
        "--checkpoint", metavar="FILE", help="keep the training in this file, and go on from it if it was interrupted"
    )
    training.add_argument("--seed", type=int, default=0, help="of weights, dropout and sample")
    output = parser.add_argument_group("output")
    output.add_argument("--prompt", help="what the sample goes on from (default: the held-out text's beginning)")
    output.add_argument("--length", type=int, default=200, help="tokens of the sample")
    output.add_argument("--temperature", type=float, default=0.8, help="of the sample; 0 takes the likeliest")
    plot = output.add_mutually_exclusive_group()
    plot.add_argument("--plot", metavar="FILE", help="picture of the loss (default: beside the model, .png)")
    plot.add_argument("--no-plot", action="store_true", help="draw no picture")
    output.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    output.add_argument("--quiet", action="store_true", help="no progress, only errors and --json")


def run(options: argparse.Namespace) -> None:
    """Trains as `options` say."""
    text = read_text(options.text)
    out, picture = _places(options)
    training_text, held_out = _split(text, options.held_out)

    import statewise as sw

    network = {name: getattr(options, name) for name in ("tokens", "units", "layers", "embedding", "dropout")}
    model = sw.TextModel(**network, window=options.window, seed=options.seed)
    names = ("batch_size", "steps", "epochs", "optimizer", "learning_rate")
    training = {**{name: getattr(options, name) for name in names}, "validation_text": held_out or None}
    callbacks = [] if options.patience is None else [_early_stopping(options, held_out)]
    plan, vocabulary = model.plan(training_text, **training), Vocabulary.of(training_text, options.tokens)
    _check_sample(options, vocabulary)
    if not (options.quiet or options.json):
        _introduce(plan, vocabulary, options, held_out)
    history = model.fit(
        training_text,
        **training,
        checkpoint=options.checkpoint,
        callbacks=callbacks,
        verbose=0 if options.quiet else 1,
    )
    place, unsaved = save_or_rescue(model.save, out, "trained model")
    drawn, undrawn = (None, None) if picture is None or not history.epoch else _draw(history, picture, options)
    result = _result(model, history, options, held_out, training_text)
    result["files"] = [str(path) for path in (place, drawn) if path]
    if options.json:
        say_json(result)
    elif not options.quiet:
        _report(model, result, history, place)
    if failure := unsaved or undrawn:
        raise failure


def _split(text: str, share: float) -> tuple[str, str]:
    training_text, held_out = split_text(text, share)
    if share and not held_out:
        raise DataError(
            f"--held-out {share:g} of {plural(len(text), 'character')} leaves nothing to score; expected a larger "
            "share, or 0"
        )
    return training_text, held_out


def _places(options: argparse.Namespace) -> tuple[Path, Path | None]:
    """Returns where model and picture go, both writable, and neither of them the text or the other."""
    out = as_path(f"{Path(options.text).stem}.statewise" if options.out is None else options.out)
    check_writable(out)
    picture = None
    if not options.no_plot:
        picture = as_path(out.with_suffix(".png") if options.plot is None else options.plot)
        check_writable(picture)
    if options.plot is not None:
        from statewise.plots import check_picture

        check_picture(options.plot)
    checkpoint = None if options.checkpoint is None else as_path(options.checkpoint)
    if checkpoint is not None:
        check_writable(checkpoint)
    taken = {Path(options.text).resolve(): "it is the text to learn"}
    for option, what, path in (
        ("--out", "model", out),
        ("--plot", "picture", picture),
        ("--checkpoint", "", checkpoint),
    ):
        if path is None:
            continue
        if (reason := taken.get(path.resolve())) is not None:
            raise FileError(f"cannot write {path}: {reason}; name another file with {option}")
        taken[path.resolve()] = f"the {what} goes there"
    return out, picture


def _early_stopping(options: argparse.Namespace, held_out: str) -> Any:
    import statewise as sw

    if not held_out:
        raise ConfigurationError("--patience needs a held-out part: leave --held-out 0 out")
    return sw.EarlyStopping("val_loss", patience=options.patience)


def _check_sample(options: argparse.Namespace, vocabulary: Vocabulary) -> None:
    """Raises now what the sample would raise after the training."""
    from statewise.shapes import check_whole
    from statewise.text.generation import Sampling

    Sampling(options.temperature)
    check_whole("length", options.length)
    if options.prompt is not None:
        vocabulary.read_prompt(options.prompt, options.window)


def _introduce(plan: Plan, vocabulary: Vocabulary, options: argparse.Namespace, held_out: str) -> None:
    noun = NOUNS[options.tokens]
    say(f"{options.text}: {plural(plan.tokens, noun)} to learn, {len(vocabulary):,} different")
    if held_out:
        unknown = int((vocabulary.encode_known(held_out) < 0).sum())
        note = f", {plural(unknown, noun)} in it never seen before" if unknown else ""
        say(f"held out: the last {100 * options.held_out:g} %{note}")
    else:
        say("held out: nothing, so that no score here says how it does on a new text")
    layers = f"{options.layers} x " if options.layers > 1 else ""
    memory = "state carried from batch to batch" if options.window is None else f"windows of {options.window}"
    say(f"network: embedding {options.embedding}, {layers}LSTM({options.units}), dropout {options.dropout:g}; {memory}")
    rows = f"{plural(plan.batch_size, 'row')} x {plural(plan.steps, 'step')}"
    say(
        f"training: {plural(plan.epochs, 'epoch')} of {plural(plan.batches, 'batch').replace('batchs', 'batches')} "
        f"({rows}), {options.optimizer} at {options.learning_rate:g}, seed {options.seed}"
    )


def _draw(
    history: History, picture: Path, options: argparse.Namespace
) -> tuple[Path, None] | tuple[None, FileError | None]:
    """Returns the picture's place, or why there is none; the model and its scores do not depend on it."""
    import statewise as sw

    try:
        sw.plot_history(history, picture, title=Path(options.text).stem)
    except FileError as error:
        return None, error
    except MissingExtraError as error:  # only without --plot, which was checked
        if not (options.quiet or options.json):
            say(f"no picture of the loss: {error}")
        return None, None
    return picture, None


def _result(
    model: TextModel, history: History, options: argparse.Namespace, held_out: str, text: str
) -> dict[str, Any]:
    prompt = _beginning(model, held_out, text) if options.prompt is None else options.prompt
    sample = model.generate(prompt, options.length, temperature=options.temperature, seed=options.seed)
    return {
        "epochs": len(history.epoch),
        "interrupted": history.interrupted,
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
    """Returns the beginning of the first line in the texts whose first tokens the model knows."""
    count = max(model.window or 0, 20 if model.tokens == "char" else 3)
    for line in "\n".join(texts).splitlines():
        start = first_tokens(line.strip(), model.tokens, count)
        ids = model.vocabulary.encode_known(start)
        if len(ids) == count and (ids >= 0).all():
            return start
    return first_tokens(texts[-1], model.tokens, count)


def _best_epoch(history: History) -> int | None:
    losses = history.history.get("val_loss")
    return None if not losses else history.epoch[losses.index(min(losses))] + 1


def _report(model: TextModel, result: dict[str, Any], history: History, out: Path) -> None:
    from statewise.text.scoring import TextScore

    score, noun = TextScore(**result["score"]), NOUNS[model.tokens]
    say()
    if result["loss"]:
        accuracy = f"accuracy {100 * result['accuracy'][0]:.2f} %"
        trained = f"{plural(result['epochs'], 'epoch')} in {result['seconds']:.1f} s"
        say(f"trained {trained}; in the last one, on the text itself: loss {result['loss'][0]:.4f}, {accuracy}")
    where = "held-out text" if result["scored_on"] == "held out" else "the training text: what it has memorised"
    say(f"\nscore on {plural(score.tokens, noun)} of the {where}" if "held" in where else f"\nscore on {where}")
    for line in score_table(score, model.tokens):
        say(f"  {line}")
    best = result["best_epoch"]
    if best is not None and best < len(history.epoch) and _much_worse(history):
        say(f"  the held-out loss was best after epoch {best}: try --patience 5, or a higher --dropout")
    say(f"\nsample after {result['prompt']!r}\n")
    say("  " + model.vocabulary.decode(model.vocabulary.encode(result["prompt"])) + _gap(model, result))
    say("\nwrote " + ", ".join(result["files"]))
    say(f"next:  statewise generate {shlex.quote(str(out))} --prompt {shlex.quote(result['prompt'])} --length 100")


def _gap(model: TextModel, result: dict[str, Any]) -> str:
    return (" " if model.tokens == "word" else "") + str(result["sample"])


def _much_worse(history: History) -> bool:
    losses = history.history["val_loss"]
    return losses[-1] > 1.02 * min(losses)
