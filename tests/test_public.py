"""The public surface: what is exported, that it is documented, and that importing it is cheap."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest

import statewise

ARGUMENTS_IN_COMMON = ("units", "layers", "embedding", "dropout", "tokens", "window")


def test_all_exported_names_exist() -> None:
    assert sorted(statewise.__all__) == dir(statewise)
    for name in statewise.__all__:
        assert getattr(statewise, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no LTSM: did you mean LSTM"):
        statewise.LTSM  # noqa: B018


@pytest.mark.parametrize("name", [name for name in statewise.__all__ if name != "__version__"])
def test_every_public_object_and_method_is_documented(name: str) -> None:
    thing = getattr(statewise, name)
    assert inspect.getdoc(thing)
    if inspect.isclass(thing):
        for method, function in inspect.getmembers(thing, inspect.isfunction):
            if not method.startswith("_"):
                assert inspect.getdoc(function), f"{name}.{method}"


@pytest.mark.parametrize("statement", ["import statewise", "import statewise.cli.main as m; m.parser()"])
def test_starting_does_not_import_jax(statement: str) -> None:
    code = f"import sys; {statement}; print([n for n in ('jax', 'optax', 'matplotlib', 'tqdm') if n in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_command_line_has_the_librarys_defaults() -> None:
    from statewise.cli.main import parser
    from statewise.cli.train_model import NETWORK

    options = vars(parser().parse_args(["train", "text.txt"]))
    fit = inspect.signature(statewise.TextModel.fit).parameters
    model = inspect.signature(statewise.TextModel).parameters
    for name in ARGUMENTS_IN_COMMON:
        assert options[name] is None, name  # that it was not given matters where a model is trained further
        assert NETWORK[name] == model[name].default, name
    for name in ("batch_size", "steps", "epochs", "optimizer", "learning_rate", "new_symbols"):
        assert options[name] == fit[name].default, name
    options = vars(parser().parse_args(["generate", "model", "--prompt", "x"]))
    generate = inspect.signature(statewise.TextModel.generate).parameters
    for name in ("length", "temperature", "top_k", "top_p", "seed"):
        assert options[name] == generate[name].default, name


def test_the_version_is_the_packages() -> None:
    from importlib.metadata import version

    assert statewise.__version__ == version("statewise")
    assert json.dumps(statewise.__version__)
