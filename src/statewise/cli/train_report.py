"""The output of `train`: what it will do, where the model is, how good it is, and what to type next."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statewise.cli.output import put, say, score_heading, score_table
from statewise.cli.reading import name_of
from statewise.cli.score_warnings import NOUNS
from statewise.cli.train_model import how_to_continue, say_continuing
from statewise.cli.train_paths import TrainPaths
from statewise.foundation.words import plural

if TYPE_CHECKING:
    from statewise.data.codecs import Vocabulary
    from statewise.text import TextModel
    from statewise.text.plan import Plan
    from statewise.text.scoring import TextScore
    from statewise.training.history import History


def introduce(
    plan: Plan, vocabulary: Vocabulary, model: TextModel, options: argparse.Namespace, text: str, held_out: str
) -> None:
    """Prints what is in the text, and how it will be learned."""
    noun = NOUNS[model.tokens]
    different = len(set(vocabulary.tokenize(text)))
    say(f"{name_of(options.text)}: {plural(plan.tokens, noun)} to train on, {different:,} distinct")
    if options.model is not None:
        say_continuing(model, vocabulary, options.model)
    if held_out:
        unknown = int((vocabulary.encode_known(held_out) < 0).sum())
        note = f", with {plural(unknown, f'unknown {noun}')}" if unknown else ""
        say(f"held out: the last {100 * options.held_out:g} %{note}")
    else:
        say("held out: nothing, so no score here shows how the model does on new text")
    layers = f"{model.layers} x " if model.layers > 1 else ""
    memory = "state carried from batch to batch" if model.window is None else f"windows of {model.window}"
    say(f"network: embedding {model.embedding}, {layers}LSTM({model.units}), dropout {model.dropout:g}; {memory}")
    rows = f"{plural(plan.batch_size, 'row')} x {plural(plan.steps, 'step')}"
    say(
        f"training: {plural(plan.epochs, 'epoch')} of {plural(plan.batches, 'batch').replace('batchs', 'batches')} "
        f"({rows}), {options.optimizer} at {options.learning_rate:g}, seed {model.seed}"
    )


def report(model: TextModel, result: dict[str, Any], history: History, options: argparse.Namespace) -> None:
    """Prints how the training went, the score, a sample, and what to type next."""
    from statewise.text.scoring import TextScore

    score, noun = TextScore(**result["score"]), NOUNS[model.tokens]
    say()
    if result["loss"]:
        accuracy = f"accuracy {100 * result['accuracy'][0]:.2f} %"
        trained = f"{plural(result['epochs'], 'epoch')} in {result['seconds']:.1f} s"
        say(f"trained {trained}; in the last one, on the training text: loss {result['loss'][0]:.4f}, {accuracy}")
    say()
    for warning in result["warnings"]:
        say(f"warning: {warning}")
    held_out = result["scored_on"] == "held out"
    say(score_heading(score, model.tokens, "the held-out text" if held_out else "the training text: what it memorized"))
    for line in score_table(score, model.tokens):
        say(f"  {line}")
    if (before := result["before"]) is not None:
        say(f"  before this training, on {plural(before['tokens'], noun)} it knew: {before['loss']:.4f}")
    best = result["best_epoch"]
    if best is not None and best <= history.epoch[-1] and _much_worse(history):
        say(f"  the held-out loss was lowest after epoch {best}: try --patience 5, or a higher --dropout")
    say(f"\nsample after {result['prompt']!r}\n")
    put("  " + model.vocabulary.decode(model.vocabulary.encode(result["prompt"])) + _gap(model, result))
    say("\nwrote " + ", ".join(result["files"]))
    out = result["files"][0]
    if result["interrupted"]:
        say(f"interrupted: {how_to_continue(out, options)}")
    put(f"next:  statewise generate {shlex.quote(out)} --prompt {shlex.quote(result['prompt'])} --length 100")


def _gap(model: TextModel, result: dict[str, Any]) -> str:
    return (" " if model.tokens == "word" else "") + str(result["sample"])


def _much_worse(history: History) -> bool:
    losses = history.history["val_loss"]
    return losses[-1] > 1.02 * min(losses)


def say_where(
    place: Path,
    paths: TrainPaths,
    options: argparse.Namespace,
    interrupted: bool,
    scores: tuple[TextScore | None, TextScore | None] | None,
) -> None:
    """Prints on stderr, even with --quiet, why the model is elsewhere and how to continue."""
    left = f"; {paths.out} is unchanged" if paths.out.exists() and place != paths.out else ""
    if interrupted:
        why = f"interrupted: the model so far is in {place}{left}; {how_to_continue(str(place), options)}"
    elif scores is not None:
        was, now = (f"{score.loss:.4f}" for score in scores if score is not None)
        why = (
            f"the held-out loss rose from {was} to {now} in this training: the model is in "
            f"{place}{left} (--force replaces it)"
        )
    else:
        why = f"{paths.out} was written by another program during training: the model is in {place}"
    sys.stderr.write(why + "\n")
