"""docs/legacy.md says what there is: each table against the code, in both directions."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
import statewise.legacy as keras
from statewise.errors import StatewiseError
from statewise.legacy import (
    backend,
    callbacks,
    dialect,
    layers,
    losses,
    models,
    optimizers,
    recurrent,
    tensorflow,
    text,
)
from statewise.legacy.errors import ADVICE
from statewise.legacy.layer import Layer
from statewise.legacy.namespace import MODULES
from statewise.legacy.options import COMMON
from statewise.legacy.quantities import Quantity
from statewise.legacy.runner import run_script

PAGE = (Path(__file__).parents[2] / "docs" / "legacy.md").read_text()
SOURCES = sorted(Path(inspect.getfile(keras)).parent.glob("*.py"))
METHODS = "Methods of `Sequential`"
Row = list[str]


def read_sections() -> dict[str, list[Row]]:
    """Returns the rows of all tables, without their heads, by the heading that they stand under."""
    sections: dict[str, list[Row]] = {}
    lines = PAGE.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("#"):
            rows = sections.setdefault(line.lstrip("# "), [])
        elif line.startswith("|") and not line.startswith("|-") and not following.startswith("|-"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return sections


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


SECTIONS = read_sections()
OF_MODULES = {
    words(title)[0]: rows for title, rows in SECTIONS.items() if re.fullmatch(r"`(keras|tensorflow).*`", title)
}


def module(name: str) -> Any:
    return import_module(MODULES[name])


# -- names ------------------------------------------------------------------------------------------------------------


def test_all_modules_are_there_and_all_their_other_names() -> None:
    page = {words(first)[0]: {*words(first), *words(others)} for first, others in SECTIONS["Modules"]}
    by_ours: dict[str, set[str]] = {}
    for name, ours in MODULES.items():
        if name.startswith("keras."):
            by_ours.setdefault(ours, set()).add(name)
    assert {MODULES[name]: names for name, names in page.items()} == by_ours
    assert set(OF_MODULES) == (set(page) | {"tensorflow"}) - {"keras.preprocessing"}


@pytest.mark.parametrize("name", OF_MODULES)
def test_each_name_of_a_module_is_on_the_page_and_the_reverse(name: str) -> None:
    page = [word for row in OF_MODULES[name] for word in words(row[0])]
    known = set(module(name).__all__)
    if name == "keras.metrics":
        known -= set(losses.FUNCTIONS)
    assert set(page) == known
    assert all(hasattr(module(name), word) for word in page)


IN_KERAS = """
add assign build built compile count_params epoch eval evaluate evaluate_generator fit fit_generator from_config
decay get_config get_input_at get_input_shape_at get_layer get_output_at get_output_shape_at get_value get_weights
history input input_shape inputs layers learning_rate load_weights loss losses lr metrics metrics_names model name
non_trainable_weights numpy on_predict_begin on_predict_end on_test_begin on_test_end on_batch_begin
on_batch_end on_epoch_begin on_epoch_end on_train_batch_begin
on_train_batch_end on_train_begin on_train_end optimizer output output_shape outputs params pop predict
predict_classes predict_generator predict_on_batch predict_proba read_value reset_metrics reset_states save
save_weights set_model set_params set_value set_weights stateful states stop_training summary test_on_batch to_json
to_yaml train_on_batch trainable trainable_weights validation_data value variables weights
fit_on_texts fit_on_sequences texts_to_sequences texts_to_sequences_generator texts_to_matrix sequences_to_matrix
sequences_to_texts sequences_to_texts_generator word_index index_word word_counts word_docs index_docs document_count
"""
"""What scripts ask of Keras's objects; what else ours have is for the modules beside them."""

