"""Old spellings: noted once, with the script's line, and listed."""

from __future__ import annotations

from typing import Any

import pytest

from statewise.errors import ConfigurationError
from statewise.legacy import spellings

SCRIPT = """
for _ in range(2):
    fit(nb_epoch=3)
helper()
fit(nb_epoch=3); layer()
"""


def fit(**options: Any) -> dict[str, Any]:
    return spellings.renamed("fit", options, {"nb_epoch": "epochs"})


def layer() -> None:
    spellings.note("init=", "LSTM(kernel_initializer=...)")


def run(script: str) -> str:
    with spellings.recording("tutorial.py"):
        exec(compile(script, "tutorial.py", "exec"), {"fit": fit, "layer": layer, "helper": layer})
        return spellings.listed()


def test_each_spelling_is_listed_once_with_its_first_line() -> None:
    assert run(SCRIPT).splitlines() == [
        "2 old spellings were used; in statewise, write:",
        "  line 3   nb_epoch=  fit(epochs=...)",
        "  line 4   init=      LSTM(kernel_initializer=...)",
    ]


def test_the_list_follows_the_script_also_where_helpers_defined_late_run_first() -> None:
    lines = run("\ndef g():\n    layer()\n\nfit(nb_epoch=1)\ng()\n").splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["3", "5"]


def test_one_spelling_is_spoken_of_as_one() -> None:
    assert run("layer()").startswith("1 old spelling was used; in statewise, write:\n")


def test_a_script_without_old_spellings_lists_nothing() -> None:
    assert run("fit(epochs=1)") == ""


def test_every_record_is_its_own() -> None:
    with spellings.recording("outer.py"):
        layer()
        assert "init=" not in run("fit(nb_epoch=1)")
        assert spellings.listed().splitlines()[1:] == [f"{'':11}init=  LSTM(kernel_initializer=...)"]


def test_old_names_become_new_ones_and_others_stay() -> None:
    assert fit(verbose=2, nb_epoch=7) == {"verbose": 2, "epochs": 7}


@pytest.mark.parametrize("options", [{"nb_epoch": 3, "epochs": 4}, {"epochs": 4, "nb_epoch": 3}])
def test_both_spellings_at_once_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match=r"fit got nb_epoch= and epochs=.*write epochs= alone"):
        fit(**options)
