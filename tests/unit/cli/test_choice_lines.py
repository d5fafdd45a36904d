"""What the commands say of the learner that `auto` took."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fewshot_gui.cli.choice_words import choice_line, choice_values, choices_line
from fewshot_gui.cli.main import main
from fewshot_gui.core.learners.reason import Choice, Reason, Why

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("why", "shots", "said"),
    [
        (Why.ONE_CATEGORY, 3, "only one class has examples"),
        (Why.TOO_FEW, 1, "one example a class is too few to compare learners on"),
        (Why.ALIKE, 11, "frames that look alike cannot tell which learner is better"),
        (Why.TOO_MANY, 900, "about 900 examples a class, too many in all to compare learners on"),
        (Why.TOO_MANY, 1, "about 1 example a class, too many in all to compare learners on"),
        (Why.RULE, 5, "about 5 examples a class, and no other was clearly better"),
    ],
)
def test_each_ground_has_its_line(why: Why, shots: float, said: str) -> None:
    assert choice_line(Choice("ridge", Reason(why, 3, shots, "ridge"))) == f"auto took ridge: {said}"


def test_evidence_is_told_with_its_figures() -> None:
    reason = Reason(Why.LEAVE_ONE_OUT, 2, 10, "ridge", 20, {"ridge": 0.7, "simpleshot": 0.9})
    said = "auto took simpleshot: right on 18 of 20 left-out examples, ridge on 14"
    assert choice_line(Choice("simpleshot", reason)) == said
    values = choice_values(Choice("simpleshot", reason))
    assert json.loads(json.dumps(values)) == {
        "learner": "simpleshot", "why": "leave-one-out", "ways": 2, "shots": 10,
        "by_rule": "ridge", "left_out": 20,
        "accuracies": {"ridge": 0.7, "simpleshot": 0.9},
    }  # fmt: skip
    assert choice_values(None) is None


def test_many_tasks_are_counted() -> None:
    line = choices_line({"prototypical": 2, "ridge": 8}, {"rule": 9, "leave-one-out": 1})
    assert line == "auto took ridge in 8, prototypical in 2 of 10 tasks; why: rule in 9, leave-one-out in 1"


def classify(data: Path, mean_colour: Path, tmp_path: Path, *more: str) -> int:
    query, out = data / min(each.name for each in data.iterdir()), tmp_path / "labels.csv"
    first = ["classify", "--support", str(data), "--query", str(query), "--out", str(out)]
    return main([*first, "--backbone", str(mean_colour), *more])


def test_classify_says_which_and_why(
    data: Path, mean_colour: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert classify(data, mean_colour, tmp_path) == 0
    assert "auto took " in capsys.readouterr().out
    assert classify(data, mean_colour, tmp_path, "--json") == 0
    chosen = json.loads(capsys.readouterr().out)["chosen"]
    assert chosen["why"] in {"rule", "leave-one-out"}
    assert chosen["learner"] in chosen["accuracies"]
    assert classify(data, mean_colour, tmp_path, "--learner", "prototypical") == 0
    assert "auto" not in capsys.readouterr().out
    assert classify(data, mean_colour, tmp_path, "--learner", "prototypical", "--json") == 0
    assert json.loads(capsys.readouterr().out)["chosen"] is None


def test_evaluate_counts_what_was_taken(
    data: Path, mean_colour: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", "--data", str(data), "--backbone", str(mean_colour), "--learner", "auto"]
    command += ["--ways", "3", "--shots", "1", "--queries", "2", "--episodes", "4"]
    assert main([*command, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["chosen"] == {"prototypical": 4}
    assert values["why"] == {"too few": 4}
    assert main(command) == 0
    assert "auto took prototypical in 4 of 4 tasks; why: too few in 4" in capsys.readouterr().out