OBJECTS: dict[str, object] = {
    "a `Sequential`": keras.Sequential(),
    "a layer": layers.Dense(1),
    "a recurrent layer": layers.GRU(1),
    "an `Optimizer`": optimizers.SGD(),
    "`optimizer.lr`": optimizers.SGD().lr,
    "a `Callback`": callbacks.LambdaCallback(),
    "a `History`": callbacks.History(),
    "a `Tokenizer`": text.Tokenizer(),
}
SHOWN_BEFORE = {"a recurrent layer": "a layer", "a `History`": "a `Callback`"}
LATER = {"a layer": "model", "an `Optimizer`": "model", "a `Callback`": "model params"}
"""What is not yet there, or is ours, in an object that belongs to no model."""


@pytest.mark.parametrize("kind", OBJECTS)
def test_what_an_object_has_is_on_the_page_and_the_reverse(kind: str) -> None:
    shown = {row[0]: set(words(row[1])) for row in SECTIONS["Attributes and methods of objects"]}
    inherits = SHOWN_BEFORE.get(kind, "")
    known = (set(dir(OBJECTS[kind])) & set(IN_KERAS.split())) - shown.get(inherits, set())
    if kind == "a `Sequential`":
        known -= {words(row[0])[0] for row in SECTIONS[METHODS]}
    later = set(LATER.get(kind, LATER.get(inherits, "")).split())
    assert shown[kind] - later == known - later


def test_all_methods_are_there() -> None:
    assert all(callable(getattr(keras.Sequential, words(row[0])[0])) for row in SECTIONS[METHODS])


# -- options ----------------------------------------------------------------------------------------------------------


class Options:
    """What a call takes: options in Keras 2's words, older names for some, and those without effect."""

    def __init__(self, now: set[str], older: dict[str, str], idle: set[str]) -> None:
        self.now, self.idle = now, idle
        self.older = {old: new for old, new in older.items() if new in now}

    @classmethod
    def of(cls, call: Any) -> Options:
        if isinstance(call, type) and issubclass(call, recurrent.Recurrent):
            older = {**recurrent.KERAS_1, "forget_bias_init": "unit_forget_bias"}
            return cls({*call.arguments, *recurrent.OTHERS.split()}, older, set(recurrent.SAME_RESULT))
        function: Callable[..., Any] = call.__init__ if isinstance(call, type) else call  # type: ignore[misc]  # of this very class
        taken = inspect.signature(function).parameters.values()
        now = {option.name for option in taken if option.kind not in (option.VAR_KEYWORD, option.VAR_POSITIONAL)}
        if isinstance(call, type) and issubclass(call, optimizers.Optimizer):
            now |= {*call.own, "clipnorm", "clipvalue", "global_clipnorm", "name"}
        wrapped = inspect.getclosurevars(function).nonlocals if inspect.isfunction(function) else {}
        found = cls(now - {"self"}, wrapped.get("names") or {}, set(wrapped.get("idle") or ()))
        return found.with_older_arguments()

    def with_older_arguments(self) -> Options:
        """Returns these options; an old name that is an argument of its own, as `nb_words`, counts as old."""
        for old, new in {"nb_words": "num_words", "nb_classes": "num_classes"}.items():
            if old in self.now:
                self.now.remove(old)
                self.older[old] = new
        if "mode_of_classes" in self.now:
            self.now.remove("mode_of_classes")  # the place of what compile takes without effect
            self.idle.add("class_mode")
            self.older.pop("class_mode")
        return self


def page_options(cell: str) -> Options:
    live, _, idle = cell.partition("without effect:")
    older = {old: new for new, olds in re.findall(r"`(\w+)` \(([^)]*)\)", live) for old in words(olds)}
    return Options(set(words(live)) - set(older), older, set(words(idle)))


def calls() -> Iterator[tuple[str, str]]:
    for name, rows in [*OF_MODULES.items(), (METHODS, SECTIONS[METHODS])]:
        seen = dict.fromkeys(
            word for row in rows for word in words(row[0]) if "those" not in row[1] and row[1] != "any"
        )
        yield from ((name, word) for word in seen)


