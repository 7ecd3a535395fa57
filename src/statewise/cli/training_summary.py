"""A summary of a model's training, from the header of its file."""

from __future__ import annotations

from typing import Any

from statewise.foundation.words import plural

Header = dict[str, Any]


def describe_training(header: Header) -> str:
    """Returns a line about how the model in a file was compiled and trained.

    >>> compiled = {"optimizer": {"kind": "SGD", "learning_rate": 0.1}, "loss": "mse"}
    >>> describe_training({"compiled": compiled, "epochs": 3})
    'trained with SGD, learning rate 0.1, for 3 epochs; loss mse'
    """
    optimizer, epochs = header["compiled"]["optimizer"], header.get("epochs")
    by = "an optimizer that is not in the file" if optimizer is None else _optimizer(optimizer)
    targets = header["compiled"].get("targets", [{"output": None, **header["compiled"]}])
    named = ", ".join(map(_loss, targets))
    if epochs == 0:
        return f"not trained yet; compiled with {by}; loss {named}"
    long = "" if epochs is None else f", for {plural(epochs, 'epoch')}"
    return f"trained with {by}{long}; loss {named}"


def _loss(target: Header) -> str:
    loss = target["loss"]
    named = loss if isinstance(loss, str) else f"sampled softmax over {plural(loss['samples'], 'sample')}"
    if target["output"] is None:
        return named
    weight = "" if target["weight"] == 1 else f", weight {target['weight']:g}"
    return f"{named} of {target['output']}{weight}"


def _optimizer(config: Header) -> str:
    words = [config["kind"], _rate(config["learning_rate"])]
    if config.get("momentum"):
        words.append(f"momentum {config['momentum']:g}")
    clips = {"clipvalue": "gradients clipped at", "clipnorm": "norm of each gradient clipped at"}
    clips["global_clipnorm"] = "gradient norm clipped at"
    words += [f"{word} {config[name]:g}" for name, word in clips.items() if config.get(name)]
    return ", ".join(words)


def _rate(rate: Any) -> str:
    if not isinstance(rate, dict):
        return f"learning rate {rate:g}"
    if rate["kind"] == "PiecewiseConstantDecay":
        return f"learning rate {', then '.join(f'{value:g}' for value in rate['values'])}"
    first = rate["initial_learning_rate"]
    if rate["kind"] == "CosineDecay":
        peak = first if rate["warmup_target"] is None else rate["warmup_target"]
        return f"learning rate {peak:g} with cosine decay to {rate['alpha'] * peak:g}"
    if rate["kind"] == "ExponentialDecay":
        return f"learning rate {first:g}, multiplied by {rate['decay_rate']:g} every {rate['decay_steps']:,} updates"
    return f"learning rate {first:g} with {rate['kind']}"


def describe_checkpoint(resume: Header) -> str:
    """Returns the progress of the training in a checkpoint, and how to continue it.

    >>> describe_checkpoint({"first": 2, "epoch": 5, "last": 14, "step": 7, "final": False, "ended": False})
    'an unfinished training: 3 of 12 epochs done, and 7 batches of the next; the same command or call continues it'
    """
    done, planned = resume["epoch"] - resume["first"], resume["last"] - resume["first"]
    if resume["final"] and (resume["ended"] or done >= planned):
        early = ", ended early by a callback" if done < planned else ""
        return f"the checkpoint of a finished training: {done:,} of {plural(planned, 'epoch')} done{early}"
    inside = f", and {resume['step']:,} batch{'es' * (resume['step'] > 1)} of the next" if resume["step"] else ""
    far = f"{done:,} of {plural(planned, 'epoch')} done{inside}"
    return f"an unfinished training: {far}; the same command or call continues it"
