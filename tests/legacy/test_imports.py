"""The imports of scripts: Keras's are statewise's, and one that fails is felt where it is used."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest

import statewise.legacy
from statewise.errors import ConfigurationError, StatewiseError
from statewise.legacy import regularizers
from statewise.legacy.errors import ADVICE, UnsupportedError, lacking, unsupported
from statewise.legacy.imports import MISSING, Missing, guarded, keras_modules, missing
from statewise.legacy.namespace import MODULES

PIP = f"{sys.executable} -m pip install"


def run(script: str) -> dict[str, Any]:
    names: dict[str, Any] = {MISSING: missing}
    with keras_modules():
        exec(compile(guarded(ast.parse(script)), "script.py", "exec", dont_inherit=True), names)
    return names


@contextmanager
def module(name: str, **content: object) -> Iterator[ModuleType]:
    """A module that can be imported inside the block."""
    made = ModuleType(name)
    vars(made).update(content)
    before = sys.modules.get(name)
    sys.modules[name] = made
    try:
        yield made
    finally:
        del sys.modules[name]
        sys.modules.update({name: before} if before else {})


@pytest.mark.parametrize("target", sorted(set(MODULES.values())))
def test_every_module_of_the_table_is_there(target: str) -> None:
    assert find_spec(target) is not None


@pytest.mark.parametrize("root", ["keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras"])
@pytest.mark.parametrize(
    "line",
    [
        "from {root}.regularizers import l2",
        "from {root} import regularizers; l2 = regularizers.l2",
        "import {root}.regularizers as old; l2 = old.l2",
        "import {root} as k; l2 = k.regularizers.l2",
        "import {root}.regularizers; l2 = {root}.regularizers.l2",
    ],
)
def test_keras_is_found_wherever_it_lived(root: str, line: str) -> None:
    assert run(line.format(root=root))["l2"] is regularizers.l2


@pytest.mark.parametrize(
    "line",
    [
        "from keras.layers.recurrent import LSTM",
        "from keras.layers.core import LSTM",
        "import keras; LSTM = keras.layers.recurrent.LSTM",
        "import keras.layers.core as old; LSTM = old.LSTM",
        "import tensorflow as tf; LSTM = tf.keras.layers.LSTM",
        "from tensorflow import keras; LSTM = keras.layers.LSTM",
        "import tensorflow.compat.v1 as tf; LSTM = tf.keras.layers.LSTM",
        "import keras.engine.topology as old; LSTM = old.LSTM",
        "import tensorflow as tf; LSTM = tf.compat.v1.keras.layers.LSTM",
        "from keras.layers import *",
    ],
)
def test_names_of_all_depths_lead_to_the_same_class(line: str) -> None:
    assert run(line)["LSTM"] is import_module("statewise.legacy.layers").LSTM


def test_modules_that_were_there_come_back() -> None:
    with module("keras", LSTM="real") as real, module("tensorflow.python"):
        kept = {"keras", "tensorflow.python"}
        assert run("import keras.regularizers as r; import keras as k")["k"] is statewise.legacy
        assert sys.modules["keras"] is real
        assert {name for name in sys.modules if name.partition(".")[0] in ("keras", "tensorflow")} == kept
    finders = list(sys.meta_path)
    with pytest.raises(ZeroDivisionError):
        run("import keras; 1 / 0")
    assert sys.meta_path == finders
    assert "keras" not in sys.modules


def test_tensorboard_does_without_tensorflow_meanwhile() -> None:
    pytest.importorskip("tensorboard.compat")
    assert run("import tensorboard.compat.notf as notf")["notf"].__name__ == "tensorboard.compat.notf"


UNUSED = """
from __future__ import division
'a script'
import numpy as np, no_such_package, theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams
from keras.layers import LSTM, Conv1D as C, TimeDistributedDens
import keras.datasets
from keras.datasets import imdb
from keras.utils.visualize_utils import plot

def later():
    from sklearn.cross_validation import train_test_split
    return train_test_split

class Holder:
    import no_such_package as held

