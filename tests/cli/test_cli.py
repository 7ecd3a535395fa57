"""The command line on its intended path."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

import statewise as sw
from statewise.cli import output
from statewise.cli.main import main
from statewise.text.scoring import TextScore

FABLE = Path(__file__).parents[2] / "examples" / "belling_the_cat.txt"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="module")
def story(folder: Path) -> Path:
    out = folder / "story.statewise"
    arguments = ["--tokens", "word", "--window", "3", "--units", "64", "--epochs", "100", "--held-out", "0"]
    assert main(["train", str(FABLE), "--out", str(out), *arguments, "--quiet", "--seed", "7"]) == 0
    return out


def test_train_introduces_itself_and_reports(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "chars.statewise"
    arguments = ["--units", "16", "--epochs", "3", "--length", "12", "--prompt", "the cat"]
    assert main(["train", str(FABLE), "--out", str(out), *arguments]) == 0
    printed = capsys.readouterr()
    for expected in (
        "880 characters to train on, 26 distinct",
        "held out: the last 10 %",
        "LSTM(16)",
        "3 epochs of",
        "score on",
        "bigrams",
        "unigrams",
        "sample after 'the cat'",
        f"wrote {out}, {out.with_suffix('.png')}",
        f"statewise generate {out} --prompt 'the cat'",
    ):
        assert expected in printed.out
    assert "epoch 3/3" in printed.err
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_quiet_says_nothing(story: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--out", str(story.with_name("quiet.statewise")), "--units", "4", "--epochs", "1", "--no-plot"]
    assert main(["train", str(FABLE), *arguments, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert not story.with_name("quiet.png").exists()


def test_train_json_is_one_object(story: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = story.with_name("json.statewise")
    arguments = ["--out", str(out), "--units", "4", "--epochs", "2", "--no-plot", "--json", "--quiet"]
    assert main(["train", str(FABLE), *arguments]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["files"] == [str(out)]
    assert result["epochs"] == 2
    assert result["scored_on"] == "held out"
    assert result["score"]["bigram_loss"] > 0


def test_generate_continues(story: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--prompt", "had a general", "--length", "8", "--temperature", "0"]
    assert main(["generate", str(story), *arguments]) == 0
    expected = "had a general council to consider what measures they could take\n"
    assert capsys.readouterr().out == expected
    assert main(["generate", str(story), *arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text"].strip() == expected.removeprefix("had a general").strip()


def test_generate_searches_with_beams(story: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also in a model that reads windows of words."""
    arguments = ["--prompt", "had a general", "--length", "8", "--beams", "3"]
    assert main(["generate", str(story), *arguments]) == 0
    assert capsys.readouterr().out == "had a general council to consider what measures they could take\n"
    assert main(["generate", str(story), *arguments, "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text"].strip() == "council to consider what measures they could take"


def test_generate_repeats_itself_by_seed(story: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for seed in ("1", "1", "2"):
        arguments = ["--prompt", "had a general", "--length", "40", "--temperature", "3", "--seed", seed]
        main(["generate", str(story), *arguments])
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != said[2]


def test_evaluate_shows_the_baselines(story: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(story), str(FABLE)]) == 0
    assert "bigrams" in capsys.readouterr().out
    assert main(["evaluate", str(story), str(FABLE), "--json"]) == 0
    model = sw.load(story)
    assert isinstance(model, sw.TextModel)
    score = json.loads(capsys.readouterr().out)
    assert score["loss"] == pytest.approx(model.evaluate(FABLE.read_text()).loss)


def test_info_shows_what_is_inside(story: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(story)]) == 0
    printed = capsys.readouterr().out
    for expected in ("text model", "LSTM", "vocabulary of 112", "window of 3", "seed 7", "weights in all"):
        assert expected in printed
    assert main(["info", str(story), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["kind"] == "text"
    assert facts["training"]["loss"] == "sparse_categorical_crossentropy"


def test_help_names_every_default(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("train", "generate"):
        with pytest.raises(SystemExit) as end:
            main([command, "--help"])
        assert end.value.code == 0
        text = " ".join(capsys.readouterr().out.split())
        assert "default: None" not in text
        for default in ("256", "0.005", "adam", "char") if command == "train" else ("100", "1.0"):
            assert f"(default: {default})" in text


@pytest.mark.parametrize("words", [[], ["train"], ["recipes", "run"]])
def test_help_is_a_command_too(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for line in (["help", *words], [*words, "--help"]):
        with pytest.raises(SystemExit) as end:
            main(line)
        assert end.value.code == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != ""


class Narrow(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_lines_are_broken_between_words_on_a_narrow_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    line = "  network: embedding 64, LSTM(256), dropout"
    terminal, file = Narrow(), io.StringIO()
    for place in (terminal, file):
        monkeypatch.setattr("sys.stdout", place)
        output.say(line)
        output.put(line)
    assert terminal.getvalue() == f"  network: embedding 64,\n    LSTM(256), dropout\n{line}\n"
    assert file.getvalue() == f"{line}\n{line}\n"


def test_a_score_fits_60_columns() -> None:
    score = TextScore(12.3456, 229_952.1, 17.811, 0.01, 1_000, 3, 12.1, 0.02, 11.5, 0.03)
    assert max(map(len, output.score_table(score, "word"))) <= 58