def refused(call: str) -> set[str]:
    """Returns the options of `call` that the page shows as refused."""
    options = set()
    for row in SECTIONS["Options and values"]:
        for node in ast.walk(ast.parse(words(row[0])[0])):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == call:
                options |= {keyword.arg for keyword in node.keywords if keyword.arg}
    return options


@pytest.mark.parametrize(("name", "call"), list(calls()))
def test_each_option_is_on_the_page_and_the_reverse(name: str, call: str) -> None:
    found = keras.Sequential if name == METHODS else module(name)
    rows = [row for row in SECTIONS.get(name) or OF_MODULES[name] if call in words(row[0])]
    page = page_options("; ".join(sorted((row[1] for row in rows), key=lambda cell: "without effect" in cell)))
    target = getattr(found, call)
    if isinstance(target, Quantity) or not callable(target) or getattr(target, "__module__", "") == "numpy":
        return
    code = Options.of(target)
    if isinstance(target, type) and issubclass(target, Layer) and call not in ("Embedding", "InputLayer"):
        code.now -= set(COMMON)
    unheard = refused(call) | (refused("LSTM") if call in ("GRU", "SimpleRNN") else set())
    if not isinstance(target, type) and call[0].isupper() and name in ("keras.losses", "keras.metrics"):
        unheard = refused("BinaryCrossentropy")
    lacking = code.now - page.now
    assert page.now <= code.now, f"{call} has no {sorted(page.now - code.now)}"
    assert lacking <= unheard, f"{call}: nothing is said of {sorted(lacking - unheard)}"
    assert page.older == {old: new for old, new in code.older.items() if new in page.now}
    assert page.idle == code.idle


def test_what_every_layer_takes() -> None:
    assert [words(row[0])[0] for row in SECTIONS["Every layer"]] == list(COMMON)


# -- statewise's own --------------------------------------------------------------------------------------------------


def test_all_that_is_called_statewises_own_is() -> None:
    model = sw.Sequential([sw.Dense(1, input_shape=(3, 1))])
    model.compile("adam", "mse")
    last = " ".join(
        row[-1] for rows in [*OF_MODULES.values(), SECTIONS[METHODS], SECTIONS["Moving on"]] for row in rows
    )
    assert not [name for name in set(re.findall(r"\bsw\.(\w+)", PAGE)) if not hasattr(sw, name)]
    assert not [name for name in set(re.findall(r"\bmodel\.(\w+)", last)) if not hasattr(model, name)]


@pytest.mark.parametrize("name", ["keras.losses", "keras.metrics"])
def test_losses_and_metrics_are_what_they_are_called(name: str) -> None:
    for row in OF_MODULES[name]:
        for word in words(row[0]) if row[2] else ():
            found = getattr(module(name), word)
            assert f'"{(found if isinstance(found, Quantity) else found()).core}"' == words(row[2])[0]


def test_learning_rates() -> None:
    rows = [row for row in SECTIONS["What Keras 2's behavior means here"] if len(row) == 3]
    page = {words(row[0])[0]: (float(row[1]), float(row[2])) for row in rows}
    assert page == {kind.__name__: kind.rates for kind in optimizers.OPTIMIZERS.values()}


@pytest.mark.parametrize("spoken", [dialect.KERAS1, dialect.KERAS2, dialect.TF_KERAS])
def test_lines_of_training(spoken: dialect.Dialect) -> None:
    assert f"| `{spoken.epoch_line(0.01, 5, {'loss': 0.693})}` |" in PAGE


# -- what is refused --------------------------------------------------------------------------------------------------


def my_function(*_: object) -> None:
    """Stands for a function of the script's."""