line = __import__("sys")._getframe().f_lineno
"""


def test_failing_imports_stop_nothing_and_lines_stay() -> None:
    names = run(UNUSED)
    assert names["line"] == 1 + UNUSED[: UNUSED.index("line = ")].count("\n")
    held = [names["later"](), names["Holder"].held, *(names[name] for name in ("no_such_package", "T", "C", "imdb"))]
    assert all(isinstance(one, Missing) for one in held)
    assert names["keras"] is statewise.legacy
    assert names["np"] is sys.modules["numpy"]


MESSAGES = [
    ("import theano", "theano.config", "statewise needs no Theano; remove the line"),
    ("import theano.tensor as T", "T.vector()", "statewise needs no Theano; remove the line"),
    ("from keras.layers import Conv1D", "Conv1D(3)", f"keras.layers.Conv1D is not supported: {ADVICE['Conv1D']}"),
    ("from keras.layers import LSTMM", "LSTMM(3)", "keras.layers has no LSTMM; did you mean LSTM?"),
    ("from keras.models import Model", "Model()", f"keras.models.Model is not supported: {ADVICE['Model']}"),
    ("from keras.datasets import imdb", "imdb.load", f"keras.datasets is not supported: {ADVICE['datasets']}"),
    ("import keras.datasets", "keras.datasets", f"keras.datasets is not supported: {ADVICE['datasets']}"),
    ("import keras.layrs", "keras.layrs", "keras has no layrs; did you mean layers?"),
    ("from keras.wrappers.scikit_learn import KerasClassifier as K", "K()", "there are no wrappers for scikit-learn"),
    (
        "import keras",
        "keras.layers.Xyzzyx",
        "has no Xyzzyx that statewise supports; docs/legacy.md lists what there is",
    ),
    ("from keras.engine.topology import InputSpec", "class A(InputSpec): pass", ADVICE["InputSpec"]),
    ("import tensorflow as tf", "tf.placeholder(3)", ADVICE["placeholder"]),
    ("import no_such", "no_such.f", f"the package no_such is not installed: {PIP} no_such"),
    ("import no_such.sub", "no_such.sub.f", f"the package no_such is not installed: {PIP} no_such"),
    ("from sklearn.metrics import accuracy_score", "accuracy_score()", f"{PIP} scikit-learn"),
    ("from sklearn.cross_validation import KFold", "KFold()", "write from sklearn.model_selection import ..."),
    ("from pandas import datetime", "datetime.now()", "write from datetime import datetime"),
    ("import cPickle", "cPickle.load", "cPickle has moved since; write import pickle"),
    ("from math import no_such", "no_such()", "math.no_such cannot be imported: cannot import name 'no_such'"),
]


@pytest.mark.parametrize(("line", "use", "message"), MESSAGES, ids=[line for line, _, _ in MESSAGES])
def test_what_is_missing_is_named_where_it_is_used(line: str, use: str, message: str) -> None:
    if line.startswith("from sklearn.metrics") and find_spec("sklearn"):
        pytest.skip("scikit-learn is installed")
    run(line)
    with pytest.raises(StatewiseError) as caught:
        run(f"{line}\n{use}")
    assert message in str(caught.value)


USES = [
    *("M()", "M.name", "M[0]", "list(M)", "len(M)", "M + 1", "1 * M", "-M", "M == 1", "M < 2", "bool(M)", "float(M)"),
    *("str(M)", "f'{M}'", "hash(M)", "1 in M", "isinstance(1, M)", "issubclass(int, M)", "range(3)[M]", "M(x=1)"),
    *("M.name = 1", "M[0] = 1", "del M.name", "with M: pass", "for _ in M: pass", "class A(M): pass", "if M: pass"),
    *("@M\ndef f(): pass", "first, second = M", "print(*M)"),
]


@pytest.mark.parametrize("use", USES)
def test_any_use_of_a_missing_name_is_refused(use: str) -> None:
    with pytest.raises(ConfigurationError, match="no_such is not installed"):
        run(f"import no_such as M\n{use}")


def test_a_missing_name_can_be_looked_at_and_passed_by() -> None:
    names = run("import no_such as M\nN = M\nis_none = M is None")
    assert repr(names["N"]) == f"<missing: the package no_such is not installed: {PIP} no_such>"
    assert not names["is_none"]


@pytest.mark.parametrize("caught", ["ImportError", "ModuleNotFoundError", "(KeyError, ImportError)", "Exception", ""])
def test_scripts_that_catch_failing_imports_do_so_themselves(caught: str) -> None:
    script = f"try:\n    import no_such\nexcept {caught}:\n    import no_such_either\n    no_such = 'caught'"
    names = run(script.replace("except :", "except:"))
    assert names["no_such"] == "caught"
    assert isinstance(names["no_such_either"], Missing)


@pytest.mark.parametrize("clauses", ["except ValueError:\n    pass", "finally:\n    done = True"])
def test_a_try_for_other_errors_catches_none(clauses: str) -> None:
    assert isinstance(run(f"try:\n    import no_such\n{clauses}")["no_such"], Missing)


def test_scripts_choose_between_names_as_python_does() -> None:
    names = run(
        "try:\n    from keras.layers import LSTMX\nexcept ImportError:\n    from keras.layers import LSTM as LSTMX"
    )
    assert names["LSTMX"] is import_module("statewise.legacy.layers").LSTM


@pytest.mark.parametrize("line", ["from no_such import *", "from theano import *"])
def test_a_star_import_that_fails_stops_the_script(line: str) -> None:
    with pytest.raises(StatewiseError, match=r"pip install no_such|needs no Theano"):
        run(line)


@pytest.mark.parametrize("line", ["from . import neighbour", "from __future__ import division"])
def test_relative_and_future_imports_are_pythons_own_affair(line: str) -> None:
    assert ast.dump(guarded(ast.parse(line))) == ast.dump(ast.parse(line))


def test_lacking_answers_modules_and_refuses_the_rest() -> None:
    look_up = lacking("keras", ["Sequential", "_private"])
    assert look_up("regularizers") is regularizers
    with pytest.raises(UnsupportedError, match="keras has no Sequental; did you mean Sequential"):
        look_up("Sequental")
    with pytest.raises(UnsupportedError, match="has no privat that statewise supports"):
        look_up("privat")
    with pytest.raises(AttributeError) as caught:
        look_up("__path__")
    assert not isinstance(caught.value, StatewiseError)


def test_hasattr_says_no_to_what_is_unsupported() -> None:
    assert not hasattr(statewise.legacy, "no_such")
    assert isinstance(unsupported("keras.layers.Conv1D", "write LSTM"), AttributeError)


@pytest.mark.parametrize("sentence", sorted(set(ADVICE.values())))
def test_advice_is_one_sentence_without_its_full_stop(sentence: str) -> None:
    assert sentence[-1] not in ".;" or sentence.endswith("...")
    assert ". " not in sentence