@pytest.mark.parametrize(("code", "said"), [(words(row[0])[0], row[1]) for row in SECTIONS["Options and values"]])
def test_what_the_page_refuses_is_refused_in_its_words(code: str, said: str) -> None:
    model = keras.Sequential([layers.LSTM(4, input_shape=(3, 1)), layers.Dense(1)])
    model.compile("adam", "mse")
    names = {
        name: getattr(home, name) for home in (layers, optimizers, callbacks, models, losses) for name in home.__all__
    }
    names |= {
        "model": model,
        "x": np.ones((4, 3, 1)),
        "y": np.ones((4, 1)),
        "K": backend,
        "tf": tensorflow,
        "my_function": my_function,
    }
    names |= {"text": model.to_json(), "config": {"class_name": "Sequential", "config": model.get_config()}}
    with pytest.raises(StatewiseError) as caught:
        exec(code, names)
    assert str(caught.value) == said


def advice() -> Iterator[tuple[str, str]]:
    """Yields each piece of advice that is written out where the code refuses something."""
    for path in SOURCES:
        known = vars(import_module(f"statewise.legacy.{path.stem}"))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("unsupported", "refuse"):
                said = node.args[1]
                if isinstance(said, ast.Constant) or (isinstance(said, ast.Name) and said.id in known):
                    yield path.stem, said.value if isinstance(said, ast.Constant) else known[said.id]  # type: ignore[misc]


def test_whatever_the_code_refuses_is_on_the_page() -> None:
    said = [row[1] for row in SECTIONS["Options and values"]]
    elsewhere = {"docs/legacy.md lists the layers", "call model.predict(x), or make a separate layer"}
    assert not [found for found in advice() if found[1] not in elsewhere and not any(found[1] in row for row in said)]


def test_names_that_are_not_supported() -> None:
    page = {name: row[1] for row in SECTIONS["Names"] for name in words(row[0])}
    assert page == {name: said for name, said in ADVICE.items() if name not in layers.__all__}


# -- moving on --------------------------------------------------------------------------------------------------------


def notes() -> Iterator[tuple[str, str]]:
    """Yields the patterns of what `note` is called with; what is filled in while running matches anything."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "note":
                yield _pattern(node.args[0]), _pattern(node.args[1])


def _pattern(node: ast.expr) -> str:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in parts)


def test_each_old_spelling_is_on_the_page_and_the_reverse() -> None:
    rows = [tuple(cell.strip("`") for cell in row) for row in SECTIONS["Moving on"]]
    patterns = [pair for pair in notes() if pair[0] not in (".+=", r".+\(.+=\)", ".+") or "TensorBoard" in pair[0]]
    lacking = [pair for pair in patterns if not any(_fits(pair, row) for row in rows)]
    invented = [row for row in rows if not any(_fits(pair, row) for pair in patterns)]
    assert (lacking, invented) == ([], [])


def _fits(pair: tuple[str, str], row: Any) -> bool:
    return all(re.fullmatch(pattern, cell) for pattern, cell in zip(pair, row, strict=True))


@pytest.mark.filterwarnings("default")
def test_the_session_is_real(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    script, session, refusal = (block for language, block in blocks if not language)
    path = tmp_path / "tutorial.py"
    path.write_text(script)
    assert run_script(path) == 0
    out, err = capsys.readouterr()
    printed = _numbers_hidden(session).splitlines()[1:]
    assert [line for line in printed if line in _numbers_hidden(out).splitlines()] == _numbers_hidden(out).splitlines()
    assert [line for line in printed if line in err.splitlines()] == err.splitlines()
    assert len(printed) == len(out.splitlines()) + len(err.splitlines())
    old = tmp_path / "old.py"
    old.write_text("\n".join([*script.splitlines()[:-1], 'print "Accuracy:", accuracy']))
    with pytest.raises(StatewiseError) as caught:
        run_script(old)
    assert refusal.splitlines()[1] == f"statewise: {caught.value}"


def _numbers_hidden(shown: str) -> str:
    return re.sub(r"\d\.\d{4}|^\d+s", "#", shown, flags=re.MULTILINE)
